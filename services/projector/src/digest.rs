//! A view's rows in 32 bytes: two folds of one log agree when these do.

use std::fmt;
use std::ops::ControlFlow;

use pactum_views::{KeyRange, Order, RowError, Rows};
use sha2::{Digest as _, Sha256};

/// The SHA-256 of every keyspace's name and rows, in order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Reads all rows of the keyspaces.
    pub(crate) fn of(rows: &dyn Rows, keyspaces: impl Iterator<Item = &'static str>) -> Result<(Self, u64), RowError> {
        let mut hash = Sha256::new();
        let mut count = 0;
        for keyspace in keyspaces {
            part(&mut hash, keyspace.as_bytes());
            rows.scan(keyspace, &KeyRange { from: Vec::new(), to: None }, Order::Ascending, &mut |key, row| {
                part(&mut hash, key);
                part(&mut hash, row);
                count += 1;
                ControlFlow::Continue(())
            })?;
        }
        Ok((Self(hash.finalize().into()), count))
    }
}

/// With its length first, so that no two lists of parts hash alike.
fn part(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
