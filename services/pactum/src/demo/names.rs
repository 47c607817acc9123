//! Names that sound like companies and belong to none.

use rand::Rng;
use rand::seq::IndexedRandom as _;

const FIRST: [&str; 40] = [
    "Aurora", "Baltic", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Indigo", "Juniper", "Kestrel",
    "Lumen", "Meridian", "Nordic", "Orchard", "Pioneer", "Quarry", "Ridge", "Summit", "Tidal", "Umbra", "Vertex",
    "Willow", "Yonder", "Zephyr", "Alder", "Beacon", "Copper", "Dune", "Estuary", "Falcon", "Glacier", "Heron",
    "Isthmus", "Jade", "Keystone", "Lantern", "Maple", "Nimbus", "Onyx",
];

const PARTNER_SECOND: [&str; 10] =
    ["Systems", "Cloud", "Partners", "Solutions", "Networks", "Digital", "Consulting", "Integration", "Software", "IT"];

const CUSTOMER_SECOND: [&str; 16] = [
    "Foods",
    "Logistics",
    "Bank",
    "Energy",
    "Textiles",
    "Clinics",
    "Motors",
    "Insurance",
    "Media",
    "Shipping",
    "Steel",
    "Hotels",
    "Retail",
    "Pharma",
    "Airlines",
    "Farms",
];

/// The partner of that number: the first forty differ in their first word.
pub(crate) fn partner(number: usize) -> String {
    let second = PARTNER_SECOND[(number / FIRST.len() + number) % PARTNER_SECOND.len()];
    match number / (FIRST.len() * PARTNER_SECOND.len()) {
        0 => format!("{} {second}", FIRST[number % FIRST.len()]),
        round => format!("{} {second} {}", FIRST[number % FIRST.len()], round + 1),
    }
}

/// The customer of that number, with a legal form as registries have it.
pub(crate) fn customer(number: usize, country: &str) -> String {
    let form = match country {
        "DE" | "AT" => "GmbH",
        "FR" => "SA",
        "GB" => "Ltd",
        "US" | "CA" => "Inc.",
        "SE" => "AB",
        "JP" => "KK",
        _ => "Group",
    };
    let first = FIRST[(number * 7) % FIRST.len()];
    let second = CUSTOMER_SECOND[(number / FIRST.len()) % CUSTOMER_SECOND.len()];
    match number / (FIRST.len() * CUSTOMER_SECOND.len()) {
        0 => format!("{first} {second} {form}"),
        round => format!("{first} {second} {} {form}", round + 1),
    }
}

/// Why a sale was lost.
pub(crate) fn loss(rng: &mut impl Rng) -> &'static str {
    const REASONS: [&str; 5] = ["PRICE", "NO_DECISION", "COMPETITOR", "BUDGET_CUT", "MISSING_FEATURE"];
    REASONS.choose(rng).copied().unwrap_or("NO_DECISION")
}
