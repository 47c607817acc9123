//! One client: asks, waits for the answer, asks again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pactum_api::proto::bulk::v1::execute_request::Request;
use pactum_ids::DealId;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::Shared;
use super::ask::{self, PARTNERS};
use super::call::{Identity, Sender};
use super::read::Look;
use crate::history::Outcome;

/// A client's own requests that it may ask again.
const REMEMBERED: usize = 16;

/// What a client asked before: of which program, as whom, and what.
type Before = (usize, Identity, Arc<Request>);

pub(super) struct Client {
    shared: Arc<Shared>,
    number: u32,
    rng: ChaCha8Rng,
    asked: u64,
    before: VecDeque<Before>,
}

impl Client {
    pub(super) fn new(shared: Arc<Shared>, number: u32) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(shared.options.seed);
        rng.set_stream(u64::from(number) + 1);
        Self { shared, number, rng, asked: 0, before: VecDeque::new() }
    }

    /// Asks until the load stops or is full.
    pub(super) async fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        while !shared.stop.is_cancelled() && !shared.is_full() {
            if !shared.options.queries.is_empty() && self.rng.random_bool(0.2) {
                self.look().await;
            } else {
                self.command().await;
            }
            let pace = u64::try_from(shared.options.pace.as_micros()).unwrap_or(u64::MAX / 2);
            let pause = Duration::from_micros(self.rng.random_range(0..=2 * pace));
            let _ = shared.stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    async fn command(&mut self) {
        let shared = Arc::clone(&self.shared);
        let (at, identity, request) = self.next_request();
        let forgetful = self.rng.random_bool(0.3);
        let sender = self.sender(&shared);
        let call = sender.command(&identity, Arc::clone(&request), forgetful, &mut self.rng).await;
        let program = &shared.programs[at];
        if let Outcome::Answered { sequence, .. } = call.outcome {
            program.floor.fetch_max(sequence, Ordering::AcqRel);
            shared.progress.send_modify(|answered| answered[at] += 1);
        }
        if let Request::RegisterDeal(register) = request.as_ref()
            && let Ok(id) = DealId::new(&register.deal_id)
        {
            program.remember(id);
        }
        self.before.push_back((at, identity, request));
        if self.before.len() > REMEMBERED {
            self.before.pop_front();
        }
        shared.keep(call);
    }

    async fn look(&mut self) {
        let shared = Arc::clone(&self.shared);
        let at = self.rng.random_range(0..shared.programs.len());
        let program = &shared.programs[at];
        let look = match self.rng.random_range(0..10) {
            0..6 => Look::Deal(self.known_deal(at)),
            6..9 => Look::Newest,
            _ => Look::Pipeline,
        };
        let identity = program.identities[self.rng.random_range(0..program.identities.len())].clone();
        let floor = program.floor.load(Ordering::Acquire);
        let sender = Sender { endpoints: &shared.queries, ..self.sender(&shared) };
        match sender.look(&identity, &look, floor, &mut self.rng).await {
            Some(call) => shared.keep_read(call),
            None => shared.read_failed(),
        }
    }

    fn sender<'a>(&self, shared: &'a Shared) -> Sender<'a> {
        let Shared { clock, commands, stop, options, .. } = shared;
        Sender { client: self.number, clock: *clock, endpoints: commands, patience: options.patience, stop }
    }

    /// What to ask next, of which program and as whom.
    fn next_request(&mut self) -> Before {
        let dice = self.rng.random_range(0..100);
        if dice < 10 && !self.before.is_empty() {
            let (at, identity, request) = self.before[self.rng.random_range(0..self.before.len())].clone();
            if dice < 7 {
                return (at, identity, request);
            }
            // The same id for something else: to be refused, wherever the first is remembered.
            let request = self.verb(at, request.request_id().to_owned());
            return (at, identity, Arc::new(request));
        }
        let shared = Arc::clone(&self.shared);
        let at = self.rng.random_range(0..shared.programs.len());
        self.asked += 1;
        let request_id = format!("c{}-{}", self.number, self.asked);
        let program = &shared.programs[at];
        if dice >= 60 {
            let identity = program.identities[self.rng.random_range(0..program.identities.len())].clone();
            return (at, identity, Arc::new(self.verb(at, request_id)));
        }
        // As the partner itself, or by the vendor for it; rarely by a partner for another, which is refused.
        let partner = PARTNERS[self.rng.random_range(0..PARTNERS.len())];
        let own = 1 + PARTNERS.iter().position(|other| *other == partner).unwrap_or(0);
        let who = [0, own, own, self.rng.random_range(0..program.identities.len())][self.rng.random_range(0..4)];
        let identity = program.identities[who].clone();
        // Rarely an id that is taken.
        let id = if self.rng.random_bool(0.05) {
            self.known_deal(at).to_string()
        } else {
            format!("d{}-{}", self.number, self.asked)
        };
        let validate_only = self.rng.random_bool(0.1);
        let request = ask::register(&program.id, partner, request_id, id, validate_only, &mut self.rng);
        (at, identity, Arc::new(request))
    }

    fn verb(&mut self, at: usize, request_id: String) -> Request {
        let deal = self.known_deal(at);
        let name = format!("programs/{}/deals/{deal}", self.shared.programs[at].id);
        ask::verb(name, request_id, &mut self.rng)
    }

    /// A deal that somebody registered lately; one that was never registered where there is none, and now and then.
    fn known_deal(&mut self, at: usize) -> DealId {
        let unknown = self.rng.random_bool(0.03);
        let known = if unknown { None } else { self.shared.programs[at].any_deal(&mut self.rng) };
        known.unwrap_or_else(|| DealId::new("d-unknown").expect("the fixed id consists of letters and a dash"))
    }
}
