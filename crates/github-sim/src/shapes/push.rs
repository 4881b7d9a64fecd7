//! The body of a `push` webhook.

use serde_json::{Value, json};

use super::commit;
use crate::{
    json::Json,
    state::{Repository, User, ZERO},
    urls::Urls,
};

/// Everything but what all webhooks have.
pub(crate) fn push(
    urls: &Urls,
    repository: &Repository,
    reference: &str,
    before: Option<&str>,
    after: Option<&str>,
    pusher: &User,
) -> Json {
    let head =
        after.and_then(|sha| repository.commits.get(sha)).map(|tip| commit::pushed(urls, repository, tip));
    let compare = format!(
        "{}/compare/{}...{}",
        urls.page(&repository.full_name()),
        &before.unwrap_or(ZERO)[..12],
        &after.unwrap_or(ZERO)[..12]
    );
    json!({
        "ref": reference,
        "before": before.unwrap_or(ZERO),
        "after": after.unwrap_or(ZERO),
        "created": before.is_none(),
        "deleted": after.is_none(),
        "forced": false,
        "base_ref": null,
        "compare": compare,
        "commits": head.iter().collect::<Vec<_>>(),
        "head_commit": head.clone().unwrap_or(Value::Null),
        "pusher": { "name": pusher.login, "email": pusher.email() },
    })
    .into()
}
