//! Whom to ask, by what the log has said so far.

use pactum_journal::{Role, Status};
use pactum_log::Offset;
use pactum_runtime::config::is_address;
use tokio::time::Instant;

/// Who should decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// This instance.
    Here,
    /// The owner of this term.
    Owner { address: String, term: Option<Offset> },
    /// Nobody that is known now.
    Nobody,
}

/// An owner that could not be asked, and until when it is not asked again in the same term.
#[derive(Clone, Debug)]
pub(crate) struct Missed {
    pub(crate) term: Option<Offset>,
    pub(crate) until: Instant,
}

/// Chooses. `own` is this instance's address.
pub(crate) fn choose(status: &Status, own: &str, missed: Option<&Missed>) -> Target {
    if status.refusing.is_none() {
        return Target::Here;
    }
    // Claims read while catching up are old ones.
    let (Some(owner), false) = (&status.owner, status.role == Role::CatchingUp) else { return Target::Nobody };
    let again = missed.is_none_or(|missed| missed.term != status.term || missed.until <= Instant::now());
    if owner == own || !again || !is_address(owner) {
        return Target::Nobody;
    }
    Target::Owner { address: owner.clone(), term: status.term }
}
