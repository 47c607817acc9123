//! A writer copied and compared: for the model in `tests/`, which steps this very code through every state that it can
//! get into within bounds.

use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use super::command::{InFlight, Refusal, Unsettled, Waiting};
use super::{Moment, Outputs, Phase, Writer};
use crate::machine::Machine;
use crate::validity::Rule;

/// Deriving would ask for `Clone` of the rule and of the machine, and not of what the machine's types are.
macro_rules! clone_fields {
    ($type:ident { $($field:ident),+ }) => {
        impl<M: Machine, C: Clone> Clone for $type<M, C>
        where
            M::Command: Clone,
            M::Answer: Clone,
            M::Undo: Clone,
        {
            fn clone(&self) -> Self {
                Self { $($field: self.$field.clone()),+ }
            }
        }
    };
}

clone_fields!(Waiting { order, command, caller, deadline });
clone_fields!(InFlight { command, n, body, answer, undo, appended });
clone_fields!(Unsettled { command, term, n, body, answer });
clone_fields!(Refusal { command, answer, decided_at, ticket, end });

/// A copy goes on from where the original stands. Outputs stay with the original: they are carried out once.
impl<M, C, R> Clone for Writer<M, C, R>
where
    M: Machine + Clone,
    M::Command: Clone,
    M::Answer: Clone,
    M::Undo: Clone,
    C: Clone,
    R: Rule,
{
    fn clone(&self) -> Self {
        Self {
            machine: self.machine.clone(),
            settings: self.settings.clone(),
            position: self.position.clone(),
            phase: self.phase.clone(),
            told: self.told,
            deposed: self.deposed,
            stopping: self.stopping,
            claims: self.claims.clone(),
            ends: self.ends.clone(),
            arrivals: self.arrivals,
            waiting: self.waiting.clone(),
            in_flight: self.in_flight.clone(),
            refusals: self.refusals.clone(),
            unsettled: self.unsettled.clone(),
            look_for_due: self.look_for_due,
            log_error: self.log_error.clone(),
            read_error: self.read_error.clone(),
            skipped: self.skipped,
            terms: self.terms,
            out: Outputs::default(),
            rule: PhantomData,
        }
    }
}

impl<M, C, R> Writer<M, C, R>
where
    M: Machine + Hash,
    M::Command: Hash,
    M::Answer: Hash,
    C: Hash,
    R: Rule,
{
    /// Two writers of one hash do the same from here on, as long as they are given the same inputs at this same moment.
    ///
    /// Times count only as over or not, orders and tickets only among themselves. Left out is what is only told
    /// (counters, reasons of errors), and how long the next wait for a claim will be. Outputs are to be taken first.
    #[doc(hidden)]
    pub fn hash_at<H: Hasher>(&self, now: Moment, state: &mut H) {
        // All fields by name: a new one does not compile until it is said what it is here.
        let Self {
            machine,
            settings,
            position,
            phase,
            told,
            deposed,
            stopping,
            claims,
            ends,
            arrivals: _,
            waiting,
            in_flight,
            refusals,
            unsettled,
            look_for_due,
            log_error,
            read_error: _,
            skipped: _,
            terms: _,
            out: _,
            rule: _,
        } = self;
        let over = |by: Moment| by <= now;
        let timed_out = |since: Moment| now.saturating_sub(since) >= settings.read_back_timeout;
        (settings.instance, settings.max_body_bytes).hash(state);
        (position.offset, position.term, position.next, &position.owner).hash(state);
        position.genesis.map(|genesis| (genesis.log_id, genesis.partitions, genesis.format)).hash(state);
        match phase {
            Phase::CatchingUp { to } => (0, to).hash(state),
            Phase::Standby => 1.hash(state),
            Phase::Claiming { since } => (2, timed_out(*since)).hash(state),
            Phase::Owner { term, next, draining } => (3, term, next, draining.map(over)).hash(state),
            Phase::Failed(_) => 4.hash(state),
            Phase::Stopped => 5.hash(state),
        }
        (told, deposed, stopping.map(over), over(claims.next_at)).hash(state);
        (ends.outstanding, ends.paused, look_for_due, log_error.is_some()).hash(state);
        machine.hash(state);

        let mut orders: Vec<u64> = waiting.iter().map(|command| command.order).collect();
        orders.extend(in_flight.iter().map(|own| own.command.order));
        orders.extend(refusals.iter().map(|refusal| refusal.command.order));
        orders.extend(unsettled.iter().map(|own| own.command.order));
        orders.sort_unstable();
        let command = |of: &Waiting<M, C>, state: &mut H| {
            let rank = orders.partition_point(|order| *order < of.order);
            (rank, &of.command, &of.caller, over(of.deadline)).hash(state);
        };
        waiting.len().hash(state);
        waiting.iter().for_each(|of| command(of, state));
        in_flight.len().hash(state);
        for own in in_flight {
            command(&own.command, state);
            (own.n, &own.body, &own.answer, timed_out(own.appended)).hash(state);
        }
        refusals.len().hash(state);
        for refusal in refusals {
            command(&refusal.command, state);
            (&refusal.answer, refusal.decided_at, ends.is_asked(refusal.ticket), refusal.end).hash(state);
        }
        unsettled.len().hash(state);
        for own in unsettled {
            command(&own.command, state);
            (own.term, own.n, &own.body, &own.answer).hash(state);
        }
    }
}
