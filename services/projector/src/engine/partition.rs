//! One partition: its feeds, and whether its log is the one that a view was folded from.

use std::sync::{Arc, Mutex, PoisonError};

use pactum_journal::entry::Genesis;
use pactum_journal::{FollowError, Follower, Position};
use pactum_log::Partition;
use tokio::runtime::Handle;

use super::feed::{Feed, FeedParts, Subscription};
use crate::fold::chain;

/// Views no further apart than so many entries read together from the start.
const TOGETHER: u64 = 50_000;

/// What the views of a partition read from.
pub(crate) struct PartitionFeeds {
    pub(crate) partition: Partition,
    parts: Arc<FeedParts>,
    runtime: Handle,
    feeds: Mutex<Vec<Arc<Feed>>>,
    genesis: Mutex<Option<Genesis>>,
}

/// Why a view cannot go on from where it is.
pub(crate) enum Unfit {
    /// For now.
    Wait(String),
    /// An operator has to see to it.
    Stop(String),
}

impl PartitionFeeds {
    pub(crate) fn new(partition: Partition, parts: Arc<FeedParts>, runtime: Handle) -> Self {
        Self { partition, parts, runtime, feeds: Mutex::default(), genesis: Mutex::default() }
    }

    /// Begins to read for views at these positions, in their order: one feed for those that are close together. Those that
    /// are ahead of their feed's beginning have seen its first chunks.
    pub(crate) fn begin(&self, positions: &[Position]) -> Vec<Subscription> {
        let mut sorted: Vec<(usize, &Position)> = positions.iter().enumerate().collect();
        sorted.sort_by_key(|(_, position)| position.offset);
        let mut begun: Vec<(usize, Subscription)> = Vec::new();
        let mut from: Option<&Position> = None;
        for (index, position) in sorted {
            let together = from.filter(|from| position.offset - from.offset <= TOGETHER);
            let start = *from.insert(together.unwrap_or(position));
            begun.push((index, self.subscribe(start)));
        }
        begun.sort_by_key(|(index, _)| *index);
        begun.into_iter().map(|(_, subscription)| subscription).collect()
    }

    /// Takes part in the feed that is furthest ahead of those that have not gone past the position, or starts one.
    pub(crate) fn subscribe(&self, position: &Position) -> Subscription {
        let best = self.best(position.offset);
        best.and_then(|feed| feed.subscribe(position.offset)).unwrap_or_else(|| self.start(position.clone()))
    }

    /// Another feed to go on with: one that is further ahead, so that all read together again some day.
    pub(crate) fn better(&self, than: &Subscription, offset: u64) -> Option<Subscription> {
        let best = self.best(offset)?;
        if than.is_of(&best) { None } else { best.subscribe(offset) }
    }

    fn best(&self, offset: u64) -> Option<Arc<Feed>> {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        feeds.retain(|feed| !feed.is_over());
        // Of equals the first, so that two views never change places for ever.
        let reached = feeds.iter().rev().filter_map(|feed| Some((feed.reach(offset)?, feed)));
        reached.max_by_key(|(reach, _)| *reach).map(|(_, feed)| Arc::clone(feed))
    }

    fn start(&self, position: Position) -> Subscription {
        loop {
            let offset = position.offset;
            let feed = Feed::start(Arc::clone(&self.parts), self.partition, position.clone(), &self.runtime);
            // Without a view it would end before this one takes part, if its task is quick.
            if let Some(subscription) = feed.subscribe(offset) {
                self.feeds.lock().unwrap_or_else(PoisonError::into_inner).push(feed);
                return subscription;
            }
        }
    }

    /// Whether the log is the one that a view at that position was folded from, and holds as much.
    pub(crate) async fn check(&self, position: &Position) -> Result<(), Unfit> {
        let wait = |error: FollowError| Unfit::Wait(format!("the log cannot be read: {}", chain(&error)));
        let (log, partition) = (&self.parts.log, self.partition);
        let end = log.end(partition).await.map_err(|source| wait(FollowError::Log { partition, source }))?;
        if position.offset == 0 {
            return Ok(());
        }
        if position.offset > end {
            let held = position.offset;
            return Err(Unfit::Stop(format!(
                "the log was truncated: the view has read up to offset {held}, the log ends at {end}; restore the log, \
                 or move the view's directory away to build it anew from what is left"
            )));
        }
        let known = *self.genesis.lock().unwrap_or_else(PoisonError::into_inner);
        let genesis = match known {
            Some(genesis) => Some(genesis),
            None => self.read_genesis(end).await.map_err(|error| match error {
                error @ FollowError::Log { .. } => wait(error),
                error => Unfit::Stop(chain(&error)),
            })?,
        };
        *self.genesis.lock().unwrap_or_else(PoisonError::into_inner) = genesis;
        if position.genesis != genesis {
            let why = "the view was built from another log; move its directory away to build it anew";
            return Err(Unfit::Stop(why.to_owned()));
        }
        Ok(())
    }

    async fn read_genesis(&self, end: u64) -> Result<Option<Genesis>, FollowError> {
        let mut first = Follower::open(Arc::clone(&self.parts.log), self.partition, Position::default()).await?;
        while first.position().genesis.is_none() && first.position().offset < end {
            first.next(1).await?;
        }
        Ok(first.position().genesis)
    }
}
