//! How another system's export is read: which column is what, and what its words mean here.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// The mapping that fits an export with the columns of the CRM's own names; `--mapping` replaces what it names.
const DEFAULT: &str = include_str!("crm-mapping.toml");

/// A mapping.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mapping {
    /// The currency of all amounts.
    pub(crate) currency: String,
    /// How dates are written, in `strptime` form.
    pub(crate) date_format: String,
    /// Days of protection a registration gets.
    pub(crate) protection_days: u32,
    /// The tier that partners are enrolled in where the program is made by the import.
    pub(crate) tier: String,
    /// The type that partners are enrolled as.
    pub(crate) partner_type: String,
    /// The pipeline's columns.
    pub(crate) pipeline: PipelineColumns,
    /// The accounts' columns.
    pub(crate) accounts: AccountColumns,
    /// The products' columns.
    pub(crate) products: ProductColumns,
    /// The teams' columns.
    pub(crate) teams: TeamColumns,
    /// What each stage of the other system means.
    pub(crate) stages: BTreeMap<String, StageMeaning>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PipelineColumns {
    pub(crate) id: String,
    pub(crate) partner: String,
    pub(crate) product: String,
    pub(crate) account: String,
    pub(crate) stage: String,
    pub(crate) registered: String,
    pub(crate) closed: String,
    pub(crate) value: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountColumns {
    pub(crate) name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProductColumns {
    pub(crate) name: String,
    pub(crate) price: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TeamColumns {
    pub(crate) partner: String,
    pub(crate) manager: String,
    pub(crate) territory: String,
}

/// What a stage of the other system means.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum StageMeaning {
    /// Open, in this stage of the program's policy with this chance in percent.
    Open { stage: String, probability: u8 },
    /// The customer bought.
    Won,
    /// The customer did not buy.
    Lost,
}

/// A mapping that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MappingError {
    #[error("the mapping {path} cannot be read: {why}")]
    Read { path: String, why: String },
    #[error("the mapping {path} is not valid: {why}")]
    Invalid { path: String, why: String },
}

impl Mapping {
    /// The default, with what `file` names put in its place.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, MappingError> {
        let mut table: toml::Table = DEFAULT.parse().expect("the mapping that ships is valid TOML: a test reads it");
        if let Some(file) = file {
            let path = file.display().to_string();
            let text = std::fs::read_to_string(file)
                .map_err(|error| MappingError::Read { path: path.clone(), why: error.to_string() })?;
            let given: toml::Table = text
                .parse()
                .map_err(|error: toml::de::Error| MappingError::Invalid { path, why: error.to_string() })?;
            merge(&mut table, given);
        }
        let path = file.map_or_else(|| "that ships".to_owned(), |file| file.display().to_string());
        table.try_into().map_err(|error: toml::de::Error| MappingError::Invalid { path, why: error.to_string() })
    }
}

/// Puts `given` over `base`, table by table. Stages are a list of their own: naming any replaces them all.
fn merge(base: &mut toml::Table, given: toml::Table) {
    for (key, value) in given {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) if key != "stages" => merge(old, new),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_named_replaces_the_default_and_the_rest_stays() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("mapping.toml");
        std::fs::write(&file, "currency = 'EUR'\n[pipeline]\nid = 'Opp'\n[stages]\nClosed = 'sold'\n").unwrap();
        let mapping = Mapping::load(Some(&file));
        let error = mapping.unwrap_err().to_string();
        assert!(error.contains("mapping.toml"), "{error}");
        std::fs::write(&file, "currency = 'EUR'\n[pipeline]\nid = 'Opp'\n[stages]\nClosed = 'won'\n").unwrap();
        let mapping = Mapping::load(Some(&file)).unwrap();
        assert_eq!((mapping.currency.as_str(), mapping.pipeline.id.as_str()), ("EUR", "Opp"));
        assert_eq!(mapping.pipeline.partner, Mapping::load(None).unwrap().pipeline.partner);
        assert_eq!(mapping.stages, BTreeMap::from([("Closed".into(), StageMeaning::Won)]));
        std::fs::write(&file, "curency = 'EUR'").unwrap();
        assert!(Mapping::load(Some(&file)).unwrap_err().to_string().contains("curency"));
    }
}
