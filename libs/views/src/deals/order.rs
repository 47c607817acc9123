//! The orders in which deals are listed.

use pactum_domain::money::Money;
use pactum_domain::time::Date;
use pactum_ids::{DealId, PartnerId, ProgramId};

use super::{DEAL_ORDERS, DealRow, OrderedDeal};
use crate::changes::Changes;
use crate::key::Key;
use crate::rows::Order;

/// What deals are sorted by. Ties are in order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SortBy {
    /// Creation.
    Sequence,
    /// The last change.
    UpdateSequence,
    /// The day of closing; deals without one come after those with one.
    CloseDate,
    /// The amount: by currency, then minor units; deals without one come after those with one.
    Amount,
}

impl SortBy {
    /// Every order.
    pub const ALL: [Self; 4] = [Self::Sequence, Self::UpdateSequence, Self::CloseDate, Self::Amount];

    /// Its name in requests.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::UpdateSequence => "update_sequence",
            Self::CloseDate => "close_date",
            Self::Amount => "amount",
        }
    }

    /// Its byte in keys.
    fn tag(self) -> u8 {
        match self {
            Self::Sequence => 1,
            Self::UpdateSequence => 2,
            Self::CloseDate => 3,
            Self::Amount => 4,
        }
    }

    /// Whether two states of a deal have the same place in this order, among the deals of one partner.
    fn is_same(self, one: &Places, other: &Places) -> bool {
        match self {
            Self::Sequence => true,
            Self::UpdateSequence => one.updated == other.updated,
            Self::CloseDate => one.close_date == other.close_date,
            Self::Amount => one.amount == other.amount,
        }
    }

    /// The end of a deal's key in this order.
    fn end(self, places: &Places) -> Key {
        const PRESENT: u8 = 0;
        const ABSENT: u8 = 1;
        let key = Key::end();
        let key = match self {
            Self::Sequence => key,
            Self::UpdateSequence => key.number(places.updated),
            Self::CloseDate => match places.close_date {
                Some(date) => key.byte(PRESENT).signed(date.0.into()),
                None => key.byte(ABSENT),
            },
            Self::Amount => match places.amount {
                Some(amount) => key.byte(PRESENT).text(amount.currency.as_str()).signed(amount.minor),
                None => key.byte(ABSENT),
            },
        };
        key.number(places.created)
    }
}

/// An order and its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sorting {
    /// What by.
    pub by: SortBy,
    /// Which way.
    pub order: Order,
}

/// An order that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot order by {0:?}; there is sequence, update_sequence, close_date and amount, each alone or followed by desc"
)]
pub struct InvalidOrder(pub String);

impl Sorting {
    /// Reads `order_by` of a request; creation order where it is empty.
    ///
    /// # Errors
    /// [`InvalidOrder`] where it is none of the orders.
    pub fn parse(text: &str) -> Result<Self, InvalidOrder> {
        let mut words = text.split_whitespace();
        let invalid = || InvalidOrder(text.chars().take(80).collect());
        let by = match words.next() {
            None => SortBy::Sequence,
            Some(name) => SortBy::ALL.into_iter().find(|by| by.name() == name).ok_or_else(invalid)?,
        };
        let order = match words.next() {
            None | Some("asc") => Order::Ascending,
            Some("desc") => Order::Descending,
            Some(_) => return Err(invalid()),
        };
        if words.next().is_some() { Err(invalid()) } else { Ok(Self { by, order }) }
    }
}

/// The start of all keys of an order, among all deals or a partner's.
pub(super) fn prefix(program: &ProgramId, partner: Option<&PartnerId>, by: SortBy) -> Key {
    Key::of(program).text(partner.map_or("", PartnerId::as_str)).byte(by.tag())
}

/// What of a deal says where it stands in the orders.
pub(super) struct Places {
    partner: PartnerId,
    created: u64,
    updated: u64,
    close_date: Option<Date>,
    amount: Option<Money>,
}

impl Places {
    pub(super) fn of(row: &DealRow) -> Self {
        Self {
            partner: row.deal.partner.clone(),
            created: row.created_sequence,
            updated: row.updated_sequence,
            close_date: row.deal.close_date,
            amount: row.deal.amount,
        }
    }

    /// Moves a deal here from where it stood before.
    pub(super) fn replace(&self, before: Option<&Self>, changes: &mut Changes<'_>, program: &ProgramId, id: &DealId) {
        let ordered = OrderedDeal { deal: id.clone() };
        let same_partner = before.is_some_and(|before| before.partner == self.partner);
        let start = |of: Option<&PartnerId>| prefix(program, of, SortBy::Sequence);
        let (mut all, mut own) = (start(None), start(Some(&self.partner)));
        let mut left = before.filter(|_| !same_partner).map(|before| start(Some(&before.partner)));
        for by in SortBy::ALL {
            let same_place = before.is_some_and(|before| by.is_same(before, self));
            if same_place && same_partner {
                continue;
            }
            for prefix in [&mut all, &mut own].into_iter().chain(&mut left) {
                prefix.set_last(by.tag());
            }
            let end = by.end(self);
            if let Some(before) = before {
                let end = by.end(before);
                let left = left.as_ref().unwrap_or(&own);
                changes.remove(&DEAL_ORDERS, left.as_slice(), end.as_slice());
                if !same_place {
                    changes.remove(&DEAL_ORDERS, all.as_slice(), end.as_slice());
                }
            }
            changes.insert(&DEAL_ORDERS, own.as_slice(), end.as_slice(), &ordered);
            if !same_place {
                changes.insert(&DEAL_ORDERS, all.as_slice(), end.as_slice(), &ordered);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for by in SortBy::ALL {
            assert_eq!(Sorting::parse(by.name()), Ok(Sorting { by, order: Order::Ascending }));
            let descending = format!(" {}  desc ", by.name());
            assert_eq!(Sorting::parse(&descending), Ok(Sorting { by, order: Order::Descending }));
        }
        assert_eq!(Sorting::parse(""), Ok(Sorting { by: SortBy::Sequence, order: Order::Ascending }));
        for bad in ["title", "amount up", "amount desc, sequence", "desc"] {
            assert_eq!(Sorting::parse(bad), Err(InvalidOrder(bad.into())));
        }
    }
}
