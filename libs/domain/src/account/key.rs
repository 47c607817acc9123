//! Identity keys: what each looks like once it is checked.

use serde::{Deserialize, Serialize};
use smol_str::{SmolStr, StrExt as _};

use super::customer::InvalidCustomer;
use super::domain;

/// A key that by itself says which customer it is. In order of strength.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum AccountKey {
    /// Dun & Bradstreet's nine digits.
    Duns(SmolStr),
    /// Legal Entity Identifier, ISO 17442, twenty characters.
    Lei(SmolStr),
    /// The account's id in the vendor's CRM.
    CrmId(SmolStr),
    /// Registrable domain, in lower-case ASCII (punycode).
    Domain(SmolStr),
}

fn refuse<T>(field: &'static str, problem: impl Into<String>) -> Result<T, InvalidCustomer> {
    Err(InvalidCustomer { field, problem: problem.into() })
}

impl AccountKey {
    /// Takes a D-U-N-S number: nine digits, with or without dashes or blanks (`15-048-3782`).
    ///
    /// Its last digit was a check digit until about the end of 2006. Numbers given out since have none, so a wrong one refuses
    /// nothing; see [`duns_check_digit_holds`].
    ///
    /// # Errors
    /// [`InvalidCustomer`] where it is not nine digits, or a placeholder.
    pub fn duns(text: &str) -> Result<Self, InvalidCustomer> {
        let digits: SmolStr = text.trim().chars().filter(|c| !matches!(c, '-' | ' ')).take(10).collect();
        if digits.len() != 9 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return refuse("duns", "a D-U-N-S number has nine digits, with or without dashes");
        }
        if matches!(digits.as_str(), "000000000" | "999999999" | "123456789") {
            return refuse("duns", format!("{digits} is a placeholder, not a D-U-N-S number"));
        }
        Ok(Self::Duns(digits))
    }

    /// Takes a Legal Entity Identifier: twenty letters and digits, the last two of which are check digits by ISO 7064
    /// MOD 97-10, as ISO 17442 has it.
    ///
    /// # Errors
    /// [`InvalidCustomer`] where the form or the check digits are wrong.
    pub fn lei(text: &str) -> Result<Self, InvalidCustomer> {
        let text = text.trim();
        let shaped = text.len() == 20
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && text.bytes().skip(18).all(|byte| byte.is_ascii_digit());
        if !shaped {
            return refuse("lei", "a LEI has eighteen letters or digits and two check digits");
        }
        let text = text.to_ascii_uppercase_smolstr();
        // A letter counts as two digits, A as 10; the whole number leaves 1 when divided by 97.
        let rest = text.bytes().fold(0_u32, |rest, byte| match byte {
            b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
            letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
        });
        if rest == 1 { Ok(Self::Lei(text)) } else { refuse("lei", format!("the check digits of {text} are wrong")) }
    }

    /// Takes the account's id in the vendor's CRM: up to 64 printable ASCII characters, as they are; upper and lower case
    /// differ.
    ///
    /// # Errors
    /// [`InvalidCustomer`] where it is empty, too long, or has other characters.
    pub fn crm_id(text: &str) -> Result<Self, InvalidCustomer> {
        let text = text.trim();
        let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if !printable || !(1..=64).contains(&text.len()) {
            return refuse("crm_id", "a CRM id has 1 to 64 printable ASCII characters");
        }
        Ok(Self::CrmId(text.into()))
    }

    /// Takes a web or mail domain and keeps the part of it that somebody registered: `acme.co.uk` of `www.acme.co.uk`. A URL
    /// or an e-mail address is taken too.
    ///
    /// # Errors
    /// [`InvalidCustomer`] where there is no such part, or where it says nothing about who the customer is: a public suffix,
    /// an IP address, a provider of free mailboxes.
    pub fn domain(text: &str) -> Result<Self, InvalidCustomer> {
        match domain::registrable(text) {
            Ok(domain) => Ok(Self::Domain(domain)),
            Err(problem) => refuse("domain", problem),
        }
    }

    /// What kind of key it is, as contracts and messages name it: `duns`, `lei`, `crm_id` or `domain`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Duns(_) => "duns",
            Self::Lei(_) => "lei",
            Self::CrmId(_) => "crm_id",
            Self::Domain(_) => "domain",
        }
    }

    /// The key itself.
    #[must_use]
    pub fn value(&self) -> &str {
        match self {
            Self::Duns(value) | Self::Lei(value) | Self::CrmId(value) | Self::Domain(value) => value,
        }
    }
}

/// Whether the last of nine digits is a check digit over the others (mod 10, every second one doubled). It was for D-U-N-S
/// numbers given out until about the end of 2006 and is by chance for one in ten since; so this may raise a doubt about an
/// old number, and never refuses one.
#[must_use]
pub fn duns_check_digit_holds(duns: &str) -> bool {
    let sum: u32 = duns
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte.saturating_sub(b'0'));
            let weighed = if place % 2 == 1 { digit * 2 } else { digit };
            weighed / 10 + weighed % 10
        })
        .sum();
    duns.len() == 9 && duns.bytes().all(|byte| byte.is_ascii_digit()) && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn duns() {
        for text in ["150483782", "15-048-3782", " 15 048 3782 "] {
            assert_eq!(AccountKey::duns(text).unwrap(), AccountKey::Duns("150483782".into()));
        }
        for bad in ["", "15048378", "1504837820", "15048378A", "١٥٠٤٨٣٧٨٢", "000-000-000", "999999999", "123456789"]
        {
            assert_eq!(AccountKey::duns(bad).unwrap_err().field, "duns", "{bad:?}");
        }
        // A number without the old check digit is as good as another.
        assert!(AccountKey::duns("150483783").is_ok());
        assert!(duns_check_digit_holds("150483782"));
        for other in ["150483783", "150483872", "15048378", "", "15048378x", "1504837820"] {
            assert!(!duns_check_digit_holds(other), "{other:?}");
        }
    }

    #[test]
    fn lei() {
        for good in ["54930084UKLVMY22DS16", "213800WSGIIZCXF1P572", "5493000IBP32UQZ0KL24", "KGCEPHLVVKVRZYO1T647"] {
            assert_eq!(AccountKey::lei(good).unwrap().value(), good);
            assert_eq!(AccountKey::lei(&format!(" {} ", good.to_lowercase())).unwrap().value(), good);
            // Any other digit, and any two neighbours exchanged, are found.
            for at in 0..19 {
                let mut bytes = good.as_bytes().to_vec();
                bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' };
                let wrong = String::from_utf8(bytes).unwrap();
                assert!(AccountKey::lei(&wrong).unwrap_err().problem.contains("check digits"), "{wrong}");
                let mut bytes = good.as_bytes().to_vec();
                bytes.swap(at, at + 1);
                let wrong = String::from_utf8(bytes).unwrap();
                assert!(wrong == good || AccountKey::lei(&wrong).is_err(), "{wrong}");
            }
        }
        for bad in ["", "54930084UKLVMY22DS1", "54930084UKLVMY22DS166", "54930084UKLVMY22D-16", "54930084UKLVMY22DSAB"]
        {
            assert_eq!(AccountKey::lei(bad).unwrap_err().field, "lei", "{bad:?}");
        }
    }

    #[test]
    fn crm_id() {
        assert_eq!(AccountKey::crm_id(" 0015g00000XyZab ").unwrap().value(), "0015g00000XyZab");
        for bad in ["", "  ", "a\tb", "ä", &"x".repeat(65)] {
            assert_eq!(AccountKey::crm_id(bad).unwrap_err().field, "crm_id", "{bad:?}");
        }
    }

    #[test]
    fn keys_sort_by_strength() {
        let mut keys = [
            AccountKey::domain("acme.com").unwrap(),
            AccountKey::crm_id("1").unwrap(),
            AccountKey::lei("KGCEPHLVVKVRZYO1T647").unwrap(),
            AccountKey::duns("150483782").unwrap(),
        ];
        keys.sort();
        assert_eq!(keys.iter().map(AccountKey::kind).collect::<Vec<_>>(), ["duns", "lei", "crm_id", "domain"]);
    }
}
