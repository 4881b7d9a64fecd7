//! Repositories. Rendered once and kept, because every webhook carries one to three of them.

use serde_json::{Value, json};

use super::{extend, node_id, user};
use crate::{clock::rfc3339, json::Json, state::Repository, urls::Urls};

/// A repository in the three forms that GitHub has for it.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// The whole.
    pub(crate) full: Json,
    /// As `push` carries it: times are integers there.
    pub(crate) in_push: Json,
    /// As a workflow run carries it.
    pub(crate) minimal: Json,
}

impl Repository {
    pub(crate) fn rendered(&self, urls: &Urls) -> &Rendered {
        self.rendered.get_or_init(|| {
            let minimal = minimal(urls, self);
            let full = full(urls, self, minimal.clone());
            let mut in_push = full.clone();
            let second = self.created_at.as_second();
            in_push["created_at"] = json!(second);
            in_push["pushed_at"] = json!(second);
            in_push["master_branch"] = json!(self.default_branch);
            in_push["stargazers"] = json!(0);
            Rendered { full: full.into(), in_push: in_push.into(), minimal: minimal.into() }
        })
    }
}

/// Names of the `<name>_url` fields that are `<api>/<path>`.
const LINKS: &[(&str, &str)] = &[
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
];

fn minimal(urls: &Urls, repository: &Repository) -> Value {
    let full_name = repository.full_name();
    let api = urls.repository(&full_name);
    let mut value = json!({
        "id": repository.id,
        "node_id": node_id("Repository", repository.id),
        "name": repository.name,
        "full_name": full_name,
        "private": true,
        "owner": user::user(urls, &repository.owner),
        "html_url": urls.page(&full_name),
        "description": null,
        "fork": false,
    });
    for (name, path) in LINKS {
        value[*name] = json!(format!("{api}{path}"));
    }
    value
}

fn full(urls: &Urls, repository: &Repository, mut value: Value) -> Value {
    let page = urls.page(&repository.full_name());
    let at = rfc3339(repository.created_at);
    let specific = json!({
        "git_url": format!("{}.git", page.replacen("https", "git", 1)),
        "ssh_url": format!("git@github.com:{}.git", repository.full_name()),
        "clone_url": format!("{page}.git"),
        "svn_url": page,
        "default_branch": repository.default_branch,
        "created_at": at,
        "updated_at": at,
        "pushed_at": at,
        "mirror_url": null,
        "homepage": null,
        "language": "HCL",
        "license": null,
        "visibility": "private",
        "topics": [],
        "custom_properties": {},
        "permissions": { "admin": false, "maintain": false, "push": true, "triage": false, "pull": true },
    });
    extend(&mut value, specific);
    for (name, number) in NUMBERS {
        value[*name] = json!(number);
    }
    for (name, flag) in FLAGS {
        value[*name] = json!(flag);
    }
    value
}

const NUMBERS: &[(&str, u64)] = &[
    ("forks", 0),
    ("forks_count", 0),
    ("network_count", 0),
    ("open_issues", 0),
    ("open_issues_count", 0),
    ("size", 108),
    ("stargazers_count", 0),
    ("subscribers_count", 1),
    ("watchers", 0),
    ("watchers_count", 0),
];

const FLAGS: &[(&str, bool)] = &[
    ("allow_forking", false),
    ("archived", false),
    ("disabled", false),
    ("has_discussions", false),
    ("has_downloads", true),
    ("has_issues", true),
    ("has_pages", false),
    ("has_projects", true),
    ("has_wiki", false),
    ("is_template", false),
    ("web_commit_signoff_required", false),
];
