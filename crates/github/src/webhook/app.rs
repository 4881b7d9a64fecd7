//! Events of the App itself. They go to the configuration stream.

use super::{Delivery, Outcome, Read};
use crate::object::{self, Object};
use serde_json::Value;
use stackwave_domain::{
    InstallationId,
    event::{InstallationObserved, InstallationRepositoriesObserved, PingObserved, RepositoryRef},
};

impl Delivery<'_> {
    pub(super) fn installation(&self) -> Read {
        let value = self.payload.part("installation");
        let installation = Object::new("installation", &value);
        let observed = InstallationObserved {
            source: self.source(),
            action: self.need_action()?,
            installation: InstallationId(installation.need_number("id")?),
            // Enterprises have a slug and no login.
            account: installation
                .text("account.login")
                .or_else(|| installation.text("account.slug"))
                .unwrap_or_default()
                .to_owned(),
            repositories: repositories(&self.payload.part("repositories")),
        };
        Ok(Outcome::Configuration(observed.into()))
    }

    pub(super) fn installation_repositories(&self) -> Read {
        let value = self.payload.part("installation");
        let observed = InstallationRepositoriesObserved {
            source: self.source(),
            installation: InstallationId(Object::new("installation", &value).need_number("id")?),
            added: repositories(&self.payload.part("repositories_added")),
            removed: repositories(&self.payload.part("repositories_removed")),
        };
        Ok(Outcome::Configuration(observed.into()))
    }

    pub(super) fn ping(&self) -> Read {
        let hook = self.payload.part("hook");
        let id = self.payload.part("hook_id").as_u64();
        let hook = id.or_else(|| Object::new("hook", &hook).number("id")).unwrap_or_default();
        Ok(Outcome::Configuration(PingObserved { source: self.source(), hook }.into()))
    }
}

/// The elements that name a repository; others are left out.
fn repositories(value: &Value) -> Vec<RepositoryRef> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(object::repository).collect()
}
