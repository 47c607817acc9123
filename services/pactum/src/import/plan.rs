//! From rows to steps in the order in which things happened.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;

use pactum_domain::money::{Currency, Money};
use pactum_domain::time::Date;

use super::mapping::{Mapping, StageMeaning};
use super::report::RejectedRow;
use super::table::{self, Row, TableError};

/// The files of an export.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    pub(crate) pipeline: PathBuf,
    pub(crate) accounts: Option<PathBuf>,
    pub(crate) products: Option<PathBuf>,
    pub(crate) teams: Option<PathBuf>,
}

/// A partner of the export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImportedPartner {
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) manager: Option<String>,
    pub(crate) territory: Option<String>,
}

/// A deal of the export, as far as its row says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImportedDeal {
    pub(crate) line: u64,
    pub(crate) id: String,
    pub(crate) partner: String,
    pub(crate) title: String,
    pub(crate) account: Option<String>,
    pub(crate) product: Option<String>,
    pub(crate) stage: Option<String>,
    pub(crate) expected: Option<Money>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The row has no account or no date.
    Draft(ImportedDeal),
    /// The partner registered it on that day.
    Register(ImportedDeal, Date),
    /// The customer bought.
    Win { line: u64, id: String, amount: Money, on: Date },
    /// The customer did not.
    Lose { line: u64, id: String, on: Date },
}

impl Step {
    pub(crate) fn line(&self) -> u64 {
        match self {
            Self::Draft(deal) | Self::Register(deal, _) => deal.line,
            Self::Win { line, .. } | Self::Lose { line, .. } => *line,
        }
    }

    pub(crate) fn deal_id(&self) -> &str {
        match self {
            Self::Draft(deal) | Self::Register(deal, _) => &deal.id,
            Self::Win { id, .. } | Self::Lose { id, .. } => id,
        }
    }
}

/// What an export comes to.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) rows: u64,
    pub(crate) partners: Vec<ImportedPartner>,
    pub(crate) territories: Vec<String>,
    pub(crate) products: Vec<String>,
    /// Drafts first, then by day; on one day closings before registrations, then file order.
    pub(crate) steps: Vec<Step>,
    pub(crate) rejected: Vec<RejectedRow>,
}

/// Ids of other systems are names with blanks: lower case, with a dash for everything that an id cannot hold.
pub(crate) fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(63);
    slug.trim_end_matches('-').to_owned()
}

/// Names that differ only in blanks and case are one product: exports spell them both ways.
fn product_key(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

struct Product {
    id: String,
    price: Option<Money>,
}

impl Plan {
    /// Reads the files and puts what they tell in order.
    pub(crate) fn read(files: &Files, mapping: &Mapping, currency: Currency) -> Result<Self, TableError> {
        let mut plan = Self::default();
        let products = plan.read_products(files, mapping, currency)?;
        let teams = plan.read_teams(files, mapping)?;
        let accounts = plan.read_accounts(files, mapping)?;

        let columns = &mapping.pipeline;
        let rows = table::read(
            &files.pipeline,
            [
                &columns.id,
                &columns.partner,
                &columns.product,
                &columns.account,
                &columns.stage,
                &columns.registered,
                &columns.closed,
                &columns.value,
            ]
            .map(String::as_str),
            &mut plan.rejected,
        )?;
        plan.rows = rows.len() as u64 + plan.rejected.len() as u64;
        let context = Rows { mapping, currency, products, accounts, file: table::file_name(&files.pipeline) };
        let mut seen = HashSet::new();
        let mut dated = Vec::new();
        let mut partners = BTreeMap::new();
        for (place, row) in rows.iter().enumerate() {
            match context.read(row, &mut seen) {
                Err(rejected) => plan.rejected.push(rejected),
                Ok((partner_name, steps)) => {
                    let slug = slug(&partner_name);
                    let team = teams.get(&slug);
                    partners.entry(slug.clone()).or_insert_with(|| ImportedPartner {
                        id: slug,
                        display_name: partner_name,
                        manager: team.and_then(|team| team.0.clone()),
                        territory: team.and_then(|team| team.1.clone()),
                    });
                    let registered = steps.iter().find_map(|step| match step {
                        Step::Register(_, on) => Some(*on),
                        _ => None,
                    });
                    for step in steps {
                        match &step {
                            Step::Draft(_) => plan.steps.push(step),
                            Step::Register(_, on) => dated.push((*on, 1, place, step)),
                            // A deal that closes on the day of its registration closes after it.
                            Step::Win { on, .. } | Step::Lose { on, .. } => {
                                let order = if registered == Some(*on) { 2 } else { 0 };
                                dated.push((*on, order, place, step));
                            }
                        }
                    }
                }
            }
        }
        dated.sort_by_key(|(on, order, place, _)| (*on, *order, *place));
        plan.steps.extend(dated.into_iter().map(|(.., step)| step));
        plan.partners = partners.into_values().collect();
        plan.territories.sort();
        plan.territories.dedup();
        Ok(plan)
    }

    fn read_products(
        &mut self,
        files: &Files,
        mapping: &Mapping,
        currency: Currency,
    ) -> Result<Option<HashMap<String, Product>>, TableError> {
        let Some(path) = &files.products else { return Ok(None) };
        let columns = [mapping.products.name.as_str(), &mapping.products.price];
        let mut products = HashMap::new();
        for Row { line, fields: [name, price] } in table::read(path, columns, &mut self.rejected)? {
            let id = slug(&name);
            let price = if price.is_empty() { Ok(None) } else { Money::parse(currency, &price).map(Some) };
            match price {
                _ if id.is_empty() => self.reject(path, line, &mapping.products.name, "the product has no name"),
                Err(error) => self.reject(path, line, &mapping.products.price, &error.to_string()),
                Ok(price) => {
                    self.products.push(id.clone());
                    products.insert(product_key(&name), Product { id, price });
                }
            }
        }
        Ok(Some(products))
    }

    #[expect(clippy::type_complexity, reason = "manager and territory by partner, used once")]
    fn read_teams(
        &mut self,
        files: &Files,
        mapping: &Mapping,
    ) -> Result<HashMap<String, (Option<String>, Option<String>)>, TableError> {
        let mut teams = HashMap::new();
        let Some(path) = &files.teams else { return Ok(teams) };
        let columns = [mapping.teams.partner.as_str(), &mapping.teams.manager, &mapping.teams.territory];
        for Row { fields: [partner, manager, territory], .. } in table::read(path, columns, &mut self.rejected)? {
            let some = |text: &str| Some(slug(text)).filter(|slug| !slug.is_empty());
            let territory = some(&territory);
            self.territories.extend(territory.clone());
            teams.insert(slug(&partner), (some(&manager), territory));
        }
        Ok(teams)
    }

    fn read_accounts(&mut self, files: &Files, mapping: &Mapping) -> Result<Option<HashSet<String>>, TableError> {
        let Some(path) = &files.accounts else { return Ok(None) };
        let columns = [mapping.accounts.name.as_str()];
        let rows = table::read(path, columns, &mut self.rejected)?;
        Ok(Some(rows.into_iter().map(|Row { fields: [name], .. }| name).collect()))
    }

    fn reject(&mut self, path: &std::path::Path, line: u64, field: &str, reason: &str) {
        self.rejected.push(RejectedRow {
            file: table::file_name(path),
            line,
            id: String::new(),
            field: field.into(),
            reason: reason.into(),
        });
    }
}

struct Rows<'a> {
    mapping: &'a Mapping,
    currency: Currency,
    products: Option<HashMap<String, Product>>,
    accounts: Option<HashSet<String>>,
    file: String,
}

impl Rows<'_> {
    /// The partner's name and what happened to the row's deal.
    fn read(&self, row: &Row<8>, seen: &mut HashSet<String>) -> Result<(String, Vec<Step>), RejectedRow> {
        let [id, partner, product, account, stage, registered, closed, value] = &row.fields;
        let columns = &self.mapping.pipeline;
        let reject = |field: &str, reason: String| RejectedRow {
            file: self.file.clone(),
            line: row.line,
            id: id.clone(),
            field: field.into(),
            reason,
        };
        pactum_ids::DealId::new(id).map_err(|error| reject(&columns.id, error.to_string()))?;
        if !seen.insert(id.clone()) {
            return Err(reject(&columns.id, "another row above has this id".into()));
        }
        if slug(partner).is_empty() {
            return Err(reject(&columns.partner, "the partner has no name".into()));
        }
        let Some(meaning) = self.mapping.stages.get(stage) else {
            let known: Vec<_> = self.mapping.stages.keys().map(String::as_str).collect();
            return Err(reject(&columns.stage, format!("{stage:?} is none of {}", known.join(", "))));
        };
        let registered = self.date(registered).map_err(|reason| reject(&columns.registered, reason))?;
        let closed = self.date(closed).map_err(|reason| reject(&columns.closed, reason))?;
        let (product, price) = self.product(product).map_err(|reason| reject(&columns.product, reason))?;
        let account = Some(account).filter(|account| !account.is_empty());
        if let (Some(account), Some(known)) = (account, &self.accounts)
            && !known.contains(account)
        {
            return Err(reject(&columns.account, format!("{account:?} is not in the accounts file")));
        }
        let deal = ImportedDeal {
            line: row.line,
            id: id.clone(),
            partner: slug(partner),
            title: [product.as_deref().unwrap_or("deal"), account.map_or("", String::as_str)]
                .join(" ")
                .trim()
                .to_owned(),
            account: account.cloned(),
            product,
            stage: match meaning {
                StageMeaning::Open { stage, .. } => Some(stage.clone()),
                StageMeaning::Won | StageMeaning::Lost => None,
            },
            expected: price,
        };
        let (Some(registered), Some(_)) = (registered, account) else {
            return Ok((partner.clone(), vec![Step::Draft(deal)]));
        };
        let mut steps = vec![Step::Register(deal, registered)];
        if !matches!(meaning, StageMeaning::Open { .. }) {
            let on = closed.ok_or_else(|| reject(&columns.closed, format!("a deal that is {stage} needs a date")))?;
            if on < registered {
                return Err(reject(&columns.closed, format!("it is before the registration on {registered}")));
            }
            steps.push(match meaning {
                StageMeaning::Won => {
                    let amount = Money::parse(self.currency, value)
                        .map_err(|error| reject(&columns.value, error.to_string()))?;
                    if amount.minor < 0 {
                        return Err(reject(&columns.value, "an amount cannot be negative".into()));
                    }
                    Step::Win { line: row.line, id: id.clone(), amount, on }
                }
                _ => Step::Lose { line: row.line, id: id.clone(), on },
            });
        }
        Ok((partner.clone(), steps))
    }

    fn date(&self, text: &str) -> Result<Option<Date>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let format = &self.mapping.date_format;
        jiff::civil::Date::strptime(format, text)
            .ok()
            .and_then(|date| {
                Date::from_ymd(date.year().into(), date.month().unsigned_abs().into(), date.day().unsigned_abs().into())
            })
            .map(Some)
            .ok_or_else(|| format!("{text:?} is not a date of the form {format} between 1900 and 2199"))
    }

    fn product(&self, name: &str) -> Result<(Option<String>, Option<Money>), String> {
        if name.is_empty() {
            return Ok((None, None));
        }
        match &self.products {
            None => Ok((Some(slug(name)).filter(|slug| !slug.is_empty()), None)),
            Some(known) => known
                .get(&product_key(name))
                .map(|product| (Some(product.id.clone()), product.price))
                .ok_or_else(|| format!("{name:?} is not in the products file")),
        }
    }
}
