//! Every verb from every state of a deal: it is taken, it is so already, or the transition does not exist.

use pactum_domain::command::{Amendment, Command, DealCommand, ProtectionChoice, Submission};
use pactum_domain::deal::DealState::{self, *};
use pactum_domain::rejection::Rejection;

use crate::support::*;

const STATES: [DealState; 13] = [
    Draft,
    Submitted,
    InReview,
    ActionRequired,
    Conflicted,
    Approved,
    Won,
    Lost,
    Rejected,
    Duplicate,
    Expired,
    Withdrawn,
    Revoked,
];

/// A program with `original` on another account and `d` in the state, its own protection still running where it has one.
pub(crate) fn deal_in(state: DealState) -> World {
    let mut world = World::with(&POLICY.replace("on_lapse: keep", "on_lapse: expire"));
    let elsewhere = Submission { customer: customer("Globex", "globex.example"), ..submission("beta", "globex") };
    world.run(&register("original", elsewhere));
    let then: &[Command] = match state {
        Draft => &[deal("d", DealCommand::Draft(draft("alpha")))],
        Submitted => &[register("d", large("alpha", "initech"))],
        InReview => &[register("d", large("alpha", "initech")), deal("d", DealCommand::StartReview)],
        ActionRequired => &[register("d", large("alpha", "initech")), request_action("who decides there?")],
        Conflicted => {
            &[register("holder", submission("beta", "initech")), register("d", submission("alpha", "unused"))]
        }
        Approved | Expired => &[register("d", submission("alpha", "initech"))],
        Won => &[register("d", submission("alpha", "initech")), win("d", usd(100))],
        Lost => &[register("d", submission("alpha", "initech")), lose("d")],
        Rejected => &[register("d", large("alpha", "initech")), reject()],
        Duplicate => &[register("d", large("alpha", "initech")), mark_duplicate("original")],
        Withdrawn => &[register("d", large("alpha", "initech")), withdraw("d")],
        Revoked => &[register("d", submission("alpha", "initech")), revoke()],
    };
    for command in then {
        world.run(command);
    }
    if state == Expired {
        world.pass(90);
        world.run_due();
    }
    assert_eq!(world.state("d"), state);
    world
}

pub(crate) fn request_action(message: &str) -> Command {
    deal("d", DealCommand::RequestAction { message: message.to_owned() })
}
pub(crate) fn reject() -> Command {
    deal("d", DealCommand::Reject { reason_code: "".into(), note: String::new() })
}
pub(crate) fn revoke() -> Command {
    deal("d", DealCommand::Revoke { reason_code: "".into(), note: String::new() })
}
pub(crate) fn mark_duplicate(of: &str) -> Command {
    deal("d", DealCommand::MarkDuplicate { of: deal_id(of), note: String::new() })
}

/// A verb, the states it is taken from and what follows, and the states in which it is so already.
struct Verb {
    command: Command,
    taken: &'static [(DealState, DealState)],
    already: &'static [DealState],
}

fn verbs() -> Vec<Verb> {
    let other_title = Amendment { title: Some("Another".to_owned()), ..Amendment::default() };
    let other_submission = Submission { title: "Answered".to_owned(), ..large("alpha", "unused-2") };
    let verb = |command, taken, already| Verb { command, taken, already };
    vec![
        verb(
            deal("d", DealCommand::Submit { new_account: account_id("initech") }),
            &[(Draft, Approved)],
            &[Submitted, Conflicted],
        ),
        verb(deal("d", DealCommand::Resubmit(other_submission)), &[(ActionRequired, Submitted)], &[]),
        verb(deal("d", DealCommand::StartReview), &[(Submitted, InReview), (Conflicted, InReview)], &[InReview]),
        verb(
            request_action("something"),
            &[
                (Submitted, ActionRequired),
                (InReview, ActionRequired),
                (Conflicted, ActionRequired),
                (ActionRequired, ActionRequired),
            ],
            &[],
        ),
        verb(
            request_action("who decides there?"),
            &[(Submitted, ActionRequired), (InReview, ActionRequired), (Conflicted, ActionRequired)],
            &[ActionRequired],
        ),
        verb(
            approve("d", ProtectionChoice::Without),
            &[(Submitted, Approved), (InReview, Approved), (Conflicted, Approved)],
            &[Approved],
        ),
        verb(
            reject(),
            &[(Submitted, Rejected), (InReview, Rejected), (Conflicted, Rejected), (ActionRequired, Rejected)],
            &[Rejected],
        ),
        verb(
            mark_duplicate("original"),
            &[(Submitted, Duplicate), (InReview, Duplicate), (Conflicted, Duplicate)],
            &[Duplicate],
        ),
        verb(
            withdraw("d"),
            &[
                (Draft, Withdrawn),
                (Submitted, Withdrawn),
                (InReview, Withdrawn),
                (ActionRequired, Withdrawn),
                (Conflicted, Withdrawn),
                (Approved, Withdrawn),
            ],
            &[Withdrawn],
        ),
        verb(revoke(), &[(Approved, Revoked)], &[Revoked]),
        verb(
            reassign("d", "gamma", &[1]),
            &[(InReview, InReview), (Conflicted, Conflicted), (Approved, Approved)],
            &[],
        ),
        verb(
            deal("d", DealCommand::ChangeStage { stage: "proposal".into() }),
            &[(Draft, Draft), (Approved, Approved)],
            &[],
        ),
        verb(
            amend("d", other_title),
            &[
                (Draft, Draft),
                (Submitted, Submitted),
                (InReview, InReview),
                (ActionRequired, ActionRequired),
                (Conflicted, Conflicted),
                (Approved, Approved),
            ],
            &[],
        ),
        verb(win("d", usd(100)), &[(Approved, Won)], &[Won]),
        verb(lose("d"), &[(Approved, Lost)], &[Lost]),
        verb(
            deal("d", DealCommand::Reopen { reason: String::new() }),
            &[(Won, Approved), (Lost, Approved)],
            &[Approved],
        ),
        verb(extend("d", 10), &[(Approved, Approved)], &[]),
    ]
}

#[test]
fn every_verb_from_every_state() {
    for state in STATES {
        let world = deal_in(state);
        for Verb { command, taken, already } in verbs() {
            let decided = world.decide(admin(), &command);
            let case = format!("{command:?} on a deal that is {}", state.words());
            if let Some((_, after)) = taken.iter().find(|(from, _)| *from == state) {
                assert!(!decided.expect(&case).is_empty(), "{case}");
                let mut world = world.clone();
                world.run(&command);
                assert_eq!(world.state("d"), *after, "{case}");
            } else if already.contains(&state) {
                assert_eq!(decided, Ok(Vec::new()), "{case}");
            } else {
                let refusal = decided.expect_err(&case);
                let Rejection::InvalidTransition { kind, state: words, .. } = &refusal else {
                    panic!("{case}: {refusal}")
                };
                let unprotected = matches!(&command, Command::Deal(_, DealCommand::ExtendProtection { .. }));
                let expected = if unprotected { "without protection of its own" } else { state.words() };
                assert_eq!((*kind, *words), ("deal", expected), "{case}");
            }
        }
    }
}

#[test]
fn a_final_state_takes_nothing() {
    for state in STATES.into_iter().filter(|state| state.is_final()) {
        let world = deal_in(state);
        for Verb { command, taken, .. } in verbs() {
            assert!(taken.iter().all(|(from, _)| *from != state));
            assert!(world.decide(admin(), &command).map_or(true, |events| events.is_empty()), "{state:?} {command:?}");
        }
    }
}
