//! Ports that a cluster keeps while it lives, its brokers' restarts included.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Explain as _};

/// Below the range (32768 and up on Linux) from which the system gives ports to outgoing connections: one of those could
/// otherwise sit on a broker's port while the broker is down.
const FIRST: u16 = 12_000;
const LAST: u16 = 32_000;
const BLOCK: u16 = 32;

/// A block of ports. A locked file keeps other test processes off it; the lock ends with the process at the latest.
#[derive(Debug)]
pub(crate) struct Ports {
    free: Vec<u16>,
    _lock: File,
}

impl Ports {
    /// Reserves a block in which every port is free now.
    pub(crate) fn reserve() -> Result<Self, Error> {
        // One a user: nobody could write into another's.
        let user = rustix::process::geteuid().as_raw();
        let directory = std::env::temp_dir().join(format!("pactum-ports-{user}"));
        std::fs::create_dir_all(&directory).explain(|| format!("cannot create {}", directory.display()))?;
        let blocks = (LAST - FIRST) / BLOCK;
        // Processes that start together look in different places first.
        let start = std::process::id().wrapping_mul(2_654_435_761);
        for step in 0..u32::from(blocks) {
            let block = u16::try_from(start.wrapping_add(step) % u32::from(blocks)).unwrap_or_default();
            let first = FIRST + block * BLOCK;
            let path = directory.join(first.to_string());
            let lock = File::create(&path).explain(|| format!("cannot create {}", path.display()))?;
            if lock.try_lock().is_err() {
                continue;
            }
            let free: Vec<u16> = (first..first + BLOCK).collect();
            if free.iter().all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()) {
                return Ok(Self { free, _lock: lock });
            }
        }
        Err(Error::Options(format!(
            "no {BLOCK} free ports in a row between {FIRST} and {LAST}: end what listens there"
        )))
    }

    /// The next port of the block.
    pub(crate) fn next(&mut self) -> Result<u16, Error> {
        self.free.pop().ok_or_else(|| {
            Error::Options(format!("a cluster has {BLOCK} ports and needs more: ask for fewer network paths"))
        })
    }
}

/// A port of the loopback interface for a process that is to be found there again after a restart. Nobody else who asks here
/// gets it while this process lives, nor does an outgoing connection.
///
/// # Errors
/// [`Error::Options`] where there are none left.
pub fn free_port() -> Result<u16, Error> {
    static BLOCKS: Mutex<Vec<Ports>> = Mutex::new(Vec::new());
    let mut blocks = BLOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(port) = blocks.last_mut().and_then(|block| block.free.pop()) {
            if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return Ok(port);
            }
        } else {
            // What was given away stays reserved.
            blocks.push(Ports::reserve()?);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn two_clusters_share_no_port() {
        let (mut one, mut other) = (Ports::reserve().unwrap(), Ports::reserve().unwrap());
        let mut taken: Vec<u16> = (0..BLOCK).flat_map(|_| [one.next().unwrap(), other.next().unwrap()]).collect();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), usize::from(BLOCK) * 2);
        assert!(one.next().unwrap_err().to_string().contains("fewer network paths"));
    }

    #[test]
    fn no_port_is_given_away_twice() {
        let mut taken: Vec<u16> = (0..2 * BLOCK + 1).map(|_| free_port().unwrap()).collect();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), usize::from(2 * BLOCK + 1));
    }
}
