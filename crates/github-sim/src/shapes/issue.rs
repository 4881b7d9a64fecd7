//! A pull request seen as an issue, as `issue_comment` carries it.

use serde_json::{Value, json};

use super::{node_id, user};
use crate::{
    clock::rfc3339,
    json::Json,
    state::{PullRequest, Repository},
    urls::Urls,
};

/// The issue of a pull request.
pub(crate) fn of_pull(urls: &Urls, repository: &Repository, pull: &PullRequest) -> Json {
    let full_name = repository.full_name();
    let (api, number) = (urls.repository(&full_name), pull.number);
    let own = format!("{api}/issues/{number}");
    let page = format!("{}/pull/{number}", urls.page(&full_name));
    let reactions = ["total_count", "+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"];
    let mut reactions: Value = reactions.iter().map(|name| ((*name).to_owned(), json!(0))).collect();
    reactions["url"] = json!(format!("{own}/reactions"));
    json!({
        "id": pull.id + 1,
        "node_id": node_id("Issue", pull.id + 1),
        "number": number,
        "title": pull.title,
        "body": null,
        "state": if pull.is_open() { "open" } else { "closed" },
        "state_reason": null,
        "locked": repository.locked.contains(&number),
        "active_lock_reason": null,
        "user": user::user(urls, &pull.author),
        "author_association": "MEMBER",
        "labels": [],
        "assignee": null,
        "assignees": [],
        "milestone": null,
        "comments": 1,
        "created_at": rfc3339(pull.created_at),
        "updated_at": rfc3339(pull.updated_at),
        "closed_at": pull.closed_at.map(rfc3339),
        "draft": pull.draft,
        "performed_via_github_app": null,
        "reactions": reactions,
        "url": own,
        "repository_url": api,
        "labels_url": format!("{own}/labels{{/name}}"),
        "comments_url": format!("{own}/comments"),
        "events_url": format!("{own}/events"),
        "timeline_url": format!("{own}/timeline"),
        "html_url": page,
        "pull_request": {
            "url": format!("{api}/pulls/{number}"),
            "html_url": page,
            "diff_url": format!("{page}.diff"),
            "patch_url": format!("{page}.patch"),
            "merged_at": pull.closed_at.filter(|_| pull.is_merged()).map(rfc3339),
        },
    })
    .into()
}
