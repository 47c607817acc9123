//! Questions to the pipeline.

use pactum_domain::command::{Command, DealCommand, PartnerCommand, ProgramCommand};
use pactum_domain::deal::DealState;
use pactum_domain::money::{Currency, Money};
use pactum_domain::partner::ProfileUpdated;
use pactum_domain::time::{Date, Month};
use pactum_views::pipeline::{Answer, Dimension, Figures, Filter, query};
use smol_str::SmolStr;

use crate::world::{POLICY, World, partner, program, scope, usd, win};

fn ask(world: &World, filter: &Filter, group_by: &[Dimension]) -> Answer {
    query(&world.rows["pipeline"], &program(), None, filter, group_by).unwrap()
}

fn open() -> Filter {
    Filter { states: vec![DealState::Approved], ..Filter::default() }
}

fn sums(figures: &Figures, code: &str) -> (u64, i64, i64) {
    let code = Currency::parse(code).unwrap();
    let (_, sums) = figures.amounts.iter().find(|(currency, _)| *currency == code).unwrap();
    (sums.deals, sums.minor, sums.weighted_minor)
}

fn day(text: &str) -> Option<Date> {
    Some(Date::parse(text).unwrap())
}

/// Five deals of two partners: three open, one won, one lost.
fn world() -> World {
    let mut world = World::new(2);
    world.register("d-1", "p-0", "alpha.com", |deal| {
        deal.amount = Some(usd(1_001));
        deal.scope = scope(&["core"], &["DE"]);
        deal.expected_close = day("2026-03-15");
    });
    world.register("d-2", "p-0", "beta.com", |deal| {
        deal.amount = Some(usd(500));
        deal.scope = scope(&["core", "plus"], &["DE", "FR"]);
        deal.stage = Some("proposal".into());
        deal.expected_close = day("2026-04-01");
    });
    world.register("d-3", "p-1", "gamma.com", |deal| {
        deal.amount = Some(Money { currency: Currency::parse("JPY").unwrap(), minor: 7 });
        deal.stage = Some("proposal".into());
    });
    world.register("d-4", "p-1", "delta.com", |deal| deal.amount = Some(usd(900)));
    world.deal("d-4", win(1_050, "2026-01-04"));
    world.register("d-5", "p-1", "epsilon.com", |deal| deal.amount = Some(usd(300)));
    world.deal("d-5", DealCommand::Lose { reason: "price".into(), closed_on: day("2026-01-05") });
    world
}

#[test]
fn pipeline_is_what_is_open_and_approved() {
    let world = world();
    let answer = ask(&world, &open(), &[]);
    assert_eq!(answer.totals.deals, 3);
    // 1001 × 25 % + 500 × 50 % = 500.25; 7 × 50 % = 3.5, to the even 4.
    assert_eq!(sums(&answer.totals, "USD"), (2, 1_501, 500));
    assert_eq!(sums(&answer.totals, "JPY"), (1, 7, 4));
    assert_eq!((answer.groups.len(), answer.policy_version), (0, 1));
}

#[test]
fn closed_deals_weigh_all_or_nothing() {
    let world = world();
    let by_state = ask(&world, &Filter::default(), &[Dimension::State]);
    let found: Vec<_> = by_state.groups.iter().map(|group| (group.key.state.unwrap(), group.figures.deals)).collect();
    assert_eq!(found, [(DealState::Approved, 3), (DealState::Won, 1), (DealState::Lost, 1)]);
    assert_eq!(sums(&by_state.groups[1].figures, "USD"), (1, 1_050, 1_050));
    assert_eq!(sums(&by_state.groups[2].figures, "USD"), (1, 300, 0));
    assert_eq!(by_state.totals.deals, 5);
}

#[test]
fn groups_never_count_a_deal_twice() {
    let world = world();
    let by_product = ask(&world, &open(), &[Dimension::Product]);
    let found: Vec<(Vec<String>, u64)> = by_product
        .groups
        .iter()
        .map(|group| {
            let products = group.key.products.as_ref().unwrap();
            (products.iter().map(ToString::to_string).collect(), group.figures.deals)
        })
        .collect();
    let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(found, [(texts(&[]), 1), (texts(&["core"]), 1), (texts(&["core", "plus"]), 1)]);
    assert_eq!(found.iter().map(|(_, deals)| deals).sum::<u64>(), by_product.totals.deals);
}

#[test]
fn a_deal_that_names_no_territory_counts_where_its_partner_sells() {
    let world = world();
    let by_territory = ask(&world, &open(), &[Dimension::Territory]);
    let found: Vec<Vec<String>> = by_territory
        .groups
        .iter()
        .map(|group| group.key.territories.as_ref().unwrap().iter().map(ToString::to_string).collect())
        .collect();
    assert!(found.iter().all(|territories| !territories.is_empty()), "{found:?}");
    assert_eq!(by_territory.groups.iter().map(|group| group.figures.deals).sum::<u64>(), by_territory.totals.deals);
}

#[test]
fn filters_find_a_deal_by_any_of_its_values() {
    let world = world();
    let texts = |texts: &[&str]| texts.iter().map(SmolStr::new).collect::<Vec<_>>();
    let month = |text: &str| Some(Month::parse(text).unwrap());
    let dollars = Some(Currency::parse("USD").unwrap());
    for (filter, expected) in [
        (Filter { products: texts(&["core"]), ..open() }, 2),
        (Filter { products: texts(&["plus"]), ..open() }, 1),
        (Filter { products: texts(&["shield"]), ..open() }, 0),
        (Filter { products: texts(&[""]), ..open() }, 1),
        // d-3 names no territory, and its partner holds one of these.
        (Filter { territories: texts(&["FR", "US"]), ..open() }, 2),
        (Filter { territories: texts(&["JP"]), ..open() }, 0),
        (Filter { stages: texts(&["proposal"]), ..open() }, 2),
        (Filter { partners: vec![partner("p-0")], ..open() }, 2),
        (Filter { partners: vec![partner("p-0"), partner("p-1")], ..open() }, 3),
        (Filter { month_from: month("2026-04"), ..open() }, 1),
        (Filter { month_to: month("2026-03"), ..open() }, 1),
        (Filter { month_from: month("2026-03"), month_to: month("2026-04"), ..open() }, 2),
        (Filter { currencies: vec![dollars], ..open() }, 2),
        (Filter { currencies: vec![None], ..open() }, 0),
        (Filter { conflicted: Some(true), ..open() }, 0),
        (Filter { conflicted: Some(false), ..open() }, 3),
        (Filter { tiers: texts(&["silver"]), ..open() }, 3),
        (Filter { tiers: texts(&["gold", ""]), ..open() }, 0),
        (Filter { products: texts(&["core"]), stages: texts(&["proposal"]), ..open() }, 1),
    ] {
        assert_eq!(ask(&world, &filter, &[]).totals.deals, expected, "{filter:?}");
    }
}

#[test]
fn tiers_and_probabilities_are_those_of_now() {
    let mut world = world();
    let update = ProfileUpdated { tier: Some("gold".into()), ..ProfileUpdated::default() };
    world.must(Command::Partner(partner("p-0"), PartnerCommand::Update(update)));
    let by_tier = ask(&world, &open(), &[Dimension::Tier]);
    let found: Vec<_> =
        by_tier.groups.iter().map(|group| (group.key.tier.clone().unwrap(), group.figures.deals)).collect();
    assert_eq!(found, [(SmolStr::new("gold"), 2), (SmolStr::new("silver"), 1)]);

    let document = POLICY.replace("probability: 50", "probability: 80");
    world.must(Command::Program(ProgramCommand::PublishPolicy { document, effective_from: None }));
    let answer = ask(&world, &open(), &[]);
    assert_eq!(answer.policy_version, 2);
    // 1001 × 25 % + 500 × 80 % = 650.25.
    assert_eq!(sums(&answer.totals, "USD"), (2, 1_501, 650));
}

#[test]
fn a_policy_weighs_from_its_day_on() {
    let mut world = world();
    let document = POLICY.replace("probability: 50", "probability: 80");
    let effective_from = Some(world.now.plus_days(10));
    world.must(Command::Program(ProgramCommand::PublishPolicy { document, effective_from }));
    assert_eq!(ask(&world, &open(), &[]).policy_version, 1);
    world.days(11);
    world.deal("d-1", DealCommand::ChangeStage { stage: "proposal".into() });
    assert_eq!(ask(&world, &open(), &[]).policy_version, 2);
}

#[test]
fn conflicts_are_counted_where_they_were_found() {
    let mut world = world();
    world.register("d-6", "p-1", "alpha.com", |deal| deal.scope = scope(&["core"], &["DE"]));
    let by_partner = ask(&world, &Filter::default(), &[Dimension::Partner]);
    let found: Vec<_> = by_partner
        .groups
        .iter()
        .map(|group| (group.key.partner.clone().unwrap(), group.figures.deals, group.figures.conflicted))
        .collect();
    assert_eq!(found, [(partner("p-0"), 2, 0), (partner("p-1"), 4, 1)]);
    let only = Filter { conflicted: Some(true), ..Filter::default() };
    assert_eq!(ask(&world, &only, &[Dimension::Conflict]).groups[0].figures.deals, 1);
}

#[test]
fn a_partner_sees_its_own_deals() {
    let world = world();
    let rows = &world.rows["pipeline"];
    let own = query(rows, &program(), Some(&partner("p-1")), &Filter::default(), &[Dimension::Partner]).unwrap();
    assert_eq!(own.totals.deals, 3);
    assert_eq!(own.groups.len(), 1);
    let others = Filter { partners: vec![partner("p-0")], ..Filter::default() };
    assert_eq!(query(rows, &program(), Some(&partner("p-1")), &others, &[]).unwrap().totals.deals, 0);
    // `p-1` must not see `p-10`.
    assert_eq!(query(rows, &program(), Some(&partner("p")), &Filter::default(), &[]).unwrap().totals.deals, 0);
}
