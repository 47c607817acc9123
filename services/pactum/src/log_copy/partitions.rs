//! The same work on every partition of a log, a few at a time.

use std::future::Future;

use pactum_log::Partition;
use tokio::task::JoinSet;

use super::error::LogCopyError;

/// Partitions read at once: enough for every core and disk, and a bound for what they hold in memory.
const AT_ONCE: usize = 8;

/// Works on all partitions, and gives the results in their order. The first failure ends the others.
pub(super) async fn each<T, F>(count: u32, work: impl Fn(Partition) -> F) -> Result<Vec<T>, LogCopyError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, LogCopyError>> + Send + 'static,
{
    let mut running = JoinSet::new();
    let mut waiting = 0..count;
    let mut done = Vec::new();
    loop {
        while running.len() < AT_ONCE
            && let Some(partition) = waiting.next()
        {
            let working = work(partition);
            running.spawn(async move { working.await.map(|result| (partition, result)) });
        }
        match running.join_next().await {
            Some(ended) => done.push(ended.map_err(|_| LogCopyError::Panicked)??),
            None => break,
        }
    }
    done.sort_by_key(|(partition, _)| *partition);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}
