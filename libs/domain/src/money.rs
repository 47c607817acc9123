//! Exact amounts of money: integers of a currency's minor units, never floats.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An operation on money that has no exact or no representable result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The code is not an ISO 4217 currency that amounts are kept in.
    #[error("{code:?} is not an ISO 4217 currency code, such as USD")]
    UnknownCurrency {
        /// What was given, cut to a readable length.
        code: String,
    },
    /// Two amounts of different currencies met.
    #[error("{left} and {right} cannot be combined without a rate")]
    CurrencyMismatch {
        /// The currency of the first.
        left: Currency,
        /// The currency of the second.
        right: Currency,
    },
    /// The result does not fit 64 bits of minor units.
    #[error("the amount is too large")]
    Overflow,
    /// The text has more decimals than the currency has.
    #[error("{currency} has {exponent} decimals, {given} were given")]
    TooManyDecimals {
        /// The currency.
        currency: Currency,
        /// How many decimals it has.
        exponent: u8,
        /// How many were given.
        given: usize,
    },
    /// The text is not a plain decimal number.
    #[error("{text:?} is not a decimal number, such as -1054.50")]
    NotANumber {
        /// What was given, cut to a readable length.
        text: String,
    },
    /// There is nobody to split among: no weights, or all of them zero.
    #[error("an amount can only be split among weights that are not all zero")]
    NoWeights,
    /// A rate that is not positive, or has more than 18 decimals.
    #[error("a rate is positive and has at most {} decimals", Rate::MAX_SCALE)]
    InvalidRate,
}

/// Cut to what an error message can show.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// An ISO 4217 currency that amounts are kept in, by its three letters. Precious metals, test codes and other codes without
/// minor units are not among them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The currency of a code of three upper-case letters.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`] where the code is none, or names no currency with minor units.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        let known = iso_currency::Currency::from_code(code).filter(|known| known.code() == code);
        match (known.and_then(|known| known.exponent()), <[u8; 3]>::try_from(code.as_bytes())) {
            (Some(_), Ok(letters)) => Ok(Self(letters)),
            _ => Err(MoneyError::UnknownCurrency { code: shown(code) }),
        }
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("only ASCII letters are ever taken")
    }

    /// How many decimals an amount in it has: 2 for USD, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn exponent(self) -> u8 {
        let known = iso_currency::Currency::from_code(self.as_str()).and_then(|known| known.exponent());
        known.and_then(|exponent| u8::try_from(exponent).ok()).expect("only currencies with an exponent are ever taken")
    }

    /// How many minor units make one.
    fn unit(self) -> i64 {
        10_i64.pow(u32::from(self.exponent()))
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::parse(code)
    }
}

/// Three bytes in binary formats, the code where people read.
impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(self.as_str())
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
        } else {
            let letters = <[u8; 3]>::deserialize(deserializer)?;
            Self::parse(&String::from_utf8_lossy(&letters)).map_err(de::Error::custom)
        }
    }
}

/// An amount in a currency's minor units (cents, yen, fils).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// The currency.
    pub currency: Currency,
    /// Minor units; the currency says how many make one.
    pub minor: i64,
}

impl Money {
    /// So many minor units of a currency.
    #[must_use]
    pub fn new(currency: Currency, minor: i64) -> Self {
        Self { currency, minor }
    }

    /// Nothing, in a currency.
    #[must_use]
    pub fn zero(currency: Currency) -> Self {
        Self { currency, minor: 0 }
    }

    /// Whether it is below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The difference of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
    }

    /// Splits the amount by weights so that the parts sum to it exactly: each gets its share rounded towards zero, and the
    /// minor units left over go one each to the largest remainders, ties to the lower id. Parts come in the order of the
    /// weights; a weight of zero gets nothing.
    ///
    /// # Errors
    /// [`MoneyError::NoWeights`] where there are none or all are zero.
    pub fn split<I: Ord + Clone>(self, weights: &[(I, u64)]) -> Result<Vec<(I, Self)>, MoneyError> {
        let whole: u128 = weights.iter().map(|(_, weight)| u128::from(*weight)).sum();
        if whole == 0 {
            return Err(MoneyError::NoWeights);
        }
        let total = u128::from(self.minor.unsigned_abs());
        // Below 2^127: neither the product nor the sum of the weights can overflow.
        let shares = weights.iter().map(|(_, weight)| total * u128::from(*weight));
        let mut parts: Vec<u128> = shares.clone().map(|share| share / whole).collect();
        let remainders: Vec<u128> = shares.map(|share| share % whole).collect();
        let left = total - parts.iter().sum::<u128>();

        let mut order: Vec<usize> = (0..weights.len()).collect();
        order.sort_by(|a, b| remainders[*b].cmp(&remainders[*a]).then_with(|| weights[*a].0.cmp(&weights[*b].0)));
        // The remainders sum to `left * whole` and each is below `whole`, so more than `left` of them are not zero.
        for index in order.into_iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            parts[index] += 1;
        }
        let sign = i128::from(self.minor.signum());
        let parts = parts.into_iter().zip(weights).map(|(part, (id, _))| {
            let minor = i128::try_from(part).map(|part| part * sign).ok().and_then(|part| i64::try_from(part).ok());
            (id.clone(), Self { minor: minor.expect("a part is no larger than the whole"), ..self })
        });
        Ok(parts.collect())
    }

    /// The amount in another currency at a rate, rounded half to even.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn convert(self, to: Currency, rate: Rate) -> Result<Self, MoneyError> {
        let product = i128::from(self.minor) * i128::from(rate.mantissa);
        let shift = i32::from(to.exponent()) - i32::from(self.currency.exponent()) - i32::from(rate.scale);
        let power = 10_i128.pow(shift.unsigned_abs());
        let minor = if shift >= 0 {
            product.checked_mul(power).ok_or(MoneyError::Overflow)?
        } else {
            div_half_even(product, power)
        };
        let minor = i64::try_from(minor).map_err(|_| MoneyError::Overflow)?;
        Ok(Self { currency: to, minor })
    }

    /// Reads a plain decimal number as an amount: digits, at most one point, a `-` before what is negative. No grouping, no
    /// exponent, no `+`, no spaces.
    ///
    /// # Errors
    /// [`MoneyError::NotANumber`], [`MoneyError::TooManyDecimals`] (zeros at the end count too: they claim a precision
    /// that the currency lacks) or [`MoneyError::Overflow`].
    pub fn parse(currency: Currency, text: &str) -> Result<Self, MoneyError> {
        let (mantissa, scale) = decimal(text)?;
        let exponent = currency.exponent();
        if scale > usize::from(exponent) {
            return Err(MoneyError::TooManyDecimals { currency, exponent, given: scale });
        }
        // At most four: the exponent.
        let missing = u32::try_from(usize::from(exponent) - scale).map_err(|_| MoneyError::Overflow)?;
        let minor = mantissa.and_then(|mantissa| mantissa.checked_mul(10_i128.pow(missing)));
        let minor = minor.and_then(|minor| i64::try_from(minor).ok()).ok_or(MoneyError::Overflow)?;
        Ok(Self { currency, minor })
    }

    /// The amount as a plain decimal number with all decimals of the currency: `1054.50`.
    #[must_use]
    pub fn decimal(self) -> String {
        let digits = usize::from(self.currency.exponent());
        let (unit, minor) = (self.currency.unit().unsigned_abs(), self.minor.unsigned_abs());
        let sign = if self.is_negative() { "-" } else { "" };
        if digits == 0 {
            return format!("{sign}{minor}");
        }
        format!("{sign}{}.{:0digits$}", minor / unit, minor % unit)
    }
}

/// `1054.50 USD`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How an amount looks where people read it.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Money", deny_unknown_fields)]
struct Readable {
    currency: Currency,
    amount: String,
}

/// Currency and minor units in binary formats; `{"currency": "USD", "amount": "1054.50"}` where people read.
impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return Readable { currency: self.currency, amount: self.decimal() }.serialize(serializer);
        }
        (self.currency, self.minor).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let Readable { currency, amount } = Readable::deserialize(deserializer)?;
            return Self::parse(currency, &amount).map_err(de::Error::custom);
        }
        let (currency, minor) = <(Currency, i64)>::deserialize(deserializer)?;
        Ok(Self { currency, minor })
    }
}

/// How much of one currency one unit of another is: an exact decimal, `mantissa / 10^scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rate {
    mantissa: i64,
    scale: u8,
}

impl Rate {
    /// The most decimals a rate may have.
    pub const MAX_SCALE: u8 = 18;

    /// A rate of `mantissa / 10^scale`.
    ///
    /// # Errors
    /// [`MoneyError::InvalidRate`] where it is not positive or has more than [`Rate::MAX_SCALE`] decimals.
    pub fn new(mantissa: i64, scale: u8) -> Result<Self, MoneyError> {
        if mantissa <= 0 || scale > Self::MAX_SCALE {
            return Err(MoneyError::InvalidRate);
        }
        Ok(Self { mantissa, scale })
    }

    /// Reads a plain decimal number: `1.0845`.
    ///
    /// # Errors
    /// [`MoneyError::NotANumber`], [`MoneyError::Overflow`] or [`MoneyError::InvalidRate`].
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let (mantissa, scale) = decimal(text)?;
        let scale = u8::try_from(scale).map_err(|_| MoneyError::InvalidRate)?;
        let mantissa = mantissa.and_then(|mantissa| i64::try_from(mantissa).ok()).ok_or(MoneyError::Overflow)?;
        Self::new(mantissa, scale)
    }
}

/// Digits without the point, and how many of them were behind it. The mantissa is absent where it does not fit.
fn decimal(text: &str) -> Result<(Option<i128>, usize), MoneyError> {
    let refused = || MoneyError::NotANumber { text: shown(text) };
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, decimals) = match digits.split_once('.') {
        Some((_, "")) => return Err(refused()),
        Some(parts) => parts,
        None => (digits, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(decimals.bytes()).all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    let mantissa = whole
        .bytes()
        .chain(decimals.bytes())
        .try_fold(0_i128, |sum, byte| sum.checked_mul(10).and_then(|sum| sum.checked_add(i128::from(byte - b'0'))));
    Ok((mantissa.map(|mantissa| if negative { -mantissa } else { mantissa }), decimals.len()))
}

/// `numerator / denominator` rounded to the nearest integer, a half to the even one. The denominator is positive.
#[must_use]
pub fn div_half_even(numerator: i128, denominator: i128) -> i128 {
    let (floor, remainder) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    // Compared with what is missing to the next, not doubled: that could overflow.
    match remainder.cmp(&(denominator - remainder)) {
        std::cmp::Ordering::Less => floor,
        std::cmp::Ordering::Greater => floor + 1,
        std::cmp::Ordering::Equal => floor + floor.rem_euclid(2),
    }
}

#[cfg(test)]
mod tests;
