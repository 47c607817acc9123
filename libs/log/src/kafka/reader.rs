//! Reading one partition.
//!
//! Each reader has a client of its own, so that one that is far behind, or broken, is nobody else's concern. The client
//! wakes the reader's task when its queue is no longer empty; there is no thread or channel in between.
//!
//! What this process appended itself need not be fetched. The brokers acknowledge an entry with its offset once a reader may
//! see it, and a log's entries never change: where that offset is the very one that a reader stands in front of, reading there would
//! give this entry and nothing else. So it is given out at once, and after some of them in a row the client stops fetching. What
//! others append shows as a gap in front of the next acknowledgement, or comes when none has come for a moment: then the client
//! fetches from where the reader stands.
//!
//! The client library says little about a connection that is down, and nothing about one that is silent. So a reader that
//! hears nothing for a while asks where the log ends, and that answer, or its absence, tells.

use super::KafkaOptions;
use super::ends::Ends;
use super::place;
use super::reaper::Reaper;
use super::source::{Fault, Source};
use super::{KafkaError, measures};
use crate::tail::{Read, Tail};
use crate::{Entry, LogError, Offset, Partition, Reader};
use async_trait::async_trait;
use futures::FutureExt;
use futures::future::{BoxFuture, OptionFuture};
use metrics::Counter;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// After so many entries that need not have been fetched, fetching rests.
const REST_AFTER: usize = 64;
/// It rests until none has come for so long: the time that others' entries may take longer then.
const QUIET: Duration = Duration::from_millis(50);

/// What the readers of one log share.
#[derive(Debug)]
pub(super) struct Readers {
    pub(super) options: KafkaOptions,
    pub(super) ends: Arc<Ends>,
    pub(super) reaper: Reaper,
    /// By partition, what the brokers acknowledged to this log's appenders.
    pub(super) acknowledged: Vec<Arc<Tail>>,
}

pub(super) struct KafkaReader {
    readers: Arc<Readers>,
    partition: Partition,
    stream: Stream,
    probe: Probe,
    /// Like the probe's question, kept here and not in the future of `next`, so that dropping that loses nothing.
    opening: Option<BoxFuture<'static, Result<Source, LogError>>>,
}

/// What comes from the client and from the acknowledgements, and how far it got.
struct Stream {
    partition: Partition,
    source: Option<Source>,
    acknowledged: Arc<Tail>,
    /// Our name there.
    id: u64,
    /// What was acknowledged before this reader was opened is fetched: whoever reads a log to verify it wants the brokers' word.
    live_from: Offset,
    /// How many entries came from there since fetching last went on.
    unfetched: usize,
    counter: Counter,
    /// Fetching rests; the last entry came then.
    resting: Option<Instant>,
    /// What is given out next; all below was.
    next: Offset,
    was_read: bool,
    /// Met behind what was given out; told, or acted on, by the next call.
    fault: Option<Fault>,
}

enum Step {
    Entries(Vec<Entry>),
    Fault(Fault),
}

/// Asks whether the log can be reached, when nothing came for a while.
struct Probe {
    at: Instant,
    question: Option<BoxFuture<'static, Result<Offset, LogError>>>,
    /// Where the reader stood when entries were found that it had not been given.
    stuck_at: Option<Offset>,
}

impl KafkaReader {
    pub(super) async fn open(readers: Arc<Readers>, partition: Partition, from: Offset) -> Result<Self, LogError> {
        let source = Source::open(readers.clone(), partition, from).await?;
        let stream = Stream::new(&readers, partition, source, from);
        let mut reader = Self {
            readers,
            partition,
            stream,
            probe: Probe { at: Instant::now(), question: None, stuck_at: None },
            opening: None,
        };
        reader.probe_later();
        Ok(reader)
    }

    fn probe_later(&mut self) {
        self.probe.at = Instant::now() + self.readers.options.unavailable_after();
    }

    fn start_probe(&mut self) {
        let (ends, partition) = (self.readers.ends.clone(), self.partition);
        self.probe.question = Some(async move { ends.end(partition).await }.boxed());
    }

    fn probed(&mut self, end: Result<Offset, LogError>) -> Result<(), LogError> {
        self.probe.question = None;
        self.probe_later();
        let (end, next) = (end?, self.stream.next);
        if end <= next {
            self.probe.stuck_at = None;
        } else if self.probe.stuck_at.replace(next) == Some(next) {
            let what = format!("partition {} ends at {end}, and nothing is read from {next} on", self.partition);
            return Err(LogError::Unavailable(self.readers.ends.troubles().reason(&what)));
        }
        Ok(())
    }

    fn met(&mut self, fault: Fault) -> Result<(), LogError> {
        match fault {
            Fault::NoSuchOffset => self.reopen(),
            Fault::Passing(error) => return Err(error),
            Fault::Final(error) => {
                self.stream.fault = Some(Fault::Final(error.clone()));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Opens the partition again where this reader is, as soon as that is a place in the log.
    fn reopen(&mut self) {
        self.stream.source = None;
        self.stream.resting = None;
        let (readers, partition) = (self.readers.clone(), self.partition);
        let (from, was_read) = (self.stream.next, self.stream.was_read);
        let opening = async move {
            place::until_there(&readers.ends, partition, from, was_read).await?;
            Source::open(readers, partition, from).await
        };
        self.opening = Some(opening.boxed());
    }

    fn opened(&mut self, opened: Result<Source, LogError>) -> Result<(), LogError> {
        self.opening = None;
        self.probe_later();
        match opened {
            Ok(source) => self.stream.source = Some(source),
            Err(error @ LogError::Corrupt(_)) => self.stream.fault = Some(Fault::Final(error)),
            Err(error) => {
                self.stream.fault = Some(Fault::NoSuchOffset);
                return Err(error);
            }
        }
        Ok(())
    }
}

impl Stream {
    fn new(readers: &Readers, partition: Partition, source: Source, next: Offset) -> Self {
        let acknowledged = readers.acknowledged[partition as usize].clone();
        let (id, live_from) = (acknowledged.register(), acknowledged.end());
        Self {
            partition,
            source: Some(source),
            acknowledged,
            id,
            live_from,
            unfetched: 0,
            counter: measures::acknowledged(),
            resting: None,
            next,
            was_read: false,
            fault: None,
        }
    }

    fn poll_step(&mut self, max: usize, context: &Context<'_>) -> Poll<Step> {
        if let Some(fault) = self.fault.take() {
            return Poll::Ready(Step::Fault(fault));
        }
        if self.next >= self.live_from {
            match self.acknowledged.poll_read(self.id, self.next, max, context) {
                Poll::Ready(Ok(Read::Entries(entries))) => {
                    self.was_acknowledged(entries.len());
                    return Poll::Ready(Step::Entries(entries));
                }
                // Somebody else's entries lie in between, or we were too slow.
                Poll::Ready(Ok(Read::Behind(_))) => self.fetch(),
                Poll::Ready(Err(_)) | Poll::Pending => {}
            }
        }
        if self.fault.is_none() {
            let entries = self.poll_source(max, context);
            if !entries.is_empty() {
                return Poll::Ready(Step::Entries(entries));
            }
        }
        self.fault.take().map_or(Poll::Pending, |fault| Poll::Ready(Step::Fault(fault)))
    }

    fn was_acknowledged(&mut self, count: usize) {
        self.next += count as u64;
        self.was_read = true;
        self.counter.increment(count as u64);
        let Some(source) = &self.source else { return };
        self.unfetched += count;
        if self.resting.is_none() && self.unfetched >= REST_AFTER {
            self.fault = passing(source.rest());
            measures::caught_up(self.partition);
        }
        if self.unfetched >= REST_AFTER {
            self.resting = Some(Instant::now());
        }
    }

    /// Goes on fetching, if that rests.
    fn fetch(&mut self) {
        self.unfetched = 0;
        if self.resting.take().is_some()
            && let Some(source) = &self.source
        {
            self.fault = passing(source.fetch(self.next));
        }
    }

    /// Takes what was fetched, or leaves the waker.
    fn poll_source(&mut self, max: usize, context: &Context<'_>) -> Vec<Entry> {
        let mut entries = Vec::new();
        let Some(source) = &self.source else { return entries };
        self.fault = source.take(&mut self.next, max, &mut entries);
        if entries.is_empty() && self.fault.is_none() {
            // Registered before the second look, so that what comes in between still wakes us.
            source.waker().register(context.waker());
            self.fault = source.take(&mut self.next, max, &mut entries);
        }
        self.was_read |= !entries.is_empty();
        entries
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.acknowledged.leave(self.id);
    }
}

fn passing(result: Result<(), KafkaError>) -> Option<Fault> {
    result.err().map(|error| Fault::Passing(LogError::Unavailable(error.to_string())))
}

#[async_trait]
impl Reader for KafkaReader {
    async fn next(&mut self, max: usize) -> Result<Vec<Entry>, LogError> {
        loop {
            if let Some(opening) = &mut self.opening {
                let opened = opening.await;
                self.opened(opened)?;
            }
            let (stream, question) = (&mut self.stream, self.probe.question.as_mut());
            let resting = stream.resting.map(|since| since + QUIET);
            let (wakes_at, waits) = (resting.unwrap_or(self.probe.at), resting.is_some() || question.is_none());
            tokio::select! {
                biased;
                step = poll_fn(|context| stream.poll_step(max, context)) => match step {
                    Step::Entries(entries) => {
                        self.probe_later();
                        self.probe.stuck_at = None;
                        return Ok(entries);
                    }
                    Step::Fault(fault) => self.met(fault)?,
                },
                Some(end) = OptionFuture::from(question) => self.probed(end)?,
                () = tokio::time::sleep_until(wakes_at), if waits => match resting {
                    Some(_) => self.stream.fetch(),
                    None => self.start_probe(),
                },
            }
        }
    }
}
