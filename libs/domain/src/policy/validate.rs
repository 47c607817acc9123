//! What must hold of a document as a whole.

use std::ops::RangeInclusive;

use pactum_ids::ProductId;
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use super::Compiled;
use super::document::{DealRegistration, Document};
use super::expression::Expression;
use super::lines::Lines;
use super::problem::InvalidPolicy;
use super::territory::Nesting;

/// Five years, which also is more than any window of a program.
const DAYS: RangeInclusive<u32> = 1..=1825;

/// A field and what is wrong with it; the line is looked up only when it is needed.
#[derive(Debug)]
pub(super) struct Fault {
    field: String,
    problem: String,
}

impl Fault {
    /// The error, with the line where the document has the field.
    pub(super) fn at(self, document: &str) -> InvalidPolicy {
        let Self { field, problem } = self;
        InvalidPolicy { line: Lines::of(document).line(&field), field, problem }
    }
}

fn fault<T>(field: impl Into<String>, problem: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { field: field.into(), problem: problem.into() })
}

/// Validates a document and works out what its lookups need.
pub(super) fn validate(document: &Document) -> Result<Compiled, Fault> {
    tiers(document)?;
    unique("partner type", &document.partner_types, |index| format!("partner_types[{index}]"))?;
    unique("specialisation", &document.specialisations, |index| format!("specialisations[{index}]"))?;
    let nesting = territories(document)?;
    let products = products(document)?;
    stages(document)?;
    days("request_window_days", document.request_window_days, DAYS)?;
    let auto_approve = deal_registration(document, &document.deal_registration)?;
    Ok(Compiled { nesting, products, auto_approve })
}

fn tiers(document: &Document) -> Result<(), Fault> {
    if document.tiers.is_empty() {
        return fault("tiers", "at least one tier is needed");
    }
    unique("tier", document.tiers.iter().map(|tier| &tier.id), |index| format!("tiers[{index}].id"))?;
    for (index, tier) in document.tiers.iter().enumerate() {
        if let Some(given) = tier.protection_days {
            days(format!("tiers[{index}].protection_days"), given, DAYS)?;
        }
    }
    Ok(())
}

fn territories(document: &Document) -> Result<Nesting, Fault> {
    let territories = &document.territories;
    let known = unique("territory", territories.iter().map(|one| &one.id), |index| format!("territories[{index}].id"))?;
    for (index, territory) in territories.iter().enumerate() {
        if let Some(parent) = &territory.parent
            && !known.contains(parent)
        {
            let problem = format!("{parent:?} is not a territory of this policy");
            return fault(format!("territories[{index}].parent"), problem);
        }
    }
    Nesting::new(territories).or_else(|(index, problem)| {
        fault(format!("territories[{index}].parent"), format!("{:?} {problem}", territories[index].id))
    })
}

fn products(document: &Document) -> Result<FxHashMap<SmolStr, usize>, Fault> {
    let products = &document.products;
    unique("product", products.iter().map(|one| &one.id), |index| format!("products[{index}].id"))?;
    for (index, product) in products.iter().enumerate() {
        if let Some(specialisation) = &product.specialisation
            && !document.specialisations.contains(specialisation)
        {
            let problem = format!("{specialisation:?} is not among the specialisations");
            return fault(format!("products[{index}].specialisation"), problem);
        }
    }
    Ok(products.iter().enumerate().map(|(index, product)| (product.id.clone(), index)).collect())
}

fn stages(document: &Document) -> Result<(), Fault> {
    if document.stages.is_empty() {
        return fault("stages", "at least one stage is needed");
    }
    unique("stage", document.stages.iter().map(|stage| &stage.id), |index| format!("stages[{index}].id"))?;
    for (index, stage) in document.stages.iter().enumerate() {
        if stage.probability > 100 {
            let problem = format!("{} is not a percentage from 0 to 100", stage.probability);
            return fault(format!("stages[{index}].probability"), problem);
        }
    }
    Ok(())
}

fn deal_registration(document: &Document, rules: &DealRegistration) -> Result<Option<Expression>, Fault> {
    let field = |name: &str| format!("deal_registration.{name}");
    days(field("protection_days"), rules.protection_days, DAYS)?;
    days(field("review_days"), rules.review_days, DAYS)?;
    days(field("reopen_days"), rules.reopen_days, 0..=*DAYS.end())?;
    if rules.max_extensions > 100 {
        return fault(field("max_extensions"), format!("{} is more than 100", rules.max_extensions));
    }
    let extension_days = if rules.max_extensions > 0 { DAYS } else { 0..=*DAYS.end() };
    days(field("max_extension_days"), rules.max_extension_days, extension_days)?;
    if let Some(tier) = &rules.min_tier
        && !document.tiers.iter().any(|known| known.id == *tier)
    {
        return fault(field("min_tier"), format!("{tier:?} is not a tier of this policy"));
    }
    if !(50..=100).contains(&rules.similarity_percent) {
        let problem = format!("{} is not from 50 to 100", rules.similarity_percent);
        return fault(field("similarity_percent"), problem);
    }
    let Some(source) = &rules.auto_approve else { return Ok(None) };
    match Expression::compile(source) {
        Ok(expression) => Ok(Some(expression)),
        Err(problem) => fault(field("auto_approve"), problem),
    }
}

fn days(field: impl Into<String>, given: u32, allowed: RangeInclusive<u32>) -> Result<(), Fault> {
    if allowed.contains(&given) {
        return Ok(());
    }
    fault(field, format!("{given} is not from {} to {} days", allowed.start(), allowed.end()))
}

/// Ids have the form of all ids, so that they can stand in a resource name and a filter, and each comes once.
fn unique<'a>(
    kind: &str,
    ids: impl IntoIterator<Item = &'a SmolStr>,
    field: impl Fn(usize) -> String,
) -> Result<FxHashSet<&'a SmolStr>, Fault> {
    let mut seen = FxHashSet::default();
    for (index, id) in ids.into_iter().enumerate() {
        // Products have the strictest form of all, which the others share.
        if let Err(error) = ProductId::new(id) {
            return fault(field(index), format!("{id:?} is not an id: {}", error.why));
        }
        if !seen.insert(id) {
            return fault(field(index), format!("{id:?} is there twice among the {kind} ids"));
        }
    }
    Ok(seen)
}
