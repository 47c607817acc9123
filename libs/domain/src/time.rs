//! Time as the domain sees it: given, never read from a clock.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Microseconds in a day.
pub const DAY: i64 = 86_400_000_000;

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A moment outside the years 1900 to 2200: a slip of the unit or of the hand, never a date of business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time is outside 1900-01-01 to 2199-12-31")]
pub struct OutOfRange;

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

    /// The moment `days` later (or earlier), held within the range of business dates.
    #[must_use]
    pub fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(DAY))).clamp(Self::MIN, Self::MAX)
    }

    /// The UTC day this moment lies in.
    #[must_use]
    pub fn date(self) -> Date {
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

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A calendar day: days since 1970-01-01.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Date(pub i32);

impl Date {
    /// The day of a year, month and day of the proleptic Gregorian calendar, from 1900 to 2199.
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        let (year, month, day) = (i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        let date = jiff::civil::Date::new(year, month, day).ok().filter(|date| (1900..2200).contains(&date.year()))?;
        let span = date - jiff::civil::date(1970, 1, 1);
        Some(Self(span.get_days()))
    }

    /// The day's first moment, in UTC.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp(i64::from(self.0) * DAY)
    }

    /// The month this day lies in.
    #[must_use]
    pub fn month(self) -> Month {
        let civil = self.civil();
        Month { year: civil.year(), month: u8::try_from(civil.month()).unwrap_or(1) }
    }

    /// Year, month and day.
    #[must_use]
    pub fn ymd(self) -> (i32, u32, u32) {
        let civil = self.civil();
        (i32::from(civil.year()), civil.month().unsigned_abs().into(), civil.day().unsigned_abs().into())
    }

    fn civil(self) -> jiff::civil::Date {
        jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(self.0.clamp(-719_000, 2_932_000)))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.civil())
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A calendar month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Month {
    /// The year.
    pub year: i16,
    /// The month, 1 to 12.
    pub month: u8,
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}
