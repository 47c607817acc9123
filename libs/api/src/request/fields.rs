//! Reads a request's fields one by one, and keeps what is wrong with each.

use std::fmt::Display;
use std::str::FromStr;

use pactum_domain::account::{AccountKey, Customer, RawCustomer};
use pactum_domain::deal::Scope;
use pactum_domain::money::{Currency, Money};
use pactum_domain::time::{Date, Timestamp};
use pactum_ids::{
    AccountName, DealId, DealName, InvalidName, OpportunityId, OpportunityName, PartnerId, PartnerName, ProductId,
    ProgramId, ProgramName, RequestId,
};
use smol_str::SmolStr;

use super::{Edge, NewIds};
use crate::caller::Caller;
use crate::error::{InvalidRequest, Violation};
use crate::proto::common::v1 as proto;

/// The name of something in a program.
pub(crate) trait Child: FromStr<Err = InvalidName> {
    /// Its id.
    type Id;
    /// The program and the id.
    fn split(self) -> (ProgramId, Self::Id);
}

macro_rules! children {
    ($($name:ident: $id:ty;)*) => {$(
        impl Child for $name {
            type Id = $id;
            fn split(self) -> (ProgramId, Self::Id) {
                (self.program, self.id)
            }
        }
    )*};
}

children! {
    PartnerName: PartnerId;
    DealName: DealId;
    AccountName: pactum_ids::AccountId;
    OpportunityName: OpportunityId;
}

/// The fields of one request. A method gives `None` where a field is wrong, and notes why: so all are read before
/// [`finish`](Self::finish) answers with everything that is wrong.
pub(crate) struct Fields<'a> {
    edge: Edge<'a>,
    violations: Vec<Violation>,
    denied: Option<InvalidRequest>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(edge: Edge<'a>) -> Self {
        Self { edge, violations: Vec::new(), denied: None }
    }

    pub(super) fn caller(&self) -> &'a Caller {
        self.edge.caller
    }

    pub(super) fn ids(&self) -> &'a dyn NewIds {
        self.edge.ids
    }

    /// Notes that a field is wrong.
    pub(super) fn wrong(&mut self, field: impl Into<String>, problem: impl Display) {
        self.violations.push(Violation { field: field.into(), problem: problem.to_string() });
    }

    /// Notes that the caller may not ask this: worse than any field.
    pub(super) fn forbid(&mut self, why: &'static str) {
        self.denied.get_or_insert(InvalidRequest::Forbidden(why));
    }

    /// Takes what was parsed, or notes why it could not be.
    pub(super) fn take<T, E: Display>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|error| self.wrong(field, error)).ok()
    }

    /// What the request is, unless something was wrong.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, InvalidRequest> {
        match (self.denied, value) {
            (Some(denied), _) => Err(denied),
            (None, Some(value)) if self.violations.is_empty() => Ok(value),
            (None, _) => Err(InvalidRequest::Fields(self.violations)),
        }
    }

    fn own(&mut self, program: ProgramId) -> Option<ProgramId> {
        if program == self.edge.caller.program {
            return Some(program);
        }
        self.denied.get_or_insert(InvalidRequest::OtherProgram(self.edge.caller.program.clone()));
        None
    }

    /// The program that a request is for, by its name. It has to be the caller's.
    pub(crate) fn program(&mut self, field: &str, name: &str) -> Option<ProgramId> {
        let ProgramName(program) = self.take(field, name.parse())?;
        self.own(program)
    }

    /// The program that a request is for, by its id.
    pub(super) fn program_id(&mut self, field: &str, id: &str) -> Option<ProgramId> {
        let program = self.take(field, ProgramId::new(id))?;
        self.own(program)
    }

    /// The resource that a request is for, in the caller's program.
    pub(crate) fn name<N: Child>(&mut self, field: &str, name: &str) -> Option<(ProgramId, N::Id)> {
        let (program, id) = self.take(field, name.parse::<N>())?.split();
        Some((self.own(program)?, id))
    }

    /// Another resource of the caller's program that a field names.
    pub(super) fn reference<N: Child>(&mut self, field: &str, name: &str) -> Option<N::Id> {
        let (program, id) = self.take(field, name.parse::<N>())?.split();
        if program == self.edge.caller.program {
            return Some(id);
        }
        self.wrong(field, format_args!("it is not in programs/{}", self.edge.caller.program));
        None
    }

    /// The same, where the field may be empty.
    pub(super) fn optional_reference<N: Child>(&mut self, field: &str, name: &str) -> Option<Option<N::Id>> {
        if name.is_empty() { Some(None) } else { self.reference::<N>(field, name).map(Some) }
    }

    /// An id that the caller chose, or a new one.
    pub(super) fn id<I: FromStr<Err = pactum_ids::InvalidId>>(
        &mut self,
        field: &str,
        id: &str,
        new: impl FnOnce(&dyn NewIds) -> I,
    ) -> Option<I> {
        if id.is_empty() { Some(new(self.edge.ids)) } else { self.take(field, id.parse()) }
    }

    pub(super) fn request_id(&mut self, id: &str) -> Option<RequestId> {
        if id.is_empty() { None } else { self.take("request_id", RequestId::new(id)) }
    }

    /// The version of an etag; `None` where none was sent, or it is noted as wrong.
    pub(super) fn etag(&mut self, etag: &str) -> Option<u64> {
        if etag.is_empty() {
            return None;
        }
        let version = etag.parse::<u64>().ok().filter(|version| version.to_string() == etag);
        if version.is_none() {
            self.wrong("etag", "it is not an etag that was answered for this resource");
        }
        version
    }

    pub(crate) fn timestamp(&mut self, field: &str, time: prost_types::Timestamp) -> Option<Timestamp> {
        let micros = match time.nanos {
            nanos @ 0..1_000_000_000 => {
                time.seconds.checked_mul(1_000_000).map(|s| s.saturating_add(i64::from(nanos / 1_000)))
            }
            nanos => {
                self.wrong(field, format_args!("nanos is 0 to 999999999, {nanos} was given"));
                return None;
            }
        };
        self.take(field, Timestamp::new(micros.unwrap_or(i64::MAX)))
    }

    /// A day; `Some(None)` where the field is empty.
    pub(super) fn date(&mut self, field: &str, date: &str) -> Option<Option<Date>> {
        if date.is_empty() { Some(None) } else { self.take(field, Date::parse(date)).map(Some) }
    }

    pub(super) fn currency(&mut self, field: &str, code: &str) -> Option<Currency> {
        self.take(field, Currency::parse(code))
    }

    /// Money, with its path without the last part: `deal.amount`.
    pub(super) fn money(&mut self, path: &str, money: &proto::Money) -> Option<Money> {
        match Currency::parse(&money.currency_code) {
            Ok(currency) => Some(Money::new(currency, money.minor)),
            Err(error) => {
                self.wrong(format!("{path}.currency_code"), error);
                None
            }
        }
    }

    /// Money that may be left out.
    pub(super) fn optional_money(&mut self, path: &str, money: Option<&proto::Money>) -> Option<Option<Money>> {
        match money {
            None => Some(None),
            Some(money) => self.money(path, money).map(Some),
        }
    }

    /// What a field has to carry.
    pub(super) fn required<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.wrong(field, "it is required");
        }
        value
    }

    /// A customer, with its path: `deal.customer`.
    pub(super) fn customer(&mut self, path: &str, customer: &proto::Customer) -> Option<Customer> {
        let raw = raw(customer);
        if let Ok(customer) = Customer::parse(&raw) {
            return Some(customer);
        }
        // Each field by itself, so that all that are wrong are named.
        let none = RawCustomer { name: PLACEHOLDER, ..RawCustomer::default() };
        let parts = [
            RawCustomer { name: raw.name, country: "", domain: "", duns: "", lei: "", crm_id: PLACEHOLDER },
            RawCustomer { country: raw.country, ..none },
            RawCustomer { domain: raw.domain, ..none },
            RawCustomer { duns: raw.duns, ..none },
            RawCustomer { lei: raw.lei, ..none },
            RawCustomer { crm_id: raw.crm_id, ..none },
            raw,
        ];
        let before = self.violations.len();
        for part in parts {
            match Customer::parse(&part) {
                // The whole is the last: its error is another's again, unless it is about the fields together.
                Err(error) if error.field == "customer" => self.wrong(path, error.problem),
                Err(error) if self.violations[before..].iter().all(|other| other.problem != error.problem) => {
                    self.wrong(format!("{path}.{}", wire_field(error.field)), error.problem);
                }
                Err(_) | Ok(_) => {}
            }
        }
        None
    }

    /// A country; `Some(None)` where the field is empty.
    pub(super) fn country(&mut self, field: &str, code: &str) -> Option<Option<SmolStr>> {
        let parsed = Customer::parse(&RawCustomer { name: PLACEHOLDER, country: code, ..RawCustomer::default() });
        self.take(field, parsed.map_err(|error| error.problem)).map(|customer| customer.country)
    }

    /// A registrable domain; `Some(None)` where the field is empty.
    pub(super) fn domain(&mut self, field: &str, domain: &str) -> Option<Option<SmolStr>> {
        if domain.is_empty() {
            return Some(None);
        }
        let key = self.take(field, AccountKey::domain(domain).map_err(|error| error.problem))?;
        Some(Some(SmolStr::new(key.value())))
    }

    pub(super) fn products(&mut self, path: &str, products: &[String]) -> Option<Vec<ProductId>> {
        let before = self.violations.len();
        let mut taken = Vec::with_capacity(products.len());
        for (at, product) in products.iter().enumerate() {
            match ProductId::new(product) {
                Ok(product) => taken.push(product),
                Err(error) => self.wrong(format!("{path}[{at}]"), error),
            }
        }
        (self.violations.len() == before).then_some(taken)
    }

    /// A scope, with its path: `deal.scope`. Left out, it is everything.
    pub(super) fn scope(&mut self, path: &str, scope: Option<&proto::Scope>) -> Option<Scope> {
        let Some(scope) = scope else { return Some(Scope::default()) };
        let products = if scope.products.is_empty() {
            Vec::new()
        } else {
            self.products(&format!("{path}.products"), &scope.products)?
        };
        Some(Scope { products, territories: texts(&scope.territories) }.canonical())
    }
}

/// Stands for what is not asked about, where a customer needs a name or a key.
const PLACEHOLDER: &str = "-";

fn raw(customer: &proto::Customer) -> RawCustomer<'_> {
    RawCustomer {
        name: &customer.name,
        country: &customer.country_code,
        domain: &customer.domain,
        duns: &customer.duns,
        lei: &customer.lei,
        crm_id: &customer.crm_id,
    }
}

/// The contract's name of a customer's field.
fn wire_field(field: &'static str) -> &'static str {
    if field == "country" { "country_code" } else { field }
}

/// A list of texts in the domain's own type.
pub(super) fn texts(list: &[String]) -> Vec<SmolStr> {
    list.iter().map(SmolStr::new).collect()
}

/// A text that may be left out.
pub(super) fn optional(text: &str) -> Option<SmolStr> {
    (!text.is_empty()).then(|| SmolStr::new(text))
}
