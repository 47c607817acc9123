//! What goes wrong, and how often.

/// Probabilities, each between 0 and 1, of what can happen to a message or a reader in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Faults {
    /// A writer's connection delivers nothing more in this step.
    pub delay: f64,
    /// A message is lost.
    pub lose: f64,
    /// The writer is told that its message was lost (else it never learns).
    pub report: f64,
    /// A message is appended, and once more at some later step.
    pub duplicate: f64,
    /// A message overtakes those before it on its connection.
    pub reorder: f64,
    /// A message leaves its connection and arrives at some later step, even after its writer's crash.
    pub wander: f64,
    /// A message that wanders (or a duplicate) arrives in this step.
    pub arrive: f64,
    /// A writer's connection stalls, for up to `stall_steps` steps.
    pub stall: f64,
    /// The longest stall, in steps.
    pub stall_steps: u32,
    /// A reader does not see the newest entries yet.
    pub lag: f64,
}

impl Faults {
    /// Nothing goes wrong: one step delivers everything that is under way and every reader sees it.
    pub const NONE: Self = Self {
        delay: 0.0,
        lose: 0.0,
        report: 1.0,
        duplicate: 0.0,
        reorder: 0.0,
        wander: 0.0,
        arrive: 1.0,
        stall: 0.0,
        stall_steps: 0,
        lag: 0.0,
    };

    /// Everything goes wrong now and then, most messages still get through.
    pub const SOME: Self = Self {
        delay: 0.3,
        lose: 0.02,
        report: 0.5,
        duplicate: 0.03,
        reorder: 0.03,
        wander: 0.03,
        arrive: 0.1,
        stall: 0.01,
        stall_steps: 50,
        lag: 0.4,
    };

    /// A bad day.
    pub const MANY: Self = Self {
        delay: 0.5,
        lose: 0.15,
        report: 0.3,
        duplicate: 0.15,
        reorder: 0.2,
        wander: 0.15,
        arrive: 0.05,
        stall: 0.05,
        stall_steps: 100,
        lag: 0.7,
    };
}

impl Default for Faults {
    fn default() -> Self {
        Self::SOME
    }
}
