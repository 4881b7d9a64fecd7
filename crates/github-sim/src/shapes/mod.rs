//! GitHub's objects as JSON. Each function gives a superset of what REST and webhooks require, so that one rendering
//! serves both; `tests/schemas.rs` holds them against GitHub's own schemas.

pub(crate) mod check;
pub(crate) mod comment;
pub(crate) mod commit;
pub(crate) mod content;
pub(crate) mod hook;
pub(crate) mod installation;
pub(crate) mod issue;
pub(crate) mod job;
pub(crate) mod merge_group;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod release;
pub(crate) mod repository;
pub(crate) mod run;
pub(crate) mod user;
pub(crate) mod workflow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// GraphQL's id of an object.
pub(crate) fn node_id(kind: &str, id: u64) -> String {
    STANDARD.encode(format!("{:03}:{kind}{id}", kind.len()))
}

/// Adds the fields of one object to another.
fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}
