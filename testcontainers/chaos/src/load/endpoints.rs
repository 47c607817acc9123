//! Where a load finds the system: addresses, some of which may be dead at any time.

use std::time::Duration;

use tokio::sync::Mutex;
use tonic::transport::{Channel, Endpoint};

const CONNECT: Duration = Duration::from_millis(500);

/// One address, and the connection to it while it is good.
#[derive(Debug)]
struct Place {
    endpoint: Endpoint,
    channel: Mutex<Option<Channel>>,
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
            Ok(Place { endpoint, channel: Mutex::default() })
        };
        urls.iter().map(place).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
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
