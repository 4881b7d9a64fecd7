//! Where something is: repositories, records, commits and workflow runs, as columns show them.

use crate::time::When;
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

/// A moment of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// Once the record at this position had happened.
    Position(u64),
    /// At this moment.
    Time(When),
}

impl At {
    /// `118` or `SW_00:118`, `2026-11-24T13:00:00Z`, or how long ago: `2h`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let place = text.strip_prefix("SW_").and_then(|place| place.split_once(':'));
        let position = place.map_or(text, |(_, position)| position).parse().ok().filter(|it| *it > 0);
        // A time of day holds colons as well.
        let time = || When::parse(text).ok().filter(|_| text.contains(char::is_alphabetic)).map(Self::Time);
        position.map(Self::Position).or_else(time).ok_or_else(|| {
            "expected a position (`118`, `SW_00:118`), a time (`2026-11-24T13:00:00Z`), or how long ago (`2h`)"
                .to_owned()
        })
    }

    /// As requests have it: the position, 0 for none, and the moment.
    pub(crate) fn wire(at: Option<Self>, now: jiff::Timestamp) -> (u64, Option<prost_types::Timestamp>) {
        match at {
            None => (0, None),
            Some(Self::Position(position)) => (position, None),
            Some(Self::Time(when)) => (0, Some(when.wire(now))),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_of_a_run_is_a_position_or_a_time() {
        let now: jiff::Timestamp = "2026-11-24T13:00:00Z".parse().unwrap();
        let wire = |text: &str| {
            let (position, at) = At::wire(Some(At::parse(text).unwrap()), now);
            (position, at.map(|at| now.as_second() - at.seconds))
        };
        assert_eq!(wire("118"), (118, None));
        assert_eq!(wire("SW_00:118"), (118, None));
        assert_eq!(wire("2026-11-24T12:45:00Z"), (0, Some(900)));
        assert_eq!(wire("15m"), (0, Some(900)));
        for wrong in ["0", "12:05", "SW_00:12:05", "SW_00", "yesterday"] {
            assert!(At::parse(wrong).unwrap_err().contains("SW_00:118"), "{wrong}");
        }
    }
}
