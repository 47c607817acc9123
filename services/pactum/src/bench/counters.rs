//! One counter per partner and stage: the view that Kafka Streams is given too, by the program in `docs/benchmarks/kafka-streams`.
//!
//! It is what both can keep from a record alone. The events of a deal after its registration name the deal and not its partner, so
//! a count of deals by partner and stage would need every deal's row as well: more work, for Kafka Streams above all.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use pactum_domain::deal;
use pactum_domain::event::{AnyEvent, Moment};
use pactum_events::{Recorded, event_type};
use pactum_ids::PartnerId;
use pactum_projector::{OpenError, ProjectorOptions, folded_rows};
use pactum_views::key::{Key, take_text};
use pactum_views::{Changes, FoldError, Folded, KeyRange, Order, Row, RowError, Table, View};
use serde::{Deserialize, Serialize};

/// | keyspace | key | row |
/// |---|---|---|
/// | `counters` | program, partner, stage | [`Counter`] |
const COUNTERS: Table<Counter> = Table::new("counters");

/// How many records there were.
#[derive(Debug, Serialize, Deserialize)]
struct Counter(u64);

impl Row for Counter {
    const VERSION: u8 = 1;
}

/// Program, partner, stage.
pub(super) type Name = (String, String, String);

/// Counts records under the partner who acted, else the one whom the first event names, else nobody; and under the stage that a
/// deal moved to, else what happened.
#[derive(Debug)]
pub(super) struct Counters;

impl View for Counters {
    fn name(&self) -> &'static str {
        "counters"
    }

    fn version(&self) -> u32 {
        1
    }

    fn keyspaces(&self) -> &'static [&'static str] {
        &[COUNTERS.keyspace]
    }

    fn apply(
        &self,
        changes: &mut Changes<'_>,
        folded: &Folded<'_>,
        moment: Moment,
        recorded: &Recorded,
    ) -> Result<(), FoldError> {
        let record = folded.record;
        if moment.sequence != record.sequence {
            return Ok(());
        }
        let partner = record.actor.partner.as_ref().or_else(|| named_in(&recorded.event));
        let stage = match &recorded.event {
            AnyEvent::Deal(_, deal::Event::StageChanged { to, .. }) => to,
            other => event_type(other),
        };
        let key = Key::of(&record.program).text(partner.map_or("", PartnerId::as_str)).text(stage);
        changes.edit_or(&COUNTERS, key.as_slice(), || Counter(0))?.0 += 1;
        Ok(())
    }
}

fn named_in(event: &AnyEvent) -> Option<&PartnerId> {
    match event {
        AnyEvent::Partner(partner, _) => Some(partner),
        AnyEvent::Deal(_, deal::Event::Drafted(drafted)) => Some(&drafted.partner),
        AnyEvent::Deal(_, deal::Event::Registered(registered) | deal::Event::Resubmitted(registered)) => {
            Some(&registered.partner)
        }
        AnyEvent::Program(_) | AnyEvent::Deal(..) | AnyEvent::Opportunity(..) => None,
    }
}

/// Why counters cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum CountersError {
    #[error("the counters cannot be opened")]
    Open(#[from] OpenError),
    #[error("the counters cannot be read")]
    Rows(#[from] RowError),
    #[error("a counter's key is malformed")]
    Key,
}

/// What the view holds of a partition after the fold.
pub(super) fn read(options: &ProjectorOptions, partition: u32) -> Result<BTreeMap<Name, u64>, CountersError> {
    let rows = folded_rows(options, partition, &Counters)?;
    let mut counters = BTreeMap::new();
    COUNTERS.scan(&*rows, &KeyRange { from: Vec::new(), to: None }, Order::Ascending, |key, Counter(count)| {
        let (program, rest) = take_text(key).ok_or(CountersError::Key)?;
        let (partner, rest) = take_text(rest).ok_or(CountersError::Key)?;
        let (stage, _) = take_text(rest).ok_or(CountersError::Key)?;
        counters.insert((program.to_owned(), partner.to_owned(), stage.to_owned()), count);
        Ok::<_, CountersError>(ControlFlow::Continue(()))
    })?;
    Ok(counters)
}
