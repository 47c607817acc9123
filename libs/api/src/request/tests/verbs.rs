//! Every verb becomes the command of its name, with what it says.

use pactum_domain::command::OpportunityCommand;
use pactum_domain::money::{Currency, Money as Amount};

use super::*;

fn command(request: impl WriteRequest) -> Command {
    parse(request).unwrap().command
}

fn deal_command(request: impl WriteRequest) -> DealCommand {
    match command(request) {
        Command::Deal(id, command) if id.as_str() == "d-1" => command,
        other => panic!("{other:?}"),
    }
}

fn partner_command(request: impl WriteRequest) -> PartnerCommand {
    match command(request) {
        Command::Partner(id, command) if id.as_str() == "north" => command,
        other => panic!("{other:?}"),
    }
}

fn program_command(request: impl WriteRequest) -> ProgramCommand {
    match command(request) {
        Command::Program(command) => command,
        other => panic!("{other:?}"),
    }
}

/// A request with a name and what else is given; the rest is left out.
macro_rules! ask {
    ($request:path, $name:literal $(, $field:ident: $value:expr)*) => {{
        type Request = $request;
        Request { name: $name.into(), $($field: $value,)* ..Request::default() }
    }};
}

macro_rules! deal {
    ($request:ident $(, $field:ident: $value:expr)*) => {
        deal_command(ask!(deal::$request, "programs/acme/deals/d-1" $(, $field: $value)*))
    };
}

macro_rules! partner {
    ($request:ident $(, $field:ident: $value:expr)*) => {
        partner_command(ask!(partner::$request, "programs/acme/partners/north" $(, $field: $value)*))
    };
}

macro_rules! program {
    ($request:ident $(, $field:ident: $value:expr)*) => {
        program_command(ask!(program::$request, "programs/acme" $(, $field: $value)*))
    };
}

#[test]
fn deals() {
    let (why, code) = (String::from("why"), String::from("CODE"));
    let day = Date::from_ymd(2027, 3, 31);
    let rows = [
        (deal!(StartDealReviewRequest), DealCommand::StartReview),
        (deal!(RequestDealActionRequest, message: why.clone()), DealCommand::RequestAction { message: why.clone() }),
        (
            deal!(ApproveDealRequest, reason_code: code.clone(), note: why.clone()),
            DealCommand::Approve {
                protection: ProtectionChoice::Policy,
                reason_code: "CODE".into(),
                note: why.clone(),
            },
        ),
        (
            deal!(RejectDealRequest, reason_code: code.clone(), note: why.clone()),
            DealCommand::Reject { reason_code: "CODE".into(), note: why.clone() },
        ),
        (
            deal!(MarkDealDuplicateRequest, duplicate_of: "programs/acme/deals/d-2".into(), note: why.clone()),
            DealCommand::MarkDuplicate { of: DealId::new("d-2").unwrap(), note: why.clone() },
        ),
        (
            deal!(ExtendDealProtectionRequest, days: 30, reason: why.clone(), evidence: vec![4, 2]),
            DealCommand::ExtendProtection { days: 30, reason: why.clone(), evidence: vec![4, 2] },
        ),
        (deal!(WithdrawDealRequest, reason: why.clone()), DealCommand::Withdraw { reason: why.clone() }),
        (
            deal!(RevokeDealRequest, reason_code: code.clone(), note: why.clone()),
            DealCommand::Revoke { reason_code: "CODE".into(), note: why.clone() },
        ),
        (
            deal!(ReassignDealRequest, partner: "programs/acme/partners/south".into(), evidence: vec![7],
                reason_code: code.clone(), note: why.clone()),
            DealCommand::Reassign {
                to: PartnerId::new("south").unwrap(),
                evidence: vec![7],
                reason_code: "CODE".into(),
                note: why.clone(),
            },
        ),
        (
            deal!(ChangeDealStageRequest, stage: "proposal".into()),
            DealCommand::ChangeStage { stage: "proposal".into() },
        ),
        (
            deal!(WinDealRequest, amount: Some(usd(5)), closed_on: "2027-03-31".into()),
            DealCommand::Win { amount: Amount::new(Currency::parse("USD").unwrap(), 5), closed_on: day },
        ),
        (deal!(LoseDealRequest, reason: why.clone()), DealCommand::Lose { reason: why.clone(), closed_on: None }),
        (
            deal!(LoseDealRequest, reason: why.clone(), closed_on: "2027-03-31".into()),
            DealCommand::Lose { reason: why.clone(), closed_on: day },
        ),
        (deal!(ReopenDealRequest, reason: why.clone()), DealCommand::Reopen { reason: why }),
    ];
    for (made, expected) in rows {
        assert_eq!(made, expected);
    }
    assert!(matches!(deal!(SubmitDealRequest), DealCommand::Submit { .. }));
    let again = deal!(ResubmitDealRequest, deal: registration().deal);
    assert!(matches!(again, DealCommand::Resubmit(submission) if submission.history.is_none()));
}

#[test]
fn drafts_need_little() {
    let request = |partner: &str| deal::CreateDealRequest {
        parent: "programs/acme".into(),
        deal_id: "d-1".into(),
        deal: Some(deal::Deal { partner: partner.into(), ..deal::Deal::default() }),
        ..deal::CreateDealRequest::default()
    };
    let DealCommand::Draft(draft) = deal_command(request("programs/acme/partners/north")) else { panic!() };
    assert_eq!((draft.partner.as_str(), draft.customer, draft.stage), ("north", None, None));
    assert_eq!(faults(request("")), ["deal.partner"]);
    assert_eq!(faults(deal::CreateDealRequest { deal: None, ..request("") }), ["deal"]);
}

#[test]
fn partners() {
    let why = String::from("why");
    let rows = [
        (partner!(ApprovePartnerRequest, note: why.clone()), PartnerCommand::Approve { note: why.clone() }),
        (partner!(RejectPartnerRequest, reason: why.clone()), PartnerCommand::Reject { reason: why.clone() }),
        (
            partner!(EnrollPartnerRequest, tier: "gold".into(), partner_type: "reseller".into(),
                territories: vec!["DE".into(), "AT".into(), "DE".into()], specialisations: vec!["cloud".into()]),
            PartnerCommand::Enroll(pactum_domain::partner::Enrolled {
                tier: "gold".into(),
                kind: "reseller".into(),
                territories: vec!["AT".into(), "DE".into()],
                specialisations: vec!["cloud".into()],
            }),
        ),
        (partner!(ActivatePartnerRequest), PartnerCommand::Activate),
        (partner!(SuspendPartnerRequest, reason: why.clone()), PartnerCommand::Suspend { reason: why.clone() }),
        (partner!(ReinstatePartnerRequest, reason: why.clone()), PartnerCommand::Reinstate { reason: why.clone() }),
        (partner!(TerminatePartnerRequest, reason: why.clone()), PartnerCommand::Terminate { reason: why }),
        (
            partner!(AssignPartnerManagerRequest, manager: "m-1".into()),
            PartnerCommand::AssignManager { manager: "m-1".into() },
        ),
    ];
    for (made, expected) in rows {
        assert_eq!(made, expected);
    }
}

#[test]
fn programs() {
    let why = String::from("why");
    let import = pactum_ids::ImportId::new("crm").unwrap();
    let second = prost_types::Timestamp { seconds: 1, nanos: 0 };
    let rows = [
        (
            program!(PublishPolicyRequest, policy_document: "tiers: []".into()),
            ProgramCommand::PublishPolicy { document: "tiers: []".into(), effective_from: None },
        ),
        (
            program!(PublishPolicyRequest, effective_from: Some(second)),
            ProgramCommand::PublishPolicy { document: String::new(), effective_from: Some(Timestamp(1_000_000)) },
        ),
        (
            program!(StartHistoryImportRequest, import_id: "crm".into(), source: why.clone()),
            ProgramCommand::StartHistoryImport { import: import.clone(), source: why.clone() },
        ),
        (
            program!(CompleteHistoryImportRequest, import_id: "crm".into()),
            ProgramCommand::CompleteHistoryImport { import },
        ),
        (program!(ArchiveProgramRequest, reason: why.clone()), ProgramCommand::Archive { reason: why }),
    ];
    for (made, expected) in rows {
        assert_eq!(made, expected);
    }
}

#[test]
fn opportunities() {
    let open = |opportunity| deal::OpenOpportunityRequest {
        parent: "programs/acme".into(),
        opportunity_id: "o-1".into(),
        opportunity,
        ..deal::OpenOpportunityRequest::default()
    };
    let customer = Customer { crm_id: "0015g".into(), ..Customer::default() };
    let given = deal::Opportunity { customer: Some(customer), ..deal::Opportunity::default() };
    let Command::Opportunity(id, OpportunityCommand::Open { customer, .. }) = command(open(Some(given))) else {
        panic!()
    };
    assert_eq!((id.as_str(), customer.keys[0].value()), ("o-1", "0015g"));
    assert_eq!(faults(open(None)), ["opportunity"]);
    assert_eq!(faults(open(Some(deal::Opportunity::default()))), ["opportunity.customer"]);

    let close = ask!(deal::CloseOpportunityRequest, "programs/acme/opportunities/o-1", reason: "lost".into());
    let Command::Opportunity(id, OpportunityCommand::Close { reason }) = command(close) else { panic!() };
    assert_eq!((id.as_str(), reason.as_str()), ("o-1", "lost"));
}

#[test]
fn names_are_of_the_right_collection() {
    let wrong = ask!(deal::WithdrawDealRequest, "programs/acme/partners/north");
    assert_eq!(faults(wrong), ["name"]);
    let wrong = ask!(partner::SuspendPartnerRequest, "programs/acme/deals/d-1");
    assert_eq!(faults(wrong), ["name"]);
    let wrong = ask!(deal::MarkDealDuplicateRequest, "programs/acme/deals/d-1");
    assert_eq!(faults(wrong), ["duplicate_of"]);
    let wrong = ask!(deal::WinDealRequest, "programs/acme/deals/d-1", closed_on: "soon".into());
    assert_eq!(faults(wrong), ["amount", "closed_on"]);
}
