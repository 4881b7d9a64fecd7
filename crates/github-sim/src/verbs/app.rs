//! The App: installations, tokens, webhooks.

use serde_json::json;

use crate::{
    error::{Error, Result},
    handle::GitHub,
    json::Json,
    shapes,
    state::{Delivery, Dispatch, Draft, NewRepository, Request, State},
    verbs::Repo,
    webhooks::{HOOK_ID, sign},
};

impl GitHub {
    /// Makes a repository that the App is installed on. Sends nothing, as if it had always been there.
    pub fn add_repository(&self, new: impl Into<NewRepository>) -> Repo {
        let id = self.change(|state| state.add_repository(new.into()));
        Repo { github: self.clone(), id }
    }

    /// A repository by its full name.
    ///
    /// # Errors
    /// [`Error::Unknown`]
    pub fn repository(&self, full_name: &str) -> Result<Repo> {
        let id = self.read(|state| state.repository_named(full_name).map(|found| found.id));
        let id = id.ok_or_else(|| Error::unknown(format!("repository `{full_name}`")))?;
        Ok(Repo { github: self.clone(), id })
    }

    /// Another account installs the App. Sends `installation.created`.
    pub fn install(&self, installation: u64, account: &str) {
        self.change(|state| {
            state.add_installation(installation, account);
            send_installation(state, installation, "created");
        });
    }

    /// Sends `installation.created` of an installation that exists, with its repositories.
    ///
    /// # Errors
    /// [`Error::Unknown`]
    pub fn announce_installation(&self, installation: u64) -> Result<()> {
        self.change(|state| {
            known(state, installation)?;
            send_installation(state, installation, "created");
            Ok(())
        })
    }

    /// The account removes the App. Sends `installation.deleted`.
    ///
    /// # Errors
    /// [`Error::Unknown`]
    pub fn uninstall(&self, installation: u64) -> Result<()> {
        self.change(|state| {
            known(state, installation)?;
            send_installation(state, installation, "deleted");
            state.installations.remove(&installation);
            for repository in
                state.repositories.values_mut().filter(|known| known.installation == Some(installation))
            {
                repository.installation = None;
            }
            Ok(())
        })
    }

    /// The account suspends the App: its requests are refused with 403. Sends `installation.suspend`.
    ///
    /// # Errors
    /// [`Error::Unknown`]
    pub fn suspend(&self, installation: u64) -> Result<()> {
        self.change(|state| {
            let now = state.now();
            known(state, installation)?.suspended_at = Some(now);
            send_installation(state, installation, "suspend");
            Ok(())
        })
    }

    /// The account takes the suspension back. Sends `installation.unsuspend`.
    ///
    /// # Errors
    /// [`Error::Unknown`]
    pub fn unsuspend(&self, installation: u64) -> Result<()> {
        self.change(|state| {
            known(state, installation)?.suspended_at = None;
            send_installation(state, installation, "unsuspend");
            Ok(())
        })
    }

    /// Changes what an installation grants, for tokens to come. Sends `installation.new_permissions_accepted`.
    ///
    /// # Errors
    /// [`Error::Unknown`]
    pub fn set_permissions(&self, installation: u64, permissions: &[(&str, &str)]) -> Result<()> {
        self.change(|state| {
            known(state, installation)?.permissions =
                permissions.iter().map(|(name, level)| ((*name).to_owned(), (*level).to_owned())).collect();
            send_installation(state, installation, "new_permissions_accepted");
            Ok(())
        })
    }

    /// Sets the primary rate limit of an installation: requests an hour, and how many of them are used.
    ///
    /// # Errors
    /// [`Error::Unknown`]
    pub fn set_rate_limit(&self, installation: u64, limit: u32, used: u32) -> Result<()> {
        self.change(|state| {
            let installation = known(state, installation)?;
            (installation.limit, installation.used) = (limit, used);
            Ok(())
        })
    }

    /// Moves the simulation's time forward, by whole seconds. Timers of runs and faults do not follow it.
    pub fn advance_clock(&self, by: std::time::Duration) {
        self.change(|state| state.config.clock.advance(by));
    }

    /// Lets every token that was issued expire.
    pub fn expire_tokens(&self) {
        self.change(|state| {
            let now = state.now();
            for token in state.tokens.values_mut() {
                token.expires_at = token.expires_at.min(now);
            }
        });
    }

    /// Where webhooks go from here on; `None`: nowhere, they are only logged.
    pub fn set_webhook_url(&self, url: Option<&str>) {
        self.change(|state| state.config.webhooks.url = url.map(str::to_owned));
    }

    /// The key of webhook signatures from here on.
    pub fn set_webhook_secret(&self, secret: &str) {
        self.change(|state| secret.clone_into(&mut state.config.webhooks.secret));
    }

    /// The value of `X-Hub-Signature-256` for a body.
    #[must_use]
    pub fn sign(&self, body: &[u8]) -> String {
        self.read(|state| sign(&state.config.webhooks.secret, body))
    }

    /// Sends `ping`.
    pub fn ping(&self) {
        self.change(|state| {
            let app_id = state.config.app.id;
            let mut config = json!({ "content_type": "json", "insecure_ssl": "0" });
            if let Some(url) = &state.config.webhooks.url {
                config["url"] = json!(url);
            }
            let hook = json!({
                "type": "App",
                "id": HOOK_ID,
                "name": "web",
                "active": true,
                "app_id": app_id,
                "events": state.config.webhooks.events,
                "config": config,
                "created_at": crate::clock::rfc3339(state.now()),
                "updated_at": crate::clock::rfc3339(state.now()),
                "deliveries_url": format!("{}/app/hook/deliveries", state.urls.rest),
            });
            let sender = state.our_bot();
            state.emit(Draft {
                event: "ping",
                action: None,
                repository: None,
                subject: "ping".into(),
                sender,
                body: json!({ "zen": "Keep it logically awesome.", "hook_id": HOOK_ID, "hook": hook }).into(),
            });
        });
    }

    /// Sends the event of this GUID once more, under the same GUID. Returns the id of the new delivery.
    ///
    /// # Errors
    /// [`Error::Unknown`] when there is none, or its payload is not kept any more.
    pub fn redeliver(&self, guid: &str) -> Result<u64> {
        self.change(|state| state.redeliver(guid))
    }

    /// Every webhook so far, with copies of the payloads.
    #[must_use]
    pub fn webhooks(&self) -> Vec<Delivery> {
        self.read(|state| state.deliveries().to_vec())
    }

    /// The dispatch requests that started a run, in order of arrival.
    #[must_use]
    pub fn dispatches(&self) -> Vec<Dispatch> {
        self.read(|state| state.accepted().cloned().collect())
    }

    /// Every HTTP request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.read(|state| state.requests().to_vec())
    }
}

fn known(state: &mut State, installation: u64) -> Result<&mut crate::state::Installation> {
    state
        .installations
        .get_mut(&installation)
        .ok_or_else(|| Error::unknown(format!("installation {installation}")))
}

fn send_installation(state: &mut State, id: u64, action: &'static str) {
    let Some(installation) = state.installation(id) else { return };
    let repositories: Vec<_> = state
        .repositories
        .values()
        .filter(|repository| repository.installation == Some(id))
        .map(shapes::installation::listed)
        .collect();
    let rendered = shapes::installation::installation(&state.urls, &state.config.app, installation);
    let draft = Draft {
        event: "installation",
        action: Some(action),
        repository: None,
        subject: format!("installation/{id}"),
        sender: crate::state::User::person("octocat"),
        body: Json::from(
            json!({ "installation": rendered, "repositories": repositories, "requester": null }),
        ),
    };
    state.emit(draft);
}
