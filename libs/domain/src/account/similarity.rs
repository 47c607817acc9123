//! How alike two names are.

use super::NormalisedName;

/// Names whose numbers differ are at most this alike: `Studio 54` is not a misspelt `Studio 45`.
const OTHER_NUMBERS: u16 = 700;

/// How alike two names are, in thousandths: 1000 where they are equal once normalised, and only then. Otherwise the better
/// of two Jaro-Winkler similarities, of the names as they are and of their words in alphabetical order, so that the order of
/// words counts little; at most 700 where their numbers differ. It is symmetric.
#[must_use]
pub fn similarity(a: &NormalisedName, b: &NormalisedName) -> u16 {
    if a == b {
        return 1000;
    }
    // Jaro matches letters greedily, which may depend on which of the two comes first.
    let (a, b) = if a.as_str() <= b.as_str() { (a, b) } else { (b, a) };
    let whole = strsim::jaro_winkler(a.as_str(), b.as_str());
    let reordered = a.sorted() != a.as_str() || b.sorted() != b.as_str();
    let sorted = if reordered { strsim::jaro_winkler(a.sorted(), b.sorted()) } else { whole };
    let most = if a.digits() == b.digits() { 999 } else { OTHER_NUMBERS };
    thousandths(whole.max(sorted)).min(most)
}

/// [`similarity`] where it is at least `from`. Most pairs that are not are told apart by a count of their letters, some
/// fifty times as fast: what a search over many candidates should call.
#[must_use]
pub fn similarity_from(a: &NormalisedName, b: &NormalisedName, from: u16) -> Option<u16> {
    if most_alike(a, b) < from {
        return None;
    }
    Some(similarity(a, b)).filter(|similarity| *similarity >= from)
}

/// What the similarity cannot exceed.
fn most_alike(a: &NormalisedName, b: &NormalisedName) -> u16 {
    if a == b {
        return 1000;
    }
    if a.digits() != b.digits() {
        return OTHER_NUMBERS;
    }
    let ((a_letters, a_length), (b_letters, b_length)) = (a.letters(), b.letters());
    if a_length == 0 || b_length == 0 {
        return 0;
    }
    // Where a count may have reached its end, it says nothing.
    if a_length.max(b_length) > u16::from(u8::MAX) {
        return 999;
    }
    let common: u32 = a_letters.iter().zip(b_letters).map(|(a, b)| u32::from(*a.min(b))).sum();
    // Jaro with every common letter matched and in order, then Winkler with the longest prefix that counts, rounded up.
    let common = f64::from(common);
    let jaro = (common / f64::from(a_length) + common / f64::from(b_length) + 1.0) / 3.0;
    thousandths(jaro + 0.4 * (1.0 - jaro) + 0.001)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
fn thousandths(similarity: f64) -> u16 {
    (similarity.clamp(0.0, 1.0) * 1000.0) as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn alike(a: &str, b: &str) -> u16 {
        similarity(&NormalisedName::new(a), &NormalisedName::new(b))
    }

    #[test]
    fn scores() {
        // Equal but for what normalisation drops.
        for (a, b) in [("Acme Inc.", "ACME Corporation"), ("Müller GmbH", "Muller AG"), ("", "")] {
            assert_eq!(alike(a, b), 1000, "{a} and {b}");
        }
        // The same to a person: at or above the default threshold of 90 percent.
        for (a, b) in [
            ("Acme Rockets", "Acme Rokets"),
            ("Bank of America", "America, Bank of"),
            ("Müller & Söhne", "Mueller und Soehne"),
            ("Fromagerie Dupont", "Fromagerie Dupond"),
            ("Rundofase", "Rundofaze"),
        ] {
            assert!((900..1000).contains(&alike(a, b)), "{a} and {b}: {}", alike(a, b));
        }
        // Not the same: below it.
        for (a, b) in [
            ("Betasoloin", "Betatech"),
            ("Globex", "Initech"),
            ("Studio 54", "Studio 45"),
            ("Customer 1", "Customer 2"),
            ("Acme", "Acme 2"),
            ("Scottech", "Hottechi"),
            ("", "Acme"),
        ] {
            assert!(alike(a, b) < 900, "{a} and {b}: {}", alike(a, b));
        }
    }

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![".{0,30}", "[a-e]{1,8}( [a-e]{1,8}){0,3}", "[a-c]{0,5} ?[0-9]{0,2}", "(日|立|製|ab){0,6}"]
    }

    proptest! {
        #[test]
        fn symmetric_and_1000_iff_equal(a in name(), b in name()) {
            let (x, y) = (NormalisedName::new(&a), NormalisedName::new(&b));
            let score = similarity(&x, &y);
            prop_assert_eq!(score, similarity(&y, &x));
            prop_assert_eq!(score == 1000, x == y);
            prop_assert_eq!(similarity(&x, &x), 1000);
            prop_assert!(score <= 1000);
        }

        #[test]
        fn the_short_cut_changes_nothing(a in name(), b in name(), from in 0..=1000_u16) {
            let (x, y) = (NormalisedName::new(&a), NormalisedName::new(&b));
            let score = similarity(&x, &y);
            prop_assert_eq!(similarity_from(&x, &y, from), Some(score).filter(|score| *score >= from));
        }
    }
}
