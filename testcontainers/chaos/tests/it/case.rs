//! A true history with its log, and the means to falsify either.

use std::sync::Arc;

use pactum_api::error;
use pactum_api::proto::bulk::v1::execute_request::Request;
use pactum_api::proto::deal::v1 as proto;
use pactum_chaos::check::Located;
use pactum_chaos::history::{CommandCall, Outcome, ReadCall, Refused};
use pactum_chaos::{History, LogContents};
use pactum_domain::deal::{Event, Grant};
use pactum_domain::event::AnyEvent;
use pactum_events::Record;
use pactum_ids::DealId;

/// What clients saw and what the log holds, to be falsified.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) history: History,
    pub(crate) log: LogContents,
}

impl Case {
    pub(crate) fn records(&self) -> impl Iterator<Item = &Located> {
        self.log.partitions.iter().flatten()
    }

    /// The command with the request id of a record.
    pub(crate) fn call_of(&self, record: &Record) -> Option<usize> {
        let id = record.request.as_ref()?.id.as_str();
        let same = |call: &CommandCall| {
            call.request.request_id() == id
                && *call.program() == record.program
                && matches!(call.outcome, Outcome::Answered { .. })
        };
        self.history.commands.iter().position(same)
    }

    /// The first record of a kind that has an answered command.
    pub(crate) fn find(&self, wanted: impl Fn(&Record) -> bool) -> (Record, usize) {
        let found = self.records().filter(|located| wanted(&located.record));
        let mut answered = found.filter_map(|located| Some((located.record.clone(), self.call_of(&located.record)?)));
        answered.next().expect("the load makes records of every kind")
    }

    /// Puts a record behind the last one of its program, as somebody else's.
    pub(crate) fn append(&mut self, mut record: Record) {
        let is_there = |located: &Located| located.record.program == record.program;
        let partition = self.log.partitions.iter_mut().find(|records| records.iter().any(is_there)).unwrap();
        record.sequence = partition.iter().rfind(|located| is_there(located)).unwrap().record.last_sequence() + 1;
        let offset = partition.last().unwrap().offset + 1;
        partition.push(Located { offset, record });
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(&Record) -> bool) {
        for partition in &mut self.log.partitions {
            partition.retain(|located| keep(&located.record));
        }
    }

    pub(crate) fn change(&mut self, like: &Record, change: impl Fn(&mut Record)) {
        let mut all = self.log.partitions.iter_mut().flatten();
        change(&mut all.find(|located| located.record == *like).unwrap().record);
    }

    /// Tells every answered command of a record's request something else.
    pub(crate) fn tell(&mut self, record: &Record, outcome: &Outcome) {
        let id = record.request.as_ref().unwrap().id.as_str();
        for call in &mut self.history.commands {
            if call.request.request_id() == id && *call.program() == record.program {
                (call.outcome, call.doubtful) = (outcome.clone(), false);
            }
        }
    }

    /// Changes the first read that `falsify` takes.
    pub(crate) fn read(&mut self, mut falsify: impl FnMut(&mut ReadCall) -> bool) {
        assert!(self.history.reads.iter_mut().any(&mut falsify), "the load reads everything");
    }

    /// Changes the first command that `falsify` takes.
    pub(crate) fn command(&mut self, mut falsify: impl FnMut(&mut CommandCall) -> bool) {
        assert!(self.history.commands.iter_mut().any(&mut falsify), "the load asks everything");
    }

    /// A withdrawal of a deal that is refused because there is no such deal.
    pub(crate) fn not_there(&mut self, deal: &DealId, like: usize, invoked: u64) {
        let call = &self.history.commands[like];
        let name = format!("programs/{}/deals/{deal}", call.program());
        let withdraw = proto::WithdrawDealRequest { name, request_id: "mutant".into(), ..Default::default() };
        let status = error::not_found("deal", deal.as_str());
        let refused =
            Refused { code: status.code().into(), reason: "NOT_FOUND".into(), message: status.message().to_owned() };
        self.history.commands.push(CommandCall {
            request: Arc::new(Request::WithdrawDeal(withdraw)),
            first_invoked: invoked,
            invoked,
            returned: invoked + 1,
            doubtful: false,
            outcome: Outcome::Refused(refused),
            ..call.clone()
        });
    }
}

pub(crate) fn deal_event(record: &Record) -> (&DealId, &Event) {
    match &record.events.last().unwrap().event {
        AnyEvent::Deal(id, event) => (id, event),
        other => panic!("{other:?} is not of a deal"),
    }
}

pub(crate) fn is_withdrawal(record: &Record) -> bool {
    matches!(record.events.last().map(|last| &last.event), Some(AnyEvent::Deal(_, Event::Withdrawn { .. })))
}

pub(crate) fn grants(record: &Record) -> bool {
    let approved =
        |event: &AnyEvent| matches!(event, AnyEvent::Deal(_, Event::Approved { grant: Grant::Window { .. }, .. }));
    record.events.len() == 2 && approved(&record.events[1].event)
}

/// Registrations that were answered, with their place in the history.
pub(crate) fn registrations(case: &Case) -> Vec<(Record, usize)> {
    let found = case.records().filter(|located| grants(&located.record));
    found.filter_map(|located| Some((located.record.clone(), case.call_of(&located.record)?))).collect()
}
