//! Files, references, rate limits.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::node_id;
use crate::{
    json::Json,
    seed::Seed,
    state::{Commit, Installation, Repository},
    urls::Urls,
};

/// `GET …/contents/{path}` of a file. GitHub breaks the base64 after 60 characters.
pub(crate) fn file(urls: &Urls, repository: &Repository, path: &str, reference: &str, text: &str) -> Json {
    let full_name = repository.full_name();
    let (api, page) = (urls.repository(&full_name), urls.page(&full_name));
    let sha = Seed(0).sha(&["blob", text]);
    let mut content = String::new();
    for (index, letter) in STANDARD.encode(text).chars().enumerate() {
        if index > 0 && index % 60 == 0 {
            content.push('\n');
        }
        content.push(letter);
    }
    content.push('\n');
    let own = format!("{api}/contents/{path}?ref={reference}");
    let (git, html) = (format!("{api}/git/blobs/{sha}"), format!("{page}/blob/{reference}/{path}"));
    json!({
        "name": path.rsplit('/').next(),
        "path": path,
        "sha": sha,
        "size": text.len(),
        "url": own,
        "html_url": html,
        "git_url": git,
        "download_url": format!("https://raw.githubusercontent.com/{full_name}/{reference}/{path}"),
        "type": "file",
        "content": content,
        "encoding": "base64",
        "_links": { "self": own, "git": git, "html": html },
    })
    .into()
}

/// `GET …/git/ref/heads/{branch}`.
pub(crate) fn branch(urls: &Urls, repository: &Repository, branch: &str, tip: &Commit) -> Json {
    let api = urls.repository(&repository.full_name());
    json!({
        "ref": format!("refs/heads/{branch}"),
        "node_id": node_id("Ref", repository.id),
        "url": format!("{api}/git/refs/heads/{branch}"),
        "object": { "sha": tip.sha, "type": "commit", "url": format!("{api}/git/commits/{}", tip.sha) },
    })
    .into()
}

/// `GET /rate_limit`. API version 2026-03-10 has no top-level `rate`.
pub(crate) fn rate_limit(installation: &Installation, with_rate: bool) -> Json {
    let core = json!({
        "limit": installation.limit,
        "used": installation.used,
        "remaining": installation.remaining(),
        "reset": installation.resets_at.as_second(),
    });
    let other = |limit: u32| json!({ "limit": limit, "used": 0, "remaining": limit, "reset": installation.resets_at.as_second() });
    let mut value = json!({
        "resources": { "core": core, "search": other(30), "graphql": other(5000), "integration_manifest": other(5000) },
    });
    if with_rate {
        value["rate"] = core;
    }
    Value::into(value)
}
