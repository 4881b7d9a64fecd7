//! Where something is: repositories, records, commits and workflow runs, as columns show them.

use stackwave_admin_proto::v1::{LogPosition, Repository, WorkflowRun};

/// `owner/name`, or GitHub's number while the name is not known.
pub(crate) fn repository(repository: Option<&Repository>) -> String {
    match repository {
        Some(Repository { id, name }) if name.is_empty() => id.to_string(),
        Some(Repository { name, .. }) => name.clone(),
        None => String::new(),
    }
}

/// `SW_00:118`.
pub(crate) fn record(position: Option<&LogPosition>) -> String {
    position.map(|at| format!("{}:{}", at.stream, at.position)).unwrap_or_default()
}

/// The beginning of a commit or digest, as GitHub shows it.
pub(crate) fn short(sha: &str) -> String {
    sha.chars().take(7).collect()
}

/// GitHub's number of a workflow run, and its attempt after a re-run.
pub(crate) fn workflow_run(run: Option<&WorkflowRun>) -> String {
    match run {
        Some(WorkflowRun { id, attempt, .. }) if *attempt > 1 => format!("{id} attempt {attempt}"),
        Some(WorkflowRun { id, .. }) => id.to_string(),
        None => String::new(),
    }
}

/// A number, or nothing for 0.
pub(crate) fn some(number: impl Into<u64>) -> String {
    match number.into() {
        0 => String::new(),
        number => number.to_string(),
    }
}

/// The place of a record on the command line: its position, or `SW_00:118` as it is printed.
pub(crate) fn position(text: &str) -> Result<u64, String> {
    let position = text.rsplit_once(':').map_or(text, |(_, position)| position);
    match position.parse() {
        Ok(0) | Err(_) => Err("expected a position such as `118` or `SW_00:118`".to_owned()),
        Ok(position) => Ok(position),
    }
}

/// The place of a record with its stream.
pub(crate) fn log_position(text: &str) -> Result<LogPosition, String> {
    match text.rsplit_once(':') {
        Some((stream, number)) if !stream.is_empty() => {
            Ok(LogPosition { stream: stream.to_owned(), position: position(number)? })
        }
        Some(_) | None => Err("expected STREAM:POSITION such as `SW_00:118`".to_owned()),
    }
}
