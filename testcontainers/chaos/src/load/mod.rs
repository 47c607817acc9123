//! The load: seeded clients that ask real endpoints over gRPC and write down what they see.
//!
//! Clients meet on few accounts of few programs, so that most commands depend on others. They behave as good clients do: a
//! deadline for each attempt, another address and the same request id after a failure; and a part of them as bad ones: they
//! give up without knowing, ask the same again, use an id twice, ask for what is not allowed.

mod ask;
mod call;
mod client;
mod endpoints;
mod read;

pub use call::Patience;
pub use endpoints::InvalidEndpoint;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pactum_api::Caller;
use pactum_domain::actor::{Actor, Role};
use pactum_ids::{DealId, InvalidId, PartnerId, ProgramId};
use pactum_runtime::token::{TokenError, TokenKey};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::history::{Clock, CommandCall, History, Outcome, ReadCall};
use ask::PARTNERS;
use call::{Identity, Sender};
use client::Client;
use endpoints::Endpoints;

/// Deals of a program that clients may do something to.
const KNOWN_DEALS: usize = 48;

/// How long a token is good for: longer than any run.
const TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);

/// What a load does.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// How many clients ask at once.
    pub clients: u32,
    /// Decides what they ask.
    pub seed: u64,
    /// The programs they ask in; made first. Several, so that several partitions are used.
    pub programs: Vec<String>,
    /// Where commands are taken.
    pub commands: Vec<String>,
    /// Where queries are answered; none: no reads.
    pub queries: Vec<String>,
    /// How patient clients are.
    pub patience: Patience,
    /// The pause between two requests of a client, on average.
    pub pace: Duration,
    /// How long the programs may take to be made.
    pub setup: Duration,
    /// How many calls are kept in memory; the clients end when there are so many.
    pub max_calls: usize,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            clients: 12,
            seed: 1,
            programs: ["p0", "p1", "p2", "p3"].map(str::to_owned).to_vec(),
            commands: Vec::new(),
            queries: Vec::new(),
            patience: Patience::default(),
            pace: Duration::from_millis(5),
            setup: Duration::from_secs(60),
            max_calls: 200_000,
        }
    }
}

/// Why a load cannot begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No address for commands was given.
    #[error("a load needs an address that takes commands")]
    NoEndpoint,
    /// An address is malformed.
    #[error(transparent)]
    Endpoint(#[from] InvalidEndpoint),
    /// A program's name is malformed.
    #[error(transparent)]
    Program(#[from] InvalidId),
    /// No token could be made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A program could not be made.
    #[error("programs/{program} could not be made: {outcome}; is the system ready?")]
    Setup {
        /// Which one.
        program: String,
        /// What became of the request.
        outcome: String,
    },
    /// A program got no answers in time.
    #[error("programs/{program} had {answered} of {wanted} answers after {patience:?}")]
    Stalled {
        /// Which one.
        program: String,
        /// How many it had since the wait began.
        answered: u64,
        /// How many were waited for.
        wanted: u64,
        /// How long was waited.
        patience: Duration,
    },
    /// As many calls were made as fit into memory.
    #[error("the load has made the {0} calls that it keeps; give it a longer pace or a shorter run")]
    Full(usize),
}

struct Shared {
    options: LoadOptions,
    clock: Clock,
    commands: Endpoints,
    queries: Endpoints,
    programs: Vec<Program>,
    /// Answers by program.
    progress: watch::Sender<Vec<u64>>,
    stop: CancellationToken,
    history: Mutex<History>,
    calls: AtomicUsize,
}

/// A program as the clients share it.
struct Program {
    id: String,
    /// The vendor's, then each partner's.
    identities: Vec<Identity>,
    /// The highest sequence that any client was answered.
    floor: AtomicU64,
    deals: Mutex<VecDeque<DealId>>,
}

impl Program {
    fn new(id: &str, key: &TokenKey) -> Result<Self, LoadError> {
        let program = ProgramId::new(id)?;
        let vendor = [(Role::ProgramAdmin, None)];
        let partners = PARTNERS.into_iter().map(|partner| (Role::PartnerSales, Some(partner)));
        let mut identities = Vec::new();
        for (role, partner) in vendor.into_iter().chain(partners) {
            let partner = partner.map(PartnerId::new).transpose()?;
            let actor = Actor { subject: "load".into(), role, partner };
            let caller = Caller { actor, program: program.clone() };
            let token = key.sign(&caller, TOKEN_LIFE)?;
            let authorization = format!("Bearer {token}").parse().expect("a token has only characters of base 64");
            identities.push(Identity { caller: Arc::new(caller), authorization });
        }
        let deals = Mutex::new(VecDeque::with_capacity(KNOWN_DEALS));
        Ok(Self { id: id.to_owned(), identities, floor: AtomicU64::new(0), deals })
    }

    fn remember(&self, deal: DealId) {
        let mut deals = lock(&self.deals);
        if deals.len() == KNOWN_DEALS {
            deals.pop_front();
        }
        deals.push_back(deal);
    }

    fn any_deal(&self, rng: &mut ChaCha8Rng) -> Option<DealId> {
        let deals = lock(&self.deals);
        if deals.is_empty() { None } else { deals.get(rng.random_range(0..deals.len())).cloned() }
    }
}

impl Shared {
    fn is_full(&self) -> bool {
        self.calls.load(Ordering::Relaxed) >= self.options.max_calls
    }

    fn keep(&self, call: CommandCall) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        lock(&self.history).commands.push(call);
    }

    fn keep_read(&self, call: ReadCall) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        lock(&self.history).reads.push(call);
    }

    fn read_failed(&self) {
        lock(&self.history).failed_reads += 1;
    }

    /// Makes the programs, one request after another, as one more client that is written down too.
    async fn set_up(&self) -> Result<(), LoadError> {
        let Self { options, clock, commands, stop, .. } = self;
        let patience = Patience { request: options.setup, ..options.patience };
        let sender = Sender { client: options.clients, clock: *clock, endpoints: commands, patience, stop };
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        for program in &self.programs {
            for request in ask::setup(&program.id) {
                let call = sender.command(&program.identities[0], Arc::new(request), false, &mut rng).await;
                let outcome = call.outcome.clone();
                self.keep(call);
                match outcome {
                    Outcome::Answered { sequence, .. } => program.floor.fetch_max(sequence, Ordering::AcqRel),
                    other => {
                        let outcome = format!("{other:?}");
                        return Err(LoadError::Setup { program: program.id.clone(), outcome });
                    }
                };
            }
        }
        Ok(())
    }
}

/// A running load.
pub struct Load {
    shared: Arc<Shared>,
    clients: JoinSet<()>,
}

impl Load {
    /// Makes the programs, then starts the clients.
    ///
    /// # Errors
    /// [`LoadError`] where the options are wrong or the programs cannot be made.
    pub async fn start(options: LoadOptions, key: &TokenKey) -> Result<Self, LoadError> {
        let (commands, queries) = (Endpoints::new(&options.commands)?, Endpoints::new(&options.queries)?);
        if commands.len() == 0 {
            return Err(LoadError::NoEndpoint);
        }
        let programs: Vec<_> = options.programs.iter().map(|id| Program::new(id, key)).collect::<Result<_, _>>()?;
        let shared = Arc::new(Shared {
            clock: Clock::start(),
            commands,
            queries,
            progress: watch::Sender::new(vec![0; programs.len()]),
            programs,
            stop: CancellationToken::new(),
            history: Mutex::default(),
            calls: AtomicUsize::new(0),
            options,
        });
        shared.set_up().await?;
        lock(&shared.history).began = shared.clock.now();
        let mut clients = JoinSet::new();
        for number in 0..shared.options.clients {
            clients.spawn(Client::new(Arc::clone(&shared), number).run());
        }
        Ok(Self { shared, clients })
    }

    /// Waits until every program has had so many answers more.
    ///
    /// # Errors
    /// [`LoadError::Stalled`] where one did not get them in time, [`LoadError::Full`] where no more are asked for.
    pub async fn answered(&self, more: u64, patience: Duration) -> Result<(), LoadError> {
        let mut progress = self.shared.progress.subscribe();
        let before = progress.borrow_and_update().clone();
        let missing = |now: &[u64]| {
            let since = before.iter().zip(now).map(|(before, now)| now - before);
            since.enumerate().find(|(_, since)| *since < more)
        };
        let until = tokio::time::Instant::now() + patience;
        loop {
            let Some((at, answered)) = missing(&progress.borrow_and_update()) else { return Ok(()) };
            if self.shared.is_full() {
                return Err(LoadError::Full(self.shared.options.max_calls));
            }
            if !matches!(tokio::time::timeout_at(until, progress.changed()).await, Ok(Ok(()))) {
                let program = self.shared.programs[at].id.clone();
                return Err(LoadError::Stalled { program, answered, wanted: more, patience });
            }
        }
    }

    /// Lets the load run for a while.
    pub async fn run_for(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Stops the clients, each after the attempt that it is at, and gives what they saw.
    pub async fn stop(mut self) -> History {
        self.shared.stop.cancel();
        while self.clients.join_next().await.is_some() {}
        let mut history = std::mem::take(&mut *lock(&self.shared.history));
        history.ended = self.shared.clock.now();
        history
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
