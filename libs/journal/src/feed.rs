//! A reader that is opened again when it breaks.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use pactum_log::{Entry, Log, LogError, Offset, Partition, Reader};

const PAUSE: Duration = Duration::from_millis(200);

/// The entries of a partition, whatever happens to the connection.
pub(crate) struct Feed {
    log: Arc<dyn Log>,
    partition: Partition,
    state: State,
}

enum State {
    Closed,
    Opening(BoxFuture<'static, Result<Box<dyn Reader>, LogError>>),
    Open(Box<dyn Reader>),
    Pausing(BoxFuture<'static, ()>),
}

impl Feed {
    pub(crate) fn new(log: Arc<dyn Log>, partition: Partition) -> Self {
        Self { log, partition, state: State::Closed }
    }

    /// Waits for the entries from `from` on, which must be where the last ones ended. After an error the next call opens
    /// the partition again, after a pause. Cancel-safe.
    pub(crate) async fn next(&mut self, from: Offset, max: usize) -> Result<Vec<Entry>, LogError> {
        loop {
            let failed = match &mut self.state {
                State::Closed => {
                    let (log, partition) = (Arc::clone(&self.log), self.partition);
                    self.state = State::Opening(async move { log.reader(partition, from).await }.boxed());
                    continue;
                }
                State::Opening(opening) => match opening.await {
                    Ok(reader) => {
                        self.state = State::Open(reader);
                        continue;
                    }
                    Err(error) => error,
                },
                State::Open(reader) => match reader.next(max).await {
                    Ok(entries) => return Ok(entries),
                    Err(error) => error,
                },
                State::Pausing(pause) => {
                    pause.await;
                    self.state = State::Closed;
                    continue;
                }
            };
            self.state = State::Pausing(tokio::time::sleep(PAUSE).boxed());
            return Err(failed);
        }
    }
}
