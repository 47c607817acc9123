//! Write requests as the domain's commands: parsed whole, with every field that is wrong named, before anything is decided.

mod bulk;
mod deal;
mod fields;
mod opportunity;
mod partner;
mod program;
mod update;

#[cfg(test)]
mod tests;

use pactum_domain::command::Command;
use pactum_domain::time::Timestamp;
use pactum_ids::{AccountId, DealId, OpportunityId, PartnerId, ProgramId, RequestId};
use ulid::Ulid;

use crate::caller::Caller;
use crate::error::InvalidRequest;
use crate::proto;
pub(crate) use fields::Fields;

/// What a request is parsed with: who asks, and where new ids come from.
#[derive(Clone, Copy)]
pub struct Edge<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// Where new ids come from.
    pub ids: &'a dyn NewIds,
}

/// Where the ids of new things come from. They are made here, at the edge, so that deciding stays without chance.
pub trait NewIds: Send + Sync {
    /// For a partner.
    fn partner(&self) -> PartnerId;
    /// For a deal.
    fn deal(&self) -> DealId;
    /// For a customer account, if it is a new one.
    fn account(&self) -> AccountId;
    /// For a vendor's opportunity.
    fn opportunity(&self) -> OpportunityId;
}

/// New ids as ULIDs: unique without asking anybody, and in order of time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ulids;

macro_rules! mint {
    ($($name:ident: $id:ident;)*) => {
        impl NewIds for Ulids {
            $(fn $name(&self) -> $id {
                let mut text = [0; ulid::ULID_LEN];
                $id::new(Ulid::generate().array_to_str(&mut text)).expect("a ULID is 26 letters and digits")
            })*
        }
    };
}

mint! {
    partner: PartnerId;
    deal: DealId;
    account: AccountId;
    opportunity: OpportunityId;
}

/// A write request, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The program: the caller's.
    pub program: ProgramId,
    /// What is asked.
    pub command: Command,
    /// The version that the caller has seen, where it sent an etag.
    pub expected_version: Option<u64>,
    /// When it happened in the world, where the caller said.
    pub occurred_at: Option<Timestamp>,
    /// Decide and answer, append nothing.
    pub validate_only: bool,
    /// The caller's id for the request, where it gave one.
    pub request_id: Option<RequestId>,
}

/// A request of one of the contract's writing methods.
pub trait WriteRequest: prost::Message + Default + Sized + 'static {
    /// The method's path: `/pactum.deal.v1.DealService/RegisterDeal`.
    const PATH: &'static str;
    /// The method's name: `RegisterDeal`.
    const METHOD: &'static str;
    /// The resource that is answered.
    type Resource;
    /// The answer.
    type Response: prost::Message + Default + 'static;

    /// The caller's id for the request; empty where it gave none.
    fn request_id(&self) -> &str;

    /// Parses the request.
    ///
    /// # Errors
    /// [`InvalidRequest`] names every field that is wrong, or says that the caller may not ask this.
    fn parse(self, edge: Edge<'_>) -> Result<Write, InvalidRequest>;

    /// The answer: the resource, and the program's sequence.
    fn response(resource: Self::Resource, sequence: u64) -> Self::Response;
}

/// What every write request has, besides what it is about.
struct Header<'a> {
    request_id: &'a str,
    validate_only: bool,
    occurred_at: Option<prost_types::Timestamp>,
    etag: &'a str,
}

/// A parsed header.
struct Asked {
    expected_version: Option<u64>,
    occurred_at: Option<Timestamp>,
    validate_only: bool,
    request_id: Option<RequestId>,
}

impl Header<'_> {
    fn parse(self, fields: &mut Fields<'_>) -> Asked {
        if self.occurred_at.is_some() && !fields.caller().brings_history() {
            fields.forbid("only program admins and connectors may say when something occurred");
        }
        Asked {
            expected_version: fields.etag(self.etag),
            occurred_at: self.occurred_at.and_then(|time| fields.timestamp("occurred_at", time)),
            validate_only: self.validate_only,
            request_id: fields.request_id(self.request_id),
        }
    }
}

impl Asked {
    fn with(self, fields: Fields<'_>, target: Option<(ProgramId, Command)>) -> Result<Write, InvalidRequest> {
        let Self { expected_version, occurred_at, validate_only, request_id } = self;
        let (program, command) = fields.finish(target)?;
        Ok(Write { program, command, expected_version, occurred_at, validate_only, request_id })
    }
}

/// Where a request has its etag: nowhere, in itself, or else in the resource that it brings.
macro_rules! etag {
    ($request:ident, none) => {
        ""
    };
    ($request:ident, own) => {
        $request.etag.as_str()
    };
    ($request:ident, $resource:ident) => {
        match &$request.$resource {
            Some(resource) if $request.etag.is_empty() => resource.etag.as_str(),
            _ => $request.etag.as_str(),
        }
    };
}

macro_rules! writes {
    ($($service:literal $context:ident {$(
        $method:literal: $request:ident => $response:ident { $field:ident: $resource:ident }, etag $etag:ident, $parse:path;
    )*})*) => {$($(
        impl WriteRequest for proto::$context::v1::$request {
            const PATH: &'static str = concat!("/", $service, "/", $method);
            const METHOD: &'static str = $method;
            type Resource = proto::$context::v1::$resource;
            type Response = proto::$context::v1::$response;

            fn request_id(&self) -> &str {
                &self.request_id
            }

            fn parse(self, edge: Edge<'_>) -> Result<Write, InvalidRequest> {
                let mut fields = Fields::new(edge);
                let header = Header {
                    request_id: &self.request_id,
                    validate_only: self.validate_only,
                    occurred_at: self.occurred_at,
                    etag: etag!(self, $etag),
                };
                let asked = header.parse(&mut fields);
                let target = $parse(self, &mut fields);
                asked.with(fields, target)
            }

            fn response(resource: Self::Resource, sequence: u64) -> Self::Response {
                Self::Response { $field: Some(resource), sequence }
            }
        }
    )*)*};
}

writes! {
    "pactum.program.v1.ProgramService" program {
        "CreateProgram": CreateProgramRequest => CreateProgramResponse { program: Program }, etag none, program::create;
        "PublishPolicy": PublishPolicyRequest => PublishPolicyResponse { program: Program }, etag own, program::publish;
        "StartHistoryImport": StartHistoryImportRequest => StartHistoryImportResponse { program: Program }, etag own,
            program::start_import;
        "CompleteHistoryImport": CompleteHistoryImportRequest => CompleteHistoryImportResponse { program: Program },
            etag own, program::complete_import;
        "ArchiveProgram": ArchiveProgramRequest => ArchiveProgramResponse { program: Program }, etag own,
            program::archive;
    }
    "pactum.partner.v1.PartnerService" partner {
        "CreatePartner": CreatePartnerRequest => CreatePartnerResponse { partner: Partner }, etag none, partner::create;
        "ApprovePartner": ApprovePartnerRequest => ApprovePartnerResponse { partner: Partner }, etag own,
            partner::approve;
        "RejectPartner": RejectPartnerRequest => RejectPartnerResponse { partner: Partner }, etag own, partner::reject;
        "EnrollPartner": EnrollPartnerRequest => EnrollPartnerResponse { partner: Partner }, etag own, partner::enroll;
        "UpdatePartner": UpdatePartnerRequest => UpdatePartnerResponse { partner: Partner }, etag partner,
            update::partner;
        "ActivatePartner": ActivatePartnerRequest => ActivatePartnerResponse { partner: Partner }, etag own,
            partner::activate;
        "SuspendPartner": SuspendPartnerRequest => SuspendPartnerResponse { partner: Partner }, etag own,
            partner::suspend;
        "ReinstatePartner": ReinstatePartnerRequest => ReinstatePartnerResponse { partner: Partner }, etag own,
            partner::reinstate;
        "TerminatePartner": TerminatePartnerRequest => TerminatePartnerResponse { partner: Partner }, etag own,
            partner::terminate;
        "AssignPartnerManager": AssignPartnerManagerRequest => AssignPartnerManagerResponse { partner: Partner },
            etag own, partner::assign_manager;
    }
    "pactum.deal.v1.DealService" deal {
        "CreateDeal": CreateDealRequest => CreateDealResponse { deal: Deal }, etag none, deal::registration::draft;
        "RegisterDeal": RegisterDealRequest => RegisterDealResponse { deal: Deal }, etag own,
            deal::registration::register;
        "SubmitDeal": SubmitDealRequest => SubmitDealResponse { deal: Deal }, etag own, deal::registration::submit;
        "StartDealReview": StartDealReviewRequest => StartDealReviewResponse { deal: Deal }, etag own,
            deal::review::start;
        "RequestDealAction": RequestDealActionRequest => RequestDealActionResponse { deal: Deal }, etag own,
            deal::review::request_action;
        "ResubmitDeal": ResubmitDealRequest => ResubmitDealResponse { deal: Deal }, etag own,
            deal::registration::resubmit;
        "ApproveDeal": ApproveDealRequest => ApproveDealResponse { deal: Deal }, etag own, deal::review::approve;
        "RejectDeal": RejectDealRequest => RejectDealResponse { deal: Deal }, etag own, deal::review::reject;
        "MarkDealDuplicate": MarkDealDuplicateRequest => MarkDealDuplicateResponse { deal: Deal }, etag own,
            deal::review::mark_duplicate;
        "ExtendDealProtection": ExtendDealProtectionRequest => ExtendDealProtectionResponse { deal: Deal }, etag own,
            deal::review::extend_protection;
        "WithdrawDeal": WithdrawDealRequest => WithdrawDealResponse { deal: Deal }, etag own,
            deal::registration::withdraw;
        "RevokeDeal": RevokeDealRequest => RevokeDealResponse { deal: Deal }, etag own, deal::review::revoke;
        "ReassignDeal": ReassignDealRequest => ReassignDealResponse { deal: Deal }, etag own, deal::review::reassign;
        "ChangeDealStage": ChangeDealStageRequest => ChangeDealStageResponse { deal: Deal }, etag own,
            deal::sale::change_stage;
        "UpdateDeal": UpdateDealRequest => UpdateDealResponse { deal: Deal }, etag deal, update::deal;
        "WinDeal": WinDealRequest => WinDealResponse { deal: Deal }, etag own, deal::sale::win;
        "LoseDeal": LoseDealRequest => LoseDealResponse { deal: Deal }, etag own, deal::sale::lose;
        "ReopenDeal": ReopenDealRequest => ReopenDealResponse { deal: Deal }, etag own, deal::sale::reopen;
    }
    "pactum.deal.v1.OpportunityService" deal {
        "OpenOpportunity": OpenOpportunityRequest => OpenOpportunityResponse { opportunity: Opportunity }, etag none,
            opportunity::open;
        "CloseOpportunity": CloseOpportunityRequest => CloseOpportunityResponse { opportunity: Opportunity }, etag own,
            opportunity::close;
    }
}
