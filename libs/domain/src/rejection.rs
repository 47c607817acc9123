//! Why a command was refused: typed, with a stable code.

use smol_str::SmolStr;

/// A refusal. Nothing was appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The program does not exist.
    #[error("the program does not exist")]
    ProgramNotFound,
    /// The aggregate named does not exist.
    #[error("{kind} {id} does not exist")]
    NotFound {
        /// `partner`, `deal`, `opportunity`, …
        kind: &'static str,
        /// Its id.
        id: SmolStr,
    },
    /// The id is taken.
    #[error("{kind} {id} exists already")]
    AlreadyExists {
        /// `program`, `partner`, …
        kind: &'static str,
        /// Its id.
        id: SmolStr,
    },
    /// The caller has seen another version.
    #[error("the etag is stale: it names version {expected}, the resource is at {actual}")]
    StaleVersion {
        /// The caller's.
        expected: u64,
        /// The one in force.
        actual: u64,
    },
    /// The transition does not exist from where it stands.
    #[error("a {kind} that is {state} cannot be {verb}; {allowed}")]
    InvalidTransition {
        /// `partner`, `deal`, …
        kind: &'static str,
        /// Where it stands, in lower-case words.
        state: &'static str,
        /// What was asked, as a participle: `approved`.
        verb: &'static str,
        /// From where it would be possible.
        allowed: &'static str,
    },
    /// A field is wrong.
    #[error("{field}: {problem}")]
    InvalidField {
        /// The field's path in the request: `deal.amount.currency_code`.
        field: &'static str,
        /// What is wrong, what was expected.
        problem: String,
    },
    /// The policy does not allow it.
    #[error("the policy (version {policy_version}) does not allow it: {rule}")]
    PolicyForbids {
        /// The rule in words, with its figures.
        rule: String,
        /// The version in force.
        policy_version: u32,
    },
    /// No policy is in force yet.
    #[error("the program has no policy in force; publish one first")]
    NoPolicy,
    /// The policy document is wrong.
    #[error("the policy is not valid: {0}")]
    InvalidPolicy(#[from] crate::policy::InvalidPolicy),
    /// Another partner's protection stands in the way of a decision.
    #[error("another deal holds protection on this account and scope until {until}")]
    Protected {
        /// Until when.
        until: crate::time::Timestamp,
    },
    /// The caller's role or partner may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
}

impl Rejection {
    /// The stable upper-snake code, as `google.rpc.ErrorInfo.reason` carries it and `docs/errors.md` lists it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::ProgramNotFound => "PROGRAM_NOT_FOUND",
            Self::NotFound { .. } => "NOT_FOUND",
            Self::AlreadyExists { .. } => "ALREADY_EXISTS",
            Self::StaleVersion { .. } => "STALE_ETAG",
            Self::InvalidTransition { .. } => "INVALID_TRANSITION",
            Self::InvalidField { .. } => "INVALID_FIELD",
            Self::PolicyForbids { .. } => "POLICY_FORBIDS",
            Self::NoPolicy => "NO_POLICY",
            Self::InvalidPolicy(_) => "INVALID_POLICY",
            Self::Protected { .. } => "PROTECTED",
            Self::Forbidden(_) => "FORBIDDEN",
        }
    }
}
