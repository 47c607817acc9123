//! The domain's values in the contract's types. The other way, from requests to commands, is [`request`](crate::request).

mod conflict;
mod deal;
mod opportunity;
mod partner;
mod program;
mod value;

pub use conflict::{conflict_kind, conflict_to_proto};
pub use deal::{deal_state, deal_state_name, deal_state_of, deal_to_proto, decision_to_proto, protection_to_proto};
pub use opportunity::{opportunity_state_name, opportunity_to_proto};
pub use partner::{partner_state, partner_state_name, partner_state_of, partner_to_proto};
pub use program::{program_state, program_state_name, program_to_proto};
pub use value::{
    account_name, actor_to_proto, customer_to_proto, date_to_proto, deal_name, etag, money_to_proto, opportunity_name,
    optional_date, partner_name, program_name, role_of, role_to_proto, scope_to_proto, timestamp_to_proto,
};

#[cfg(test)]
mod tests;
