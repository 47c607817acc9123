//! The deals: how they come in.

use bytes::Bytes;
use pactum_command::{Done, Resource};
use pactum_domain::account::Customer;
use pactum_domain::command::{Command, DealCommand, Draft, HistoryTerms, Submission};
use pactum_domain::deal::{ConflictKind, Deal, DealState, Scope};
use pactum_domain::money::Money;
use pactum_domain::time::{DAY, Timestamp};
use pactum_ids::{AccountId, DealId, PartnerId};
use smol_str::{SmolStr, format_smolstr};

use super::error::GenerateError;
use super::market::{COUNTRIES, Market};
use super::policies;
use super::shape;
use super::simulation::{Simulation, Step, currency};

/// What happens to a deal next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The draft is submitted as it stands.
    Submit,
    /// The draft is registered, with what was missing.
    Register,
    StartReview,
    Decide,
    /// The partner answers what the reviewer asked.
    Answer,
    Stage(usize),
    Amend,
    Rescope,
    Renew,
    Dispute,
    Withdraw,
    Revoke,
    Win,
    Lose,
    Reopen,
}

/// A deal on its way, as whoever works it knows it.
pub(super) struct Case {
    pub(super) deal: DealId,
    pub(super) member: usize,
    pub(super) account: u64,
    pub(super) scope: Scope,
    pub(super) amount: Money,
    pub(super) previous: Option<DealId>,
    /// When it was registered, and the sequence of that.
    pub(super) registered: i64,
    pub(super) sequence: u64,
    /// The conflict that it met: with whose deal, where it is with one.
    pub(super) conflict: Option<Option<(DealId, PartnerId)>>,
    pub(super) stage: usize,
    /// The end of the window that it holds.
    pub(super) until: Option<i64>,
    pub(super) renewals: u32,
    /// Whether the reviewer has asked for something once.
    pub(super) asked: bool,
    /// What is to come of an open sale, the next last.
    pub(super) plan: Vec<(i64, Turn)>,
}

/// A refused registration that may be tried again.
pub(super) struct Retry {
    after: i64,
    member: usize,
    account: u64,
    deal: DealId,
}

/// Refused registrations remembered, at most.
const RETRIES: usize = 1_024;

impl Simulation {
    /// The id that an account gets if it is a new one.
    pub(super) fn new_account(&mut self) -> AccountId {
        self.accounts += 1;
        AccountId::new(format_smolstr!("a{:06}", self.accounts)).expect("a letter and digits are an id")
    }

    /// What a claim on an account covers: mostly one product, in the account's country.
    pub(super) fn scope(&mut self, account: u64) -> Scope {
        let count = self.products();
        let products = match self.chance.even() {
            share if share < 0.75 => vec![policies::product(self.chance.zipf(count))],
            share if share < 0.95 => {
                let first = self.chance.zipf(count - 1);
                vec![policies::product(first), policies::product(first + 1)]
            }
            _ => Vec::new(),
        };
        let territories = vec![SmolStr::new_static(COUNTRIES[Market::country(account)].code)];
        Scope { products, territories }.canonical()
    }

    /// A new case of a partner, on an account.
    pub(super) fn case(&mut self, member: usize, account: u64) -> Box<Case> {
        let deal = DealId::new(format_smolstr!("d{:06}", self.deals)).expect("a letter and digits are an id");
        self.deals += 1;
        let size = (self.chance.even() * shape::AMOUNT_EXPONENT).exp();
        let own = COUNTRIES[Market::country(account)].currency;
        let code = if self.chance.happens(shape::OWN_CURRENCY) { own } else { "USD" };
        let amount = Money::new(currency(code), (shape::LEAST_AMOUNT * size / 100.0) as i64 * 100);
        let stage = match self.chance.even() {
            share if share < 0.7 => 0,
            share if share < 0.9 => 1,
            _ => 2,
        };
        Box::new(Case {
            deal,
            member,
            account,
            scope: self.scope(account),
            amount,
            previous: None,
            registered: 0,
            sequence: 0,
            conflict: None,
            stage,
            until: None,
            renewals: 0,
            asked: false,
            plan: Vec::new(),
        })
    }

    /// An account that a partner sells to.
    pub(super) fn prospect(&mut self, member: usize) -> u64 {
        let home = self.members[member].country;
        let country = if self.chance.happens(shape::AT_HOME) { home } else { self.chance.of(COUNTRIES.len()) };
        self.market.visit(&mut self.chance, country)
    }

    /// A registration comes in, or a draft.
    pub(super) fn new_deal(&mut self, now: Timestamp, out: &mut Vec<Bytes>) -> Result<(), GenerateError> {
        let retry = match self.retries.front() {
            Some(retry) if retry.after <= now.0 => self.retries.pop_front(),
            _ => None,
        };
        let case = match retry {
            Some(retry) => {
                let mut case = self.case(retry.member, retry.account);
                case.previous = Some(retry.deal);
                case
            }
            None => {
                let member = self.seller();
                let account = self.prospect(member);
                self.case(member, account)
            }
        };
        if case.previous.is_none() && self.chance.happens(shape::DRAFTS) {
            return self.draft(now, case, out);
        }
        self.register(now, case, out)
    }

    fn draft(&mut self, now: Timestamp, case: Box<Case>, out: &mut Vec<Bytes>) -> Result<(), GenerateError> {
        let whole = self.chance.happens(0.5);
        let customer = whole.then(|| self.market.looked_up(case.account));
        let draft = Draft {
            partner: self.members[case.member].id.clone(),
            title: self.title(&case),
            customer,
            scope: case.scope.clone(),
            amount: Some(case.amount).filter(|_| whole),
            expected_close: None,
            stage: None,
            previous_deal: None,
        };
        let turn = if self.chance.happens(shape::DRAFTS_DROPPED) {
            Turn::Withdraw
        } else if whole {
            Turn::Submit
        } else {
            Turn::Register
        };
        self.sales(now, &case, DealCommand::Draft(draft), out)?;
        let at = now.0 + self.chance.days(0.5, 20.0);
        self.later(at, Step::Deal(case, turn));
        Ok(())
    }

    /// Asks for the partner that the case is of.
    pub(super) fn sales(
        &mut self,
        now: Timestamp,
        case: &Case,
        command: DealCommand,
        out: &mut Vec<Bytes>,
    ) -> Result<Option<Done>, GenerateError> {
        let actor = self.members[case.member].sales.clone();
        self.ask(now, &actor, Command::Deal(case.deal.clone(), command), out)
    }

    fn title(&self, case: &Case) -> String {
        let product = case.scope.products.first().map_or("everything", |product| product.as_str());
        let customer = self.market.looked_up(case.account);
        format!("{product} for {}", customer.name)
    }

    /// What a registration says.
    pub(super) fn submission(
        &mut self,
        now: Timestamp,
        case: &Case,
        customer: Customer,
        history: Option<HistoryTerms>,
    ) -> Submission {
        let expected = now.0 + self.chance.days(20.0, 120.0);
        Submission {
            partner: self.members[case.member].id.clone(),
            title: self.title(case),
            customer,
            new_account: self.new_account(),
            scope: case.scope.clone(),
            amount: Some(case.amount),
            expected_close: Some(Timestamp(expected).date()),
            stage: Some(policies::stage(case.stage)),
            previous_deal: case.previous.clone(),
            history,
        }
    }

    pub(super) fn register(
        &mut self,
        now: Timestamp,
        case: Box<Case>,
        out: &mut Vec<Bytes>,
    ) -> Result<(), GenerateError> {
        let customer = self.market.told(&mut self.chance, case.account);
        let submission = self.submission(now, &case, customer, None);
        let done = self.sales(now, &case, DealCommand::Register(submission), out)?;
        self.filed(now, case, done);
        Ok(())
    }

    /// Goes on from what a registration came to.
    pub(super) fn filed(&mut self, now: Timestamp, mut case: Box<Case>, done: Option<Done>) {
        let Some(Done { resource: Resource::Deal(deal), sequence, .. }) = done else { return };
        case.registered = now.0;
        case.sequence = deal.registered_sequence.unwrap_or(sequence);
        match deal.state {
            DealState::Approved => self.sell(now, case, &deal),
            DealState::Submitted | DealState::Conflicted => {
                case.conflict = (deal.state == DealState::Conflicted).then(|| rival(&deal));
                let turn = if self.chance.happens(0.7) { Turn::StartReview } else { Turn::Decide };
                let at = now.0 + self.chance.days(0.05, 2.5);
                self.later(at, Step::Deal(case, turn));
            }
            _ => self.refused_deal(now, &case),
        }
    }

    /// A refused registration; some come again.
    pub(super) fn refused_deal(&mut self, now: Timestamp, case: &Case) {
        if self.retries.len() < RETRIES && self.chance.happens(shape::RETRIED) {
            let retry =
                Retry { after: now.0 + 30 * DAY, member: case.member, account: case.account, deal: case.deal.clone() };
            self.retries.push_back(retry);
        }
    }
}

/// Whose deal stands in the way.
fn rival(deal: &Deal) -> Option<(DealId, PartnerId)> {
    deal.conflicts.iter().find_map(|conflict| match &conflict.kind {
        ConflictKind::ProtectedByOther { deal, partner, .. } => Some((deal.clone(), partner.clone())),
        _ => None,
    })
}
