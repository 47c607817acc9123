//! How a handler says that another instance should answer: through a note in the request's extensions.

use std::sync::{Arc, OnceLock};

/// What the handler found, if not an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    /// The request carries a request id, so that sending it twice is safe.
    pub(crate) repeatable: bool,
}

/// The note. Nothing was appended here for the request, certainly, where it says [`Elsewhere`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempt(Arc<OnceLock<Elsewhere>>);

impl Attempt {
    pub(crate) fn elsewhere(&self, repeatable: bool) {
        // One attempt ends once.
        let _ = self.0.set(Elsewhere { repeatable });
    }

    pub(crate) fn found(&self) -> Option<Elsewhere> {
        self.0.get().copied()
    }
}
