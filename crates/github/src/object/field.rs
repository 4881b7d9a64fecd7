//! Reading fields of an object whose shape nobody promises.

use crate::name;
use jiff::Timestamp;
use serde_json::Value;

/// An object lacks what it cannot exist without.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the field `{0}` is missing, null or of another kind")]
pub struct MissingField(pub String);

/// A JSON value with the name under which errors mention it. Paths are field names joined by dots.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    name: &'a str,
    value: &'a Value,
}

impl<'a> Object<'a> {
    /// The object at `value`, called `name`; an empty name stands for the whole payload.
    #[must_use]
    pub const fn new(name: &'a str, value: &'a Value) -> Self {
        Self { name, value }
    }

    /// What is at a path; null when nothing is.
    #[must_use]
    pub fn at(&self, path: &str) -> &'a Value {
        path.split('.').try_fold(self.value, |value, key| value.get(key)).unwrap_or(&Value::Null)
    }

    /// A text that is not empty.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&'a str> {
        self.at(path).as_str().filter(|text| !text.is_empty())
    }

    /// A whole number that is not negative.
    #[must_use]
    pub fn number(&self, path: &str) -> Option<u64> {
        self.at(path).as_u64()
    }

    /// True or false.
    #[must_use]
    pub fn flag(&self, path: &str) -> Option<bool> {
        self.at(path).as_bool()
    }

    /// A moment, however GitHub writes it.
    #[must_use]
    pub fn moment(&self, path: &str) -> Option<Timestamp> {
        name::timestamp(self.at(path))
    }

    /// The first of several moments that is there; the beginning of time when none is, so that it orders before all.
    #[must_use]
    pub fn first_moment(&self, paths: &[&str]) -> Timestamp {
        paths.iter().find_map(|path| self.moment(path)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The elements of a list; none when there is no list.
    #[must_use]
    pub fn list(&self, path: &str) -> &'a [Value] {
        self.at(path).as_array().map_or(&[], Vec::as_slice)
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// When it is missing, empty or no text.
    pub fn need_text(&self, path: &str) -> Result<&'a str, MissingField> {
        self.text(path).ok_or_else(|| self.missing(path))
    }

    /// A number that must be there.
    ///
    /// # Errors
    /// When it is missing or no whole number.
    pub fn need_number(&self, path: &str) -> Result<u64, MissingField> {
        self.number(path).ok_or_else(|| self.missing(path))
    }

    /// The error that names the field at `path`.
    #[must_use]
    pub fn missing(&self, path: &str) -> MissingField {
        MissingField(
            [self.name, path].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("."),
        )
    }
}
