//! JSON that is put together from parts already written. A repository's hundred fields appear in every webhook;
//! rendering them once keeps a burst of thousands of webhooks cheap.

use serde_json::Value;

/// A piece of JSON in its serialized form.
#[derive(Clone, Debug)]
pub(crate) struct Json(String);

impl Json {
    pub(crate) fn null() -> Self {
        Self("null".into())
    }

    pub(crate) fn array(items: impl IntoIterator<Item = Self>) -> Self {
        let mut text = String::from("[");
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            text.push_str(&item.0);
        }
        text.push(']');
        Self(text)
    }

    /// This object with one field more. The name must not be in it yet.
    pub(crate) fn with(mut self, name: &str, part: &Self) -> Self {
        debug_assert!(self.0.ends_with('}'), "only an object has fields");
        self.0.pop();
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
        self.0.push_str(&part.0);
        self.0.push('}');
        self
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self(value.to_string())
    }
}
