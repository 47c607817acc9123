//! The customers: who they are is a function of a number, so that however many there are, none is kept.

use pactum_domain::account::{AccountKey, Customer};
use smol_str::{SmolStr, format_smolstr};

use super::chance::Chance;
use super::shape;

/// A country of the program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Country {
    pub(super) code: &'static str,
    /// The legal form of its companies.
    form: &'static str,
    /// The currency of some of its deals.
    pub(super) currency: &'static str,
}

const fn country(code: &'static str, form: &'static str, currency: &'static str) -> Country {
    Country { code, form, currency }
}

/// The countries that partners and customers are in; each is a territory of the policy.
pub(super) const COUNTRIES: [Country; 10] = [
    country("DE", "GmbH", "EUR"),
    country("US", "Inc.", "USD"),
    country("GB", "Ltd", "GBP"),
    country("FR", "SA", "EUR"),
    country("CA", "Inc.", "USD"),
    country("SE", "AB", "USD"),
    country("JP", "KK", "USD"),
    country("NL", "BV", "EUR"),
    country("ES", "SL", "EUR"),
    country("IT", "SpA", "EUR"),
];

/// What syllables are made of: as many beginnings as names of companies have, or a search by name would find half of them.
const BEGINS: &[u8; 20] = b"bcdfghjklmnprstvwxyz";
const MIDDLES: &[u8; 5] = b"aeiou";
const ENDS: &[u8; 15] = b"bcdfgklmnprstvx";
const SYLLABLES: u64 = 20 * 5 * 15;

const TRADES: [&str; 16] = [
    "Logistics",
    "Bank",
    "Energy",
    "Foods",
    "Insurance",
    "Media",
    "Pharma",
    "Hotels",
    "Electronics",
    "Engineering",
    "Healthcare",
    "Manufacturing",
    "Trading",
    "Transport",
    "Construction",
    "Industries",
];

/// All customers there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Market {
    in_a_country: u64,
    salt: u64,
}

/// Bits that depend on all bits of a number.
fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

impl Market {
    /// For so many deals.
    pub(super) fn new(deals: u64, salt: u64) -> Self {
        Self { in_a_country: (deals / shape::DEALS_AN_ACCOUNT / COUNTRIES.len() as u64).max(3), salt }
    }

    /// Some customer of a country: few are asked for much, many little.
    pub(super) fn visit(&self, chance: &mut Chance, country: usize) -> u64 {
        chance.power(self.in_a_country) * COUNTRIES.len() as u64 + country as u64
    }

    /// The country a customer is in.
    pub(super) fn country(number: u64) -> usize {
        (number % COUNTRIES.len() as u64) as usize
    }

    /// A customer's own word, which no other has.
    fn word(self, number: u64) -> String {
        // Another order for each seed. The factor has none in common with the count, so that no two numbers meet.
        let count = SYLLABLES * SYLLABLES * SYLLABLES;
        let mut rest = (number % count * 1_000_003 + self.salt % count) % count;
        let mut word = String::with_capacity(9);
        for _ in 0..3 {
            let syllable = rest % SYLLABLES;
            rest /= SYLLABLES;
            word.push(char::from(BEGINS[(syllable % 20) as usize]));
            word.push(char::from(MIDDLES[(syllable / 20 % 5) as usize]));
            word.push(char::from(ENDS[(syllable / 100) as usize]));
        }
        word
    }

    /// A customer's legal name.
    fn name(self, number: u64) -> SmolStr {
        let mut word = self.word(number);
        word[..1].make_ascii_uppercase();
        let trade = TRADES[(mix(number ^ self.salt) % 16) as usize];
        format_smolstr!("{word} {trade} {}", COUNTRIES[Self::country(number)].form)
    }

    fn domain(self, number: u64) -> AccountKey {
        AccountKey::Domain(format_smolstr!("{}-example.com", self.word(number)))
    }

    /// A customer as it is told by somebody, with some of its keys.
    pub(super) fn told(self, chance: &mut Chance, number: u64) -> Customer {
        let mut name = self.name(number);
        if chance.happens(shape::MISSPELT) {
            name = misspelt(&name, chance);
        }
        let country = Some(SmolStr::new_static(COUNTRIES[Self::country(number)].code));
        let form = chance.even();
        if form < shape::BY_NAME {
            return Customer { name, country, keys: Vec::new() };
        }
        let traits = mix(number.wrapping_mul(3) ^ self.salt);
        let mut keys = Vec::with_capacity(3);
        let without_domain = form < shape::BY_NAME + shape::WITHOUT_DOMAIN;
        if without_domain || (traits.is_multiple_of(2) && chance.happens(0.4)) {
            keys.push(duns(number));
        }
        if traits % 16 == 3 && chance.happens(0.5) {
            keys.push(lei(number));
        }
        if traits % 4 == 1 && chance.happens(0.3) {
            keys.push(AccountKey::CrmId(format_smolstr!("001{number:012}")));
        }
        if !without_domain {
            let other = COUNTRIES.len() as u64;
            let wrong = number >= other && chance.happens(shape::WRONG_DOMAIN);
            keys.push(self.domain(if wrong { number - other } else { number }));
        }
        Customer { name, country, keys }
    }

    /// A customer as somebody tells it who looked it up.
    pub(super) fn looked_up(self, number: u64) -> Customer {
        let country = Some(SmolStr::new_static(COUNTRIES[Self::country(number)].code));
        Customer { name: self.name(number), country, keys: vec![duns(number), self.domain(number)] }
    }
}

/// Nine digits; 37 has no factor in common with the count, so that no two numbers have the same.
fn duns(number: u64) -> AccountKey {
    AccountKey::Duns(format_smolstr!("{}", 200_000_000 + number * 37 % 700_000_000))
}

/// Eighteen digits and their two check digits.
fn lei(number: u64) -> AccountKey {
    let body = 529_900_000_000_000_000 + u128::from(number);
    AccountKey::Lei(format_smolstr!("{body}{:02}", 98 - body * 100 % 97))
}

/// Two letters in the middle of the first word, exchanged.
fn misspelt(name: &str, chance: &mut Chance) -> SmolStr {
    let mut letters: Vec<char> = name.chars().collect();
    let at = 1 + chance.of(4);
    if letters.get(at + 1).is_some_and(|letter| letter.is_alphabetic()) {
        letters.swap(at, at + 1);
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::collections::BTreeSet;

    use pactum_domain::account::RawCustomer;

    use super::*;

    #[test]
    fn keys_are_what_the_edge_would_make_of_them_and_nobody_elses() {
        let market = Market::new(1_000_000, mix(7));
        let mut chance = Chance::new(7, 0);
        let mut seen = BTreeSet::new();
        for number in (0..300_000).step_by(7).chain(0..2_000) {
            let Customer { name, country, keys } = market.looked_up(number);
            let (duns, domain) = (keys[0].value(), keys[1].value());
            let raw =
                RawCustomer { name: &name, country: country.as_deref().unwrap(), duns, domain, ..Default::default() };
            assert_eq!(Customer::parse(&raw).unwrap(), market.looked_up(number));
            let lei = lei(number);
            assert_eq!(AccountKey::lei(lei.value()).unwrap(), lei);
            seen.extend(keys.into_iter().map(|key| (number, key)));
            let told = market.told(&mut chance, number);
            assert!(told.keys.is_sorted(), "{told:?}");
        }
        let keys: BTreeSet<_> = seen.iter().map(|(_, key)| key).collect();
        assert_eq!(keys.len(), seen.len(), "two customers have one key");
    }
}
