//! One writer, and a log that takes what the test delivers.

use std::time::Duration;

use bytes::Bytes;
use pactum_journal::writer::{Moment, Now, Settings, Ticket, Writer};
use pactum_journal::{Claim, CommandError, Entry, Genesis, JournalOptions, Role};
use pactum_log::{LogError, Offset};

use crate::bank::{Answer, Bank, Command, Op};

pub(super) type Told = (u32, Result<Answer, CommandError>);

pub(super) const NEVER: Moment = Moment::MAX;

pub(super) struct Harness {
    pub(super) writer: Writer<Bank, u32>,
    pub(super) now: Moment,
    pub(super) log: Vec<Bytes>,
    /// Appended, not delivered.
    pub(super) sent: Vec<Bytes>,
    pub(super) asked: Option<Ticket>,
    told: Vec<Told>,
}

pub(super) fn options() -> JournalOptions {
    JournalOptions {
        owner: "us:1".into(),
        log_id: Some(7),
        window: 4,
        queue: 8,
        read_back_timeout: Duration::from_millis(100),
        claim_backoff: Duration::from_millis(10),
        claim_backoff_max: Duration::from_millis(40),
        contest_delay: Duration::from_millis(500),
        grace: Duration::from_millis(50),
        due_batch: 2,
        ..JournalOptions::default()
    }
}

impl Harness {
    pub(super) fn new(options: &JournalOptions, log: Vec<Bytes>) -> Self {
        let settings = Settings::new(options, 1, 5 << 64);
        let writer = Writer::new(Bank::default(), settings);
        let (sent, told) = (Vec::new(), Vec::new());
        let mut harness = Self { writer, now: 1_000, log, sent, asked: None, told };
        harness.advance();
        harness
    }

    /// The owner of an otherwise empty log: term 1, under the genesis at 0.
    pub(super) fn owner() -> Self {
        Self::owner_with(&options())
    }

    pub(super) fn owner_with(options: &JournalOptions) -> Self {
        let mut harness = Self::new(options, vec![]);
        harness.answer_end();
        harness.deliver_all();
        harness.deliver_all();
        assert_eq!(harness.writer.role(), Role::Owner);
        harness
    }

    pub(super) fn at(&self) -> Now {
        Now { wall: 0, moment: self.now }
    }

    pub(super) fn advance(&mut self) {
        let now = self.at();
        self.writer.advance(now);
        let outputs = std::mem::take(self.writer.outputs());
        self.sent.extend(outputs.appends);
        self.told.extend(outputs.answers);
        self.asked = outputs.ask_end.or(self.asked);
    }

    pub(super) fn submit(&mut self, attempt: u32, op: Op) {
        self.submit_until(attempt, op, NEVER);
    }

    pub(super) fn submit_until(&mut self, attempt: u32, op: Op, deadline: Moment) {
        let now = self.at();
        self.writer.submit(Command { request: attempt, attempt, op }, attempt, deadline, now);
        self.advance();
    }

    pub(super) fn deposit(&mut self, attempt: u32) {
        self.submit(attempt, Op::Deposit { account: 0, amount: 10 });
    }

    pub(super) fn balance(&mut self, attempt: u32) {
        self.submit(attempt, Op::Balance { account: 0 });
    }

    /// What was sent first reaches the log and is read.
    pub(super) fn deliver(&mut self) {
        let bytes = self.sent.remove(0);
        self.put(bytes);
    }

    pub(super) fn deliver_all(&mut self) {
        while !self.sent.is_empty() {
            let bytes = self.sent.remove(0);
            self.log.push(bytes);
        }
        self.read();
    }

    pub(super) fn put(&mut self, bytes: Bytes) {
        self.log.push(bytes);
        self.read();
    }

    /// Reads to the log's end.
    pub(super) fn read(&mut self) {
        let now = self.at();
        for (offset, bytes) in (0..).zip(&self.log) {
            self.writer.read(offset, bytes, now);
        }
        self.advance();
    }

    pub(super) fn answer_end(&mut self) {
        let end = self.log.len() as Offset;
        self.answer_end_with(Ok(end));
    }

    pub(super) fn answer_end_with(&mut self, end: Result<Offset, LogError>) {
        let ticket = self.asked.take().expect("the end was asked for");
        self.writer.end_answered(ticket, end);
        self.advance();
    }

    pub(super) fn fail(&mut self, error: LogError) {
        let now = self.at();
        self.writer.append_failed(error, now);
        self.advance();
    }

    pub(super) fn pass(&mut self, millis: u64) {
        self.now += millis * 1_000;
        let now = self.at();
        self.writer.tick(now);
        self.advance();
    }

    pub(super) fn own(&mut self, told: bool) {
        let now = self.at();
        self.writer.own(told, now);
        self.advance();
    }

    pub(super) fn shutdown(&mut self) {
        let now = self.at();
        self.writer.shutdown(now);
        self.advance();
    }

    /// Who was told what since the last time.
    pub(super) fn told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }

    pub(super) fn sent_entries(&self) -> Vec<Entry> {
        self.sent.iter().map(|bytes| Entry::decode(bytes).expect("we wrote it")).collect()
    }

    pub(super) fn role(&self) -> Role {
        self.writer.role()
    }
}

pub(super) fn done(attempt: u32, sequence: u64) -> Told {
    (attempt, Ok(Answer::Done { sequence }))
}

pub(super) fn genesis() -> Bytes {
    Entry::Genesis(Genesis { log_id: 7, partitions: 1, format: 1 }).encode()
}

/// A claim of another instance.
pub(super) fn claim(after: Option<Offset>, owner: &str) -> Bytes {
    Entry::Claim(Claim { after, claim_id: 99 << 64, owner: owner.into() }).encode()
}

pub(super) fn unavailable() -> LogError {
    LogError::Unavailable("test".into())
}
