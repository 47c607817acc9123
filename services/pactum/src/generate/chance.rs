//! Chance, from a seed.

use pactum_domain::time::DAY;
use pactum_events::Request;
use pactum_ids::RequestId;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::shape;

/// The shares of a distribution that is given by seven of its quantiles.
const QUANTILES: [f64; 7] = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0];

/// A stream of chances. The same seed and number give the same.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    /// The stream of a program, by its number.
    pub(super) fn new(seed: u64, number: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(number);
        Self(rng)
    }

    /// Evenly from 0 up to 1.
    pub(super) fn even(&mut self) -> f64 {
        self.0.random()
    }

    /// True in so many of one.
    pub(super) fn happens(&mut self, share: f64) -> bool {
        self.even() < share
    }

    /// Evenly from `least` up to `most`.
    pub(super) fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * self.even()
    }

    /// One of `count`, evenly.
    pub(super) fn of(&mut self, count: usize) -> usize {
        if count < 2 { 0 } else { self.0.random_range(0..count) }
    }

    /// So many days, in microseconds.
    pub(super) fn days(&mut self, least: f64, most: f64) -> i64 {
        (self.between(least, most) * DAY as f64) as i64
    }

    /// One of `count` by Zipf's law: the first about twice as often as the second. The inverse of the integral of `1/x`.
    pub(super) fn zipf(&mut self, count: usize) -> usize {
        let rank = ((count as f64 + 1.0).ln() * self.even()).exp() - 1.0;
        (rank as usize).min(count.saturating_sub(1))
    }

    /// One of `count` by a power law: of the first part `x` of them, a share of `x` to the power of the parameter.
    pub(super) fn power(&mut self, count: u64) -> u64 {
        let rank = self.even().powf(1.0 / shape::ACCOUNT_POWER) * count as f64;
        (rank as u64).min(count.saturating_sub(1))
    }

    /// A value of a distribution with these quantiles, evenly between them.
    pub(super) fn quantile(&mut self, values: &[f64; 7]) -> f64 {
        let share = self.even();
        let above = QUANTILES.iter().position(|quantile| share < *quantile).unwrap_or(6).max(1);
        let (low, high) = (QUANTILES[above - 1], QUANTILES[above]);
        values[above - 1] + (values[above] - values[above - 1]) * (share - low) / (high - low)
    }

    /// A number of 64 bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.random()
    }

    /// What a caller's client gives with a request: a random UUID, and a hash of what it says. Nobody repeats these
    /// requests, so the hash only has to be one of its size.
    pub(super) fn request(&mut self) -> Request {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut bytes: [u8; 16] = self.0.random();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (number, byte) in bytes.iter().enumerate() {
            if matches!(number, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
        let id = str::from_utf8(&text).ok().and_then(|text| RequestId::new(text).ok());
        Request { id: id.expect("hexadecimal digits and dashes are a request id"), content_hash: self.0.random() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_a_uuid_of_version_four() {
        let request = Chance::new(1, 2).request();
        let id = request.id.as_str();
        assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{id}");
        assert_eq!(id.as_bytes()[14], b'4', "{id}");
        assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{id}");
        assert_eq!(Chance::new(1, 2).request(), request);
        assert_ne!(Chance::new(1, 3).request(), request);
    }

    #[test]
    fn distributions_have_the_shares_that_they_are_given_by() {
        let mut chance = Chance::new(7, 0);
        let mut values: Vec<f64> = (0..20_000).map(|_| chance.quantile(&shape::DAYS_TO_WIN)).collect();
        values.sort_by(f64::total_cmp);
        for (share, expected) in [(0.25, 9.0), (0.5, 57.0), (0.75, 88.0), (0.95, 116.0)] {
            let found = values[(20_000.0 * share) as usize];
            assert!((found - expected).abs() < 2.5, "{share}: {found}");
        }
        let first = (0..20_000).filter(|_| chance.zipf(200) == 0).count() as f64 / 20_000.0;
        assert!((first - 2.0_f64.ln() / 201.0_f64.ln()).abs() < 0.02, "{first}");
        let head = (0..20_000).filter(|_| chance.power(1_000) < 200).count() as f64 / 20_000.0;
        assert!((head - 0.2_f64.powf(shape::ACCOUNT_POWER)).abs() < 0.02, "{head}");
    }
}
