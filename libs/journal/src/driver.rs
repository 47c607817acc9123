//! Carries a writer's outputs out: one task per partition, over any log, on the real clock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, OptionFuture};
use pactum_log::{Appender, Log, LogError, Offset, Partition};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::feed::Feed;
use crate::handle::{Caller, Gate, Handle, Submission};
use crate::machine::{Machine, Timestamp};
use crate::meters::Meters;
use crate::options::JournalOptions;
use crate::status::Status;
use crate::writer::{Now, Settings, Ticket, Writer};

/// How long to hold appends back when the log's queue is full.
const BUSY_PAUSE: Duration = Duration::from_millis(1);

/// Runs a partition's journal until `shutdown`. The task gives the machine back, as of where the journal stopped.
pub fn spawn<M: Machine>(
    log: Arc<dyn Log>,
    partition: Partition,
    machine: M,
    options: JournalOptions,
    shutdown: CancellationToken,
) -> (Handle<M>, JoinHandle<M>) {
    let settings = Settings::new(&options, log.partitions(), rand::random());
    let writer = Writer::new(machine, settings);
    let (commands_in, commands) = mpsc::channel(options.queue.max(1));
    let (status, status_out) = watch::channel(writer.status());
    let (told_in, told) = watch::channel(options.own);
    let gate = Arc::new(Gate::default());
    let handle = Handle::new(commands_in, status_out, told_in, Arc::clone(&gate));
    let driver = Driver {
        feed: Feed::new(Arc::clone(&log), partition),
        meters: Meters::new(partition),
        clock: Clock::new(),
        backlog: VecDeque::new(),
        end: None,
        pace: Pace::default(),
        log,
        partition,
        writer,
        options,
        commands,
        status,
        told,
        gate,
    };
    (handle, tokio::spawn(driver.run(shutdown)))
}

struct Driver<M: Machine> {
    log: Arc<dyn Log>,
    partition: Partition,
    writer: Writer<M, Caller<M>>,
    options: JournalOptions,
    feed: Feed,
    commands: mpsc::Receiver<Submission<M>>,
    status: watch::Sender<Status>,
    told: watch::Receiver<bool>,
    gate: Arc<Gate>,
    meters: Meters,
    clock: Clock,
    /// Entries that the log's queue had no room for yet.
    backlog: VecDeque<Bytes>,
    /// The question for the log's end that is under way.
    end: Option<BoxFuture<'static, (Ticket, Result<Offset, LogError>)>>,
    pace: Pace,
}

impl<M: Machine> Driver<M> {
    async fn run(mut self, shutdown: CancellationToken) -> M {
        match self.log.appender(self.partition) {
            Ok(appender) => self.work(appender.as_ref(), &shutdown).await,
            Err(error) => {
                self.writer.read_failed(error);
                self.refuse_all(&shutdown).await;
            }
        }
        // Whoever is still in the queue is answered, too, before the receiver is gone.
        self.commands.close();
        let now = self.clock.now();
        while let Ok(submission) = self.commands.try_recv() {
            self.submit(submission, now);
        }
        self.answer(now);
        self.publish();
        self.writer.into_machine()
    }

    /// There is nothing to write to: everyone is told so until the end.
    async fn refuse_all(&mut self, shutdown: &CancellationToken) {
        loop {
            self.publish();
            tokio::select! {
                () = shutdown.cancelled() => break,
                submission = self.commands.recv() => match submission {
                    Some(submission) => {
                        let now = self.clock.now();
                        self.submit(submission, now);
                        self.answer(now);
                    }
                    None => break shutdown.cancelled().await,
                },
            }
        }
        self.writer.shutdown(self.clock.now());
    }

    async fn work(&mut self, appender: &dyn Appender, shutdown: &CancellationToken) {
        let mut ticks = tokio::time::interval(self.options.tick);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut failed = appender.failed();
        let mut incoming = Vec::new();
        let (mut open, mut ordered, mut stopping) = (true, true, false);
        loop {
            let began = Instant::now();
            let now = self.clock.at(began);
            self.take_commands(now);
            self.writer.advance(now);
            self.meters.decided(began.elapsed(), std::mem::take(&mut self.writer.outputs().decided));
            self.append(appender, now);
            self.ask_end();
            self.answer(now);
            self.publish_changes();
            if self.writer.is_done() {
                break;
            }

            let room = self.writer.room();
            let from = self.writer.position().offset;
            tokio::select! {
                biased;
                () = shutdown.cancelled(), if !stopping => {
                    stopping = true;
                    self.writer.shutdown(self.clock.now());
                }
                _ = ticks.tick() => self.tick(),
                told = self.told.changed(), if ordered => match told {
                    Ok(()) => {
                        let told = *self.told.borrow_and_update();
                        self.writer.own(told, self.clock.now());
                    }
                    Err(_) => ordered = false,
                },
                error = &mut failed => {
                    self.append_failed(error);
                    failed = appender.failed();
                }
                Some((ticket, end)) = OptionFuture::from(self.end.as_mut()) => {
                    self.end = None;
                    self.writer.end_answered(ticket, end);
                }
                entries = self.feed.next(from, self.options.read_batch), if self.writer.reads() => match entries {
                    Ok(entries) => {
                        let now = self.clock.now();
                        for entry in &entries {
                            self.writer.read(entry.offset, &entry.bytes, now);
                        }
                    }
                    Err(error) => {
                        tracing::warn!(partition = self.partition, %error, "cannot read the log");
                        self.writer.read_failed(error);
                    }
                },
                count = self.commands.recv_many(&mut incoming, room), if open && room > 0 => {
                    open = count > 0;
                    let now = self.clock.now();
                    for submission in incoming.drain(..) {
                        self.submit(submission, now);
                    }
                }
                () = tokio::time::sleep(BUSY_PAUSE), if !self.backlog.is_empty() => {}
            }
        }
    }

    /// Takes what is in the queue by now along with whatever woke us, so that one turn decides as much as it can.
    fn take_commands(&mut self, now: Now) {
        for _ in 0..self.writer.room() {
            let Ok(submission) = self.commands.try_recv() else { break };
            self.submit(submission, now);
        }
    }

    fn submit(&mut self, submission: Submission<M>, now: Now) {
        // The caller went away before anything was decided: nobody would know, so nothing is done.
        if submission.caller.is_closed() {
            return;
        }
        let deadline = self.clock.moment(submission.deadline);
        self.writer.submit(submission.command, submission.caller, deadline, now);
    }

    fn append(&mut self, appender: &dyn Appender, now: Now) {
        self.backlog.extend(self.writer.outputs().appends.drain(..));
        while let Some(entry) = self.backlog.pop_front() {
            match appender.append(entry.clone()) {
                Ok(()) => {}
                Err(LogError::Busy) => {
                    self.backlog.push_front(entry);
                    break;
                }
                Err(error) => {
                    // The term ends, so what comes behind would be skipped anyway.
                    self.backlog.clear();
                    tracing::warn!(partition = self.partition, %error, "cannot append to the log");
                    self.writer.append_failed(error, now);
                }
            }
        }
    }

    fn append_failed(&mut self, error: LogError) {
        tracing::warn!(partition = self.partition, %error, "an append failed");
        self.backlog.clear();
        self.writer.append_failed(error, self.clock.now());
    }

    fn ask_end(&mut self) {
        if let Some(ticket) = self.writer.outputs().ask_end.take() {
            let (log, partition) = (Arc::clone(&self.log), self.partition);
            self.end = Some(async move { (ticket, log.end(partition).await) }.boxed());
        }
    }

    fn answer(&mut self, now: Now) {
        let outputs = self.writer.outputs();
        for read_back in outputs.read_back.drain(..) {
            let took = Duration::from_micros(now.moment.saturating_sub(read_back.appended));
            self.meters.read_back(took, read_back.count);
        }
        self.pace.answered += outputs.answers.len() as u64;
        for (caller, result) in outputs.answers.drain(..) {
            self.meters.outcome(&result);
            // A caller that does not wait any more is no failure.
            let _ = caller.send(result);
        }
    }

    fn tick(&mut self) {
        self.writer.tick(self.clock.now());
        let micros = self.pace.queue_micros(self.options.queue, self.options.tick);
        self.gate.queue_micros.store(micros, Ordering::Relaxed);
        self.publish();
    }

    /// Tells at once what others act on.
    fn publish_changes(&mut self) {
        let changed = {
            let last = self.status.borrow();
            last.role != self.writer.role()
                || last.told != self.writer.told()
                || last.term != self.writer.position().term
                || self.gate.refusing.load(Ordering::Relaxed) != self.writer.refuses()
        };
        if changed {
            self.publish();
        }
    }

    fn publish(&mut self) {
        let status = self.writer.status();
        self.meters.publish(&status, self.commands.len());
        let refusing = status.refusing.is_some();
        self.status.send_if_modified(|last| {
            if last.role != status.role {
                let (term, fault) = (status.term, &status.fault);
                tracing::info!(partition = self.partition, role = ?status.role, ?term, ?fault, "journal role");
            }
            let changed = *last != status;
            *last = status;
            // Under the status's lock: who sees the one sees the other.
            self.gate.refusing.store(refusing, Ordering::Release);
            changed
        });
    }
}

/// The real clocks, as the writer wants them.
struct Clock {
    origin: Instant,
}

impl Clock {
    fn new() -> Self {
        Self { origin: Instant::now() }
    }

    fn now(&self) -> Now {
        self.at(Instant::now())
    }

    fn at(&self, instant: Instant) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
        Now { wall: Timestamp::try_from(wall).unwrap_or(Timestamp::MAX), moment: self.moment(instant) }
    }

    fn moment(&self, instant: Instant) -> u64 {
        u64::try_from(instant.saturating_duration_since(self.origin).as_micros()).unwrap_or(u64::MAX)
    }
}

/// How fast commands are answered, for the hint that goes with a full queue.
#[derive(Default)]
struct Pace {
    answered: u64,
    per_tick: f64,
}

impl Pace {
    fn queue_micros(&mut self, queue: usize, tick: Duration) -> u64 {
        self.per_tick += 0.3 * (std::mem::take(&mut self.answered) as f64 - self.per_tick);
        (queue as f64 / self.per_tick.max(1.0) * tick.as_micros() as f64) as u64
    }
}
