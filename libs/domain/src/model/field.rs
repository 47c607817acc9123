//! Bounds of the fields that callers fill.

use smol_str::SmolStr;

use crate::account::Customer;
use crate::deal::Scope;
use crate::money::Money;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::time::{Date, Timestamp};

/// Characters of a title or a name.
pub(crate) const LINE: usize = 200;
/// Characters of a note or a reason.
pub(crate) const PROSE: usize = 4_000;
/// Entries of a list.
pub(crate) const LIST: usize = 100;
/// Characters of a code, a handle or a policy's id.
pub(crate) const CODE: usize = 64;
/// Days of a protection window at most: five years.
pub(crate) const MAX_PROTECTION_DAYS: u32 = 1_825;

/// A refusal of a field.
pub(crate) fn invalid(field: &'static str, problem: impl Into<String>) -> Rejection {
    Rejection::InvalidField { field, problem: problem.into() }
}

/// One line of text; may be empty.
pub(crate) fn line(field: &'static str, text: &str) -> Result<(), Rejection> {
    bounded(field, text, LINE)?;
    if text.chars().any(char::is_control) {
        return Err(invalid(field, "control characters and line breaks are not allowed"));
    }
    Ok(())
}

/// One line of text that must be there.
pub(crate) fn required_line(field: &'static str, text: &str) -> Result<(), Rejection> {
    required(field, text)?;
    line(field, text)
}

/// Words of a person, over several lines perhaps; may be empty.
pub(crate) fn prose(field: &'static str, text: &str) -> Result<(), Rejection> {
    bounded(field, text, PROSE)?;
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(invalid(field, "control characters are not allowed"));
    }
    Ok(())
}

/// Words of a person that must be there.
pub(crate) fn required_prose(field: &'static str, text: &str) -> Result<(), Rejection> {
    required(field, text)?;
    prose(field, text)
}

fn required(field: &'static str, text: &str) -> Result<(), Rejection> {
    if text.trim().is_empty() {
        return Err(invalid(field, "must not be empty"));
    }
    Ok(())
}

fn bounded(field: &'static str, text: &str, most: usize) -> Result<(), Rejection> {
    // Bytes bound characters from above, so that counting is rare.
    if text.len() > most && text.chars().count() > most {
        return Err(invalid(field, format!("longer than {most} characters")));
    }
    Ok(())
}

/// A reason code in upper-snake case; `default` where none is given.
pub(crate) fn code<'a>(field: &'static str, code: &'a str, default: &'static str) -> Result<&'a str, Rejection> {
    if code.is_empty() {
        return Ok(default);
    }
    let upper_snake = code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if code.len() > CODE || !upper_snake || !code.starts_with(|c: char| c.is_ascii_uppercase()) {
        return Err(invalid(
            field,
            "a reason code is up to 64 of A-Z, 0-9 and _, and begins with a letter: PRICE_TOO_LOW",
        ));
    }
    Ok(code)
}

/// A handle: one short line of visible characters.
pub(crate) fn handle(field: &'static str, text: &str) -> Result<(), Rejection> {
    bounded(field, text, CODE)?;
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(invalid(field, "spaces and control characters are not allowed"));
    }
    Ok(())
}

/// A list of bounded length.
pub(crate) fn list<T>(field: &'static str, entries: &[T]) -> Result<(), Rejection> {
    if entries.len() > LIST {
        return Err(invalid(field, format!("more than {LIST} entries")));
    }
    Ok(())
}

/// A list of short names: sorted, without repetitions, none of them empty.
pub(crate) fn names(field: &'static str, entries: &[SmolStr]) -> Result<Vec<SmolStr>, Rejection> {
    list(field, entries)?;
    for entry in entries {
        required(field, entry)?;
        handle(field, entry)?;
    }
    let mut names = entries.to_vec();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// A calendar day that business may happen on.
pub(crate) fn date(field: &'static str, date: Date) -> Result<(), Rejection> {
    if (Timestamp::MIN.date()..=Timestamp::MAX.date()).contains(&date) {
        return Ok(());
    }
    Err(invalid(field, "the day is outside 1900-01-01 to 2199-12-31"))
}

/// An amount that is not below zero.
pub(crate) fn amount(field: &'static str, amount: Money) -> Result<(), Rejection> {
    if amount.minor < 0 {
        return Err(invalid(field, "an amount must not be negative"));
    }
    Ok(())
}

/// Sequences that a decision rests on: each of an event that is there.
pub(crate) fn evidence(field: &'static str, sequences: &[u64], last: u64) -> Result<Vec<u64>, Rejection> {
    list(field, sequences)?;
    if let Some(sequence) = sequences.iter().find(|sequence| **sequence == 0 || **sequence > last) {
        return Err(invalid(field, format!("there is no event with sequence {sequence}; the last is {last}")));
    }
    let mut evidence = sequences.to_vec();
    evidence.sort_unstable();
    evidence.dedup();
    Ok(evidence)
}

/// A customer that can be told from others: by a key, or at least by a name.
pub(crate) fn customer(field: &'static str, customer: &Customer) -> Result<(), Rejection> {
    if customer.keys.is_empty() && customer.name.trim().is_empty() {
        return Err(invalid(field, "needs a name or an identity key"));
    }
    line(field, &customer.name)?;
    list(field, &customer.keys)
}

/// Where the fields of a scope stand in a request.
pub(crate) struct ScopeFields {
    pub(crate) products: &'static str,
    pub(crate) territories: &'static str,
}

/// A scope that the policy knows, with its lists sorted and without repetitions.
pub(crate) fn scope(fields: &ScopeFields, scope: &Scope, policy: &Policy) -> Result<Scope, Rejection> {
    list(fields.products, &scope.products)?;
    list(fields.territories, &scope.territories)?;
    if let Some(product) = scope.products.iter().find(|product| !policy.knows_product(product)) {
        return Err(invalid(fields.products, format!("the policy has no product {product}")));
    }
    if let Some(territory) = scope.territories.iter().find(|territory| !policy.knows_territory(territory)) {
        let territory: String = territory.chars().take(CODE).collect();
        return Err(invalid(fields.territories, format!("{territory:?} is not a territory of the program")));
    }
    Ok(scope.clone().canonical())
}
