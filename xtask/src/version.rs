//! Versions of the tools, as they print them.

use std::fmt;

/// Major, minor and patch; what follows (pre-release, build) is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u64, pub(crate) u64, pub(crate) u64);

impl Version {
    /// The first version in a line of text, with or without a `v` before it: `nats-server: v2.15.1`, `v20.20.2`.
    ///
    /// A pre-release such as `2.14.0-RC.1` counts as its release: it has the features that we ask for.
    pub(crate) fn find_in(text: &str) -> Option<Self> {
        text.split_whitespace().find_map(Self::parse)
    }

    fn parse(word: &str) -> Option<Self> {
        let word = word.strip_prefix('v').unwrap_or(word);
        let release = word.split(['-', '+']).next()?;
        let mut numbers = release.split('.').map(|number| number.parse().ok());
        let version = Self(numbers.next()??, numbers.next()??, numbers.next()??);
        numbers.next().is_none().then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_found_in_what_the_tools_print() {
        for (text, expected) in [
            ("nats-server: v2.15.1", Some(Version(2, 15, 1))),
            ("nats-server: v2.14.0-RC.1\n", Some(Version(2, 14, 0))),
            ("nats-server: v2.9.10", Some(Version(2, 9, 10))),
            ("v20.20.2", Some(Version(20, 20, 2))),
            ("11.19.1+build", Some(Version(11, 19, 1))),
            ("Python 3.11.7", Some(Version(3, 11, 7))),
            ("nats-server: vbeta", None),
            ("2.14", None),
            ("1.2.3.4", None),
            ("", None),
        ] {
            assert_eq!(Version::find_in(text), expected, "in {text:?}");
        }
    }

    #[test]
    fn versions_compare_by_number_and_not_by_text() {
        assert!(Version(2, 9, 10) < Version(2, 14, 0));
        assert!(Version(2, 14, 0) <= Version(2, 14, 0));
        assert!(Version(3, 0, 0) > Version(2, 99, 99));
    }
}
