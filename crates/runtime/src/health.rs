//! Who is ready, for `/healthz` and `/readyz`.

use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// What each part of the process says of itself. Ready means that every part is; details are shown either way.
#[derive(Clone, Debug, Default)]
pub struct Health {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    parts: BTreeMap<String, Option<String>>,
    details: BTreeMap<String, Value>,
}

impl Health {
    /// A part is not ready, and why.
    pub fn not_ready(&self, part: &str, why: impl Into<String>) {
        self.lock().parts.insert(part.to_owned(), Some(why.into()));
    }

    /// A part is ready.
    pub fn ready(&self, part: &str) {
        self.lock().parts.insert(part.to_owned(), None);
    }

    /// Something worth seeing that does not make the process unready, such as GitHub being out of reach.
    pub fn detail(&self, name: &str, value: impl Into<Value>) {
        self.lock().details.insert(name.to_owned(), value.into());
    }

    /// Whether every part is ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.lock().parts.values().all(Option::is_none)
    }

    /// Every part, with why it is not ready.
    #[must_use]
    pub fn parts(&self) -> Vec<(String, Option<String>)> {
        self.lock().parts.iter().map(|(part, why)| (part.clone(), why.clone())).collect()
    }

    /// What is worth seeing besides.
    #[must_use]
    pub fn details(&self) -> Vec<(String, Value)> {
        self.lock().details.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// All of it as JSON: `{"ready": …, "parts": {…}, "details": {…}}`.
    #[must_use]
    pub fn report(&self) -> Value {
        let inner = self.lock();
        let parts: Map<String, Value> = inner
            .parts
            .iter()
            .map(|(part, why)| (part.clone(), why.as_ref().map_or_else(|| json!("ready"), |why| json!(why))))
            .collect();
        json!({
            "ready": inner.parts.values().all(Option::is_none),
            "parts": parts,
            "details": inner.details,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        // A panic while the lock is held leaves whole entries behind: every change is one insert.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
