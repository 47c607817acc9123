#![expect(clippy::unwrap_used, reason = "tests")]

mod contract;
mod verbs;

use pactum_domain::actor::{Actor, Role};
use pactum_domain::command::{DealCommand, PartnerCommand, ProgramCommand, ProtectionChoice};
use pactum_domain::time::Date;
use prost_types::FieldMask;

use super::*;
use crate::proto::common::v1::{Customer, Money, Scope};
use crate::proto::deal::v1::{self as deal, approve_deal_request::Protection};
use crate::proto::partner::v1 as partner;
use crate::proto::program::v1 as program;

fn caller(role: Role) -> Caller {
    let partner = role.is_partner().then(|| PartnerId::new("north").unwrap());
    Caller { actor: Actor { subject: "u".into(), role, partner }, program: ProgramId::new("acme").unwrap() }
}

fn parse_as(role: Role, request: impl WriteRequest) -> Result<Write, InvalidRequest> {
    request.parse(Edge { caller: &caller(role), ids: &Ulids })
}

fn parse(request: impl WriteRequest) -> Result<Write, InvalidRequest> {
    parse_as(Role::ProgramAdmin, request)
}

fn usd(minor: i64) -> Money {
    Money { currency_code: "USD".into(), minor }
}

/// A registration with every field given.
fn registration() -> deal::RegisterDealRequest {
    deal::RegisterDealRequest {
        parent: "programs/acme".into(),
        request_id: "r-1".into(),
        deal_id: "d-1".into(),
        etag: "3".into(),
        occurred_at: Some(prost_types::Timestamp { seconds: 1_500_000_000, nanos: 5_000 }),
        deal: Some(deal::Deal {
            partner: "programs/acme/partners/north".into(),
            title: "Storage".into(),
            customer: Some(Customer { name: "Globex".into(), domain: "www.globex.com".into(), ..Customer::default() }),
            scope: Some(Scope { products: vec!["b".into(), "a".into(), "b".into()], territories: vec!["DE".into()] }),
            amount: Some(usd(105_400)),
            close_date: "2027-03-31".into(),
            stage: "proposal".into(),
            previous_deal: "programs/acme/deals/d-0".into(),
            ..deal::Deal::default()
        }),
        history: Some(deal::HistoryTerms { protection_days: 90 }),
        ..deal::RegisterDealRequest::default()
    }
}

#[test]
fn a_registration_arrives_whole() {
    let write = parse(registration()).unwrap();
    assert_eq!(write.program.as_str(), "acme");
    assert_eq!(write.expected_version, Some(3));
    assert_eq!(write.occurred_at, Some(Timestamp(1_500_000_000_000_005)));
    assert_eq!(write.request_id.unwrap().as_str(), "r-1");
    assert!(!write.validate_only);
    let Command::Deal(id, DealCommand::Register(submission)) = write.command else { panic!("{:?}", write.command) };
    assert_eq!((id.as_str(), submission.partner.as_str(), submission.title.as_str()), ("d-1", "north", "Storage"));
    assert_eq!(submission.customer.keys.iter().map(|key| key.value()).collect::<Vec<_>>(), ["globex.com"]);
    assert_eq!(submission.scope.products.iter().map(|id| id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(submission.scope.territories, ["DE"]);
    assert_eq!(submission.amount.map(|amount| amount.minor), Some(105_400));
    assert_eq!(submission.expected_close, Date::from_ymd(2027, 3, 31));
    assert_eq!(submission.stage.as_deref(), Some("proposal"));
    assert_eq!(submission.previous_deal.unwrap().as_str(), "d-0");
    assert_eq!(submission.history.unwrap().protection_days, 90);
}

#[test]
fn what_is_left_out_stays_out_and_ids_are_made() {
    let deal = deal::Deal {
        title: "Storage".into(),
        customer: Some(Customer { name: "Globex".into(), ..Customer::default() }),
        ..deal::Deal::default()
    };
    let request = deal::RegisterDealRequest {
        parent: "programs/acme".into(),
        deal: Some(deal),
        ..deal::RegisterDealRequest::default()
    };
    let write = parse_as(Role::PartnerSales, request.clone()).unwrap();
    assert_eq!((write.expected_version, write.occurred_at, write.request_id), (None, None, None));
    let Command::Deal(id, DealCommand::Register(submission)) = write.command else { panic!("{:?}", write.command) };
    assert_eq!(submission.partner.as_str(), "north", "a partner's caller registers for its own");
    assert_eq!((submission.amount, submission.expected_close, submission.stage), (None, None, None));
    assert_eq!(submission.scope, pactum_domain::deal::Scope::default());
    let Command::Deal(other, _) = parse_as(Role::PartnerSales, request).unwrap().command else { panic!() };
    assert_eq!(id.as_str().len(), 26);
    assert_ne!(id, other);
}

/// The fields at fault of a request, in order.
fn faults(request: impl WriteRequest) -> Vec<String> {
    match parse(request).unwrap_err() {
        InvalidRequest::Fields(violations) => violations.into_iter().map(|violation| violation.field).collect(),
        denied => panic!("{denied}"),
    }
}

/// One row per field that can be wrong.
#[test]
fn every_wrong_field_is_named() {
    type Break = fn(&mut deal::RegisterDealRequest, &mut deal::Deal);
    let rows: [(&str, Break); 26] = [
        ("parent", |request, _| request.parent = "programs/".into()),
        ("parent", |request, _| request.parent = String::new()),
        ("request_id", |request, _| request.request_id = "a b".into()),
        ("request_id", |request, _| request.request_id = "x".repeat(65)),
        ("deal_id", |request, _| request.deal_id = "a/b".into()),
        ("etag", |request, _| request.etag = "three".into()),
        ("etag", |request, _| request.etag = "03".into()),
        ("occurred_at", |request, _| {
            request.occurred_at = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 })
        }),
        ("occurred_at", |request, _| request.occurred_at = Some(prost_types::Timestamp { seconds: 0, nanos: -1 })),
        ("deal.partner", |_, deal| deal.partner = String::new()),
        ("deal.partner", |_, deal| deal.partner = "north".into()),
        ("deal.partner", |_, deal| deal.partner = "programs/other/partners/north".into()),
        ("deal.customer", |_, deal| deal.customer = None),
        ("deal.customer", |_, deal| deal.customer = Some(Customer::default())),
        ("deal.customer.name", |_, deal| deal.customer.as_mut().unwrap().name = "x".repeat(201)),
        ("deal.customer.country_code", |_, deal| deal.customer.as_mut().unwrap().country_code = "UK".into()),
        ("deal.customer.domain", |_, deal| deal.customer.as_mut().unwrap().domain = "com".into()),
        ("deal.customer.duns", |_, deal| deal.customer.as_mut().unwrap().duns = "1".into()),
        ("deal.customer.lei", |_, deal| deal.customer.as_mut().unwrap().lei = "1".into()),
        ("deal.customer.crm_id", |_, deal| deal.customer.as_mut().unwrap().crm_id = "ä".into()),
        ("deal.scope.products[1]", |_, deal| deal.scope.as_mut().unwrap().products[1] = "a b".into()),
        ("deal.amount.currency_code", |_, deal| deal.amount = Some(Money { currency_code: "usd".into(), minor: 1 })),
        ("deal.amount.currency_code", |_, deal| deal.amount = Some(Money::default())),
        ("deal.close_date", |_, deal| deal.close_date = "2027-02-30".into()),
        ("deal.close_date", |_, deal| deal.close_date = "1000-01-01".into()),
        ("deal.previous_deal", |_, deal| deal.previous_deal = "d-0".into()),
    ];
    for (field, break_it) in rows {
        let mut request = registration();
        let mut deal = request.deal.take().unwrap();
        break_it(&mut request, &mut deal);
        request.deal = Some(deal);
        assert_eq!(faults(request), [field]);
    }
    assert_eq!(faults(deal::RegisterDealRequest { deal: None, ..registration() }), ["deal"]);
}

#[test]
fn all_wrong_fields_are_named_at_once() {
    let mut request = registration();
    request.request_id = " ".into();
    request.deal_id = "-".into();
    let deal = request.deal.as_mut().unwrap();
    deal.close_date = "tomorrow".into();
    let customer = deal.customer.as_mut().unwrap();
    (customer.duns, customer.lei, customer.country_code) = ("1".into(), "1".into(), "Germany".into());
    let expected = [
        "request_id",
        "deal_id",
        "deal.customer.country_code",
        "deal.customer.duns",
        "deal.customer.lei",
        "deal.close_date",
    ];
    assert_eq!(faults(request), expected);
}

#[test]
fn who_may_not_ask_is_told_so() {
    let elsewhere = deal::RegisterDealRequest { parent: "programs/other".into(), ..registration() };
    assert!(matches!(parse(elsewhere), Err(InvalidRequest::OtherProgram(_))));
    let created =
        program::CreateProgramRequest { program_id: "other".into(), ..program::CreateProgramRequest::default() };
    assert!(matches!(parse(created), Err(InvalidRequest::OtherProgram(_))));

    let dated = deal::RegisterDealRequest { history: None, ..registration() };
    let historical = deal::RegisterDealRequest { occurred_at: None, ..registration() };
    let plain = deal::RegisterDealRequest { occurred_at: None, history: None, ..registration() };
    for role in [Role::PartnerSales, Role::ChannelManager] {
        assert!(matches!(parse_as(role, dated.clone()), Err(InvalidRequest::Forbidden(_))), "{role:?}");
        assert!(matches!(parse_as(role, historical.clone()), Err(InvalidRequest::Forbidden(_))), "{role:?}");
        assert!(parse_as(role, plain.clone()).is_ok(), "{role:?}");
    }
    assert!(parse_as(Role::Connector, registration()).is_ok());

    let other = partner::CreatePartnerRequest {
        parent: "programs/acme".into(),
        partner_id: "south".into(),
        partner: Some(partner::Partner { display_name: "South".into(), ..partner::Partner::default() }),
        ..partner::CreatePartnerRequest::default()
    };
    assert!(matches!(parse_as(Role::PartnerAdmin, other.clone()), Err(InvalidRequest::Forbidden(_))));
    assert!(parse(other.clone()).is_ok());
    let own = partner::CreatePartnerRequest { partner_id: String::new(), ..other };
    let Command::Partner(id, _) = parse_as(Role::PartnerAdmin, own).unwrap().command else { panic!() };
    assert_eq!(id.as_str(), "north");
}

fn update(mask: &[&str], deal: deal::Deal) -> deal::UpdateDealRequest {
    let paths: Vec<_> = mask.iter().map(ToString::to_string).collect();
    deal::UpdateDealRequest {
        deal: Some(deal::Deal { name: "programs/acme/deals/d-1".into(), ..deal }),
        update_mask: (!paths.is_empty()).then_some(FieldMask { paths }),
        ..deal::UpdateDealRequest::default()
    }
}

fn amendment(request: deal::UpdateDealRequest) -> pactum_domain::command::Amendment {
    match parse(request).unwrap().command {
        Command::Deal(id, DealCommand::Amend(amendment)) if id.as_str() == "d-1" => amendment,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_update_changes_what_the_mask_names_and_never_clears_what_was_left_out() {
    let given = deal::Deal { title: "New".into(), amount: Some(usd(5)), ..deal::Deal::default() };
    let unmasked = amendment(update(&[], given.clone()));
    assert_eq!(unmasked.title.as_deref(), Some("New"));
    assert_eq!(unmasked.amount.flatten().map(|amount| amount.minor), Some(5));
    assert!(unmasked.expected_close.is_none() && unmasked.customer.is_none());
    assert!(unmasked.products.is_none() && unmasked.territories.is_none());

    let masked = amendment(update(&["title"], given));
    assert_eq!((masked.title.as_deref(), masked.amount), (Some("New"), None));

    let cleared = amendment(update(&["amount", "close_date"], deal::Deal::default()));
    assert_eq!((cleared.amount, cleared.expected_close), (Some(None), Some(None)));

    let scope = Scope { products: vec!["a".into()], territories: vec![] };
    let scoped = amendment(update(&["scope"], deal::Deal { scope: Some(scope.clone()), ..deal::Deal::default() }));
    assert_eq!(scoped.products.unwrap().len(), 1);
    assert_eq!(scoped.territories, Some(vec![]), "a scope named whole is every territory where it names none");
    let part = amendment(update(&["scope.products"], deal::Deal { scope: Some(scope), ..deal::Deal::default() }));
    assert_eq!(part.territories, None);
}

#[test]
fn a_mask_names_what_can_be_changed() {
    let rows = [
        (&["stage"][..], "ChangeDealStage"),
        (&["partner"], "ReassignDeal"),
        (&["state"], "verbs"),
        (&["*"], "name the fields"),
        (&["customer.name"], "cannot be changed"),
        (&["titel"], "\"titel\" cannot be changed"),
        (&[], "names no field"),
    ];
    for (mask, problem) in rows {
        let error = parse(update(mask, deal::Deal::default())).unwrap_err().to_string();
        assert!(error.starts_with("update_mask: ") && error.contains(problem), "{mask:?}: {error}");
    }
    assert_eq!(faults(update(&["customer"], deal::Deal::default())), ["deal.customer"]);
}

#[test]
fn an_update_takes_the_etag_of_the_request_or_else_of_the_resource() {
    let given = deal::Deal { title: "New".into(), etag: "4".into(), ..deal::Deal::default() };
    assert_eq!(parse(update(&[], given.clone())).unwrap().expected_version, Some(4));
    let request = deal::UpdateDealRequest { etag: "7".into(), ..update(&[], given) };
    assert_eq!(parse(request).unwrap().expected_version, Some(7));
}

#[test]
fn what_a_partner_holds_is_the_vendors_to_grant() {
    let update = |mask: &str| partner::UpdatePartnerRequest {
        partner: Some(partner::Partner {
            name: "programs/acme/partners/north".into(),
            display_name: "North".into(),
            tier: "gold".into(),
            ..partner::Partner::default()
        }),
        update_mask: Some(FieldMask { paths: vec![mask.into()] }),
        ..partner::UpdatePartnerRequest::default()
    };
    for mask in ["tier", "territories", "specialisations"] {
        assert!(matches!(parse_as(Role::PartnerAdmin, update(mask)), Err(InvalidRequest::Forbidden(_))), "{mask}");
        assert!(parse(update(mask)).is_ok(), "{mask}");
    }
    let write = parse_as(Role::PartnerAdmin, update("display_name")).unwrap();
    let Command::Partner(_, PartnerCommand::Update(updated)) = write.command else { panic!() };
    assert_eq!((updated.display_name.as_deref(), updated.tier), (Some("North"), None));
    let write = parse(update("country_code")).unwrap();
    let Command::Partner(_, PartnerCommand::Update(updated)) = write.command else { panic!() };
    assert_eq!(updated.country, Some(None), "named and not set: cleared");
}

#[test]
fn an_approval_says_with_what_protection() {
    let rows = [
        (None, ProtectionChoice::Policy),
        (Some(Protection::WithoutProtection(false)), ProtectionChoice::Policy),
        (Some(Protection::WithoutProtection(true)), ProtectionChoice::Without),
        (Some(Protection::ProtectionDays(30)), ProtectionChoice::Days(30)),
    ];
    for (given, expected) in rows {
        let request = deal::ApproveDealRequest {
            name: "programs/acme/deals/d-1".into(),
            protection: given,
            ..deal::ApproveDealRequest::default()
        };
        let Command::Deal(_, DealCommand::Approve { protection, .. }) = parse(request).unwrap().command else {
            panic!()
        };
        assert_eq!(protection, expected);
    }
}

#[test]
fn a_program_is_created_with_or_without_a_policy() {
    let request = |policy: &str, currency: &str| program::CreateProgramRequest {
        program_id: "acme".into(),
        program: Some(program::Program { currency_code: currency.into(), ..program::Program::default() }),
        policy_document: policy.into(),
        ..program::CreateProgramRequest::default()
    };
    let command = |request| match parse(request).unwrap().command {
        Command::Program(ProgramCommand::Create { policy, .. }) => policy,
        other => panic!("{other:?}"),
    };
    assert_eq!(command(request("", "EUR")), None);
    assert_eq!(command(request("tiers: []", "EUR")).as_deref(), Some("tiers: []"));
    assert_eq!(faults(request("", "EURO")), ["program.currency_code"]);
}
