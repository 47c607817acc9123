//! Random histories: many commands on few things, so that they meet.

use pactum_domain::command::{
    Amendment, Command, DealCommand, Draft, OpportunityCommand, PartnerCommand, ProgramCommand, ProtectionChoice,
};
use pactum_domain::deal::Scope;
use pactum_domain::money::{Currency, Money};
use pactum_domain::partner::ProfileUpdated;
use pactum_domain::time::Date;
use pactum_ids::{AccountId, OpportunityId, ProductId};
use proptest::prelude::*;
use proptest::sample::select;
use smol_str::SmolStr;

use crate::world::{POLICY, World, customer, deal, partner, submission};

pub(crate) const PARTNERS: usize = 3;
const DEALS: usize = 8;

/// Something that may happen; the domain refuses what may not.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    Days(i64),
    Command(Box<Command>),
}

pub(crate) fn history() -> impl Strategy<Value = Vec<Happening>> {
    prop::collection::vec(happening(), 0..80)
}

/// Plays a history; what is refused leaves nothing.
pub(crate) fn play(history: Vec<Happening>) -> World {
    let mut world = World::new(PARTNERS);
    for happening in history {
        match happening {
            Happening::Days(days) => world.days(days),
            Happening::Command(command) => drop(world.by(&crate::world::vendor(), &command)),
        }
    }
    world
}

fn happening() -> impl Strategy<Value = Happening> {
    let command = |command| Happening::Command(Box::new(command));
    prop_oneof![
        2 => (1_i64..70).prop_map(Happening::Days),
        12 => (0..DEALS, of_deal()).prop_map(move |(id, of)| command(Command::Deal(deal(&format!("d-{id}")), of))),
        2 => of_partner().prop_map(command),
        1 => of_program().prop_map(command),
        1 => of_opportunity().prop_map(command),
    ]
}

fn partner_id() -> impl Strategy<Value = pactum_ids::PartnerId> {
    (0..PARTNERS).prop_map(|n| partner(&format!("p-{n}")))
}

fn domain() -> impl Strategy<Value = &'static str> {
    select(vec!["alpha.com", "beta.com", "gamma.com"])
}

fn scope() -> impl Strategy<Value = Scope> {
    let products = prop::sample::subsequence(vec!["core", "plus", "shield"], 0..3);
    let territories = prop::sample::subsequence(vec!["DE", "FR", "US"], 0..3);
    (products, territories).prop_map(|(products, territories)| Scope {
        products: products.into_iter().map(|product| ProductId::new(product).unwrap()).collect(),
        territories: territories.into_iter().map(SmolStr::new).collect(),
    })
}

fn amount() -> impl Strategy<Value = Option<Money>> {
    let currency = select(vec!["USD", "JPY"]).prop_map(|code| Currency::parse(code).unwrap());
    prop::option::of((currency, 0_i64..100_000).prop_map(|(currency, minor)| Money { currency, minor }))
}

fn date() -> impl Strategy<Value = Option<Date>> {
    prop::option::of((1_u32..13).prop_map(|month| Date::from_ymd(2026, month, 15).unwrap()))
}

fn stage() -> impl Strategy<Value = Option<SmolStr>> {
    prop::option::of(select(vec!["qualified", "proposal"]).prop_map(SmolStr::new))
}

fn register() -> impl Strategy<Value = pactum_domain::command::Submission> {
    (partner_id(), domain(), scope(), amount(), date(), stage()).prop_map(
        |(of, domain, scope, amount, expected_close, stage)| {
            let base = submission(of.as_str(), domain);
            pactum_domain::command::Submission { scope, amount, expected_close, stage, ..base }
        },
    )
}

fn of_deal() -> impl Strategy<Value = DealCommand> {
    let reason = || "because".to_owned();
    let code = || SmolStr::new("BECAUSE");
    let protection = select(vec![ProtectionChoice::Policy, ProtectionChoice::Days(20), ProtectionChoice::Without]);
    prop_oneof![
        6 => register().prop_map(DealCommand::Register),
        1 => (register(), any::<bool>()).prop_map(|(of, told)| DealCommand::Draft(Draft {
            partner: of.partner,
            title: of.title,
            customer: told.then_some(of.customer),
            scope: of.scope,
            amount: of.amount,
            expected_close: of.expected_close,
            stage: of.stage,
            previous_deal: None,
        })),
        1 => Just(DealCommand::Submit { new_account: AccountId::new("a-drafted").unwrap() }),
        1 => Just(DealCommand::StartReview),
        2 => Just(DealCommand::RequestAction { message: reason() }),
        3 => register().prop_map(DealCommand::Resubmit),
        3 => protection.prop_map(move |protection| DealCommand::Approve {
            protection, reason_code: code(), note: reason(),
        }),
        1 => Just(DealCommand::Reject { reason_code: code(), note: reason() }),
        1 => (0..DEALS).prop_map(move |of| DealCommand::MarkDuplicate { of: deal(&format!("d-{of}")), note: reason() }),
        1 => (1_u32..60).prop_map(move |days| DealCommand::ExtendProtection {
            days, reason: reason(), evidence: vec![1],
        }),
        1 => Just(DealCommand::Withdraw { reason: reason() }),
        1 => Just(DealCommand::Revoke { reason_code: code(), note: reason() }),
        2 => partner_id().prop_map(move |to| DealCommand::Reassign {
            to, evidence: vec![1], reason_code: code(), note: reason(),
        }),
        2 => select(vec!["qualified", "proposal"]).prop_map(|stage| DealCommand::ChangeStage { stage: stage.into() }),
        3 => amendment().prop_map(DealCommand::Amend),
        2 => (amount(), any::<bool>()).prop_map(|(amount, before)| {
            let closed_on = before.then(|| Date::from_ymd(2025, 12, 20).unwrap());
            match amount {
                Some(amount) => DealCommand::Win { amount, closed_on },
                None => DealCommand::Lose { reason: "price".into(), closed_on },
            }
        }),
        1 => Just(DealCommand::Reopen { reason: reason() }),
    ]
}

fn amendment() -> impl Strategy<Value = Amendment> {
    let customer =
        prop::option::of(domain().prop_map(|to| (customer(to), AccountId::new(format!("a-moved-{to}")).unwrap())));
    let which = prop::option::of(scope());
    (customer, which, prop::option::of(amount()), prop::option::of(date())).prop_map(
        |(customer, scope, amount, expected_close)| Amendment {
            title: Some("amended".into()),
            customer,
            products: scope.as_ref().map(|scope| scope.products.clone()),
            territories: scope.map(|scope| scope.territories),
            amount,
            expected_close,
        },
    )
}

fn of_partner() -> impl Strategy<Value = Command> {
    let reason = || "because".to_owned();
    let tier = select(vec!["silver", "gold"]);
    let command = prop_oneof![
        3 => tier.prop_map(|tier| PartnerCommand::Update(ProfileUpdated {
            tier: Some(tier.into()),
            display_name: Some(format!("Now {tier}")),
            ..ProfileUpdated::default()
        })),
        1 => Just(PartnerCommand::Suspend { reason: reason() }),
        2 => Just(PartnerCommand::Reinstate { reason: reason() }),
        1 => Just(PartnerCommand::AssignManager { manager: "m-1".into() }),
    ];
    (partner_id(), command).prop_map(|(id, command)| Command::Partner(id, command))
}

fn of_program() -> impl Strategy<Value = Command> {
    (0_u8..100).prop_map(|percent| {
        let document = POLICY.replace("probability: 50", &format!("probability: {percent}"));
        Command::Program(ProgramCommand::PublishPolicy { document, effective_from: None })
    })
}

fn of_opportunity() -> impl Strategy<Value = Command> {
    let id = || OpportunityId::new("o-1").unwrap();
    prop_oneof![
        (domain(), scope()).prop_map(move |(at, scope)| Command::Opportunity(
            id(),
            OpportunityCommand::Open { customer: customer(at), new_account: AccountId::new("a-o").unwrap(), scope }
        )),
        Just(Command::Opportunity(id(), OpportunityCommand::Close { reason: "won".into() })),
    ]
}
