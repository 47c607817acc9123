//! From the fields of a request to a customer.

use smol_str::{SmolStr, StrExt as _};

use super::{AccountKey, Customer, country};

/// The longest name, in characters.
const MAX_NAME: usize = 200;

/// A customer's field that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct InvalidCustomer {
    /// `name`, `country`, `domain`, `duns`, `lei` or `crm_id`; `customer` where it is about them together.
    pub field: &'static str,
    /// What is wrong, what was expected.
    pub problem: String,
}

/// A customer as it is told, field by field; empty where nothing was given.
#[derive(Clone, Copy, Debug, Default)]
pub struct RawCustomer<'a> {
    /// The legal name.
    pub name: &'a str,
    /// ISO 3166-1 alpha-2.
    pub country: &'a str,
    /// A web or mail domain; a URL or an e-mail address will do.
    pub domain: &'a str,
    /// D-U-N-S number.
    pub duns: &'a str,
    /// Legal Entity Identifier.
    pub lei: &'a str,
    /// The account's id in the vendor's CRM.
    pub crm_id: &'a str,
}

impl Customer {
    /// Checks and normalises what was told.
    ///
    /// # Errors
    /// [`InvalidCustomer`] for the first field that is wrong, or where neither a name nor a key was given.
    pub fn parse(raw: &RawCustomer<'_>) -> Result<Self, InvalidCustomer> {
        let mut keys = Vec::new();
        let given = [
            (raw.duns, AccountKey::duns as fn(&str) -> Result<AccountKey, InvalidCustomer>),
            (raw.lei, AccountKey::lei),
            (raw.crm_id, AccountKey::crm_id),
            (raw.domain, AccountKey::domain),
        ];
        let name = name(raw.name)?;
        let country = country_code(raw.country)?;
        for (text, key) in given {
            if !text.trim().is_empty() {
                keys.push(key(text)?);
            }
        }
        if name.is_empty() && keys.is_empty() {
            let problem = "a name, a domain, a D-U-N-S number, a LEI or a CRM id is needed".to_owned();
            return Err(InvalidCustomer { field: "customer", problem });
        }
        Ok(Self { name, country, keys })
    }
}

fn name(text: &str) -> Result<SmolStr, InvalidCustomer> {
    let text = text.trim();
    let problem = if text.chars().nth(MAX_NAME).is_some() {
        format!("a name has at most {MAX_NAME} characters")
    } else if text.chars().any(char::is_control) {
        "a name has no control characters".to_owned()
    } else {
        return Ok(SmolStr::new(text));
    };
    Err(InvalidCustomer { field: "name", problem })
}

fn country_code(text: &str) -> Result<Option<SmolStr>, InvalidCustomer> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let code = text.to_ascii_uppercase_smolstr();
    if country::is_country(&code) {
        return Ok(Some(code));
    }
    let shown: String = text.chars().take(40).collect();
    let problem = format!("{shown:?} is not an ISO 3166-1 alpha-2 code, such as DE");
    Err(InvalidCustomer { field: "country", problem })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_customer_is_normalised() {
        let raw = RawCustomer {
            name: " Müller & Söhne GmbH ",
            country: "de",
            domain: "https://www.Mueller-Soehne.de/kontakt",
            duns: "15-048-3782",
            lei: "kgcephlvvkvrzyo1t647",
            crm_id: "0015g00000XyZab",
        };
        let customer = Customer::parse(&raw).unwrap();
        assert_eq!((customer.name.as_str(), customer.country.as_deref()), ("Müller & Söhne GmbH", Some("DE")));
        let keys: Vec<_> = customer.keys.iter().map(|key| (key.kind(), key.value())).collect();
        let expected = [
            ("duns", "150483782"),
            ("lei", "KGCEPHLVVKVRZYO1T647"),
            ("crm_id", "0015g00000XyZab"),
            ("domain", "mueller-soehne.de"),
        ];
        assert_eq!(keys, expected);
        assert!(customer.keys.is_sorted());
        assert_eq!(Customer::parse(&RawCustomer { name: "Acme", ..Default::default() }).unwrap().keys, []);
        assert_eq!(Customer::parse(&RawCustomer { domain: "acme.com", ..Default::default() }).unwrap().name, "");
    }

    /// One row per refusal.
    #[test]
    fn refusals() {
        let long = "x".repeat(201);
        let none = RawCustomer::default();
        let named = RawCustomer { name: "Acme", ..none };
        let rows = [
            (none, "customer", "is needed"),
            (RawCustomer { country: "DE", name: "  ", ..none }, "customer", "is needed"),
            (RawCustomer { name: &long, ..none }, "name", "at most 200"),
            (RawCustomer { name: "Ac\u{7}me", ..none }, "name", "control"),
            (RawCustomer { country: "UK", ..named }, "country", "\"UK\" is not an ISO 3166-1"),
            (RawCustomer { country: "Germany", ..named }, "country", "such as DE"),
            (RawCustomer { domain: "com", ..named }, "domain", "public suffix"),
            (RawCustomer { duns: "1", ..named }, "duns", "nine digits"),
            (RawCustomer { lei: "1", ..named }, "lei", "eighteen"),
            (RawCustomer { lei: "KGCEPHLVVKVRZYO1T648", ..named }, "lei", "check digits"),
            (RawCustomer { crm_id: "ä", ..named }, "crm_id", "printable"),
        ];
        for (raw, field, problem) in rows {
            let error = Customer::parse(&raw).unwrap_err();
            assert!(error.field == field && error.problem.contains(problem), "{error}");
        }
        assert_eq!(Customer::parse(&RawCustomer { name: &"ä".repeat(200), ..none }).unwrap().name.chars().count(), 200);
    }
}
