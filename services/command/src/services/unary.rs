//! The services whose methods take one request and give one answer.

use pactum_api::proto::deal::v1 as deal;
use pactum_api::proto::partner::v1 as partner;
use pactum_api::proto::program::v1 as program;
use tonic::{Request, Response, Status};

use crate::edge::Edge;

macro_rules! services {
    ($($(#[$doc:meta])* $service:ident for $adapter:ident in $package:ident :: $server:ident {
        $($method:ident($request:ident) -> $response:ident;)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub(crate) struct $adapter(pub(crate) Edge);

        #[tonic::async_trait]
        impl $package::$server::$service for $adapter {
            $(
                async fn $method(
                    &self,
                    request: Request<$package::$request>,
                ) -> Result<Response<$package::$response>, Status> {
                    self.0.unary(request).await
                }
            )*
        }
    )*};
}

services! {
    /// Changes to programs.
    ProgramService for Programs in program::program_service_server {
        create_program(CreateProgramRequest) -> CreateProgramResponse;
        publish_policy(PublishPolicyRequest) -> PublishPolicyResponse;
        start_history_import(StartHistoryImportRequest) -> StartHistoryImportResponse;
        complete_history_import(CompleteHistoryImportRequest) -> CompleteHistoryImportResponse;
        archive_program(ArchiveProgramRequest) -> ArchiveProgramResponse;
    }
    /// Changes to partners.
    PartnerService for Partners in partner::partner_service_server {
        create_partner(CreatePartnerRequest) -> CreatePartnerResponse;
        approve_partner(ApprovePartnerRequest) -> ApprovePartnerResponse;
        reject_partner(RejectPartnerRequest) -> RejectPartnerResponse;
        enroll_partner(EnrollPartnerRequest) -> EnrollPartnerResponse;
        update_partner(UpdatePartnerRequest) -> UpdatePartnerResponse;
        activate_partner(ActivatePartnerRequest) -> ActivatePartnerResponse;
        suspend_partner(SuspendPartnerRequest) -> SuspendPartnerResponse;
        reinstate_partner(ReinstatePartnerRequest) -> ReinstatePartnerResponse;
        terminate_partner(TerminatePartnerRequest) -> TerminatePartnerResponse;
        assign_partner_manager(AssignPartnerManagerRequest) -> AssignPartnerManagerResponse;
    }
    /// Changes to deals.
    DealService for Deals in deal::deal_service_server {
        create_deal(CreateDealRequest) -> CreateDealResponse;
        register_deal(RegisterDealRequest) -> RegisterDealResponse;
        submit_deal(SubmitDealRequest) -> SubmitDealResponse;
        start_deal_review(StartDealReviewRequest) -> StartDealReviewResponse;
        request_deal_action(RequestDealActionRequest) -> RequestDealActionResponse;
        resubmit_deal(ResubmitDealRequest) -> ResubmitDealResponse;
        approve_deal(ApproveDealRequest) -> ApproveDealResponse;
        reject_deal(RejectDealRequest) -> RejectDealResponse;
        mark_deal_duplicate(MarkDealDuplicateRequest) -> MarkDealDuplicateResponse;
        extend_deal_protection(ExtendDealProtectionRequest) -> ExtendDealProtectionResponse;
        withdraw_deal(WithdrawDealRequest) -> WithdrawDealResponse;
        revoke_deal(RevokeDealRequest) -> RevokeDealResponse;
        reassign_deal(ReassignDealRequest) -> ReassignDealResponse;
        change_deal_stage(ChangeDealStageRequest) -> ChangeDealStageResponse;
        update_deal(UpdateDealRequest) -> UpdateDealResponse;
        win_deal(WinDealRequest) -> WinDealResponse;
        lose_deal(LoseDealRequest) -> LoseDealResponse;
        reopen_deal(ReopenDealRequest) -> ReopenDealResponse;
    }
    /// Changes to the vendor's opportunities.
    OpportunityService for Opportunities in deal::opportunity_service_server {
        open_opportunity(OpenOpportunityRequest) -> OpenOpportunityResponse;
        close_opportunity(CloseOpportunityRequest) -> CloseOpportunityResponse;
    }
}
