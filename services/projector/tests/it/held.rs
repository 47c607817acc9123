//! Pipelines that are held in memory: what they answer while commands come is what the rows of that moment answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pactum_api::proto::pipeline::v1::{PipelineDimension, QueryPipelineResponse};
use pactum_projector::{AsOfOptions, ProjectorOptions};
use prost::Message as _;
use tempfile::tempdir;

use crate::operating::{Operator, partition_of_acme};
use crate::past::happenings::{Dice, happening, try_one};
use crate::past::patient;
use crate::past::questions::{Question, answer, at_sequence};
use crate::system::{ADMIN, NORTH, System, acme, memory_log};

/// Commands that are tried; about half are taken.
const TRIED: usize = 300;

/// Moments that are asked about again, at most.
const AGAIN: usize = 40;

fn questions() -> Vec<Question> {
    use PipelineDimension::{CloseMonth, Conflict, Currency, Partner, Product, Stage, State, Territory, Tier};
    vec![
        Question::Pipeline { all: false, by: vec![] },
        Question::Pipeline { all: true, by: vec![Stage, Tier, Currency] },
        Question::Pipeline { all: true, by: vec![State, Partner, Product, Territory, CloseMonth, Conflict] },
    ]
}

type Answers = BTreeMap<(&'static str, usize, u64), Vec<u8>>;

/// Asks, over and over, without waiting for anything, and notes what is answered of which moment.
async fn keep_asking(system: &System, caller: &'static str, done: Arc<AtomicBool>) -> Answers {
    let client = system.by(caller);
    let mut answers = Answers::new();
    let mut last = 0;
    while !done.load(Ordering::Relaxed) {
        for (number, question) in questions().iter().enumerate() {
            let bytes = answer(&client, question, None, 0).await.unwrap();
            let sequence = QueryPipelineResponse::decode(bytes.as_slice()).unwrap().sequence;
            assert!(sequence >= last, "{sequence} after {last}");
            last = sequence;
            let first = answers.entry((caller, number, sequence)).or_insert_with(|| bytes.clone());
            assert!(*first == bytes, "two answers of one moment: {question:?} at {sequence}");
        }
    }
    answers
}

async fn every_answer_is_of_its_moment(seed: u64, options: impl FnOnce(ProjectorOptions) -> ProjectorOptions) {
    let data = tempdir().unwrap();
    let log = memory_log();
    let partition = partition_of_acme(&log);
    let as_of = AsOfOptions { every_records: 20, keep: 4, queue: 1_000, ..AsOfOptions::default() };
    let system = System::start_with(log, options(patient(data.path(), as_of))).await;
    acme(&system).await;
    let (admin, operator, mut dice) = (system.by(ADMIN), Operator::of(&system), Dice::new(seed));
    let done = Arc::new(AtomicBool::new(false));
    let asking = futures::future::join_all([ADMIN, ADMIN, NORTH].map(|caller| {
        let done = Arc::clone(&done);
        keep_asking(&system, caller, done)
    }));
    let happening = async {
        for number in 0..TRIED {
            try_one(&admin, happening(&mut dice)).await;
            if number == TRIED / 2 {
                // Other rows answer from here on.
                operator.rebuild("pipeline", Some(partition)).await.unwrap();
            }
        }
        operator.answers("pipeline", partition, "pipeline@1+2").await;
        try_one(&admin, happening(&mut dice)).await;
        done.store(true, Ordering::Relaxed);
    };
    let (answers, ()) = tokio::join!(asking, happening);
    let answers: Answers = answers.into_iter().flatten().collect();
    assert!(answers.len() > 3 * TRIED / 10, "{} moments were seen", answers.len());

    let step = answers.len().div_ceil(AGAIN);
    for ((caller, number, sequence), bytes) in answers.iter().step_by(step) {
        let question = &questions()[*number];
        let then = answer(&system.by(caller), question, at_sequence(*sequence), 0).await.unwrap();
        assert!(*bytes == then, "{caller} asked {question:?} at {sequence}");
    }
    drop((admin, operator));
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_commands_come_and_rows_are_replaced() {
    every_answer_is_of_its_moment(1, |options| options).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_room() {
    every_answer_is_of_its_moment(2, |options| ProjectorOptions { pipeline_bytes: 0, ..options }).await;
}
