//! An approved deal's way to its end.

use bytes::Bytes;
use pactum_domain::command::{Amendment, Command, DealCommand};
use pactum_domain::deal::{Deal, ProtectionState};
use pactum_domain::money::Money;
use pactum_domain::time::{DAY, Timestamp};

use super::calendar;
use super::deals::{Case, Turn};
use super::error::GenerateError;
use super::members::Standing;
use super::names::LOSSES;
use super::policies::{self, STAGE_COUNT};
use super::shape;
use super::simulation::{Simulation, Step};

/// How often a window may be extended, and by how many days at most.
const RENEWALS: u32 = 2;
const RENEWAL_DAYS: u32 = 60;

impl Simulation {
    /// Takes note of the window that a deal holds.
    pub(super) fn note_window(&mut self, now: i64, case: &mut Case, deal: &Deal) {
        case.until = match deal.protection {
            ProtectionState::Held { until, .. } => Some(until.0),
            ProtectionState::None | ProtectionState::Under { .. } | ProtectionState::Ended { .. } => None,
        };
        if let Some(until) = case.until {
            self.later(until.max(now), Step::Timer);
        }
    }

    /// Plans what will come of a deal that was approved now.
    pub(super) fn sell(&mut self, now: Timestamp, mut case: Box<Case>, deal: &Deal) {
        self.note_window(now.0, &mut case, deal);
        let fate = self.chance.even();
        let (won, lost) = (shape::WON, shape::WON + shape::LOST);
        let (withdrawn, revoked) = (lost + shape::WITHDRAWN, lost + shape::WITHDRAWN + shape::REVOKED);
        let soon = now.0 + self.chance.days(0.2, 3.0);
        let ends = |simulation: &mut Self, days: &[f64; 7]| {
            let days = simulation.chance.quantile(days);
            soon.max(case.registered + (days * DAY as f64) as i64)
        };
        let (end, turn) = if fate < won {
            let at = ends(self, &shape::DAYS_TO_WIN);
            (calendar::signed(&mut self.chance, at), Turn::Win)
        } else if fate < lost {
            (ends(self, &shape::DAYS_TO_LOSS), Turn::Lose)
        } else if fate < withdrawn {
            (ends(self, &shape::DAYS_TO_LOSS), Turn::Withdraw)
        } else if fate < revoked {
            (ends(self, &shape::DAYS_TO_LOSS), Turn::Revoke)
        } else if fate < revoked + (1.0 - revoked) * 0.7 {
            // Nobody decides anything, until somebody tidies up.
            (soon + self.chance.days(150.0, 350.0), Turn::Lose)
        } else {
            (self.size.until.0, Turn::Lose)
        };
        let open_until = end.min(now.0 + 120 * DAY);
        let last = match turn {
            Turn::Win => STAGE_COUNT - 1 - usize::from(self.chance.happens(0.3)),
            _ => case.stage + self.chance.of(STAGE_COUNT - case.stage),
        };
        let mut plan = vec![(end, turn)];
        let stages = last.saturating_sub(case.stage);
        for number in 1..=stages {
            let part = (number as f64 - self.chance.even() * 0.8) / (stages + 1) as f64;
            let at = now.0 + ((open_until - now.0) as f64 * part) as i64;
            plan.push((at, Turn::Stage(case.stage + number)));
        }
        for (share, turn) in
            [(shape::AMENDED, Turn::Amend), (shape::RESCOPED, Turn::Rescope), (shape::DISPUTED, Turn::Dispute)]
        {
            if self.chance.happens(share) {
                let part = self.chance.even();
                plan.push((now.0 + ((open_until - now.0) as f64 * part) as i64, turn));
            }
        }
        self.plan_renewal(now.0, &case, end, &mut plan);
        plan.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        case.plan = plan;
        self.go_on(case);
    }

    fn plan_renewal(&mut self, now: i64, case: &Case, end: i64, plan: &mut Vec<(i64, Turn)>) {
        let Some(until) = case.until.filter(|until| *until < end && case.renewals < RENEWALS) else { return };
        if self.chance.happens(shape::EXTENDED) {
            plan.push(((until - self.chance.days(1.0, 12.0)).max(now), Turn::Renew));
        }
    }

    /// Puts the next of a plan into the queue.
    fn go_on(&mut self, mut case: Box<Case>) {
        if let Some((at, turn)) = case.plan.pop() {
            self.later(at, Step::Deal(case, turn));
        }
    }

    pub(super) fn deal_turn(
        &mut self,
        now: Timestamp,
        mut case: Box<Case>,
        turn: Turn,
        out: &mut Vec<Bytes>,
    ) -> Result<(), GenerateError> {
        let deal = || case.deal.clone();
        let took_effect = match turn {
            Turn::Submit => {
                let new_account = self.new_account();
                let done = self.sales(now, &case, DealCommand::Submit { new_account }, out)?;
                self.filed(now, case, done);
                return Ok(());
            }
            Turn::Register => return self.register(now, case, out),
            Turn::StartReview => return self.start_review(now, case, out),
            Turn::Decide => return self.decide(now, case, out),
            Turn::Answer => return self.answer(now, case, out),
            Turn::Win | Turn::Lose => return self.close(now, case, turn, out),
            Turn::Stage(stage) => {
                case.stage = stage;
                self.sales(now, &case, DealCommand::ChangeStage { stage: policies::stage(stage) }, out)?.is_some()
            }
            Turn::Amend => self.amend(now, &mut case, out)?,
            Turn::Rescope => {
                let products = Some(vec![policies::product(0), policies::product(1)]);
                let command = DealCommand::Amend(Amendment { products, ..Amendment::default() });
                // Refused where another protects what it would come to overlap; the sale goes on.
                self.manager(now, Command::Deal(deal(), command), out)?;
                true
            }
            Turn::Renew => self.renew(now, &mut case, out)?,
            Turn::Dispute => {
                let to = self.seller();
                let other = to != case.member && case.previous.is_none();
                let other = other && self.members[to].standing == Standing::Selling;
                !other || self.reassign(now, &mut case, to, out)?
            }
            Turn::Withdraw => {
                let reason = "The customer stopped the project".to_owned();
                self.sales(now, &case, DealCommand::Withdraw { reason }, out)?;
                return Ok(());
            }
            Turn::Revoke => {
                let (reason_code, note) = ("TERMS_BROKEN".into(), String::new());
                self.manager(now, Command::Deal(deal(), DealCommand::Revoke { reason_code, note }), out)?;
                return Ok(());
            }
            Turn::Reopen => {
                let reason = "The customer came back".to_owned();
                self.manager(now, Command::Deal(deal(), DealCommand::Reopen { reason }), out)?.is_some()
            }
        };
        if took_effect {
            self.go_on(case);
        }
        Ok(())
    }

    fn amend(&mut self, now: Timestamp, case: &mut Case, out: &mut Vec<Bytes>) -> Result<bool, GenerateError> {
        let mut amendment = Amendment::default();
        if self.chance.happens(0.6) {
            case.amount = self.about(case.amount, 0.6, 1.5);
            amendment.amount = Some(Some(case.amount));
        } else {
            let day = Timestamp(now.0 + self.chance.days(15.0, 90.0)).date();
            amendment.expected_close = Some(Some(day));
        }
        Ok(self.sales(now, case, DealCommand::Amend(amendment), out)?.is_some())
    }

    fn about(&mut self, amount: Money, least: f64, most: f64) -> Money {
        let minor = amount.minor as f64 * self.chance.between(least, most) / 100.0;
        Money::new(amount.currency, minor as i64 * 100)
    }

    /// Extends the window; where that is refused, because it has lapsed for instance, the sale goes on without.
    fn renew(&mut self, now: Timestamp, case: &mut Case, out: &mut Vec<Bytes>) -> Result<bool, GenerateError> {
        let days = if self.chance.happens(0.5) { RENEWAL_DAYS } else { RENEWAL_DAYS / 2 };
        let reason = "The customer's budget moved to the next quarter".to_owned();
        let command = DealCommand::ExtendProtection { days, reason, evidence: vec![case.sequence] };
        if self.manager(now, Command::Deal(case.deal.clone(), command), out)?.is_some() {
            case.renewals += 1;
            case.until = case.until.map(|until| until + i64::from(days) * DAY);
            if let Some(until) = case.until {
                self.later(until, Step::Timer);
            }
            let end = case.plan.first().map_or(now.0, |(end, _)| *end);
            let mut plan = std::mem::take(&mut case.plan);
            self.plan_renewal(now.0, case, end, &mut plan);
            plan.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
            case.plan = plan;
        }
        Ok(true)
    }

    fn close(
        &mut self,
        now: Timestamp,
        mut case: Box<Case>,
        turn: Turn,
        out: &mut Vec<Bytes>,
    ) -> Result<(), GenerateError> {
        let closed_on = None;
        let command = if turn == Turn::Win {
            let amount = self.about(case.amount, 0.8, 1.1);
            DealCommand::Win { amount, closed_on }
        } else {
            let reason = LOSSES[self.chance.zipf(LOSSES.len())].to_owned();
            DealCommand::Lose { reason, closed_on }
        };
        let done = if self.chance.happens(shape::TOLD_BY_CRM) {
            let earlier = now.0 - self.chance.days(0.1, 5.0);
            let occurred_at = Some(Timestamp(earlier.max(case.registered)));
            self.connector(now, occurred_at, Command::Deal(case.deal.clone(), command), out)?
        } else {
            self.sales(now, &case, command, out)?
        };
        if done.is_some() && self.chance.happens(shape::REOPENED) {
            let again = now.0 + self.chance.days(2.0, 60.0);
            let turn = if self.chance.happens(0.6) { Turn::Win } else { Turn::Lose };
            case.plan = vec![(again + self.chance.days(5.0, 40.0), turn)];
            self.later(again, Step::Deal(case, Turn::Reopen));
        }
        Ok(())
    }
}
