//! A way to all brokers that can be cut without cutting off others.

use std::time::Duration;

use crate::proxy::Proxy;

/// A proxy before every broker. Whoever starts at [`bootstrap`](Self::bootstrap) is sent through these proxies to every broker, and
/// through no others.
#[derive(Debug)]
pub struct NetworkPath {
    pub(crate) proxies: Vec<Proxy>,
}

impl NetworkPath {
    /// Where clients of this path start.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        let addresses: Vec<String> = self.proxies.iter().map(|proxy| proxy.address().to_string()).collect();
        addresses.join(",")
    }

    /// The proxy before the broker at `index`, from 0.
    ///
    /// # Panics
    /// If there are not so many brokers.
    #[must_use]
    pub fn proxy(&self, index: usize) -> &Proxy {
        &self.proxies[index]
    }

    /// [`Proxy::cut`], to all brokers.
    pub fn cut(&self) {
        self.proxies.iter().for_each(Proxy::cut);
    }

    /// [`Proxy::heal`], to all brokers.
    pub fn heal(&self) {
        self.proxies.iter().for_each(Proxy::heal);
    }

    /// [`Proxy::reset`], to all brokers.
    pub fn reset(&self) {
        self.proxies.iter().for_each(Proxy::reset);
    }

    /// [`Proxy::delay`], to all brokers.
    pub fn delay(&self, delay: Duration) {
        self.proxies.iter().for_each(|proxy| proxy.delay(delay));
    }
}
