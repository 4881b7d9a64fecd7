//! Commits, in the forms of REST, of runs and of pushes.

use serde_json::{Value, json};

use super::{node_id, user};
use crate::{
    clock::rfc3339,
    json::Json,
    seed::Seed,
    state::{Commit, Repository, User},
    urls::Urls,
};

fn tree_id(commit: &Commit) -> String {
    Seed(0).sha(&["tree", &commit.sha])
}

fn identity(user: &User) -> Value {
    json!({ "name": user.login, "email": user.email() })
}

/// `GET /repos/{owner}/{repo}/commits/{ref}`.
pub(crate) fn full(urls: &Urls, repository: &Repository, commit: &Commit) -> Json {
    let (api, page) = (urls.repository(&repository.full_name()), urls.page(&repository.full_name()));
    let person = json!({
        "name": commit.author.login,
        "email": commit.author.email(),
        "date": rfc3339(commit.at),
    });
    let tree = tree_id(commit);
    let link = |sha: &str| format!("{api}/commits/{sha}");
    let parents: Vec<_> = commit
        .parents
        .iter()
        .map(|sha| json!({ "sha": sha, "url": link(sha), "html_url": format!("{page}/commit/{sha}") }))
        .collect();
    json!({
        "sha": commit.sha,
        "node_id": node_id("Commit", commit.author.id),
        "url": link(&commit.sha),
        "html_url": format!("{page}/commit/{}", commit.sha),
        "comments_url": format!("{}/comments", link(&commit.sha)),
        "commit": {
            "url": format!("{api}/git/commits/{}", commit.sha),
            "author": person,
            "committer": person,
            "message": commit.message,
            "comment_count": 0,
            "tree": { "sha": tree, "url": format!("{api}/git/trees/{tree}") },
            "verification": { "verified": false, "reason": "unsigned", "payload": null, "signature": null, "verified_at": null },
        },
        "author": user::user(urls, &commit.author),
        "committer": user::user(urls, &commit.author),
        "parents": parents,
        "stats": { "total": 0, "additions": 0, "deletions": 0 },
        "files": [],
    })
    .into()
}

/// `head_commit` of a workflow run or merge group.
pub(crate) fn simple(commit: &Commit) -> Value {
    json!({
        "id": commit.sha,
        "tree_id": tree_id(commit),
        "message": commit.message,
        "timestamp": rfc3339(commit.at),
        "author": identity(&commit.author),
        "committer": identity(&commit.author),
    })
}

/// One of the commits of a push.
pub(crate) fn pushed(urls: &Urls, repository: &Repository, commit: &Commit) -> Value {
    let mut value = simple(commit);
    value["distinct"] = json!(true);
    value["url"] = json!(format!("{}/commit/{}", urls.page(&repository.full_name()), commit.sha));
    for list in ["added", "removed", "modified"] {
        value[list] = json!([]);
    }
    value
}
