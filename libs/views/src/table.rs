//! A keyspace whose rows are all of one type.

use std::marker::PhantomData;
use std::ops::ControlFlow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::rows::{KeyRange, Order, RowError, Rows};

/// What a table's rows are made of. Stored as postcard after one byte that says which version of the type it is.
pub trait Row: Serialize + DeserializeOwned + Send + 'static {
    /// Raised with every change of the type, together with the version of the view: views are rebuilt, not migrated.
    const VERSION: u8;
}

/// A keyspace and the type of its rows.
#[derive(Debug)]
pub struct Table<R> {
    /// The keyspace's name.
    pub keyspace: &'static str,
    row: PhantomData<fn() -> R>,
}

impl<R: Row> Table<R> {
    /// Names a table.
    #[must_use]
    pub const fn new(keyspace: &'static str) -> Self {
        Self { keyspace, row: PhantomData }
    }

    /// Reads the row of a key.
    ///
    /// # Errors
    /// [`RowError`] where the store fails or the row cannot be read.
    pub fn get(&self, rows: &dyn Rows, key: &[u8]) -> Result<Option<R>, RowError> {
        let mut found = None;
        rows.get(self.keyspace, key, &mut |bytes| found = Some(self.decode(bytes)))?;
        found.transpose()
    }

    /// Shows the rows of a range in order, until `visit` breaks or fails.
    ///
    /// # Errors
    /// What `visit` returns, and [`RowError`] where the store fails or a row cannot be read.
    pub fn scan<E: From<RowError>>(
        &self,
        rows: &dyn Rows,
        range: &KeyRange,
        order: Order,
        mut visit: impl FnMut(&[u8], R) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let mut failed = None;
        rows.scan(self.keyspace, range, order, &mut |key, bytes| match self
            .decode(bytes)
            .map_err(E::from)
            .and_then(|row| visit(key, row))
        {
            Ok(flow) => flow,
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        })?;
        failed.map_or(Ok(()), Err)
    }

    /// Reads a row's bytes.
    ///
    /// # Errors
    /// [`RowError`] where they are of another version, or damaged.
    pub fn decode(&self, bytes: &[u8]) -> Result<R, RowError> {
        let keyspace = self.keyspace;
        let (&found, rest) = bytes.split_first().ok_or(RowError::Malformed { keyspace })?;
        if found != R::VERSION {
            return Err(RowError::Version { keyspace, found, known: R::VERSION });
        }
        match postcard::take_from_bytes(rest) {
            Ok((row, [])) => Ok(row),
            Ok(_) | Err(_) => Err(RowError::Malformed { keyspace }),
        }
    }
}

/// Appends a row's bytes.
pub(crate) fn encode_into<R: Row>(row: &R, bytes: &mut Vec<u8>) {
    bytes.push(R::VERSION);
    *bytes = postcard::to_extend(row, std::mem::take(bytes))
        .expect("a Vec takes any number of bytes, and no row refuses to serialize");
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Pair(u32, String);
    impl Row for Pair {
        const VERSION: u8 = 3;
    }
    const PAIRS: Table<Pair> = Table::new("pairs");

    #[test]
    fn bytes_that_are_no_row_are_refused() {
        let mut bytes = Vec::new();
        encode_into(&Pair(7, "seven".into()), &mut bytes);
        assert_eq!(PAIRS.decode(&bytes).unwrap(), Pair(7, "seven".into()));
        assert!(matches!(PAIRS.decode(&[]), Err(RowError::Malformed { keyspace: "pairs" })));
        assert!(matches!(PAIRS.decode(&bytes[..4]), Err(RowError::Malformed { .. })));
        assert!(matches!(PAIRS.decode(&[4, 7, 0]), Err(RowError::Version { found: 4, known: 3, .. })));
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(matches!(PAIRS.decode(&longer), Err(RowError::Malformed { .. })));
    }
}
