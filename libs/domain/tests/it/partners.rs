//! A partner's life: each verb from each state, and a row for each refusal.

use pactum_domain::command::{Command, Context, PartnerCommand};
use pactum_domain::partner::PartnerState::{self, *};
use pactum_domain::partner::{Enrolled, Profile, ProfileUpdated};
use pactum_domain::rejection::Rejection;

use crate::support::*;

fn profile() -> Profile {
    Profile { display_name: "Pied Piper".to_owned(), country: Some("DE".into()), ..Profile::default() }
}
fn terms() -> Enrolled {
    Enrolled { specialisations: vec!["security".into()], ..enrolment("silver") }
}

fn commands(state: PartnerState) -> Vec<PartnerCommand> {
    let text = String::new;
    let mut commands = vec![PartnerCommand::Apply(profile())];
    match state {
        Applied => {}
        Rejected => commands.push(PartnerCommand::Reject { reason: text() }),
        Approved => commands.push(PartnerCommand::Approve { note: text() }),
        Onboarding | Active | Suspended | Terminated => {
            commands.push(PartnerCommand::Approve { note: text() });
            commands.push(PartnerCommand::Enroll(terms()));
        }
    }
    if matches!(state, Active | Suspended | Terminated) {
        commands.push(PartnerCommand::Activate);
    }
    match state {
        Suspended => commands.push(PartnerCommand::Suspend { reason: text() }),
        Terminated => commands.push(PartnerCommand::Terminate { reason: text() }),
        Applied | Approved | Rejected | Onboarding | Active => {}
    }
    commands
}

/// A program with partner `p` in the state.
fn partner_in(state: PartnerState) -> World {
    let mut world = World::new();
    for command in commands(state) {
        world.run(&partner("p", command));
    }
    assert_eq!(state_of(&world), state);
    world
}

fn state_of(world: &World) -> PartnerState {
    world.model.partner(&partner_id("p")).unwrap().state
}

#[test]
fn every_verb_from_every_state() {
    let text = String::new;
    let rename = ProfileUpdated { display_name: Some("Hooli".to_owned()), ..ProfileUpdated::default() };
    let retier = ProfileUpdated { tier: Some("gold".into()), ..ProfileUpdated::default() };
    type States = &'static [(PartnerState, PartnerState)];
    type Already = &'static [PartnerState];
    let same: States =
        &[(Applied, Applied), (Approved, Approved), (Onboarding, Onboarding), (Active, Active), (Suspended, Suspended)];
    let enrolled: States = &[(Onboarding, Onboarding), (Active, Active), (Suspended, Suspended)];
    let leave: States =
        &[(Approved, Terminated), (Onboarding, Terminated), (Active, Terminated), (Suspended, Terminated)];
    let verbs: Vec<(PartnerCommand, States, Already)> = vec![
        (PartnerCommand::Approve { note: text() }, &[(Applied, Approved)], &[Approved]),
        (PartnerCommand::Reject { reason: text() }, &[(Applied, Rejected)], &[Rejected]),
        (PartnerCommand::Enroll(terms()), &[(Approved, Onboarding)], &[Onboarding]),
        (PartnerCommand::Enroll(enrolment("gold")), &[(Approved, Onboarding)], &[]),
        (PartnerCommand::Activate, &[(Onboarding, Active)], &[Active]),
        (PartnerCommand::Suspend { reason: text() }, &[(Active, Suspended)], &[Suspended]),
        (PartnerCommand::Reinstate { reason: text() }, &[(Suspended, Active)], &[Active]),
        (PartnerCommand::Terminate { reason: text() }, leave, &[Terminated]),
        (PartnerCommand::AssignManager { manager: "dana".into() }, same, &[]),
        (PartnerCommand::Update(rename), same, &[]),
        (PartnerCommand::Update(retier), enrolled, &[]),
    ];
    for state in [Applied, Approved, Rejected, Onboarding, Active, Suspended, Terminated] {
        let world = partner_in(state);
        for (command, taken, already) in &verbs {
            let command = partner("p", command.clone());
            let decided = world.decide(admin(), &command);
            let case = format!("{command:?} on a partner that is {}", state.words());
            if let Some((_, after)) = taken.iter().find(|(from, _)| *from == state) {
                let mut world = world.clone();
                assert_eq!(world.run(&command).len(), 1, "{case}");
                assert_eq!(state_of(&world), *after, "{case}");
                assert_eq!(world.decide(admin(), &command), Ok(Vec::new()), "again: {case}");
            } else if already.contains(&state) {
                assert_eq!(decided, Ok(Vec::new()), "{case}");
            } else {
                let refusal = decided.expect_err(&case);
                let Rejection::InvalidTransition { kind, state: words, .. } = &refusal else {
                    panic!("{case}: {refusal}")
                };
                assert_eq!((*kind, *words), ("partner", state.words()), "{case}");
            }
        }
    }
}

#[test]
fn enrolment_fixes_tier_type_territories_and_specialisations() {
    let mut world = partner_in(Approved);
    let territories = vec!["US".into(), "DE".into(), "US".into()];
    world.run(&partner("p", PartnerCommand::Enroll(Enrolled { territories, ..terms() })));
    let p = world.model.partner(&partner_id("p")).unwrap();
    assert_eq!((p.tier.as_str(), p.profile.kind.as_str()), ("silver", "reseller"));
    assert_eq!(
        (p.territories.as_slice(), p.specialisations.as_slice()),
        (&["DE".into(), "US".into()][..], &["security".into()][..])
    );
    assert_eq!(p.version, 3);
}

#[test]
fn only_named_and_differing_fields_change() {
    let mut world = partner_in(Active);
    let same = ProfileUpdated {
        display_name: Some("Pied Piper".to_owned()),
        country: Some(Some("DE".into())),
        domain: Some(None),
        territories: Some(vec!["US".into(), "EMEA".into()]),
        specialisations: Some(vec!["security".into()]),
        tier: Some("silver".into()),
    };
    assert_eq!(world.decide(admin(), &partner("p", PartnerCommand::Update(same))), Ok(Vec::new()));
    let cleared = ProfileUpdated { country: Some(None), ..ProfileUpdated::default() };
    world.run_as(sales("p"), &partner("p", PartnerCommand::Update(cleared)));
    let p = world.model.partner(&partner_id("p")).unwrap();
    assert_eq!((p.profile.country.as_ref(), p.profile.display_name.as_str()), (None, "Pied Piper"));
}

#[test]
fn refusals_of_fields() {
    let apply = |change: fn(&mut Profile)| {
        let mut given = profile();
        change(&mut given);
        partner("n", PartnerCommand::Apply(given))
    };
    let world = World::new();
    let rows: [(Command, &str); 7] = [
        (apply(|p| p.display_name = " ".to_owned()), "partner.display_name: must not be empty"),
        (apply(|p| p.display_name = "x".repeat(201)), "partner.display_name: longer than 200 characters"),
        (apply(|p| p.country = Some("Germany".into())), "partner.country: not an ISO 3166-1 alpha-2 code, such as DE"),
        (apply(|p| p.domain = Some("".into())), "partner.domain: must not be empty"),
        (apply(|p| p.domain = Some("a b".into())), "partner.domain: not a domain, such as partner.example"),
        (
            apply(|p| p.kind = "wizard".into()),
            "partner.partner_type: \"wizard\" is not a partner type of the policy, which has reseller, integrator",
        ),
        (apply(|p| p.kind = "a b".into()), "partner.partner_type: spaces and control characters are not allowed"),
    ];
    for (command, message) in rows {
        check(&world, admin(), &command, "INVALID_FIELD", message);
    }
    let taken = partner("alpha", PartnerCommand::Apply(profile()));
    check(&world, admin(), &taken, "ALREADY_EXISTS", "partner alpha exists already");
}

#[test]
fn refusals_of_enrolment_and_terms() {
    let approved = partner_in(Approved);
    let enroll = |change: fn(&mut Enrolled)| {
        let mut given = terms();
        change(&mut given);
        partner("p", PartnerCommand::Enroll(given))
    };
    let rows: [(Command, &str); 8] = [
        (
            enroll(|t| t.tier = "lead".into()),
            "tier: \"lead\" is not a tier of the policy, which has basic, silver, gold",
        ),
        (enroll(|t| t.kind = "".into()), "partner_type: must not be empty"),
        (
            enroll(|t| t.kind = "wizard".into()),
            "partner_type: \"wizard\" is not a partner type of the policy, which has reseller, integrator",
        ),
        (enroll(|t| t.territories = vec!["XX".into()]), "territories: \"XX\" is not a territory of the program"),
        (enroll(|t| t.territories = vec!["".into()]), "territories: must not be empty"),
        (enroll(|t| t.territories = vec!["DE".into(); 101]), "territories: more than 100 entries"),
        (
            enroll(|t| t.specialisations = vec!["magic".into()]),
            "specialisations: \"magic\" is not a specialisation of the policy",
        ),
        (
            partner("p", PartnerCommand::AssignManager { manager: "d d".into() }),
            "manager: spaces and control characters are not allowed",
        ),
    ];
    for (command, message) in rows {
        check(&approved, admin(), &command, "INVALID_FIELD", message);
    }
    let active = partner_in(Active);
    let update = |update| partner("p", PartnerCommand::Update(update));
    let blank = ProfileUpdated::default;
    let rows = [
        (ProfileUpdated { display_name: Some(String::new()), ..blank() }, "partner.display_name: must not be empty"),
        (
            ProfileUpdated { country: Some(Some("de".into())), ..blank() },
            "partner.country: not an ISO 3166-1 alpha-2 code, such as DE",
        ),
        (
            ProfileUpdated { domain: Some(Some("a b".into())), ..blank() },
            "partner.domain: not a domain, such as partner.example",
        ),
        (
            ProfileUpdated { tier: Some("lead".into()), ..blank() },
            "partner.tier: \"lead\" is not a tier of the policy, which has basic, silver, gold",
        ),
        (
            ProfileUpdated { territories: Some(vec!["XX".into()]), ..blank() },
            "partner.territories: \"XX\" is not a territory of the program",
        ),
        (
            ProfileUpdated { specialisations: Some(vec!["magic".into()]), ..blank() },
            "partner.specialisations: \"magic\" is not a specialisation of the policy",
        ),
    ];
    for (given, message) in rows {
        check(&active, admin(), &update(given), "INVALID_FIELD", message);
    }
    let suspend = PartnerCommand::Suspend { reason: "x".repeat(4_001) };
    check(&active, admin(), &partner("p", suspend), "INVALID_FIELD", "reason: longer than 4000 characters");
}

#[test]
fn who_may() {
    let world = partner_in(Active);
    let update = |update| partner("p", PartnerCommand::Update(update));
    let retier = || ProfileUpdated { tier: Some("gold".into()), ..ProfileUpdated::default() };
    check(&world, sales("p"), &update(retier()), "FORBIDDEN", "only the vendor may do this");
    check(&world, sales("alpha"), &update(retier()), "NOT_FOUND", "partner p does not exist");
    let activate = partner("p", PartnerCommand::Activate);
    check(&world, sales("p"), &activate, "FORBIDDEN", "only the vendor may do this");
    check(&world, sales("alpha"), &activate, "NOT_FOUND", "partner p does not exist");
    check(&world, admin(), &partner("q", PartnerCommand::Activate), "NOT_FOUND", "partner q does not exist");
    let apply = partner("q", PartnerCommand::Apply(profile()));
    check(&world, sales("p"), &apply, "FORBIDDEN", "a partner may apply only in its own name");
    let context = Context { expected_version: Some(1), ..world.context(admin(), world.now) };
    let message = "the etag is stale: it names version 1, the resource is at 4";
    check_in(&world, &context, &activate, "STALE_ETAG", message);
    let message = "the etag is stale: it names version 1, the resource is at 0";
    check_in(&world, &context, &apply, "STALE_ETAG", message);
}

#[test]
fn enrolment_needs_a_policy() {
    let mut world = World::empty();
    let currency = pactum_domain::money::Currency::parse("USD").unwrap();
    let create =
        pactum_domain::command::ProgramCommand::Create { display_name: "Acme".to_owned(), currency, policy: None };
    world.run(&program(create));
    world.run(&partner("p", PartnerCommand::Apply(Profile { kind: "anything".into(), ..profile() })));
    world.run(&partner("p", PartnerCommand::Approve { note: String::new() }));
    let message = "the program has no policy in force; publish one first";
    check(&world, admin(), &partner("p", PartnerCommand::Enroll(terms())), "NO_POLICY", message);
}

#[test]
fn a_partner_that_leaves_keeps_its_deals_until_the_vendor_decides() {
    let mut world = World::new();
    world.run(&register("d", submission("alpha", "initech")));
    let before = world.deal("d").clone();
    world.run(&partner("alpha", PartnerCommand::Terminate { reason: String::new() }));
    assert_eq!(*world.deal("d"), before);
    world.run(&reassign("d", "beta", &[1]));
    assert_eq!(world.deal("d").protection, before.protection);
}
