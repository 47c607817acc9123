//! A row for each refusal of a draft, a registration or a resubmission.

use pactum_domain::account::Customer;
use pactum_domain::actor::Role;
use pactum_domain::command::{Context, DealCommand, Draft, HistoryTerms, ProgramCommand, Submission};
use pactum_domain::deal::DealState;
use pactum_domain::money::Currency;

use crate::deal_matrix::deal_in;
use crate::support::*;

fn terms(protection_days: u32) -> Option<HistoryTerms> {
    Some(HistoryTerms { protection_days })
}

#[test]
fn before_there_is_a_program_or_a_policy() {
    let registration = register("d", submission("alpha", "initech"));
    check(&World::empty(), admin(), &registration, "PROGRAM_NOT_FOUND", "the program does not exist");
    let mut world = World::empty();
    let (display_name, currency) = ("Acme".to_owned(), Currency::parse("USD").unwrap());
    world.run(&program(ProgramCommand::Create { display_name, currency, policy: None }));
    let message = "the program has no policy in force; publish one first";
    check(&world, admin(), &registration, "NO_POLICY", message);
    check(&world, admin(), &deal("d", DealCommand::Draft(draft("alpha"))), "NO_POLICY", message);
}

#[test]
fn fields() {
    let world = World::new();
    let good = || submission("alpha", "initech");
    let rows: [(Submission, &str, &str); 14] = [
        (Submission { partner: partner_id("nobody"), ..good() }, "NOT_FOUND", "partner nobody does not exist"),
        (
            Submission { title: "t\u{1}".to_owned(), ..good() },
            "INVALID_FIELD",
            "deal.title: control characters and line breaks are not allowed",
        ),
        (Submission { title: "ä".repeat(201), ..good() }, "INVALID_FIELD", "deal.title: longer than 200 characters"),
        (
            Submission { amount: Some(usd(-5)), ..good() },
            "INVALID_FIELD",
            "deal.amount: an amount must not be negative",
        ),
        (
            Submission { expected_close: Some(pactum_domain::time::Date(-30_000)), ..good() },
            "INVALID_FIELD",
            "deal.close_date: the day is outside 1900-01-01 to 2199-12-31",
        ),
        (
            Submission { customer: Customer::default(), ..good() },
            "INVALID_FIELD",
            "deal.customer: needs a name or an identity key",
        ),
        (
            Submission { customer: named(&"x".repeat(201), None), ..good() },
            "INVALID_FIELD",
            "deal.customer: longer than 200 characters",
        ),
        (
            Submission { scope: scope(&["anvil"], &[]), ..good() },
            "INVALID_FIELD",
            "deal.scope.products: the policy has no product anvil",
        ),
        (
            Submission { scope: scope(&["core"; 101], &[]), ..good() },
            "INVALID_FIELD",
            "deal.scope.products: more than 100 entries",
        ),
        (
            Submission { scope: scope(&[], &["DE"; 101]), ..good() },
            "INVALID_FIELD",
            "deal.scope.territories: more than 100 entries",
        ),
        (
            Submission { scope: scope(&[], &["Bavaria"]), ..good() },
            "INVALID_FIELD",
            "deal.scope.territories: \"Bavaria\" is not a territory of the program",
        ),
        (
            Submission { stage: Some("dreaming".into()), ..good() },
            "INVALID_FIELD",
            "deal.stage: \"dreaming\" is not a stage of the policy, which has open, proposal",
        ),
        (
            Submission { previous_deal: Some(deal_id("d9")), ..good() },
            "INVALID_FIELD",
            "deal.previous_deal: the partner has no deal d9",
        ),
        (
            Submission { previous_deal: Some(deal_id("d")), ..good() },
            "INVALID_FIELD",
            "deal.previous_deal: a deal is not a new attempt of itself",
        ),
    ];
    for (submission, reason, message) in rows {
        check(&world, admin(), &register("d", submission), reason, message);
    }
}

#[test]
fn drafts() {
    let world = World::new();
    let rows: [(Draft, &str, &str); 6] = [
        (Draft { partner: partner_id("nobody"), ..draft("alpha") }, "NOT_FOUND", "partner nobody does not exist"),
        (Draft { title: "x".repeat(201), ..draft("alpha") }, "INVALID_FIELD", "deal.title: longer than 200 characters"),
        (
            Draft { customer: Some(Customer::default()), ..draft("alpha") },
            "INVALID_FIELD",
            "deal.customer: needs a name or an identity key",
        ),
        (
            Draft { stage: Some("dreaming".into()), ..draft("alpha") },
            "INVALID_FIELD",
            "deal.stage: \"dreaming\" is not a stage of the policy, which has open, proposal",
        ),
        (
            Draft { scope: scope(&["anvil"], &[]), ..draft("alpha") },
            "INVALID_FIELD",
            "deal.scope.products: the policy has no product anvil",
        ),
        (
            Draft { previous_deal: Some(deal_id("d9")), ..draft("alpha") },
            "INVALID_FIELD",
            "deal.previous_deal: the partner has no deal d9",
        ),
    ];
    for (draft, reason, message) in rows {
        check(&world, admin(), &deal("d", DealCommand::Draft(draft)), reason, message);
    }
    let mut world = World::new();
    world.run(&deal("d", DealCommand::Draft(Draft { customer: None, ..draft("alpha") })));
    let submit = deal("d", DealCommand::Submit { new_account: account_id("n") });
    let message = "deal.customer: a registration needs the customer; add it to the draft first";
    check(&world, admin(), &submit, "INVALID_FIELD", message);
}

#[test]
fn ids_that_are_taken() {
    let mut world = deal_in(DealState::Approved);
    let message = "deal d exists already";
    check(&world, admin(), &register("d", submission("alpha", "n")), "ALREADY_EXISTS", message);
    check(&world, admin(), &deal("d", DealCommand::Draft(draft("alpha"))), "ALREADY_EXISTS", message);
    let elsewhere = Submission { customer: named("Umbrella", None), ..submission("alpha", "globex") };
    check(&world, admin(), &register("n", elsewhere), "ALREADY_EXISTS", "account globex exists already");
    world.run(&deal("draft", DealCommand::Draft(draft("alpha"))));
    let message = "deal draft exists already";
    check(&world, sales("beta"), &register("draft", submission("beta", "n")), "ALREADY_EXISTS", message);
    let message = "deal.partner: the deal is another partner's";
    check(&world, admin(), &register("draft", submission("beta", "n")), "INVALID_FIELD", message);
}

#[test]
fn in_anothers_name() {
    let world = World::new();
    let message = "a partner may have deals only in its own name";
    let registration = register("d", submission("alpha", "n"));
    check(&world, sales("beta"), &registration, "FORBIDDEN", message);
    check(&world, sales("beta"), &deal("d", DealCommand::Draft(draft("alpha"))), "FORBIDDEN", message);
    let nobody = register("d", Submission { partner: partner_id("nobody"), ..submission("alpha", "n") });
    check(&world, sales("beta"), &nobody, "FORBIDDEN", message);
}

#[test]
fn etags_of_what_is_not_there() {
    let world = World::new();
    let context = Context { expected_version: Some(3), ..world.context(admin(), world.now) };
    let message = "the etag is stale: it names version 3, the resource is at 0";
    check_in(&world, &context, &register("d", submission("alpha", "n")), "STALE_ETAG", message);
    check_in(&world, &context, &deal("d", DealCommand::Draft(draft("alpha"))), "STALE_ETAG", message);
}

#[test]
fn new_attempts() {
    let world = deal_in(DealState::Approved);
    let again = |partner| {
        let previous_deal = Some(deal_id("d"));
        register("n", Submission { previous_deal, ..submission(partner, "n") })
    };
    let message = "deal.previous_deal: deal d is approved; a new attempt follows one that has ended";
    check(&world, admin(), &again("alpha"), "INVALID_FIELD", message);
    let message = "deal.previous_deal: the partner has no deal d";
    check(&deal_in(DealState::Rejected), admin(), &again("beta"), "INVALID_FIELD", message);
}

#[test]
fn resubmissions() {
    let world = deal_in(DealState::ActionRequired);
    let resubmit = |submission| deal("d", DealCommand::Resubmit(submission));
    let good = || large("alpha", "n");
    let message = "deal.partner: the deal is another partner's";
    check(&world, admin(), &resubmit(large("beta", "n")), "INVALID_FIELD", message);
    let message = "history: is only for a first registration";
    check(&world, admin(), &resubmit(Submission { history: terms(1), ..good() }), "INVALID_FIELD", message);
    let message = "deal.previous_deal: cannot be changed";
    let previous_deal = Some(deal_id("original"));
    check(&world, admin(), &resubmit(Submission { previous_deal, ..good() }), "INVALID_FIELD", message);
    let message = "deal.customer: needs a name or an identity key";
    let customer = Customer::default();
    check(&world, admin(), &resubmit(Submission { customer, ..good() }), "INVALID_FIELD", message);
}

#[test]
fn history() {
    let mut world = World::new();
    let historical = |days| register("d", Submission { history: terms(days), ..submission("alpha", "n") });
    let message = "a program that is not importing cannot be given history; start a history import first";
    check(&world, admin(), &historical(90), "INVALID_TRANSITION", message);
    world.run(&program(ProgramCommand::StartHistoryImport { import: import_id("crm"), source: String::new() }));
    let message = "history.protection_days: at most 1825 days";
    check(&world, admin(), &historical(1_826), "INVALID_FIELD", message);
    let message = "only a program admin or a connector may bring history in";
    for actor in [sales("alpha"), vendor(Role::ChannelManager), vendor(Role::Reviewer)] {
        check(&world, actor, &historical(90), "FORBIDDEN", message);
    }
}
