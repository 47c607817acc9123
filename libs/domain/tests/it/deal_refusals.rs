//! A row for each refusal of a command to a deal that is there. Wrong states are in the matrix.

use pactum_domain::command::{Amendment, Command, Context, DealCommand, ProtectionChoice, Submission};
use pactum_domain::deal::DealState;
use pactum_domain::time::Timestamp;

use crate::deal_matrix::{deal_in, mark_duplicate, reject, request_action, revoke};
use crate::support::*;

/// One refusal: of an admin's command to a deal in a state.
#[track_caller]
fn refused(state: DealState, command: Command, reason: &str, message: &str) {
    check(&deal_in(state), admin(), &command, reason, message);
}

#[test]
fn what_does_not_exist_is_not_found() {
    let world = deal_in(DealState::Approved);
    check(&world, admin(), &withdraw("d9"), "NOT_FOUND", "deal d9 does not exist");
    check(
        &world,
        admin(),
        &deal("d", DealCommand::Withdraw { reason: "\0".into() }),
        "INVALID_FIELD",
        "reason: control characters are not allowed",
    );
    let submitted = deal_in(DealState::Submitted);
    check(&submitted, admin(), &mark_duplicate("d9"), "NOT_FOUND", "deal d9 does not exist");
    check(&world, admin(), &reassign("d", "nobody", &[1]), "NOT_FOUND", "partner nobody does not exist");
}

#[test]
fn another_partners_deal_does_not_exist() {
    let world = deal_in(DealState::Approved);
    for command in [
        withdraw("d"),
        win("d", usd(1)),
        lose("d"),
        amend("d", Amendment { title: Some("mine".to_owned()), ..Amendment::default() }),
        deal("d", DealCommand::ChangeStage { stage: "proposal".into() }),
        approve("d", ProtectionChoice::Policy),
        reassign("d", "beta", &[1]),
        extend("d", 1),
        deal("d", DealCommand::ExpireProtection),
    ] {
        check(&world, sales("beta"), &command, "NOT_FOUND", "deal d does not exist");
    }
}

#[test]
fn what_only_the_vendor_may_do() {
    use DealState::{Approved, Submitted, Won};
    for (state, command) in [
        (Submitted, deal("d", DealCommand::StartReview)),
        (Submitted, request_action("?")),
        (Submitted, approve("d", ProtectionChoice::Policy)),
        (Submitted, reject()),
        (Submitted, mark_duplicate("original")),
        (Approved, extend("d", 1)),
        (Approved, revoke()),
        (Approved, reassign("d", "beta", &[1])),
        (Approved, deal("d", DealCommand::ExpireProtection)),
        (Won, deal("d", DealCommand::Reopen { reason: String::new() })),
    ] {
        check(&deal_in(state), sales("alpha"), &command, "FORBIDDEN", "only the vendor may do this");
    }
    let claim = Amendment { territories: Some(vec!["FR".into()]), ..Amendment::default() };
    let message = "what an approved deal claims can be changed by the vendor only";
    check(&deal_in(Approved), sales("alpha"), &amend("d", claim), "FORBIDDEN", message);
}

#[test]
fn a_stale_etag() {
    let world = deal_in(DealState::Approved);
    let context = Context { expected_version: Some(1), ..world.context(admin(), world.now) };
    let message = "the etag is stale: it names version 1, the resource is at 2";
    check_in(&world, &context, &withdraw("d"), "STALE_ETAG", message);
    let context = Context { expected_version: Some(2), ..context };
    assert!(world.model.decide(&withdraw("d"), &context).is_ok());
}

#[test]
fn times_that_cannot_be() {
    let world = deal_in(DealState::Approved);
    let at = |occurred_at| world.context(admin(), occurred_at);
    let ahead = "occurred_at: 2026-01-01T00:05:00.000001Z is ahead of the log, which is at 2026-01-01T00:00:00Z";
    check_in(&world, &at(Timestamp(START.0 + 300_000_001)), &withdraw("d"), "INVALID_FIELD", ahead);
    let range = "occurred_at: the time is outside 1900-01-01 to 2199-12-31";
    check_in(&world, &at(Timestamp(Timestamp::MIN.0 - 1)), &withdraw("d"), "INVALID_FIELD", range);
    let early = Timestamp(START.0 - 1);
    let message = "only a program admin or a connector may say when something happened";
    check_in(&world, &world.context(sales("alpha"), early), &withdraw("d"), "FORBIDDEN", message);
    assert!(world.model.decide(&withdraw("d"), &at(early)).is_ok());
}

#[test]
fn review() {
    use DealState::Submitted;
    let blank = "message: must not be empty";
    refused(Submitted, request_action(" \n"), "INVALID_FIELD", blank);
    refused(Submitted, request_action(&"x".repeat(4_001)), "INVALID_FIELD", "message: longer than 4000 characters");
    let code = "reason_code: a reason code is up to 64 of A-Z, 0-9 and _, and begins with a letter: PRICE_TOO_LOW";
    for bad in ["late", "_LATE", "TOO LATE", "9", &"X".repeat(65)] {
        let command = DealCommand::Reject { reason_code: bad.into(), note: String::new() };
        refused(Submitted, deal("d", command), "INVALID_FIELD", code);
    }
    let days = |days| approve("d", ProtectionChoice::Days(days));
    refused(Submitted, days(0), "INVALID_FIELD", "protection_days: protection is 1 to 1825 days");
    refused(Submitted, days(1_826), "INVALID_FIELD", "protection_days: protection is 1 to 1825 days");
    let note = DealCommand::Reject { reason_code: "".into(), note: "\u{7}".to_owned() };
    refused(Submitted, deal("d", note), "INVALID_FIELD", "note: control characters are not allowed");
}

#[test]
fn protection_of_another() {
    let held = "another deal holds protection on this account and scope until 2026-04-01T00:00:00Z";
    refused(DealState::Conflicted, approve("d", ProtectionChoice::Policy), "PROTECTED", held);
    refused(DealState::Conflicted, approve("d", ProtectionChoice::Days(5)), "PROTECTED", held);

    let mut world = deal_in(DealState::Approved);
    let in_france = Submission { scope: scope(&["core"], &["FR"]), ..submission("beta", "unused") };
    world.run(&register("french", in_france));
    let widened = Amendment { territories: Some(vec!["EMEA".into()]), ..Amendment::default() };
    check(&world, admin(), &amend("d", widened), "PROTECTED", held);
    let moved = (customer("Globex", "globex.example"), account_id("unused"));
    let moved = Amendment { customer: Some(moved), ..Amendment::default() };
    check(&world, admin(), &amend("d", moved), "PROTECTED", held);
}

#[test]
fn extension() {
    use DealState::Approved;
    let reasonless = DealCommand::ExtendProtection { days: 1, reason: String::new(), evidence: Vec::new() };
    refused(Approved, deal("d", reasonless), "INVALID_FIELD", "reason: must not be empty");
    let unfounded = DealCommand::ExtendProtection { days: 1, reason: "r".to_owned(), evidence: vec![99] };
    let message = "evidence: there is no event with sequence 99; the last is 18";
    refused(Approved, deal("d", unfounded), "INVALID_FIELD", message);
    refused(Approved, extend("d", 0), "INVALID_FIELD", "days: must be at least 1");
    let long = "the policy (version 1) does not allow it: an extension is at most 30 days, 31 were asked";
    refused(Approved, extend("d", 31), "POLICY_FORBIDS", long);
    let mut world = deal_in(Approved);
    world.run(&extend("d", 30));
    let often = "the policy (version 1) does not allow it: protection may be extended 1 times, and was 1 times";
    check(&world, admin(), &extend("d", 1), "POLICY_FORBIDS", often);
    let early = "the policy (version 1) does not allow it: protection runs until 2026-05-01T00:00:00Z";
    check(&world, admin(), &deal("d", DealCommand::ExpireProtection), "POLICY_FORBIDS", early);
}

#[test]
fn disputes() {
    use DealState::{Approved, Submitted};
    refused(Submitted, mark_duplicate("d"), "INVALID_FIELD", "duplicate_of: a deal is not a duplicate of itself");
    let mut world = deal_in(Submitted);
    world.run(&deal("draft", DealCommand::Draft(draft("beta"))));
    let message = "duplicate_of: deal draft is a draft itself; name the deal that stays";
    check(&world, admin(), &mark_duplicate("draft"), "INVALID_FIELD", message);

    let message = "evidence: name the sequences of the events that the decision rests on";
    refused(Approved, reassign("d", "beta", &[]), "INVALID_FIELD", message);
    let message = "evidence: there is no event with sequence 0; the last is 18";
    refused(Approved, reassign("d", "beta", &[0]), "INVALID_FIELD", message);
    refused(Approved, reassign("d", "beta", &[5; 101]), "INVALID_FIELD", "evidence: more than 100 entries");
    let mut world = deal_in(Approved);
    world.run(&partner("beta", pactum_domain::command::PartnerCommand::Suspend { reason: String::new() }));
    let message = "partner: partner beta is suspended, not active";
    check(&world, admin(), &reassign("d", "beta", &[1]), "INVALID_FIELD", message);
}

#[test]
fn stages_and_fields() {
    use DealState::{Approved, Draft};
    let stage = DealCommand::ChangeStage { stage: "dreaming".into() };
    let message = "stage: \"dreaming\" is not a stage of the policy, which has open, proposal";
    refused(Approved, deal("d", stage), "INVALID_FIELD", message);
    let blank = Amendment::default;
    let rows = [
        (Amendment { title: Some("x".repeat(201)), ..blank() }, "deal.title: longer than 200 characters"),
        (
            Amendment { title: Some("a\nb".to_owned()), ..blank() },
            "deal.title: control characters and line breaks are not allowed",
        ),
        (Amendment { amount: Some(Some(usd(-1))), ..blank() }, "deal.amount: an amount must not be negative"),
        (
            Amendment { expected_close: Some(Some(pactum_domain::time::Date(99_999_999))), ..blank() },
            "deal.close_date: the day is outside 1900-01-01 to 2199-12-31",
        ),
        (
            Amendment { products: Some(vec![product_id("anvil")]), ..blank() },
            "deal.scope.products: the policy has no product anvil",
        ),
        (
            Amendment { territories: Some(vec!["XX".into()]), ..blank() },
            "deal.scope.territories: \"XX\" is not a territory of the program",
        ),
        (
            Amendment { customer: Some((named(" ", None), account_id("n"))), ..blank() },
            "deal.customer: needs a name or an identity key",
        ),
    ];
    for (amendment, message) in rows {
        refused(Approved, amend("d", amendment.clone()), "INVALID_FIELD", message);
        refused(Draft, amend("d", amendment), "INVALID_FIELD", message);
    }
    let taken = Amendment { customer: Some((named("Umbrella", None), account_id("globex"))), ..blank() };
    refused(Approved, amend("d", taken), "ALREADY_EXISTS", "account globex exists already");
}

#[test]
fn closings() {
    use DealState::{Approved, Lost, Won};
    refused(Approved, win("d", usd(-1)), "INVALID_FIELD", "amount: an amount must not be negative");
    let message = "amount.currency_code: the deal is in USD, the amount in EUR";
    refused(Approved, win("d", eur(1)), "INVALID_FIELD", message);
    let on = |closed_on| deal("d", DealCommand::Win { amount: usd(1), closed_on: Some(closed_on) });
    refused(Approved, on(day(2026, 1, 3)), "INVALID_FIELD", "closed_on: 2026-01-03 lies ahead; it is 2026-01-01");
    let outside = "closed_on: the day is outside 1900-01-01 to 2199-12-31";
    refused(Approved, on(pactum_domain::time::Date(-99_999_999)), "INVALID_FIELD", outside);
    let other = "a deal that is won cannot be won with other terms; reopen it first";
    refused(Won, win("d", usd(101)), "INVALID_TRANSITION", other);
    let lost_on = DealCommand::Lose { reason: String::new(), closed_on: Some(day(2025, 12, 1)) };
    let other = "a deal that is lost cannot be lost on another day; reopen it first";
    refused(Lost, deal("d", lost_on), "INVALID_TRANSITION", other);
    let world = deal_in(Won).days_later(31);
    let message = "the policy (version 1) does not allow it: a deal may be reopened for 30 days after it was closed, \
                   31 have gone by";
    check(&world, admin(), &deal("d", DealCommand::Reopen { reason: String::new() }), "POLICY_FORBIDS", message);
}

#[test]
fn a_lapse_is_told_before_the_command_is_judged() {
    let world = deal_in(DealState::Approved).days_later(90);
    let message = "a deal that is expired cannot be won; it must be approved";
    check(&world, admin(), &win("d", usd(1)), "INVALID_TRANSITION", message);
}
