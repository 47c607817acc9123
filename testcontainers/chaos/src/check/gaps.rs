//! How long clients had to do without.

use std::time::Duration;

use pactum_events::partition_of;

use crate::history::{History, Outcome, Time};

/// The longest time without an answered command, for each partition that the load uses, from the load's begin to its end.
#[must_use]
pub fn longest_gaps(history: &History, partitions: u32) -> Vec<(u32, Duration)> {
    let mut answered: Vec<Option<Vec<Time>>> = vec![None; partitions as usize];
    for call in &history.commands {
        let times = answered[partition_of(call.program(), partitions) as usize].get_or_insert_default();
        if matches!(call.outcome, Outcome::Answered { .. }) && call.returned >= history.began {
            times.push(call.returned);
        }
    }
    let gap = |(partition, times): (u32, Option<Vec<Time>>)| {
        let mut times = times?;
        times.push(history.ended);
        times.sort_unstable();
        let mut last = history.began;
        let longest = times.into_iter().map(|time| time.saturating_sub(std::mem::replace(&mut last, time))).max();
        Some((partition, Duration::from_nanos(longest.unwrap_or(0))))
    };
    (0..).zip(answered).filter_map(gap).collect()
}
