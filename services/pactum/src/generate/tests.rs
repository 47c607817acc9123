//! The same commands, asked through the journal as the command role asks them, make the same records.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pactum_command::{Answer, Envelope, ProgramsMachine};
use pactum_domain::time::Timestamp;
use pactum_events::{decode, event_type};
use pactum_ids::ProgramId;
use pactum_journal::{Decision, FoldError, Follower, JournalOptions, Machine, Position};
use pactum_log::Log;
use pactum_log::memory::{MemoryLog, MemoryOptions};
use tokio_util::sync::CancellationToken;

use super::simulation::Simulation;
use super::{Progress, Size, Target, write};

fn size(deals: u64) -> Size {
    Size { partners: 40, deals, years: 2, seed: 11, until: Timestamp(1_767_225_600_000_000) }
}

fn acme() -> ProgramId {
    ProgramId::new("acme").unwrap()
}

/// The command role's machine on a clock that comes with each command; what falls due is asked like any other.
#[derive(Default)]
struct OnGivenTime(ProgramsMachine);

impl Machine for OnGivenTime {
    type Command = (Box<Envelope>, Timestamp);
    type Answer = Answer;
    type Undo = <ProgramsMachine as Machine>::Undo;

    fn decide(&mut self, (envelope, at): &Self::Command, _: i64) -> Decision<Answer, Self::Undo> {
        self.0.decide(envelope, at.0)
    }

    fn fold(&mut self, body: &Bytes) -> Result<(), FoldError> {
        self.0.fold(body)
    }

    fn undo(&mut self, undo: Self::Undo) {
        self.0.undo(undo);
    }

    fn due(&mut self, _: i64, _: usize) -> Vec<Self::Command> {
        Vec::new()
    }
}

async fn bodies(log: &Arc<dyn Log>) -> Vec<Bytes> {
    let mut follower = Follower::open(Arc::clone(log), 0, Position::default()).await.unwrap();
    let end = follower.end().await.unwrap();
    let mut bodies = Vec::new();
    while follower.position().offset < end {
        bodies.extend(follower.next(4096).await.unwrap().records.into_iter().map(|valid| valid.body));
    }
    bodies
}

#[tokio::test(flavor = "multi_thread")]
async fn in_bulk_or_one_by_one_through_a_journal_the_records_are_the_same() {
    let in_bulk: Arc<dyn Log> = Arc::new(MemoryLog::new(&MemoryOptions::default()));
    let target = Target { log: &in_bulk, id: None, place: "memory" };
    let stop = CancellationToken::new();
    let written = write(target, vec![(acme(), size(600))], &stop, &Progress::new(0)).await.unwrap();

    let mut simulation = Simulation::new(acme(), size(600), 0, false);
    simulation.decider.asked = Some(Vec::new());
    let mut made = Vec::new();
    while simulation.next_at().is_some() {
        simulation.step(&mut made).unwrap();
    }
    let asked = simulation.decider.asked.take().unwrap();

    let one_by_one: Arc<dyn Log> = Arc::new(MemoryLog::new(&MemoryOptions::default()));
    let (handle, journal) = pactum_journal::spawn(
        Arc::clone(&one_by_one),
        0,
        OnGivenTime::default(),
        JournalOptions::default(),
        stop.clone(),
    );
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut status = handle.status();
    while !handle.takes() {
        tokio::time::timeout_at(deadline.into(), status.changed()).await.unwrap().unwrap();
    }
    let mut replies = Vec::new();
    for command in asked {
        replies.push(handle.submit(command, deadline).await.unwrap());
        if replies.len() == 256 {
            for reply in replies.drain(..) {
                // A refusal is an answer, too.
                let _ = reply.await.unwrap();
            }
        }
    }
    for reply in replies {
        let _ = reply.await.unwrap();
    }
    stop.cancel();
    let machine = journal.await.unwrap();

    let through_the_journal = bodies(&one_by_one).await;
    assert_eq!(written.tally.records as usize, through_the_journal.len());
    assert_eq!(bodies(&in_bulk).await, through_the_journal);
    assert_eq!(made, through_the_journal);
    // Whoever starts on what was written in bulk stands where the one stands that decided it all.
    let mut folded = ProgramsMachine::default();
    for body in &made {
        folded.fold(body).unwrap();
    }
    assert!(folded == machine.0, "a fold of what was written is another state");
}

#[test]
fn lapses_come_on_the_moment_and_nothing_after_the_end() {
    let mut simulation = Simulation::new(acme(), size(2_000), 0, true);
    let mut bodies = Vec::new();
    while simulation.next_at().is_some() {
        simulation.step(&mut bodies).unwrap();
    }
    let (mut by_timer, mut kinds) = (0, std::collections::BTreeSet::new());
    for record in bodies.iter().map(|body| decode(body).unwrap()) {
        assert!(record.recorded_at < size(0).until);
        for recorded in &record.events {
            kinds.insert(event_type(&recorded.event));
            // A lapse happened when its window ended; one of the live program is recorded then, too.
            if record.actor.role == pactum_domain::actor::Role::Timer && recorded.occurred_at == record.recorded_at {
                by_timer += 1;
            }
        }
    }
    assert!(by_timer > 20, "{by_timer}");
    assert_eq!(kinds.last().copied(), Some("VendorOpportunityOpened"));
    assert!(kinds.contains("ProgramArchived"));
}
