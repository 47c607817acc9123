//! Names that sound like companies and belong to none.

const FIRST: [&str; 40] = [
    "Aurora", "Baltic", "Cedar", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Indigo", "Juniper", "Kestrel",
    "Lumen", "Meridian", "Nordic", "Orchard", "Pioneer", "Quarry", "Ridge", "Summit", "Tidal", "Umbra", "Vertex",
    "Willow", "Yonder", "Zephyr", "Alder", "Beacon", "Copper", "Dune", "Estuary", "Falcon", "Glacier", "Heron",
    "Isthmus", "Jade", "Keystone", "Lantern", "Maple", "Nimbus", "Onyx",
];

const SECOND: [&str; 10] =
    ["Systems", "Cloud", "Partners", "Solutions", "Networks", "Digital", "Consulting", "Integration", "Software", "IT"];

/// The partner of that number: the first forty differ in their first word.
pub(super) fn partner(number: usize) -> String {
    let second = SECOND[(number / FIRST.len() + number) % SECOND.len()];
    match number / (FIRST.len() * SECOND.len()) {
        0 => format!("{} {second}", FIRST[number % FIRST.len()]),
        round => format!("{} {second} {}", FIRST[number % FIRST.len()], round + 1),
    }
}

/// Why a sale was lost.
pub(super) const LOSSES: [&str; 5] = ["PRICE", "NO_DECISION", "COMPETITOR", "BUDGET_CUT", "MISSING_FEATURE"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::partner;

    #[test]
    fn partners_differ() {
        let names: BTreeSet<String> = (0..2_000).map(partner).collect();
        assert_eq!(names.len(), 2_000);
        assert_eq!((partner(0), partner(1)), ("Aurora Systems".into(), "Baltic Cloud".into()));
    }
}
