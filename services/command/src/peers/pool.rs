//! Connections to other instances, made when needed and kept while used.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tonic::transport::{Channel, Endpoint};

use super::Detection;

/// What nobody asked for in this time is dropped; its calls under way go on.
const UNUSED: Duration = Duration::from_secs(120);

/// How long a connection for commands may be silent before it counts as broken. Patient: whoever waits on it without a
/// request id then does not learn the outcome.
const FORWARD_PING: Duration = Duration::from_secs(1);
const FORWARD_SILENCE: Duration = Duration::from_secs(4);

/// HTTP/2 windows: the default is one bulk stream's worth.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// To see at once when the other end is gone.
    Probe,
    /// To forward commands.
    Forward,
}

/// A channel for each address and purpose.
#[derive(Debug)]
pub(crate) struct Pool {
    detection: Detection,
    channels: Mutex<HashMap<(String, Purpose), Pooled>>,
}

#[derive(Debug)]
struct Pooled {
    channel: Channel,
    used: Instant,
}

/// The address in a claim is none.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the owner's address {0:?} cannot be connected to; command.advertise must be HOST:PORT")]
pub(crate) struct BadAddress(pub(crate) String);

impl Pool {
    pub(crate) fn new(detection: Detection) -> Self {
        Self { detection, channels: Mutex::default() }
    }

    /// The channel to an address. It connects when it is first used, and again after it broke.
    pub(crate) fn channel(&self, address: &str, purpose: Purpose) -> Result<Channel, BadAddress> {
        let now = Instant::now();
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pooled) = channels.get_mut(&(address.to_owned(), purpose)) {
            pooled.used = now;
            return Ok(pooled.channel.clone());
        }
        channels.retain(|_, pooled| now.duration_since(pooled.used) < UNUSED);
        let channel = self.open(address, purpose)?;
        channels.insert((address.to_owned(), purpose), Pooled { channel: channel.clone(), used: now });
        Ok(channel)
    }

    fn open(&self, address: &str, purpose: Purpose) -> Result<Channel, BadAddress> {
        let (interval, timeout) = match purpose {
            Purpose::Probe => (self.detection.ping_interval, self.detection.ping_timeout),
            Purpose::Forward => (FORWARD_PING, FORWARD_SILENCE),
        };
        let endpoint =
            Endpoint::from_shared(format!("http://{address}")).map_err(|_| BadAddress(address.to_owned()))?;
        Ok(endpoint
            .tcp_nodelay(true)
            .connect_timeout(self.detection.ping_timeout)
            .http2_keep_alive_interval(interval)
            .keep_alive_timeout(timeout)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .connect_lazy())
    }
}
