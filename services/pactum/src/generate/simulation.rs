//! A program's life on simulated time: what is to happen next, and one step after another.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use bytes::Bytes;
use pactum_command::Done;
use pactum_domain::actor::{Actor, Role};
use pactum_domain::command::{Command, ProgramCommand};
use pactum_domain::money::Currency;
use pactum_domain::time::Timestamp;
use pactum_ids::{OpportunityId, ProgramId};
use smol_str::format_smolstr;

use super::calendar::Calendar;
use super::chance::Chance;
use super::deals::{Case, Retry, Turn};
use super::decider::{Ask, Decider};
use super::error::GenerateError;
use super::market::Market;
use super::members::{Member, PartnerTurn};
use super::past::Past;
use super::policies::{self, Capacity, VERSIONS};
use super::shape;
use super::size::Size;

/// Between two commands of one who works a list off.
pub(super) const PACE: i64 = 20_000;
/// Staff of each kind at the vendor.
const STAFF: usize = 8;

/// What is to happen.
pub(super) enum Step {
    /// The program opens.
    Begin,
    /// The next of what is brought in from the system before.
    Past,
    /// A version of the policy is published.
    Policy(usize),
    /// A partner's turn.
    Partner(usize, PartnerTurn),
    /// A registration comes in.
    Arrival,
    /// A deal's turn.
    Deal(Box<Case>, Turn),
    /// A window ends.
    Timer,
    /// The vendor stops to work an account itself.
    CloseOpportunity(OpportunityId),
    /// The program ends.
    Archive,
}

struct Queued {
    at: i64,
    /// Keeps those of one moment in the order of their making.
    number: u64,
    step: Step,
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        // The earliest is the greatest, for that is what a heap gives first.
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Queued {}

/// The vendor's people and systems.
pub(super) struct Staff {
    pub(super) admin: Actor,
    pub(super) managers: Vec<Actor>,
    pub(super) reviewers: Vec<Actor>,
    pub(super) connector: Actor,
}

impl Staff {
    fn new() -> Self {
        let actor = |kind: &str, number: usize, role| Actor {
            subject: format_smolstr!("{kind}-{number}"),
            role,
            partner: None,
        };
        Self {
            admin: actor("admin", 0, Role::ProgramAdmin),
            managers: (0..STAFF).map(|number| actor("manager", number, Role::ChannelManager)).collect(),
            reviewers: (0..STAFF).map(|number| actor("reviewer", number, Role::Reviewer)).collect(),
            connector: actor("crm-sync", 0, Role::Connector),
        }
    }
}

/// A program's life.
pub(super) struct Simulation {
    pub(super) decider: Decider,
    pub(super) program: ProgramId,
    pub(super) size: Size,
    pub(super) chance: Chance,
    queue: BinaryHeap<Queued>,
    number: u64,
    calendar: Calendar,
    pub(super) market: Market,
    pub(super) staff: Staff,
    pub(super) members: Vec<Member>,
    /// How many of them have applied so far; they come in the order of their size.
    pub(super) applied: usize,
    pub(super) past: Past,
    pub(super) retries: VecDeque<Retry>,
    /// The version of the policy that holds, from 0.
    version: usize,
    pub(super) deals: u64,
    pub(super) accounts: u64,
    opportunities: u64,
    archived: bool,
}

impl Simulation {
    /// Of one program among several; `number` tells them apart where they have one seed. One that is archived ends with
    /// the history.
    pub(super) fn new(program: ProgramId, size: Size, number: u64, archived: bool) -> Self {
        let mut chance = Chance::new(size.seed, number);
        let imported = ((size.deals as f64 * shape::IMPORTED).round() as u64).max(1).min(size.deals);
        let members = (0..size.partners as usize).map(|number| Member::new(number, size.partners as usize)).collect();
        let market = Market::new(size.deals, chance.bits());
        let mut simulation = Self {
            decider: Decider::new(program.clone()),
            program,
            size,
            calendar: Calendar::new(size.from().plus_days(1), size.until, size.deals - imported),
            past: Past::new(imported),
            chance,
            queue: BinaryHeap::new(),
            number: 0,
            market,
            staff: Staff::new(),
            members,
            applied: 0,
            retries: VecDeque::new(),
            version: 0,
            deals: 0,
            accounts: 0,
            opportunities: 0,
            archived,
        };
        simulation.later(size.from().0, Step::Begin);
        simulation
    }

    /// When the next thing happens; nothing where the history is at its end.
    pub(super) fn next_at(&self) -> Option<i64> {
        self.queue.peek().map(|queued| queued.at)
    }

    /// How much was refused because something else was faster.
    pub(super) fn refused(&self) -> u64 {
        self.decider.refused()
    }

    /// Lets the next thing happen, and gives the bodies of the records that it makes.
    pub(super) fn step(&mut self, out: &mut Vec<Bytes>) -> Result<(), GenerateError> {
        let Some(Queued { at, step, .. }) = self.queue.pop() else { return Ok(()) };
        let now = Timestamp(at);
        match step {
            Step::Begin => self.begin(now, out),
            Step::Past => self.past_step(now, out),
            Step::Policy(version) => self.publish(now, version, out),
            Step::Partner(member, turn) => self.partner_turn(now, member, turn, out),
            Step::Arrival => self.arrival(now, out),
            Step::Deal(case, turn) => self.deal_turn(now, case, turn, out),
            Step::Timer => self.decider.timer(now, out),
            Step::CloseOpportunity(id) => self.close_opportunity(now, id, out),
            Step::Archive => {
                let reason = "Merged into another program".to_owned();
                self.admin(now, Command::Program(ProgramCommand::Archive { reason }), out)?;
                self.queue.clear();
                Ok(())
            }
        }
    }

    /// Puts something off; what would come after the end never comes.
    pub(super) fn later(&mut self, at: i64, step: Step) {
        if at < self.size.until.0 {
            self.number += 1;
            self.queue.push(Queued { at, number: self.number, step });
        }
    }

    /// Asks in somebody's name.
    pub(super) fn ask(
        &mut self,
        at: Timestamp,
        actor: &Actor,
        command: Command,
        out: &mut Vec<Bytes>,
    ) -> Result<Option<Done>, GenerateError> {
        let request = self.chance.request();
        self.decider.ask(Ask { at, actor, command, occurred_at: None, request }, out)
    }

    /// Asks for the program's administrator.
    pub(super) fn admin(
        &mut self,
        at: Timestamp,
        command: Command,
        out: &mut Vec<Bytes>,
    ) -> Result<Option<Done>, GenerateError> {
        let actor = self.staff.admin.clone();
        self.ask(at, &actor, command, out)
    }

    /// Asks for the vendor's CRM, which may tell of earlier days.
    pub(super) fn connector(
        &mut self,
        at: Timestamp,
        occurred_at: Option<Timestamp>,
        command: Command,
        out: &mut Vec<Bytes>,
    ) -> Result<Option<Done>, GenerateError> {
        let request = self.chance.request();
        self.decider.ask(Ask { at, actor: &self.staff.connector, command, occurred_at, request }, out)
    }

    /// Asks for one of the channel managers.
    pub(super) fn manager(
        &mut self,
        at: Timestamp,
        command: Command,
        out: &mut Vec<Bytes>,
    ) -> Result<Option<Done>, GenerateError> {
        let actor = self.staff.managers[self.chance.of(STAFF)].clone();
        self.ask(at, &actor, command, out)
    }

    /// Asks for one of the reviewers.
    pub(super) fn reviewer(
        &mut self,
        at: Timestamp,
        command: Command,
        out: &mut Vec<Bytes>,
    ) -> Result<Option<Done>, GenerateError> {
        let actor = self.staff.reviewers[self.chance.of(STAFF)].clone();
        self.ask(at, &actor, command, out)
    }

    fn begin(&mut self, now: Timestamp, out: &mut Vec<Bytes>) -> Result<(), GenerateError> {
        let create = ProgramCommand::Create {
            display_name: format!("The {} partner program", self.program),
            currency: currency("USD"),
            policy: Some(policies::document(0, self.capacity())),
        };
        self.admin(now, Command::Program(create), out)?;
        for version in 1..VERSIONS.len() {
            let published = policies::in_force(version, self.size.from(), self.size.until);
            self.later(published.plus_days(-policies::NOTICE_DAYS).0, Step::Policy(version));
        }
        let ready = self.found(now, out)?;
        self.begin_past(ready, out)?;
        if self.archived {
            self.later(self.size.until.0 - 1, Step::Archive);
        }
        Ok(())
    }

    /// Registrations that a partner of a tier has open at most, with room to spare.
    fn capacity(&self) -> Capacity {
        let partners = self.members.len();
        let a_year = self.size.deals as f64 / f64::from(self.size.years);
        let open = a_year * 0.6 + self.size.deals as f64 * 0.03;
        let of = |tier: usize| {
            let rank = self.members.iter().position(|member| member.tier <= tier).unwrap_or(partners) as f64;
            let share = ((rank + 2.0) / (rank + 1.0)).ln() / (partners as f64 * shape::FOUNDING + 2.0).ln();
            10 + (open * share).ceil() as u64
        };
        Capacity { registered: of(0), silver: of(1), gold: of(2) }
    }

    fn publish(&mut self, now: Timestamp, version: usize, out: &mut Vec<Bytes>) -> Result<(), GenerateError> {
        let document = policies::document(version, self.capacity());
        let effective_from = Some(now.plus_days(policies::NOTICE_DAYS));
        self.version = version;
        self.admin(now, Command::Program(ProgramCommand::PublishPolicy { document, effective_from }), out)?;
        Ok(())
    }

    /// How many products there are to choose from: those of the version before the one announced.
    pub(super) fn products(&self) -> usize {
        VERSIONS[self.version.saturating_sub(1)].products
    }

    /// Registrations come in from now on.
    pub(super) fn open(&mut self) {
        if let Some(at) = self.calendar.next(&mut self.chance) {
            self.later(at.0, Step::Arrival);
        }
    }

    fn arrival(&mut self, now: Timestamp, out: &mut Vec<Bytes>) -> Result<(), GenerateError> {
        self.open();
        if self.chance.happens(shape::OPPORTUNITIES) {
            self.open_opportunity(now, out)?;
        }
        self.new_deal(now, out)
    }

    fn open_opportunity(&mut self, now: Timestamp, out: &mut Vec<Bytes>) -> Result<(), GenerateError> {
        let country = self.chance.of(super::market::COUNTRIES.len());
        let account = self.market.visit(&mut self.chance, country);
        let id =
            OpportunityId::new(format_smolstr!("o{:06}", self.opportunities)).expect("a letter and digits are an id");
        self.opportunities += 1;
        let command = pactum_domain::command::OpportunityCommand::Open {
            customer: self.market.looked_up(account),
            new_account: self.new_account(),
            scope: self.scope(account),
        };
        self.connector(now, None, Command::Opportunity(id.clone(), command), out)?;
        let closes = now.0 + self.chance.days(30.0, 150.0);
        self.later(closes, Step::CloseOpportunity(id));
        Ok(())
    }

    fn close_opportunity(
        &mut self,
        now: Timestamp,
        id: OpportunityId,
        out: &mut Vec<Bytes>,
    ) -> Result<(), GenerateError> {
        let reason = if self.chance.happens(0.4) { "Won by direct sales" } else { "Left to partners" };
        let command = pactum_domain::command::OpportunityCommand::Close { reason: reason.to_owned() };
        self.connector(now, None, Command::Opportunity(id, command), out)?;
        Ok(())
    }
}

/// A currency that there is.
pub(super) fn currency(code: &'static str) -> Currency {
    Currency::parse(code).expect("the generator names currencies that there are")
}
