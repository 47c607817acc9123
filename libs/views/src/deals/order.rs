//! The orders in which deals are listed.

use pactum_domain::deal::Deal;
use pactum_ids::{PartnerId, ProgramId};

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
    fn is_same(self, one: &DealRow, other: &DealRow) -> bool {
        match self {
            Self::Sequence => true,
            Self::UpdateSequence => one.updated_sequence == other.updated_sequence,
            Self::CloseDate => one.deal.close_date == other.deal.close_date,
            Self::Amount => one.deal.amount == other.deal.amount,
        }
    }

    /// The end of a deal's key in this order.
    fn suffix(self, key: Key, row: &DealRow) -> Key {
        const PRESENT: u8 = 0;
        const ABSENT: u8 = 1;
        let key = match self {
            Self::Sequence => key,
            Self::UpdateSequence => key.number(row.updated_sequence),
            Self::CloseDate => match row.deal.close_date {
                Some(date) => key.byte(PRESENT).signed(date.0.into()),
                None => key.byte(ABSENT),
            },
            Self::Amount => match row.deal.amount {
                Some(amount) => key.byte(PRESENT).text(amount.currency.as_str()).signed(amount.minor),
                None => key.byte(ABSENT),
            },
        };
        key.number(row.created_sequence)
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

/// Moves a deal from its old places to its new ones.
pub(super) fn replace(changes: &mut Changes<'_>, program: &ProgramId, old: Option<&DealRow>, new: &DealRow) {
    let same_partner = old.is_some_and(|old| old.deal.partner == new.deal.partner);
    for by in SortBy::ALL {
        if same_partner && old.is_some_and(|old| by.is_same(old, new)) {
            continue;
        }
        let keys = |row: &DealRow| places(program, &row.deal, by).map(|prefix| by.suffix(prefix, row).bytes());
        let before = old.map(keys);
        for (index, key) in keys(new).into_iter().enumerate() {
            let stays = before.as_ref().is_some_and(|before| before[index] == key);
            if stays {
                continue;
            }
            if let Some(before) = &before {
                changes.delete(&DEAL_ORDERS, before[index].clone());
            }
            changes.put_new(&DEAL_ORDERS, key, OrderedDeal { deal: new.deal.id.clone() });
        }
    }
}

fn places(program: &ProgramId, deal: &Deal, by: SortBy) -> [Key; 2] {
    [prefix(program, None, by), prefix(program, Some(&deal.partner), by)]
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
