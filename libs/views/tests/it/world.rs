//! A program whose commands are decided by the domain and folded into every view.

use std::collections::HashMap;

use pactum_domain::account::{Customer, RawCustomer};
use pactum_domain::actor::{Actor, Role};
use pactum_domain::command::{
    Command, Context, DealCommand, PartnerCommand, ProgramCommand, ProtectionChoice, Submission,
};
use pactum_domain::deal::Scope;
use pactum_domain::event::AnyEvent;
use pactum_domain::model::Model;
use pactum_domain::money::{Currency, Money};
use pactum_domain::partner::{Enrolled, Profile};
use pactum_domain::rejection::Rejection;
use pactum_domain::time::{DAY, Date, Timestamp};
use pactum_events::{Record, Recorded, Request};
use pactum_ids::{AccountId, DealId, PartnerId, ProductId, ProgramId, RequestId};
use pactum_views::view::ALL;
use pactum_views::{Changes, Folded, MemoryRows, Place, fold};

/// A policy in which little is forbidden, so that much can happen.
pub(crate) const POLICY: &str = "
tiers:
  - id: silver
  - id: gold
    protection_days: 120
territories: [{id: EMEA}, {id: DE, parent: EMEA}, {id: FR, parent: EMEA}, {id: US}]
stages:
  - {id: qualified, probability: 25}
  - {id: proposal, probability: 50}
deal_registration:
  protection_days: 90
  max_extensions: 2
  max_extension_days: 60
  auto_approve: partner.tier == 'silver'
";

pub(crate) fn program() -> ProgramId {
    ProgramId::new("acme").unwrap()
}

pub(crate) fn partner(id: &str) -> PartnerId {
    PartnerId::new(id).unwrap()
}

pub(crate) fn deal(id: &str) -> DealId {
    DealId::new(id).unwrap()
}

pub(crate) fn usd(minor: i64) -> Money {
    Money { currency: Currency::parse("USD").unwrap(), minor }
}

pub(crate) fn customer(domain: &str) -> Customer {
    Customer::parse(&RawCustomer { name: domain, domain, ..RawCustomer::default() }).unwrap()
}

pub(crate) fn scope(products: &[&str], territories: &[&str]) -> Scope {
    let products = products.iter().map(|product| ProductId::new(product).unwrap()).collect();
    Scope { products, territories: territories.iter().map(|id| (*id).into()).collect() }.canonical()
}

pub(crate) fn vendor() -> Actor {
    Actor { subject: "admin".into(), role: Role::ProgramAdmin, partner: None }
}

/// A registration of a partner on a customer, with nothing said about the rest.
pub(crate) fn submission(of: &str, domain: &str) -> Submission {
    Submission {
        partner: partner(of),
        title: format!("{of} at {domain}"),
        customer: customer(domain),
        new_account: AccountId::new(format!("a-{of}-{domain}")).unwrap(),
        scope: Scope::default(),
        amount: None,
        expected_close: None,
        stage: None,
        previous_deal: None,
        history: None,
    }
}

pub(crate) fn approve() -> DealCommand {
    DealCommand::Approve { protection: ProtectionChoice::Policy, reason_code: "".into(), note: String::new() }
}

pub(crate) fn win(minor: i64, day: &str) -> DealCommand {
    DealCommand::Win { amount: usd(minor), closed_on: Some(Date::parse(day).unwrap()) }
}

/// The program, and what every view makes of it.
pub(crate) struct World {
    pub(crate) model: Model,
    /// By the view's name.
    pub(crate) rows: HashMap<&'static str, MemoryRows>,
    pub(crate) records: Vec<Record>,
    pub(crate) now: Timestamp,
    versions: HashMap<String, u64>,
}

impl World {
    /// A program with its policy, and active partners `p-0`, `p-1`, … of the lowest tier.
    pub(crate) fn new(partners: usize) -> Self {
        let rows = ALL.iter().map(|view| (view.name(), MemoryRows::default())).collect();
        let now = Date::parse("2026-01-05").unwrap().start();
        let model = Model::new(program());
        let mut world = Self { model, rows, records: Vec::new(), now, versions: HashMap::new() };
        let create = ProgramCommand::Create {
            display_name: "Acme".into(),
            currency: Currency::parse("USD").unwrap(),
            policy: Some(POLICY.into()),
        };
        world.must(Command::Program(create));
        for n in 0..partners {
            let id = format!("p-{n}");
            let name = format!("Partner {}", partners - n);
            let profile = Profile { display_name: name, country: Some("DE".into()), ..Profile::default() };
            let enrolled = Enrolled {
                tier: "silver".into(),
                kind: "reseller".into(),
                territories: vec!["EMEA".into(), "US".into()],
                specialisations: Vec::new(),
            };
            for command in [
                PartnerCommand::Apply(profile),
                PartnerCommand::Approve { note: String::new() },
                PartnerCommand::Enroll(enrolled),
                PartnerCommand::Activate,
            ] {
                world.must(Command::Partner(partner(&id), command));
            }
        }
        world
    }

    pub(crate) fn days(&mut self, days: i64) {
        self.now = Timestamp(self.now.0 + days * DAY);
        for command in self.model.due(self.now, 1_000) {
            self.by(&Actor::timer(), &command).unwrap();
        }
    }

    pub(crate) fn must(&mut self, command: Command) {
        self.by(&vendor(), &command).unwrap();
    }

    pub(crate) fn deal(&mut self, id: &str, command: DealCommand) {
        self.must(Command::Deal(deal(id), command));
    }

    pub(crate) fn register(&mut self, id: &str, of: &str, domain: &str, change: impl FnOnce(&mut Submission)) {
        let mut submission = submission(of, domain);
        change(&mut submission);
        self.deal(id, DealCommand::Register(submission));
    }

    /// Decides and folds a command.
    pub(crate) fn by(&mut self, actor: &Actor, command: &Command) -> Result<(), Rejection> {
        self.now = Timestamp(self.now.0 + 1_000_000);
        let context =
            Context { actor: actor.clone(), recorded_at: self.now, occurred_at: self.now, expected_version: None };
        let events = self.model.decide(command, &context)?;
        if events.is_empty() {
            return Ok(());
        }
        let policy = self.model.program().and_then(|program| program.policy_at(self.now));
        let record = Record {
            program: program(),
            sequence: self.model.sequence() + 1,
            recorded_at: self.now,
            actor: actor.clone(),
            request: Some(Request {
                id: RequestId::new(format!("r-{}", self.records.len())).unwrap(),
                content_hash: [7; 16],
            }),
            correlation_id: None,
            causation_id: None,
            traceparent: None,
            policy_version: policy.map_or(0, |policy| policy.version),
            events: events.into_iter().map(|event| self.recorded(event)).collect(),
        };
        for (moment, recorded) in record.moments() {
            drop(self.model.evolve(&recorded.event, moment).unwrap());
        }
        for view in ALL {
            let rows = self.rows.get_mut(view.name()).unwrap();
            let mut changes = Changes::new(rows);
            fold(*view, &mut changes, &Folded { record: &record, place: place(self.records.len()) }).unwrap();
            let writes = changes.into_writes();
            rows.write(writes);
        }
        self.records.push(record);
        Ok(())
    }

    fn recorded(&mut self, event: AnyEvent) -> Recorded {
        let version = self.versions.entry(pactum_events::resource_name(&program(), &event)).or_default();
        *version += 1;
        Recorded { event, aggregate_version: *version, occurred_at: self.now }
    }
}

pub(crate) fn place(n: usize) -> Place {
    Place { offset: 2 + n as u64, term: 1, n: n as u64 }
}
