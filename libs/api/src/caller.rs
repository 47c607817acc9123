//! Who calls, as the access layer established it.

use std::sync::Arc;

use pactum_domain::actor::{Actor, Role};
use pactum_ids::{PartnerId, ProgramId};
use tonic::{Extensions, Status};

use crate::error;

/// Who calls, and in which program. The access layer puts an `Arc<Caller>` into a request's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Who, as history will name it.
    pub actor: Actor,
    /// The program that the caller belongs to; it has no business in another.
    pub program: ProgramId,
}

impl Caller {
    /// The caller of a request. A partner's role has a partner, or it is no caller: nothing below asks again, and a partner's
    /// caller without one would be taken for the vendor.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` where the access layer let nobody in.
    pub fn of(extensions: &Extensions) -> Result<&Arc<Self>, Status> {
        let caller =
            extensions.get::<Arc<Self>>().ok_or_else(|| error::unauthenticated("the call carries no caller"))?;
        if caller.actor.role.is_partner() && caller.actor.partner.is_none() {
            return Err(error::unauthenticated("the caller has a partner's role and no partner"));
        }
        Ok(caller)
    }

    /// The partner whose eyes see the answer; `None` for the vendor and for systems, which see all.
    #[must_use]
    pub fn partner(&self) -> Option<&PartnerId> {
        self.actor.partner.as_ref().filter(|_| self.actor.role.is_partner())
    }

    /// Whether the caller may see what belongs to a partner. A partner's role without a partner sees nothing.
    #[must_use]
    pub fn sees(&self, partner: &PartnerId) -> bool {
        !self.actor.role.is_partner() || self.actor.partner.as_ref() == Some(partner)
    }

    /// Whether the caller may say when something happened, and bring history in.
    #[must_use]
    pub fn brings_history(&self) -> bool {
        matches!(self.actor.role, Role::ProgramAdmin | Role::Connector)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use tonic::Code;

    use super::*;

    fn caller(role: Role, partner: Option<&str>) -> Caller {
        let partner = partner.map(|id| PartnerId::new(id).unwrap());
        Caller { actor: Actor { subject: "u".into(), role, partner }, program: ProgramId::new("acme").unwrap() }
    }

    #[test]
    fn a_partner_sees_its_own_and_the_vendor_sees_all() {
        let (north, south) = (PartnerId::new("north").unwrap(), PartnerId::new("south").unwrap());
        for role in Role::ALL {
            let own = caller(role, Some("north"));
            assert!(own.sees(&north), "{role:?}");
            assert_eq!(own.sees(&south), !role.is_partner(), "{role:?}");
            assert_eq!(own.partner(), role.is_partner().then_some(&north), "{role:?}");
            assert_eq!(caller(role, None).sees(&north), !role.is_partner(), "{role:?}");
        }
    }

    #[test]
    fn history_is_brought_by_admins_and_connectors() {
        let bring: Vec<_> = Role::ALL.into_iter().filter(|role| caller(*role, None).brings_history()).collect();
        assert_eq!(bring, [Role::ProgramAdmin, Role::Connector]);
    }

    #[test]
    fn a_request_has_the_caller_that_was_let_in() {
        let mut extensions = Extensions::default();
        assert_eq!(Caller::of(&extensions).unwrap_err().code(), Code::Unauthenticated);
        extensions.insert(Arc::new(caller(Role::PartnerSales, None)));
        assert_eq!(Caller::of(&extensions).unwrap_err().code(), Code::Unauthenticated);
        let north = Arc::new(caller(Role::PartnerSales, Some("north")));
        extensions.insert(Arc::clone(&north));
        assert_eq!(Caller::of(&extensions).unwrap(), &north);
    }
}
