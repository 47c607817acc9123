//! A program at one sequence, twice over: as the command role holds it, to decide with, and as the checker folds it itself, to
//! look at.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use pactum_command::ProgramsMachine;
use pactum_domain::deal::{self, Deal, ProtectionState};
use pactum_domain::event::AnyEvent;
use pactum_domain::model::Model;
use pactum_events::{Record, encode, event_type};
use pactum_ids::{AccountId, DealId, ProgramId};
use pactum_journal::Machine as _;

use super::findings::{Findings, Kind};

pub(super) struct State {
    pub(super) program: ProgramId,
    pub(super) machine: ProgramsMachine,
    pub(super) model: Model,
    pub(super) sequence: u64,
    /// Deals by the sequence of their last event.
    newest: BTreeMap<u64, DealId>,
    updated: HashMap<DealId, u64>,
    /// Deals that ever met a conflict.
    pub(super) conflicted: HashSet<DealId>,
    /// Deals that hold protection, by account: kept here, not taken from the model's index, which is under test too.
    holding: HashMap<AccountId, BTreeSet<DealId>>,
    held: HashMap<DealId, AccountId>,
}

impl State {
    pub(super) fn new(program: ProgramId) -> Self {
        Self {
            machine: ProgramsMachine::default(),
            model: Model::new(program.clone()),
            program,
            sequence: 0,
            newest: BTreeMap::new(),
            updated: HashMap::new(),
            conflicted: HashSet::new(),
            holding: HashMap::new(),
            held: HashMap::new(),
        }
    }

    /// The deals that changed last, newest change first.
    pub(super) fn newest(&self) -> impl Iterator<Item = &Deal> {
        self.newest.values().rev().filter_map(|id| self.model.deal(id).map(AsRef::as_ref))
    }

    /// Folds a record, looking at the invariants after each of its events.
    ///
    /// # Errors
    /// Why the record does not follow.
    pub(super) fn fold(&mut self, record: &Record, findings: &mut Findings) -> Result<(), String> {
        self.machine.fold(&encode(record)).map_err(|error| error.to_string())?;
        for (moment, recorded) in record.moments() {
            findings.events += 1;
            let event = &recorded.event;
            if let Some(was) = self.final_state(event) {
                let text = format!(
                    "programs/{}, sequence {}: {} happened to what was {was} and stays so",
                    self.program,
                    moment.sequence,
                    event_type(event),
                );
                findings.add(Kind::AfterFinal, text);
            }
            let undo = self.model.evolve(event, moment).map_err(|error| error.to_string())?;
            drop(undo);
            if let AnyEvent::Deal(id, event) = event {
                self.moved(id, event, moment.sequence, findings);
            }
        }
        self.sequence = record.last_sequence();
        Ok(())
    }

    /// The state of what an event happens to, where nothing may follow it.
    fn final_state(&self, event: &AnyEvent) -> Option<&'static str> {
        match event {
            AnyEvent::Deal(id, _) => {
                self.model.deal(id).filter(|deal| deal.state.is_final()).map(|deal| deal.state.words())
            }
            AnyEvent::Partner(id, _) => {
                self.model.partner(id).filter(|partner| partner.state.is_final()).map(|_| "a partner that had left")
            }
            AnyEvent::Program(_) | AnyEvent::Opportunity(..) => None,
        }
    }

    fn moved(&mut self, id: &DealId, event: &deal::Event, sequence: u64, findings: &mut Findings) {
        if let Some(before) = self.updated.insert(id.clone(), sequence) {
            self.newest.remove(&before);
        }
        self.newest.insert(sequence, id.clone());
        if matches!(event, deal::Event::ConflictDetected { .. }) {
            self.conflicted.insert(id.clone());
        }
        if let Some(account) = self.held.remove(id) {
            self.holding.entry(account).or_default().remove(id);
        }
        let Some(deal) = self.model.deal(id).cloned() else { return };
        let holds = matches!(deal.protection, ProtectionState::Held { .. });
        let Some(account) = deal.account.clone().filter(|_| holds) else { return };
        self.one_owner(&account, &deal, sequence, findings);
        self.holding.entry(account.clone()).or_default().insert(id.clone());
        self.held.insert(id.clone(), account);
    }

    fn one_owner(&self, account: &AccountId, deal: &Deal, sequence: u64, findings: &mut Findings) {
        let Some(policy) = self.model.program().and_then(|program| program.policies.last()) else { return };
        let others = self.holding.get(account).into_iter().flatten().filter_map(|other| self.model.deal(other));
        for other in others.filter(|other| other.scope.overlaps(&deal.scope, &policy.policy)) {
            let text = format!(
                "programs/{}, sequence {sequence}: deals {} and {} both hold protection on account {account}, with scopes \
                 {:?} and {:?}",
                self.program, other.id, deal.id, other.scope, deal.scope,
            );
            findings.add(Kind::TwoOwners, text);
        }
    }
}
