//! What the contract promises of every writing method.

use prost_reflect::DescriptorPool;

use super::*;
use crate::AccessTable;
use crate::proto::DESCRIPTOR_SET;

/// What the command service, its content hash and every client rely on.
#[test]
fn every_writing_method_has_the_same_first_fields() {
    let pool = DescriptorPool::decode(DESCRIPTOR_SET).unwrap();
    let mut writes = 0;
    for method in pool.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let service = method.parent_service().name().to_owned();
        if service.contains("Query") || matches!(service.as_str(), "BulkService" | "ReplayService" | "ViewService") {
            continue;
        }
        writes += 1;
        let input = method.input();
        let numbers = ["request_id", "validate_only", "occurred_at"]
            .map(|name| input.get_field_by_name(name).map(|f| f.number()));
        assert_eq!(numbers, [Some(2), Some(3), Some(4)], "{}", method.full_name());
        assert!(input.get_field_by_name("etag").is_none_or(|etag| etag.number() == 5), "{}", method.full_name());
        assert!(method.output().get_field_by_name("sequence").is_some(), "{}", method.full_name());
    }
    assert_eq!(writes, 35);
}

/// Every item of a bulk stream is a method of the contract, and every writing method is an item.
#[test]
fn a_bulk_stream_takes_every_writing_method() {
    let pool = DescriptorPool::decode(DESCRIPTOR_SET).unwrap();
    let execute = pool.get_message_by_name("pactum.bulk.v1.ExecuteRequest").unwrap();
    let mut items: Vec<_> =
        execute.fields().map(|field| field.kind().as_message().unwrap().name().to_owned()).collect();
    let table = AccessTable::load();
    let writes = table.methods().into_iter().map(|(path, _)| path).filter(|path| !path.contains("Query"));
    let others = ["BulkService", "ReplayService", "ViewService"];
    let writes = writes.filter(|path| !others.iter().any(|other| path.contains(other)));
    let mut writes: Vec<_> = writes.map(|path| format!("{}Request", path.rsplit('/').next().unwrap())).collect();
    items.sort_unstable();
    writes.sort_unstable();
    assert_eq!(items, writes);
}

#[test]
fn an_item_is_taken_as_its_own_method_takes_it() {
    use crate::proto::bulk::v1::execute_request::Request;
    let item = Request::RegisterDeal(registration());
    assert_eq!(item.path(), deal::RegisterDealRequest::PATH);
    assert_eq!(item.request_id(), "r-1");
    assert_eq!(item.content(), prost::Message::encode_to_vec(&registration()));
    let caller = caller(Role::Connector);
    let (item, own) = (item.parse(Edge { caller: &caller, ids: &Ulids }).unwrap(), parse(registration()).unwrap());
    let bare = |command| match command {
        Command::Deal(id, DealCommand::Register(submission)) => (id, submission.title, submission.customer),
        other => panic!("{other:?}"),
    };
    assert_eq!(bare(item.command), bare(own.command));
}

macro_rules! paths {
    ($($request:ty),* $(,)?) => { [$((<$request>::PATH, <$request>::METHOD, std::any::type_name::<$request>())),*] };
}

/// A path that were misspelt would deny the item to all, or count as another method.
#[test]
fn paths_are_those_of_the_contract() {
    let table = AccessTable::load();
    let paths = paths![
        program::CreateProgramRequest,
        program::PublishPolicyRequest,
        program::StartHistoryImportRequest,
        program::CompleteHistoryImportRequest,
        program::ArchiveProgramRequest,
        partner::CreatePartnerRequest,
        partner::ApprovePartnerRequest,
        partner::RejectPartnerRequest,
        partner::EnrollPartnerRequest,
        partner::UpdatePartnerRequest,
        partner::ActivatePartnerRequest,
        partner::SuspendPartnerRequest,
        partner::ReinstatePartnerRequest,
        partner::TerminatePartnerRequest,
        partner::AssignPartnerManagerRequest,
        deal::CreateDealRequest,
        deal::RegisterDealRequest,
        deal::SubmitDealRequest,
        deal::StartDealReviewRequest,
        deal::RequestDealActionRequest,
        deal::ResubmitDealRequest,
        deal::ApproveDealRequest,
        deal::RejectDealRequest,
        deal::MarkDealDuplicateRequest,
        deal::ExtendDealProtectionRequest,
        deal::WithdrawDealRequest,
        deal::RevokeDealRequest,
        deal::ReassignDealRequest,
        deal::ChangeDealStageRequest,
        deal::UpdateDealRequest,
        deal::WinDealRequest,
        deal::LoseDealRequest,
        deal::ReopenDealRequest,
        deal::OpenOpportunityRequest,
        deal::CloseOpportunityRequest,
    ];
    for (path, method, request) in paths {
        assert!(table.methods().iter().any(|(listed, _)| *listed == path), "{path}");
        assert!(path.ends_with(&format!("/{method}")) && request.ends_with(&format!("::{method}Request")), "{path}");
    }
}
