//! Countries of ISO 3166-1 and the form of their subdivisions in ISO 3166-2.

/// The officially assigned alpha-2 codes, sorted. The list has had these 249 since 2011.
const CODES: &str = "\
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF \
CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH \
GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW \
KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG \
NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN \
SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT \
ZA ZM ZW";

/// Whether it is an ISO 3166-1 alpha-2 code, in upper case.
#[must_use]
pub fn is_country(code: &str) -> bool {
    // Every code takes three bytes with its blank, so the list is searched in place.
    let (bytes, code) = (CODES.as_bytes(), code.as_bytes());
    let at = |index: usize| &bytes[index * 3..index * 3 + 2];
    let (mut low, mut high) = (0, bytes.len().div_ceil(3));
    while low < high {
        let middle = usize::midpoint(low, high);
        match at(middle).cmp(code) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    false
}

/// Whether it has the form of an ISO 3166-2 code: a country, a dash, one to three letters or digits in upper case. The
/// subdivisions themselves change every year and are not listed.
#[must_use]
pub fn is_subdivision(code: &str) -> bool {
    let Some((country, subdivision)) = code.split_once('-') else { return false };
    let shaped = subdivision.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (1..=3).contains(&subdivision.len()) && shaped && is_country(country)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries() {
        let codes: Vec<&str> = CODES.split(' ').collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.is_sorted());
        assert!(codes.iter().all(|code| is_country(code)));
        for first in b'A'..=b'Z' {
            for second in b'A'..=b'Z' {
                let code = [first, second].map(char::from).iter().collect::<String>();
                assert_eq!(is_country(&code), codes.contains(&code.as_str()), "{code}");
                // The list of another source, which also knows these codes.
                assert_eq!(is_country(&code), code.parse::<iso_currency::Country>().is_ok(), "{code}");
            }
        }
        for none in ["", "D", "DEU", "de", "D E", "E ", " D", "DÉ", "ZZZ"] {
            assert!(!is_country(none), "{none:?}");
        }
    }

    #[test]
    fn subdivisions() {
        for code in ["DE-BY", "US-CA", "GB-ENG", "FR-75", "AD-07", "RU-SE"] {
            assert!(is_subdivision(code), "{code}");
        }
        for none in ["DE", "DE-", "DE-BYXX", "de-by", "DE-by", "XX-BY", "-BY", "DE-B-Y", "DE BY", "DE-Ä"] {
            assert!(!is_subdivision(none), "{none:?}");
        }
    }
}
