//! Named, ordered maps within a database.

use std::sync::Arc;

/// What a keyspace is like, given when its database is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyspaceSpec {
    pub(crate) name: Arc<str>,
    pub(crate) kind: Kind,
}

/// How a keyspace is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Rows,
    Index,
    AppendOnly,
}

impl KeyspaceSpec {
    /// A keyspace for rows that are read one by one or in short scans, and written over.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), kind: Kind::Rows }
    }

    /// A keyspace whose keys are written where they are not and removed where they are, never written over, and read in scans:
    /// no filter, and a key that was removed leaves nothing behind where the two meet.
    #[must_use]
    pub fn index(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), kind: Kind::Index }
    }

    /// A keyspace whose keys only grow and which is read in long scans: larger blocks, no filter, and scans that leave the
    /// shared cache to others.
    #[must_use]
    pub fn append_only(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), kind: Kind::AppendOnly }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A keyspace of an open database. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyspace {
    pub(crate) spec: KeyspaceSpec,
}

impl Keyspace {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.spec.name
    }
}
