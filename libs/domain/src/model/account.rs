//! Which account a customer is: exact keys decide, names only hint.

use std::hash::BuildHasher;
use std::sync::Arc;

use pactum_ids::AccountId;
use rustc_hash::FxBuildHasher;
use smol_str::SmolStr;

use super::Model;
use crate::account::{Account, AccountKey, Customer, NormalisedName, similarity_from};

/// The hash of a block of a normalised name: names that are alike nearly always share one. Two blocks of one hash only make
/// more candidates.
pub(super) type Block = u64;

fn blocks(name: &NormalisedName) -> impl Iterator<Item = Block> + '_ {
    name.blocks().map(|block| FxBuildHasher.hash_one(block))
}

/// Which kinds of keys there are, a bit each.
pub(super) type KeyKinds = u8;

/// Similar accounts named in a conflict, at most.
const SIMILAR: usize = 5;

/// An account with what is computed from it once.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KnownAccount {
    pub(crate) account: Account,
    name: NormalisedName,
}

impl KnownAccount {
    pub(super) fn blocks(&self) -> impl Iterator<Item = Block> + '_ {
        blocks(&self.name)
    }

    pub(super) fn kinds(&self) -> KeyKinds {
        kinds(&self.account.keys)
    }

    /// Whether a key of the customer's says that it is another one.
    fn contradicts(&self, customer: &Customer) -> bool {
        let differs = |ours: &AccountKey, theirs: &AccountKey| kind(ours) == kind(theirs) && ours != theirs;
        self.account.keys.iter().any(|ours| customer.keys.iter().any(|theirs| differs(ours, theirs)))
    }
}

fn kind(key: &AccountKey) -> KeyKinds {
    match key {
        AccountKey::Duns(_) => 1,
        AccountKey::Lei(_) => 2,
        AccountKey::CrmId(_) => 4,
        AccountKey::Domain(_) => 8,
    }
}

const ALL_KINDS: KeyKinds = 15;

fn kinds(keys: &[AccountKey]) -> KeyKinds {
    keys.iter().fold(0, |kinds, key| kinds | kind(key))
}

/// Two countries may be the same one where either is unknown.
fn compatible(a: Option<&SmolStr>, b: Option<&SmolStr>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

/// A customer to be found.
pub(crate) struct Search<'a> {
    /// As it was described.
    pub(crate) customer: &'a Customer,
    /// The id it gets where it is a new account.
    pub(crate) new_account: &'a AccountId,
    /// What the deal says already, where the search is for a deal that has an account.
    pub(crate) current: Option<(&'a AccountId, &'a Customer)>,
    /// The likeness in thousandths from which a name is reported; `None` where names play no part.
    pub(crate) similar_from: Option<u16>,
}

/// Which account a customer was found to be.
#[derive(Debug)]
pub(crate) struct Resolution {
    /// The account.
    pub(crate) account: AccountId,
    /// Whether it is a new one.
    pub(crate) is_new: bool,
    /// The customer's keys that belong to it, strongest first.
    pub(crate) matched: Vec<AccountKey>,
    /// Where the keys belong to several accounts: these, the one of the strongest key first, and the keys.
    pub(crate) ambiguous: Option<(Vec<AccountId>, Vec<AccountKey>)>,
    /// Accounts of a similar name, the most alike first, with their likeness.
    pub(crate) similar: Vec<(AccountId, u16)>,
}

impl Model {
    /// Finds the account of a customer. The strongest key that is known decides. Where none is, a deal whose customer is
    /// still described by the same name stays with the account it has; every other is a new account.
    pub(crate) fn resolve(&self, search: &Search<'_>) -> Resolution {
        let customer = search.customer;
        let mut accounts: Vec<&AccountId> = Vec::new();
        let mut known_keys: Vec<&AccountKey> = Vec::new();
        for key in &customer.keys {
            if let Some(account) = self.index.account_by_key(key) {
                known_keys.push(key);
                if !accounts.contains(&account) {
                    accounts.push(account);
                }
            }
        }
        if let Some(&account) = accounts.first() {
            let matched = self.keys_of(account, Some(customer));
            let all = || (accounts.iter().copied().cloned().collect(), known_keys.into_iter().cloned().collect());
            let ambiguous = (accounts.len() > 1).then(all);
            return Resolution { account: account.clone(), is_new: false, matched, ambiguous, similar: Vec::new() };
        }
        let current = search.current.filter(|(id, before)| self.stays(id, before, customer)).map(|(id, _)| id);
        let similar = search.similar_from.map_or_else(Vec::new, |from| self.similar(customer, current, from));
        let account = current.unwrap_or(search.new_account).clone();
        Resolution { account, is_new: current.is_none(), matched: Vec::new(), ambiguous: None, similar }
    }

    /// The customer's keys that belong to an account, strongest first.
    pub(crate) fn keys_of(&self, account: &AccountId, customer: Option<&Customer>) -> Vec<AccountKey> {
        let keys = customer.into_iter().flat_map(|customer| &customer.keys);
        keys.filter(|key| self.index.account_by_key(key) == Some(account)).cloned().collect()
    }

    /// Whether a deal's customer, described anew, is still the account it has: the same name and country, and no key that
    /// says otherwise.
    fn stays(&self, account: &AccountId, before: &Customer, now: &Customer) -> bool {
        let same_name = before.name == now.name && before.country == now.country;
        same_name && self.known_account(account).is_some_and(|known| !known.contradicts(now))
    }

    fn similar(&self, customer: &Customer, except: Option<&AccountId>, from: u16) -> Vec<(AccountId, u16)> {
        if customer.name.is_empty() {
            return Vec::new();
        }
        let given = kinds(&customer.keys);
        let others = || (0..=ALL_KINDS).filter(|kinds| kinds & given == 0 && self.index.has_kinds(*kinds));
        if others().next().is_none() {
            return Vec::new();
        }
        let name = NormalisedName::new(&customer.name);
        let mut candidates: Vec<&AccountId> = Vec::new();
        for block in blocks(&name) {
            candidates.extend(others().flat_map(|kinds| self.index.in_block(block, kinds)));
        }
        candidates.sort_unstable();
        candidates.dedup();
        let mut similar: Vec<(AccountId, u16)> = candidates
            .into_iter()
            .filter(|id| Some(*id) != except)
            .filter_map(|id| {
                let known = self.known_account(id)?;
                let compatible = compatible(known.account.country.as_ref(), customer.country.as_ref());
                let score = if compatible { similarity_from(&known.name, &name, from) } else { None }?;
                Some((id.clone(), score))
            })
            .collect();
        similar.sort_unstable_by(|(a, likeness_a), (b, likeness_b)| likeness_b.cmp(likeness_a).then_with(|| a.cmp(b)));
        similar.truncate(SIMILAR);
        similar
    }

    /// The account as it is after a customer was found to be it; `None` where that tells nothing new. A key that belongs to
    /// another account stays there, and a second key of a kind is not taken: the first one told is the one that decides.
    pub(super) fn account_after(&self, id: &AccountId, customer: &Customer) -> Option<Arc<KnownAccount>> {
        let Some(known) = self.known_account(id) else {
            let free = |key: &&AccountKey| self.index.account_by_key(key).is_none();
            let keys = customer.keys.iter().filter(free).cloned().collect();
            let (name, country) = (customer.name.clone(), customer.country.clone());
            let normalised = NormalisedName::new(&name);
            let account = Account { id: id.clone(), name, country, keys };
            return Some(Arc::new(KnownAccount { account, name: normalised }));
        };
        let have = known.kinds();
        let is_new = |key: &&AccountKey| kind(key) & have == 0 && self.index.account_by_key(key).is_none();
        let new_keys: Vec<AccountKey> = customer.keys.iter().filter(is_new).cloned().collect();
        let names_it = known.account.name.is_empty() && !customer.name.is_empty();
        let places_it = known.account.country.is_none() && customer.country.is_some();
        if new_keys.is_empty() && !names_it && !places_it {
            return None;
        }
        let mut after = known.clone();
        after.account.keys.extend(new_keys);
        after.account.keys.sort_unstable();
        if names_it {
            after.account.name = customer.name.clone();
            after.name = NormalisedName::new(&customer.name);
        }
        if places_it {
            after.account.country = customer.country.clone();
        }
        Some(Arc::new(after))
    }
}
