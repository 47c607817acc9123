#![expect(clippy::unwrap_used, reason = "tests")]
use proptest::prelude::*;

use super::*;

#[test]
fn moments_and_their_text() {
    let rows = [
        ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
        ("1900-01-01T00:00:00Z", Timestamp::MIN.0, "1900-01-01T00:00:00Z"),
        ("2199-12-31T23:59:59.999999Z", Timestamp::MAX.0, "2199-12-31T23:59:59.999999Z"),
        ("2000-02-29T12:00:00+02:00", 951_818_400_000_000, "2000-02-29T10:00:00Z"),
        ("1969-12-31t23:59:59.5z", -500_000, "1969-12-31T23:59:59.5Z"),
        // Finer than a microsecond: to the one begun, before 1970 too.
        ("1970-01-01T00:00:00.0000019Z", 1, "1970-01-01T00:00:00.000001Z"),
        ("1969-12-31T23:59:59.9999999Z", -1, "1969-12-31T23:59:59.999999Z"),
    ];
    for (text, micros, shown) in rows {
        let moment = Timestamp::parse(text).unwrap();
        assert_eq!((moment.0, moment.to_string().as_str()), (micros, shown), "{text}");
    }
}

/// One row per refusal.
#[test]
fn text_that_is_no_time() {
    for text in [
        "",
        "2017-03-31",
        "2017-03-31T09:30:00",
        "2017-03-31 09:30:00Z",
        "2017-02-29T00:00:00Z",
        "2017-03-31T24:00:01Z",
        "2017-13-01T00:00:00Z",
        "2017-03-31T09:30:00+01:00[Europe/Berlin]",
        "17-03-31T09:30:00.000Z",
        "２０１７-03-31T09:30:00Z",
    ] {
        assert!(matches!(Timestamp::parse(text), Err(InvalidTime::Malformed { .. })), "{text:?}");
    }
    for text in
        ["1899-12-31T23:59:59.999999Z", "2200-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "1900-01-01T00:30:00+01:00"]
    {
        assert_eq!(Timestamp::parse(text), Err(InvalidTime::OutOfRange(OutOfRange)), "{text}");
    }
    for text in [
        "",
        "2017-3-31",
        "2017-03-1",
        "2017-02-29",
        "1900-02-29",
        "2017-00-01",
        "20170331",
        "2017-03-31T",
        "+017-03-31",
        "2017/03/31",
        "201é-03-31",
    ] {
        assert!(matches!(Date::parse(text), Err(InvalidTime::Malformed { .. })), "{text:?}");
    }
    for text in ["1899-12-31", "2200-01-01", "0000-01-01"] {
        assert_eq!(Date::parse(text), Err(InvalidTime::OutOfRange(OutOfRange)), "{text}");
    }
    for text in ["", "2017", "2017-13", "2017-00", "2017-3", "2017-003", "17-03", "2017-03-01"] {
        assert!(matches!(Month::parse(text), Err(InvalidTime::Malformed { .. })), "{text:?}");
    }
    for text in ["1899-12", "2200-01"] {
        assert_eq!(Month::parse(text), Err(InvalidTime::OutOfRange(OutOfRange)), "{text}");
    }
    for micros in [Timestamp::MIN.0 - 1, Timestamp::MAX.0 + 1, i64::MIN, i64::MAX] {
        assert_eq!(Timestamp::new(micros), Err(OutOfRange));
    }
}

#[test]
fn days_at_the_edges() {
    let rows = [
        ((1900, 1, 1), Date::MIN.0),
        ((1969, 12, 31), -1),
        ((1970, 1, 1), 0),
        ((2000, 2, 29), 11_016),
        ((2100, 2, 28), 47_540),
        ((2100, 3, 1), 47_541),
        ((2199, 12, 31), Date::MAX.0),
    ];
    for ((year, month, day), days) in rows {
        let date = Date::from_ymd(year, month, day).unwrap();
        assert_eq!((date.0, date.ymd()), (days, (year, month, day)));
        assert_eq!(date.start().date(), date);
        assert_eq!(Timestamp(date.start().0 - 1).date(), Date(days - 1));
        assert_eq!(date.month(), Month { year: i16::try_from(year).unwrap(), month: u8::try_from(month).unwrap() });
    }
    assert_eq!((Date::MIN.start(), Date::MAX.start().0 + DAY - 1), (Timestamp::MIN, Timestamp::MAX.0));
    for (year, month, day) in [
        (1899, 12, 31),
        (2200, 1, 1),
        (2001, 2, 29),
        (2100, 2, 29),
        (2000, 13, 1),
        (2000, 0, 1),
        (2000, 1, 0),
        (i32::MAX, 1, 1),
        (2000, u32::MAX, 1),
    ] {
        assert_eq!(Date::from_ymd(year, month, day), None, "{year}-{month}-{day}");
    }
}

#[test]
fn windows_stay_in_range() {
    let moment = Timestamp::parse("2016-02-29T08:00:00Z").unwrap();
    assert_eq!(moment.plus_days(90).to_string(), "2016-05-29T08:00:00Z");
    assert_eq!(moment.plus_days(-60).to_string(), "2015-12-31T08:00:00Z");
    assert_eq!(moment.plus_days(i64::MAX), Timestamp::MAX);
    assert_eq!(moment.plus_days(i64::MIN), Timestamp::MIN);
}

#[test]
fn months() {
    let month = Month::parse("2016-12").unwrap();
    assert_eq!((month.next().to_string(), month.next().next().to_string()), ("2017-01".into(), "2017-02".into()));
    assert_eq!(serde_json::to_string(&month).unwrap(), r#""2016-12""#);
    // As two integers, year first.
    assert_eq!(postcard::to_allocvec(&month).unwrap(), postcard::to_allocvec(&(2016_i16, 12_u8)).unwrap());
    assert!(postcard::from_bytes::<Month>(&postcard::to_allocvec(&(2016_i16, 13_u8)).unwrap()).is_err());
}

#[test]
fn stored_as_integers() {
    assert_eq!(postcard::to_allocvec(&Timestamp(-1)).unwrap(), [1]);
    assert_eq!(postcard::to_allocvec(&Date(1)).unwrap(), [2]);
    assert_eq!(serde_json::to_string(&Timestamp(-500_000)).unwrap(), r#""1969-12-31T23:59:59.5Z""#);
    assert_eq!(serde_json::to_string(&Date(0)).unwrap(), r#""1970-01-01""#);
    assert!(serde_json::from_str::<Timestamp>("5").is_err());
    assert!(serde_json::from_str::<Date>(r#""1970-02-30""#).is_err());
}

proptest! {
    #[test]
    fn everything_round_trips(micros in Timestamp::MIN.0..=Timestamp::MAX.0) {
        let moment = Timestamp(micros);
        prop_assert_eq!(Timestamp::parse(&moment.to_string()).unwrap(), moment);
        prop_assert_eq!(postcard::from_bytes::<Timestamp>(&postcard::to_allocvec(&moment).unwrap()).unwrap(), moment);
        let date = moment.date();
        prop_assert!(date.start() <= moment && moment < Timestamp(date.start().0 + DAY));
        prop_assert_eq!(Date::parse(&date.to_string()).unwrap(), date);
        prop_assert_eq!(postcard::from_bytes::<Date>(&postcard::to_allocvec(&date).unwrap()).unwrap(), date);
        let (year, month, day) = date.ymd();
        prop_assert_eq!(Date::from_ymd(year, month, day), Some(date));
        prop_assert_eq!(Month::parse(&date.month().to_string()).unwrap(), date.month());
    }

    #[test]
    fn nothing_panics(text in ".{0,40}", digits in "[0-9TtZz:.+-]{0,40}", micros: i64, days: i32) {
        for text in [text, digits] {
            let _ = (Timestamp::parse(&text), Date::parse(&text), Month::parse(&text));
        }
        let _ = (Timestamp(micros).to_string(), Timestamp(micros).date(), Timestamp(micros).plus_days(days.into()));
        let _ = (Date(days).to_string(), Date(days).month().next(), Date(days).start());
    }
}
