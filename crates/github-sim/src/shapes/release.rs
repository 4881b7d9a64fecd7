//! Releases.

use serde_json::json;

use super::{node_id, user};
use crate::{
    clock::rfc3339,
    json::Json,
    state::{Release, Repository},
    urls::Urls,
};

/// A published release.
pub(crate) fn release(urls: &Urls, repository: &Repository, release: &Release) -> Json {
    let full_name = repository.full_name();
    let (api, page) = (urls.repository(&full_name), urls.page(&full_name));
    let own = format!("{api}/releases/{}", release.id);
    json!({
        "id": release.id,
        "node_id": node_id("Release", release.id),
        "url": own,
        "assets_url": format!("{own}/assets"),
        "upload_url": format!("{own}/assets{{?name,label}}"),
        "html_url": format!("{page}/releases/tag/{}", release.tag),
        "tag_name": release.tag,
        "target_commitish": release.target,
        "name": release.tag,
        "body": null,
        "draft": false,
        "prerelease": release.prerelease,
        "immutable": false,
        "author": user::user(urls, &release.author),
        "created_at": rfc3339(release.published_at),
        "updated_at": rfc3339(release.published_at),
        "published_at": rfc3339(release.published_at),
        "assets": [],
        "tarball_url": format!("{api}/tarball/{}", release.tag),
        "zipball_url": format!("{api}/zipball/{}", release.tag),
    })
    .into()
}
