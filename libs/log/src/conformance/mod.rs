//! What every log must do, whatever it is made of: one suite that all implementations run.
//!
//! A check that fails panics and says what was expected. An implementation's test gives a [`Factory`] and calls [`run`].

mod appends;
mod ends;
mod faults;
mod reads;
mod reopening;
mod support;

use crate::Log;
use async_trait::async_trait;
use std::sync::Arc;

/// Makes logs for the suite, and says what to expect of them.
#[async_trait]
pub trait Factory: Send + Sync {
    /// A new, empty log.
    async fn create(&self, partitions: u32) -> Arc<dyn Log>;

    /// A new, empty log whose append queue is so small that writing without pause fills it. `None` if it has no bound.
    async fn create_narrow(&self) -> Option<Arc<dyn Log>> {
        None
    }

    /// Closes the log and opens what it left behind. `None` if it leaves nothing.
    async fn reopen(&self, log: Arc<dyn Log>) -> Option<Arc<dyn Log>> {
        drop(log);
        None
    }

    /// The largest entry it takes; `None` if it takes any.
    fn max_entry_bytes(&self) -> Option<usize>;

    /// Whether every append arrives, once and in order. If not, only what holds for any log is checked.
    fn is_faultless(&self) -> bool {
        true
    }
}

/// Runs every check that applies.
///
/// # Panics
/// If a check fails.
pub async fn run(factory: &dyn Factory) {
    faults::readers_agree_and_prefixes_stay(factory).await;
    faults::nothing_is_invented(factory).await;
    faults::ends_cover_what_was_read(factory).await;
    faults::dropped_futures_lose_nothing(factory).await;
    appends::there_are_only_so_many_partitions(factory).await;
    if !factory.is_faultless() {
        return;
    }
    appends::entries_come_in_order_and_unchanged(factory).await;
    appends::each_appender_keeps_its_order(factory).await;
    appends::too_large_is_refused_and_the_largest_is_not(factory).await;
    appends::busy_means_not_appended(factory).await;
    appends::nothing_has_failed(factory).await;
    reads::any_offset_can_be_read_from(factory).await;
    reads::a_reader_beyond_the_end_waits(factory).await;
    reads::a_waiting_reader_gets_what_comes(factory).await;
    reads::no_more_than_asked_and_at_least_one(factory).await;
    ends::an_end_is_the_offset_after_the_last_entry(factory).await;
    reopening::everything_is_there_again(factory).await;
}
