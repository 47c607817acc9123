//! When registrations come in.

use pactum_domain::time::{DAY, Date, Timestamp};

use super::chance::Chance;
use super::shape;

/// The registrations of a history, one after another, spread over its days.
pub(super) struct Calendar {
    /// The first day.
    first: i32,
    /// For each day, the share of all registrations that come before it ends.
    shares: Vec<f64>,
    count: u64,
    /// The day in hand, how many of its registrations there are, and which is next.
    day: usize,
    of_day: u64,
    next: u64,
    before: u64,
}

/// The hours of a day in which business is done.
const OPENS: f64 = 6.0 / 24.0;
const OPEN: f64 = 13.0 / 24.0;

impl Calendar {
    /// So many registrations on whole days between two moments.
    pub(super) fn new(from: Timestamp, until: Timestamp, count: u64) -> Self {
        let (first, last) = (from.date().0 + 1, until.date().0);
        let mut sum = 0.0;
        let mut shares: Vec<f64> = (first..last.max(first + 1))
            .map(|day| {
                sum += weight(day, day - first);
                sum
            })
            .collect();
        shares.iter_mut().for_each(|share| *share /= sum);
        let mut calendar = Self { first, shares, count, day: 0, of_day: 0, next: 0, before: 0 };
        calendar.of_day = calendar.until(0);
        calendar
    }

    /// How many come up to the end of a day.
    fn until(&self, day: usize) -> u64 {
        (self.shares.get(day).copied().unwrap_or(1.0) * self.count as f64).round() as u64
    }

    /// The moment of the next one; they come in order.
    pub(super) fn next(&mut self, chance: &mut Chance) -> Option<Timestamp> {
        while self.next == self.of_day {
            self.before += self.of_day;
            self.day += 1;
            if self.day >= self.shares.len() {
                return None;
            }
            self.next = 0;
            self.of_day = self.until(self.day) - self.before;
        }
        let part = (self.next as f64 + chance.even()) / self.of_day as f64;
        self.next += 1;
        let day = Date(self.first + i32::try_from(self.day).unwrap_or(i32::MAX)).start();
        Some(Timestamp(day.0 + ((OPENS + OPEN * part) * DAY as f64) as i64))
    }
}

fn weight(day: i32, since: i32) -> f64 {
    let (_, month, _) = Date(day).ymd();
    // 1970-01-01 was a Thursday.
    let weekend = matches!((day + 3).rem_euclid(7), 5 | 6);
    let season = shape::QUARTER[(month as usize - 1) % 3];
    shape::GROWTH_A_YEAR.powf(f64::from(since) / 365.25) * season * if weekend { shape::WEEKEND } else { 1.0 }
}

/// The day on which a win is signed that would be on a given one: some wait for the end of the quarter.
pub(super) fn signed(chance: &mut Chance, at: i64) -> i64 {
    let (year, month, day) = Timestamp(at).date().ymd();
    if !(month - 1).is_multiple_of(3) {
        return at;
    }
    let wait = chance.even();
    let months = if wait < shape::WAITS_FOR_QUARTER_END {
        2
    } else if wait < shape::WAITS_FOR_QUARTER_END + shape::WAITS_A_MONTH {
        1
    } else {
        return at;
    };
    match Date::from_ymd(year, month + months, day.min(28)) {
        Some(then) => then.start().0 + at.rem_euclid(DAY),
        None => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_come_in_order_between_the_two_moments() {
        let (from, until) = (Timestamp(1_600_000_000_000_000), Timestamp(1_700_000_000_000_000));
        for count in [0, 1, 7, 5_000] {
            let mut chance = Chance::new(1, 1);
            let mut calendar = Calendar::new(from, until, count);
            let moments: Vec<Timestamp> = std::iter::from_fn(|| calendar.next(&mut chance)).collect();
            assert_eq!(moments.len() as u64, count);
            assert!(moments.is_sorted());
            assert!(moments.iter().all(|moment| (from..until).contains(moment)));
        }
    }

    #[test]
    fn quarters_end_with_more_wins_than_they_begin_with() {
        let mut chance = Chance::new(1, 1);
        let mut months = [0_u32; 3];
        for day in 0..30_000 {
            let at = signed(&mut chance, i64::from(day % 3_650) * DAY);
            let (_, month, _) = Timestamp(at).date().ymd();
            months[(month as usize - 1) % 3] += 1;
        }
        let share = |month: usize| f64::from(months[month]) / 30_000.0;
        assert!((share(0) - 0.235).abs() < 0.02 && (share(2) - 0.417).abs() < 0.02, "{months:?}");
    }
}
