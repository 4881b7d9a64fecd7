//! What is wrong with the configuration: all of it at once, each with what to do.

use std::{fmt, path::PathBuf};

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) struct SettingsError {
    /// At least one, in the order of reading.
    pub(crate) problems: Vec<Problem>,
}

/// One thing that is wrong. Values of secrets never stand in it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The configuration file cannot be read, or is no TOML.
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// The file holds a key that is no setting.
    UnknownKey {
        /// The key.
        key: String,
        /// The file.
        path: PathBuf,
    },
    /// An environment variable begins like a setting and is none.
    UnknownVariable {
        /// The variable.
        name: String,
    },
    /// A value is not of the accepted form.
    Bad {
        /// The setting, as it was given.
        name: String,
        /// The value; none for a secret, or what may hold one.
        value: Option<String>,
        /// What is accepted.
        accepts: String,
    },
    /// A secret and the file with it are both given, in the same place.
    Both {
        /// The setting, as it was given.
        name: String,
        /// The setting that names a file.
        file: String,
    },
    /// A file that a setting names cannot be read.
    Unreadable {
        /// The setting, as it was given.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// A setting is needed and given nowhere.
    Missing {
        /// Its environment variable.
        env: String,
        /// Its key in the file.
        key: &'static str,
        /// Who needs it, and what for.
        why: &'static str,
        /// What to do.
        advice: &'static str,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, error } => {
                write!(f, "the configuration file `{}` cannot be read: {error}", path.display())
            }
            Self::UnknownKey { key, path } => write!(
                f,
                "`{key}` in `{}` is no setting; `stackwave serve --help` lists them",
                path.display()
            ),
            Self::UnknownVariable { name } => {
                write!(f, "`{name}` in the environment is no setting; `stackwave serve --help` lists them")
            }
            Self::Bad { name, value: Some(value), accepts } => {
                write!(f, "`{name}` is `{value}`; it takes {accepts}")
            }
            Self::Bad { name, value: None, accepts } => {
                write!(f, "`{name}` has a value that cannot be used; it takes {accepts}")
            }
            Self::Both { name, file } => {
                write!(f, "`{name}` and `{file}` are both given; take one of them away")
            }
            Self::Unreadable { name, path, error } => {
                write!(f, "`{name}` names the file `{}`, which cannot be used: {error}", path.display())
            }
            Self::Missing { env, key, why, advice } => {
                write!(f, "`{env}` is missing (`{key}` in the configuration file): {why}; {advice}")
            }
        }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [problem] => write!(f, "{problem}"),
            problems => {
                write!(f, "the configuration has {} problems:", problems.len())?;
                problems.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
            }
        }
    }
}
