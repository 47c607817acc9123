//! What must hold, by name. The state notes what was broken on the way to it.

/// Something that must hold in every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Law {
    OneWriter,
    OncePerTerm,
    NoOlderTerm,
    Deposed,
    LateClaim,
    InOrder,
    OnceEver,
    DoneIsInLog,
    RefusedNever,
    RefusedOnAll,
    RefusedOnLog,
    OneState,
    OneAnswer,
    NobodyFails,
}

impl Law {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::OneWriter => "a term has the records of one writer",
            Self::OncePerTerm => "a term's n takes effect at most once",
            Self::NoOlderTerm => "after a valid claim no record of an older term takes effect",
            Self::Deposed => "a deposed writer has no effect",
            Self::LateClaim => "a term is ended only by who saw it in force",
            Self::InOrder => "effects follow each other in the order decided, without holes",
            Self::OnceEver => "a request takes effect at most once",
            Self::DoneIsInLog => "what is answered as done is in the log, valid, exactly once",
            Self::RefusedNever => "what is refused never takes effect",
            Self::RefusedOnAll => "what is refused was decided on all that was answered before it was asked",
            Self::RefusedOnLog => "a refusal or a repeat speaks of what is in the log",
            Self::OneState => "readers of one offset hold one state",
            Self::OneAnswer => "a command is answered at most once",
            Self::NobodyFails => "no writer meets what it cannot go on from",
        }
    }
}

/// When faults end: see [`peace`](super::peace).
pub(super) const PEACE: &str = "when faults end, one instance told to own answers everyone";

/// Which laws were broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Broken(u16);

impl Broken {
    /// Notes the law as broken unless it holds.
    pub(super) fn unless(&mut self, holds: bool, law: Law) {
        if !holds {
            self.0 |= 1 << law as u16;
        }
    }

    pub(super) fn has(self, law: Law) -> bool {
        self.0 & 1 << law as u16 != 0
    }

    pub(super) fn any(self) -> bool {
        self.0 != 0
    }
}
