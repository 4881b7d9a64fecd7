//! Pull requests.

use serde_json::{Value, json};

use super::{extend, node_id, user};
use crate::{
    clock::rfc3339,
    json::Json,
    state::{PullRequest, Repository},
    urls::Urls,
};

/// As `GET …/pulls/{n}` and webhooks give it.
pub(crate) fn full(urls: &Urls, repository: &Repository, pull: &PullRequest) -> Json {
    let more = json!({
        "merged": pull.is_merged(),
        "mergeable": pull.is_open(),
        "rebaseable": pull.is_open(),
        "mergeable_state": if pull.is_open() { "clean" } else { "unknown" },
        "merged_by": pull.merged_by.as_ref().map(|by| user::user(urls, by)),
        "comments": 0,
        "review_comments": 0,
        "maintainer_can_modify": false,
        "commits": pull.commits.len(),
        "additions": 1,
        "deletions": 0,
        "changed_files": 1,
    });
    render(urls, repository, pull, more)
}

/// As lists give it.
pub(crate) fn simple(urls: &Urls, repository: &Repository, pull: &PullRequest) -> Json {
    render(urls, repository, pull, json!({}))
}

/// As a workflow run names the open pull requests of its head.
pub(crate) fn minimal(urls: &Urls, repository: &Repository, pull: &PullRequest) -> Value {
    let api = urls.repository(&repository.full_name());
    let repo = json!({ "id": repository.id, "name": repository.name, "url": api });
    json!({
        "id": pull.id,
        "number": pull.number,
        "url": format!("{api}/pulls/{}", pull.number),
        "head": { "ref": pull.head_branch, "sha": pull.head_sha, "repo": repo },
        "base": { "ref": pull.base_branch, "sha": pull.base_sha, "repo": repo },
    })
}

fn render(urls: &Urls, repository: &Repository, pull: &PullRequest, more: Value) -> Json {
    let full_name = repository.full_name();
    let (api, number) = (urls.repository(&full_name), pull.number);
    let (own, issue) = (format!("{api}/pulls/{number}"), format!("{api}/issues/{number}"));
    let page = format!("{}/pull/{number}", urls.page(&full_name));
    let statuses = format!("{api}/statuses/{}", pull.head_sha);
    let link = |href: &str| json!({ "href": href });
    let closed_at = pull.closed_at.map(rfc3339);
    let links = json!({
        "self": link(&own),
        "html": link(&page),
        "issue": link(&issue),
        "comments": link(&format!("{issue}/comments")),
        "review_comments": link(&format!("{own}/comments")),
        "review_comment": link(&format!("{api}/pulls/comments{{/number}}")),
        "commits": link(&format!("{own}/commits")),
        "statuses": link(&statuses),
    });
    let mut value = json!({
        "id": pull.id,
        "node_id": node_id("PullRequest", pull.id),
        "number": number,
        "state": if pull.is_open() { "open" } else { "closed" },
        "locked": repository.locked.contains(&number),
        "active_lock_reason": null,
        "title": pull.title,
        "body": null,
        "draft": pull.draft,
        "user": user::user(urls, &pull.author),
        "author_association": "MEMBER",
        "labels": [],
        "milestone": null,
        "assignee": null,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "auto_merge": null,
        "created_at": rfc3339(pull.created_at),
        "updated_at": rfc3339(pull.updated_at),
        "closed_at": closed_at,
        "merged_at": closed_at.as_ref().filter(|_| pull.is_merged()),
        "merge_commit_sha": pull.merge_commit_sha,
        "url": own,
        "html_url": page,
        "diff_url": format!("{page}.diff"),
        "patch_url": format!("{page}.patch"),
        "issue_url": issue,
        "commits_url": format!("{own}/commits"),
        "review_comments_url": format!("{own}/comments"),
        "review_comment_url": format!("{api}/pulls/comments{{/number}}"),
        "comments_url": format!("{issue}/comments"),
        "statuses_url": statuses,
        "_links": links,
    });
    extend(&mut value, more);
    let side = |branch: &str, sha: &str| {
        Json::from(json!({
            "label": format!("{}:{branch}", repository.owner.login),
            "ref": branch,
            "sha": sha,
            "user": user::user(urls, &repository.owner),
        }))
        .with("repo", &repository.rendered(urls).full)
    };
    Json::from(value)
        .with("head", &side(&pull.head_branch, &pull.head_sha))
        .with("base", &side(&pull.base_branch, &pull.base_sha))
}
