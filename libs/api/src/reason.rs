//! Every reason that a call can fail for: its stable code and its gRPC status. `docs/errors.md` says of each what it means
//! and what to do.

use pactum_domain::rejection::Rejection;
use tonic::Code;

/// A reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The stable upper-snake code, as `google.rpc.ErrorInfo.reason` carries it.
    pub name: &'static str,
    /// The gRPC status.
    pub code: Code,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:ident;)*) => {
        impl Reason {
            $($(#[$doc])* pub const $name: Self = Self { name: stringify!($name), code: Code::$code };)*

            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

reasons! {
    /// What an operator asks of a view cannot be done as it stands.
    VIEW_REFUSED = FailedPrecondition;
    /// The program does not exist.
    PROGRAM_NOT_FOUND = NotFound;
    /// The resource does not exist, or is not the caller's to see.
    NOT_FOUND = NotFound;
    /// The id is taken.
    ALREADY_EXISTS = AlreadyExists;
    /// The resource has moved on since the etag was read.
    STALE_ETAG = Aborted;
    /// The transition does not exist from where the resource stands.
    INVALID_TRANSITION = FailedPrecondition;
    /// A field is wrong.
    INVALID_FIELD = InvalidArgument;
    /// The policy does not allow it.
    POLICY_FORBIDS = FailedPrecondition;
    /// The program has no policy in force.
    NO_POLICY = FailedPrecondition;
    /// The policy document is wrong.
    INVALID_POLICY = InvalidArgument;
    /// Another deal holds protection.
    PROTECTED = FailedPrecondition;
    /// The caller's role or partner may not do this.
    FORBIDDEN = PermissionDenied;
    /// No caller could be told.
    UNAUTHENTICATED = Unauthenticated;
    /// The caller's role may not call the method.
    ROLE_NOT_ALLOWED = PermissionDenied;
    /// The caller belongs to another program.
    OTHER_PROGRAM = PermissionDenied;
    /// The request id was used for a request with other content.
    REQUEST_ID_REUSED = AlreadyExists;
    /// More requests wait than may.
    QUEUE_FULL = ResourceExhausted;
    /// The request or the record it makes is larger than may be.
    TOO_LARGE = InvalidArgument;
    /// The message is not valid Protobuf, or holds text that is not UTF-8.
    MALFORMED_MESSAGE = InvalidArgument;
    /// The deadline passed before the command was decided. Nothing was appended.
    NOT_DECIDED = DeadlineExceeded;
    /// The deadline passed before it was known whether the command took effect.
    OUTCOME_UNKNOWN = DeadlineExceeded;
    /// The log cannot be reached or written now.
    LOG_UNAVAILABLE = Unavailable;
    /// The log has no room left.
    LOG_FULL = Unavailable;
    /// This process does not serve the program now.
    NOT_SERVING = Unavailable;
    /// The view did not reach `min_sequence` within the deadline.
    VIEW_BEHIND = DeadlineExceeded;
    /// The view stopped at a record it cannot take.
    VIEW_STOPPED = Unavailable;
    /// The moment asked about has not come.
    AS_OF_FUTURE = OutOfRange;
    /// The moment asked about lies before the program's beginning.
    AS_OF_BEFORE_PROGRAM = NotFound;
    /// The log no longer keeps what the moment would be restored from.
    AS_OF_NOT_KEPT = OutOfRange;
    /// More moments are being restored than may be at once.
    AS_OF_BUSY = ResourceExhausted;
    /// The deadline passed while the moment was being restored.
    AS_OF_NOT_READY = DeadlineExceeded;
    /// The page token is malformed or belongs to another query.
    INVALID_PAGE_TOKEN = InvalidArgument;
    /// The filter is wrong.
    INVALID_FILTER = InvalidArgument;
    /// A sum does not fit 64 bits of minor units.
    TOTAL_OVERFLOW = OutOfRange;
    /// Stored data is damaged.
    DATA_CORRUPT = DataLoss;
    /// A fault of the server.
    INTERNAL = Internal;
}

impl Reason {
    /// Those that say for certain of a command that nothing was appended for it, and that it may be sent again.
    pub const NOTHING_APPENDED: [Self; 5] =
        [Self::NOT_SERVING, Self::LOG_UNAVAILABLE, Self::LOG_FULL, Self::QUEUE_FULL, Self::NOT_DECIDED];

    /// Whether `name` is that of one of [`Self::NOTHING_APPENDED`].
    #[must_use]
    pub fn says_nothing_appended(name: &str) -> bool {
        Self::NOTHING_APPENDED.iter().any(|reason| reason.name == name)
    }

    /// The reason of a refusal. Exhaustive: a new refusal does not compile until it has one.
    #[must_use]
    pub fn of(rejection: &Rejection) -> Self {
        match rejection {
            Rejection::ProgramNotFound => Self::PROGRAM_NOT_FOUND,
            Rejection::NotFound { .. } => Self::NOT_FOUND,
            Rejection::AlreadyExists { .. } => Self::ALREADY_EXISTS,
            Rejection::StaleVersion { .. } => Self::STALE_ETAG,
            Rejection::InvalidTransition { .. } => Self::INVALID_TRANSITION,
            Rejection::InvalidField { .. } => Self::INVALID_FIELD,
            Rejection::PolicyForbids { .. } => Self::POLICY_FORBIDS,
            Rejection::NoPolicy => Self::NO_POLICY,
            Rejection::InvalidPolicy(_) => Self::INVALID_POLICY,
            Rejection::Protected { .. } => Self::PROTECTED,
            Rejection::Forbidden(_) => Self::FORBIDDEN,
        }
    }
}
