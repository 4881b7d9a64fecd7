//! Reads settings out of the layers and collects everything that is wrong on the way.

use super::{
    error::{Problem, SettingsError},
    layers::{Given, Layers, Origin, Sources},
    table::Setting,
};
use std::path::PathBuf;

/// Reads one setting after the other.
pub(super) struct Reader {
    layers: Layers,
    problems: Vec<Problem>,
}

impl Reader {
    pub(super) fn new(sources: &Sources) -> Self {
        let mut problems = Vec::new();
        let layers = Layers::read(sources, &mut problems);
        Self { layers, problems }
    }

    /// The value, if everything was right.
    pub(super) fn conclude<T>(self, value: Option<T>) -> Result<T, SettingsError> {
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            Some(_) | None => Err(SettingsError { problems: self.problems }),
        }
    }

    /// A setting that stands for itself.
    pub(super) fn value<T>(&mut self, key: &'static str, parse: fn(&str) -> Option<T>) -> Option<T> {
        let (setting, given) = self.given(key)?;
        let value = parse(&given.text);
        if value.is_none() {
            self.bad(setting, given.origin, Some(given.text));
        }
        value
    }

    /// A secret, given itself or as a file; of two layers the later one wins.
    pub(super) fn secret<T>(
        &mut self,
        key: &'static str,
        file_key: &'static str,
        parse: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let direct = self.given(key);
        let file = self.given(file_key);
        match (direct, file) {
            (Some((setting, direct)), Some((file_setting, file))) if direct.origin == file.origin => {
                self.problems.push(Problem::Both {
                    name: direct.origin.name(setting),
                    file: file.origin.name(file_setting),
                });
                None
            }
            (Some((_, direct)), Some((_, file))) if file.origin > direct.origin => {
                self.content(file_key, Setting::of_key(key)?.accepts, parse)
            }
            (Some((setting, direct)), _) => {
                let value = parse(&direct.text);
                if value.is_none() {
                    self.bad(setting, direct.origin, None);
                }
                value
            }
            (None, Some(_)) => self.content(file_key, Setting::of_key(key)?.accepts, parse),
            (None, None) => None,
        }
    }

    /// What the file holds that a setting names, without blanks around it.
    pub(super) fn content<T>(
        &mut self,
        key: &'static str,
        accepts: &str,
        parse: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let (setting, given) = self.given(key)?;
        let (name, path) = (given.origin.name(setting), PathBuf::from(given.text));
        let error = match std::fs::read_to_string(&path) {
            Ok(text) => match parse(text.trim()) {
                Some(value) => return Some(value),
                None => format!("it should hold {accepts}"),
            },
            Err(error) => error.to_string(),
        };
        self.problems.push(Problem::Unreadable { name, path, error });
        None
    }

    /// Notes the first of these settings as missing when none of them is given. What a file holds that cannot be read
    /// is not missed.
    pub(super) fn need(&mut self, keys: &[&'static str], why: &'static str, advice: &'static str) {
        let settings: Vec<&'static Setting> = keys.iter().filter_map(|key| Setting::of_key(key)).collect();
        let unread = self.problems.iter().any(|problem| matches!(problem, Problem::File { .. }));
        let given = unread || settings.iter().any(|setting| !matches!(self.layers.get(setting), Ok(None)));
        if let (Some(setting), false) = (settings.first(), given) {
            self.problems.push(Problem::Missing { env: setting.env(), key: setting.key, why, advice });
        }
    }

    fn given(&mut self, key: &'static str) -> Option<(&'static Setting, Given)> {
        let setting = Setting::of_key(key)?;
        match self.layers.get(setting) {
            Ok(given) => Some((setting, given?)),
            Err(origin) => {
                self.bad(setting, origin, None);
                None
            }
        }
    }

    fn bad(&mut self, setting: &Setting, origin: Origin, value: Option<String>) {
        self.problems.push(Problem::Bad {
            name: origin.name(setting),
            // A URL with a password is one, also where it is wrong.
            value: value.filter(|value| !value.contains('@')),
            accepts: setting.accepts.to_owned(),
        });
    }
}
