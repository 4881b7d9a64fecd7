//! Which servers are new enough.

use stackwave_event_log::LogError;
use std::fmt;

/// Before 2.14 an I/O error does not stop a stream, and what else the log relies on is partly missing.
pub(crate) const NEEDED: Version = Version(2, 14);

/// Major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u64, u64);

impl Version {
    /// Of `2.15.1`, `2.14.0-RC.1`, `v2.14.0`.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim_start_matches('v').split(['.', '-']);
        Some(Self(parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// Refuses a server that is too old.
pub(crate) fn check(found: &str) -> Result<(), LogError> {
    if Version::parse(found).is_some_and(|version| version >= NEEDED) {
        return Ok(());
    }
    Err(LogError::Setup(format!("the NATS server has version {found}, but {NEEDED} or newer is needed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_from_2_14_on_are_new_enough() {
        for found in ["2.14.0", "2.15.1", "v2.14.0-RC.1", "3.0.0"] {
            assert!(check(found).is_ok(), "{found}");
        }
    }

    #[test]
    fn an_older_server_is_refused_and_both_versions_are_named() {
        for found in ["2.9.10", "2.13.9", "1.99.0", "", "latest"] {
            let error = check(found).unwrap_err().to_string();
            assert!(error.contains(found) && error.contains("2.14 or newer"), "{error}");
        }
    }
}
