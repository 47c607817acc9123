//! The vendor's decisions on what came in.

use bytes::Bytes;
use pactum_command::{Done, Resource};
use pactum_domain::command::{Command, DealCommand, ProtectionChoice};
use pactum_domain::time::Timestamp;

use super::deals::{Case, Turn};
use super::error::GenerateError;
use super::members::Standing;
use super::simulation::{Simulation, Step};

/// What a reviewer decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Approve,
    /// For a shorter time than the policy's.
    ApproveShorter,
    ApproveUnprotected,
    Reject,
    Duplicate,
    Ask,
    /// To the partner whose deal stands in the way.
    Reassign,
    /// The partner gives up first.
    Withdraw,
}

impl Simulation {
    pub(super) fn start_review(
        &mut self,
        now: Timestamp,
        case: Box<Case>,
        out: &mut Vec<Bytes>,
    ) -> Result<(), GenerateError> {
        let command = Command::Deal(case.deal.clone(), DealCommand::StartReview);
        if self.reviewer(now, command, out)?.is_some() {
            let at = now.0 + self.chance.days(0.1, 5.0);
            self.later(at, Step::Deal(case, Turn::Decide));
        }
        Ok(())
    }

    fn verdict(&mut self, case: &Case) -> Verdict {
        // In hundredths: each with where it ends.
        let table: &[(f64, Verdict)] = match case.conflict {
            Some(Some(_)) => &[
                (0.46, Verdict::Reject),
                (0.56, Verdict::Duplicate),
                (0.60, Verdict::Reassign),
                (0.66, Verdict::Withdraw),
                (0.74, Verdict::Ask),
                (1.0, Verdict::ApproveUnprotected),
            ],
            Some(None) => &[
                (0.55, Verdict::Approve),
                (0.75, Verdict::Reject),
                (0.85, Verdict::Ask),
                (1.0, Verdict::ApproveUnprotected),
            ],
            None => &[
                (0.75, Verdict::Approve),
                (0.80, Verdict::ApproveShorter),
                (0.82, Verdict::Withdraw),
                (0.90, Verdict::Reject),
                (1.0, Verdict::Ask),
            ],
        };
        let share = self.chance.even();
        let verdict = table.iter().find(|(end, _)| share < *end).map_or(Verdict::Reject, |(_, verdict)| *verdict);
        // Nobody is asked twice.
        if verdict == Verdict::Ask && case.asked { Verdict::Reject } else { verdict }
    }

    pub(super) fn decide(
        &mut self,
        now: Timestamp,
        mut case: Box<Case>,
        out: &mut Vec<Bytes>,
    ) -> Result<(), GenerateError> {
        let verdict = self.verdict(&case);
        let approve = |protection| DealCommand::Approve { protection, reason_code: "".into(), note: String::new() };
        let command = match verdict {
            Verdict::Approve => approve(ProtectionChoice::Policy),
            Verdict::ApproveShorter => approve(ProtectionChoice::Days(60)),
            Verdict::ApproveUnprotected => approve(ProtectionChoice::Without),
            Verdict::Reject => {
                let reason_code = if case.conflict.is_some() { "CONFLICT" } else { "INCOMPLETE" };
                let note = "See the conflicts named; a new attempt may follow".to_owned();
                DealCommand::Reject { reason_code: reason_code.into(), note }
            }
            Verdict::Duplicate => match &case.conflict {
                Some(Some((of, _))) => DealCommand::MarkDuplicate { of: of.clone(), note: String::new() },
                _ => approve(ProtectionChoice::Without),
            },
            Verdict::Ask => {
                case.asked = true;
                DealCommand::RequestAction { message: "Please name the customer's buyer and the project".to_owned() }
            }
            Verdict::Withdraw => {
                let reason = "The customer goes with its incumbent".to_owned();
                self.sales(now, &case, DealCommand::Withdraw { reason }, out)?;
                return Ok(());
            }
            Verdict::Reassign => return self.settle(now, case, out),
        };
        let done = self.reviewer(now, Command::Deal(case.deal.clone(), command), out)?;
        self.decided(now, case, verdict, done);
        Ok(())
    }

    fn decided(&mut self, now: Timestamp, mut case: Box<Case>, verdict: Verdict, done: Option<Done>) {
        match (verdict, done) {
            (_, Some(Done { resource: Resource::Deal(deal), .. }))
                if deal.state == pactum_domain::deal::DealState::Approved =>
            {
                self.sell(now, case, &deal);
            }
            (Verdict::Ask, Some(_)) => {
                let at = now.0 + self.chance.days(0.5, 10.0);
                self.later(at, Step::Deal(case, Turn::Answer));
            }
            (Verdict::Reject | Verdict::Duplicate, Some(_)) => self.refused_deal(now, &case),
            // Somebody else got the protection meanwhile: that is a conflict now, and for another day.
            (Verdict::Approve | Verdict::ApproveShorter, None) if case.conflict != Some(None) || !case.asked => {
                case.conflict = Some(None);
                case.asked = true;
                let at = now.0 + self.chance.days(0.5, 3.0);
                self.later(at, Step::Deal(case, Turn::Decide));
            }
            _ => {}
        }
    }

    /// A dispute gives a claim to the partner whose deal stands in the way; where that is not active, it is refused.
    fn settle(&mut self, now: Timestamp, mut case: Box<Case>, out: &mut Vec<Bytes>) -> Result<(), GenerateError> {
        let to = match &case.conflict {
            Some(Some((_, partner))) => self.members.iter().position(|member| member.id == *partner),
            _ => None,
        };
        // A new attempt stays with the partner whose attempt it is.
        let selling = |to: &usize| self.members[*to].standing == Standing::Selling && *to != case.member;
        let to = to.filter(selling).filter(|_| case.previous.is_none());
        let Some(to) = to else {
            let note = String::new();
            let command = DealCommand::Reject { reason_code: "CONFLICT".into(), note };
            self.reviewer(now, Command::Deal(case.deal.clone(), command), out)?;
            self.refused_deal(now, &case);
            return Ok(());
        };
        if self.reassign(now, &mut case, to, out)? {
            // It is the holder's own now, and is approved under the deal that it has.
            case.conflict = None;
            let at = now.0 + self.chance.days(0.1, 2.0);
            self.later(at, Step::Deal(case, Turn::Decide));
        }
        Ok(())
    }

    /// Gives a deal to another partner.
    pub(super) fn reassign(
        &mut self,
        now: Timestamp,
        case: &mut Case,
        to: usize,
        out: &mut Vec<Bytes>,
    ) -> Result<bool, GenerateError> {
        let command = DealCommand::Reassign {
            to: self.members[to].id.clone(),
            evidence: vec![case.sequence],
            reason_code: "DISPUTE".into(),
            note: "The customer named its partner in writing".to_owned(),
        };
        let done = self.manager(now, Command::Deal(case.deal.clone(), command), out)?;
        if done.is_some() {
            case.member = to;
        }
        Ok(done.is_some())
    }

    /// The partner answers with the registration as it is now.
    pub(super) fn answer(
        &mut self,
        now: Timestamp,
        case: Box<Case>,
        out: &mut Vec<Bytes>,
    ) -> Result<(), GenerateError> {
        let customer = self.market.looked_up(case.account);
        let submission = self.submission(now, &case, customer, None);
        let done = self.sales(now, &case, DealCommand::Resubmit(submission), out)?;
        self.filed(now, case, done);
        Ok(())
    }
}
