//! Which repository an upload belongs to, and whether its sender may upload for it.

use crate::{ACTOR, api::Api, error::Error};
use stackwave_domain::{RepositoryId, RepositoryName, event::RepositoryRegistered};
use stackwave_engine::config::{ApiKey, Repository};
use stackwave_github::port::{CallError, RepositoryFound};
use stackwave_runtime::registry::{RegisterError, register_repository};

/// Where an upload goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// To its repository.
    Known(RepositoryId),
    /// To the configuration stream, until GitHub can be asked which repository that is (design §6).
    Pending,
}

/// Finds the repository, asking GitHub when no webhook has named it yet.
pub(crate) async fn resolve(api: &Api, caller: &ApiKey, name: &RepositoryName) -> Result<Place, Error> {
    let known = api.core.config.read(|config| {
        let repository = config.find_repository(name)?;
        Some((repository.clone(), config.installation_of(repository.id).is_some()))
    });
    if let Some((repository, reachable)) = known {
        allowed(caller, &repository)?;
        if reachable {
            return Ok(Place::Known(repository.id));
        }
    }
    match look_up(api, name).await {
        Ok(found) => register(api, caller, found).await,
        Err(CallError::NotFound(_)) => Err(Error::RepositoryNotFound { repository: name.clone() }),
        Err(error) => {
            // GitHub out of reach is a state, not an end: the upload is stored and its repository looked up later.
            tracing::warn!(repository.name = %name, error = %error, "a repository cannot be looked up now; the upload is parked");
            Ok(Place::Pending)
        }
    }
}

async fn look_up(api: &Api, name: &RepositoryName) -> Result<RepositoryFound, CallError> {
    let Some(repositories) = &api.repositories else {
        return Err(CallError::Unauthorized("no GitHub App is configured".to_owned()));
    };
    let timeout = api.config.lookup_timeout;
    tokio::time::timeout(timeout, repositories.by_name(name))
        .await
        .unwrap_or_else(|_| Err(CallError::Unavailable(format!("no answer within {} s", timeout.as_secs()))))
}

async fn register(api: &Api, caller: &ApiKey, found: RepositoryFound) -> Result<Place, Error> {
    let id = found.id;
    // It may be known by another name: GitHub follows renames.
    if let Some(repository) = api.core.config.read(|config| config.repository(id).cloned()) {
        allowed(caller, &repository)?;
    }
    let repository = RepositoryRegistered {
        repository: id,
        name: found.name,
        default_branch: found.default_branch,
        installation: Some(found.installation),
        workspace: caller.workspace.clone(),
    };
    let registering = register_repository(&api.core, ACTOR, repository);
    match tokio::time::timeout(api.config.append_patience, registering).await {
        Ok(Ok(())) => {}
        Ok(Err(RegisterError::Log(error))) => return Err(Error::Log(error.to_string())),
        Ok(Err(RegisterError::Append(error))) => return Err(Error::Log(error.to_string())),
        Err(_) => return Err(Error::Log("the repository could not be registered in time".to_owned())),
    }
    // Another workspace's upload may have registered it at the same moment.
    if let Some(repository) = api.core.config.read(|config| config.repository(id).cloned()) {
        allowed(caller, &repository)?;
    }
    Ok(Place::Known(id))
}

fn allowed(caller: &ApiKey, repository: &Repository) -> Result<(), Error> {
    if repository.workspace == caller.workspace {
        return Ok(());
    }
    Err(Error::OtherWorkspace { repository: repository.name.clone(), workspace: caller.workspace.clone() })
}
