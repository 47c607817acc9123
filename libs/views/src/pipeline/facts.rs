//! What of a deal the pipeline looks at.

use pactum_domain::deal::event::{Amended, Drafted, Registered};
use pactum_domain::deal::{DealState, Event};
use pactum_domain::money::Money;
use pactum_domain::time::Date;
use pactum_ids::{PartnerId, ProductId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::CellKey;
use crate::table::Row;

/// A deal's facts: they say in which cell it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Whose it is.
    pub partner: PartnerId,
    /// Where it stands.
    pub state: DealState,
    /// Its stage; empty where it has none.
    pub stage: SmolStr,
    /// The territories of its scope, sorted.
    pub territories: Vec<SmolStr>,
    /// The products of its scope, sorted.
    pub products: Vec<ProductId>,
    /// When it closes, as expected, or did.
    pub close_date: Option<Date>,
    /// Its amount, expected or won.
    pub amount: Option<Money>,
    /// Whether a conflict was ever found on it.
    pub conflicted: bool,
}

impl Row for Facts {
    const VERSION: u8 = 1;
}

impl Facts {
    /// The cell it counts in.
    #[must_use]
    pub fn cell(&self) -> CellKey {
        CellKey {
            state: self.state,
            stage: self.stage.clone(),
            territories: self.territories.clone(),
            products: self.products.clone(),
            month: self.close_date.map(Date::month),
            currency: self.amount.map(|amount| amount.currency),
            conflicted: self.conflicted,
        }
    }

    /// The cell it counts in, field by field as [`CellKey`] has them: it is written in the same bytes, and nothing is copied.
    pub(super) fn borrowed_cell(&self) -> impl Serialize + '_ {
        let Self { state, stage, territories, products, close_date, amount, conflicted, .. } = self;
        let (month, currency) = (close_date.map(Date::month), amount.map(|amount| amount.currency));
        (state, stage, territories, products, month, currency, conflicted)
    }

    /// Its amount in minor units; 0 where it has none.
    #[must_use]
    pub fn minor(&self) -> i64 {
        self.amount.map_or(0, |amount| amount.minor)
    }

    /// The facts before a deal's first event, to [advance](Self::advance) by it; `None` where no deal begins with it.
    #[must_use]
    pub fn begin(event: &Event) -> Option<Self> {
        match event {
            Event::Drafted(drafted) => Some(Self::drafted(drafted)),
            Event::Registered(registered) => Some(Self::registered(registered, false)),
            _ => None,
        }
    }

    /// The facts after an event.
    pub fn advance(&mut self, event: &Event) {
        match event {
            Event::Drafted(drafted) => *self = Self::drafted(drafted),
            Event::Registered(registered) | Event::Resubmitted(registered) => {
                *self = Self::registered(registered, self.conflicted);
            }
            Event::ConflictDetected { .. } => {
                self.state = DealState::Conflicted;
                self.conflicted = true;
            }
            Event::ReviewStarted { .. } => self.state = DealState::InReview,
            Event::ActionRequired { .. } => self.state = DealState::ActionRequired,
            Event::Approved { .. } | Event::Reopened { .. } => self.state = DealState::Approved,
            Event::Rejected { .. } => self.state = DealState::Rejected,
            Event::MarkedDuplicate { .. } => self.state = DealState::Duplicate,
            Event::ProtectionExtended { .. } => {}
            Event::ProtectionExpired { deal_expired, .. } => {
                if *deal_expired {
                    self.state = DealState::Expired;
                }
            }
            Event::Withdrawn { .. } => self.state = DealState::Withdrawn,
            Event::Revoked { .. } => self.state = DealState::Revoked,
            Event::Reassigned { to, .. } => self.partner = to.clone(),
            Event::StageChanged { to, .. } => self.stage = to.clone(),
            Event::Amended(amended) => self.amend(amended),
            Event::Won { amount, closed_on } => {
                self.state = DealState::Won;
                self.amount = Some(*amount);
                self.close_date = Some(*closed_on);
            }
            Event::Lost { closed_on, .. } => {
                self.state = DealState::Lost;
                self.close_date = Some(*closed_on);
            }
        }
    }

    fn drafted(drafted: &Drafted) -> Self {
        Self {
            partner: drafted.partner.clone(),
            state: DealState::Draft,
            stage: drafted.stage.clone().unwrap_or_default(),
            territories: drafted.scope.territories.clone(),
            products: drafted.scope.products.clone(),
            close_date: drafted.expected_close,
            amount: drafted.amount,
            conflicted: false,
        }
    }

    fn registered(registered: &Registered, conflicted: bool) -> Self {
        Self {
            partner: registered.partner.clone(),
            state: DealState::Submitted,
            stage: registered.stage.clone(),
            territories: registered.scope.territories.clone(),
            products: registered.scope.products.clone(),
            close_date: registered.expected_close,
            amount: registered.amount,
            conflicted,
        }
    }

    fn amend(&mut self, amended: &Amended) {
        if let Some(scope) = &amended.scope {
            self.territories.clone_from(&scope.territories);
            self.products.clone_from(&scope.products);
        }
        if let Some(amount) = amended.amount {
            self.amount = amount;
        }
        if let Some(expected_close) = amended.expected_close {
            self.close_date = expected_close;
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use pactum_domain::money::Currency;

    #[test]
    fn a_cell_has_the_same_bytes_whether_it_is_copied_or_not() {
        let facts = Facts {
            partner: PartnerId::new("north").unwrap(),
            state: DealState::Won,
            stage: "closing".into(),
            territories: vec!["DE".into(), "FR".into()],
            products: vec![ProductId::new("gtx").unwrap()],
            close_date: Some(Date(20_000)),
            amount: Some(Money { currency: Currency::parse("USD").unwrap(), minor: 5 }),
            conflicted: true,
        };
        let copied = postcard::to_extend(&facts.cell(), Vec::new()).unwrap();
        assert_eq!(postcard::to_extend(&facts.borrowed_cell(), Vec::new()).unwrap(), copied);
    }
}
