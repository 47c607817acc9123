//! How large a history.

use pactum_domain::time::Timestamp;

use super::error::GenerateError;

/// How large a history, and where it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// Partners that apply.
    pub(crate) partners: u32,
    /// Deals that are drafted or registered.
    pub(crate) deals: u64,
    /// Years, up to the end.
    pub(crate) years: u32,
    /// What everything else follows from.
    pub(crate) seed: u64,
    /// The end: nothing is recorded later.
    pub(crate) until: Timestamp,
}

/// Events that a deal causes when it has all the time it needs, measured.
const EVENTS_A_DEAL: f64 = 6.1;
/// Events of a deal that do not come any more because the history ends, over a history of a year.
const CUT_OFF: f64 = 0.5;
/// Events that a partner causes.
const EVENTS_A_PARTNER: f64 = 5.6;

impl Size {
    /// The first moment.
    pub(crate) fn from(&self) -> Timestamp {
        self.until.plus_days(-365 * i64::from(self.years))
    }

    fn events_a_deal(years: u32) -> f64 {
        EVENTS_A_DEAL - CUT_OFF / f64::from(years)
    }

    /// About how many events it comes to.
    pub(crate) fn events(&self) -> u64 {
        (self.deals as f64 * Self::events_a_deal(self.years) + f64::from(self.partners) * EVENTS_A_PARTNER) as u64
    }

    /// How many deals it takes for about so many events, over all programs.
    pub(super) fn deals_for(events: u64, partners: u32, years: u32, programs: u32) -> Result<u64, GenerateError> {
        let all: f64 = (1..=programs).map(|rank| Self::partners_of(partners, rank)).sum();
        let rest = events as f64 - all * EVENTS_A_PARTNER;
        if rest < events as f64 / 2.0 {
            return Err(GenerateError::TooFewEvents { events, partners });
        }
        Ok((rest / Self::events_a_deal(years)).round() as u64)
    }

    fn partners_of(first: u32, rank: u32) -> f64 {
        (f64::from(first) / f64::from(rank).sqrt()).ceil().max(2.0)
    }

    /// The sizes of several programs of one kind, the first of this size together with the others: by Zipf's law, the second
    /// half as large as the first. The partners become fewer more slowly.
    pub(super) fn shared_out(self, programs: u32) -> Vec<Self> {
        let total: f64 = (1..=programs).map(|rank| 1.0 / f64::from(rank)).sum();
        (1..=programs)
            .map(|rank| {
                let partners = Self::partners_of(self.partners, rank);
                let deals = (self.deals as f64 / f64::from(rank) / total).round().max(1.0);
                Self { partners: partners as u32, deals: deals as u64, ..self }
            })
            .collect()
    }
}
