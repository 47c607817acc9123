//! The past must not take what the present needs.

use std::time::Duration;

use pactum_projector::AsOfOptions;
use tempfile::tempdir;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::patient;
use super::questions::{Question, answer, at_sequence};
use crate::system::{ADMIN, System, acme, held_by_all, memory_log, reason};

const DEALS: u64 = 30;

async fn system_with(data: &std::path::Path, as_of: AsOfOptions) -> (System, u64, u64) {
    let system = System::start_with(memory_log(), patient(data, as_of)).await;
    let first = acme(&system).await;
    let admin = system.by(ADMIN);
    let mut last = first;
    for n in 0..DEALS {
        last = admin.register(&format!("d-{n}"), "north", &format!("c{n}.com")).await;
    }
    held_by_all(&admin, last).await;
    (system, first, last)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_too_much_at_once_is_told_to_come_again() {
    let data = tempdir().unwrap();
    let as_of = AsOfOptions { at_once: 1, queue: 1, scratches: 2, ..AsOfOptions::default() };
    let (system, first, last) = system_with(data.path(), as_of).await;
    let admin = system.by(ADMIN);
    let question = Question::Deals { filter: "", order_by: "" };
    let moments: Vec<u64> = (first..=last).step_by(2).collect();
    let asking = moments.iter().map(|moment| answer(&admin, &question, at_sequence(*moment), 0));
    let answers = futures::future::join_all(asking).await;
    let (mut answered, mut refused) = (0, 0);
    for answer in answers {
        match answer {
            Ok(_) => answered += 1,
            Err(error) => {
                assert_eq!((error.code(), reason(&error).as_str()), (Code::ResourceExhausted, "AS_OF_BUSY"));
                assert!(error.get_details_retry_info().unwrap().retry_delay > Some(Duration::ZERO));
                refused += 1;
            }
        }
    }
    assert!(answered >= 2 && refused > 0, "{answered} answered, {refused} refused");
    // One after the other all are answered, and no more are kept than may be.
    for moment in moments {
        answer(&admin, &question, at_sequence(moment), 0).await.unwrap();
    }
    let mut kept = usize::MAX;
    for _ in 0..500 {
        kept = std::fs::read_dir(data.path().join("as-of")).unwrap().count();
        if kept <= 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(kept <= 2, "{kept} restored views are on the disk");
    drop(admin);
    system.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_takes_nothing_from_the_others() {
    let data = tempdir().unwrap();
    let as_of = AsOfOptions { at_once: 1, queue: 64, ..AsOfOptions::default() };
    let (system, first, last) = system_with(data.path(), as_of).await;
    let admin = system.by(ADMIN);
    let question = Question::Pipeline { all: true, by: vec![] };
    let ask = |moment| {
        let (admin, question) = (admin.clone(), question.clone());
        tokio::spawn(async move { answer(&admin, &question, at_sequence(moment), 0).await })
    };
    let (mut leaving, mut staying) = (Vec::new(), Vec::new());
    for moment in first..=last {
        leaving.push(ask(moment));
        staying.push(ask(moment));
    }
    tokio::task::yield_now().await;
    for caller in &leaving {
        caller.abort();
    }
    for caller in staying {
        caller.await.unwrap().unwrap();
    }
    drop(admin);
    system.stop().await;
}
