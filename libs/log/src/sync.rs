//! Locks whose holders cannot leave them half-changed.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes a lock even if a holder panicked: what these locks guard is changed in steps that are each whole.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
