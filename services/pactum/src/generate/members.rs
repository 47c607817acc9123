//! The partners: who applies, who stays, who rises, who leaves.

use bytes::Bytes;
use pactum_domain::actor::{Actor, Role};
use pactum_domain::command::{Command, PartnerCommand};
use pactum_domain::partner::{Enrolled, Profile, ProfileUpdated};
use pactum_domain::time::Timestamp;
use pactum_ids::PartnerId;
use smol_str::{SmolStr, format_smolstr};

use super::error::GenerateError;
use super::market::COUNTRIES;
use super::names;
use super::policies::{REGION, TIERS, TYPES};
use super::shape;
use super::simulation::{PACE, Simulation, Step};

/// What happens to a partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PartnerTurn {
    Apply,
    Decide,
    Enroll,
    Activate,
    AssignManager,
    Update,
    Promote,
    Suspend,
    Reinstate,
    Terminate,
}

/// How a partner stands, as far as whoever sells knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Away,
    Selling,
    Suspended,
}

/// A partner. The lower its number, the more it sells.
pub(super) struct Member {
    pub(super) id: PartnerId,
    name: String,
    pub(super) country: usize,
    pub(super) tier: usize,
    pub(super) sales: Actor,
    pub(super) standing: Standing,
}

impl Member {
    pub(super) fn new(number: usize, of: usize) -> Self {
        let name = names::partner(number);
        let id = PartnerId::new(name.to_lowercase().replace(' ', "-")).expect("words with dashes are an id");
        // Those who sell much rise; the two that the guides name are on top from the first day.
        let rank = number as f64 / of as f64;
        let tier = match rank {
            _ if number < 2 => 3,
            rank if rank < 0.03 => 3,
            rank if rank < 0.13 => 2,
            rank if rank < 0.4 => 1,
            _ => 0,
        };
        // As big as the countries are: the first few have more partners than the others.
        let country = if number < 2 { 0 } else { (number * 7 + number / 9) % 17 % COUNTRIES.len() };
        let sales =
            Actor { subject: format_smolstr!("{id}.sales"), role: Role::PartnerSales, partner: Some(id.clone()) };
        Self { id, name, country, tier, sales, standing: Standing::Away }
    }

    fn territories(&self) -> Vec<SmolStr> {
        let home = SmolStr::new_static(COUNTRIES[self.country].code);
        // The largest hold a region beside their country.
        if self.tier == 3 { vec![home, SmolStr::new_static(REGION)] } else { vec![home] }
    }
}

impl Simulation {
    /// Takes in the partners that the program opens with, and lets the others come over the years. Gives when it is done.
    pub(super) fn found(&mut self, now: Timestamp, out: &mut Vec<Bytes>) -> Result<Timestamp, GenerateError> {
        let all = self.members.len();
        let founding = ((all as f64 * shape::FOUNDING) as usize).max(all.min(2));
        let mut at = now.0;
        for member in 0..founding {
            for turn in [PartnerTurn::Apply, PartnerTurn::Decide, PartnerTurn::Enroll, PartnerTurn::Activate] {
                at += PACE;
                let (id, command) = self.partner_command(member, turn);
                self.connector(Timestamp(at), None, Command::Partner(id, command), out)?;
            }
            self.members[member].standing = Standing::Selling;
            self.grow_up(at, member);
        }
        self.applied = founding;
        let (first, last) = (now.plus_days(10).0, self.size.until.plus_days(-60).0.max(now.plus_days(11).0));
        let rest = all - founding;
        for number in 0..rest {
            let joins = first + ((last - first) as f64 * (number as f64 + self.chance.even()) / rest as f64) as i64;
            self.later(joins, Step::Partner(founding + number, PartnerTurn::Apply));
        }
        Ok(Timestamp(at))
    }

    pub(super) fn partner_turn(
        &mut self,
        now: Timestamp,
        member: usize,
        turn: PartnerTurn,
        out: &mut Vec<Bytes>,
    ) -> Result<(), GenerateError> {
        use PartnerTurn as Turn;
        let (id, command) = self.partner_command(member, turn);
        let command = match command {
            PartnerCommand::Approve { .. } if self.chance.happens(shape::APPLICANTS_REFUSED) => {
                PartnerCommand::Reject { reason: "No business in the territories of the program".to_owned() }
            }
            command => command,
        };
        let rejected = matches!(command, PartnerCommand::Reject { .. });
        let command = Command::Partner(id, command);
        if turn == Turn::Apply {
            let actor = Actor { role: Role::PartnerAdmin, ..self.members[member].sales.clone() };
            self.ask(now, &actor, command, out)?;
            self.applied = self.applied.max(member + 1);
        } else {
            self.manager(now, command, out)?;
        }
        if rejected {
            return Ok(());
        }
        let next = match turn {
            Turn::Apply => Some((Turn::Decide, 1.0, 14.0)),
            Turn::Decide => Some((Turn::Enroll, 0.1, 7.0)),
            Turn::Enroll => Some((Turn::Activate, 3.0, 40.0)),
            Turn::Suspend if self.chance.happens(shape::TERMINATED) => Some((Turn::Terminate, 20.0, 90.0)),
            Turn::Suspend => Some((Turn::Reinstate, 5.0, 60.0)),
            Turn::Activate | Turn::AssignManager | Turn::Update | Turn::Promote | Turn::Reinstate | Turn::Terminate => {
                None
            }
        };
        if let Some((turn, least, most)) = next {
            let at = now.0 + self.chance.days(least, most);
            self.later(at, Step::Partner(member, turn));
        }
        let standing = &mut self.members[member].standing;
        match turn {
            Turn::Activate => {
                *standing = Standing::Selling;
                self.grow_up(now.0, member);
            }
            Turn::Reinstate => *standing = Standing::Selling,
            Turn::Suspend => *standing = Standing::Suspended,
            Turn::Terminate => *standing = Standing::Away,
            Turn::Apply | Turn::Decide | Turn::Enroll | Turn::AssignManager | Turn::Update | Turn::Promote => {}
        }
        Ok(())
    }

    /// What becomes of a partner that is active now.
    fn grow_up(&mut self, now: i64, member: usize) {
        let soon = |simulation: &mut Self, share: f64, least: f64, most: f64, turn: PartnerTurn| {
            if simulation.chance.happens(share) {
                let at = now + simulation.chance.days(least, most);
                simulation.later(at, Step::Partner(member, turn));
            }
        };
        soon(self, 1.0, 0.1, 5.0, PartnerTurn::AssignManager);
        soon(self, shape::UPDATED, 60.0, 900.0, PartnerTurn::Update);
        if self.members[member].tier > 0 {
            soon(self, shape::PROMOTED, 90.0, 600.0, PartnerTurn::Promote);
        }
        // The two that the guides name stay.
        if member > 1 {
            soon(self, shape::SUSPENDED, 60.0, 1_000.0, PartnerTurn::Suspend);
        }
    }

    fn partner_command(&mut self, number: usize, turn: PartnerTurn) -> (PartnerId, PartnerCommand) {
        let member = &self.members[number];
        let kind = SmolStr::new_static(TYPES[number % TYPES.len()]);
        let domain = |prefix: &str| Some(format_smolstr!("{prefix}{}-example.com", member.id));
        let command = match turn {
            PartnerTurn::Apply => PartnerCommand::Apply(Profile {
                display_name: member.name.clone(),
                country: Some(SmolStr::new_static(COUNTRIES[member.country].code)),
                domain: domain(""),
                kind,
            }),
            PartnerTurn::Decide => PartnerCommand::Approve { note: String::new() },
            PartnerTurn::Enroll => PartnerCommand::Enroll(Enrolled {
                tier: SmolStr::new_static(TIERS[member.tier]),
                kind,
                territories: member.territories(),
                specialisations: vec!["analytics".into(), "security".into()],
            }),
            PartnerTurn::Activate => PartnerCommand::Activate,
            PartnerTurn::AssignManager => {
                let manager = self.chance.of(self.staff.managers.len());
                PartnerCommand::AssignManager { manager: self.staff.managers[manager].subject.clone() }
            }
            PartnerTurn::Update => {
                PartnerCommand::Update(ProfileUpdated { domain: Some(domain("group-")), ..ProfileUpdated::default() })
            }
            PartnerTurn::Promote => {
                let tier = (member.tier + 1).min(TIERS.len() - 1);
                self.members[number].tier = tier;
                let tier = Some(SmolStr::new_static(TIERS[tier]));
                PartnerCommand::Update(ProfileUpdated { tier, ..ProfileUpdated::default() })
            }
            PartnerTurn::Suspend => PartnerCommand::Suspend { reason: "Agreement under renewal".to_owned() },
            PartnerTurn::Reinstate => PartnerCommand::Reinstate { reason: "Agreement renewed".to_owned() },
            PartnerTurn::Terminate => PartnerCommand::Terminate { reason: "Agreement not renewed".to_owned() },
        };
        (self.members[number].id.clone(), command)
    }

    /// Somebody who sells: few sell much, many sell little. Now and then one who may not at the moment.
    pub(super) fn seller(&mut self) -> usize {
        let mut found = 0;
        for _ in 0..16 {
            found = self.chance.zipf(self.applied);
            match self.members[found].standing {
                Standing::Selling => return found,
                Standing::Suspended if self.chance.happens(0.2) => return found,
                Standing::Suspended | Standing::Away => {}
            }
        }
        // The first two never go.
        found.min(1)
    }
}
