//! Laws of the machine, over random commands: one effect for a request id, what is taken back leaves no trace, and whoever
//! folds the same log holds the same state.

use std::collections::HashMap;

use bytes::Bytes;
use pactum_command::{Answer, Envelope, ProgramsMachine, Refusal, Trace};
use pactum_domain::account::{AccountKey, Customer};
use pactum_domain::actor::{Actor, Role};
use pactum_domain::command::{
    Amendment, Command, DealCommand, Draft, PartnerCommand, ProgramCommand, ProtectionChoice, Submission,
};
use pactum_domain::deal::Scope;
use pactum_domain::money::{Currency, Money};
use pactum_domain::partner::{Enrolled, Profile};
use pactum_domain::time::{DAY, Timestamp};
use pactum_events::{Request, decode};
use pactum_ids::{AccountId, DealId, PartnerId, ProgramId, RequestId};
use pactum_journal::{Decision, Machine};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::fixture::POLICY;

const START: i64 = 1_780_000_000_000_000;
const PARTNERS: [&str; 3] = ["north", "south", "west"];

/// One thing that is asked, in small numbers.
#[derive(Clone, Debug)]
struct Ask {
    program: u8,
    /// 0 to 2: that partner; else the vendor.
    caller: u8,
    what: u8,
    deal: u8,
    other: u8,
    /// 0: none.
    request: u8,
    validate_only: bool,
    stale: bool,
    /// How far the clock moves before; it may go back, too.
    hours: i64,
}

fn ask() -> impl Strategy<Value = Ask> {
    let hours = prop_oneof![8 => 0..30_i64, 1 => -50..0_i64, 2 => 30..400_i64];
    (0..2_u8, 0..6_u8, 0..24_u8, 0..6_u8, 0..6_u8, 0..12_u8, any::<u8>(), hours).prop_map(
        |(program, caller, what, deal, other, request, rare, hours)| Ask {
            program,
            caller,
            what,
            deal,
            other,
            request,
            validate_only: rare % 16 == 0,
            stale: rare % 16 == 1,
            hours,
        },
    )
}

fn program(n: u8) -> ProgramId {
    ProgramId::new(format!("program-{n}")).unwrap()
}

fn partner(n: u8) -> PartnerId {
    PartnerId::new(PARTNERS[usize::from(n) % PARTNERS.len()]).unwrap()
}

fn actor(caller: u8) -> Actor {
    let (role, partner) =
        if caller < 3 { (Role::PartnerSales, Some(partner(caller))) } else { (Role::ProgramAdmin, None) };
    Actor { subject: "tester".into(), role, partner }
}

fn submission(ask: &Ask, account: AccountId) -> Submission {
    Submission {
        partner: partner(if ask.caller < 3 { ask.caller } else { ask.other }),
        title: "a deal".into(),
        customer: Customer {
            name: "".into(),
            country: None,
            keys: vec![AccountKey::Domain(format!("c{}.example", ask.other % 3).into())],
        },
        new_account: account,
        scope: Scope::default(),
        amount: Some(Money::new(Currency::parse("USD").unwrap(), 1_000)),
        expected_close: None,
        stage: None,
        previous_deal: None,
        history: None,
    }
}

/// The command, and what it says: without the ids that the edge mints, which differ each time it is sent.
fn command(ask: &Ask, minted: usize) -> (Command, String) {
    let account = AccountId::new(format!("account-{minted}")).unwrap();
    let content = format!("{:?}", (ask.what, ask.deal, ask.other));
    let text = String::from("because");
    let deal = match ask.what {
        0 => DealCommand::Draft(Draft {
            partner: partner(if ask.caller < 3 { ask.caller } else { ask.other }),
            title: "a draft".into(),
            customer: None,
            scope: Scope::default(),
            amount: None,
            expected_close: None,
            stage: None,
            previous_deal: None,
        }),
        1..=5 => DealCommand::Register(submission(ask, account)),
        6 => DealCommand::Submit { new_account: account },
        7 => DealCommand::StartReview,
        8 => DealCommand::Approve { protection: ProtectionChoice::Policy, reason_code: "".into(), note: text },
        9 => DealCommand::Reject { reason_code: "NO".into(), note: text },
        10 => DealCommand::Withdraw { reason: text },
        11 => DealCommand::Win { amount: Money::new(Currency::parse("USD").unwrap(), 900), closed_on: None },
        12 => DealCommand::Lose { reason: text, closed_on: None },
        13 => DealCommand::Reopen { reason: text },
        14 => DealCommand::ExtendProtection { days: 5, reason: text, evidence: vec![1] },
        15 => DealCommand::Amend(Amendment { title: Some(format!("title {}", ask.other)), ..Amendment::default() }),
        16 => DealCommand::Amend(Amendment {
            customer: Some((submission(ask, account.clone()).customer, account)),
            ..Amendment::default()
        }),
        17 => DealCommand::RequestAction { message: text },
        18 => DealCommand::Resubmit(submission(ask, account)),
        19 => DealCommand::ChangeStage { stage: ["new", "late"][usize::from(ask.other % 2)].into() },
        20 => DealCommand::MarkDuplicate { of: DealId::new(format!("deal-{}", ask.other)).unwrap(), note: text },
        21 => DealCommand::Reassign {
            to: partner(ask.other),
            evidence: vec![1],
            reason_code: "DISPUTE".into(),
            note: text,
        },
        _ => {
            let command = match (ask.what, ask.deal % 2) {
                (22, 0) => PartnerCommand::Suspend { reason: text },
                (22, _) => PartnerCommand::Reinstate { reason: text },
                // Rare, for it is final.
                (_, _) if ask.deal == 5 && ask.other == 5 => PartnerCommand::Terminate { reason: text },
                (_, _) => PartnerCommand::AssignManager { manager: format!("m-{}", ask.deal).into() },
            };
            return (Command::Partner(partner(ask.other), command), content);
        }
    };
    (Command::Deal(DealId::new(format!("deal-{}", ask.deal)).unwrap(), deal), content)
}

fn envelope(ask: &Ask, minted: usize) -> Box<Envelope> {
    let (command, content) = command(ask, minted);
    let mut content_hash = [0; 16];
    content.bytes().enumerate().for_each(|(at, byte)| content_hash[at % 16] ^= byte.rotate_left(at as u32 / 16));
    let id = (ask.request > 0).then(|| RequestId::new(format!("r-{}", ask.request)).unwrap());
    Box::new(Envelope {
        program: program(ask.program),
        command,
        actor: actor(ask.caller),
        occurred_at: None,
        expected_version: ask.stale.then_some(99),
        request: id.map(|id| Request { id, content_hash }),
        trace: Trace::default(),
        validate_only: ask.validate_only,
    })
}

fn vendor(program: ProgramId, command: Command) -> Box<Envelope> {
    Box::new(Envelope { actor: actor(9), ..Envelope::timer(program, command) })
}

/// Two programs with active partners, and the log of how they came to be.
fn ready() -> (ProgramsMachine, Vec<Bytes>) {
    let mut machine = ProgramsMachine::default();
    let mut log = Vec::new();
    for n in 0..2 {
        let create = ProgramCommand::Create {
            display_name: "a program".into(),
            currency: Currency::parse("USD").unwrap(),
            policy: Some(POLICY.into()),
        };
        let mut commands = vec![Command::Program(create)];
        for id in 0..3 {
            let enrolled = Enrolled {
                tier: "gold".into(),
                kind: "reseller".into(),
                territories: Vec::new(),
                specialisations: Vec::new(),
            };
            let profile = Profile { display_name: "a partner".into(), ..Profile::default() };
            commands.extend(
                [
                    PartnerCommand::Apply(profile),
                    PartnerCommand::Approve { note: String::new() },
                    PartnerCommand::Enroll(enrolled),
                    PartnerCommand::Activate,
                ]
                .map(|command| Command::Partner(partner(id), command)),
            );
        }
        for command in commands {
            match machine.decide(&vendor(program(n), command), START) {
                Decision::Append { body, .. } => log.push(body),
                Decision::Answer(answer) => panic!("{answer:?}"),
            }
        }
    }
    (machine, log)
}

fn folded(log: &[Bytes]) -> ProgramsMachine {
    let mut machine = ProgramsMachine::default();
    for body in log {
        machine.fold(body).unwrap();
    }
    machine
}

/// Decides, checks that taking it back leaves no trace, and lets it stand.
fn decide(machine: &mut ProgramsMachine, envelope: &Envelope, now: i64, log: &mut Vec<Bytes>) -> (Answer, bool) {
    let envelope = Box::new(envelope.clone());
    let before = machine.clone();
    match machine.decide(&envelope, now) {
        Decision::Answer(answer) => {
            assert!(!matches!(answer, Err(Refusal::Unfoldable(_))), "{envelope:?}: {answer:?}");
            assert!(*machine == before, "an answer without a record has changed the state");
            (answer, false)
        }
        Decision::Append { body, undo, answer } => {
            assert!(!envelope.validate_only);
            assert!(*machine != before);
            machine.undo(undo);
            assert!(*machine == before, "an effect taken back has left a trace");
            let Decision::Append { body: again, answer: same, .. } = machine.decide(&envelope, now) else {
                panic!("the same decision twice differs")
            };
            assert_eq!((&again, &same), (&body, &answer));
            log.push(body);
            (answer, true)
        }
    }
}

fn pass(machine: &mut ProgramsMachine, now: i64, log: &mut Vec<Bytes>) {
    for due in machine.due(now, 100) {
        let (answer, appended) = decide(machine, &due, now, log);
        assert!(answer.is_ok() && appended, "{due:?} was due and is {answer:?}");
    }
    assert_eq!(machine.due(now, 100), []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_request_id_has_one_answer_and_one_effect_and_every_fold_agrees(asks in vec(ask(), 1..80)) {
        let (mut machine, mut log) = ready();
        let mut first: HashMap<_, ([u8; 16], Answer, i64)> = HashMap::new();
        let mut latest = [START; 2];
        let mut now = START;
        for (minted, ask) in asks.iter().enumerate() {
            now += ask.hours * 3_600_000_000;
            pass(&mut machine, now, &mut log);
            let envelope = envelope(ask, minted);
            // Lapses have records of their own, so the program's clock is read from the log.
            for record in log.iter().map(|body| decode(body).unwrap()) {
                let at = &mut latest[usize::from(record.program == program(1))];
                *at = (*at).max(record.recorded_at.0);
            }
            let recorded_at = now.max(latest[usize::from(ask.program)]);
            let unidentified = Box::new(Envelope { request: None, ..(*envelope).clone() });
            let (Decision::Append { answer: anew, .. } | Decision::Answer(anew)) =
                machine.clone().decide(&unidentified, now);
            let (answer, appended) = decide(&mut machine, &envelope, now, &mut log);
            let Some(request) = &envelope.request else { continue };
            let key = (ask.program, envelope.actor.partner.clone(), request.id.clone());
            let known = first.get(&key).filter(|(_, _, at)| at + 7 * DAY > recorded_at);
            match known {
                Some((hash, told, _)) if *hash == request.content_hash => {
                    prop_assert_eq!(told, &answer);
                    prop_assert!(!appended);
                }
                Some(_) => {
                    prop_assert_eq!(answer, Err(Refusal::RequestIdReused(request.id.clone())));
                    prop_assert!(!appended);
                }
                None => {
                    prop_assert_eq!(&answer, &anew);
                    if appended {
                        first.insert(key, (request.content_hash, answer, recorded_at));
                    }
                }
            }
        }
        prop_assert!(folded(&log) == machine, "who folds the log holds another state than who wrote it");
    }

    #[test]
    fn effects_taken_back_newest_first_leave_the_state_of_the_log(
        confirmed in vec(ask(), 0..30),
        in_flight in vec(ask(), 1..30),
    ) {
        let (mut machine, mut log) = ready();
        let mut now = START;
        for (minted, ask) in confirmed.iter().enumerate() {
            now += ask.hours * 3_600_000_000;
            let _ = decide(&mut machine, &envelope(ask, minted), now, &mut log);
        }
        let before = machine.clone();
        let mut undos = Vec::new();
        for (ask, minted) in in_flight.iter().zip(1_000..) {
            now += ask.hours * 3_600_000_000;
            if let Decision::Append { undo, .. } = machine.decide(&envelope(ask, minted), now) {
                undos.push(undo);
            }
        }
        for undo in undos.into_iter().rev() {
            machine.undo(undo);
        }
        prop_assert!(machine == before);
        prop_assert!(folded(&log) == machine);
    }

    #[test]
    fn sequences_are_gapless_and_time_never_goes_back(asks in vec(ask(), 1..80)) {
        let (mut machine, mut log) = ready();
        let mut now = START;
        for (minted, ask) in asks.iter().enumerate() {
            now += ask.hours * 3_600_000_000;
            let _ = decide(&mut machine, &envelope(ask, minted), now, &mut log);
        }
        let mut places = HashMap::new();
        for record in log.iter().map(|body| decode(body).unwrap()) {
            let (sequence, recorded_at) = places.entry(record.program.clone()).or_insert((0, Timestamp::MIN));
            prop_assert_eq!(record.sequence, *sequence + 1);
            prop_assert!(record.recorded_at >= *recorded_at);
            (*sequence, *recorded_at) = (record.last_sequence(), record.recorded_at);
        }
        for (program, (sequence, _)) in places {
            prop_assert_eq!(machine.sequence(&program), Some(sequence));
        }
    }
}

#[test]
fn a_program_whose_creation_is_taken_back_never_was() {
    let mut machine = ProgramsMachine::default();
    let create = Command::Program(ProgramCommand::Create {
        display_name: "a program".into(),
        currency: Currency::parse("USD").unwrap(),
        policy: Some(POLICY.into()),
    });
    let apply = Command::Partner(
        partner(0),
        PartnerCommand::Apply(Profile { display_name: "a partner".into(), ..Profile::default() }),
    );
    let undos = [create, apply].map(|command| match machine.decide(&vendor(program(0), command), START) {
        Decision::Append { undo, .. } => undo,
        Decision::Answer(answer) => panic!("{answer:?}"),
    });
    assert_eq!(machine.programs(), 1);
    undos.into_iter().rev().for_each(|undo| machine.undo(undo));
    assert!(machine == ProgramsMachine::default());
}

#[test]
fn a_foreign_or_damaged_history_is_not_folded() {
    let (mut machine, log) = ready();
    let before = machine.clone();
    for body in [Bytes::new(), Bytes::from_static(&[9, 9, 9]), log[0].clone(), log[0].slice(..log[0].len() - 1)] {
        assert!(machine.fold(&body).is_err());
        assert!(machine == before);
    }
    let mut other = ProgramsMachine::default();
    let error = other.fold(&log[1]).unwrap_err().to_string();
    assert!(error.contains("sequence"), "{error}");
    assert_eq!(other.programs(), 0);
}

#[test]
fn names_of_programs_that_do_not_exist_take_no_room() {
    let mut machine = ProgramsMachine::default();
    for n in 0..100 {
        let ask = Ask {
            program: n,
            caller: 9,
            what: 1,
            deal: 0,
            other: 0,
            request: 1,
            validate_only: false,
            stale: false,
            hours: 0,
        };
        assert!(matches!(machine.decide(&envelope(&ask, 0), START), Decision::Answer(Err(_))));
    }
    assert_eq!(machine.programs(), 0);
}
