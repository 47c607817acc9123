//! Who asks.

use std::fmt;

use pactum_ids::PartnerId;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smol_str::SmolStr;

/// What a caller may do, by the part it plays in the program.
///
/// Binary formats keep the position in this list, so a new role goes to its end; where people read, it is [`Role::as_str`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Vendor: everything in the program.
    ProgramAdmin,
    /// Vendor: partners and their deals.
    ChannelManager,
    /// Vendor: decides registrations.
    Reviewer,
    /// Vendor: funds and incentives.
    Finance,
    /// Vendor: campaigns and assets.
    Marketing,
    /// Vendor: reads all, no personal data.
    Analyst,
    /// Vendor: reads all history and proofs.
    Auditor,
    /// Partner: everything of its own partner.
    PartnerAdmin,
    /// Partner: its own deals and leads.
    PartnerSales,
    /// Partner: its own campaigns.
    PartnerMarketing,
    /// Partner: its own enablement.
    PartnerTechnical,
    /// Partner: its own funds.
    PartnerFinance,
    /// System: imports and synchronisation, with the scopes it was given.
    Connector,
    /// System: Pactum itself, when a deadline falls due.
    Timer,
    /// System: runs Pactum itself; sees no program's data, but can export views, which hold every program's.
    Operator,
}

impl Role {
    /// Whether this is a role of a partner, which sees only its own partner.
    #[must_use]
    pub fn is_partner(self) -> bool {
        matches!(
            self,
            Self::PartnerAdmin
                | Self::PartnerSales
                | Self::PartnerMarketing
                | Self::PartnerTechnical
                | Self::PartnerFinance
        )
    }

    /// The role's name in tokens, contracts and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProgramAdmin => "program-admin",
            Self::ChannelManager => "channel-manager",
            Self::Reviewer => "reviewer",
            Self::Finance => "finance",
            Self::Marketing => "marketing",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
            Self::PartnerAdmin => "partner-admin",
            Self::PartnerSales => "partner-sales",
            Self::PartnerMarketing => "partner-marketing",
            Self::PartnerTechnical => "partner-technical",
            Self::PartnerFinance => "partner-finance",
            Self::Connector => "connector",
            Self::Timer => "timer",
            Self::Operator => "operator",
        }
    }

    /// Every role a caller can have.
    pub const ALL: [Self; 15] = [
        Self::ProgramAdmin,
        Self::ChannelManager,
        Self::Reviewer,
        Self::Finance,
        Self::Marketing,
        Self::Analyst,
        Self::Auditor,
        Self::PartnerAdmin,
        Self::PartnerSales,
        Self::PartnerMarketing,
        Self::PartnerTechnical,
        Self::PartnerFinance,
        Self::Connector,
        Self::Timer,
        Self::Operator,
    ];

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(self.as_str());
        }
        serializer.serialize_unit_variant("Role", *self as u32, self.as_str())
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let name = String::deserialize(deserializer)?;
            return Self::parse(&name).ok_or_else(|| de::Error::custom(format_args!("{name:?} is not a role")));
        }
        // As a unit variant is written: its position.
        let position = u32::deserialize(deserializer)?;
        let role = usize::try_from(position).ok().and_then(|position| Self::ALL.get(position).copied());
        role.ok_or_else(|| de::Error::custom(format_args!("there is no role {position}")))
    }
}

/// The caller of a command, as history keeps it. Carries no personal data: `subject` is an opaque id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// The caller's opaque id.
    pub subject: SmolStr,
    /// The part it plays.
    pub role: Role,
    /// The partner it belongs to; always there for a partner's role.
    pub partner: Option<PartnerId>,
}

impl Actor {
    /// Pactum itself, acting because a deadline fell due.
    #[must_use]
    pub fn timer() -> Self {
        Self { subject: SmolStr::new_static("timer"), role: Role::Timer, partner: None }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn roles_are_stored_by_position_and_shown_by_name() {
        for (position, role) in Role::ALL.into_iter().enumerate() {
            assert_eq!(role as usize, position, "ALL must list the roles in their order");
            let bytes = postcard::to_allocvec(&role).unwrap();
            assert_eq!(bytes, [u8::try_from(position).unwrap()]);
            assert_eq!(postcard::from_bytes::<Role>(&bytes).unwrap(), role);
            let json = serde_json::to_string(&role).unwrap();
            assert_eq!(json, format!("\"{role}\""));
            assert_eq!(serde_json::from_str::<Role>(&json).unwrap(), role);
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        let next = u8::try_from(Role::ALL.len()).unwrap();
        assert!(postcard::from_bytes::<Role>(&[next]).is_err(), "ALL must list every role");
        assert!(serde_json::from_str::<Role>(r#""ProgramAdmin""#).is_err());
        assert!(serde_json::from_str::<Role>("0").is_err());
        assert_eq!(Role::parse("root"), None);
    }

    #[test]
    fn partners_have_five_roles() {
        let partners: Vec<_> = Role::ALL.into_iter().filter(|role| role.is_partner()).map(Role::as_str).collect();
        assert_eq!(
            partners,
            ["partner-admin", "partner-sales", "partner-marketing", "partner-technical", "partner-finance"]
        );
        assert!(!Actor::timer().role.is_partner());
    }
}
