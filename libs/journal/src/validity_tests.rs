//! The rule as a table: one history per row.

use super::*;
use crate::entry::{Claim, Record};

fn genesis() -> Entry {
    Entry::Genesis(Genesis { log_id: 1, partitions: 1, format: 1 })
}

fn claim(after: Option<Offset>) -> Entry {
    Entry::Claim(Claim { after, claim_id: 5, owner: "a:1".into() })
}

fn record(term: Offset, n: u64) -> Entry {
    Entry::Record(Record { term, n, body: bytes::Bytes::new() })
}

fn check(name: &str, history: &[(Offset, Entry, Verdict)]) -> Position {
    let mut position = Position::default();
    for (offset, entry, expected) in history {
        let before = position.clone();
        assert_eq!(position.observe(*offset, entry), *expected, "{name}: {entry:?} at {offset}");
        assert_eq!(position.offset, offset + 1, "{name}");
        if matches!(expected, Verdict::Skipped(_)) {
            let moved = Position { offset: offset + 1, ..before };
            assert_eq!(position, moved, "{name}: what is skipped changes nothing but the offset");
        }
    }
    position
}

#[test]
fn a_term_runs() {
    use Verdict::*;
    let position = check(
        "a term",
        &[
            (0, genesis(), Genesis),
            (3, claim(None), ValidClaim),
            (4, record(3, 0), ValidRecord),
            (9, record(3, 1), ValidRecord),
        ],
    );
    assert_eq!((position.term, position.next, position.owner.as_deref()), (Some(3), 2, Some("a:1")));
}

#[test]
fn whatever_is_not_next_is_skipped() {
    use Skip::*;
    use Verdict::*;
    let start = [(0, genesis(), Genesis), (1, claim(None), ValidClaim), (2, record(1, 0), ValidRecord)];
    let rows = [
        ("a duplicate record", record(1, 0), OutOfOrder),
        ("a record that overtook another", record(1, 2), OutOfOrder),
        ("a record of no term that was", record(0, 1), OtherTerm),
        ("a record of a term to come", record(4, 1), OtherTerm),
        ("a duplicate of the claim in force", claim(None), StaleClaim),
        ("a claim on a term that never was", claim(Some(7)), StaleClaim),
        ("a second genesis", genesis(), SecondGenesis),
    ];
    for (name, entry, reason) in rows {
        let mut history = start.to_vec();
        history.push((3, entry, Skipped(reason)));
        history.push((4, record(1, 1), ValidRecord));
        check(name, &history);
    }
}

#[test]
fn a_claim_ends_the_term_before_it() {
    use Skip::*;
    use Verdict::*;
    check(
        "takeover",
        &[
            (0, genesis(), Genesis),
            (1, claim(None), ValidClaim),
            (2, record(1, 0), ValidRecord),
            (3, claim(Some(1)), ValidClaim),
            (4, record(1, 1), Skipped(OtherTerm)),
            (5, claim(Some(1)), Skipped(StaleClaim)),
            (6, record(3, 1), Skipped(OutOfOrder)),
            (7, record(3, 0), ValidRecord),
        ],
    );
}

#[test]
fn nothing_counts_before_the_genesis() {
    use Skip::*;
    use Verdict::*;
    check(
        "early entries",
        &[
            (0, claim(None), Skipped(BeforeGenesis)),
            (1, record(0, 0), Skipped(BeforeGenesis)),
            (2, genesis(), Genesis),
            (3, record(0, 0), Skipped(OtherTerm)),
            (4, claim(None), ValidClaim),
        ],
    );
}

#[test]
fn skips_are_counted_by_reason() {
    let mut skipped = Skipped::default();
    skipped.count(Skip::OtherTerm);
    skipped.count(Skip::OtherTerm);
    skipped.count(Skip::StaleClaim);
    assert_eq!(Skip::ALL.map(|reason| skipped.of(reason)), [0, 0, 1, 2, 0]);
    assert_eq!(skipped.total(), 3);
}

#[test]
#[expect(clippy::unwrap_used, reason = "tests")]
fn a_stored_position_goes_on_from_the_middle() {
    let mut whole = Position::default();
    whole.observe(0, &genesis());
    whole.observe(1, &claim(None));
    whole.observe(2, &record(1, 0));
    let stored = postcard::to_allocvec(&whole).unwrap();
    let mut resumed: Position = postcard::from_bytes(&stored).unwrap();
    assert_eq!(resumed.observe(3, &record(1, 1)), Verdict::ValidRecord);
    whole.observe(3, &record(1, 1));
    assert_eq!(resumed, whole);
}
