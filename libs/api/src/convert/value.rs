//! Names, money, times, customers, scopes and actors.

use pactum_domain::account::{AccountKey, Customer};
use pactum_domain::actor::{Actor, Role};
use pactum_domain::deal::Scope;
use pactum_domain::money::Money;
use pactum_domain::time::{Date, Timestamp};
use pactum_ids::{AccountId, DealId, OpportunityId, PartnerId, ProgramId};

use crate::proto::common::v1 as proto;

/// `programs/{program}`.
#[must_use]
pub fn program_name(program: &ProgramId) -> String {
    ["programs/", program.as_str()].concat()
}

fn child(program: &ProgramId, collection: &str, id: &str) -> String {
    ["programs/", program.as_str(), collection, id].concat()
}

/// `programs/{program}/partners/{partner}`.
#[must_use]
pub fn partner_name(program: &ProgramId, id: &PartnerId) -> String {
    child(program, "/partners/", id.as_str())
}

/// `programs/{program}/deals/{deal}`.
#[must_use]
pub fn deal_name(program: &ProgramId, id: &DealId) -> String {
    child(program, "/deals/", id.as_str())
}

/// `programs/{program}/accounts/{account}`.
#[must_use]
pub fn account_name(program: &ProgramId, id: &AccountId) -> String {
    child(program, "/accounts/", id.as_str())
}

/// `programs/{program}/opportunities/{opportunity}`.
#[must_use]
pub fn opportunity_name(program: &ProgramId, id: &OpportunityId) -> String {
    child(program, "/opportunities/", id.as_str())
}

/// The etag of a version: opaque to callers, who only send it back.
#[must_use]
pub fn etag(version: u64) -> String {
    version.to_string()
}

/// Money.
#[must_use]
pub fn money_to_proto(money: Money) -> proto::Money {
    proto::Money { currency_code: money.currency.as_str().to_owned(), minor: money.minor }
}

/// A moment.
#[must_use]
pub fn timestamp_to_proto(time: Timestamp) -> prost_types::Timestamp {
    let nanos = i32::try_from(time.0.rem_euclid(1_000_000) * 1_000);
    prost_types::Timestamp {
        seconds: time.0.div_euclid(1_000_000),
        nanos: nanos.expect("less than a second is less than 2^31 nanoseconds"),
    }
}

/// A day, as ISO 8601.
#[must_use]
pub fn date_to_proto(date: Date) -> String {
    date.to_string()
}

/// A day, as ISO 8601; empty where there is none.
#[must_use]
pub fn optional_date(date: Option<Date>) -> String {
    date.map(date_to_proto).unwrap_or_default()
}

/// A customer.
#[must_use]
pub fn customer_to_proto(customer: &Customer) -> proto::Customer {
    let mut made = proto::Customer {
        name: customer.name.to_string(),
        country_code: customer.country.as_ref().map(ToString::to_string).unwrap_or_default(),
        ..proto::Customer::default()
    };
    for key in &customer.keys {
        let (field, value) = match key {
            AccountKey::Duns(value) => (&mut made.duns, value),
            AccountKey::Lei(value) => (&mut made.lei, value),
            AccountKey::CrmId(value) => (&mut made.crm_id, value),
            AccountKey::Domain(value) => (&mut made.domain, value),
        };
        *field = value.to_string();
    }
    made
}

/// A scope.
#[must_use]
pub fn scope_to_proto(scope: &Scope) -> proto::Scope {
    proto::Scope {
        products: scope.products.iter().map(ToString::to_string).collect(),
        territories: scope.territories.iter().map(ToString::to_string).collect(),
    }
}

/// Who did something.
#[must_use]
pub fn actor_to_proto(program: &ProgramId, actor: &Actor) -> proto::Actor {
    proto::Actor {
        subject: actor.subject.to_string(),
        role: role_to_proto(actor.role).into(),
        partner: actor.partner.as_ref().map(|partner| partner_name(program, partner)).unwrap_or_default(),
    }
}

macro_rules! roles {
    ($($name:ident),* $(,)?) => {
        /// A role.
        #[must_use]
        pub fn role_to_proto(role: Role) -> proto::Role {
            match role { $(Role::$name => proto::Role::$name,)* }
        }

        /// The domain's role; `None` where none is given.
        #[must_use]
        pub fn role_of(role: proto::Role) -> Option<Role> {
            match role {
                proto::Role::Unspecified => None,
                $(proto::Role::$name => Some(Role::$name),)*
            }
        }
    };
}

roles!(
    ProgramAdmin,
    ChannelManager,
    Reviewer,
    Finance,
    Marketing,
    Analyst,
    Auditor,
    PartnerAdmin,
    PartnerSales,
    PartnerMarketing,
    PartnerTechnical,
    PartnerFinance,
    Connector,
    Timer,
    Operator,
);

/// The same states in the domain and in the contract, one for one, with the short name that filters and items use.
macro_rules! states {
    ($domain:ty, $proto:ty, $to:ident, $name:ident, $prefix:literal, [$($state:ident),* $(,)?]) => {
        /// The state in the contract.
        #[must_use]
        pub fn $to(state: $domain) -> $proto {
            match state { $(<$domain>::$state => <$proto>::$state,)* }
        }

        /// The state's short name: the contract's, without the prefix.
        #[must_use]
        pub fn $name(state: $domain) -> &'static str {
            let name = $to(state).as_str_name();
            name.strip_prefix($prefix).unwrap_or(name)
        }
    };
    ($domain:ty, $proto:ty, $to:ident, $name:ident, $of:ident, $prefix:literal, [$($state:ident),* $(,)?]) => {
        states!($domain, $proto, $to, $name, $prefix, [$($state),*]);

        /// The domain's state; `None` where none is given.
        #[must_use]
        pub fn $of(state: $proto) -> Option<$domain> {
            match state {
                <$proto>::Unspecified => None,
                $(<$proto>::$state => Some(<$domain>::$state),)*
            }
        }
    };
}
pub(super) use states;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_the_same_on_both_sides() {
        for role in Role::ALL {
            assert_eq!(role_of(role_to_proto(role)), Some(role));
            let name = role_to_proto(role).as_str_name();
            assert_eq!(name, format!("ROLE_{}", role.as_str().to_uppercase().replace('-', "_")));
        }
    }

    #[test]
    fn moments_before_1970_count_their_nanoseconds_forward() {
        let made = timestamp_to_proto(Timestamp(-1));
        assert_eq!((made.seconds, made.nanos), (-1, 999_999_000));
        let made = timestamp_to_proto(Timestamp(1_500_000));
        assert_eq!((made.seconds, made.nanos), (1, 500_000_000));
    }
}
