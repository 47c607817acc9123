//! Conflicts of a claim, each kind, their order, and what the policy does about them.

use pactum_domain::account::AccountKey;
use pactum_domain::command::{Amendment, DealCommand, OpportunityCommand, PartnerCommand, Submission};
use pactum_domain::deal::{Conflict, ConflictKind, DealState, Event, Grant, ProtectionState};
use pactum_domain::partner::{Enrolled, PartnerState, ProfileUpdated};

use crate::deal_matrix::deal_in;
use crate::support::*;

/// The conflicts found when the submission is registered.
#[track_caller]
fn found(world: &World, submission: Submission) -> Vec<Conflict> {
    let events = world.decide(admin(), &register("d", submission)).unwrap();
    let conflicts = events.iter().find_map(|event| match deal_event(event) {
        Event::ConflictDetected { conflicts } => Some(conflicts.clone()),
        _ => None,
    });
    conflicts.unwrap_or_default()
}

#[track_caller]
fn kinds(world: &World, submission: Submission) -> Vec<ConflictKind> {
    found(world, submission).into_iter().map(|conflict| conflict.kind).collect()
}

fn held_by_beta(scoped: (&[&str], &[&str])) -> World {
    let mut world = World::new();
    let wide = Enrolled { specialisations: vec!["security".into()], ..enrolment("silver") };
    world.active_partner("holder", wide);
    world.run(&register("held", Submission { scope: scope(scoped.0, scoped.1), ..submission("holder", "initech") }));
    assert!(matches!(world.deal("held").protection, ProtectionState::Held { .. }));
    world
}

#[test]
fn another_partners_protection_where_scopes_overlap() {
    let rows: [(&[&str], &[&str], bool); 9] = [
        (&["core"], &["DE"], true),
        (&["core", "addon"], &["DE"], true),
        (&["core"], &["EMEA"], true),
        (&["core"], &["DE-BY"], true),
        (&["core"], &["FR", "DE"], true),
        (&["addon"], &["DE"], false),
        (&["core"], &["FR"], false),
        (&["core"], &["US"], false),
        (&["addon"], &["FR"], false),
    ];
    let world = held_by_beta((&["core"], &["DE"]));
    for (products, territories, overlap) in rows {
        let submission = Submission { scope: scope(products, territories), ..submission("alpha", "unused") };
        let until = START.plus_days(90);
        let holder = ConflictKind::ProtectedByOther { deal: deal_id("held"), partner: partner_id("holder"), until };
        let matched = vec![AccountKey::Domain("initech.example".into())];
        let expected = if overlap { vec![Conflict { kind: holder, matched }] } else { Vec::new() };
        assert_eq!(found(&world, submission), expected, "{products:?} {territories:?}");
    }
}

#[test]
fn a_scope_without_products_or_territories_is_all_of_them() {
    let policy = POLICY.replace("require_territory: true", "require_territory: false");
    let mut world = World::with(&policy);
    let all = Enrolled { specialisations: vec!["security".into()], ..enrolment("silver") };
    world.active_partner("holder", all);
    world.run(&register("held", Submission { scope: scope(&[], &[]), ..submission("holder", "initech") }));
    let submission = Submission { scope: scope(&["addon"], &["US"]), ..submission("alpha", "unused") };
    assert!(matches!(kinds(&world, submission)[..], [ConflictKind::ProtectedByOther { .. }]));
}

#[test]
fn the_vendors_own_opportunity() {
    let mut world = World::new();
    let open = |products: &[&str]| OpportunityCommand::Open {
        customer: customer("Initech", "initech.example"),
        new_account: account_id("initech"),
        scope: scope(products, &["EMEA"]),
    };
    world.run(&opportunity("o1", open(&["core"])));
    world.run(&opportunity("o2", open(&["addon"])));
    let own = ConflictKind::VendorOpportunity { opportunity: opportunity_id("o1") };
    assert_eq!(kinds(&world, submission("alpha", "unused")), [own]);
    world.run(&opportunity("o1", OpportunityCommand::Close { reason: "lost".to_owned() }));
    assert_eq!(kinds(&world, submission("alpha", "unused")), []);
}

#[test]
fn a_customer_that_has_bought() {
    let world = deal_in(DealState::Won);
    let bought = ConflictKind::ExistingCustomer { deal: deal_id("d") };
    let submission = || Submission { scope: scope(&["addon"], &["US"]), ..submission("beta", "unused") };
    let conflicts = |world: &World| {
        let events = world.decide(admin(), &register("n", submission())).unwrap();
        names(&events)
    };
    assert_eq!(conflicts(&world), ["n Registered", "n ConflictDetected"]);
    assert_eq!(kinds_of(&world, "n", submission()), [bought]);
    let mut reopened = world.clone();
    reopened.run(&deal("d", DealCommand::Reopen { reason: String::new() }));
    assert_eq!(conflicts(&reopened), ["n Registered", "n Approved"]);
}

#[track_caller]
fn kinds_of(world: &World, id: &str, submission: Submission) -> Vec<ConflictKind> {
    let mut world = world.clone();
    world.run(&register(id, submission));
    world.deal(id).conflicts.iter().map(|conflict| conflict.kind.clone()).collect()
}

#[test]
fn what_the_partner_lacks() {
    let mut world = World::new();
    world.active_partner("small", Enrolled { territories: vec!["FR".into()], ..enrolment("basic") });
    let too_low = ConflictKind::TierTooLow { required: "silver".into(), actual: "basic".into() };
    let not_held = |territory: &str| ConflictKind::TerritoryNotHeld { territory: territory.into() };
    let lacks = ConflictKind::SpecialisationNotHeld { specialisation: "security".into() };
    let of_small = |products: &[&str], territories: &[&str]| Submission {
        scope: scope(products, territories),
        ..submission("small", "n")
    };
    assert_eq!(kinds(&world, of_small(&["core"], &["FR"])), std::slice::from_ref(&too_low));
    assert_eq!(
        kinds(&world, of_small(&["core"], &["DE", "FR", "US"])),
        [too_low.clone(), not_held("DE"), not_held("US")]
    );
    assert_eq!(kinds(&world, of_small(&["shield"], &["EMEA"])), [too_low.clone(), not_held("EMEA"), lacks.clone()]);
    assert_eq!(kinds(&world, of_small(&[], &[])), [too_low, not_held("*"), lacks]);
    let alpha = Submission { scope: scope(&["core"], &[]), ..submission("alpha", "n") };
    assert_eq!(kinds(&world, alpha), [], "EMEA and US are all that the program lists");
    world.run(&partner("alpha", PartnerCommand::Suspend { reason: String::new() }));
    let suspended = ConflictKind::PartnerNotActive { state: PartnerState::Suspended };
    assert_eq!(kinds(&world, submission("alpha", "n")), [suspended]);
}

#[test]
fn the_tiers_capacity() {
    let mut world = World::with(&POLICY.replace("min_tier: silver", "min_tier: basic"));
    world.active_partner("small", enrolment("basic"));
    for n in 0..4 {
        let elsewhere = customer("", &format!("c{n}.example"));
        let id = format!("c{n}");
        world.run(&register(&id, Submission { customer: elsewhere, ..submission("small", &id) }));
    }
    assert_eq!(kinds(&world, submission("small", "n")), [ConflictKind::CapacityUsedUp { limit: 4 }]);
    world.run(&lose("c0"));
    assert_eq!(kinds(&world, submission("small", "n")), [], "a closed deal takes no room");
    world.run(&partner(
        "small",
        PartnerCommand::Update(ProfileUpdated { tier: Some("silver".into()), ..Default::default() }),
    ));
    world.run(&register("c4", submission("small", "n")));
    assert_eq!(world.state("c4"), DealState::Approved);
}

#[test]
fn a_deal_in_line_does_not_take_its_own_room() {
    let policy = POLICY.replace("min_tier: silver", "min_tier: basic").replace("capacity: 4", "capacity: 1");
    let mut world = World::with(&policy);
    world.active_partner("small", enrolment("basic"));
    world.run(&register("d", large("small", "n")));
    world.run(&deal("d", DealCommand::RequestAction { message: "?".to_owned() }));
    world.run(&deal("d", DealCommand::Resubmit(submission("small", "unused"))));
    assert_eq!(world.state("d"), DealState::Approved);
}

#[test]
fn conflicts_are_ranked_and_the_partners_own_registration_comes_last() {
    let mut world = held_by_beta((&["core"], &["DE"]));
    let mine = Submission { scope: scope(&["addon"], &["DE"]), ..submission("alpha", "unused") };
    world.run(&register("mine", mine));
    let open = OpportunityCommand::Open {
        customer: customer("Initech", "initech.example"),
        new_account: account_id("unused"),
        scope: scope(&[], &[]),
    };
    world.run(&opportunity("o", open));
    world.run(&partner("alpha", PartnerCommand::Suspend { reason: String::new() }));
    let wide = Submission { scope: scope(&["core", "addon"], &["DE"]), ..submission("alpha", "unused") };
    let found = kinds(&world, wide);
    assert!(found.is_sorted_by_key(ConflictKind::rank));
    let ranks: Vec<u8> = found.iter().map(ConflictKind::rank).collect();
    assert_eq!(ranks, [0, 1, 5, 10]);
    assert_eq!(found.last(), Some(&ConflictKind::OwnRegistration { deal: deal_id("mine") }));
}

#[test]
fn the_partners_own_registration_alone_is_no_conflict_and_gives_no_second_window() {
    let mut world = World::new();
    world.run(&register("first", submission("alpha", "initech")));
    let events = world.run(&register("second", submission("alpha", "unused")));
    assert_eq!(names(&events), ["second Registered", "second Approved"]);
    let Event::Approved { grant, .. } = deal_event(&events[1]) else { panic!("{events:?}") };
    assert_eq!(*grant, Grant::Under { deal: deal_id("first") });
    assert_eq!(world.deal("second").protection, ProtectionState::Under { deal: deal_id("first") });
}

#[test]
fn what_the_policy_does_about_a_conflict() {
    let rows = [
        ("review", vec!["d Registered", "d ConflictDetected"], DealState::Conflicted),
        ("reject", vec!["d Registered", "d ConflictDetected", "d Rejected"], DealState::Rejected),
        ("approve-unprotected", vec!["d Registered", "d ConflictDetected", "d Approved"], DealState::Approved),
    ];
    for (on_conflict, events, state) in rows {
        let mut world = World::with(&POLICY.replace("on_conflict: review", &format!("on_conflict: {on_conflict}")));
        world.run(&register("held", submission("beta", "initech")));
        let decided = world.run(&register("d", submission("alpha", "unused")));
        assert_eq!(names(&decided), events);
        assert_eq!((world.state("d"), &world.deal("d").protection), (state, &ProtectionState::None));
        assert_eq!(world.deal("d").conflicts.len(), 1);
        if let Event::Rejected { decision } | Event::Approved { decision, .. } = deal_event(decided.last().unwrap()) {
            assert_eq!((decision.reason_code.as_str(), decision.automatic), ("CONFLICT", true));
        }
    }
}

#[test]
fn a_changed_claim_is_examined_anew() {
    let mut world = World::new();
    world.run(&register("held", submission("beta", "initech")));
    let elsewhere = Submission { scope: scope(&["core"], &["US"]), ..large("alpha", "unused") };
    world.run(&register("d", elsewhere));
    assert_eq!(world.state("d"), DealState::Submitted);
    let to = |territory: &str| Amendment { territories: Some(vec![territory.into()]), ..Amendment::default() };
    let into = world.run_as(sales("alpha"), &amend("d", to("DE")));
    assert_eq!(names(&into), ["d Amended", "d ConflictDetected"]);
    assert_eq!(world.state("d"), DealState::Conflicted);
    let out = world.run_as(sales("alpha"), &amend("d", to("US")));
    assert_eq!(names(&out), ["d Amended"]);
    assert_eq!(
        (world.state("d"), world.deal("d").conflicts.len()),
        (DealState::Conflicted, 0),
        "a reviewer looks still"
    );
}

#[test]
fn a_disputed_claim_is_examined_for_its_new_partner() {
    let mut world = deal_in(DealState::Conflicted);
    let events = world.run(&reassign("d", "gamma", &[1]));
    assert_eq!(names(&events), ["d Reassigned", "d ConflictDetected"]);
    let mut world = deal_in(DealState::Conflicted);
    let events = world.run(&reassign("d", "beta", &[1]));
    assert_eq!(names(&events), ["d Reassigned"], "the holder itself is not in its own way");
    assert_eq!(world.deal("d").conflicts, []);
}

#[test]
fn a_deal_that_ends_with_its_lapse_takes_no_room_and_is_no_registration_any_more() {
    let policy = POLICY
        .replace("min_tier: silver", "min_tier: basic")
        .replace("capacity: 4", "capacity: 1")
        .replace("on_lapse: keep", "on_lapse: expire");
    let mut world = World::with(&policy);
    world.active_partner("small", enrolment("basic"));
    world.run(&register("first", submission("small", "initech")));
    world.pass(90);
    let again = register("again", submission("small", "unused"));
    let events = world.clone().run(&again);
    assert_eq!(names(&events), ["first ProtectionExpired", "again Registered", "again Approved"]);
    world.run(&partner("small", PartnerCommand::Suspend { reason: String::new() }));
    world.run(&again);
    let kinds: Vec<ConflictKind> = world.deal("again").conflicts.iter().map(|conflict| conflict.kind.clone()).collect();
    assert_eq!(kinds, [ConflictKind::PartnerNotActive { state: PartnerState::Suspended }]);
}
