//! Comments.

use serde_json::json;

use super::{installation, node_id, user};
use crate::{
    clock::rfc3339,
    config::App,
    json::Json,
    state::{Comment, Repository},
    urls::Urls,
};

/// A comment of a conversation.
pub(crate) fn comment(urls: &Urls, app: &App, repository: &Repository, comment: &Comment) -> Json {
    let full_name = repository.full_name();
    let api = urls.repository(&full_name);
    let own = format!("{api}/issues/comments/{}", comment.id);
    let via = comment.by_our_app.then(|| installation::app(urls, app, &repository.owner, comment.created_at));
    json!({
        "id": comment.id,
        "node_id": node_id("IssueComment", comment.id),
        "url": own,
        "html_url": format!("{}/pull/{}#issuecomment-{}", urls.page(&full_name), comment.number, comment.id),
        "issue_url": format!("{api}/issues/{}", comment.number),
        "body": comment.body,
        "user": user::user(urls, &comment.author),
        "author_association": if comment.by_our_app { "NONE" } else { "MEMBER" },
        "created_at": rfc3339(comment.created_at),
        "updated_at": rfc3339(comment.updated_at),
        "performed_via_github_app": via,
        "reactions": {
            "url": format!("{own}/reactions"),
            "total_count": 0, "+1": 0, "-1": 0, "laugh": 0, "hooray": 0, "confused": 0, "heart": 0, "rocket": 0, "eyes": 0,
        },
    })
    .into()
}
