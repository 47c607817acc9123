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
    /// The caller of a request.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` where the access layer let nobody in.
    pub fn of(extensions: &Extensions) -> Result<&Arc<Self>, Status> {
        extensions.get::<Arc<Self>>().ok_or_else(|| error::unauthenticated("the call carries no caller"))
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
