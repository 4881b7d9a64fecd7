//! GitHub's JSON objects, which webhooks and REST answers share: one reading for both, so that a webhook and a look
//! append the same observation.
//!
//! GitHub adds fields and words unannounced, and leaves fields out or null. So only what an observation cannot exist
//! without is required; everything else falls back.

mod field;
mod pull_request;
mod workflow_run;

pub use field::{MissingField, Object};
pub use pull_request::pull_request;
pub use workflow_run::workflow_run;

use crate::name;
use serde_json::Value;
use stackwave_domain::{RepositoryId, RepositoryName, event::RepositoryRef};

/// A `repository` object, as far as it says enough to be one: id and name.
#[must_use]
pub fn repository(value: &Value) -> Option<RepositoryRef> {
    let object = Object::new("repository", value);
    let id = RepositoryId(object.number("id")?);
    let name = match object.text("full_name").and_then(|full| full.split_once('/')) {
        Some((owner, name)) => RepositoryName::new(owner, name),
        None => {
            let owner = object.text("owner.login").or_else(|| object.text("owner.name"))?;
            RepositoryName::new(owner, object.text("name")?)
        }
    };
    let default_branch = object.text("default_branch").or_else(|| object.text("master_branch"));
    Some(RepositoryRef { id, name, default_branch: default_branch.map(name::git_ref) })
}
