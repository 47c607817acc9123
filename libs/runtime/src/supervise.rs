//! Everything that runs, what its end means, and a clean stop.

use std::future::Future;
use std::time::Duration;

use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

/// What the end of a task means for the process, as data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExit {
    /// The process cannot go on without it: any end before the stop stops everything.
    StopProcess,
    /// It may end by itself; only a failure stops everything.
    MayFinish,
}

/// Why a group ended.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// A task failed.
    #[error("{task} failed: {error}")]
    Failed {
        /// The task's name.
        task: &'static str,
        /// With what.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A task ended that must not.
    #[error("{0} ended before the stop")]
    TooEarly(&'static str),
    /// A task panicked: a bug.
    #[error("{0} panicked; please report this with the log")]
    Panicked(&'static str),
    /// Tasks did not end within the grace time and were cut off.
    #[error("{0} did not stop within the grace time and was cut off")]
    CutOff(String),
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The tasks of a process.
#[derive(Debug)]
pub struct Tasks {
    running: JoinSet<Outcome>,
    known: Vec<(Id, &'static str, OnExit)>,
    stop: CancellationToken,
}

impl Tasks {
    /// A group that the token stops.
    #[must_use]
    pub fn new(stop: CancellationToken) -> Self {
        Self { running: JoinSet::new(), known: Vec::new(), stop }
    }

    /// Starts a task. It must end soon after the group's token is cancelled.
    pub fn spawn<F, E>(&mut self, name: &'static str, on_exit: OnExit, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let handle = self.running.spawn(async move { task.await.map_err(Into::into) });
        self.known.push((handle.id(), name, on_exit));
    }

    /// Waits for the stop, or for the first task whose end means one; then stops all and waits for them, at most `grace`.
    ///
    /// # Errors
    /// [`Ended`]: the first thing that went wrong.
    pub async fn run(mut self, grace: Duration) -> Result<(), Ended> {
        let mut first = None;
        while first.is_none() {
            let ended = tokio::select! {
                () = self.stop.cancelled() => break,
                ended = self.running.join_next_with_id() => ended,
            };
            match ended {
                // What ends because of the stop may be seen before the stop itself.
                Some(ended) => {
                    let stopping = self.stop.is_cancelled();
                    first = self.judge(ended, stopping);
                }
                None => break,
            }
        }
        self.stop.cancel();
        let deadline = tokio::time::sleep(grace);
        tokio::pin!(deadline);
        while !self.running.is_empty() {
            tokio::select! {
                () = &mut deadline => {
                    let names: Vec<_> = self.known.iter().map(|(_, name, _)| *name).collect();
                    self.running.abort_all();
                    first.get_or_insert(Ended::CutOff(names.join(", ")));
                    break;
                }
                Some(ended) = self.running.join_next_with_id() => {
                    let wrong = self.judge(ended, true);
                    first = first.or(wrong);
                }
            }
        }
        first.map_or(Ok(()), Err)
    }

    fn judge(&mut self, ended: Result<(Id, Outcome), tokio::task::JoinError>, stopping: bool) -> Option<Ended> {
        let id = ended.as_ref().map_or_else(tokio::task::JoinError::id, |(id, _)| *id);
        let place = self.known.iter().position(|(known, ..)| *known == id)?;
        let (_, task, on_exit) = self.known.swap_remove(place);
        match ended {
            Err(error) if error.is_panic() => Some(Ended::Panicked(task)),
            Err(_) => None,
            Ok((_, Err(error))) => Some(Ended::Failed { task, error }),
            Ok((_, Ok(()))) if on_exit == OnExit::StopProcess && !stopping => Some(Ended::TooEarly(task)),
            Ok((_, Ok(()))) => None,
        }
    }
}

/// Cancels the token on SIGTERM or SIGINT. A second signal ends the process at once.
///
/// # Errors
/// Where the signals cannot be listened for.
pub fn stop_on_signals(stop: CancellationToken) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Deliberately outside any group: it must outlive all of them, and has nothing to clean up.
    tokio::spawn(async move {
        for first in [true, false] {
            let signal = tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            };
            if first {
                tracing::info!(signal, "stopping; a second signal ends at once");
                stop.cancel();
            } else {
                std::process::exit(130);
            }
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Error;

    const GRACE: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn a_failure_stops_the_others_and_is_named() {
        let stop = CancellationToken::new();
        let mut tasks = Tasks::new(stop.clone());
        tasks.spawn("waits", OnExit::StopProcess, {
            let stop = stop.clone();
            async move {
                stop.cancelled().await;
                Ok::<_, Error>(())
            }
        });
        tasks.spawn("fails", OnExit::MayFinish, async { Err(Error::other("boom")) });
        let ended = tasks.run(GRACE).await.expect_err("a failure is reported");
        assert_eq!(ended.to_string(), "fails failed: boom");
        assert!(stop.is_cancelled());
    }

    #[tokio::test]
    async fn an_early_end_counts_only_where_it_must_not_be() {
        let stop = CancellationToken::new();
        let mut tasks = Tasks::new(stop.clone());
        tasks.spawn("may", OnExit::MayFinish, async { Ok::<_, Error>(()) });
        tasks.spawn("must not", OnExit::StopProcess, async { Ok::<_, Error>(()) });
        assert_eq!(tasks.run(GRACE).await.expect_err("ended").to_string(), "must not ended before the stop");
    }

    #[tokio::test]
    async fn what_does_not_stop_is_cut_off_and_named() {
        let stop = CancellationToken::new();
        let mut tasks = Tasks::new(stop.clone());
        tasks.spawn("deaf", OnExit::StopProcess, std::future::pending::<Result<(), Error>>());
        stop.cancel();
        assert!(matches!(tasks.run(GRACE).await, Err(Ended::CutOff(names)) if names == "deaf"));
    }

    #[tokio::test]
    async fn a_panic_is_a_failure() {
        let mut tasks = Tasks::new(CancellationToken::new());
        tasks.spawn("breaks", OnExit::MayFinish, async {
            assert!(std::hint::black_box(false), "a bug");
            Ok::<(), Error>(())
        });
        assert!(matches!(tasks.run(GRACE).await, Err(Ended::Panicked("breaks"))));
    }
}
