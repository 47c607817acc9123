//! What is answered as of a moment is, byte for byte, what was answered then.

use std::collections::BTreeMap;

use pactum_api::proto::replay::v1::ReadEventsRequest;
use pactum_projector::AsOfOptions;
use tempfile::tempdir;
use tokio_stream::StreamExt as _;

use super::happenings::{Dice, happening, try_one};
use super::patient;
use super::questions::{Answer, Question, ask, at_sequence, at_time, every_question};
use crate::system::{ADMIN, Client, NORTH, System, acme, held_by_all, memory_log};

const TAKEN: usize = 30;

/// What each caller was answered at each sequence, question by question.
struct Live {
    callers: [&'static str; 2],
    questions: Vec<Question>,
    answers: BTreeMap<u64, Vec<Answer>>,
}

impl Live {
    async fn note(&mut self, system: &System, sequence: u64) {
        held_by_all(&system.by(ADMIN), sequence).await;
        let mut answers = Vec::new();
        for caller in self.callers {
            let client = system.by(caller);
            for question in &self.questions {
                answers.push(ask(&client, question, None, sequence).await);
            }
        }
        self.answers.insert(sequence, answers);
    }

    /// Asks all questions again as of a moment: they must be answered as they were at `sequence`.
    async fn check(&self, system: &System, as_of: Option<pactum_api::proto::common::v1::AsOf>, sequence: u64) {
        let then = &self.answers[&sequence];
        let clients: Vec<Client> = self.callers.iter().map(|caller| system.by(caller)).collect();
        let asked = clients.iter().flat_map(|client| self.questions.iter().map(move |question| (client, question)));
        let asking = asked.map(|(client, question)| ask(client, question, as_of, 0));
        let answers = futures::future::join_all(asking).await;
        for (index, (answer, then)) in answers.iter().zip(then).enumerate() {
            let question = &self.questions[index % self.questions.len()];
            let caller = self.callers[index / self.questions.len()];
            assert!(
                answer == then,
                "{caller} asked {question:?} as of {as_of:?}:\n{answer:?}\nbut at {sequence}:\n{then:?}"
            );
        }
    }
}

async fn every_moment_again(seed: u64, as_of: AsOfOptions) {
    let data = tempdir().unwrap();
    let log = memory_log();
    let system = System::start_with(log, patient(data.path(), as_of)).await;
    let mut live = Live { callers: [ADMIN, NORTH], questions: every_question(), answers: BTreeMap::new() };
    live.note(&system, acme(&system).await).await;
    let (admin, mut dice) = (system.by(ADMIN), Dice::new(seed));
    while live.answers.len() < TAKEN {
        if let Some(sequence) = try_one(&admin, happening(&mut dice)).await {
            live.note(&system, sequence).await;
        }
    }
    let last = *live.answers.keys().last().unwrap();

    let first = *live.answers.keys().next().unwrap();
    let mut moments: Vec<u64> = (first..=last).collect();
    for index in (1..moments.len()).rev() {
        moments.swap(index, usize::try_from(dice.roll(index as u64 + 1)).unwrap());
    }
    for moment in moments {
        // In the middle of a command the one before it counts.
        let (&sequence, _) = live.answers.range(..=moment).next_back().unwrap();
        live.check(&system, at_sequence(moment), sequence).await;
    }

    let request = ReadEventsRequest { parent: "programs/acme".into(), from_sequence: first, ..Default::default() };
    let events = admin.replay().read_events(admin.request(request)).await.unwrap().into_inner();
    let events: Vec<_> = events.map(|answer| answer.unwrap().event.unwrap()).collect().await;
    let order = |time: &prost_types::Timestamp| (time.seconds, time.nanos);
    for event in events.iter().step_by(5) {
        let time = event.recorded_at.unwrap();
        let by_then = events.iter().filter(|other| order(&other.recorded_at.unwrap()) <= order(&time));
        live.check(&system, at_time(time), by_then.map(|event| event.sequence).max().unwrap()).await;
    }
    drop(admin);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_checkpoints_and_with_room_for_few() {
    every_moment_again(1, AsOfOptions { scratches: 6, ..AsOfOptions::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_checkpoints_that_come_and_go() {
    every_moment_again(2, AsOfOptions { every_records: 3, keep: 4, ..AsOfOptions::default() }).await;
}
