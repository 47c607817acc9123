//! What is counted of what was made.

use std::collections::BTreeMap;

use bytes::Bytes;
use pactum_domain::deal;
use pactum_domain::event::AnyEvent;
use pactum_events::{DecodeError, decode, event_type};

/// Counts of records and events, from the records themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) records: u64,
    pub(super) events: u64,
    /// Of the bodies.
    pub(super) bytes: u64,
    /// Deals that were drafted or registered.
    pub(super) deals: u64,
    /// Registrations in conflict.
    pub(super) conflicts: u64,
    /// Protections that lapsed.
    pub(super) lapses: u64,
    pub(super) won: u64,
    pub(super) lost: u64,
    /// What was won, in minor units, by currency.
    pub(super) amount: BTreeMap<String, i128>,
    /// Events by their type.
    pub(super) kinds: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Reads a record and counts it.
    pub(super) fn add(&mut self, body: &Bytes) -> Result<(), DecodeError> {
        let record = decode(body)?;
        self.records += 1;
        self.bytes += body.len() as u64;
        for recorded in &record.events {
            self.events += 1;
            *self.kinds.entry(event_type(&recorded.event)).or_default() += 1;
            if let AnyEvent::Deal(_, event) = &recorded.event {
                self.add_deal(event, recorded.aggregate_version);
            }
        }
        Ok(())
    }

    fn add_deal(&mut self, event: &deal::Event, version: u64) {
        match event {
            // A draft that is registered was counted when it was drafted.
            deal::Event::Drafted(_) => self.deals += 1,
            deal::Event::Registered(_) => self.deals += u64::from(version == 1),
            deal::Event::ConflictDetected { .. } => self.conflicts += 1,
            deal::Event::ProtectionExpired { .. } => self.lapses += 1,
            deal::Event::Won { amount, .. } => {
                self.won += 1;
                let sum = self.amount.entry(amount.currency.as_str().to_owned()).or_default();
                *sum += i128::from(amount.minor);
            }
            deal::Event::Lost { .. } => self.lost += 1,
            _ => {}
        }
    }

    /// Adds what was counted elsewhere.
    pub(super) fn merge(&mut self, other: &Self) {
        self.records += other.records;
        self.events += other.events;
        self.bytes += other.bytes;
        self.deals += other.deals;
        self.conflicts += other.conflicts;
        self.lapses += other.lapses;
        self.won += other.won;
        self.lost += other.lost;
        for (currency, minor) in &other.amount {
            *self.amount.entry(currency.clone()).or_default() += minor;
        }
        for (kind, count) in &other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
    }
}
