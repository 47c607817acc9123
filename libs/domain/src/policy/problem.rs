//! Why a policy document was refused.

/// A policy document that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, {field}: {problem}")]
pub struct InvalidPolicy {
    /// The line of the document, from 1; 0 where it is about the whole.
    pub line: usize,
    /// The field's path: `tiers[1].id`.
    pub field: String,
    /// What is wrong, what was expected.
    pub problem: String,
}
