//! What a decision is made in: the state, the caller, the clocks and the policy in force.

use std::sync::Arc;

use pactum_ids::{DealId, PartnerId};

use super::Model;
use crate::actor::{Actor, Role};
use crate::command::Context;
use crate::deal::{Basis, Deal, Decision};
use crate::partner::Partner;
use crate::policy::Policy;
use crate::program::{Program, PublishedPolicy};
use crate::rejection::Rejection;
use crate::time::{DAY, Timestamp};

/// How far ahead of the log's clock a caller's may be: a slip of clocks, not a prophecy.
const CLOCK_SLIP: i64 = 5 * 60 * 1_000_000;

/// The time by each clock that a window may run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock {
    /// When the log takes the command.
    pub(crate) recorded: Timestamp,
    /// When what it tells of happened.
    pub(crate) occurred: Timestamp,
    /// Whether history is being brought in. Only then do windows on the world's clock follow `occurred`; afterwards all
    /// follow the log's.
    pub(crate) importing: bool,
}

impl Clock {
    pub(crate) fn at(self, basis: Basis) -> Timestamp {
        match basis {
            Basis::Occurred if self.importing => self.occurred,
            Basis::Occurred | Basis::Recorded => self.recorded,
        }
    }
}

/// What a decision is made in. Exists only for a program that was created.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) model: &'a Model,
    pub(crate) context: &'a Context,
    pub(crate) program: &'a Program,
    pub(crate) clock: Clock,
    published: Option<&'a PublishedPolicy>,
}

impl<'a> Setting<'a> {
    pub(super) fn new(model: &'a Model, context: &'a Context) -> Result<Self, Rejection> {
        let program = model.program.as_deref().ok_or(Rejection::ProgramNotFound)?;
        check_times(context)?;
        let Context { recorded_at, occurred_at, .. } = *context;
        let clock = Clock { recorded: recorded_at, occurred: occurred_at, importing: program.is_importing() };
        Ok(Self { model, context, program, clock, published: program.policy_at(recorded_at) })
    }

    pub(crate) fn actor(&self) -> &'a Actor {
        &self.context.actor
    }

    /// The policy in force.
    pub(crate) fn policy(&self) -> Result<&'a Policy, Rejection> {
        Ok(&self.published.ok_or(Rejection::NoPolicy)?.policy)
    }

    /// The version of the policy in force; 0 before the first.
    pub(crate) fn policy_version(&self) -> u32 {
        self.published.map_or(0, |published| published.version)
    }

    /// Refuses a partner's caller.
    pub(crate) fn vendor_only(&self) -> Result<(), Rejection> {
        if self.actor().role.is_partner() {
            return Err(Rejection::Forbidden("only the vendor may do this"));
        }
        Ok(())
    }

    /// Whether the caller may see what belongs to a partner: the vendor all, a partner its own.
    pub(crate) fn may_see(&self, partner: &PartnerId) -> bool {
        !self.actor().role.is_partner() || self.actor().partner.as_ref() == Some(partner)
    }

    /// Refuses a caller that has seen another version. 0 stands for what does not exist.
    pub(crate) fn check_version(&self, actual: u64) -> Result<(), Rejection> {
        check_version(self.context, actual)
    }

    /// A deal that the caller may see and has seen last. To a partner another's deal does not exist.
    pub(crate) fn deal(&self, id: &DealId) -> Result<&'a Arc<Deal>, Rejection> {
        let found = self.model.deal(id).filter(|deal| self.may_see(&deal.partner));
        let deal = found.ok_or_else(|| Rejection::NotFound { kind: "deal", id: id.as_str().into() })?;
        self.check_version(deal.version)?;
        Ok(deal)
    }

    /// A partner that exists.
    pub(crate) fn partner(&self, id: &PartnerId) -> Result<&'a Arc<Partner>, Rejection> {
        let found = self.model.partner(id).filter(|partner| self.may_see(&partner.id));
        found.ok_or_else(|| Rejection::NotFound { kind: "partner", id: id.as_str().into() })
    }

    /// A decision under the policy in force.
    pub(crate) fn decision(&self, reason_code: &str, note: &str, automatic: bool) -> Decision {
        let (reason_code, note) = (reason_code.into(), note.to_owned());
        Decision { reason_code, note, automatic, policy_version: self.policy_version() }
    }

    /// A rule of the policy that stands in the way.
    pub(crate) fn forbidden_by_policy(&self, rule: String) -> Rejection {
        Rejection::PolicyForbids { rule, policy_version: self.policy_version() }
    }
}

/// Refuses a caller that has seen another version. 0 stands for what does not exist.
pub(crate) fn check_version(context: &Context, actual: u64) -> Result<(), Rejection> {
    match context.expected_version {
        Some(expected) if expected != actual => Err(Rejection::StaleVersion { expected, actual }),
        _ => Ok(()),
    }
}

/// Refuses a time that lies outside business dates or ahead of the log, and one that the caller may not give.
pub(crate) fn check_times(context: &Context) -> Result<(), Rejection> {
    let Context { recorded_at, occurred_at, actor, .. } = context;
    let invalid = |problem: String| Err(Rejection::InvalidField { field: "occurred_at", problem });
    if Timestamp::new(occurred_at.0).is_err() {
        return invalid("the time is outside 1900-01-01 to 2199-12-31".to_owned());
    }
    if occurred_at.0 > recorded_at.0.saturating_add(CLOCK_SLIP) {
        return invalid(format!("{occurred_at} is ahead of the log, which is at {recorded_at}"));
    }
    let trusted = matches!(actor.role, Role::ProgramAdmin | Role::Connector | Role::Timer);
    if occurred_at != recorded_at && !trusted {
        return Err(Rejection::Forbidden("only a program admin or a connector may say when something happened"));
    }
    Ok(())
}

/// Whole days from one moment to another, for a message.
pub(crate) fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    to.0.saturating_sub(from.0).div_euclid(DAY)
}
