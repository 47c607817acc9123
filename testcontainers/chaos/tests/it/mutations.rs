//! A true history and its log are clean; every falsification of either is found, and by its name.

use std::sync::Arc;

use pactum_api::proto::bulk::v1::execute_request::Request;
use pactum_api::proto::deal::v1 as proto;
use pactum_chaos::check::Kind;
use pactum_chaos::history::{Outcome, ReadAnswer};
use pactum_chaos::{Findings, LoadOptions, check};
use pactum_domain::deal::{Event, ProtectionState};
use pactum_domain::event::AnyEvent;
use pactum_domain::model::Model;
use pactum_ids::{DealId, RequestId};
use pactum_journal::JournalOptions;
use pactum_log::Log;
use pactum_log::memory::{MemoryLog, MemoryOptions};
use prost::Message as _;

use crate::case::{Case, deal_event, grants, is_withdrawal, registrations};
use crate::local::{Local, contents, run};

/// What is falsified, how, and what the checker has to call it.
type Row = (&'static str, fn(&mut Case), Kind);

const LOG: &[Row] = &[
    ("the end of the log is gone", the_end_is_gone, Kind::Lost),
    ("a record in the middle is gone", a_record_is_gone, Kind::Hole),
    ("a record is there twice", a_record_is_doubled, Kind::Doubled),
    ("a record is another's", a_record_is_anothers, Kind::Unasked),
    ("a record says something else", a_record_is_changed, Kind::WrongEffect),
    ("a program lies in another partition", a_program_is_moved, Kind::Misplaced),
    ("a second deal holds protection", a_second_owner, Kind::TwoOwners),
    ("something follows the end of a deal", after_the_end, Kind::AfterFinal),
    ("a record follows from nothing", from_nothing, Kind::Unfoldable),
];

const COMMANDS: &[Row] = &[
    ("two answers are swapped", answers_are_swapped, Kind::WrongAnswer),
    ("an answer shows another etag", another_etag, Kind::WrongAnswer),
    ("an answer names another sequence", another_sequence, Kind::WrongAnswer),
    ("an answer came before an earlier one was asked for", against_time, Kind::OutOfOrder),
    ("what took effect was told to be refused", told_refused, Kind::TookEffect),
    ("what took effect was told to have left nothing", told_not_taken, Kind::TookEffect),
    ("a refusal has a reason of its own", another_reason, Kind::NotLinearizable),
    ("a refusal rests on what was no longer so", a_stale_refusal, Kind::NotLinearizable),
    ("a dry run was told another sequence", a_wrong_dry_run, Kind::NotLinearizable),
    ("a command was told of a bug", a_bug, Kind::Unexpected),
];

const READS: &[Row] = &[
    ("a read is older than asked for", an_old_read, Kind::OldRead),
    ("a read knows what was asked for later", a_read_of_the_future, Kind::WrongRead),
    ("a deal is read as it no longer was", a_stale_deal, Kind::WrongRead),
    ("a deal that is there is not found", a_deal_not_found, Kind::WrongRead),
    ("a list lacks the newest change", a_short_list, Kind::WrongRead),
    ("a pipeline counts one deal more", a_wrong_count, Kind::WrongRead),
];

fn the_end_is_gone(case: &mut Case) {
    let (last, _) = registrations(case).pop().unwrap();
    case.retain(|record| record.program != last.program || record.sequence < last.sequence);
}

fn a_record_is_gone(case: &mut Case) {
    let (gone, _) = case.find(grants);
    case.retain(|record| *record != gone);
}

fn a_record_is_doubled(case: &mut Case) {
    let (twice, _) = case.find(is_withdrawal);
    case.append(twice);
}

fn a_record_is_anothers(case: &mut Case) {
    let (record, _) = case.find(grants);
    case.change(&record, |record| record.request.as_mut().unwrap().id = RequestId::new("stranger").unwrap());
}

fn a_record_is_changed(case: &mut Case) {
    let (record, _) = case.find(is_withdrawal);
    case.change(&record, |record| {
        let AnyEvent::Deal(_, Event::Withdrawn { reason }) = &mut record.events.last_mut().unwrap().event else {
            return;
        };
        *reason = "said otherwise".into();
    });
}

fn a_program_is_moved(case: &mut Case) {
    let from = case.log.partitions.iter().position(|records| !records.is_empty()).unwrap();
    let records = std::mem::take(&mut case.log.partitions[from]);
    let to = 1 - from;
    case.log.partitions[to].extend(records);
}

/// A registration with protection, again for another deal, where the first still holds it at the end.
fn a_second_owner(case: &mut Case) {
    let (mut record, _) = case.find(|record| {
        let end = model_at_end(case, record);
        let deal = grants(record).then(|| end.deal(deal_event(record).0).cloned()).flatten();
        deal.is_some_and(|deal| matches!(deal.protection, ProtectionState::Held { .. }))
    });
    for recorded in &mut record.events {
        let AnyEvent::Deal(id, _) = &mut recorded.event else { panic!("{recorded:?}") };
        *id = DealId::new("second").unwrap();
    }
    case.append(record);
}

/// The program of a record, folded to the end.
fn model_at_end(case: &Case, like: &pactum_events::Record) -> Model {
    let mut model = Model::new(like.program.clone());
    for located in case.records().filter(|located| located.record.program == like.program) {
        for (moment, recorded) in located.record.moments() {
            drop(model.evolve(&recorded.event, moment).unwrap());
        }
    }
    model
}

fn after_the_end(case: &mut Case) {
    let (mut record, _) = case.find(is_withdrawal);
    let last = record.events.len() - 1;
    record.events.drain(..last);
    record.events[0].aggregate_version += 1;
    case.append(record);
}

fn from_nothing(case: &mut Case) {
    let (mut record, _) = case.find(is_withdrawal);
    let AnyEvent::Deal(id, _) = &mut record.events.last_mut().unwrap().event else { panic!("{record:?}") };
    *id = DealId::new("never-registered").unwrap();
    case.append(record);
}

fn answers_are_swapped(case: &mut Case) {
    let all = registrations(case);
    let (first, second) = (all[0].1, all[1].1);
    let outcome = case.history.commands[first].outcome.clone();
    case.history.commands[first].outcome = std::mem::replace(&mut case.history.commands[second].outcome, outcome);
}

fn another_etag(case: &mut Case) {
    let (_, call) = case.find(grants);
    let Outcome::Answered { resource, .. } = &mut case.history.commands[call].outcome else { panic!() };
    let deal = proto::Deal { etag: "99".into(), ..proto::Deal::decode(resource.clone()).unwrap() };
    *resource = deal.encode_to_vec().into();
}

fn another_sequence(case: &mut Case) {
    let (_, call) = case.find(grants);
    let Outcome::Answered { sequence, .. } = &mut case.history.commands[call].outcome else { panic!() };
    *sequence -= 1;
}

/// The later of two records is answered before the earlier one is asked for.
fn against_time(case: &mut Case) {
    let all = registrations(case);
    let (early, _) = all[0].clone();
    let (_, later) =
        all.iter().find(|(late, _)| late.program == early.program && late.sequence > early.sequence).unwrap();
    let returned = case.history.commands[*later].returned;
    let id = early.request.clone().unwrap().id;
    for call in &mut case.history.commands {
        if call.request.request_id() == id.as_str() && *call.program() == early.program {
            (call.first_invoked, call.invoked, call.returned) = (returned + 1, returned + 1, returned + 2);
        }
    }
}

fn told_refused(case: &mut Case) {
    let (record, _) = case.find(is_withdrawal);
    let refusals = case.history.commands.iter().map(|call| &call.outcome);
    let refused = refusals.clone().find(|outcome| matches!(outcome, Outcome::Refused(_))).unwrap().clone();
    case.tell(&record, &refused);
}

fn told_not_taken(case: &mut Case) {
    let (record, _) = case.find(grants);
    case.tell(&record, &Outcome::NotTaken { reason: "NOT_SERVING: starting".into() });
}

fn another_reason(case: &mut Case) {
    case.command(|call| {
        let Outcome::Refused(refused) = &mut call.outcome else { return false };
        refused.message.push('!');
        true
    });
}

/// A deal that had been registered is said not to be there.
fn a_stale_refusal(case: &mut Case) {
    let (record, call) = case.find(grants);
    case.not_there(deal_event(&record).0, call, case.history.commands[call].returned + 1);
}

fn a_wrong_dry_run(case: &mut Case) {
    case.command(|call| {
        let register = matches!(call.request.as_ref(), Request::RegisterDeal(register) if register.validate_only);
        let Outcome::Answered { sequence, .. } = &mut call.outcome else { return false };
        *sequence -= u64::from(register);
        register
    });
}

fn a_bug(case: &mut Case) {
    case.command(|call| {
        let open = matches!(call.outcome, Outcome::Refused(_));
        if open {
            call.outcome = Outcome::Unknown { why: "INTERNAL: a fault".into() };
        }
        open
    });
}

fn an_old_read(case: &mut Case) {
    case.read(|read| {
        let found = !matches!(read.answer, ReadAnswer::Deal { seen: None, .. });
        if found {
            read.min_sequence = read.answer.sequence() + 1;
        }
        found
    });
}

fn a_read_of_the_future(case: &mut Case) {
    let all = registrations(case);
    let (record, _) = all[all.len() / 2].clone();
    let began = case.history.began;
    case.read(|read| {
        let late = read.caller.program == record.program && read.answer.sequence() >= record.sequence;
        if late {
            (read.invoked, read.returned) = (began, began);
        }
        late
    });
}

/// A deal that was withdrawn is read at the end as it was registered.
fn a_stale_deal(case: &mut Case) {
    let read = case.history.reads.iter().find_map(|read| {
        let ReadAnswer::Deal { id, seen: Some(seen), .. } = &read.answer else { return None };
        let changed = |record: &pactum_events::Record| {
            record.program == read.caller.program
                && record.events.iter().any(|recorded| {
                    matches!(&recorded.event, AnyEvent::Deal(of, _) if of == id)
                        && recorded.aggregate_version.to_string() > seen.etag
                })
        };
        let last = case.records().filter(|located| changed(&located.record)).last()?;
        Some((read.clone(), last.record.last_sequence()))
    });
    let (mut read, last) = read.expect("the load reads deals that change later");
    let ReadAnswer::Deal { sequence, .. } = &mut read.answer else { unreachable!("it was found as one") };
    *sequence = last;
    (read.invoked, read.returned) = (case.history.ended, case.history.ended);
    case.history.reads.push(read);
}

fn a_deal_not_found(case: &mut Case) {
    case.read(|read| {
        let ReadAnswer::Deal { seen, sequence, .. } = &mut read.answer else { return false };
        if seen.take().is_some() {
            read.min_sequence = std::mem::take(sequence);
            return true;
        }
        false
    });
}

fn a_short_list(case: &mut Case) {
    case.read(|read| match &mut read.answer {
        ReadAnswer::Newest { seen, .. } if !seen.is_empty() => {
            seen.remove(0);
            true
        }
        _ => false,
    });
}

fn a_wrong_count(case: &mut Case) {
    case.read(|read| match &mut read.answer {
        ReadAnswer::Pipeline { groups, .. } if !groups.is_empty() => {
            groups[0].deals += 1;
            true
        }
        _ => false,
    });
}

async fn truth() -> Case {
    let views = tempfile::tempdir().unwrap();
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(&MemoryOptions { partitions: 2, ..MemoryOptions::default() }));
    let local = Local::start(&[log], JournalOptions::default(), views.path()).await;
    let options = LoadOptions { seed: 5, pace: std::time::Duration::from_millis(1), ..LoadOptions::default() };
    let (history, log) = run(local, options, 200).await;
    Case { history, log: contents(&log).await }
}

fn checked(case: &Case) -> Findings {
    check(&case.history, &case.log)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_falsification_is_found() {
    let truth = truth().await;
    let findings = checked(&truth);
    assert!(findings.is_clean(), "{findings}");
    assert_eq!(findings.reads as usize, truth.history.reads.len());

    for (what, falsify, kind) in LOG.iter().chain(COMMANDS).chain(READS) {
        let mut case = truth.clone();
        falsify(&mut case);
        let findings = checked(&case);
        assert!(findings.of(*kind) > 0, "{what}: no {kind} among\n{findings}");
        let text = &findings.violations().iter().find(|violation| violation.kind == *kind).unwrap().text;
        assert!(text.contains("programs/"), "{what}: the counterexample names no program: {text}");
    }

    // The same refusal that is wrong after the registration was right before it was asked for.
    let mut case = truth;
    let (record, call) = case.find(grants);
    let before = case.history.commands[call].first_invoked - 2;
    case.not_there(deal_event(&record).0, call, before);
    let findings = checked(&case);
    assert!(findings.is_clean(), "{findings}");
}
