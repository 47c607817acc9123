//! The commands of a history by what identifies them, as the log names them.

use std::collections::HashMap;

use pactum_events::Record;
use pactum_ids::{PartnerId, ProgramId};

use crate::content;
use crate::history::{CommandCall, History, Outcome, ReadAnswer, ReadCall, Time};

/// A request id within the party that uses it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    program: ProgramId,
    party: Option<PartnerId>,
    id: String,
}

impl Key {
    pub(super) fn of_record(record: &Record) -> Option<Self> {
        let request = record.request.as_ref()?;
        let (program, party) = (record.program.clone(), record.actor.partner.clone());
        Some(Self { program, party, id: request.id.as_str().to_owned() })
    }

    fn of_call(call: &CommandCall) -> Self {
        let (program, party) = (call.program().clone(), call.caller.actor.partner.clone());
        Self { program, party, id: call.request.request_id().to_owned() }
    }
}

/// What is known of a command beside what its client saw.
pub(super) struct Said {
    pub(super) key: Key,
    pub(super) hash: [u8; 16],
    pub(super) validates_only: bool,
}

pub(super) struct Asked<'h> {
    pub(super) history: &'h History,
    /// By the command's place in the history.
    pub(super) said: Vec<Said>,
    by_key: HashMap<Key, Vec<usize>>,
}

impl<'h> Asked<'h> {
    pub(super) fn of(history: &'h History) -> Self {
        let said: Vec<Said> = history
            .commands
            .iter()
            .map(|call| Said {
                key: Key::of_call(call),
                hash: content::hash(&call.request),
                validates_only: content::validates_only(&call.request),
            })
            .collect();
        let mut by_key: HashMap<Key, Vec<usize>> = HashMap::new();
        for (index, said) in said.iter().enumerate() {
            by_key.entry(said.key.clone()).or_default().push(index);
        }
        Self { history, said, by_key }
    }

    pub(super) fn call(&self, index: usize) -> &'h CommandCall {
        &self.history.commands[index]
    }

    /// The commands that a record may be the effect of: the same id, the same content, and meant to be done.
    pub(super) fn causes(&self, record: &Record) -> Vec<usize> {
        let Some((key, request)) = Key::of_record(record).zip(record.request.as_ref()) else { return Vec::new() };
        let same_id = self.by_key.get(&key).map_or(&[][..], Vec::as_slice);
        let same =
            |index: &&usize| self.said[**index].hash == request.content_hash && !self.said[**index].validates_only;
        same_id.iter().filter(same).copied().collect()
    }

    /// A command in words.
    pub(super) fn describe(&self, index: usize) -> String {
        let call = self.call(index);
        let method = call.request.path().rsplit('/').next().unwrap_or_default();
        let outcome = match &call.outcome {
            Outcome::Answered { sequence, .. } => format!("answered with sequence {sequence}"),
            Outcome::Refused(refused) => format!("refused with {} ({})", refused.reason, refused.message),
            Outcome::NotTaken { reason } => format!("not taken ({reason})"),
            Outcome::Unknown { why } => format!("given up ({why})"),
        };
        format!(
            "{method} {:?} of client {} in programs/{}, asked at {}, {outcome} at {} after {} attempts",
            call.request.request_id(),
            call.client,
            call.program(),
            seconds(call.first_invoked),
            seconds(call.returned),
            call.attempts,
        )
    }
}

/// A read in words.
pub(super) fn describe_read(call: &ReadCall) -> String {
    let what = match &call.answer {
        ReadAnswer::Deal { id, seen: Some(seen), .. } => format!("GetDeal {id} which saw etag {}", seen.etag),
        ReadAnswer::Deal { id, seen: None, .. } => format!("GetDeal {id} which found nothing"),
        ReadAnswer::Newest { seen, .. } => format!("ListDeals which saw {} deals", seen.len()),
        ReadAnswer::Pipeline { groups, .. } => {
            format!("QueryPipeline which counted {} deals", groups.iter().map(|group| group.deals).sum::<u64>())
        }
    };
    format!(
        "{what} for client {} in programs/{}, asked for sequence {} at {}, answered with {} at {}",
        call.client,
        call.caller.program,
        call.min_sequence,
        seconds(call.invoked),
        call.answer.sequence(),
        seconds(call.returned),
    )
}

/// A time for people.
pub(super) fn seconds(time: Time) -> String {
    format!("{}.{:06} s", time / 1_000_000_000, time % 1_000_000_000 / 1_000)
}
