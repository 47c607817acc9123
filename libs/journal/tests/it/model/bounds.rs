//! How far a run goes: who takes part, and how often which fault happens. Everything within is tried, in every order.

/// How many faults of each kind happen at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Faults {
    /// An append never arrives.
    pub(super) lose: u8,
    /// An append arrives twice.
    pub(super) double: u8,
    /// An append arrives before an earlier one of its sender.
    pub(super) overtake: u8,
    /// A sender is told that its append failed, whether or not it still arrives.
    pub(super) fail: u8,
    /// A process ends and starts anew.
    pub(super) crash: u8,
    /// A writer waits no longer for what it appended.
    pub(super) time_out: u8,
    /// A delay is over: a deposed writer contests, one that is draining gives up.
    pub(super) wait: u8,
    /// A writer is told to own the partition, or to give it up.
    pub(super) tell: u8,
}

impl Faults {
    pub(super) const NONE: Self =
        Self { lose: 0, double: 0, overtake: 0, fail: 0, crash: 0, time_out: 0, wait: 0, tell: 0 };
}

/// What a run covers. Delays need no bound: anything may be delayed past everything else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) name: &'static str,
    pub(super) writers: usize,
    /// This many writers, from the first, are told to own the partition when it all starts.
    pub(super) told: usize,
    /// Start with the first writer as owner and all caught up, not with an empty partition.
    pub(super) owned: bool,
    /// One command each, which takes effect if fewer than so many others did before.
    pub(super) clients: &'static [u8],
    /// How often a client asks at most, the same writer or another, waiting for an answer or not.
    pub(super) asks: usize,
    /// How many records a writer may have in flight.
    pub(super) window: usize,
    pub(super) faults: Faults,
    /// Whether every state is followed into peace.
    pub(super) peace: bool,
}
