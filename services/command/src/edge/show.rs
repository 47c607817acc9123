//! The machine's answer as the message that a method answers with.

use pactum_api::proto::{deal::v1 as deal, partner::v1 as partner, program::v1 as program};
use pactum_api::{Caller, convert};
use pactum_ids::ProgramId;

use crate::answer::{Done, Resource};

/// A resource of the contract.
pub(crate) trait Shown: Sized {
    /// The resource as the viewer may see it; `None` where the answer holds one of another kind.
    fn show(program: &ProgramId, done: &Done, viewer: &Caller) -> Option<Self>;
}

impl Shown for program::Program {
    fn show(_: &ProgramId, done: &Done, _: &Caller) -> Option<Self> {
        let Resource::Program(program) = &done.resource else { return None };
        Some(convert::program_to_proto(program, done.at))
    }
}

impl Shown for partner::Partner {
    fn show(program: &ProgramId, done: &Done, _: &Caller) -> Option<Self> {
        let Resource::Partner(partner) = &done.resource else { return None };
        Some(convert::partner_to_proto(program, partner))
    }
}

impl Shown for deal::Deal {
    fn show(program: &ProgramId, done: &Done, viewer: &Caller) -> Option<Self> {
        let Resource::Deal(deal) = &done.resource else { return None };
        Some(convert::deal_to_proto(program, deal, viewer))
    }
}

impl Shown for deal::Opportunity {
    fn show(program: &ProgramId, done: &Done, _: &Caller) -> Option<Self> {
        let Resource::Opportunity(opportunity) = &done.resource else { return None };
        Some(convert::opportunity_to_proto(program, opportunity))
    }
}
