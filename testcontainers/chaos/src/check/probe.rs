//! What appended nothing: it has to be right at one of the states that it can have been decided or read at.

use bytes::Bytes;
use pactum_api::AccessTable;
use pactum_api::convert::deal_state;
use pactum_domain::deal::Deal;

use super::asked::Asked;
use super::decide::{self, Command, Would};
use super::state::State;
use crate::content;
use crate::history::{Group, Outcome, ReadAnswer, ReadCall, Refused};

/// A question with the states that may answer it.
pub(super) struct Probe {
    /// The first sequence it may rest on.
    pub(super) low: u64,
    /// The last.
    pub(super) high: u64,
    pub(super) what: What,
    /// How many states were tried.
    pub(super) tried: u32,
    /// What the last state tried would have said.
    pub(super) instead: String,
}

pub(super) enum What {
    Decision(Box<Decision>),
    Read(usize),
}

/// A command whose outcome is to be found among the program's decisions.
pub(super) struct Decision {
    pub(super) index: usize,
    /// The log holds its request, with another sequence than was answered.
    pub(super) recorded: bool,
    envelope: Command,
    /// When it may have been decided: what the answer tells. The state's own time is tried always.
    moments: Vec<i64>,
    expected: Would,
}

/// What a command's outcome says without looking at any state.
pub(super) enum Plain {
    /// It says nothing that could be wrong.
    Nothing,
    /// It is what is said to every such request.
    Right,
    /// It is not: this is.
    Wrong(Refused),
    /// It depends on the state.
    Depends(Box<Decision>),
}

impl Decision {
    /// Looks at a command's outcome.
    pub(super) fn of(asked: &Asked<'_>, access: &AccessTable, index: usize, recorded: bool) -> Plain {
        let call = asked.call(index);
        let (account, moments, expected) = match &call.outcome {
            Outcome::NotTaken { .. } | Outcome::Unknown { .. } => return Plain::Nothing,
            Outcome::Answered { sequence, resource } => {
                let (account, moments) = decide::told_in(resource);
                (account, moments, Would::Answer { sequence: *sequence, resource: resource.clone() })
            }
            Outcome::Refused(refused) => (None, Vec::new(), Would::Refuse(refused.clone())),
        };
        match decide::at_edge(access, call, asked.said[index].hash, account) {
            Err(refused) if expected == Would::Refuse(refused.clone()) => Plain::Right,
            Err(refused) => Plain::Wrong(refused),
            Ok(envelope) => Plain::Depends(Box::new(Self { index, recorded, envelope, moments, expected })),
        }
    }

    /// Whether this is what the program says at a state; else what it would have said.
    fn fits(&self, asked: &Asked<'_>, state: &mut State) -> Result<(), String> {
        let viewer = &asked.call(self.index).caller;
        let mut would = decide::ask(state, &self.envelope, i64::MIN, viewer);
        for now in &self.moments {
            if would == self.expected {
                break;
            }
            would = decide::ask(state, &self.envelope, *now, viewer);
        }
        if would == self.expected { Ok(()) } else { Err(words(&would, &self.expected)) }
    }
}

impl Probe {
    pub(super) fn new(low: u64, high: u64, what: What) -> Self {
        Self { low, high, what, tried: 0, instead: String::new() }
    }

    /// Tries a state.
    pub(super) fn fits(&mut self, asked: &Asked<'_>, state: &mut State) -> bool {
        let fits = match &self.what {
            What::Decision(decision) => decision.fits(asked, state),
            What::Read(index) => reads(&asked.history.reads[*index], state),
        };
        self.tried += 1;
        match fits {
            Ok(()) => true,
            Err(instead) => {
                self.instead = format!("at sequence {}: {instead}", state.sequence);
                false
            }
        }
    }
}

/// A decision in words, for whoever has to find out why another was told.
fn words(would: &Would, expected: &Would) -> String {
    match would {
        Would::Refuse(refused) => format!("it is refused with {} ({})", refused.reason, refused.message),
        Would::Append(body) => {
            let record = pactum_events::decode(body);
            let events = record.map(|record| {
                let names: Vec<_> =
                    record.events.iter().map(|recorded| pactum_events::event_type(&recorded.event)).collect();
                names.join(", ")
            });
            format!("it appends {}", events.unwrap_or_default())
        }
        Would::Answer { sequence, resource } => match expected {
            Would::Answer { resource: other, .. } if other == resource => {
                format!("it is answered so with sequence {sequence}")
            }
            Would::Answer { .. } => format!("it is answered with sequence {sequence} and {}", digest(resource)),
            _ => format!("it is answered with sequence {sequence}"),
        },
    }
}

fn digest(resource: &Bytes) -> String {
    use prost::Message as _;
    match pactum_api::proto::deal::v1::Deal::decode(resource.clone()) {
        Ok(deal) => format!("{} at etag {}", deal.name, deal.etag),
        Err(_) => "another resource".to_owned(),
    }
}

/// Whether a read shows what the log holds at a state; else what it should have shown.
fn reads(call: &ReadCall, state: &State) -> Result<(), String> {
    let shown = |deal: &Deal| content::shown(&state.program, deal, &call.caller);
    match &call.answer {
        ReadAnswer::Deal { id, seen, .. } => {
            let deal = state.model.deal(id).filter(|deal| call.caller.sees(&deal.partner));
            match (deal, seen) {
                (None, None) => Ok(()),
                (Some(deal), Some(seen)) if deal.version.to_string() == seen.etag && shown(deal) == *seen => Ok(()),
                (Some(deal), _) => Err(format!("{id} is {} at etag {}", deal.state.words(), deal.version)),
                (None, Some(_)) => Err(format!("{id} is not there")),
            }
        }
        ReadAnswer::Newest { page, seen, .. } => {
            let visible = state.newest().filter(|deal| call.caller.sees(&deal.partner));
            let there: Vec<_> = visible.take(*page).map(shown).collect();
            if there == *seen {
                return Ok(());
            }
            let first = there.iter().zip(seen).find(|(there, seen)| there != seen);
            Err(match first {
                Some((there, seen)) if there.name == seen.name => {
                    format!("{} has etag {}, not {}", there.name, there.etag, seen.etag)
                }
                Some((there, seen)) => format!("{} stands where {} was seen", there.name, seen.name),
                None => format!("there are {} deals, and {} were seen", there.len(), seen.len()),
            })
        }
        ReadAnswer::Pipeline { groups, .. } => {
            let there = pipeline(state, call);
            if there == *groups {
                return Ok(());
            }
            let first = there.iter().find(|group| !groups.contains(group));
            Err(first.map_or_else(|| "there are fewer groups".to_owned(), |group| format!("there is {group:?}")))
        }
    }
}

/// Counts and sums by state, from the deals themselves.
fn pipeline(state: &State, call: &ReadCall) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for deal in state.model.deals().filter(|deal| call.caller.sees(&deal.partner)) {
        let number = deal_state(deal.state).into();
        let place = match groups.binary_search_by_key(&number, |group: &Group| group.state) {
            Ok(place) => place,
            Err(place) => {
                groups.insert(place, Group { state: number, deals: 0, conflicted: 0, amounts: Vec::new() });
                place
            }
        };
        let group = &mut groups[place];
        group.deals += 1;
        group.conflicted += u64::from(state.conflicted.contains(&deal.id));
        if let Some(amount) = deal.amount {
            let currency = amount.currency.as_str();
            match group.amounts.binary_search_by(|(other, ..)| other.as_str().cmp(currency)) {
                Ok(found) => {
                    group.amounts[found].1 += 1;
                    group.amounts[found].2 += amount.minor;
                }
                Err(free) => group.amounts.insert(free, (currency.to_owned(), 1, amount.minor)),
            }
        }
    }
    groups
}
