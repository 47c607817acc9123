//! What holds in every history, tried on random ones.

use pactum_domain::actor::Actor;
use pactum_domain::command::{Command, Context, DealCommand, OpportunityCommand, ProgramCommand};
use pactum_domain::deal::{Deal, Event, Grant, ProtectionState};
use pactum_domain::event::AnyEvent;
use pactum_domain::model::Model;
use pactum_domain::rejection::Rejection;
use proptest::prelude::*;

use crate::generator::{PARTNERS, Step, policies, steps};
use crate::support::World;

/// Invariant 1: for an account and overlapping scope at most one deal holds protection.
fn one_owner(model: &Model) -> Result<(), TestCaseError> {
    let policy = &model.program().unwrap().policies.last().unwrap().policy;
    for account in model.accounts() {
        let holding: Vec<_> =
            model.deals().filter(|deal| deal.account.as_ref() == Some(&account.id)).filter(holds).collect();
        for (n, a) in holding.iter().enumerate() {
            for b in &holding[n + 1..] {
                prop_assert!(!a.scope.overlaps(&b.scope, policy), "{} and {} both hold {}", a.id, b.id, account.id);
            }
        }
        prop_assert_eq!(model.protections(&account.id).count(), holding.len());
    }
    Ok(())
}

fn holds(deal: &&std::sync::Arc<Deal>) -> bool {
    matches!(deal.protection, ProtectionState::Held { .. })
}

/// The deal that an event is about, as it was before it.
fn before<'a>(model: &'a Model, event: &AnyEvent) -> Option<&'a Deal> {
    match event {
        AnyEvent::Deal(id, _) => model.deal(id).map(AsRef::as_ref),
        AnyEvent::Program(_) | AnyEvent::Partner(..) | AnyEvent::Opportunity(..) => None,
    }
}

/// What an event must find: a deal that is not final (invariant 5), and where it grants cover, one that gives it.
fn follows(world: &World, actor: &Actor, event: &AnyEvent) -> Result<(), TestCaseError> {
    let deal = before(&world.model, event);
    if let Some(deal) = deal {
        prop_assert!(!deal.state.is_final(), "{event:?} follows {:?}", deal.state);
        let lapse = matches!(event, AnyEvent::Deal(_, Event::ProtectionExpired { .. }));
        if let (Some(own), false) = (&actor.partner, lapse) {
            prop_assert_eq!(&deal.partner, own, "a partner touches another's deal: {:?}", event);
        }
    }
    if let AnyEvent::Deal(_, Event::Approved { grant: Grant::Under { deal: cover }, .. }) = event {
        let (deal, cover) = (deal.unwrap(), world.model.deal(cover).unwrap());
        let policy = &world.model.program().unwrap().policies.last().unwrap().policy;
        prop_assert!(holds(&cover) && cover.partner == deal.partner && cover.account == deal.account);
        prop_assert!(cover.scope.overlaps(&deal.scope, policy));
    }
    if let AnyEvent::Deal(id, Event::Resubmitted(_)) = event {
        prop_assert!(world.model.deal(id).unwrap().registered_sequence.is_some());
    }
    Ok(())
}

/// Folds events one by one and takes them back, newest first: the model is as it was, indexes and all.
fn undo_restores(world: &World, context: &Context, events: &[AnyEvent]) -> Result<(), TestCaseError> {
    let mut model = world.model.clone();
    let mut undos = Vec::new();
    for event in events {
        let sequence = model.sequence() + 1;
        let Context { recorded_at, occurred_at, .. } = *context;
        undos.push(model.evolve(event, pactum_domain::event::Moment { occurred_at, recorded_at, sequence }).unwrap());
    }
    while let Some(undo) = undos.pop() {
        model.undo(undo);
    }
    prop_assert!(model == world.model, "undo of {events:?}");
    Ok(())
}

/// Asked again, what was done is a success without an event, or the id is taken; never a second effect. An extension is
/// another one each time, and an answer that was decided at once is no longer asked for.
fn asked_again(world: &World, context: &Context, command: &Command) -> Result<(), TestCaseError> {
    let again = world.model.decide(command, context);
    let creates = matches!(
        command,
        Command::Deal(_, DealCommand::Register(_) | DealCommand::Draft(_))
            | Command::Opportunity(_, OpportunityCommand::Open { .. })
    );
    match command {
        Command::Deal(_, DealCommand::ExtendProtection { .. }) => {}
        Command::Deal(_, DealCommand::Submit { .. } | DealCommand::Resubmit(_)) => {
            let decided = matches!(again, Err(Rejection::InvalidTransition { .. }));
            prop_assert!(decided || again == Ok(Vec::new()), "{:?}", again);
        }
        _ if creates => prop_assert!(matches!(again, Err(Rejection::AlreadyExists { .. })), "{again:?}"),
        _ => prop_assert_eq!(again, Ok(Vec::new()), "{:?}", command),
    }
    Ok(())
}

/// A refusal given to a partner names no other.
fn names_no_other(actor: &Actor, command: &Command, refusal: &Rejection) -> Result<(), TestCaseError> {
    let Some(own) = &actor.partner else { return Ok(()) };
    let asked = format!("{command:?}");
    for other in PARTNERS.into_iter().filter(|id| *id != own.as_str()) {
        let told = refusal.to_string();
        prop_assert!(asked.contains(other) || !told.contains(other), "{told}");
    }
    Ok(())
}

fn take(world: &mut World, context: &Context, command: &Command) -> Result<(), TestCaseError> {
    match world.model.decide(command, context) {
        Err(refusal) => names_no_other(&context.actor, command, &refusal),
        Ok(events) => {
            undo_restores(world, context, &events)?;
            for event in &events {
                follows(world, &context.actor, event)?;
                world.fold(event, context);
                one_owner(&world.model)?;
            }
            if let Command::Deal(id, DealCommand::Register(_)) = command {
                // Whatever became of it, it is history: who asked, and when.
                let deal = world.model.deal(id).unwrap();
                prop_assert!(deal.registered_sequence.is_some() && deal.account.is_some());
            }
            asked_again(world, context, command)
        }
    }
}

fn timer(world: &mut World) -> Result<(), TestCaseError> {
    for command in world.model.due(world.now, 100) {
        let context = world.context(Actor::timer(), world.now);
        let events = world.model.decide(&command, &context);
        prop_assert!(matches!(&events, Ok(events) if events.len() == 1), "{events:?}");
        take(world, &context, &command)?;
    }
    prop_assert_eq!(world.model.due(world.now, 1), []);
    prop_assert!(world.model.next_due().is_none_or(|due| due > world.now));
    Ok(())
}

fn live(policy: &str, importing: bool, steps: &[Step]) -> Result<World, TestCaseError> {
    let mut world = World::with(policy);
    if importing {
        let (import, source) = (crate::support::import_id("first"), String::new());
        world.run(&Command::Program(ProgramCommand::StartHistoryImport { import, source }));
    }
    for step in steps {
        world.now.0 += step.hours * 3_600_000_000;
        if step.timer {
            timer(&mut world)?;
        }
        let told =
            matches!(step.actor.role, pactum_domain::actor::Role::ProgramAdmin | pactum_domain::actor::Role::Connector);
        let days_ago = if told { step.days_ago } else { 0 };
        let context = world.context(step.actor.clone(), world.now.plus_days(-days_ago));
        let command = step.command(world.model.deals().len());
        take(&mut world, &context, &command)?;
    }
    Ok(world)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn every_history_keeps_the_invariants(policy in policies(), importing: bool, steps in steps()) {
        let world = live(&policy, importing, &steps)?;

        let mut again = Model::new(world.model.id().clone());
        for (event, moment) in &world.log {
            let _ = again.evolve(event, *moment).unwrap();
        }
        prop_assert!(again == world.model, "the fold is not a function of the log");

        let events = u64::try_from(world.log.len()).unwrap();
        let versions = world.model.program().unwrap().version
            + world.model.partners().map(|row| row.version).sum::<u64>()
            + world.model.deals().map(|row| row.version).sum::<u64>()
            + world.model.opportunities().map(|row| row.version).sum::<u64>();
        prop_assert_eq!((events, events), (world.model.sequence(), versions));
    }
}

/// A foreign history stops the fold with an error that says why; it never panics, and changes nothing.
#[test]
fn events_that_do_not_follow_are_refused() {
    let world = World::new();
    let other = {
        let mut other = World::new();
        other.run(&crate::support::register("d", crate::support::submission("alpha", "n")));
        other.run(&crate::support::win("d", crate::support::usd(1)));
        other.log
    };
    let mut model = world.model.clone();
    let (won, moment) = other.last().unwrap();
    assert_eq!(model.evolve(won, *moment).unwrap_err().to_string(), "an event of deal d, which was never created");
    let (created, moment) = &other[0];
    assert_eq!(model.evolve(created, *moment).unwrap_err().to_string(), "program acme is created twice");
    let (applied, moment) = &other[2];
    assert_eq!(model.evolve(applied, *moment).unwrap_err().to_string(), "partner alpha is created twice");
    assert_eq!(model, world.model);
}
