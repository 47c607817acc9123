//! Typed identifiers and resource names.
//!
//! Every identifier in Pactum is a newtype of its own, so that a partner's id cannot be passed for a deal's. Resource names
//! follow [AIP-122](https://google.aip.dev/122): `programs/{program}/deals/{deal}`.

mod id;
mod name;
mod request;

pub use id::{AccountId, DealId, ImportId, InvalidId, OpportunityId, PartnerId, ProductId, ProgramId};
pub use name::{AccountName, DealName, InvalidName, OpportunityName, PartnerName, ProgramName};
pub use request::{InvalidRequestId, RequestId};
