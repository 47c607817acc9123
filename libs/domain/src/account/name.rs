//! A company's name as it is compared: without case, marks, punctuation and legal form.

use smol_str::SmolStr;
use unicode_normalization::UnicodeNormalization as _;

use super::legal_form;

/// A name in the form in which names are compared. Equal ones belong to the same company more often than not, which is a
/// hint and no proof.
#[derive(Clone, Debug)]
pub struct NormalisedName {
    text: SmolStr,
    /// Its words in alphabetical order.
    sorted: SmolStr,
    /// Its digits, in the order of `sorted`.
    digits: SmolStr,
    /// How often each letter comes, letters that share the last five bits counted together, and how many there are.
    letters: ([u8; 32], u16),
}

/// All else follows from the text.
impl PartialEq for NormalisedName {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for NormalisedName {}

/// Letters that are a letter and a mark to their readers, and no decomposition to Unicode.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ŧ' => "t",
        'þ' => "th",
        'ς' => "σ",
        '&' => " and ",
        _ => return None,
    })
}

impl NormalisedName {
    /// Normalises a name:
    ///
    /// - compatibility forms are made plain and marks of Latin, Greek and Cyrillic letters dropped (NFKD): `Ｓöｈｎｅ` is `sohne`;
    ///   marks of other scripts are letters of their own and stay;
    /// - case is dropped, `&` becomes `and`, apostrophes go, other punctuation parts words, but dots and slashes within
    ///   initials join them: `S.p.A.` is `spa`, `A/S` is `as`;
    /// - legal forms of many countries go from the end, and from the beginning where they stand there; so does a `The`;
    /// - blanks become one.
    ///
    /// It is never empty unless there was nothing: a name that is only a legal form, or only punctuation, stays.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut folded = String::with_capacity(name.len() + 8);
        // Composed again after the marks are gone, for scripts that are taken apart by NFKD: Hangul, kana.
        let marks = |c: &char| !('\u{300}'..='\u{36f}').contains(c);
        for c in name.nfkd().filter(marks).nfc().flat_map(char::to_lowercase).filter(marks) {
            match plain(c) {
                Some(text) => folded.push_str(text),
                None => folded.push(c),
            }
        }
        let mut words = words(&folded);
        legal_form::strip(&mut words);
        if words.len() > 1 && words[0] == "the" {
            words.remove(0);
        }
        if words.is_empty() {
            words = folded.split_whitespace().map(str::to_owned).collect();
        }
        let text = SmolStr::new(words.join(" "));
        words.sort_unstable();
        let sorted = SmolStr::new(words.join(" "));
        let digits = sorted.chars().filter(|c| c.is_numeric()).collect();
        let letters = letters(&text);
        Self { text, sorted, digits, letters }
    }

    /// The normalised text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its words in alphabetical order.
    pub(super) fn sorted(&self) -> &str {
        &self.sorted
    }

    /// Its digits.
    pub(super) fn digits(&self) -> &str {
        &self.digits
    }

    /// How often each class of letters comes, and how many letters there are, blanks included.
    pub(super) fn letters(&self) -> (&[u8; 32], u16) {
        (&self.letters.0, self.letters.1)
    }

    /// Whether there was nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// Counts letters by their last five bits: two names have no more letters in common than these counts have.
fn letters(text: &str) -> ([u8; 32], u16) {
    text.chars().fold(([0; 32], 0), |(mut counts, all), letter| {
        let count: &mut u8 = &mut counts[letter as usize % 32];
        *count = count.saturating_add(1);
        (counts, u16::saturating_add(all, 1))
    })
}

/// Words of letters and digits, with initials joined.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let joins = |c: char| matches!(c, '.' | '/');
    let apostrophe = |c: char| matches!(c, '\'' | '’' | '‘' | '`' | '´' | 'ʼ');
    let unseen = |c: char| matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    let silent = |c: char| apostrophe(c) || unseen(c);
    let spoken: String = text.chars().filter(|c| !silent(*c)).collect();
    for piece in spoken.split(|c: char| !is_word(c) && !joins(c)) {
        let parts: Vec<&str> = piece.split(joins).filter(|part| !part.is_empty()).collect();
        if parts.iter().all(|part| part.chars().nth(1).is_none()) {
            words.extend(Some(parts.concat()).filter(|word| !word.is_empty()));
        } else {
            words.extend(parts.into_iter().map(str::to_owned));
        }
    }
    words
}

/// Letters, digits and the marks that stay: those of scripts where they are letters of their own.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(name: &str) -> String {
        NormalisedName::new(name).as_str().to_owned()
    }

    #[test]
    fn names() {
        let rows = [
            ("Acme Corporation", "acme"),
            ("ACME, Inc.", "acme"),
            ("The Acme Company, Ltd.", "acme"),
            ("  Acme   Rockets\tLLC ", "acme rockets"),
            ("Müller & Söhne GmbH & Co. KG", "muller and sohne"),
            ("Tiffany & Co.", "tiffany"),
            ("Johnson & Johnson", "johnson and johnson"),
            ("Barilla G. e R. Fratelli S.p.A.", "barilla g e r fratelli"),
            ("Ørsted A/S", "orsted"),
            ("Société Générale S. A.", "societe generale"),
            ("Fromagerie Dupont S.à r.l.", "fromagerie dupont"),
            ("Żabka Polska sp. z o.o.", "zabka polska"),
            ("Škoda Auto a.s.", "skoda auto"),
            ("Nokia Oyj", "nokia"),
            ("Telefonaktiebolaget LM Ericsson AB (publ)", "telefonaktiebolaget lm ericsson ab publ"),
            ("Grupo Bimbo, S.A.B. de C.V.", "grupo bimbo"),
            ("BHP Group Pty Ltd", "bhp group"),
            ("Petronas Sdn. Bhd.", "petronas"),
            ("Toyota K.K.", "toyota"),
            ("トヨタ自動車株式会社", "トヨタ自動車"),
            ("株式会社 日立製作所", "日立製作所"),
            ("삼성전자 주식회사", "삼성전자"),
            ("华为技术有限公司", "华为技术"),
            ("ООО «Ромашка»", "ромашка"),
            ("PT Bank Central Asia Tbk", "bank central asia"),
            ("UAB Girteka Logistics", "girteka logistics"),
            ("Straße & Weg e.V.", "strasse and weg"),
            ("McDonald's", "mcdonalds"),
            ("L’Oréal S.A.", "loreal"),
            ("Coca-Cola", "coca cola"),
            ("Amazon.com, Inc.", "amazon com"),
            ("U.S. Steel", "us steel"),
            ("Ｆｕｌｌ　Ｗｉｄｔｈ", "full width"),
            ("ΟΔΥΣΣΕΥΣ Α.Ε.", "οδυσσευσ"),
            ("Ac\u{200b}me Ro\u{ad}ckets", "acme rockets"),
            ("हिन्दुस्तान यूनिलीवर", "हिन्दुस्तान यूनिलीवर"),
            // Only a form, or no word at all: something stays.
            ("GmbH", "gmbh"),
            ("Co. Ltd.", "co"),
            ("The", "the"),
            ("株式会社", "株式会社"),
            ("!!!", "!!!"),
            ("", ""),
            (" \t ", ""),
        ];
        for (name, expected) in rows {
            assert_eq!(normal(name), expected, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn something_stays_and_blanks_are_single(name in ".{0,60}", words in "[A-Za-zäöüßéñøł&.,'/ -]{0,60}") {
            for name in [name, words] {
                let once = normal(&name);
                prop_assert_eq!(once.is_empty(), name.trim().is_empty(), "{:?}", name);
                prop_assert!(!once.contains("  ") && once.trim() == once);
            }
        }

        #[test]
        fn case_marks_and_form_do_not_count(name in "[a-z]{3,9}( [a-z]{3,9}){0,3}") {
            let plain = normal(&name);
            prop_assert_eq!(normal(&name.to_uppercase()), plain.clone());
            prop_assert_eq!(normal(&name.replace('a', "á").replace('o', "ö")), plain.clone());
            for form in [" GmbH", ", Inc.", " S.A.", " (Pty) Ltd", " AB", " & Co. KG"] {
                prop_assert_eq!(normal(&format!("{name}{form}")), plain.clone());
            }
        }
    }
}
