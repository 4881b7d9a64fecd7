//! The payload within a body, and its top-level fields, each read only when it is asked for: a push brings thousands of
//! commits that nobody looks at.

use super::ParseError;
use serde_json::{Value, value::RawValue};
use std::{borrow::Cow, collections::HashMap};

/// The JSON within a body. Any content type but a form is taken as JSON.
pub(super) fn json<'a>(body: &'a [u8], content_type: Option<&str>) -> Result<Cow<'a, [u8]>, ParseError> {
    let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(Cow::Borrowed(body));
    }
    form_urlencoded::parse(body)
        .find(|(key, _)| key == "payload")
        .map(|(_, payload)| Cow::Owned(payload.into_owned().into_bytes()))
        .ok_or(ParseError::NoPayloadField)
}

/// The top-level fields of a payload.
pub(super) struct Payload<'a>(HashMap<Cow<'a, str>, &'a RawValue>);

impl<'a> Payload<'a> {
    pub(super) fn parse(json: &'a [u8]) -> Result<Self, ParseError> {
        // First bytes decide between the two errors: a list is valid JSON and yet no payload.
        let raw: &RawValue =
            serde_json::from_slice(json).map_err(|error| ParseError::NotJson(error.to_string()))?;
        if !raw.get().starts_with('{') {
            return Err(ParseError::NotAnObject);
        }
        serde_json::from_str(raw.get()).map(Self).map_err(|error| ParseError::NotJson(error.to_string()))
    }

    /// A top-level field; null when it is not there, or is nested more deeply than anything that GitHub sends.
    pub(super) fn part(&self, key: &str) -> Value {
        self.0.get(key).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or(Value::Null)
    }

    /// Whether a top-level field is there and is `null`.
    pub(super) fn is_null(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|raw| raw.get() == "null")
    }
}
