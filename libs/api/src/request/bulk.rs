//! The items of a bulk stream: each is a request of its own method, and is taken as that method takes it.

use pactum_domain::deal::Deal;
use pactum_domain::opportunity::Opportunity;
use pactum_domain::partner::Partner;
use pactum_domain::program::Program;
use pactum_ids::ProgramId;
use prost::Message as _;

use super::{Edge, Write, WriteRequest};
use crate::convert;
use crate::error::InvalidRequest;
use crate::proto::bulk::v1::ExecuteResult;
use crate::proto::bulk::v1::execute_request::Request;

macro_rules! items {
    ($($name:ident),* $(,)?) => {
        impl Request {
            /// The path of the item's own method, which the caller's role must be allowed.
            #[must_use]
            pub fn path(&self) -> &'static str {
                match self { $(Self::$name(request) => path(request),)* }
            }

            /// The caller's id for the item; empty where it gave none.
            #[must_use]
            pub fn request_id(&self) -> &str {
                match self { $(Self::$name(request) => WriteRequest::request_id(request),)* }
            }

            /// The item encoded as the request of its own method, so that it counts as the same request there.
            #[must_use]
            pub fn content(&self) -> Vec<u8> {
                match self { $(Self::$name(request) => request.encode_to_vec(),)* }
            }

            /// Parses the item.
            ///
            /// # Errors
            /// As [`WriteRequest::parse`].
            pub fn parse(self, edge: Edge<'_>) -> Result<Write, InvalidRequest> {
                match self { $(Self::$name(request) => request.parse(edge),)* }
            }
        }
    };
}

fn path<R: WriteRequest>(_: &R) -> &'static str {
    R::PATH
}

items!(
    RegisterDeal,
    CreateProgram,
    PublishPolicy,
    StartHistoryImport,
    CompleteHistoryImport,
    ArchiveProgram,
    CreatePartner,
    ApprovePartner,
    RejectPartner,
    EnrollPartner,
    UpdatePartner,
    ActivatePartner,
    SuspendPartner,
    ReinstatePartner,
    TerminatePartner,
    AssignPartnerManager,
    CreateDeal,
    SubmitDeal,
    StartDealReview,
    RequestDealAction,
    ResubmitDeal,
    ApproveDeal,
    RejectDeal,
    MarkDealDuplicate,
    ExtendDealProtection,
    WithdrawDeal,
    RevokeDeal,
    ReassignDeal,
    ChangeDealStage,
    UpdateDeal,
    WinDeal,
    LoseDeal,
    ReopenDeal,
    OpenOpportunity,
    CloseOpportunity,
);

impl ExecuteResult {
    fn new(name: String, version: u64, sequence: u64, state: &str) -> Self {
        Self { name, etag: convert::etag(version), sequence, state: state.to_owned(), conflicts: Vec::new() }
    }

    /// The result of an item about a program.
    #[must_use]
    pub fn of_program(program: &Program, sequence: u64) -> Self {
        let state = convert::program_state_name(program.state);
        Self::new(convert::program_name(&program.id), program.version, sequence, state)
    }

    /// The result of an item about a partner.
    #[must_use]
    pub fn of_partner(program: &ProgramId, partner: &Partner, sequence: u64) -> Self {
        let state = convert::partner_state_name(partner.state);
        Self::new(convert::partner_name(program, &partner.id), partner.version, sequence, state)
    }

    /// The result of an item about a deal.
    #[must_use]
    pub fn of_deal(program: &ProgramId, deal: &Deal, sequence: u64) -> Self {
        let state = convert::deal_state_name(deal.state);
        let conflicts = deal.conflicts.iter().map(|conflict| convert::conflict_kind(&conflict.kind).into()).collect();
        Self { conflicts, ..Self::new(convert::deal_name(program, &deal.id), deal.version, sequence, state) }
    }

    /// The result of an item about a vendor's opportunity.
    #[must_use]
    pub fn of_opportunity(program: &ProgramId, opportunity: &Opportunity, sequence: u64) -> Self {
        let state = convert::opportunity_state_name(opportunity);
        Self::new(convert::opportunity_name(program, &opportunity.id), opportunity.version, sequence, state)
    }
}
