//! Accounts.

use serde_json::{Value, json};

use super::node_id;
use crate::{json::Json, state::User, urls::Urls};

/// A simple user.
pub(crate) fn user(urls: &Urls, user: &User) -> Value {
    let api = format!("{}/users/{}", urls.rest, user.login.replace('[', "%5B").replace(']', "%5D"));
    let page = user.login.trim_end_matches("[bot]");
    json!({
        "login": user.login,
        "id": user.id,
        "node_id": node_id(user.kind.as_str(), user.id),
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{}?v=4", user.id),
        "gravatar_id": "",
        "url": api,
        "html_url": if page == user.login { format!("{}/{page}", urls.web) } else { format!("{}/apps/{page}", urls.web) },
        "followers_url": format!("{api}/followers"),
        "following_url": format!("{api}/following{{/other_user}}"),
        "gists_url": format!("{api}/gists{{/gist_id}}"),
        "starred_url": format!("{api}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{api}/subscriptions"),
        "organizations_url": format!("{api}/orgs"),
        "repos_url": format!("{api}/repos"),
        "events_url": format!("{api}/events{{/privacy}}"),
        "received_events_url": format!("{api}/received_events"),
        "type": user.kind.as_str(),
        "user_view_type": "public",
        "site_admin": false,
    })
}

/// An organization, as webhooks name it.
pub(crate) fn organization(urls: &Urls, organization: &User) -> Json {
    let api = format!("{}/orgs/{}", urls.rest, organization.login);
    json!({
        "login": organization.login,
        "id": organization.id,
        "node_id": node_id("Organization", organization.id),
        "url": api,
        "repos_url": format!("{api}/repos"),
        "events_url": format!("{api}/events"),
        "hooks_url": format!("{api}/hooks"),
        "issues_url": format!("{api}/issues"),
        "members_url": format!("{api}/members{{/member}}"),
        "public_members_url": format!("{api}/public_members{{/member}}"),
        "avatar_url": format!("https://avatars.githubusercontent.com/u/{}?v=4", organization.id),
        "description": null,
    })
    .into()
}
