#![expect(clippy::unwrap_used, reason = "tests")]
use proptest::prelude::*;

use super::*;

/// The least that is a policy; each row of a table changes one thing of it.
const LEAST: &str = "\
tiers:
  - id: silver
  - id: gold
territories:
  - id: EMEA
  - id: DE
    parent: EMEA
specialisations: [analytics]
products:
  - id: core
  - id: suite
    specialisation: analytics
stages:
  - id: open
    probability: 10
deal_registration:
  protection_days: 90
";

fn with(from: &str, to: &str) -> String {
    assert!(LEAST.contains(from), "{from:?} is not in the document");
    LEAST.replacen(from, to, 1)
}

fn rules(more: &str) -> String {
    format!("{LEAST}  {more}\n")
}

fn id(text: &str) -> ProductId {
    ProductId::new(text).unwrap()
}

#[track_caller]
fn check(document: &str, line: usize, field: &str, problem: &str) {
    let error = Policy::parse(document).unwrap_err();
    assert_eq!((error.line, error.field.as_str()), (line, field), "{error}\n{document}");
    assert!(error.problem.contains(problem), "{error}");
}

/// One row per refusal.
#[test]
fn refusals() {
    let rows = [
        (with("tiers:\n  - id: silver\n  - id: gold\n", "tiers: []\n"), 1, "tiers", "at least one tier"),
        (with("- id: gold", "- id: silver"), 3, "tiers[1].id", "twice"),
        (with("- id: gold", "- id: so so"), 3, "tiers[1].id", "is not an id"),
        (with("- id: gold", "- { id: gold, protection_days: 0 }"), 3, "tiers[1].protection_days", "1 to 1825"),
        (with("- id: DE\n", "- id: EMEA\n"), 6, "territories[1].id", "twice"),
        (with("parent: EMEA", "parent: EU"), 7, "territories[1].parent", "not a territory"),
        (with("parent: EMEA", "parent: DE"), 7, "territories[1].parent", "lies in itself"),
        (with("- id: EMEA\n", "- { id: EMEA, parent: DE }\n"), 5, "territories[0].parent", "lies in itself"),
        (with("[analytics]", "[analytics, analytics]"), 8, "specialisations[1]", "twice"),
        (with("[analytics]", "[analytics, '']"), 8, "specialisations[1]", "empty"),
        (with("- id: suite", "- id: core"), 11, "products[1].id", "twice"),
        (with("specialisation: analytics", "specialisation: cooking"), 12, "products[1].specialisation", "not among"),
        (with("stages:\n  - id: open\n    probability: 10\n", "stages: []\n"), 13, "stages", "at least one stage"),
        (with("probability: 10", "probability: 101"), 15, "stages[0].probability", "percentage"),
        (with("probability: 10\n", "probability: 10\n  - { id: open, probability: 5 }\n"), 16, "stages[1].id", "twice"),
        (with("protection_days: 90", "protection_days: 0"), 17, "deal_registration.protection_days", "1 to 1825"),
        (with("protection_days: 90", "protection_days: 1826"), 17, "deal_registration.protection_days", "1 to 1825"),
        (rules("review_days: 0"), 18, "deal_registration.review_days", "1 to 1825"),
        (rules("reopen_days: 1826"), 18, "deal_registration.reopen_days", "0 to 1825"),
        (rules("max_extensions: 101"), 18, "deal_registration.max_extensions", "more than 100"),
        // The days of an extension are missing, so the line is that of the section.
        (rules("max_extensions: 1"), 16, "deal_registration.max_extension_days", "1 to 1825"),
        (rules("max_extension_days: 1826"), 18, "deal_registration.max_extension_days", "0 to 1825"),
        (rules("min_tier: bronze"), 18, "deal_registration.min_tier", "not a tier"),
        (rules("similarity_percent: 49"), 18, "deal_registration.similarity_percent", "50 to 100"),
        (rules("similarity_percent: 101"), 18, "deal_registration.similarity_percent", "50 to 100"),
        (format!("{LEAST}request_window_days: 0\n"), 18, "request_window_days", "1 to 1825"),
        (format!("{LEAST}partner_types: [a, a]\n"), 18, "partner_types[1]", "twice"),
        (rules("auto_approve: 'partner.tier =='"), 18, "deal_registration.auto_approve", "not a CEL expression"),
    ];
    for (document, line, field, problem) in rows {
        check(&document, line, field, problem);
    }
}

/// What is not even a document of the right shape: still with line and field.
#[test]
fn malformed_documents() {
    let rows = [
        (with("- id: gold", "- id: gold\n    colour: red"), 4, "tiers[1].colour", "no such field; known here: id,"),
        (format!("{LEAST}tires: []\n"), 18, "tires", "no such field"),
        (with("  - id: EMEA\n", "  - parent: EMEA\n"), 5, "territories[0].id", "missing"),
        (with("stages:\n  - id: open\n    probability: 10\n", ""), 1, "stages", "missing"),
        (
            format!("{}deal_registration: {{}}\n", &LEAST[..LEAST.find("deal_").unwrap()]),
            16,
            "deal_registration.protection_days",
            "missing",
        ),
        (format!("{}deal_registration:\n", &LEAST[..LEAST.find("deal_").unwrap()]), 16, "deal_registration", "mapping"),
        (with("probability: 10", "probability: often"), 15, "stages[0].probability", "invalid"),
        (with("probability: 10", "probability: 256"), 15, "stages[0].probability", "invalid"),
        (with("probability: 10", "probability: -1"), 15, "stages[0].probability", "invalid"),
        (with("probability: 10", "probability: 10.5"), 15, "stages[0].probability", "invalid"),
        (rules("on_lapse: explode"), 18, "deal_registration.on_lapse", "none of keep, expire"),
        (rules("protection_days: 80"), 18, "deal_registration.protection_days", "duplicate"),
        (with("[analytics]", "analytics"), 8, "specialisations", "sequence"),
        (format!("{LEAST}---\n{LEAST}"), 18, "", ""),
    ];
    for (document, line, field, problem) in rows {
        if field.is_empty() {
            assert!(Policy::parse(&document).is_err());
        } else {
            check(&document, line, field, problem);
        }
    }
    for text in ["", "[]", "5", "null", "tiers: [", "\t", "a: *b", "{", "%YAML 9.9\n---\n", "\u{0}"] {
        let error = Policy::parse(text).unwrap_err();
        assert!(!error.field.is_empty() && !error.problem.is_empty(), "{text:?}: {error:?}");
    }
    let large = format!("{LEAST}#{}\n", "x".repeat(Policy::MAX_BYTES));
    check(&large, 0, "document", "are allowed");
}

#[test]
fn what_blows_up_is_refused() {
    let deep = format!("tiers: {}{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(Policy::parse(&deep).is_err());
    let deep = "- ".repeat(Policy::MAX_BYTES / 2);
    assert!(Policy::parse(&deep).is_err());
    let wide = format!("{}: [{}", "k".repeat(Policy::MAX_BYTES / 2), "[],".repeat(Policy::MAX_BYTES / 8));
    assert!(Policy::parse(&wide).is_err());
    let bomb: String = (1..9)
        .map(|level| format!("t{level}: &t{level} [{}]\n", vec![format!("*t{}", level - 1); 9].join(",")))
        .fold("t0: &t0 [a,a,a,a,a,a,a,a,a]\n".to_owned(), |text, line| text + &line);
    assert!(Policy::parse(&bomb).is_err());
    let nested: String = (1..40).map(|n| format!("  - {{ id: t{n}, parent: t{} }}\n", n - 1)).collect();
    let document = with("  - id: EMEA\n", &format!("  - id: EMEA\n  - id: t0\n{nested}"));
    check(&document, 23, "territories[18].parent", "more than 16 deep");
}

#[test]
fn the_example_is_a_policy() {
    let policy = Policy::example();
    assert_eq!(policy, Policy::parse(Policy::EXAMPLE).unwrap());
    assert_eq!(policy.tier("gold").map(|(rank, tier)| (rank, tier.protection_days)), Some((2, Some(120))));
    assert_eq!(
        (policy.protection_days("gold"), policy.protection_days("silver"), policy.protection_days("?")),
        (120, 90, 90)
    );
    assert_eq!(policy.first_stage().id, "prospecting");
    assert_eq!((policy.probability("verbal"), policy.probability("won")), (Some(90), None));
    assert!(policy.knows_partner_type("reseller") && !policy.knows_partner_type("friend"));
    assert!(policy.knows_specialisation("security") && !policy.knows_specialisation("cooking"));
    assert!(policy.knows_product(&id("core")) && !policy.knows_product(&id("other")));
    assert_eq!(policy.product(&id("shield")).unwrap().specialisation.as_deref(), Some("security"));
    assert_eq!((policy.tier("bronze"), policy.stage("won"), policy.product(&id("other"))), (None, None, None));
}

#[test]
fn defaults() {
    let policy = Policy::parse(LEAST).unwrap();
    let rules = &policy.deal_registration;
    assert_eq!(
        (policy.request_window_days, rules.similarity_percent, rules.review_days, rules.reopen_days),
        (7, 90, 5, 90)
    );
    assert_eq!((rules.on_lapse, rules.on_conflict), (OnLapse::Keep, OnConflict::Review));
    assert_eq!((rules.max_extensions, rules.max_extension_days, &rules.min_tier), (0, 0, &None));
    assert!(!rules.require_territory && !rules.existing_customer_conflicts);
    assert!(policy.knows_partner_type("anything"));
    let open =
        Policy::parse(&with("products:\n  - id: core\n  - id: suite\n    specialisation: analytics\n", "")).unwrap();
    assert!(open.knows_product(&id("anything")) && open.product(&id("anything")).is_none());
}

#[test]
fn policies_are_equal_by_what_they_say() {
    let other = Policy::parse(&with("tiers:", "# Said otherwise.\ntiers:")).unwrap();
    assert_eq!(Policy::parse(LEAST).unwrap(), other);
    assert_ne!(Policy::parse(&with("90", "91")).unwrap(), other);
    let shared: fn() = || {
        fn is_shared<T: Send + Sync + Clone>() {}
        is_shared::<Policy>();
    };
    shared();
}

#[test]
fn territories_nest() {
    let policy = Policy::example();
    for (held, asked) in
        [("DE", "DE"), ("EMEA", "DE"), ("DE", "DE-BY"), ("EMEA", "DE-BY"), ("EMEA", "EMEA"), ("XX", "XX")]
    {
        assert!(policy.covers(held, asked), "{held} covers {asked}");
        assert!(policy.overlap(held, asked) && policy.overlap(asked, held), "{held} overlaps {asked}");
        assert!(held == asked || !policy.covers(asked, held), "{asked} does not cover {held}");
    }
    for (a, b) in
        [("DE", "FR"), ("EMEA", "AMER"), ("DE-BY", "DE-BE"), ("AMER", "DE-BY"), ("DE", "de-by"), ("DE", "DE-")]
    {
        assert!(!policy.overlap(a, b) && !policy.overlap(b, a), "{a} and {b} have nothing in common");
    }
    for known in ["EMEA", "DE", "DE-BY"] {
        assert!(policy.knows_territory(known), "{known}");
    }
    for unknown in ["AT", "AT-9", "emea", "DE-", "DE-BAVARIA", "", "EMEA-X"] {
        assert!(!policy.knows_territory(unknown), "{unknown}");
    }
}

#[test]
fn without_a_list_every_iso_code_is_a_territory() {
    let list = "territories:\n  - id: EMEA\n  - id: DE\n    parent: EMEA\n";
    let policy = Policy::parse(&with(list, "")).unwrap();
    assert!(policy.knows_territory("AT") && policy.knows_territory("AT-9"));
    assert!(!policy.knows_territory("EMEA") && !policy.knows_territory("XX") && !policy.knows_territory("XX-1"));
    assert!(policy.covers("AT", "AT-9") && !policy.covers("AT-9", "AT") && !policy.covers("AT", "DE"));
}

#[test]
fn a_place_in_two_territories_makes_them_overlap() {
    let list = "  - id: EMEA\n";
    let more = "  - id: EMEA\n  - id: alps\n  - { id: DE-BY, parent: alps }\n  - { id: AT, parent: alps }\n";
    let policy = Policy::parse(&with(list, more)).unwrap();
    assert!(policy.covers("alps", "DE-BY") && policy.covers("DE", "DE-BY") && policy.covers("EMEA", "DE-BY"));
    for (a, b) in [("alps", "DE"), ("DE", "alps"), ("alps", "EMEA"), ("EMEA", "alps")] {
        assert!(!policy.covers(a, b) && policy.overlap(a, b), "{a} and {b}");
    }
    assert!(!policy.overlap("AT", "DE") && !policy.overlap("alps", "DE-BE"));
}

proptest! {
    #[test]
    fn no_document_panics(text in ".{0,300}", cut in 0..Policy::EXAMPLE.len(), insert in "[-:{}\\[\\]&*!|>'\"%@#, \\n\\ta-z0-9]{0,12}") {
        let _ = Policy::parse(&text);
        let mut document = Policy::EXAMPLE.to_owned();
        let cut = (cut..).find(|at| document.is_char_boundary(*at)).unwrap();
        document.insert_str(cut, &insert);
        if let Err(error) = Policy::parse(&document) {
            prop_assert!(!error.field.is_empty() && !error.problem.is_empty() && error.line <= document.lines().count() + 1);
        }
        document.truncate(cut);
        let _ = Policy::parse(&document);
    }

    #[test]
    fn overlap_is_symmetric_and_no_less_than_covering(
        parents in prop::collection::vec((any::<bool>(), 0..12_usize), 12),
        a in 0..16_usize,
        b in 0..16_usize,
    ) {
        let names = ["g0", "g1", "DE", "g3", "DE-BY", "FR", "g6", "FR-75", "DE-BE", "g9", "AT", "AT-9", "DE-HH", "FR-13", "g7", "IT"];
        let list: String = parents.iter().enumerate().map(|(index, (nested, parent))| {
            let parent = names[*parent];
            if *nested { format!("  - {{ id: {}, parent: {parent} }}\n", names[index]) } else { format!("  - id: {}\n", names[index]) }
        }).collect();
        let declared = "territories:\n  - id: EMEA\n  - id: DE\n    parent: EMEA\n";
        // Most random nestings are cycles; what is not must obey the laws.
        if let Ok(policy) = Policy::parse(&with(declared, &format!("territories:\n{list}"))) {
            let (a, b) = (names[a], names[b]);
            prop_assert_eq!(policy.overlap(a, b), policy.overlap(b, a));
            prop_assert!(!policy.covers(a, b) || policy.overlap(a, b));
            prop_assert!(a == b || !(policy.covers(a, b) && policy.covers(b, a)));
            // What lies in both is in common; and nothing is, that is in neither of these.
            let common = names.iter().any(|one| policy.covers(a, one) && policy.covers(b, one));
            prop_assert_eq!(policy.overlap(a, b), common);
            for c in names {
                prop_assert!(!(policy.covers(a, b) && policy.covers(b, c)) || policy.covers(a, c));
            }
        }
    }
}

/// The reference, from which an operator writes a policy.
const REFERENCE: &str = include_str!("../../../../docs/policy.md");

fn fenced(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let blocks = REFERENCE.split(fence.as_str()).skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn the_reference_has_the_example_and_its_expression_compiles() {
    assert_eq!(fenced("yaml"), [Policy::EXAMPLE]);
    let [expression] = fenced("cel")[..] else { panic!("one expression is shown") };
    expression::Expression::compile(expression).unwrap();
}

#[test]
fn the_reference_names_every_field_and_variable() {
    fn names(value: &serde_json::Value, into: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    into.push(name.clone());
                    names(value, into);
                }
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| names(item, into)),
            _ => {}
        }
    }
    let mut fields = Vec::new();
    names(&serde_json::to_value(&*Policy::example()).unwrap(), &mut fields);
    assert!(fields.len() > 50);
    for field in fields {
        assert!(REFERENCE.contains(&format!("{field}` |")), "the reference does not name the field {field}");
    }
    for variable in approval::Variables::names().split(", ") {
        assert!(
            REFERENCE.contains(&format!("| `{variable}` |")),
            "the reference does not name the variable {variable}"
        );
    }
}
