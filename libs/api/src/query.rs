//! What queries name, parsed: the same rules as for writes, answered with a status at once.

use pactum_domain::account::{AccountKey, InvalidCustomer};
use pactum_domain::time::Timestamp;
use pactum_ids::{AccountId, AccountName, DealId, DealName, PartnerId, PartnerName, ProgramId};
use tonic::Status;

use crate::caller::Caller;
use crate::error;
use crate::proto::common::v1 as proto;
use crate::request::{Edge, Fields, Ulids};

/// The page size where none is asked for.
pub const DEFAULT_PAGE: usize = 100;

/// The largest page.
pub const MAX_PAGE: usize = 1000;

/// A moment of a program's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// After the event with this sequence.
    Sequence(u64),
    /// After all that was recorded by this time.
    Time(Timestamp),
}

/// The moment that a query asks about; `None`: now.
///
/// # Errors
/// `INVALID_ARGUMENT` where the moment is malformed, or is asked for together with `min_sequence`.
pub fn as_of(caller: &Caller, given: Option<&proto::AsOf>, min_sequence: u64) -> Result<Option<AsOf>, Status> {
    use proto::as_of::Moment;
    let Some(given) = given else { return Ok(None) };
    if min_sequence != 0 {
        return Err(error::invalid_field("min_sequence", "it must be 0 where as_of is given: the past does not grow"));
    }
    match given.moment {
        None => Err(error::invalid_field("as_of", "sequence or time is needed")),
        Some(Moment::Sequence(sequence)) => Ok(Some(AsOf::Sequence(sequence))),
        Some(Moment::Time(time)) => {
            let mut fields = Fields::new(Edge { caller, ids: &Ulids });
            let time = fields.timestamp("as_of.time", time);
            Ok(Some(AsOf::Time(fields.finish(time)?)))
        }
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $function:ident: $name:ident => $id:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// `INVALID_ARGUMENT` where the name is malformed, `PERMISSION_DENIED` where it is in another program than the caller.
        pub fn $function(caller: &Caller, field: &str, name: &str) -> Result<$id, Status> {
            let mut fields = Fields::new(Edge { caller, ids: &Ulids });
            let id = fields.name::<$name>(field, name).map(|(_, id)| id);
            Ok(fields.finish(id)?)
        }
    )*};
}

names! {
    /// A deal of the caller's program, by its name.
    deal: DealName => DealId;
    /// A partner of the caller's program, by its name.
    partner: PartnerName => PartnerId;
    /// A customer account of the caller's program, by its name.
    account: AccountName => AccountId;
}

/// The caller's program, by its name.
///
/// # Errors
/// `INVALID_ARGUMENT` where the name is malformed, `PERMISSION_DENIED` where it is another program than the caller's.
pub fn program(caller: &Caller, field: &str, name: &str) -> Result<ProgramId, Status> {
    let mut fields = Fields::new(Edge { caller, ids: &Ulids });
    let program = fields.program(field, name);
    Ok(fields.finish(program)?)
}

/// How many a page has.
///
/// # Errors
/// `INVALID_ARGUMENT` where it is negative.
pub fn page_size(asked: i32) -> Result<usize, Status> {
    match usize::try_from(asked) {
        Ok(0) => Ok(DEFAULT_PAGE),
        Ok(size) => Ok(size.min(MAX_PAGE)),
        Err(_) => Err(error::invalid_field("page_size", "it cannot be negative")),
    }
}

/// The keys of a customer by which accounts are looked up, strongest first, with the path of the field that has them.
///
/// # Errors
/// `INVALID_ARGUMENT` where a key is malformed, or there is none.
pub fn customer_keys(path: &str, customer: &proto::Customer) -> Result<Vec<AccountKey>, Status> {
    let given = [
        (&customer.duns, AccountKey::duns as fn(&str) -> Result<AccountKey, InvalidCustomer>),
        (&customer.lei, AccountKey::lei),
        (&customer.crm_id, AccountKey::crm_id),
        (&customer.domain, AccountKey::domain),
    ];
    let keys = given.into_iter().filter(|(text, _)| !text.trim().is_empty()).map(|(text, key)| {
        key(text).map_err(|invalid| error::invalid_field(&format!("{path}.{}", invalid.field), invalid.problem))
    });
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    if keys.is_empty() {
        return Err(error::invalid_field(path, "one of domain, duns, lei and crm_id is needed"));
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use pactum_domain::actor::{Actor, Role};
    use tonic::Code;

    use super::*;

    #[test]
    fn pages_have_bounds() {
        assert_eq!(page_size(0).unwrap(), DEFAULT_PAGE);
        assert_eq!(page_size(7).unwrap(), 7);
        assert_eq!(page_size(i32::MAX).unwrap(), MAX_PAGE);
        assert_eq!(page_size(-1).unwrap_err().code(), Code::InvalidArgument);
    }

    #[test]
    fn names_are_the_callers_own_programs() {
        let actor = Actor { subject: "u".into(), role: Role::Analyst, partner: None };
        let caller = Caller { actor, program: ProgramId::new("acme").unwrap() };
        assert_eq!(deal(&caller, "name", "programs/acme/deals/d").unwrap().as_str(), "d");
        assert_eq!(program(&caller, "parent", "programs/acme").unwrap().as_str(), "acme");
        assert_eq!(deal(&caller, "name", "programs/other/deals/d").unwrap_err().code(), Code::PermissionDenied);
        assert_eq!(program(&caller, "parent", "programs/other").unwrap_err().code(), Code::PermissionDenied);
        assert_eq!(partner(&caller, "name", "programs/acme/deals/d").unwrap_err().code(), Code::InvalidArgument);
    }

    #[test]
    fn a_moment_is_whole_and_alone() {
        use proto::as_of::Moment;
        let actor = Actor { subject: "u".into(), role: Role::Analyst, partner: None };
        let caller = Caller { actor, program: ProgramId::new("acme").unwrap() };
        let at = |moment| Some(proto::AsOf { moment });
        let time = |seconds, nanos| at(Some(Moment::Time(prost_types::Timestamp { seconds, nanos })));
        let parse = |given: Option<proto::AsOf>, min_sequence| as_of(&caller, given.as_ref(), min_sequence);
        assert_eq!(parse(None, 7).unwrap(), None);
        assert_eq!(parse(at(Some(Moment::Sequence(7))), 0).unwrap(), Some(AsOf::Sequence(7)));
        // What is recorded within the same microsecond was recorded by then.
        assert_eq!(parse(time(1, 2_999), 0).unwrap(), Some(AsOf::Time(Timestamp(1_000_002))));
        for (wrong, min_sequence) in
            [(at(None), 0), (at(Some(Moment::Sequence(7))), 1), (time(1, -1), 0), (time(i64::MAX, 0), 0)]
        {
            assert_eq!(parse(wrong, min_sequence).unwrap_err().code(), Code::InvalidArgument, "{wrong:?}");
        }
    }

    #[test]
    fn accounts_are_looked_up_by_keys_alone() {
        let named = proto::Customer { name: "Acme".into(), ..proto::Customer::default() };
        assert!(customer_keys("customer", &named).unwrap_err().message().contains("is needed"));
        let keyed = proto::Customer { domain: "www.acme.com".into(), duns: "150483782".into(), ..named.clone() };
        let kinds: Vec<_> = customer_keys("customer", &keyed).unwrap().iter().map(AccountKey::kind).collect();
        assert_eq!(kinds, ["duns", "domain"]);
        let wrong = proto::Customer { lei: "1".into(), ..named };
        assert!(customer_keys("customer", &wrong).unwrap_err().message().starts_with("customer.lei: "));
    }
}
