//! Where the App is installed.

use super::count;
use crate::{context::Context, page::Page, time::timestamp};
use stackwave_admin_proto::v1;
use stackwave_domain::InstallationId;
use stackwave_engine::{Config, config::Installation};
use tonic::Status;

pub(super) fn list(
    context: &Context,
    request: &v1::ListInstallationsRequest,
) -> Result<v1::ListInstallationsResponse, Status> {
    let page = Page::read("installations", &[], request.page_size, &request.page_token)?;
    let (installations, next_page_token) = context.core.config.read(|config| {
        let mut known: Vec<(String, v1::Installation)> =
            config.installations().map(|(id, known)| (key(id, known), message(config, id, known))).collect();
        known.retain(|(key, _)| page.after().is_none_or(|last| key.as_str() > last));
        known.sort_by(|(one, _), (other, _)| one.cmp(other));
        let (page, next) = page.cut(known.into_iter(), |(key, _)| key.clone());
        (page.into_iter().map(|(_, installation)| installation).collect(), next)
    });
    Ok(v1::ListInstallationsResponse { installations, next_page_token })
}

/// By account; one that installed the App again has two.
fn key(id: InstallationId, known: &Installation) -> String {
    format!("{}/{id}", known.account.to_lowercase())
}

fn message(config: &Config, id: InstallationId, known: &Installation) -> v1::Installation {
    let repositories = config.repositories().filter(|repository| repository.installation == Some(id));
    v1::Installation {
        id: id.0,
        account: known.account.clone(),
        active: config.is_active(id),
        last_action: known.last_action.clone(),
        updated_at: Some(timestamp(known.updated_at)),
        repository_count: count(repositories.count()),
    }
}
