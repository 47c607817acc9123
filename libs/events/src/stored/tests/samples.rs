//! An example of every stored form, with every optional part there.

use pactum_domain::account::{AccountKey, Customer};
use pactum_domain::deal::{Basis, ConflictKind};
use pactum_domain::partner::PartnerState;
use pactum_ids::ProductId;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp(1_700_000_000_000_000 + second * 1_000_000)
}

fn day() -> Date {
    Date::from_ymd(2024, 2, 29).unwrap()
}

fn usd(minor: i64) -> Money {
    Money { currency: Currency::parse("USD").unwrap(), minor }
}

fn text(text: &str) -> SmolStr {
    SmolStr::new(text)
}

fn partner_id(id: &str) -> PartnerId {
    PartnerId::new(id).unwrap()
}

fn deal_id(id: &str) -> DealId {
    DealId::new(id).unwrap()
}

fn account_id(id: &str) -> AccountId {
    AccountId::new(id).unwrap()
}

fn customer() -> Customer {
    Customer {
        name: text("Müller & Söhne GmbH"),
        country: Some(text("DE")),
        keys: vec![
            AccountKey::Duns(text("150483782")),
            AccountKey::Lei(text("5493001KJTIIGC8Y1R12")),
            AccountKey::CrmId(text("0015g00000XyZ")),
            AccountKey::Domain(text("xn--mller-kva.de")),
        ],
    }
}

fn scope() -> Scope {
    Scope { products: vec![ProductId::new("crm").unwrap()], territories: vec![text("DE-BY"), text("emea")] }
}

fn decision() -> Decision {
    Decision { reason_code: text("REVIEWED"), note: "fits".into(), automatic: false, policy_version: 3 }
}

fn registered() -> Registered {
    Registered {
        partner: partner_id("p-1"),
        title: "Platform for the plant".into(),
        account: account_id("01JD3Z0000000000000000000A"),
        customer: customer(),
        scope: scope(),
        amount: Some(usd(105_450)),
        expected_close: Some(day()),
        stage: text("proposal"),
        previous_deal: Some(deal_id("d-0")),
        basis: Basis::Recorded,
    }
}

fn conflicts() -> Vec<Conflict> {
    let kinds = [
        ConflictKind::ProtectedByOther { deal: deal_id("d-7"), partner: partner_id("p-7"), until: at(90) },
        ConflictKind::VendorOpportunity { opportunity: OpportunityId::new("o-1").unwrap() },
        ConflictKind::ExistingCustomer { deal: deal_id("d-8") },
        ConflictKind::AmbiguousAccount { accounts: vec![account_id("a-1"), account_id("a-2")] },
        ConflictKind::SimilarAccount { account: account_id("a-3"), score: 931 },
        ConflictKind::PartnerNotActive { state: PartnerState::Suspended },
        ConflictKind::TierTooLow { required: text("gold"), actual: text("silver") },
        ConflictKind::TerritoryNotHeld { territory: text("CH") },
        ConflictKind::SpecialisationNotHeld { specialisation: text("security") },
        ConflictKind::CapacityUsedUp { limit: 25 },
        ConflictKind::OwnRegistration { deal: deal_id("d-9") },
    ];
    let matched = vec![AccountKey::Domain(text("example.com"))];
    kinds.into_iter().map(|kind| Conflict { kind, matched: matched.clone() }).collect()
}

/// Every stored form by name. A variant of another type is one more sample of its form, never a changed one.
pub(super) fn samples() -> Vec<(&'static str, Vec<AnyEvent>)> {
    let mut samples = programs();
    samples.extend(partners());
    samples.extend(deals());
    samples.extend(opportunities());
    samples
}

fn programs() -> Vec<(&'static str, Vec<AnyEvent>)> {
    use program::Event as E;
    let import = || ImportId::new("crm-2017").unwrap();
    let one = |event| vec![AnyEvent::Program(event)];
    vec![
        (
            "ProgramCreatedV1",
            one(E::Created { display_name: "Acme Partners".into(), currency: Currency::parse("EUR").unwrap() }),
        ),
        (
            "PolicyPublishedV1",
            one(E::PolicyPublished { version: 2, effective_from: at(1), document: "tiers:\n- id: gold\n".into() }),
        ),
        ("HistoryImportStartedV1", one(E::HistoryImportStarted { import: import(), source: "CRM".into() })),
        ("HistoryImportCompletedV1", one(E::HistoryImportCompleted { import: import() })),
        ("ProgramArchivedV1", one(E::Archived { reason: "merged".into() })),
    ]
}

fn partners() -> Vec<(&'static str, Vec<AnyEvent>)> {
    use partner::Event as E;
    let one = |event| vec![AnyEvent::Partner(partner_id("p-1"), event)];
    let enrolled = Enrolled {
        tier: text("gold"),
        kind: text("reseller"),
        territories: vec![text("DE")],
        specialisations: vec![text("security")],
    };
    let updated = ProfileUpdated {
        display_name: Some("Init AG".into()),
        country: Some(Some(text("DE"))),
        domain: Some(None),
        territories: Some(vec![text("AT"), text("DE")]),
        specialisations: Some(Vec::new()),
        tier: Some(text("silver")),
    };
    let profile = Profile {
        display_name: "Init".into(),
        country: Some(text("DE")),
        domain: Some(text("init.example")),
        kind: text("reseller"),
    };
    let reason = || "late papers".to_owned();
    vec![
        ("PartnerAppliedV1", one(E::Applied(profile))),
        ("PartnerApprovedV1", one(E::Approved { note: "welcome".into() })),
        ("PartnerRejectedV1", one(E::Rejected { reason: reason() })),
        ("PartnerEnrolledV1", one(E::Enrolled(enrolled))),
        ("PartnerProfileUpdatedV1", one(E::ProfileUpdated(updated))),
        ("PartnerActivatedV1", one(E::Activated)),
        ("PartnerSuspendedV1", one(E::Suspended { reason: reason() })),
        ("PartnerReinstatedV1", one(E::Reinstated { reason: reason() })),
        ("PartnerTerminatedV1", one(E::Terminated { reason: reason() })),
        ("PartnerManagerAssignedV1", one(E::ManagerAssigned { manager: text("m-4") })),
    ]
}

fn deals() -> Vec<(&'static str, Vec<AnyEvent>)> {
    use deal::Event as E;
    let of = |event| AnyEvent::Deal(deal_id("d-1"), event);
    let one = |event| vec![of(event)];
    let reason = || "no budget".to_owned();
    let drafted = Drafted {
        partner: partner_id("p-1"),
        title: "An idea".into(),
        customer: Some(customer()),
        scope: scope(),
        amount: Some(usd(1)),
        expected_close: Some(day()),
        stage: Some(text("discovery")),
        previous_deal: Some(deal_id("d-0")),
    };
    let amended = Amended {
        title: Some("A better idea".into()),
        customer: Some((customer(), Some(account_id("a-2")))),
        scope: Some(scope()),
        amount: Some(None),
        expected_close: Some(Some(day())),
    };
    let approved = |grant| of(E::Approved { decision: decision(), grant });
    let window = |basis| approved(Grant::Window { from: at(0), until: at(7_776_000), basis });
    let occurred = Registered { basis: Basis::Occurred, amount: None, ..registered() };
    vec![
        ("DealDraftedV1", one(E::Drafted(drafted))),
        ("DealRegisteredV1", vec![of(E::Registered(registered())), of(E::Registered(occurred))]),
        ("DealConflictDetectedV1", one(E::ConflictDetected { conflicts: conflicts() })),
        ("DealReviewStartedV1", one(E::ReviewStarted { due: at(5) })),
        ("DealActionRequiredV1", one(E::ActionRequired { message: "name the buyer".into() })),
        ("DealResubmittedV1", one(E::Resubmitted(registered()))),
        (
            "DealApprovedV1",
            vec![
                approved(Grant::None),
                window(Basis::Recorded),
                window(Basis::Occurred),
                approved(Grant::Under { deal: deal_id("d-2") }),
            ],
        ),
        ("DealRejectedV1", one(E::Rejected { decision: decision() })),
        ("DealMarkedDuplicateV1", one(E::MarkedDuplicate { of: deal_id("d-2"), decision: decision() })),
        (
            "DealProtectionExtendedV1",
            one(E::ProtectionExtended { until: at(9), reason: reason(), evidence: vec![3, 300] }),
        ),
        ("DealProtectionExpiredV1", one(E::ProtectionExpired { until: at(9), deal_expired: true })),
        ("DealWithdrawnV1", one(E::Withdrawn { reason: reason() })),
        ("DealRevokedV1", one(E::Revoked { decision: decision() })),
        (
            "DealReassignedV1",
            one(E::Reassigned {
                from: partner_id("p-1"),
                to: partner_id("p-2"),
                evidence: vec![7],
                decision: decision(),
            }),
        ),
        ("DealStageChangedV1", one(E::StageChanged { from: text("discovery"), to: text("proposal") })),
        ("DealAmendedV1", vec![of(E::Amended(amended)), of(E::Amended(Amended::default()))]),
        ("DealWonV1", one(E::Won { amount: usd(105_450), closed_on: day() })),
        ("DealLostV1", one(E::Lost { reason: reason(), closed_on: day() })),
        ("DealReopenedV1", one(E::Reopened { reason: reason() })),
    ]
}

fn opportunities() -> Vec<(&'static str, Vec<AnyEvent>)> {
    use opportunity::Event as E;
    let one = |event| vec![AnyEvent::Opportunity(OpportunityId::new("o-1").unwrap(), event)];
    vec![
        (
            "VendorOpportunityOpenedV1",
            one(E::Opened { account: account_id("a-1"), customer: customer(), scope: scope() }),
        ),
        ("VendorOpportunityClosedV1", one(E::Closed { reason: "sold".into() })),
    ]
}
