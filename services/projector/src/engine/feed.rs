//! Reading a partition once for several views: a task reads ahead, decoders decode, and each view takes the chunks at its
//! own pace.
//!
//! The feed keeps the chunks that some view has not taken, up to a bound. A view that takes none while the others wait is
//! let go after a moment and reads on by a feed of its own, so that it never holds up another for longer than that.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pactum_journal::{FollowError, Follower, Position};
use pactum_log::{Log, Partition};
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::RETRY;
use super::chunk::{Chunk, Decoders, Told};
use crate::fold::chain;

/// Chunks a feed keeps, at most.
const KEPT: usize = 8;

/// How long the others wait for a view that takes nothing.
const PATIENCE: Duration = Duration::from_millis(250);

/// How often the log's end is asked for while there is something to read.
const ASK_END_EVERY: Duration = Duration::from_millis(100);

/// How long to wait for entries before looking up.
const LOOK_UP: Duration = Duration::from_secs(1);

/// So few records are decoded by the reader: handing them over would take longer.
const FEW: usize = 64;

/// What feeds of a process share.
pub(crate) struct FeedParts {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) decoders: Decoders,
    /// How many chunks there may be.
    pub(crate) room: Arc<Semaphore>,
    /// How many entries a chunk has, at most.
    pub(crate) batch: usize,
    pub(crate) stop: CancellationToken,
}

/// A partition being read from some place on.
pub(crate) struct Feed {
    state: Mutex<State>,
    /// Changes with everything a view may wait for.
    news: watch::Sender<()>,
    /// Wakes the reader when a view has taken a chunk.
    taken: Notify,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<Arc<Chunk>>,
    /// The number of the first chunk kept; chunks are counted from 0.
    first: u64,
    /// The offset after the last chunk.
    next: u64,
    cursors: HashMap<u64, Cursor>,
    last_cursor: u64,
    /// The log's end, when it was last asked.
    end: Option<u64>,
    trouble: Option<Arc<str>>,
    failed: Option<Arc<str>>,
    closed: bool,
}

/// Where a view is.
struct Cursor {
    /// The number of the chunk it takes next.
    chunk: u64,
    since: Instant,
    /// Whether it asked for a chunk that is not there yet.
    waits: bool,
}

/// What a feed has for a view.
pub(crate) enum Fed {
    /// Records to fold.
    Chunk(Arc<Chunk>),
    /// Nothing yet; the view has seen everything that was read.
    Nothing,
    /// The log cannot be read for now.
    Trouble(Arc<str>),
    /// The log cannot be read any further.
    Failed(Arc<str>),
    /// The view was let go, or the feed ended.
    Gone,
}

/// A view's place in a feed.
pub(crate) struct Subscription {
    feed: Arc<Feed>,
    id: u64,
    news: watch::Receiver<()>,
}

impl Feed {
    /// Starts to read at a position, with a view that takes from there.
    pub(crate) fn start(
        parts: Arc<FeedParts>,
        partition: Partition,
        from: Position,
        runtime: &tokio::runtime::Handle,
    ) -> Arc<Self> {
        let state = State { next: from.offset, ..State::default() };
        let feed = Self { state: Mutex::new(state), news: watch::Sender::new(()), taken: Notify::new() };
        let feed = Arc::new(feed);
        runtime.spawn(Arc::clone(&feed).read(parts, partition, from));
        feed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a view take from an offset on, if the feed has not gone past it.
    pub(crate) fn subscribe(self: &Arc<Self>, offset: u64) -> Option<Subscription> {
        let mut state = self.state();
        if !state.covers(offset) {
            return None;
        }
        let passed = state.chunks.iter().take_while(|chunk| chunk.position.offset <= offset).count();
        let cursor = Cursor { chunk: state.first + passed as u64, since: Instant::now(), waits: false };
        state.last_cursor += 1;
        let id = state.last_cursor;
        state.cursors.insert(id, cursor);
        drop(state);
        Some(Subscription { feed: Arc::clone(self), id, news: self.news.subscribe() })
    }

    /// Whether a view at that offset could take part, and how far the feed has read.
    pub(crate) fn reach(&self, offset: u64) -> Option<u64> {
        let state = self.state();
        state.covers(offset).then_some(state.next)
    }

    /// Whether nobody can take from it any more.
    pub(crate) fn is_over(&self) -> bool {
        let state = self.state();
        state.closed || state.failed.is_some()
    }

    async fn read(self: Arc<Self>, parts: Arc<FeedParts>, partition: Partition, from: Position) {
        let mut position = from;
        loop {
            let stop = parts.stop.clone();
            let ended = tokio::select! {
                biased;
                () = stop.cancelled() => Ok(()),
                ended = self.follow(&parts, partition, &mut position) => ended,
            };
            match ended {
                Ok(()) => return self.close(),
                Err(error @ FollowError::Log { .. }) => {
                    let why = format!("the log cannot be read: {}", chain(&error));
                    tracing::warn!(partition, %why, "the views wait");
                    self.state().trouble = Some(why.into());
                    self.news.send_replace(());
                    tokio::select! {
                        () = parts.stop.cancelled() => {}
                        () = tokio::time::sleep(RETRY) => {}
                    }
                }
                Err(error) => {
                    let mut state = self.state();
                    state.failed = Some(chain(&error).into());
                    drop(state);
                    self.news.send_replace(());
                    return;
                }
            }
        }
    }

    /// Reads until nobody takes any more.
    async fn follow(
        self: &Arc<Self>,
        parts: &Arc<FeedParts>,
        partition: Partition,
        position: &mut Position,
    ) -> Result<(), FollowError> {
        let mut follower = Follower::open(Arc::clone(&parts.log), partition, position.clone()).await?;
        self.set_end(end(parts, partition).await?);
        let mut asked = Instant::now();
        let mut was_at_end = false;
        loop {
            if !self.room().await {
                return Ok(());
            }
            let Ok(room) = Arc::clone(&parts.room).acquire_owned().await else { return Ok(()) };
            let Ok(batch) = tokio::time::timeout(LOOK_UP, follower.next(parts.batch)).await else {
                self.set_end(end(parts, partition).await?);
                asked = Instant::now();
                continue;
            };
            let batch = batch?;
            let chunk = Arc::new(Chunk::new(position.offset, batch, room));
            position.clone_from(&chunk.position);
            let few = chunk.is_few(FEW);
            if few {
                chunk.decode();
            }
            {
                let mut state = self.state();
                state.next = position.offset;
                state.end = state.end.map(|end| end.max(position.offset));
                state.chunks.push_back(Arc::clone(&chunk));
            }
            if few {
                self.news.send_replace(());
            } else {
                parts.decoders.decode(chunk, Arc::clone(self) as Arc<dyn Told>);
            }
            // The first time that the end seems to be reached it is asked at once: readiness depends on it.
            let arrives = !was_at_end && self.state().end.is_none_or(|end| position.offset >= end);
            if arrives || asked.elapsed() >= ASK_END_EVERY {
                let end = end(parts, partition).await?;
                self.set_end(end);
                asked = Instant::now();
                was_at_end |= position.offset >= end;
            }
        }
    }

    fn set_end(&self, end: u64) {
        let mut state = self.state();
        let changed = state.end != Some(end) || state.trouble.is_some();
        state.end = Some(end);
        state.trouble = None;
        drop(state);
        if changed {
            self.news.send_replace(());
        }
    }

    /// Waits until there is room for a chunk. False: nobody takes any more.
    async fn room(&self) -> bool {
        loop {
            {
                let mut state = self.state();
                if state.cursors.is_empty() {
                    // Under the lock: nobody can subscribe in between.
                    state.closed = true;
                    return false;
                }
                state.forget_taken();
                if state.chunks.len() < KEPT {
                    return true;
                }
                if state.let_go() {
                    drop(state);
                    self.news.send_replace(());
                    continue;
                }
            }
            // Woken by whoever takes; looked at now and then for whoever does not.
            tokio::time::timeout(PATIENCE / 4, self.taken.notified()).await.ok();
        }
    }

    fn close(&self) {
        self.state().closed = true;
        self.news.send_replace(());
    }
}

async fn end(parts: &FeedParts, partition: Partition) -> Result<u64, FollowError> {
    parts.log.end(partition).await.map_err(|source| FollowError::Log { partition, source })
}

impl Told for Feed {
    fn decoded(&self) {
        self.news.send_replace(());
    }
}

impl Chunk {
    fn is_few(&self, few: usize) -> bool {
        self.position.offset - self.from <= few as u64
    }
}

impl State {
    fn covers(&self, offset: u64) -> bool {
        let from = self.chunks.front().map_or(self.next, |chunk| chunk.from);
        !self.closed && self.failed.is_none() && (from..=self.next).contains(&offset)
    }

    fn forget_taken(&mut self) {
        let least = self.cursors.values().map(|cursor| cursor.chunk).min().unwrap_or(self.first);
        while self.first < least && self.chunks.pop_front().is_some() {
            self.first += 1;
        }
    }

    /// Lets the views go that have taken nothing for too long while another waits.
    fn let_go(&mut self) -> bool {
        let before = self.cursors.len();
        if self.cursors.values().any(|cursor| cursor.waits) {
            let first = self.first;
            self.cursors.retain(|_, cursor| cursor.chunk > first || cursor.since.elapsed() < PATIENCE);
        }
        self.cursors.len() < before
    }
}

impl Subscription {
    /// The next chunk, if it is ready.
    pub(crate) fn take(&mut self) -> Fed {
        self.news.borrow_and_update();
        let mut state = self.feed.state();
        let first = state.first;
        let Some(cursor) = state.cursors.get(&self.id) else { return Fed::Gone };
        let index = usize::try_from(cursor.chunk - first).unwrap_or(usize::MAX);
        let chunk = state.chunks.get(index).map(|chunk| (chunk.records().is_some(), Arc::clone(chunk)));
        let fed = match chunk {
            Some((true, chunk)) => Fed::Chunk(chunk),
            Some((false, _)) => Fed::Nothing,
            None if state.closed => Fed::Gone,
            None => match (&state.failed, &state.trouble) {
                (Some(why), _) => Fed::Failed(Arc::clone(why)),
                (None, Some(why)) => Fed::Trouble(Arc::clone(why)),
                (None, None) => Fed::Nothing,
            },
        };
        let taken = matches!(fed, Fed::Chunk(_));
        if let Some(cursor) = state.cursors.get_mut(&self.id) {
            cursor.waits = !taken;
            if taken {
                cursor.chunk += 1;
            }
            cursor.since = Instant::now();
        }
        drop(state);
        if taken {
            self.feed.taken.notify_one();
        }
        fed
    }

    /// Waits until there may be something new to take.
    pub(crate) async fn changed(&mut self) {
        // The sender lives in the feed, which this holds.
        self.news.changed().await.ok();
    }

    /// The log's end, when it was last asked; none: not asked yet.
    pub(crate) fn end(&self) -> Option<u64> {
        self.feed.state().end
    }

    pub(crate) fn is_of(&self, feed: &Arc<Feed>) -> bool {
        Arc::ptr_eq(&self.feed, feed)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.feed.state().cursors.remove(&self.id);
        self.feed.taken.notify_one();
    }
}
