//! Reading one partition.
//!
//! Each reader has a client of its own, so that one that is far behind, or broken, is nobody else's concern. The client
//! wakes the reader's task when its queue is no longer empty; there is no thread or channel in between.
//!
//! The client library says little about a connection that is down, and nothing about one that is silent. So a reader that
//! hears nothing for a while asks where the log ends, and that answer, or its absence, tells.

use super::KafkaOptions;
use super::ends::Ends;
use super::place;
use super::reaper::Reaper;
use super::source::{Fault, Source};
use crate::{Entry, LogError, Offset, Partition, Reader};
use async_trait::async_trait;
use futures::FutureExt;
use futures::future::{BoxFuture, OptionFuture};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::Instant;

/// What the readers of one log share.
#[derive(Debug)]
pub(super) struct Readers {
    pub(super) options: KafkaOptions,
    pub(super) ends: Arc<Ends>,
    pub(super) reaper: Reaper,
}

pub(super) struct KafkaReader {
    readers: Arc<Readers>,
    partition: Partition,
    stream: Stream,
    probe: Probe,
    /// Like the probe's question, kept here and not in the future of `next`, so that dropping that loses nothing.
    opening: Option<BoxFuture<'static, Result<Source, LogError>>>,
}

/// What comes from the client, and how far it got.
struct Stream {
    source: Option<Source>,
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
        let stream = Stream { source: Some(source), next: from, was_read: false, fault: None };
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
    fn poll_step(&mut self, max: usize, context: &Context<'_>) -> Poll<Step> {
        if let Some(fault) = self.fault.take() {
            return Poll::Ready(Step::Fault(fault));
        }
        let Some(source) = &self.source else { return Poll::Pending };
        let mut entries = Vec::new();
        self.fault = source.take(&mut self.next, max, &mut entries);
        if entries.is_empty() && self.fault.is_none() {
            // Registered before the second look, so that what comes in between still wakes us.
            source.waker().register(context.waker());
            self.fault = source.take(&mut self.next, max, &mut entries);
        }
        if !entries.is_empty() {
            self.was_read = true;
            return Poll::Ready(Step::Entries(entries));
        }
        self.fault.take().map_or(Poll::Pending, |fault| Poll::Ready(Step::Fault(fault)))
    }
}

#[async_trait]
impl Reader for KafkaReader {
    async fn next(&mut self, max: usize) -> Result<Vec<Entry>, LogError> {
        loop {
            if let Some(opening) = &mut self.opening {
                let opened = opening.await;
                self.opened(opened)?;
            }
            let (stream, question, probe_at) = (&mut self.stream, self.probe.question.as_mut(), self.probe.at);
            let is_quiet = question.is_none();
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
                () = tokio::time::sleep_until(probe_at), if is_quiet => self.start_probe(),
            }
        }
    }
}
