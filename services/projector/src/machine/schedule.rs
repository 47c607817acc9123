//! When a view is put aside, and which checkpoint goes when there are too many. Pure.

use std::time::Duration;

use super::options::AsOfOptions;

/// Whether a checkpoint is due: `grown` entries and `elapsed` time after the last one.
pub(super) fn is_due(options: &AsOfOptions, grown: u64, elapsed: Duration) -> bool {
    grown >= options.every_records || (grown > 0 && elapsed >= options.every)
}

/// The one that is missed least: whose neighbours are closest to each other, so that what is left is spread evenly. The log's
/// beginning counts as one. Never the newest; `None` where it is the only one. `offsets` are in order.
pub(super) fn missed_least(offsets: &[u64]) -> Option<usize> {
    let before = |index: usize| index.checked_sub(1).map_or(0, |before| offsets[before]);
    let candidates = 0..offsets.len().saturating_sub(1);
    candidates.min_by_key(|index| offsets[index + 1] - before(*index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_by_growth_or_by_time() {
        let options = AsOfOptions { every_records: 100, every: Duration::from_secs(60), ..Default::default() };
        for (grown, seconds, due) in [(0, 1_000, false), (1, 59, false), (1, 60, true), (99, 0, false), (100, 0, true)]
        {
            assert_eq!(is_due(&options, grown, Duration::from_secs(seconds)), due, "{grown} after {seconds}s");
        }
    }

    #[test]
    fn the_newest_stays() {
        assert_eq!(missed_least(&[]), None);
        assert_eq!(missed_least(&[5]), None);
        assert_eq!(missed_least(&[5, 6]), Some(0));
        assert_eq!(missed_least(&[10, 110, 200, 300]), Some(0));
        assert_eq!(missed_least(&[100, 110, 200, 300]), Some(1));
        assert_eq!(missed_least(&[100, 200, 210, 300]), Some(2));
    }

    /// However long the history, no moment is much further from a checkpoint than were they perfectly even.
    #[test]
    fn what_is_left_is_even() {
        const KEEP: usize = 32;
        let mut kept: Vec<u64> = Vec::new();
        for step in 1..=10_000u64 {
            kept.push(step * 100);
            if kept.len() > KEEP {
                let victim = missed_least(&kept);
                kept.remove(victim.unwrap_or(0));
            }
            let widest = std::iter::once(&0).chain(&kept).zip(&kept).map(|(from, to)| to - from).max();
            let even = step * 100 / KEEP as u64;
            assert!(widest <= Some(4 * even.max(100)), "{widest:?} after {step}");
            assert_eq!(kept.last(), Some(&(step * 100)));
        }
    }
}
