#![expect(clippy::unwrap_used, reason = "tests")]
use pactum_ids::ProductId;
use proptest::prelude::*;
use smol_str::SmolStr;

use super::*;
use crate::account::{AccountKey, Customer};
use crate::money::{Currency, Money};
use crate::policy::{ApprovalInput, Policy};

/// A policy of one tier, `silver`, without an expression.
const LEAST: &str = "\
tiers: [{ id: silver }]
stages: [{ id: open, probability: 10 }]
deal_registration:
  protection_days: 90
";

fn with_expression(expression: &str) -> String {
    format!("{LEAST}  auto_approve: {}\n", serde_json::to_string(expression).unwrap())
}

fn id(text: &str) -> ProductId {
    ProductId::new(text).unwrap()
}

fn registration(customer: &Customer) -> ApprovalInput<'_> {
    ApprovalInput {
        amount: Some(Money::new(Currency::parse("USD").unwrap(), 5_000_000)),
        products: &[],
        territories: &[],
        stage: "prospecting",
        previous_deal: false,
        partner_tier: "silver",
        partner_type: "reseller",
        partner_country: None,
        partner_territories: &[],
        partner_specialisations: &[],
        customer,
    }
}

#[test]
fn the_example_approves_small_deals_of_known_partners() {
    let policy = Policy::example();
    let customer = Customer::default();
    let input = registration(&customer);
    let usd = |minor| Some(Money::new(Currency::parse("USD").unwrap(), minor));
    assert_eq!(policy.auto_approves(&input), Ok(true));
    assert_eq!(policy.auto_approves(&ApprovalInput { amount: usd(5_000_001), ..input }), Ok(false));
    assert_eq!(policy.auto_approves(&ApprovalInput { partner_tier: "registered", ..input }), Ok(false));
    assert_eq!(policy.auto_approves(&ApprovalInput { partner_tier: "unheard of", ..input }), Ok(false));
    assert_eq!(policy.auto_approves(&ApprovalInput { previous_deal: true, ..input }), Ok(false));
    assert_eq!(policy.auto_approves(&ApprovalInput { amount: None, ..input }), Ok(false));
    assert_eq!(Policy::parse(LEAST).unwrap().auto_approves(&input), Ok(false));
}

#[test]
fn expressions_see_the_registration() {
    let products = [id("core"), id("suite")];
    let held = [SmolStr::new("DE"), SmolStr::new("FR")];
    let customer = Customer {
        name: "Muster GmbH".into(),
        country: Some("DE".into()),
        keys: vec![AccountKey::Duns("150483782".into()), AccountKey::Domain("muster.de".into())],
    };
    let input = ApprovalInput {
        products: &products,
        territories: &held[..1],
        partner_country: Some("DE"),
        partner_territories: &held,
        partner_specialisations: &held[..0],
        ..registration(&customer)
    };
    let rows = [
        ("deal.amount_minor == 5000000 && deal.currency == 'USD'", Ok(true)),
        ("deal.amount_minor / 100 > 49999", Ok(true)),
        ("size(deal.products) == 2 && deal.products[0] == 'core'", Ok(true)),
        ("'suite' in deal.products", Ok(true)),
        ("deal.products.exists(p, p == 'suite')", Ok(true)),
        ("deal.products.all(p, p in ['core', 'suite'])", Ok(true)),
        ("deal.products.all(p, p in partner.specialisations)", Ok(false)),
        ("deal.territories.all(t, partner.territories.exists(held, held == t))", Ok(true)),
        ("size(deal.products.filter(p, p.startsWith('c'))) == 1", Ok(true)),
        ("[1, 2, 3].exists_one(n, n == partner.tier_rank)", Ok(false)),
        ("partner.tier == 'silver' && partner.tier_rank == 0", Ok(true)),
        ("partner.type in ['reseller', 'distributor'] ? true : false", Ok(true)),
        ("partner.country == customer.country", Ok(true)),
        ("deal.stage == 'prospecting' && !previous_deal", Ok(true)),
        ("customer.name.contains('GmbH') && customer.name.endsWith('H')", Ok(true)),
        ("customer.has_duns && customer.has_domain && !customer.has_lei && !customer.has_crm_id", Ok(true)),
        ("size(deal.products) == -1 || -(1) == -1", Ok(true)),
        // What gives no answer approves nothing, and says why.
        ("deal.products[5] == 'core' || deal.amount_minor % (size(deal.products) - 2) == 0", Err("")),
    ];
    for (expression, expected) in rows {
        let policy = Policy::parse(&with_expression(expression));
        let given = match policy {
            Ok(policy) => policy.auto_approves(&input).map_err(|reason| !reason.is_empty()),
            Err(error) => panic!("{expression}: {error}"),
        };
        assert_eq!(given, expected.map_err(|_: &str| true), "{expression}");
    }
    let absent = ApprovalInput { amount: None, ..input };
    let policy = Policy::parse(&with_expression("deal.amount_minor < 5")).unwrap();
    assert!(policy.auto_approves(&absent).unwrap_err().contains("no matching overload"));
    let policy = Policy::parse(&with_expression("deal.amount_minor == null || deal.amount_minor < 5")).unwrap();
    assert_eq!(policy.auto_approves(&absent), Ok(true));
}

/// One row per way in which an expression is refused.
#[test]
fn expressions_that_are_refused() {
    let all = |inner: &str| format!("deal.products.all(a, {inner})");
    let rows = [
        ("partner.level == 1".to_owned(), "there is no partner.level; known are deal.amount_minor,"),
        ("deal.amount < 5".to_owned(), "deal.amount_minor, in minor units"),
        ("deal == null".to_owned(), "there is no deal;"),
        ("partner.tier.rank == 1".to_owned(), "there is no partner.tier.rank"),
        ("has(deal.amount_minor)".to_owned(), "null"),
        ("partner.tier".to_owned(), "gives string, not bool"),
        ("1".to_owned(), "gives int, not bool"),
        ("previous_deal && partner.tier".to_owned(), "gives string, not bool"),
        ("previous_deal || partner.tier < 3".to_owned(), "no matching overload"),
        ("previous_deal && deal.amount_minor <= '5'".to_owned(), "no matching overload"),
        ("previous_deal ? partner.tier : 'x'".to_owned(), "gives string, not bool"),
        ("partner.tier ? true : false".to_owned(), "gives string, not bool"),
        ("matches(partner.tier, '(a+)+')".to_owned(), "cannot be called"),
        ("partner.tier.matches('(a+)+')".to_owned(), "cannot be called"),
        ("now() > 1".to_owned(), "now cannot be called"),
        ("{'a': true}['a']".to_owned(), "cannot be made"),
        ("Policy{a: 1}.a == 1".to_owned(), "only names have fields"),
        (all("a.b == 1"), "a has no fields"),
        ("partner.tier.exists(t, true)".to_owned(), "tier is not a list"),
        ("previous_deal.exists(t, true)".to_owned(), "previous_deal is not a list"),
        (all("a.exists(b, true)"), "a is not a list"),
        ("deal.products.map(p, p).exists(p, true)".to_owned(), "not over a result"),
        (all("deal.products.all(b, deal.products.all(c, a == b))"), "nest fewer loops"),
        ("&& true".to_owned(), "not a CEL expression"),
        (String::new(), "not a CEL expression"),
        ("true true".to_owned(), "not a CEL expression"),
        (format!("true{}", " ".repeat(2_000)), "2004 bytes"),
        (format!("{}true{}", "(".repeat(25), ")".repeat(25)), "nested more than 24"),
        (format!("{}true", "true ? false : ".repeat(25)), "nested more than 24"),
    ];
    for (source, problem) in rows {
        let error = Expression::compile(&source).map(|_| ()).unwrap_err();
        assert!(error.contains(problem), "{source:?}: {error}");
    }
}

#[test]
fn no_expression_takes_the_process_down() {
    for part in [
        "(",
        "[",
        "{",
        "!",
        "-",
        "a.",
        "a[",
        "true?",
        "true?true:",
        "a(",
        "1+",
        "a.b(",
        "[1].all(a,",
        "\"",
        "'''",
        "a&&",
        "-!",
    ] {
        let source = part.repeat(2_000 / part.len());
        assert!(Expression::compile(&source).is_err(), "{part}");
        assert!(Expression::compile(&(source + "1")).is_err(), "{part}1");
    }
}

proptest! {
    #[test]
    fn no_expression_panics(
        text in ".{0,80}",
        words in prop::collection::vec(
            prop::sample::select(vec![
                "deal.products", "partner.tier", "previous_deal", "deal.amount_minor", "(", ")", "[", "]", "{", "}", ".", ",",
                "&&", "||", "!", "?", ":", "==", "<", "+", "-", "*", "/", "%", "in", "1", "0", "'x'", "null", "true", "9e99",
                "all", "exists", "map", "filter", "size", "a", "b", "r'", "0x", "9223372036854775807",
            ]),
            0..24,
        ),
    ) {
        let customer = Customer::default();
        for source in [text, words.join(" "), words.concat()] {
            if let Ok(expression) = Expression::compile(&source) {
                let input = registration(&customer);
                let _ = expression.holds(&Variables { input: &input, rank: 1 });
            }
        }
    }
}
