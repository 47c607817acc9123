//! What every read model is, and the list of them.

use pactum_domain::event::{EvolveError, Moment};
use pactum_events::{Record, Recorded};

use crate::changes::Changes;
use crate::clock;
use crate::rows::RowError;

/// A record cannot be folded. The view stops there, visibly; nothing is skipped.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The rows it builds on cannot be read.
    #[error(transparent)]
    Rows(#[from] RowError),
    /// The record is not the program's next.
    #[error("the program's next sequence is {expected}, the record has {found}")]
    Sequence {
        /// The sequence that would follow.
        expected: u64,
        /// The one found.
        found: u64,
    },
    /// An event does not follow from the rows.
    #[error(transparent)]
    Evolve(#[from] EvolveError),
    /// An event is about something that the view has no row of.
    #[error("{kind} {id} is not known to the view")]
    Unknown {
        /// `deal`, `partner`, …
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// An event says something that cannot be, given those before it.
    #[error("{0}")]
    Impossible(String),
}

/// Where the log keeps a record, for whoever reads on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The entry's offset.
    pub offset: u64,
    /// The term it was written in.
    pub term: u64,
    /// Its number in the term.
    pub n: u64,
}

/// A record and where it lies: what a view folds.
#[derive(Clone, Copy, Debug)]
pub struct Folded<'a> {
    /// The record.
    pub record: &'a Record,
    /// Where the log keeps it.
    pub place: Place,
}

/// A read model: a pure function of the log.
pub trait View: Send + Sync + 'static {
    /// Its name, part of its directory's.
    fn name(&self) -> &'static str;

    /// Raised whenever rows, keys or fold change. Another version is built beside the old one.
    fn version(&self) -> u32;

    /// The keyspaces it writes, without those that every view has.
    fn keyspaces(&self) -> &'static [&'static str];

    /// The version before this one, for a program that changes over without a pause: where there are rows of it, they are
    /// folded on and answer until this version has caught up, and can answer again after. Only where the queries of this
    /// version can be answered from those rows; `docs/adding-a-read-model.md` says when that is.
    fn previous(&self) -> Option<&'static dyn View> {
        None
    }

    /// Those of its keyspaces that it never reads while folding: it [inserts](Changes::insert) a row where there is none, and
    /// [removes](Changes::remove) one that is there.
    fn only_written(&self) -> &'static [&'static str] {
        &[]
    }

    /// Folds one event.
    ///
    /// # Errors
    /// [`FoldError`] where the event does not fit the rows, or these cannot be read.
    fn apply(
        &self,
        changes: &mut Changes<'_>,
        folded: &Folded<'_>,
        moment: Moment,
        recorded: &Recorded,
    ) -> Result<(), FoldError>;
}

/// Every read model. A new one is a line here.
pub const ALL: &[&dyn View] = &[
    &crate::programs::Programs,
    &crate::partners::Partners,
    &crate::deals::Deals,
    &crate::pipeline::Pipeline,
    &crate::ownership::Ownership,
];

/// Keyspaces that every view has besides its own.
pub const COMMON_KEYSPACES: &[&str] = &[clock::CLOCKS.keyspace];

/// Folds a record into a view: all of its events, and the program's clock.
///
/// # Errors
/// [`FoldError`] where the record does not fit; the changes are then not to be written.
pub fn fold(view: &dyn View, changes: &mut Changes<'_>, folded: &Folded<'_>) -> Result<(), FoldError> {
    clock::advance(changes, folded.record)?;
    folded.record.moments().try_for_each(|(moment, recorded)| view.apply(changes, folded, moment, recorded))
}

/// Folds a record that comes after others which were passed over: some of its program's sequences may be missing.
///
/// # Errors
/// As [`fold`].
pub fn fold_after_gap(view: &dyn View, changes: &mut Changes<'_>, folded: &Folded<'_>) -> Result<(), FoldError> {
    clock::advance_over_gap(changes, folded.record)?;
    folded.record.moments().try_for_each(|(moment, recorded)| view.apply(changes, folded, moment, recorded))
}

/// Passes over a record: the view takes nothing of it but that its sequences are behind it.
///
/// # Errors
/// [`FoldError::Rows`] where the rows cannot be read.
pub fn pass(changes: &mut Changes<'_>, record: &Record) -> Result<(), FoldError> {
    clock::pass(changes, record)
}
