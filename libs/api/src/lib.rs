//! The published gRPC contract: generated types ([`proto`]), who may call what ([`AccessTable`], [`Caller`]), requests as the
//! domain's commands ([`request`]), what queries name ([`query`]), the domain's values as answers ([`convert`]), and errors ([`error`]).

mod access;
mod caller;
pub mod convert;
pub mod error;
pub mod proto;
pub mod query;
mod reason;
pub mod request;

pub use access::AccessTable;
pub use caller::Caller;
pub use error::InvalidRequest;
pub use reason::Reason;
