//! The inputs of a workflow call, small in memory: a state holds some for every stack and dispatch that it knows.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};
use std::fmt;

/// Input name → value, ordered by name, each name once. Written as a map.
///
/// A slice of two texts each: a call has a handful of inputs, and a tree of them would be some times as large.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Inputs(Box<[(Box<str>, Box<str>)]>);

impl Inputs {
    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The value of an input.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(name).ok().map(|place| &*self.0[place].1)
    }

    /// Names and values, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Whether every one of these has the same value in `others`.
    #[must_use]
    pub fn are_in(&self, others: &Self) -> bool {
        self.iter().all(|(name, value)| others.get(name) == Some(value))
    }

    /// Sets an input, whether it is there or not.
    pub fn insert(&mut self, name: &str, value: &str) {
        match self.find(name) {
            Ok(place) => self.0[place].1 = value.into(),
            Err(place) => {
                let mut all = std::mem::take(&mut self.0).into_vec();
                all.insert(place, (name.into(), value.into()));
                self.0 = all.into_boxed_slice();
            }
        }
    }

    /// Sets an input unless it is there.
    pub fn insert_new(&mut self, name: &str, value: impl FnOnce() -> String) {
        if self.find(name).is_err() {
            self.insert(name, &value());
        }
    }

    /// Keeps the inputs of which this is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        let mut all = std::mem::take(&mut self.0).into_vec();
        all.retain(|(name, _)| keep(name));
        self.0 = all.into_boxed_slice();
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| (**known).cmp(name))
    }
}

/// Of two of the same name the later one stays.
impl<N: Into<Box<str>>, V: Into<Box<str>>> FromIterator<(N, V)> for Inputs {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(inputs: I) -> Self {
        let mut all: Vec<(Box<str>, Box<str>)> =
            inputs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        // The sort is stable, so the last of a name is the last given.
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(&mut kept.1, &mut later.1);
            }
            same
        });
        Self(all.into_boxed_slice())
    }
}

impl<N: Into<Box<str>>, V: Into<Box<str>>, const COUNT: usize> From<[(N, V); COUNT]> for Inputs {
    fn from(inputs: [(N, V); COUNT]) -> Self {
        inputs.into_iter().collect()
    }
}

impl Serialize for Inputs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Map)
    }
}

struct Map;

impl<'de> Visitor<'de> for Map {
    type Value = Inputs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut all: Vec<(Box<str>, Box<str>)> = Vec::new();
        while let Some(input) = map.next_entry()? {
            all.push(input);
        }
        Ok(all.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_ordered_and_the_last_of_a_name_counts() {
        let inputs = Inputs::from([("stack", "dev"), ("component", "vpc"), ("stack", "prod")]);
        assert_eq!(inputs.iter().collect::<Vec<_>>(), [("component", "vpc"), ("stack", "prod")]);
        assert_eq!((inputs.get("stack"), inputs.get("sha")), (Some("prod"), None));
    }

    #[test]
    fn they_are_written_as_a_map_and_read_back() {
        let text = r#"{"component":"vpc","stack":"dev"}"#;
        let inputs: Inputs =
            serde_json::from_str(r#"{"stack":"old","component":"vpc","stack":"dev"}"#).unwrap();
        assert_eq!(serde_json::to_string(&inputs).unwrap(), text);
        assert!(serde_json::from_str::<Inputs>(r#"{"count":1}"#).is_err());
    }

    #[test]
    fn one_is_set_kept_and_taken_out() {
        let mut inputs = Inputs::from([("stack", "dev")]);
        inputs.insert("component", "vpc");
        inputs.insert("stack", "prod");
        inputs.insert_new("stack", || "lost".to_owned());
        inputs.insert_new("sha", || "abc".to_owned());
        assert_eq!(inputs, Inputs::from([("component", "vpc"), ("sha", "abc"), ("stack", "prod")]));
        assert!(Inputs::from([("stack", "prod")]).are_in(&inputs));
        assert!(!Inputs::from([("stack", "dev")]).are_in(&inputs));
        inputs.retain(|name| name != "sha");
        assert_eq!(inputs.len(), 2);
    }
}
