//! Time as the domain sees it: given, never read from a clock.
//!
//! Binary formats keep plain integers; where people read, moments are RFC 3339 in UTC, days are `2017-03-31` and months
//! `2017-03`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Microseconds in a day.
pub const DAY: i64 = 86_400_000_000;

/// The years that business dates lie in.
const YEARS: std::ops::Range<i16> = 1900..2200;

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

/// A moment outside the years 1900 to 2200: a slip of the unit or of the hand, never a date of business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time is outside 1900-01-01 to 2199-12-31")]
pub struct OutOfRange;

/// Text that is not a time of the kind expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTime {
    /// It does not have the shape, or names a moment that the calendar does not have.
    #[error("{text:?} is not {expected}")]
    Malformed {
        /// What was given, cut to a readable length.
        text: String,
        /// What was expected, with an example.
        expected: &'static str,
    },
    /// It does, but in no year of business.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
}

fn malformed(text: &str, expected: &'static str) -> InvalidTime {
    InvalidTime::Malformed { text: text.chars().take(40).collect(), expected }
}

impl Timestamp {
    /// 1900-01-01T00:00:00Z.
    pub const MIN: Self = Self(-2_208_988_800_000_000);
    /// The last microsecond of 2199.
    pub const MAX: Self = Self(7_258_118_399_999_999);

    /// Takes a moment in the range that business dates have.
    ///
    /// # Errors
    /// [`OutOfRange`] where it is before 1900 or after 2199.
    pub fn new(micros: i64) -> Result<Self, OutOfRange> {
        let moment = Self(micros);
        if (Self::MIN..=Self::MAX).contains(&moment) { Ok(moment) } else { Err(OutOfRange) }
    }

    /// Reads RFC 3339: `2017-03-31T09:30:00Z`, or with an offset or a fraction of a second. What is finer than a microsecond
    /// is dropped.
    ///
    /// # Errors
    /// [`InvalidTime`].
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        let expected = "an RFC 3339 time, such as 2017-03-31T09:30:00Z";
        let shaped = text.len() >= 20
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                10 => byte.eq_ignore_ascii_case(&b'T'),
                13 | 16 => byte == b':',
                0..19 => byte.is_ascii_digit(),
                _ => byte.is_ascii_digit() || b"Zz+-:.".contains(&byte),
            });
        let time = Some(text).filter(|_| shaped).and_then(|text| jiff::Timestamp::from_str(text).ok());
        let nanos = time.ok_or_else(|| malformed(text, expected))?.as_nanosecond();
        Ok(Self::new(i64::try_from(nanos.div_euclid(1000)).map_err(|_| OutOfRange)?)?)
    }

    /// The moment `days` later (or earlier), held within the range of business dates.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(DAY))).clamp(Self::MIN, Self::MAX)
    }

    /// The UTC day this moment lies in.
    #[must_use]
    pub fn date(self) -> Date {
        // Every moment of 64 bits lies within 107 million days of 1970.
        Date(i32::try_from(self.0.div_euclid(DAY)).unwrap_or(i32::MAX))
    }

    fn jiff(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_microsecond(self.0).ok()
    }
}

/// RFC 3339, in UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.jiff() {
            Some(time) => write!(f, "{time}"),
            None => write!(f, "{}us", self.0),
        }
    }
}

/// A calendar day: days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date(pub i32);

impl Date {
    /// 1900-01-01.
    pub const MIN: Self = Self(-25_567);
    /// 2199-12-31.
    pub const MAX: Self = Self(84_005);

    /// The day of a year, month and day of the proleptic Gregorian calendar, from 1900 to 2199.
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        let (year, month, day) = (i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        let date = jiff::civil::Date::new(year, month, day).ok().filter(|date| YEARS.contains(&date.year()))?;
        let span = date - jiff::civil::date(1970, 1, 1);
        Some(Self(span.get_days()))
    }

    /// Reads an ISO 8601 date: `2017-03-31`.
    ///
    /// # Errors
    /// [`InvalidTime`].
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        let refused = || malformed(text, "a date, such as 2017-03-31");
        let (month, day) =
            Some(text).filter(|text| text.len() == 10).and_then(|text| text.rsplit_once('-')).ok_or_else(refused)?;
        let month = Month::digits(month).ok_or_else(refused)?;
        let day = two_digits(day).ok_or_else(refused)?;
        let date =
            jiff::civil::Date::new(month.year, month.month.cast_signed(), day.cast_signed()).map_err(|_| refused())?;
        let (year, month, day) =
            (date.year().into(), date.month().unsigned_abs().into(), date.day().unsigned_abs().into());
        Ok(Self::from_ymd(year, month, day).ok_or(OutOfRange)?)
    }

    /// The day's first moment, in UTC.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp(i64::from(self.0).saturating_mul(DAY))
    }

    /// The month this day lies in.
    #[must_use]
    pub fn month(self) -> Month {
        let civil = self.civil();
        Month { year: civil.year(), month: civil.month().unsigned_abs() }
    }

    /// Year, month and day.
    #[must_use]
    pub fn ymd(self) -> (i32, u32, u32) {
        let civil = self.civil();
        (i32::from(civil.year()), civil.month().unsigned_abs().into(), civil.day().unsigned_abs().into())
    }

    /// The calendar's day, held within the years 1 to 9999: a day from stored bytes may be any integer.
    fn civil(self) -> jiff::civil::Date {
        jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(self.0.clamp(-719_162, 2_932_896)))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.civil())
    }
}

/// A calendar month.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    /// The year.
    pub year: i16,
    /// The month, 1 to 12.
    pub month: u8,
}

impl Month {
    /// Reads an ISO 8601 month: `2017-03`.
    ///
    /// # Errors
    /// [`InvalidTime`].
    pub fn parse(text: &str) -> Result<Self, InvalidTime> {
        let month = Self::digits(text).ok_or_else(|| malformed(text, "a month, such as 2017-03"))?;
        if YEARS.contains(&month.year) { Ok(month) } else { Err(OutOfRange.into()) }
    }

    /// The month after this one.
    #[must_use]
    pub fn next(self) -> Self {
        if self.month >= 12 {
            Self { year: self.year.saturating_add(1), month: 1 }
        } else {
            Self { month: self.month + 1, ..self }
        }
    }

    fn digits(text: &str) -> Option<Self> {
        let (year, month) = text.split_once('-')?;
        let (century, decade) = year.split_at_checked(2)?;
        let year = i16::from(two_digits(century)?) * 100 + i16::from(two_digits(decade)?);
        let month = two_digits(month).filter(|month| (1..=12).contains(month))?;
        Some(Self { year, month })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

fn two_digits(text: &str) -> Option<u8> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// The stored form of a type and its text for people.
macro_rules! stored_as {
    ($($name:ident as $stored:ty: $to:expr, $from:expr;)*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidTime;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    return serializer.collect_str(self);
                }
                let stored: fn($name) -> $stored = $to;
                stored(*self).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    return Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom);
                }
                let taken: fn($stored) -> Option<$name> = $from;
                taken(<$stored>::deserialize(deserializer)?).ok_or_else(|| de::Error::custom("not a month of the calendar"))
            }
        }
    )*};
}

stored_as! {
    Timestamp as i64: |moment| moment.0, |micros| Some(Timestamp(micros));
    Date as i32: |date| date.0, |days| Some(Date(days));
    Month as (i16, u8): |month| (month.year, month.month),
        |(year, month)| (1..=12).contains(&month).then_some(Month { year, month });
}

#[cfg(test)]
mod tests;
