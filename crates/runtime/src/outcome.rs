//! What came of a request, for whoever counts them.

/// Put by a service into the extensions of its answer, where the status alone does not tell it: `stored`, `duplicate`,
/// `dropped`, …: a word of few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome(pub &'static str);
