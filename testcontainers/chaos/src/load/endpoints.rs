//! Where a load finds the system: addresses, some of which may be dead at any time.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use tokio::sync::Mutex;
use tonic::transport::{Channel, Endpoint};

const CONNECT: Duration = Duration::from_millis(500);

/// How long an address that gave no answer is left alone, as a load balancer does that looks after its targets.
const ASIDE: Duration = Duration::from_secs(5);

/// One address, and the connection to it while it is good.
#[derive(Debug)]
struct Place {
    endpoint: Endpoint,
    channel: Mutex<Option<Channel>>,
    /// When it last gave no answer.
    failed: std::sync::Mutex<Option<Instant>>,
}

impl Place {
    fn failed(&self) -> Option<Instant> {
        let failed = *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.filter(|failed| failed.elapsed() < ASIDE)
    }
}

/// Addresses that do the same.
#[derive(Debug)]
pub(super) struct Endpoints(Vec<Place>);

/// An address that is not a URL.
#[derive(Debug, thiserror::Error)]
#[error("{url:?} is not an address; one such as http://127.0.0.1:7400 was expected")]
pub struct InvalidEndpoint {
    url: String,
    source: tonic::transport::Error,
}

impl Endpoints {
    pub(super) fn new(urls: &[String]) -> Result<Self, InvalidEndpoint> {
        let place = |url: &String| {
            let endpoint = Endpoint::from_shared(url.clone())
                .map_err(|source| InvalidEndpoint { url: url.clone(), source })?
                .connect_timeout(CONNECT)
                .tcp_nodelay(true);
            Ok(Place { endpoint, channel: Mutex::default(), failed: std::sync::Mutex::default() })
        };
        urls.iter().map(place).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// One at random of the addresses that did not fail lately; where all did, the one that failed longest ago.
    pub(super) fn choose(&self, rng: &mut ChaCha8Rng) -> usize {
        let good: Vec<_> = (0..self.len()).filter(|index| self.0[*index].failed().is_none()).collect();
        if good.is_empty() {
            (0..self.len()).min_by_key(|index| self.0[*index].failed()).unwrap_or(0)
        } else {
            good[rng.random_range(0..good.len())]
        }
    }

    /// Notes that an address gave no answer, or no other than that it cannot.
    pub(super) fn failed(&self, index: usize) {
        *self.0[index].failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// The connection to an address, made where there is none. An error is certain: nothing was sent.
    pub(super) async fn channel(&self, index: usize) -> Result<Channel, tonic::transport::Error> {
        let place = &self.0[index];
        let mut kept = place.channel.lock().await;
        if let Some(channel) = &*kept {
            return Ok(channel.clone());
        }
        let connecting = tokio::time::timeout(CONNECT, place.endpoint.connect()).await;
        let channel = match connecting {
            Ok(connected) => connected?,
            // Where even the handshake hangs, the first call on a lazy channel runs into its own deadline.
            Err(_) => return Ok(place.endpoint.connect_lazy()),
        };
        Ok(kept.insert(channel).clone())
    }

    /// Gives up the connection to an address, after a call on it broke off.
    pub(super) async fn forget(&self, index: usize) {
        *self.0[index].channel.lock().await = None;
    }
}
