//! What a record does to a view.

use pactum_views::{Changes, FoldError, Folded, View, view};

use super::chunk::Decoded;
use crate::decisions::Decisions;
use crate::fold::chain;

/// A record that cannot be folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfoldable {
    pub(crate) offset: u64,
    pub(crate) why: String,
}

/// Folds a record, or passes over it where that was decided. After an error the changes are not to be written.
pub(crate) fn fold_one(
    view: &dyn View,
    changes: &mut Changes<'_>,
    decoded: &Decoded,
    decisions: &Decisions,
) -> Result<(), Unfoldable> {
    let place = decoded.place;
    let offset = place.offset;
    let quarantined = decisions.holds(offset);
    let record = match &decoded.record {
        Ok(record) => record,
        Err(_) if quarantined => return Ok(()),
        Err(why) => {
            return Err(Unfoldable { offset, why: format!("the record at offset {offset} cannot be read: {why}") });
        }
    };
    // Where a record before this one was passed over, its sequences may be missing.
    let after_gap = decisions.any_before(offset);
    let folded = Folded { record, place };
    let result = if quarantined {
        view::pass(changes, record)
    } else if after_gap {
        view::fold_after_gap(view, changes, &folded)
    } else {
        view::fold(view, changes, &folded)
    };
    result.map_err(|error| {
        let why = explain(record, &error);
        Unfoldable { offset, why: format!("the record at offset {offset} cannot be folded: {why}") }
    })
}

fn explain(record: &pactum_events::Record, error: &FoldError) -> String {
    format!("sequence {} of programs/{}: {}", record.sequence, record.program, chain(error))
}
