//! What is wrong with an upload, as people read it.

use std::fmt;

/// How many problems are collected before reading stops: enough to mend a template at once, few enough to read.
pub(super) const MAX_PROBLEMS: usize = 20;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The field, as `stacks[3].dependents[0].settings.pro`; empty when it is the body itself.
    pub field: String,
    /// What is wrong with it; completes "the field …".
    pub what: String,
}

impl Problem {
    pub(super) fn new(field: impl Into<String>, what: impl Into<String>) -> Self {
        Self { field: field.into(), what: what.into() }
    }

    /// The same problem seen from further out.
    pub(super) fn inside(self, outer: &str) -> Self {
        Self { field: join(outer, &self.field), what: self.what }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            return write!(f, "the body {}", self.what);
        }
        write!(f, "`{}` {}", self.field, self.what)
    }
}

/// `outer.inner`, or `outer[inner]`; either may be empty.
pub(super) fn join(outer: &str, inner: &str) -> String {
    match (outer, inner) {
        ("", inner) => inner.to_owned(),
        (outer, "") => outer.to_owned(),
        (outer, inner) if inner.starts_with('[') => format!("{outer}{inner}"),
        (outer, inner) => format!("{outer}.{inner}"),
    }
}

/// Problems found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

/// So many problems that reading on is no use.
#[derive(Debug)]
pub(super) struct Enough;

impl Problems {
    pub(super) fn add(&mut self, problem: Problem) -> Result<(), Enough> {
        self.0.push(problem);
        if self.0.len() >= MAX_PROBLEMS { Err(Enough) } else { Ok(()) }
    }

    pub(super) fn into_vec(self) -> Vec<Problem> {
        self.0
    }
}
