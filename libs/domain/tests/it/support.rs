//! A program to try commands on.

use pactum_domain::account::{AccountKey, Customer};
use pactum_domain::actor::{Actor, Role};
use pactum_domain::command::{
    Amendment, Command, Context, DealCommand, Draft, OpportunityCommand, PartnerCommand, ProgramCommand,
    ProtectionChoice, Submission,
};
use pactum_domain::deal::{Deal, DealState, Event, Scope};
use pactum_domain::event::{AnyEvent, Moment};
use pactum_domain::ids::{AccountId, DealId, ImportId, OpportunityId, PartnerId, ProductId, ProgramId};
use pactum_domain::model::Model;
use pactum_domain::money::{Currency, Money};
use pactum_domain::partner::{Enrolled, Profile};
use pactum_domain::rejection::Rejection;
use pactum_domain::time::{Date, Timestamp};

/// The policy that tests begin with; a test that needs another replaces a line.
pub(crate) const POLICY: &str = "
tiers:
  - { id: basic, registration_capacity: 4 }
  - { id: silver }
  - { id: gold, protection_days: 120 }
partner_types: [reseller, integrator]
territories:
  - id: EMEA
  - { id: DE, parent: EMEA }
  - { id: FR, parent: EMEA }
  - id: US
specialisations: [security]
products:
  - id: core
  - id: addon
  - { id: shield, specialisation: security }
stages:
  - { id: open, probability: 10 }
  - { id: proposal, probability: 50 }
deal_registration:
  protection_days: 90
  max_extensions: 1
  max_extension_days: 30
  on_lapse: keep
  min_tier: silver
  require_territory: true
  existing_customer_conflicts: true
  similarity_percent: 90
  auto_approve: deal.amount_minor <= 100000
  on_conflict: review
  review_days: 5
  reopen_days: 30
";

/// 2026-01-01T00:00:00Z.
pub(crate) const START: Timestamp = Timestamp(1_767_225_600_000_000);

pub(crate) fn account_id(id: &str) -> AccountId {
    id.parse().unwrap()
}
pub(crate) fn deal_id(id: &str) -> DealId {
    id.parse().unwrap()
}
pub(crate) fn partner_id(id: &str) -> PartnerId {
    id.parse().unwrap()
}
pub(crate) fn opportunity_id(id: &str) -> OpportunityId {
    id.parse().unwrap()
}
pub(crate) fn import_id(id: &str) -> ImportId {
    id.parse().unwrap()
}
pub(crate) fn product_id(id: &str) -> ProductId {
    id.parse().unwrap()
}
pub(crate) fn usd(minor: i64) -> Money {
    Money::new(Currency::parse("USD").unwrap(), minor)
}
pub(crate) fn eur(minor: i64) -> Money {
    Money::new(Currency::parse("EUR").unwrap(), minor)
}
pub(crate) fn day(year: i32, month: u32, day: u32) -> Date {
    Date::from_ymd(year, month, day).unwrap()
}

pub(crate) fn vendor(role: Role) -> Actor {
    Actor { subject: "v".into(), role, partner: None }
}
pub(crate) fn admin() -> Actor {
    vendor(Role::ProgramAdmin)
}
pub(crate) fn sales(partner: &str) -> Actor {
    Actor { subject: "s".into(), role: Role::PartnerSales, partner: Some(partner_id(partner)) }
}

pub(crate) fn scope(products: &[&str], territories: &[&str]) -> Scope {
    let products = products.iter().map(|id| product_id(id)).collect();
    Scope { products, territories: territories.iter().map(|id| (*id).into()).collect() }
}

/// A customer known by its domain.
pub(crate) fn customer(name: &str, domain: &str) -> Customer {
    Customer { name: name.into(), country: None, keys: vec![AccountKey::Domain(domain.into())] }
}
/// A customer known by its name alone.
pub(crate) fn named(name: &str, country: Option<&str>) -> Customer {
    Customer { name: name.into(), country: country.map(Into::into), keys: Vec::new() }
}

/// A registration of `core` in Germany on initech.example, small enough to be approved at once.
pub(crate) fn submission(partner: &str, new_account: &str) -> Submission {
    Submission {
        partner: partner_id(partner),
        title: "Initech, core".to_owned(),
        customer: customer("Initech", "initech.example"),
        new_account: account_id(new_account),
        scope: scope(&["core"], &["DE"]),
        amount: Some(usd(100_000)),
        expected_close: None,
        stage: None,
        previous_deal: None,
        history: None,
    }
}
/// The same, too large to be approved at once.
pub(crate) fn large(partner: &str, new_account: &str) -> Submission {
    Submission { amount: Some(usd(100_001)), ..submission(partner, new_account) }
}
pub(crate) fn draft(partner: &str) -> Draft {
    let Submission { partner, title, customer, scope, amount, expected_close, stage, previous_deal, .. } =
        submission(partner, "unused");
    Draft { partner, title, customer: Some(customer), scope, amount, expected_close, stage, previous_deal }
}

pub(crate) fn deal(id: &str, command: DealCommand) -> Command {
    Command::Deal(deal_id(id), command)
}
pub(crate) fn register(id: &str, submission: Submission) -> Command {
    deal(id, DealCommand::Register(submission))
}
pub(crate) fn approve(id: &str, protection: ProtectionChoice) -> Command {
    deal(id, DealCommand::Approve { protection, reason_code: "".into(), note: String::new() })
}
pub(crate) fn amend(id: &str, amendment: Amendment) -> Command {
    deal(id, DealCommand::Amend(amendment))
}
pub(crate) fn win(id: &str, amount: Money) -> Command {
    deal(id, DealCommand::Win { amount, closed_on: None })
}
pub(crate) fn lose(id: &str) -> Command {
    deal(id, DealCommand::Lose { reason: "PRICE".to_owned(), closed_on: None })
}
pub(crate) fn withdraw(id: &str) -> Command {
    deal(id, DealCommand::Withdraw { reason: String::new() })
}
pub(crate) fn reassign(id: &str, to: &str, evidence: &[u64]) -> Command {
    let (to, evidence) = (partner_id(to), evidence.to_vec());
    deal(id, DealCommand::Reassign { to, evidence, reason_code: "".into(), note: String::new() })
}
pub(crate) fn extend(id: &str, days: u32) -> Command {
    deal(id, DealCommand::ExtendProtection { days, reason: "a tender".to_owned(), evidence: Vec::new() })
}
pub(crate) fn partner(id: &str, command: PartnerCommand) -> Command {
    Command::Partner(partner_id(id), command)
}
pub(crate) fn opportunity(id: &str, command: OpportunityCommand) -> Command {
    Command::Opportunity(opportunity_id(id), command)
}
pub(crate) fn program(command: ProgramCommand) -> Command {
    Command::Program(command)
}
pub(crate) fn enrolment(tier: &str) -> Enrolled {
    Enrolled {
        tier: tier.into(),
        kind: "reseller".into(),
        territories: vec!["EMEA".into(), "US".into()],
        specialisations: Vec::new(),
    }
}

/// A program under test, with its history.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) model: Model,
    pub(crate) now: Timestamp,
    pub(crate) log: Vec<(AnyEvent, Moment)>,
}

impl World {
    /// A program that was never created.
    pub(crate) fn empty() -> Self {
        Self { model: Model::new("acme".parse::<ProgramId>().unwrap()), now: START, log: Vec::new() }
    }

    /// A program under a policy with three active partners: `alpha` and `beta` (silver), `gamma` (gold).
    pub(crate) fn with(policy: &str) -> Self {
        let mut world = Self::empty();
        let (display_name, currency) = ("Acme".to_owned(), Currency::parse("USD").unwrap());
        world.run(&program(ProgramCommand::Create { display_name, currency, policy: Some(policy.to_owned()) }));
        for (id, tier) in [("alpha", "silver"), ("beta", "silver"), ("gamma", "gold")] {
            world.active_partner(id, enrolment(tier));
        }
        world
    }

    pub(crate) fn new() -> Self {
        Self::with(POLICY)
    }

    pub(crate) fn active_partner(&mut self, id: &str, terms: Enrolled) {
        let profile = Profile { display_name: id.to_owned(), ..Profile::default() };
        self.run(&partner(id, PartnerCommand::Apply(profile)));
        self.run(&partner(id, PartnerCommand::Approve { note: String::new() }));
        self.run(&partner(id, PartnerCommand::Enroll(terms)));
        self.run(&partner(id, PartnerCommand::Activate));
    }

    pub(crate) fn days_later(mut self, days: i64) -> Self {
        self.pass(days);
        self
    }

    pub(crate) fn pass(&mut self, days: i64) {
        self.now = self.now.plus_days(days);
    }

    pub(crate) fn context(&self, actor: Actor, occurred_at: Timestamp) -> Context {
        Context { actor, recorded_at: self.now, occurred_at, expected_version: None }
    }

    pub(crate) fn decide(&self, actor: Actor, command: &Command) -> Result<Vec<AnyEvent>, Rejection> {
        self.model.decide(command, &self.context(actor, self.now))
    }

    /// Decides and folds; the command must be taken.
    pub(crate) fn run(&mut self, command: &Command) -> Vec<AnyEvent> {
        self.run_as(admin(), command)
    }

    pub(crate) fn run_as(&mut self, actor: Actor, command: &Command) -> Vec<AnyEvent> {
        let context = self.context(actor, self.now);
        self.run_in(&context, command).unwrap_or_else(|refusal| panic!("{command:?}: {refusal}"))
    }

    /// As a connector that brings history in.
    pub(crate) fn run_then(&mut self, occurred_at: Timestamp, command: &Command) -> Vec<AnyEvent> {
        let context = self.context(vendor(Role::Connector), occurred_at);
        self.run_in(&context, command).unwrap_or_else(|refusal| panic!("{command:?}: {refusal}"))
    }

    pub(crate) fn run_in(&mut self, context: &Context, command: &Command) -> Result<Vec<AnyEvent>, Rejection> {
        let events = self.model.decide(command, context)?;
        for event in &events {
            self.fold(event, context);
        }
        Ok(events)
    }

    pub(crate) fn fold(&mut self, event: &AnyEvent, context: &Context) {
        let Context { recorded_at, occurred_at, .. } = *context;
        let moment = Moment { occurred_at, recorded_at, sequence: self.model.sequence() + 1 };
        let _ = self.model.evolve(event, moment).unwrap();
        self.log.push((event.clone(), moment));
    }

    /// Runs what is due, as the timer does.
    pub(crate) fn run_due(&mut self) -> Vec<AnyEvent> {
        let due = self.model.due(self.now, 1_000);
        due.iter().flat_map(|command| self.run_as(Actor::timer(), command)).collect()
    }

    pub(crate) fn deal(&self, id: &str) -> &Deal {
        self.model.deal(&deal_id(id)).unwrap_or_else(|| panic!("no deal {id}"))
    }

    pub(crate) fn state(&self, id: &str) -> DealState {
        self.deal(id).state
    }
}

/// The one check of a refusal: its code and its words.
#[track_caller]
pub(crate) fn check(world: &World, actor: Actor, command: &Command, reason: &str, message: &str) {
    check_in(world, &world.context(actor, world.now), command, reason, message);
}

#[track_caller]
pub(crate) fn check_in(world: &World, context: &Context, command: &Command, reason: &str, message: &str) {
    match world.model.decide(command, context) {
        Ok(events) => panic!("taken: {events:?}\nexpected {reason}: {message}"),
        Err(refusal) => assert_eq!((refusal.reason(), refusal.to_string().as_str()), (reason, message)),
    }
}

/// Events as their names, with the deal's id, for short comparisons: `d1 Registered`.
pub(crate) fn names(events: &[AnyEvent]) -> Vec<String> {
    let name = |event: &AnyEvent| match event {
        AnyEvent::Deal(id, event) => format!("{id} {}", variant(event)),
        AnyEvent::Program(event) => variant(event),
        AnyEvent::Partner(id, event) => format!("{id} {}", variant(event)),
        AnyEvent::Opportunity(id, event) => format!("{id} {}", variant(event)),
    };
    events.iter().map(name).collect()
}

fn variant(event: &impl std::fmt::Debug) -> String {
    let text = format!("{event:?}");
    text.split([' ', '(', '{']).next().unwrap_or_default().to_owned()
}

/// The deal's event of an `AnyEvent`.
pub(crate) fn deal_event(event: &AnyEvent) -> &Event {
    match event {
        AnyEvent::Deal(_, event) => event,
        other => panic!("not of a deal: {other:?}"),
    }
}
