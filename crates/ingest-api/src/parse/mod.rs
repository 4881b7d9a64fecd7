//! From the body of an upload to what the log keeps of it: wire types end here.
//!
//! Reading is bounded in bytes (by the body limit), depth, entries visited and memory, whatever the body holds:
//! `json` walks the text without recursion, `entries` follows the nesting with its own stack, `nodes` keeps the union
//! and nothing else.

mod entries;
mod json;
mod limits;
mod nodes;
mod problem;
mod repository;
mod settings;
mod upload;

pub use json::SyntaxError;
pub use limits::Limits;
pub use problem::Problem;
pub use upload::{Upload, parse_affected, parse_upload};

use problem::{Enough, Problems};

/// An upload cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// It is not JSON.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// It is not UTF-8, as JSON has to be.
    #[error("the body is not valid UTF-8 after byte {valid}")]
    Encoding {
        /// How many bytes are valid.
        valid: usize,
    },
    /// Fields are missing or wrong; the first few of them.
    #[error("{}", list(.0))]
    Invalid(Vec<Problem>),
    /// It repeats its stacks too often.
    #[error("the upload lists more than {limit} stacks in `stacks` and their `dependents`, repeats included")]
    TooManyEntries {
        /// How many may be visited.
        limit: usize,
    },
    /// Its settings configure too much.
    #[error("the upload configures more than {limit} workflow inputs in `settings.pro`")]
    TooManyInputs {
        /// How many are read.
        limit: usize,
    },
    /// Reading stopped, as enough problems were found. Only inside this module.
    #[doc(hidden)]
    #[error("too many problems")]
    Enough,
}

impl From<Enough> for ParseError {
    fn from(Enough: Enough) -> Self {
        Self::Enough
    }
}

/// The result of reading, with the problems that were collected on the way.
fn conclude<T>(read: Result<T, ParseError>, problems: Problems) -> Result<T, ParseError> {
    let problems = problems.into_vec();
    match read {
        Ok(value) if problems.is_empty() => Ok(value),
        Ok(_) | Err(ParseError::Enough) => Err(ParseError::Invalid(problems)),
        Err(error) => Err(error),
    }
}

fn list(problems: &[Problem]) -> String {
    let reasons: Vec<String> = problems.iter().map(ToString::to_string).collect();
    format!("the upload is not valid: {}", reasons.join("; "))
}
