//! Who asks.

use pactum_ids::PartnerId;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// What a caller may do, by the part it plays in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
        }
    }

    /// Every role a caller can have.
    pub const ALL: [Self; 14] = [
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
    ];

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == name)
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
