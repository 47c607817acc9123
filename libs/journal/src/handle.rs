//! The way in: submitting commands to a partition's journal, and seeing how it does.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::{CommandError, SubmitError};
use crate::machine::Machine;
use crate::status::Status;

/// Submits commands to one partition's journal. Clones share one queue.
pub struct Handle<M: Machine> {
    commands: mpsc::Sender<Submission<M>>,
    status: watch::Receiver<Status>,
    told: Arc<watch::Sender<bool>>,
    gate: Arc<Gate>,
}

/// A command in the queue.
pub(crate) struct Submission<M: Machine> {
    pub(crate) command: M::Command,
    pub(crate) deadline: Instant,
    pub(crate) caller: Caller<M>,
}

/// Whom to answer.
pub(crate) type Caller<M> = oneshot::Sender<Result<<M as Machine>::Answer, CommandError>>;

/// What the journal tells its handles without a lock.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    /// Commands are refused at once; why is in the status.
    pub(crate) refusing: AtomicBool,
    /// About how long a full queue takes to be decided.
    pub(crate) queue_micros: AtomicU64,
}

impl<M: Machine> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self {
            commands: self.commands.clone(),
            status: self.status.clone(),
            told: Arc::clone(&self.told),
            gate: Arc::clone(&self.gate),
        }
    }
}

impl<M: Machine> Handle<M> {
    pub(crate) fn new(
        commands: mpsc::Sender<Submission<M>>,
        status: watch::Receiver<Status>,
        told: watch::Sender<bool>,
        gate: Arc<Gate>,
    ) -> Self {
        Self { commands, status, told: Arc::new(told), gate }
    }

    /// Queues a command, or says at once that it is not taken; never waits. Commands submitted one after another, through
    /// whichever clones, are decided in that order.
    pub fn try_submit(&self, command: M::Command, deadline: Instant) -> Result<Reply<M::Answer>, SubmitError> {
        self.check()?;
        let (caller, reply) = oneshot::channel();
        match self.commands.try_send(Submission { command, deadline, caller }) {
            Ok(()) => Ok(Reply(reply)),
            Err(TrySendError::Full(_)) => {
                let micros = self.gate.queue_micros.load(Ordering::Relaxed);
                let retry_after = Duration::from_micros(micros).clamp(SHORTEST_RETRY, LONGEST_RETRY);
                Err(SubmitError::QueueFull { retry_after })
            }
            Err(TrySendError::Closed(_)) => Err(SubmitError::Stopped),
        }
    }

    /// As [`try_submit`](Self::try_submit), but waits for room in the queue: for callers who would only come again, such
    /// as an import. Cancel-safe: a command whose submission is dropped was not taken.
    pub async fn submit(&self, command: M::Command, deadline: Instant) -> Result<Reply<M::Answer>, SubmitError> {
        self.check()?;
        let room = self.commands.reserve().await.map_err(|_closed| SubmitError::Stopped)?;
        let (caller, reply) = oneshot::channel();
        room.send(Submission { command, deadline, caller });
        Ok(Reply(reply))
    }

    /// The journal's status, and its changes.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Whether a command submitted now may be decided here: at once, or once a claim that is under way is read.
    pub fn takes(&self) -> bool {
        !self.gate.refusing.load(Ordering::Acquire)
    }

    /// Tells the journal to own the partition, or to give it up once what is in flight came back.
    pub fn own(&self, told: bool) {
        self.told.send_if_modified(|current| std::mem::replace(current, told) != told);
    }

    fn check(&self) -> Result<(), SubmitError> {
        if !self.gate.refusing.load(Ordering::Acquire) {
            return Ok(());
        }
        // It may have changed in between; then the command goes in and the writer has the last word.
        self.status.borrow().refusing.clone().map_or(Ok(()), Err)
    }
}

const SHORTEST_RETRY: Duration = Duration::from_millis(5);
const LONGEST_RETRY: Duration = Duration::from_secs(1);

/// A command's answer, once there is one. If it is dropped first, a command that was not decided yet never is; one that
/// was takes effect unseen.
#[derive(Debug)]
#[must_use = "the command's outcome is known only from its reply"]
pub struct Reply<A>(oneshot::Receiver<Result<A, CommandError>>);

impl<A> Future for Reply<A> {
    type Output = Result<A, CommandError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // A journal that ends without answering (its task was aborted, its runtime dropped) leaves the outcome unknown.
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(CommandError::OutcomeUnknown)))
    }
}
