//! Refusals and failures as gRPC statuses: `google.rpc.ErrorInfo` with a stable reason always, and what else helps the caller.
//!
//! The one place where a status is made. `docs/errors.md` lists the reasons.

mod as_of;

use std::collections::HashMap;
use std::time::Duration;

use pactum_domain::actor::Role;
use pactum_domain::rejection::Rejection;
use pactum_ids::ProgramId;
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};

pub use as_of::{
    as_of_before_program, as_of_busy, as_of_future_sequence, as_of_future_time, as_of_not_kept, as_of_not_ready,
};

use crate::proto::common::v1 as common;
use crate::reason::Reason;

/// The domain of every reason.
pub const DOMAIN: &str = "pactum.dev";

/// How long a caller should wait before it tries again what was refused for load.
pub const RETRY_DELAY: Duration = Duration::from_millis(100);

/// The most fields that a status names; the rest come up once these are mended.
const MAX_VIOLATIONS: usize = 8;
/// The longest message, in bytes.
const MAX_MESSAGE: usize = 600;
/// The longest path of a field, in bytes.
const MAX_PATH: usize = 80;
/// The longest other text in a status, in bytes.
const MAX_TEXT: usize = 200;

/// Cuts a text to so many bytes, at a character.
fn cut(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
    }
}

/// A field at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field's path in the request: `deal.amount.currency_code`.
    pub field: String,
    /// What is wrong, what was expected.
    pub problem: String,
}

/// Why a request is not taken before it reaches the domain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// Fields are wrong: every one that is, so that a caller mends them at once.
    #[error("{}", listed(.0))]
    Fields(Vec<Violation>),
    /// The caller may not ask this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The resource is in another program than the caller.
    #[error("the caller belongs to programs/{0}")]
    OtherProgram(ProgramId),
}

fn listed(violations: &[Violation]) -> String {
    let mut text = String::new();
    for Violation { field, problem } in violations {
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(field);
        text.push_str(": ");
        text.push_str(problem);
    }
    text
}

/// A status in the making.
struct Failure {
    reason: Reason,
    message: String,
    metadata: HashMap<String, String>,
    details: ErrorDetails,
}

impl Failure {
    fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), metadata: HashMap::new(), details: ErrorDetails::new() }
    }

    fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.metadata.insert(key.to_owned(), value.to_string());
        self
    }

    fn retry(self) -> Self {
        self.retry_after(RETRY_DELAY)
    }

    fn retry_after(mut self, delay: Duration) -> Self {
        self.details.set_retry_info(Some(delay));
        self
    }

    fn field(mut self, field: impl Into<String>, problem: impl Into<String>) -> Self {
        self.details.add_bad_request_violation(field, problem);
        self
    }

    fn resource(mut self, kind: &str, id: &str) -> Self {
        let (mut id, mut description) = (id.to_owned(), self.message.clone());
        cut(&mut id, MAX_PATH);
        cut(&mut description, MAX_TEXT);
        self.details.set_resource_info(kind, id, "", description);
        self
    }

    fn precondition(mut self, kind: &str, subject: &str) -> Self {
        let mut description = self.message.clone();
        cut(&mut description, MAX_TEXT);
        self.details.add_precondition_failure_violation(kind, subject, description);
        self
    }

    /// Makes the status, bounded: it travels in headers, and many a client takes no more than 8 KiB of them.
    fn status(mut self) -> Status {
        if let Some(bad) = self.details.bad_request() {
            let mut violations: Vec<_> = bad.field_violations.iter().take(MAX_VIOLATIONS).cloned().collect();
            for violation in &mut violations {
                cut(&mut violation.field, MAX_PATH);
                cut(&mut violation.description, MAX_TEXT);
            }
            self.details.set_bad_request(violations);
        }
        for value in self.metadata.values_mut() {
            cut(value, MAX_TEXT);
        }
        cut(&mut self.message, MAX_MESSAGE);
        self.details.set_error_info(self.reason.name, DOMAIN, self.metadata);
        Status::with_error_details(self.reason.code, self.message, self.details)
    }
}

/// A refusal of the domain.
#[must_use]
pub fn rejected(rejection: &Rejection) -> Status {
    let failure = Failure::new(Reason::of(rejection), rejection.to_string());
    let failure = match rejection {
        Rejection::ProgramNotFound => failure.resource("program", ""),
        Rejection::NotFound { kind, id } | Rejection::AlreadyExists { kind, id } => {
            failure.with("kind", kind).with("id", id).resource(kind, id)
        }
        Rejection::StaleVersion { expected, actual } => failure.with("expected", expected).with("actual", actual),
        Rejection::InvalidTransition { kind, state, verb, allowed } => failure
            .with("kind", kind)
            .with("state", state)
            .with("verb", verb)
            .with("allowed", allowed)
            .precondition("STATE", kind),
        Rejection::InvalidField { field, problem } => failure.field(*field, problem),
        Rejection::PolicyForbids { rule, policy_version } => {
            failure.with("rule", rule).with("policy_version", policy_version).precondition("POLICY", "policy")
        }
        Rejection::NoPolicy => failure.precondition("POLICY", "policy"),
        Rejection::InvalidPolicy(invalid) => failure
            .with("line", invalid.line)
            .with("field", &invalid.field)
            .field("policy_document", format!("line {}, {}: {}", invalid.line, invalid.field, invalid.problem)),
        Rejection::Protected { until } => failure.with("until", until).precondition("PROTECTION", "deal"),
        Rejection::Forbidden(_) => failure,
    };
    failure.status()
}

impl From<InvalidRequest> for Status {
    fn from(invalid: InvalidRequest) -> Self {
        let message = invalid.to_string();
        match invalid {
            InvalidRequest::Fields(violations) => {
                let failure = Failure::new(Reason::INVALID_FIELD, message);
                violations.into_iter().fold(failure, |failure, v| failure.field(v.field, v.problem)).status()
            }
            InvalidRequest::Forbidden(_) => Failure::new(Reason::FORBIDDEN, message).status(),
            InvalidRequest::OtherProgram(program) => {
                Failure::new(Reason::OTHER_PROGRAM, message).with("program", program).status()
            }
        }
    }
}

/// A field of a query is wrong.
#[must_use]
pub fn invalid_field(field: &str, problem: impl Into<String>) -> Status {
    InvalidRequest::Fields(vec![Violation { field: field.to_owned(), problem: problem.into() }]).into()
}

/// Something named does not exist, or is not the caller's to see.
#[must_use]
pub fn not_found(kind: &'static str, id: &str) -> Status {
    rejected(&Rejection::NotFound { kind, id: id.into() })
}

/// No caller could be told.
#[must_use]
pub fn unauthenticated(why: &str) -> Status {
    Failure::new(Reason::UNAUTHENTICATED, why).status()
}

/// The caller's role may not call the method.
#[must_use]
pub fn role_not_allowed(path: &str, role: Role) -> Status {
    let method = path.trim_start_matches('/');
    Failure::new(Reason::ROLE_NOT_ALLOWED, format!("the role {} may not call {method}", role.as_str()))
        .with("role", role.as_str())
        .with("method", method)
        .status()
}

/// The request id was used for a request with other content.
#[must_use]
pub fn request_id_reused(request_id: &str) -> Status {
    Failure::new(Reason::REQUEST_ID_REUSED, "the request id was used for a request with other content")
        .with("request_id", request_id)
        .status()
}

/// More requests wait than may; there will probably be room after `retry_after`.
#[must_use]
pub fn queue_full(retry_after: Duration) -> Status {
    let message = "too many requests are waiting; try again shortly";
    Failure::new(Reason::QUEUE_FULL, message).retry_after(retry_after).status()
}

/// The request, or the record it makes, is larger than may be.
#[must_use]
pub fn too_large(bytes: usize, limit: usize) -> Status {
    Failure::new(Reason::TOO_LARGE, format!("the request makes a record of {bytes} bytes, over the limit of {limit}"))
        .with("bytes", bytes)
        .with("limit", limit)
        .status()
}

/// The message could not be decoded, `why` as the transport has it.
#[must_use]
pub fn malformed_message(why: &str) -> Status {
    Failure::new(Reason::MALFORMED_MESSAGE, format!("the message cannot be read: {why}")).status()
}

/// The message is larger than may be, `why` as the transport has it.
#[must_use]
pub fn message_too_large(why: &str) -> Status {
    Failure::new(Reason::TOO_LARGE, format!("the message is too large: {why}")).status()
}

/// The deadline passed before the command was decided.
#[must_use]
pub fn not_decided() -> Status {
    let message = "the deadline passed before the command was decided; nothing was appended";
    Failure::new(Reason::NOT_DECIDED, message).status()
}

/// The deadline passed before it was known whether the command took effect.
#[must_use]
pub fn outcome_unknown() -> Status {
    let message = "the deadline passed before the outcome was known; repeat with the same request id to learn it";
    Failure::new(Reason::OUTCOME_UNKNOWN, message).status()
}

/// The log cannot be reached or written now; `why` says so itself.
#[must_use]
pub fn log_unavailable(why: &str) -> Status {
    Failure::new(Reason::LOG_UNAVAILABLE, why).retry().status()
}

/// The log has no room left.
#[must_use]
pub fn log_full(why: &str) -> Status {
    Failure::new(Reason::LOG_FULL, format!("the log has no room left: {why}")).retry().status()
}

/// This process does not serve the program now: it is starting, stopping, or does not own it.
#[must_use]
pub fn not_serving(why: &str) -> Status {
    Failure::new(Reason::NOT_SERVING, why).retry().status()
}

/// The view did not reach `min_sequence` within the deadline.
#[must_use]
pub fn view_behind(min_sequence: u64, sequence: u64) -> Status {
    Failure::new(Reason::VIEW_BEHIND, format!("the view is at sequence {sequence}, {min_sequence} was asked for"))
        .with("min_sequence", min_sequence)
        .with("sequence", sequence)
        .status()
}

/// The view stopped at a record it cannot take.
#[must_use]
pub fn view_stopped(view: &str, why: &str) -> Status {
    Failure::new(Reason::VIEW_STOPPED, format!("the view {view} has stopped: {why}")).with("view", view).status()
}

/// What an operator asks of a view cannot be done as it stands.
#[must_use]
pub fn view_refused(view: &str, why: &str) -> Status {
    Failure::new(Reason::VIEW_REFUSED, why).with("view", view).status()
}

/// The page token is malformed or belongs to another query.
#[must_use]
pub fn invalid_page_token(why: &str) -> Status {
    Failure::new(Reason::INVALID_PAGE_TOKEN, format!("the page token is not valid: {why}"))
        .field("page_token", why)
        .status()
}

/// The filter is wrong.
#[must_use]
pub fn invalid_filter(why: &str) -> Status {
    Failure::new(Reason::INVALID_FILTER, format!("the filter is not valid: {why}")).field("filter", why).status()
}

/// A sum does not fit 64 bits of minor units.
#[must_use]
pub fn total_overflow(currency: &str) -> Status {
    Failure::new(Reason::TOTAL_OVERFLOW, format!("the total in {currency} does not fit; ask for fewer deals"))
        .with("currency_code", currency)
        .status()
}

/// Stored data is damaged.
#[must_use]
pub fn data_corrupt(why: &str) -> Status {
    Failure::new(Reason::DATA_CORRUPT, format!("stored data is damaged: {why}")).status()
}

/// A fault of the server; the cause belongs in its own log.
#[must_use]
pub fn internal(why: &str) -> Status {
    Failure::new(Reason::INTERNAL, why).status()
}

/// A status as an item of a stream carries it.
#[must_use]
pub fn item(status: &Status) -> common::Error {
    let details = status.get_error_details();
    let info = details.error_info();
    let violations = details.bad_request().map_or(&[][..], |bad| &bad.field_violations);
    common::Error {
        code: status.code().into(),
        message: status.message().to_owned(),
        reason: info.map_or_else(String::new, |info| info.reason.clone()),
        metadata: info.map_or_else(HashMap::new, |info| info.metadata.clone()),
        field_violations: violations
            .iter()
            .map(|v| common::FieldViolation { field: v.field.clone(), description: v.description.clone() })
            .collect(),
    }
}

#[cfg(test)]
#[path = "error/tests.rs"]
mod tests;
