//! Lists of deals and partners.

use pactum_domain::command::DealCommand;
use pactum_domain::money::{Currency, Money};
use pactum_domain::time::Date;
use pactum_ids::PartnerId;
use pactum_views::deals::{self, ListError, Query};
use pactum_views::page::InvalidToken;
use pactum_views::partners;
use proptest::prelude::*;

use crate::random::{history, play};
use crate::world::{World, partner, program, scope, usd};

fn query(own: Option<&str>, filter: &str, order: &str, size: usize, token: &str) -> Result<Query, ListError> {
    Query::new(program(), own.map(partner), filter, order, size, token)
}

/// All pages of a list, as ids; every page but the last is full.
fn all(world: &World, own: Option<&str>, filter: &str, order: &str, size: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let mut token = String::new();
    loop {
        let query = query(own, filter, order, size, &token).unwrap();
        let page = deals::list(&world.rows["deals"], &query, world.model.sequence()).unwrap();
        assert!(page.deals.len() <= size);
        ids.extend(page.deals.iter().map(|row| row.deal.id.to_string()));
        match page.next {
            Some(next) => token = next,
            None => return ids,
        }
    }
}

fn world() -> World {
    let mut world = World::new(2);
    for (id, of, domain, amount, close, product) in [
        ("d-1", "p-0", "alpha.com", Some(usd(300)), Some("2026-05-01"), "core"),
        ("d-2", "p-1", "beta.com", Some(usd(100)), None, "plus"),
        ("d-3", "p-0", "gamma.com", None, Some("2026-03-01"), "core"),
        (
            "d-4",
            "p-1",
            "delta.com",
            Some(Money { currency: Currency::parse("JPY").unwrap(), minor: 9_999 }),
            None,
            "core",
        ),
    ] {
        world.register(id, of, domain, |deal| {
            deal.amount = amount;
            deal.expected_close = close.map(|day| Date::parse(day).unwrap());
            deal.scope = scope(&[product], &["DE"]);
        });
    }
    world.deal("d-1", DealCommand::ChangeStage { stage: "proposal".into() });
    world
}

#[test]
fn deals_come_in_every_order_and_back() {
    let world = world();
    for (order, expected) in [
        ("", ["d-1", "d-2", "d-3", "d-4"]),
        ("sequence", ["d-1", "d-2", "d-3", "d-4"]),
        ("update_sequence", ["d-2", "d-3", "d-4", "d-1"]),
        ("close_date", ["d-3", "d-1", "d-2", "d-4"]),
        ("amount", ["d-4", "d-2", "d-1", "d-3"]),
    ] {
        for size in 1..6 {
            assert_eq!(all(&world, None, "", order, size), expected, "{order} by {size}");
            let mut reversed =
                all(&world, None, "", &format!("{} desc", if order.is_empty() { "sequence" } else { order }), size);
            reversed.reverse();
            assert_eq!(reversed, expected, "{order} desc by {size}");
        }
    }
}

#[test]
fn filters_see_the_deals_fields() {
    let world = world();
    for (filter, expected) in [
        ("deal.state == 'APPROVED'", vec!["d-1", "d-2", "d-3", "d-4"]),
        ("deal.partner == 'p-1'", vec!["d-2", "d-4"]),
        ("'core' in deal.scope.products && deal.amount.currency_code == 'USD'", vec!["d-1"]),
        ("deal.amount.minor > 100", vec!["d-1", "d-4"]),
        ("!has(deal.amount)", vec!["d-3"]),
        ("has(deal.close_date) && deal.close_date < '2026-04'", vec!["d-3"]),
        ("deal.stage == 'proposal'", vec!["d-1"]),
        ("deal.customer.domain == 'beta.com' || deal.title.startsWith('p-0 at g')", vec!["d-2", "d-3"]),
        ("deal.protection.state == 'HELD' && deal.protection.until > '2026-04-01'", vec!["d-1", "d-2", "d-3", "d-4"]),
        ("deal.historical || size(deal.conflicts) > 0", vec![]),
        ("deal.registered_sequence < 100 && deal.account != ''", vec!["d-1", "d-2", "d-3", "d-4"]),
    ] {
        for size in [1, 2, 10] {
            assert_eq!(all(&world, None, filter, "", size), expected, "{filter}");
        }
    }
    assert!(matches!(query(None, "deal.nothing == 1", "", 10, ""), Err(ListError::Filter(_))));
    assert!(matches!(query(None, "deal.title", "", 10, ""), Err(ListError::Filter(_))));
    assert!(matches!(query(None, "", "title", 10, ""), Err(ListError::Order(_))));
}

#[test]
fn a_partner_lists_its_own_whatever_it_filters() {
    let world = world();
    for order in ["sequence", "update_sequence", "close_date", "amount"] {
        let mut own = all(&world, Some("p-1"), "", order, 1);
        own.sort_unstable();
        assert_eq!(own, ["d-2", "d-4"], "{order}");
        assert!(all(&world, Some("p-1"), "deal.partner == 'p-0'", order, 10).is_empty());
    }
    assert!(all(&world, Some("p"), "", "sequence", 10).is_empty());
}

#[test]
fn a_token_belongs_to_its_list() {
    let world = world();
    let first = query(None, "", "amount", 2, "").unwrap();
    let page = deals::list(&world.rows["deals"], &first, 7).unwrap();
    let token = page.next.unwrap();
    assert_eq!(query(None, "", "amount", 50, &token).unwrap().min_sequence(), 7);
    for (own, filter, order) in
        [(None, "", "amount desc"), (None, "", "sequence"), (None, "true", "amount"), (Some("p-0"), "", "amount")]
    {
        let error = query(own, filter, order, 2, &token).map(|_| ()).unwrap_err();
        assert!(matches!(error, ListError::Token(InvalidToken::OtherQuery)), "{error}");
    }
}

#[test]
fn a_reassigned_deal_changes_lists() {
    let mut world = world();
    world.deal(
        "d-1",
        DealCommand::Reassign {
            to: partner("p-1"),
            evidence: vec![1],
            reason_code: "DISPUTE".into(),
            note: String::new(),
        },
    );
    assert_eq!(all(&world, Some("p-0"), "", "", 10), ["d-3"]);
    assert_eq!(all(&world, Some("p-1"), "", "", 10), ["d-1", "d-2", "d-4"]);
}

fn partner_pages(world: &World, own: Option<PartnerId>, filter: &str, order: &str, size: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let mut token = String::new();
    loop {
        let query = partners::Query::new(program(), own.clone(), filter, order, size, &token).unwrap();
        let page = partners::list(&world.rows["partners"], &query, 1).unwrap();
        ids.extend(page.partners.iter().map(|row| row.partner.id.to_string()));
        match page.next {
            Some(next) => token = next,
            None => return ids,
        }
    }
}

#[test]
fn partners_come_by_id_and_by_name() {
    let world = World::new(3);
    for size in 1..5 {
        assert_eq!(partner_pages(&world, None, "", "", size), ["p-0", "p-1", "p-2"]);
        assert_eq!(partner_pages(&world, None, "", "id desc", size), ["p-2", "p-1", "p-0"]);
        // Named `Partner 3`, `Partner 2`, `Partner 1`.
        assert_eq!(partner_pages(&world, None, "", "display_name", size), ["p-2", "p-1", "p-0"]);
    }
    let filter =
        "partner.tier == 'silver' && partner.state == 'ACTIVE' && 'US' in partner.territories && partner.id != 'p-1'";
    assert_eq!(partner_pages(&world, None, filter, "", 1), ["p-0", "p-2"]);
    assert_eq!(partner_pages(&world, Some(partner("p-1")), "", "", 1), ["p-1"]);
    assert!(partner_pages(&world, Some(partner("p-1")), "partner.id == 'p-0'", "", 1).is_empty());
    let error = partners::Query::new(program(), None, "", "tier", 1, "").map(|_| ()).unwrap_err();
    assert!(matches!(error, partners::ListError::Order(_)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Every order lists every deal once, whole or by partner, in whatever pages.
    #[test]
    fn no_order_loses_or_doubles_a_deal(history in history(), size in 1_usize..9) {
        let world = play(history);
        let mut expected: Vec<String> = world.model.deals().map(|deal| deal.id.to_string()).collect();
        expected.sort_unstable();
        for order in ["sequence", "update_sequence desc", "close_date", "amount desc"] {
            let mut found = all(&world, None, "", order, size);
            found.sort_unstable();
            prop_assert_eq!(&found, &expected, "{}", order);
            let mut by_partner: Vec<String> =
                (0..crate::random::PARTNERS).flat_map(|n| all(&world, Some(&format!("p-{n}")), "", order, size)).collect();
            by_partner.sort_unstable();
            prop_assert_eq!(&by_partner, &expected, "{} by partner", order);
        }
    }
}
