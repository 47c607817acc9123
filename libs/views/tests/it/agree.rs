//! Over any history the views agree with the write side, with each other, and with themselves however it was cut.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use pactum_domain::deal::{Deal, Event, ProtectionState};
use pactum_domain::event::AnyEvent;
use pactum_events::event_type;
use pactum_ids::{DealId, PartnerId};
use pactum_views::deals::{DEALS, DealRow};
use pactum_views::key::Key;
use pactum_views::ownership::{ACCOUNTS, CLAIM_DEALS, CLAIMS, ClaimDeal};
use pactum_views::pipeline::{CELLS, Cell, CellKey};
use pactum_views::view::ALL;
use pactum_views::{
    Changes, Folded, KeyRange, MemoryRows, Order, Row, Rows as _, Table, clock, fold, partners, programs,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::random::{history, play};
use crate::world::{World, place, program};

fn rows<R: Row>(rows: &MemoryRows, table: &Table<R>) -> Vec<R> {
    rows.all(table.keyspace).map(|(_, row)| table.decode(row).unwrap()).collect()
}

fn deals(world: &World) -> BTreeMap<DealId, DealRow> {
    rows(&world.rows["deals"], &DEALS).into_iter().map(|row| (row.deal.id.clone(), row)).collect()
}

/// Cells counted anew, from the deals' rows and from which of them ever had a conflict.
fn recount(deals: &BTreeMap<DealId, DealRow>, conflicted: &BTreeSet<DealId>) -> HashMap<(PartnerId, CellKey), Cell> {
    let mut cells: HashMap<_, Cell> = HashMap::new();
    for Deal { id, state, stage, partner, scope, close_date, amount, .. } in deals.values().map(|row| &row.deal) {
        let key = CellKey {
            state: *state,
            stage: stage.clone(),
            territories: scope.territories.clone(),
            products: scope.products.clone(),
            month: close_date.map(pactum_domain::time::Date::month),
            currency: amount.map(|amount| amount.currency),
            conflicted: conflicted.contains(id),
        };
        let cell = cells.entry((partner.clone(), key)).or_default();
        cell.deals += 1;
        cell.minor += amount.map_or(0, |amount| i128::from(amount.minor));
    }
    cells
}

fn cells(world: &World) -> HashMap<(PartnerId, CellKey), Cell> {
    let cells = world.rows["pipeline"].all(CELLS.keyspace);
    let cells = cells.map(|(key, row)| {
        let rest = &key[program().as_str().len() + 1..];
        let end = rest.iter().position(|byte| *byte == 0).unwrap();
        let partner = PartnerId::new(std::str::from_utf8(&rest[..end]).unwrap()).unwrap();
        let cell: CellKey = postcard::from_bytes(&rest[end + 1..]).unwrap();
        ((partner, cell), CELLS.decode(row).unwrap())
    });
    cells.collect()
}

fn ever_conflicted(world: &World) -> BTreeSet<DealId> {
    let events = world.records.iter().flat_map(|record| &record.events);
    let conflicted = events.filter_map(|recorded| match &recorded.event {
        AnyEvent::Deal(id, Event::ConflictDetected { .. }) => Some(id.clone()),
        _ => None,
    });
    conflicted.collect()
}

fn agrees(world: &World) {
    let deals = deals(world);
    let expected: BTreeMap<_, _> = world.model.deals().map(|deal| (deal.id.clone(), (**deal).clone())).collect();
    let found: BTreeMap<_, _> = deals.iter().map(|(id, row)| (id.clone(), row.deal.clone())).collect();
    assert_eq!(found, expected, "deals");
    assert_eq!(cells(world), recount(&deals, &ever_conflicted(world)), "pipeline");
    for partner in world.model.partners() {
        let row = partners::get(&world.rows["partners"], &program(), &partner.id).unwrap().unwrap();
        assert_eq!(row.partner, **partner, "partners");
    }
    let row = programs::get(&world.rows["programs"], &program()).unwrap().unwrap();
    let model = world.model.program().unwrap();
    assert_eq!((row.version, row.state), (model.version, model.state), "programs");
    assert_eq!(row.policies.len(), model.policies.len(), "programs");
    for (view, rows) in &world.rows {
        let clock = clock::of(rows, &program()).unwrap().unwrap();
        assert_eq!(clock.sequence, world.model.sequence(), "{view}");
    }
    owners_agree(world);
}

fn owners_agree(world: &World) {
    let accounts = world.rows["ownership"].all(ACCOUNTS.keyspace);
    let mut holders: Vec<DealId> = accounts.flat_map(|(_, row)| ACCOUNTS.decode(row).unwrap().holders).collect();
    holders.sort_unstable();
    let held = |deal: &Deal| matches!(deal.protection, ProtectionState::Held { .. }) && deal.account.is_some();
    let mut expected: Vec<DealId> = world.model.deals().filter(|deal| held(deal)).map(|deal| deal.id.clone()).collect();
    expected.sort_unstable();
    assert_eq!(holders, expected, "who holds protection");
    let claims = |deal: &Deal| {
        let Deal { partner, account, scope, protection, basis, .. } = deal.clone();
        (Key::of(&program()).text(deal.id.as_str()).bytes(), ClaimDeal { partner, account, scope, protection, basis })
    };
    let mut expected: Vec<_> = world.model.deals().map(|deal| claims(deal)).collect();
    expected.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let found = world.rows["ownership"].all(CLAIM_DEALS.keyspace);
    let found: Vec<_> = found.map(|(key, row)| (key.to_vec(), CLAIM_DEALS.decode(row).unwrap())).collect();
    assert_eq!(found, expected, "what a deal claims");
    for (key, row) in world.rows["ownership"].all(ACCOUNTS.keyspace) {
        let id = std::str::from_utf8(&key[program().as_str().len() + 1..key.len() - 1]).unwrap();
        let account = world.model.account(&pactum_ids::AccountId::new(id).unwrap()).unwrap();
        assert_eq!(ACCOUNTS.decode(row).unwrap().keys, account.keys, "keys of {id}");
    }
}

/// Folds all records into a view in batches of `size`.
fn folded(world: &World, size: usize) -> HashMap<&'static str, MemoryRows> {
    let fold_one = |view: &'static dyn pactum_views::View| {
        let mut rows = MemoryRows::default();
        for (batch, records) in world.records.chunks(size).enumerate() {
            let mut changes = Changes::new(&rows);
            for (n, record) in records.iter().enumerate() {
                fold(view, &mut changes, &Folded { record, place: place(batch * size + n) }).unwrap();
            }
            let writes = changes.into_writes();
            // What is only written is written where it is not and removed where it is: the store relies on that.
            for write in writes.iter().filter(|write| view.only_written().contains(&write.keyspace)) {
                let is_there = rows.get(write.keyspace, &write.key, &mut |_| {}).unwrap();
                assert_ne!(is_there, write.row.is_some(), "{} {:?}", write.keyspace, write.key);
            }
            rows.write(writes);
        }
        (view.name(), rows)
    };
    ALL.iter().map(|view| fold_one(*view)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn views_agree_with_the_write_side(history in history()) {
        agrees(&play(history));
    }

    #[test]
    fn batches_make_no_difference(history in history(), size in 1_usize..60) {
        let world = play(history);
        for (view, rows) in folded(&world, size) {
            // Deleted rows leave an empty keyspace behind in one and not the other; what counts are the rows.
            for keyspace in ALL.iter().find(|v| v.name() == view).unwrap().keyspaces() {
                let (one, other): (Vec<_>, Vec<_>) =
                    (rows.all(keyspace).collect(), world.rows[view].all(keyspace).collect());
                prop_assert_eq!(one, other, "{} {}", view, keyspace);
            }
        }
    }

    #[test]
    fn claims_lie_in_the_order_of_the_log(history in history()) {
        let world = play(history);
        let mut last: Option<(Vec<u8>, u64)> = None;
        for (key, _) in world.rows["ownership"].all(CLAIMS.keyspace) {
            let (account, sequence) = key.split_at(key.len() - 8);
            let sequence = u64::from_be_bytes(sequence.try_into().unwrap());
            prop_assert!(sequence <= world.model.sequence());
            if let Some((before, earlier)) = &last {
                prop_assert!(before != account || *earlier < sequence);
            }
            last = Some((account.to_vec(), sequence));
        }
    }
}

/// The laws above say nothing if the histories do not reach far.
#[test]
fn random_histories_reach_every_event() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..400 {
        let world = play(history().new_tree(&mut runner).unwrap().current());
        seen.extend(world.records.iter().flat_map(|record| &record.events).map(|event| event_type(&event.event)));
    }
    for name in [
        "DealDrafted",
        "DealRegistered",
        "DealConflictDetected",
        "DealReviewStarted",
        "DealActionRequired",
        "DealResubmitted",
        "DealApproved",
        "DealRejected",
        "DealMarkedDuplicate",
        "DealProtectionExtended",
        "DealProtectionExpired",
        "DealWithdrawn",
        "DealRevoked",
        "DealReassigned",
        "DealStageChanged",
        "DealAmended",
        "DealWon",
        "DealLost",
        "DealReopened",
        "PartnerProfileUpdated",
        "PolicyPublished",
        "VendorOpportunityOpened",
        "VendorOpportunityClosed",
    ] {
        assert!(seen.contains(name), "no history has {name}");
    }
}

#[test]
fn a_gap_or_a_repetition_stops_the_fold() {
    let world = World::new(1);
    for (view, skipped) in ALL.iter().zip(0..) {
        let rows = &world.rows[view.name()];
        let mut record = world.records[0].clone();
        record.sequence = world.model.sequence() + 2;
        let mut changes = Changes::new(rows);
        let error = fold(*view, &mut changes, &Folded { record: &record, place: place(0) }).unwrap_err();
        assert!(error.to_string().contains("next sequence"), "{skipped}: {error}");
    }
}

#[test]
fn places_lead_back_into_the_log() {
    let mut world = World::new(1);
    for n in 0..1_200 {
        let stage = if n % 2 == 0 { "qualified" } else { "proposal" };
        if n == 0 {
            world.register("d", "p-0", "alpha.com", |_| {});
        }
        let change = pactum_domain::command::DealCommand::ChangeStage { stage: stage.into() };
        world.deal("d", change);
    }
    let rows = &world.rows["programs"];
    let mut found = BTreeSet::new();
    for sequence in [0, 1, 2, 500, 513, 600, 1_100, world.model.sequence(), u64::MAX] {
        let (first, place) = programs::place_before(rows, &program(), sequence).unwrap().unwrap();
        assert!(first <= sequence.max(1));
        assert!(sequence - sequence.min(first) < 2 * programs::PLACE_EVERY || sequence == u64::MAX);
        let record = &world.records[usize::try_from(place.n).unwrap()];
        assert_eq!(record.sequence, first);
        found.insert(first);
    }
    assert!(found.len() > 2, "{found:?}");
    let other = pactum_ids::ProgramId::new("acm").unwrap();
    assert_eq!(programs::place_before(rows, &other, 5).unwrap(), None);
    let all = KeyRange::prefix(b"");
    let mut count = 0;
    programs::PLACES
        .scan(rows, &all, Order::Ascending, |_, _| {
            count += 1;
            Ok::<_, pactum_views::RowError>(std::ops::ControlFlow::Continue(()))
        })
        .unwrap();
    assert!((2..=4).contains(&count), "{count}");
}
