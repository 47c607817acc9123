#![expect(clippy::unwrap_used, reason = "tests")]
use proptest::prelude::*;

use super::*;

fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn usd(minor: i64) -> Money {
    Money::new(currency("USD"), minor)
}

/// One row per refusal.
#[test]
fn refusals() {
    let unknown = |code: &str| Currency::parse(code).unwrap_err();
    for code in ["", "US", "usd", "USDX", "ZZZ", "XXX", "XAU", "XTS", "€UR", "US\u{0}"] {
        assert_eq!(unknown(code), MoneyError::UnknownCurrency { code: code.into() }, "{code:?}");
    }
    let mismatch = MoneyError::CurrencyMismatch { left: currency("USD"), right: currency("EUR") };
    assert_eq!(usd(1).checked_add(Money::new(currency("EUR"), 1)), Err(mismatch.clone()));
    assert_eq!(usd(1).checked_sub(Money::new(currency("EUR"), 1)), Err(mismatch));
    assert_eq!(usd(i64::MAX).checked_add(usd(1)), Err(MoneyError::Overflow));
    assert_eq!(usd(i64::MIN).checked_sub(usd(1)), Err(MoneyError::Overflow));
    assert_eq!(usd(5).split::<&str>(&[]), Err(MoneyError::NoWeights));
    assert_eq!(usd(5).split(&[("a", 0), ("b", 0)]), Err(MoneyError::NoWeights));
    for (mantissa, scale) in [(0, 0), (-1, 2), (1, 19)] {
        assert_eq!(Rate::new(mantissa, scale), Err(MoneyError::InvalidRate));
    }
    assert_eq!(Rate::parse("0.00"), Err(MoneyError::InvalidRate));
    assert_eq!(Rate::parse("99999999999999999999"), Err(MoneyError::Overflow));
    assert!(matches!(Rate::parse("1,5"), Err(MoneyError::NotANumber { .. })));
    assert_eq!(usd(i64::MAX).convert(currency("KWD"), Rate::new(1, 0).unwrap()), Err(MoneyError::Overflow));
    assert_eq!(usd(i64::MAX).convert(currency("CLF"), Rate::new(i64::MAX, 0).unwrap()), Err(MoneyError::Overflow));
}

#[test]
fn text_that_is_no_amount() {
    for text in ["", "-", "+5", "--5", "5.", ".5", "1,054.50", "1e3", " 5", "5 ", "0x10", "٣", "5.0.0", "NaN", "1_000"]
    {
        assert_eq!(Money::parse(currency("USD"), text), Err(MoneyError::NotANumber { text: text.into() }), "{text:?}");
    }
    for (code, text, exponent, given) in [("USD", "1.005", 2, 3), ("JPY", "1.0", 0, 1), ("KWD", "1.0000", 3, 4)] {
        let expected = MoneyError::TooManyDecimals { currency: currency(code), exponent, given };
        assert_eq!(Money::parse(currency(code), text), Err(expected), "{text} {code}");
    }
    let long = "9".repeat(60);
    for text in ["92233720368547758.08", "-92233720368547758.09", "100000000000000000000", long.as_str()] {
        assert_eq!(Money::parse(currency("USD"), text), Err(MoneyError::Overflow), "{text}");
    }
}

#[test]
fn text_and_amounts() {
    let rows = [
        ("USD", "1054", 105_400, "1054.00 USD"),
        ("USD", "1054.5", 105_450, "1054.50 USD"),
        ("USD", "-0.05", -5, "-0.05 USD"),
        ("USD", "007.10", 710, "7.10 USD"),
        ("USD", "-92233720368547758.08", i64::MIN, "-92233720368547758.08 USD"),
        ("JPY", "1054", 1054, "1054 JPY"),
        ("JPY", "-3", -3, "-3 JPY"),
        ("KWD", "1.5", 1_500, "1.500 KWD"),
        ("CLF", "0.0001", 1, "0.0001 CLF"),
    ];
    for (code, text, minor, shown) in rows {
        let money = Money::parse(currency(code), text).unwrap();
        assert_eq!((money.minor, money.to_string().as_str()), (minor, shown));
    }
}

#[test]
fn splits_by_hand() {
    let split = |minor, weights: &[(&str, u64)]| -> Vec<i64> {
        usd(minor).split(weights).unwrap().into_iter().map(|(_, part)| part.minor).collect()
    };
    // A tie in remainders goes to the lower id, wherever it stands.
    assert_eq!(split(100, &[("c", 1), ("a", 1), ("b", 1)]), [33, 34, 33]);
    assert_eq!(split(-100, &[("c", 1), ("a", 1), ("b", 1)]), [-33, -34, -33]);
    assert_eq!(split(101, &[("a", 40), ("b", 20), ("c", 40)]), [41, 20, 40]);
    assert_eq!(split(1, &[("a", 0), ("b", 1)]), [0, 1]);
    assert_eq!(split(i64::MIN, &[("a", u64::MAX)]), [i64::MIN]);
    assert_eq!(split(i64::MAX, &[("a", u64::MAX), ("b", u64::MAX)]), [i64::MAX / 2 + 1, i64::MAX / 2]);
}

#[test]
fn conversions_by_hand() {
    let rows = [
        ("USD", 100, "EUR", "0.925", 92),
        ("USD", 300, "EUR", "0.925", 278),
        ("USD", -100, "EUR", "0.925", -92),
        ("USD", 1_00, "JPY", "150.5", 150),
        ("USD", 3_00, "JPY", "150.5", 452),
        ("JPY", 1, "KWD", "0.002", 2),
        ("USD", 1, "USD", "1", 1),
    ];
    for (from, minor, to, rate, expected) in rows {
        let converted = Money::new(currency(from), minor).convert(currency(to), Rate::parse(rate).unwrap()).unwrap();
        assert_eq!(converted, Money::new(currency(to), expected), "{minor} {from} at {rate}");
    }
}

#[test]
fn stored_and_shown() {
    let money = usd(105_450);
    let bytes = postcard::to_allocvec(&money).unwrap();
    assert_eq!(bytes, [b'U', b'S', b'D', 0xd4, 0xef, 0x0c]);
    assert_eq!(postcard::from_bytes::<Money>(&bytes).unwrap(), money);
    assert!(postcard::from_bytes::<Currency>(b"ZZZ").is_err());
    assert!(postcard::from_bytes::<Currency>(&[0xff, 0xfe, 0xfd]).is_err());

    let json = serde_json::to_string(&money).unwrap();
    assert_eq!(json, r#"{"currency":"USD","amount":"1054.50"}"#);
    assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
    for bad in [
        r#"{"currency":"USD","amount":"1.005"}"#,
        r#"{"currency":"XXX","amount":"1"}"#,
        r#"{"currency":"USD","amount":"1","minor":1}"#,
        r#"{"currency":"USD","amount":1.5}"#,
    ] {
        assert!(serde_json::from_str::<Money>(bad).is_err(), "{bad}");
    }
}

fn any_currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(vec!["USD", "EUR", "JPY", "KWD", "CLF", "HUF"]).prop_map(currency)
}

proptest! {
    #[test]
    fn splits_conserve(minor: i64, weights in prop::collection::vec((any::<u8>(), any::<u64>()), 1..40)) {
        prop_assume!(weights.iter().any(|(_, weight)| *weight > 0));
        let whole: u128 = weights.iter().map(|(_, weight)| u128::from(*weight)).sum();
        let parts = usd(minor).split(&weights).unwrap();
        prop_assert_eq!(parts.iter().map(|(_, part)| i128::from(part.minor)).sum::<i128>(), i128::from(minor));
        for ((id, part), (given, weight)) in parts.iter().zip(&weights) {
            prop_assert_eq!(id, given);
            // Within one minor unit of the exact share: |part * whole - minor * weight| < whole.
            let exact = u128::from(minor.unsigned_abs()) * u128::from(*weight);
            let part = u128::from(part.minor.unsigned_abs());
            prop_assert!(part == exact / whole || part == exact / whole + 1);
            prop_assert!(*weight > 0 || part == 0);
        }
    }

    #[test]
    fn splits_do_not_depend_on_order(minor: i64, weights in prop::collection::btree_map(any::<u16>(), 1..1000_u64, 1..20)) {
        let forward: Vec<_> = weights.into_iter().collect();
        let backward: Vec<_> = forward.iter().rev().copied().collect();
        let mut mirrored = usd(minor).split(&backward).unwrap();
        mirrored.reverse();
        prop_assert_eq!(usd(minor).split(&forward).unwrap(), mirrored);
    }

    #[test]
    fn text_round_trips(currency in any_currency(), minor: i64) {
        let money = Money::new(currency, minor);
        prop_assert_eq!(Money::parse(currency, &money.decimal()).unwrap(), money);
        let json = serde_json::to_string(&money).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
        let bytes = postcard::to_allocvec(&money).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Money>(&bytes).unwrap(), money);
    }

    #[test]
    fn halves_go_to_even(numerator in any::<i64>(), denominator in 1..=i64::MAX) {
        let (n, d) = (i128::from(numerator), i128::from(denominator));
        let rounded = div_half_even(n, d);
        // Nearest: twice the distance is at most the denominator; where it is equal, the result is even.
        let distance = (2 * (n - rounded * d)).abs();
        prop_assert!(distance < d || (distance == d && rounded % 2 == 0));
        prop_assert_eq!(div_half_even(-n, d), -rounded);
    }

    #[test]
    fn exact_halves(whole in -1_000_000..1_000_000_i128, half in 1..1_000_000_i128) {
        let rounded = div_half_even(whole * 2 * half + half, 2 * half);
        prop_assert_eq!(rounded, if whole % 2 == 0 { whole } else { whole + 1 });
    }

    #[test]
    fn converting_keeps_its_size(minor in -1_000_000_000_000..1_000_000_000_000_i64, mantissa in 1..1_000_000_i64) {
        // At a rate of `mantissa / 1000` between currencies of equal exponent the error is at most half a minor unit.
        let converted = usd(minor).convert(currency("EUR"), Rate::new(mantissa, 3).unwrap()).unwrap();
        let error = i128::from(minor) * i128::from(mantissa) - i128::from(converted.minor) * 1000;
        prop_assert!(error.abs() <= 500);
    }

    #[test]
    fn nothing_panics(text in ".{0,60}", digits in "-?[0-9]{0,45}(\\.[0-9]{0,45})?") {
        let _ = Money::parse(currency("USD"), &text);
        let _ = Money::parse(currency("JPY"), &digits);
        let _ = Rate::parse(&digits);
        let _ = Currency::parse(&text);
    }
}
