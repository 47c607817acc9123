//! Which moments there are, and what is told of those that are none.

use pactum_api::proto::common::v1::AsOf;
use pactum_api::proto::deal::v1::ListDealsRequest;
use pactum_api::proto::program::v1::GetProgramRequest;
use pactum_projector::AsOfOptions;
use prost_types::Timestamp;
use tempfile::tempdir;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::patient;
use super::questions::{at_sequence, at_time};
use crate::system::{ADMIN, Client, System, acme, deal_name, held_by_all, memory_log, reason};

async fn program_at(client: &Client, as_of: Option<AsOf>, min_sequence: u64) -> Result<u64, Status> {
    let request = GetProgramRequest { name: "programs/acme".into(), min_sequence, as_of };
    Ok(client.program_queries().get_program(client.request(request)).await?.into_inner().sequence)
}

#[tokio::test]
async fn what_is_no_moment_is_told_by_reason() {
    let data = tempdir().unwrap();
    let system = System::start_with(memory_log(), patient(data.path(), AsOfOptions::default())).await;
    let last = acme(&system).await;
    let admin = system.by(ADMIN);
    let time = |seconds| at_time(Timestamp { seconds, nanos: 0 });
    for (as_of, min_sequence, code, expected) in [
        (at_sequence(last + 1), 0, Code::OutOfRange, "AS_OF_FUTURE"),
        (at_sequence(u64::MAX), 0, Code::OutOfRange, "AS_OF_FUTURE"),
        (time(4_000_000_000), 0, Code::OutOfRange, "AS_OF_FUTURE"),
        (at_sequence(0), 0, Code::NotFound, "AS_OF_BEFORE_PROGRAM"),
        // The first command made two events, and there is no moment between them.
        (at_sequence(1), 0, Code::NotFound, "AS_OF_BEFORE_PROGRAM"),
        (time(0), 0, Code::NotFound, "AS_OF_BEFORE_PROGRAM"),
        (Some(AsOf { moment: None }), 0, Code::InvalidArgument, "INVALID_FIELD"),
        (at_sequence(last), 1, Code::InvalidArgument, "INVALID_FIELD"),
        (at_time(Timestamp { seconds: 1, nanos: -1 }), 0, Code::InvalidArgument, "INVALID_FIELD"),
    ] {
        let error = program_at(&admin, as_of, min_sequence).await.unwrap_err();
        assert_eq!((error.code(), reason(&error).as_str()), (code, expected), "{as_of:?}");
    }
    let error = program_at(&admin, at_sequence(1), 0).await.unwrap_err();
    assert_eq!(error.get_details_error_info().unwrap().metadata["first_sequence"], "2");
    assert_eq!(program_at(&admin, at_sequence(2), 0).await.unwrap(), 2);
    assert_eq!(program_at(&admin, at_sequence(last), 0).await.unwrap(), last);

    let nowhere = system.by("analyst@nowhere");
    let request = GetProgramRequest { name: "programs/nowhere".into(), as_of: at_sequence(1), ..Default::default() };
    let error = nowhere.program_queries().get_program(nowhere.request(request)).await.unwrap_err();
    assert_eq!(reason(&error), "PROGRAM_NOT_FOUND");
    drop((admin, nowhere));
    system.stop().await;
}

/// A sequence just answered is one that may be asked about, also where the view is not there yet.
#[tokio::test]
async fn a_moment_that_is_in_the_log_is_waited_for() {
    let data = tempdir().unwrap();
    let system = System::start_with(memory_log(), patient(data.path(), AsOfOptions::default())).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    for n in 0..20 {
        let sequence = admin.register(&format!("d-{n}"), "north", &format!("c{n}.com")).await;
        assert_eq!(program_at(&admin, at_sequence(sequence), 0).await.unwrap(), sequence);
    }
    drop(admin);
    system.stop().await;
}

/// Another program in the same partition: its records move no moment, and its rows are not touched.
#[tokio::test]
async fn moments_of_programs_that_share_a_partition_are_apart() {
    let data = tempdir().unwrap();
    let log = std::sync::Arc::new(pactum_log::memory::MemoryLog::new(&Default::default()));
    let system = System::start_with(log, patient(data.path(), AsOfOptions::default())).await;
    let first = acme(&system).await;
    let admin = system.by(ADMIN);
    let other = system.by("program-admin@other");
    let create = pactum_api::proto::program::v1::CreateProgramRequest {
        program_id: "other".into(),
        program: Some(pactum_api::proto::program::v1::Program {
            display_name: "Other".into(),
            currency_code: "USD".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    other.programs().create_program(other.request(create)).await.unwrap();
    let second = admin.register("d-0", "north", "alpha.com").await;
    held_by_all(&admin, second).await;
    for sequence in [first, second] {
        assert_eq!(program_at(&admin, at_sequence(sequence), 0).await.unwrap(), sequence);
    }
    let request = GetProgramRequest { name: "programs/other".into(), as_of: at_sequence(1), ..Default::default() };
    let answer = other.program_queries().get_program(other.request(request)).await.unwrap().into_inner();
    assert_eq!((answer.sequence, answer.program.unwrap().display_name.as_str()), (1, "Other"));
    drop((admin, other));
    system.stop().await;
}

#[tokio::test]
async fn the_pages_of_a_listing_are_of_one_moment() {
    let data = tempdir().unwrap();
    let system = System::start_with(memory_log(), patient(data.path(), AsOfOptions::default())).await;
    acme(&system).await;
    let admin = system.by(ADMIN);
    let mut then = 0;
    for n in 0..5 {
        then = admin.register(&format!("d-{n}"), "north", &format!("c{n}.com")).await;
    }
    let list = |as_of, page_token: &str| ListDealsRequest {
        parent: "programs/acme".into(),
        as_of,
        page_size: 2,
        page_token: page_token.into(),
        order_by: "sequence desc".into(),
        ..Default::default()
    };
    let mut names = Vec::new();
    let mut page_token = String::new();
    loop {
        let answer = admin.deal_queries().list_deals(admin.request(list(at_sequence(then), &page_token))).await;
        let answer = answer.unwrap().into_inner();
        assert_eq!(answer.sequence, then);
        names.extend(answer.deals.into_iter().map(|deal| deal.name));
        page_token = answer.next_page_token;
        if page_token.is_empty() {
            break;
        }
        // What comes meanwhile is on no page, nor does a page of now go on with one of then.
        let now = admin.register(&format!("e-{}", names.len()), "north", "alpha.com").await;
        held_by_all(&admin, now).await;
        let error = admin.deal_queries().list_deals(admin.request(list(at_sequence(now), &page_token))).await;
        assert_eq!(reason(&error.unwrap_err()), "INVALID_PAGE_TOKEN");
    }
    assert_eq!(names, (0..5).rev().map(|n| deal_name(&format!("d-{n}"))).collect::<Vec<_>>());
    drop(admin);
    system.stop().await;
}
