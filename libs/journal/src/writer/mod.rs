//! The writer's life, without clock and I/O.
//!
//! Inputs are methods: an entry was read, a command submitted, the log's end answered, an append failed, time passed.
//! Outputs are values, collected in [`Outputs`]: append these bytes, ask for the log's end, answer this caller. Whoever
//! drives a writer calls any inputs, then [`Writer::advance`], then carries the outputs out, appends in their order.
//!
//! ```text
//!   CatchingUp ──► Standby ──► Claiming ──► Owner ──► Standby …      (Failed, Stopped: from anywhere, for good)
//! ```
//!
//! A command moves `waiting → in flight → answered`, or `waiting → refused, awaiting proof → answered`. When a term ends,
//! what was in flight becomes *unsettled* until the next valid claim, then either took effect or is decided again.

mod claim;
mod command;
mod decide;
mod output;
mod read;
mod refusal;
mod settings;
mod snapshot;
mod stop;
mod tick;

use std::collections::VecDeque;
use std::marker::PhantomData;

use pactum_log::{LogError, Offset};

use crate::error::{Fault, SubmitError};
use crate::machine::{Machine, Timestamp};
use crate::status::{Role, Status};
use crate::validity::{Position, Protocol, Rule, Skipped};

use claim::Claims;
use command::{InFlight, Refusal, Unsettled, Waiting};
use refusal::Ends;

pub use output::{Outputs, ReadBack, Ticket};
pub use settings::Settings;

/// Microseconds on a clock that only goes forward, from any origin. Deadlines and timeouts are measured on it.
pub type Moment = u64;

/// The time of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For the machine: the time of day.
    pub wall: Timestamp,
    /// For deadlines and timeouts.
    pub moment: Moment,
}

/// One partition's writer. `C` is whatever names a caller to the driver.
pub struct Writer<M: Machine, C, R: Rule = Protocol> {
    machine: M,
    settings: Settings,
    position: Position,
    phase: Phase,
    told: bool,
    /// Another instance took the partition from us, or was there first, since we were last told to own it.
    deposed: bool,
    /// Shutting down; by when at the latest.
    stopping: Option<Moment>,
    claims: Claims,
    ends: Ends,
    arrivals: u64,
    /// Not decided yet; always in the order of arrival.
    waiting: VecDeque<Waiting<M, C>>,
    in_flight: VecDeque<InFlight<M, C>>,
    refusals: VecDeque<Refusal<M, C>>,
    unsettled: VecDeque<Unsettled<M, C>>,
    /// Ask the machine for what is due.
    look_for_due: bool,
    log_error: Option<LogError>,
    read_error: Option<LogError>,
    skipped: Skipped,
    terms: u64,
    out: Outputs<M::Answer, C>,
    rule: PhantomData<R>,
}

/// Where a writer is in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// Reading to where the log ended when it started (once known).
    CatchingUp {
        to: Option<Offset>,
    },
    Standby,
    /// A genesis or a claim was appended.
    Claiming {
        since: Moment,
    },
    /// The next record is `(term, next)`; giving the partition up if `draining`, by then at the latest.
    Owner {
        term: Offset,
        next: u64,
        draining: Option<Moment>,
    },
    Failed(Fault),
    Stopped,
}

impl<M: Machine, C, R: Rule> Writer<M, C, R> {
    /// A writer whose machine stands at `settings.position`.
    pub fn new(machine: M, settings: Settings) -> Self {
        Self {
            machine,
            position: settings.position.clone(),
            phase: Phase::CatchingUp { to: None },
            told: settings.own,
            deposed: false,
            stopping: None,
            claims: Claims::new(settings.instance),
            ends: Ends::default(),
            arrivals: 0,
            waiting: VecDeque::new(),
            in_flight: VecDeque::new(),
            refusals: VecDeque::new(),
            unsettled: VecDeque::new(),
            look_for_due: false,
            log_error: None,
            read_error: None,
            skipped: Skipped::default(),
            terms: 0,
            out: Outputs::default(),
            settings,
            rule: PhantomData,
        }
    }

    /// Does whatever the inputs so far allow. Call it after every input or batch of inputs.
    pub fn advance(&mut self, now: Now) {
        self.claim_when_due(now);
        self.decide_waiting(now);
        self.decide_due(now);
        self.release_refusals();
        self.finish_draining(now);
        self.ask_for_the_end();
    }

    /// What is to be carried out; the driver empties it.
    pub fn outputs(&mut self) -> &mut Outputs<M::Answer, C> {
        &mut self.out
    }

    /// The machine, with the effects in flight.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// The machine, at the end.
    pub fn into_machine(self) -> M {
        self.machine
    }

    /// How far the partition was read.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Records in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether anyone still waits for an answer.
    pub fn has_callers(&self) -> bool {
        !self.waiting.is_empty()
            || !self.refusals.is_empty()
            || self.in_flight.iter().any(|f| f.command.caller.is_some())
            || self.unsettled.iter().any(|u| u.command.caller.is_some())
    }

    /// Whether reading on makes sense.
    pub fn reads(&self) -> bool {
        !matches!(self.phase, Phase::Failed(_) | Phase::Stopped)
    }

    /// Whether shutting down is finished.
    pub fn is_done(&self) -> bool {
        self.stopping.is_some() && matches!(self.phase, Phase::Failed(_) | Phase::Stopped)
    }

    /// What the instance is to the partition.
    pub fn role(&self) -> Role {
        match self.phase {
            Phase::CatchingUp { .. } => Role::CatchingUp,
            Phase::Standby => Role::Standby,
            Phase::Claiming { .. } => Role::Claiming,
            Phase::Owner { .. } => Role::Owner,
            Phase::Failed(_) => Role::Failed,
            Phase::Stopped => Role::Stopped,
        }
    }

    /// Whether it is told to own the partition.
    pub fn told(&self) -> bool {
        self.told
    }

    /// Everything worth telling.
    pub fn status(&self) -> Status {
        Status {
            role: self.role(),
            told: self.told,
            deposed: self.deposed,
            term: self.position.term,
            owner: self.position.owner.as_deref().map(str::to_owned),
            offset: self.position.offset,
            end: self.ends.known.max(self.position.offset),
            waiting: self.waiting.len(),
            in_flight: self.in_flight.len(),
            terms: self.terms,
            skipped: self.skipped,
            log_error: self.log_error.clone(),
            read_error: self.read_error.clone(),
            fault: match &self.phase {
                Phase::Failed(fault) => Some(fault.clone()),
                _ => None,
            },
            refusing: self.refusing(),
        }
    }

    /// Why a command submitted now is refused at once, if it is.
    pub fn refusing(&self) -> Option<SubmitError> {
        match &self.phase {
            Phase::Failed(fault) => return Some(SubmitError::Failed(fault.clone())),
            Phase::Stopped => return Some(SubmitError::Stopped),
            _ if self.stopping.is_some() => return Some(SubmitError::Stopped),
            _ => {}
        }
        // Whoever is not told to own the partition has no use for appends: its owner's may work.
        if let (Some(error), true) = (&self.log_error, self.told) {
            return Some(SubmitError::LogUnavailable(error.clone()));
        }
        match self.phase {
            Phase::Owner { draining: None, .. } => None,
            // Soon ours, as far as we know: a command may wait, within its deadline.
            _ if self.told && !self.deposed => None,
            _ => Some(SubmitError::NotOwner { owner: self.other_owner() }),
        }
    }

    /// Whether a command submitted now is refused at once.
    pub fn refuses(&self) -> bool {
        !matches!(self.phase, Phase::Owner { draining: None, .. }) && self.refusing().is_some()
    }

    /// The owner in force, unless that is this address.
    fn other_owner(&self) -> Option<String> {
        self.position.owner.as_deref().filter(|owner| *owner != self.settings.owner).map(str::to_owned)
    }
}
