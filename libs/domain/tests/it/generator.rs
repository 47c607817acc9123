//! Random commands to a small program: few partners, customers and deals, so that they meet all the time.

use pactum_domain::account::{AccountKey, Customer};
use pactum_domain::actor::{Actor, Role};
use pactum_domain::command::{
    Amendment, Command, DealCommand, Draft, HistoryTerms, OpportunityCommand, PartnerCommand, ProgramCommand,
    ProtectionChoice, Submission,
};
use pactum_domain::deal::Scope;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::*;

pub(crate) const PARTNERS: [&str; 3] = ["alpha", "beta", "gamma"];
const DEALS: [&str; 8] = ["d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7"];

/// One step of a random history.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Hours that go by before it.
    pub(crate) hours: i64,
    pub(crate) actor: Actor,
    /// Days before now that it happened, where the actor may say so.
    pub(crate) days_ago: i64,
    command: Command,
    /// Which of the deals that are there, where it is about one.
    pick: usize,
    /// Whether the timer runs before it.
    pub(crate) timer: bool,
}

impl Step {
    /// The command, about a deal that is there or that is new: one in eight registrations asks for an id that is taken, or
    /// for a draft. Partners mostly ask in their own name.
    pub(crate) fn command(&self, deals: usize) -> Command {
        let Command::Deal(_, command) = &self.command else { return self.command.clone() };
        let mut command = command.clone();
        let creates = matches!(command, DealCommand::Register(_) | DealCommand::Draft(_));
        let id = if deals == 0 || (creates && !self.pick.is_multiple_of(8)) { deals } else { self.pick % deals };
        if let (Some(own), false) = (&self.actor.partner, self.pick.is_multiple_of(9)) {
            match &mut command {
                DealCommand::Register(submission) | DealCommand::Resubmit(submission) => {
                    submission.partner = own.clone()
                }
                DealCommand::Draft(draft) => draft.partner = own.clone(),
                _ => {}
            }
        }
        deal(&format!("d{id}"), command)
    }
}

fn actors() -> impl Strategy<Value = Actor> {
    prop_oneof![
        4 => Just(admin()),
        1 => Just(vendor(Role::Connector)),
        1 => Just(vendor(Role::Reviewer)),
        3 => select(&PARTNERS[..]).prop_map(sales),
    ]
}

fn customers() -> impl Strategy<Value = Customer> {
    let key = select(vec![
        AccountKey::Duns("150483782".into()),
        AccountKey::CrmId("c-1".into()),
        AccountKey::Domain("initech.example".into()),
        AccountKey::Domain("globex.example".into()),
    ]);
    let size = prop_oneof![5 => Just(1usize), 1 => Just(2), 1 => Just(0)];
    let keys = size.prop_flat_map(move |size| prop::collection::btree_set(key.clone(), size)).prop_map(|keys| {
        let mut keys: Vec<AccountKey> = keys.into_iter().collect();
        keys.dedup_by_key(|key| std::mem::discriminant(key));
        keys
    });
    let name = select(vec!["", "Initech", "Initech GmbH", "Globex"]);
    let country = select(vec![None, Some("DE"), Some("US")]);
    (name, country, keys).prop_map(|(name, country, keys)| Customer {
        name: name.into(),
        country: country.map(Into::into),
        keys,
    })
}

fn scopes() -> impl Strategy<Value = Scope> {
    // Narrow ones mostly, so that several deals can hold protection on one account side by side.
    let some = || prop_oneof![6 => Just(1usize), 1 => Just(2), 1 => Just(0)];
    let products = some().prop_flat_map(|n| prop::collection::vec(select(vec!["core", "addon", "shield"]), n));
    let territories =
        some().prop_flat_map(|n| prop::collection::vec(select(vec!["DE", "DE-BY", "FR", "FR", "US", "US", "EMEA"]), n));
    (products, territories).prop_map(|(products, territories)| scope(&products, &territories))
}

fn submissions() -> impl Strategy<Value = Submission> {
    let partner = select(&PARTNERS[..]);
    let history = prop::option::weighted(0.3, (0..120u32).prop_map(|protection_days| HistoryTerms { protection_days }));
    let amount = prop::option::of(select(vec![0, 100_000, 100_001]).prop_map(usd));
    let previous = prop::option::weighted(0.1, select(&DEALS[..]).prop_map(deal_id));
    (partner, customers(), 0..1_000_000u32, scopes(), amount, previous, history).prop_map(
        |(partner, customer, account, scope, amount, previous_deal, history)| Submission {
            customer,
            scope,
            amount,
            previous_deal,
            history,
            ..submission(partner, &format!("a{account}"))
        },
    )
}

fn drafts() -> impl Strategy<Value = Draft> {
    (submissions(), any::<bool>()).prop_map(|(submission, known)| {
        let Submission { partner, title, customer, scope, amount, expected_close, stage, .. } = submission;
        let customer = known.then_some(customer);
        Draft { partner, title, customer, scope, amount, expected_close, stage, previous_deal: None }
    })
}

fn amendments() -> impl Strategy<Value = Amendment> {
    let customer =
        prop::option::weighted(0.3, (customers(), (0..1_000_000u32).prop_map(|n| account_id(&format!("b{n}")))));
    let title = prop::option::of(select(vec!["one", "two"]).prop_map(str::to_owned));
    (title, customer, prop::option::of(scopes()), any::<bool>()).prop_map(|(title, customer, scope, both)| Amendment {
        title,
        customer,
        products: scope.as_ref().filter(|_| both).map(|scope| scope.products.clone()),
        territories: scope.map(|scope| scope.territories),
        amount: None,
        expected_close: None,
    })
}

fn deal_commands() -> impl Strategy<Value = DealCommand> {
    let text = String::new;
    let protection = prop_oneof![
        2 => Just(ProtectionChoice::Policy),
        1 => (1..60u32).prop_map(ProtectionChoice::Days),
        1 => Just(ProtectionChoice::Without),
    ];
    let approve = protection.prop_map(|protection| DealCommand::Approve {
        protection,
        reason_code: "".into(),
        note: String::new(),
    });
    let reassign = select(&PARTNERS[..]).prop_map(|to| DealCommand::Reassign {
        to: partner_id(to),
        evidence: vec![1],
        reason_code: "".into(),
        note: String::new(),
    });
    let duplicate =
        select(&DEALS[..]).prop_map(|of| DealCommand::MarkDuplicate { of: deal_id(of), note: String::new() });
    let extend = (1..40u32).prop_map(|days| DealCommand::ExtendProtection {
        days,
        reason: "r".to_owned(),
        evidence: Vec::new(),
    });
    prop_oneof![
        8 => submissions().prop_map(DealCommand::Register),
        1 => drafts().prop_map(DealCommand::Draft),
        1 => (0..1_000_000u32).prop_map(|n| DealCommand::Submit { new_account: account_id(&format!("s{n}")) }),
        1 => submissions().prop_map(DealCommand::Resubmit),
        1 => Just(DealCommand::StartReview),
        1 => Just(DealCommand::RequestAction { message: "why?".to_owned() }),
        4 => approve,
        1 => Just(DealCommand::Reject { reason_code: "".into(), note: text() }),
        1 => duplicate,
        1 => extend,
        1 => Just(DealCommand::ExpireProtection),
        1 => Just(DealCommand::Withdraw { reason: text() }),
        1 => Just(DealCommand::Revoke { reason_code: "".into(), note: text() }),
        3 => reassign,
        1 => select(vec!["open", "proposal"]).prop_map(|stage| DealCommand::ChangeStage { stage: stage.into() }),
        8 => amendments().prop_map(DealCommand::Amend),
        2 => (0..3i64).prop_map(|minor| DealCommand::Win { amount: usd(minor), closed_on: None }),
        1 => Just(DealCommand::Lose { reason: text(), closed_on: None }),
        1 => Just(DealCommand::Reopen { reason: text() }),
    ]
}

fn other_commands() -> impl Strategy<Value = Command> {
    let import = select(vec!["crm", "erp"]).prop_map(import_id);
    let partners = prop_oneof![
        Just(PartnerCommand::Suspend { reason: String::new() }),
        Just(PartnerCommand::Reinstate { reason: String::new() }),
        Just(PartnerCommand::Update(pactum_domain::partner::ProfileUpdated {
            territories: Some(vec!["DE".into()]),
            ..Default::default()
        })),
    ];
    let opportunities = prop_oneof![
        2 => (customers(), 0..1_000_000u32, scopes()).prop_map(|(customer, n, scope)| OpportunityCommand::Open {
            customer,
            new_account: account_id(&format!("o{n}")),
            scope,
        }),
        1 => Just(OpportunityCommand::Close { reason: String::new() }),
    ];
    prop_oneof![
        1 => (select(&PARTNERS[..]), partners).prop_map(|(id, command)| partner(id, command)),
        2 => (select(vec!["o1", "o2"]), opportunities).prop_map(|(id, command)| opportunity(id, command)),
        1 => import.clone().prop_map(|import| {
            program(ProgramCommand::StartHistoryImport { import, source: String::new() })
        }),
        1 => import.prop_map(|import| program(ProgramCommand::CompleteHistoryImport { import })),
    ]
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let command = prop_oneof![
        9 => deal_commands().prop_map(|command| deal("any", command)),
        1 => other_commands(),
    ];
    let hours = prop_oneof![3 => 0..48i64, 1 => 0..2_400i64];
    let days_ago = prop_oneof![1 => Just(0), 1 => 0..300i64];
    let step = (hours, actors(), days_ago, command, any::<u16>(), any::<bool>()).prop_map(
        |(hours, actor, days_ago, command, pick, timer)| Step {
            hours,
            actor,
            days_ago,
            command,
            pick: pick.into(),
            timer,
        },
    );
    prop::collection::vec(step, 1..80)
}

/// The policy with each of its choices.
pub(crate) fn policies() -> impl Strategy<Value = String> {
    let on_conflict = select(vec!["review", "reject", "approve-unprotected"]);
    let on_lapse = select(vec!["keep", "expire"]);
    let approve = select(vec!["deal.amount_minor <= 100000", "true"]);
    (on_conflict, on_lapse, approve).prop_map(|(on_conflict, on_lapse, approve)| {
        POLICY
            .replace("on_conflict: review", &format!("on_conflict: {on_conflict}"))
            .replace("on_lapse: keep", &format!("on_lapse: {on_lapse}"))
            .replace("deal.amount_minor <= 100000", approve)
            .replace("existing_customer_conflicts: true", "existing_customer_conflicts: false")
    })
}
