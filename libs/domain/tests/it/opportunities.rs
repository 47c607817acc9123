//! The vendor's opportunities.

use pactum_domain::account::Customer;
use pactum_domain::command::{Command, Context, OpportunityCommand, ProgramCommand};
use pactum_domain::deal::Scope;
use pactum_domain::money::Currency;

use crate::support::*;

fn open(id: &str, customer: Customer, new_account: &str, scope: Scope) -> Command {
    opportunity(id, OpportunityCommand::Open { customer, new_account: account_id(new_account), scope })
}
fn close(id: &str) -> Command {
    opportunity(id, OpportunityCommand::Close { reason: "won".to_owned() })
}
fn opened() -> World {
    let mut world = World::new();
    world.run(&open("o", customer("Initech", "initech.example"), "initech", scope(&["core"], &["DE"])));
    world
}

#[test]
fn it_opens_on_an_account_and_closes_once() {
    let mut world = opened();
    let o = world.model.opportunity(&opportunity_id("o")).unwrap();
    assert_eq!((o.account.as_str(), o.open, o.version), ("initech", true, 1));
    world.run(&close("o"));
    let o = world.model.opportunity(&opportunity_id("o")).unwrap();
    assert_eq!((o.open, o.version), (false, 2));
    assert_eq!(world.decide(admin(), &close("o")), Ok(Vec::new()));
}

#[test]
fn a_known_key_finds_the_account() {
    let mut world = opened();
    world.run(&open("o2", customer("", "initech.example"), "unused", Scope::default()));
    assert_eq!(world.model.opportunity(&opportunity_id("o2")).unwrap().account, account_id("initech"));
}

#[test]
fn refusals() {
    let world = opened();
    let good = || customer("Globex", "globex.example");
    let rows = [
        (open("o", good(), "n", Scope::default()), "ALREADY_EXISTS", "opportunity o exists already"),
        (open("n", good(), "initech", Scope::default()), "ALREADY_EXISTS", "account initech exists already"),
        (
            open("n", Customer::default(), "n", Scope::default()),
            "INVALID_FIELD",
            "opportunity.customer: needs a name or an identity key",
        ),
        (
            open("n", good(), "n", scope(&["anvil"], &[])),
            "INVALID_FIELD",
            "opportunity.scope.products: the policy has no product anvil",
        ),
        (
            open("n", good(), "n", scope(&[], &["XX"])),
            "INVALID_FIELD",
            "opportunity.scope.territories: \"XX\" is not a territory of the program",
        ),
        (close("o9"), "NOT_FOUND", "opportunity o9 does not exist"),
        (
            opportunity("o", OpportunityCommand::Close { reason: "\u{1b}".to_owned() }),
            "INVALID_FIELD",
            "reason: control characters are not allowed",
        ),
    ];
    for (command, reason, message) in rows {
        check(&world, admin(), &command, reason, message);
    }
    let only = "only the vendor may do this";
    check(&world, sales("alpha"), &open("n", good(), "n", Scope::default()), "FORBIDDEN", only);
    check(&world, sales("alpha"), &close("o9"), "FORBIDDEN", only);
    let context = Context { expected_version: Some(9), ..world.context(admin(), world.now) };
    let stale = "the etag is stale: it names version 9, the resource is at 1";
    check_in(&world, &context, &close("o"), "STALE_ETAG", stale);
}

#[test]
fn without_a_policy_there_is_no_scope_to_check() {
    let mut world = World::empty();
    let (display_name, currency) = ("Acme".to_owned(), Currency::parse("USD").unwrap());
    world.run(&program(ProgramCommand::Create { display_name, currency, policy: None }));
    let command = open("o", customer("", "initech.example"), "n", Scope::default());
    check(&world, admin(), &command, "NO_POLICY", "the program has no policy in force; publish one first");
}
