//! What callers ask for. Ids of new things are minted at the edge and come in with the command.

use pactum_ids::{AccountId, DealId, ImportId, OpportunityId, PartnerId, ProductId};
use smol_str::SmolStr;

use crate::account::Customer;
use crate::actor::Actor;
use crate::deal::Scope;
use crate::money::{Currency, Money};
use crate::partner;
use crate::time::{Date, Timestamp};

/// What a command is decided with, besides the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Who asks.
    pub actor: Actor,
    /// When the log will take it.
    pub recorded_at: Timestamp,
    /// When it happened in the world; `recorded_at` where the caller gave nothing.
    pub occurred_at: Timestamp,
    /// The version of the aggregate that the caller has seen; `None` where it does not care.
    pub expected_version: Option<u64>,
}

/// One command to one program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// To the program itself.
    Program(ProgramCommand),
    /// To a partner.
    Partner(PartnerId, PartnerCommand),
    /// To a deal.
    Deal(DealId, DealCommand),
    /// To a vendor's opportunity.
    Opportunity(OpportunityId, OpportunityCommand),
}

/// Commands to a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramCommand {
    /// Open it. The policy may come with it.
    Create {
        /// The name shown.
        display_name: String,
        /// The currency its figures are reported in.
        currency: Currency,
        /// A first policy, in YAML.
        policy: Option<String>,
    },
    /// Publish a policy, whole.
    PublishPolicy {
        /// The YAML document.
        document: String,
        /// From when on it holds; at once where `None`. Never before the policy in force.
        effective_from: Option<Timestamp>,
    },
    /// Begin to bring another system's history in.
    StartHistoryImport {
        /// Which import.
        import: ImportId,
        /// Where it comes from.
        source: String,
    },
    /// All of it is in.
    CompleteHistoryImport {
        /// Which import.
        import: ImportId,
    },
    /// End it.
    Archive {
        /// Why.
        reason: String,
    },
}

/// Commands to a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartnerCommand {
    /// Ask to join.
    Apply(partner::Profile),
    /// Accept.
    Approve {
        /// The reviewer's words.
        note: String,
    },
    /// Refuse.
    Reject {
        /// Why.
        reason: String,
    },
    /// Take into the program.
    Enroll(partner::Enrolled),
    /// Change fields.
    Update(partner::ProfileUpdated),
    /// Ready to sell.
    Activate,
    /// Stop for now.
    Suspend {
        /// Why.
        reason: String,
    },
    /// End a suspension.
    Reinstate {
        /// Why.
        reason: String,
    },
    /// End the contract.
    Terminate {
        /// Why.
        reason: String,
    },
    /// Say who of the vendor looks after it.
    AssignManager {
        /// The manager's opaque id or handle.
        manager: SmolStr,
    },
}

/// What a registration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Whose it is.
    pub partner: PartnerId,
    /// A line a person recognises it by.
    pub title: String,
    /// The end customer.
    pub customer: Customer,
    /// The id the account gets if it is a new one.
    pub new_account: AccountId,
    /// What it covers.
    pub scope: Scope,
    /// The amount expected.
    pub amount: Option<Money>,
    /// The day the customer is expected to decide.
    pub expected_close: Option<Date>,
    /// The policy's stage it is in; the policy's first where `None`.
    pub stage: Option<SmolStr>,
    /// The deal this one is a new attempt of.
    pub previous_deal: Option<DealId>,
    /// There for history brought in from another system: it is approved as it was, and its windows run on `occurred_at`.
    pub history: Option<HistoryTerms>,
}

/// The terms under which a historical registration is taken. Only a program admin or a connector may give them, and only
/// while an import is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryTerms {
    /// Days of protection from `occurred_at`, where nobody held the scope.
    pub protection_days: u32,
}

/// What a draft says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Whose it is.
    pub partner: PartnerId,
    /// A line a person recognises it by.
    pub title: String,
    /// The end customer, where known.
    pub customer: Option<Customer>,
    /// What it covers.
    pub scope: Scope,
    /// The amount expected.
    pub amount: Option<Money>,
    /// The day the customer is expected to decide.
    pub expected_close: Option<Date>,
    /// The policy's stage it is in.
    pub stage: Option<SmolStr>,
    /// The deal this one is a new attempt of.
    pub previous_deal: Option<DealId>,
}

/// Changes to a deal's fields; `None` where a field stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Amendment {
    /// Another title.
    pub title: Option<String>,
    /// Another description of the customer; with the id of the account if it turns out to be a new one.
    pub customer: Option<(Customer, AccountId)>,
    /// Other products.
    pub products: Option<Vec<ProductId>>,
    /// Other territories.
    pub territories: Option<Vec<SmolStr>>,
    /// Another amount; `Some(None)` clears it.
    pub amount: Option<Option<Money>>,
    /// Another expected day; `Some(None)` clears it.
    pub expected_close: Option<Option<Date>>,
}

/// How an approval sets protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtectionChoice {
    /// As the policy says; refused where another partner holds the scope.
    Policy,
    /// A window of so many days instead of the policy's.
    Days(u32),
    /// Approved without protection.
    Without,
}

/// Commands to a deal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DealCommand {
    /// Write it down.
    Draft(Draft),
    /// Register: a new deal, or one that is a draft.
    Register(Submission),
    /// Register a draft as it stands.
    Submit {
        /// The id the account gets if it is a new one.
        new_account: AccountId,
    },
    /// Take it into review.
    StartReview,
    /// Ask the partner for something.
    RequestAction {
        /// What.
        message: String,
    },
    /// Answer such a request, with the registration as it is now.
    Resubmit(Submission),
    /// Approve.
    Approve {
        /// With what protection.
        protection: ProtectionChoice,
        /// A reason code; `REVIEWED` where empty.
        reason_code: SmolStr,
        /// The reviewer's words.
        note: String,
    },
    /// Refuse.
    Reject {
        /// A reason code.
        reason_code: SmolStr,
        /// The reviewer's words.
        note: String,
    },
    /// Say it is the same business as another deal.
    MarkDuplicate {
        /// The deal that stays.
        of: DealId,
        /// The reviewer's words.
        note: String,
    },
    /// Prolong protection.
    ExtendProtection {
        /// By how many days.
        days: u32,
        /// Why.
        reason: String,
        /// Sequences that support it.
        evidence: Vec<u64>,
    },
    /// A window has run out: by the timer.
    ExpireProtection,
    /// Take it back.
    Withdraw {
        /// Why.
        reason: String,
    },
    /// Take the approval back.
    Revoke {
        /// A reason code.
        reason_code: SmolStr,
        /// The words for it.
        note: String,
    },
    /// Give it to another partner.
    Reassign {
        /// To whom.
        to: PartnerId,
        /// Sequences that the decision rests on.
        evidence: Vec<u64>,
        /// A reason code.
        reason_code: SmolStr,
        /// The words for it.
        note: String,
    },
    /// Move it to another stage.
    ChangeStage {
        /// The stage of the policy.
        stage: SmolStr,
    },
    /// Change fields.
    Amend(Amendment),
    /// The customer bought.
    Win {
        /// For how much.
        amount: Money,
        /// On which day; today where `None`.
        closed_on: Option<Date>,
    },
    /// The customer did not buy.
    Lose {
        /// Why.
        reason: String,
        /// On which day; today where `None`.
        closed_on: Option<Date>,
    },
    /// Open it again.
    Reopen {
        /// Why.
        reason: String,
    },
}

/// Commands to a vendor's opportunity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpportunityCommand {
    /// The vendor works the account itself.
    Open {
        /// The customer as the CRM has it.
        customer: Customer,
        /// The id the account gets if it is a new one.
        new_account: AccountId,
        /// What it covers.
        scope: Scope,
    },
    /// It no longer does.
    Close {
        /// How it ended.
        reason: String,
    },
}
