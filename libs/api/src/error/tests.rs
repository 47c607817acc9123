#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;

use pactum_domain::policy::InvalidPolicy;
use pactum_domain::time::Timestamp;
use tonic::Code;

use super::*;

/// Every refusal of the domain once.
fn rejections() -> Vec<Rejection> {
    let invalid = InvalidPolicy { line: 3, field: "tiers[1].id".into(), problem: "it is there twice".into() };
    vec![
        Rejection::ProgramNotFound,
        Rejection::NotFound { kind: "deal", id: "d-1".into() },
        Rejection::AlreadyExists { kind: "deal", id: "d-1".into() },
        Rejection::StaleVersion { expected: 1, actual: 2 },
        Rejection::InvalidTransition { kind: "deal", state: "won", verb: "approved", allowed: "only a submitted one" },
        Rejection::InvalidField { field: "deal.title", problem: "it is empty".into() },
        Rejection::PolicyForbids { rule: "at most 2 extensions".into(), policy_version: 4 },
        Rejection::NoPolicy,
        Rejection::InvalidPolicy(invalid),
        Rejection::Protected { until: Timestamp(0) },
        Rejection::Forbidden("only the vendor decides"),
    ]
}

/// Every status the edge makes by itself once.
fn statuses() -> Vec<(Status, Reason)> {
    vec![
        (unauthenticated("no token"), Reason::UNAUTHENTICATED),
        (role_not_allowed("/a.B/C", Role::Auditor), Reason::ROLE_NOT_ALLOWED),
        (InvalidRequest::OtherProgram(ProgramId::new("acme").unwrap()).into(), Reason::OTHER_PROGRAM),
        (InvalidRequest::Forbidden("no").into(), Reason::FORBIDDEN),
        (invalid_field("page_size", "negative"), Reason::INVALID_FIELD),
        (not_found("deal", "d"), Reason::NOT_FOUND),
        (request_id_reused("r"), Reason::REQUEST_ID_REUSED),
        (queue_full(Duration::from_millis(5)), Reason::QUEUE_FULL),
        (too_large(2, 1), Reason::TOO_LARGE),
        (message_too_large("5 MiB"), Reason::TOO_LARGE),
        (malformed_message("tag"), Reason::MALFORMED_MESSAGE),
        (not_decided(), Reason::NOT_DECIDED),
        (outcome_unknown(), Reason::OUTCOME_UNKNOWN),
        (log_unavailable("the log is closed"), Reason::LOG_UNAVAILABLE),
        (log_full("no space"), Reason::LOG_FULL),
        (not_serving("starting"), Reason::NOT_SERVING),
        (view_behind(7, 5), Reason::VIEW_BEHIND),
        (view_refused("deals", "it is being made"), Reason::VIEW_REFUSED),
        (view_stopped("deals", "a newer record"), Reason::VIEW_STOPPED),
        (as_of_future_sequence(9, 7), Reason::AS_OF_FUTURE),
        (as_of_future_time(Timestamp(2), Timestamp(1)), Reason::AS_OF_FUTURE),
        (as_of_before_program(2), Reason::AS_OF_BEFORE_PROGRAM),
        (as_of_not_kept("deleted"), Reason::AS_OF_NOT_KEPT),
        (as_of_busy(Duration::from_millis(5)), Reason::AS_OF_BUSY),
        (as_of_not_ready(Duration::from_millis(5)), Reason::AS_OF_NOT_READY),
        (invalid_page_token("it is malformed"), Reason::INVALID_PAGE_TOKEN),
        (invalid_filter("unknown field"), Reason::INVALID_FILTER),
        (total_overflow("USD"), Reason::TOTAL_OVERFLOW),
        (data_corrupt("checksum"), Reason::DATA_CORRUPT),
        (internal("a bug"), Reason::INTERNAL),
    ]
}

fn check(status: &Status, reason: Reason) {
    assert_eq!(status.code(), reason.code, "{reason:?}");
    let info = status.get_error_details().error_info().cloned().unwrap();
    assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason.name, DOMAIN));
    assert!(!status.message().is_empty(), "{reason:?}");
}

#[test]
fn every_status_says_its_reason_and_every_reason_has_a_status() {
    let mut seen = Vec::new();
    for rejection in rejections() {
        assert_eq!(Reason::of(&rejection).name, rejection.reason());
        check(&rejected(&rejection), Reason::of(&rejection));
        seen.push(rejection.reason());
    }
    for (status, reason) in statuses() {
        check(&status, reason);
        seen.push(reason.name);
    }
    for reason in Reason::ALL {
        assert!(seen.contains(&reason.name), "{} is made nowhere", reason.name);
    }
}

#[test]
fn details_help() {
    let field = rejected(&Rejection::InvalidField { field: "deal.title", problem: "it is empty".into() });
    let bad = field.get_error_details().bad_request().cloned().unwrap();
    assert_eq!(bad.field_violations[0].field, "deal.title");
    assert_eq!(bad.field_violations[0].description, "it is empty");

    let full = queue_full(Duration::from_millis(5)).get_error_details().retry_info().cloned().unwrap();
    assert_eq!(full.retry_delay, Some(Duration::from_millis(5)));

    let stale = rejected(&Rejection::StaleVersion { expected: 1, actual: 2 }).get_error_details();
    assert_eq!(stale.error_info().unwrap().metadata["actual"], "2");

    let missing = rejected(&Rejection::NotFound { kind: "deal", id: "d-1".into() }).get_error_details();
    assert_eq!(missing.resource_info().unwrap().resource_name, "d-1");

    let won = rejected(&rejections()[4]).get_error_details();
    assert_eq!(won.precondition_failure().unwrap().violations[0].r#type, "STATE");
}

#[test]
fn all_fields_at_fault_are_named() {
    let wrong = |field: &str| Violation { field: field.into(), problem: "it is wrong".into() };
    let status = Status::from(InvalidRequest::Fields(vec![wrong("a"), wrong("b")]));
    assert_eq!(status.message(), "a: it is wrong; b: it is wrong");
    assert_eq!(status.get_error_details().bad_request().unwrap().field_violations.len(), 2);
}

/// gRPC for Java takes 8 KiB of headers, and a status is all headers: the details in base 64, the message once more in
/// percent encoding.
#[test]
fn a_status_fits_into_headers_whatever_was_sent() {
    let long = "ä".repeat(4_000);
    let wrong = || Violation { field: long.clone(), problem: long.clone() };
    let invalid = InvalidPolicy { line: 1, field: long.clone(), problem: long.clone() };
    let statuses = [
        Status::from(InvalidRequest::Fields((0..200).map(|_| wrong()).collect())),
        rejected(&Rejection::PolicyForbids { rule: long.clone(), policy_version: 1 }),
        rejected(&Rejection::InvalidPolicy(invalid)),
        rejected(&Rejection::NotFound { kind: "deal", id: long.as_str().into() }),
        not_found("deal", &long),
        request_id_reused(&long),
        invalid_filter(&long),
        invalid_page_token(&long),
    ];
    for status in statuses {
        let bytes = status.details().len() * 4 / 3 + status.message().len() * 3;
        assert!(bytes < 7 * 1024, "{bytes} bytes: {:?}", status.get_error_details().error_info().unwrap().reason);
    }
}

#[test]
fn an_item_carries_what_a_call_would() {
    let item = item(&rejected(&Rejection::InvalidField { field: "deal.title", problem: "it is empty".into() }));
    assert_eq!((item.code, item.reason.as_str()), (Code::InvalidArgument as i32, "INVALID_FIELD"));
    assert_eq!(item.field_violations[0].field, "deal.title");
    let bare = super::item(&Status::cancelled("gone"));
    assert_eq!((bare.code, bare.reason.as_str(), bare.message.as_str()), (Code::Cancelled as i32, "", "gone"));
}

/// The codes in the tables of `docs/errors.md` with their statuses.
fn documented() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let mut found = BTreeMap::new();
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        assert_eq!(cells.len(), 4, "{row}");
        assert!(!cells[2].is_empty() && !cells[3].is_empty(), "{row}");
        assert!(found.insert(cells[0].to_owned(), cells[1].to_owned()).is_none(), "{row} is there twice");
    }
    found
}

#[test]
fn the_documentation_lists_every_reason_with_its_status() {
    let made = Reason::ALL.iter().map(|reason| {
        // The contract's spelling of a status: `FailedPrecondition` is `FAILED_PRECONDITION`.
        let mut status = String::new();
        for letter in format!("{:?}", reason.code).chars() {
            if letter.is_ascii_uppercase() && !status.is_empty() {
                status.push('_');
            }
            status.push(letter.to_ascii_uppercase());
        }
        (reason.name.to_owned(), status)
    });
    assert_eq!(documented(), made.collect());
}
