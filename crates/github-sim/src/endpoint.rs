//! The endpoints that are there.

use http::Method;
use percent_encoding::percent_decode_str;

/// An endpoint of GitHub's REST API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// `GET /app`
    App,
    /// `GET /app/hook/config`
    HookConfig,
    /// `GET /app/hook/deliveries`
    HookDeliveries,
    /// `GET /app/installations`
    Installations,
    /// `POST /app/installations/{id}/access_tokens`
    CreateToken,
    /// `GET /installation/repositories`
    InstallationRepositories,
    /// `GET /rate_limit`
    RateLimit,
    /// `GET /repos/{owner}/{repo}`
    Repository,
    /// `GET /repos/{owner}/{repo}/installation`
    RepositoryInstallation,
    /// `GET /repos/{owner}/{repo}/contents/{path}`
    Contents,
    /// `GET /repos/{owner}/{repo}/actions/workflows/{id}`
    Workflow,
    /// `POST /repos/{owner}/{repo}/actions/workflows/{id}/dispatches`
    Dispatch,
    /// `GET /repos/{owner}/{repo}/actions/workflows/{id}/runs`
    WorkflowRuns,
    /// `GET /repos/{owner}/{repo}/actions/runs`
    Runs,
    /// `GET /repos/{owner}/{repo}/actions/runs/{id}`
    Run,
    /// `POST /repos/{owner}/{repo}/actions/runs/{id}/cancel`
    CancelRun,
    /// `GET /repos/{owner}/{repo}/commits/{ref}`
    Commit,
    /// `GET /repos/{owner}/{repo}/commits/{sha}/pulls`
    CommitPulls,
    /// `GET /repos/{owner}/{repo}/pulls/{number}`
    Pull,
    /// `GET /repos/{owner}/{repo}/git/ref/heads/{branch}`
    Branch,
    /// `GET /repos/{owner}/{repo}/issues/{number}/comments`
    Comments,
    /// `POST /repos/{owner}/{repo}/issues/{number}/comments`
    CreateComment,
    /// `GET /repos/{owner}/{repo}/issues/comments/{id}`
    Comment,
    /// `PATCH /repos/{owner}/{repo}/issues/comments/{id}`
    UpdateComment,
    /// Anything else: 404.
    Other,
}

/// What the path of a request means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    pub(crate) repository: Option<RepositoryRef>,
    /// The path's last variable: a number, file, ref or hash.
    pub(crate) argument: String,
    /// The path behind the repository.
    pub(crate) rest: String,
}

/// How a path names a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RepositoryRef {
    Name(String),
    Id(u64),
}

/// Who may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// The App, with a JWT.
    App,
    /// An installation, with a token that has this permission.
    Installation(&'static str, &'static str),
}

impl Endpoint {
    pub(crate) fn access(self) -> Access {
        match self {
            Self::App
            | Self::HookConfig
            | Self::HookDeliveries
            | Self::Installations
            | Self::CreateToken
            | Self::RepositoryInstallation => Access::App,
            Self::InstallationRepositories | Self::RateLimit | Self::Repository | Self::Other => {
                Access::Installation("metadata", "read")
            }
            Self::Contents | Self::Commit | Self::Branch => Access::Installation("contents", "read"),
            Self::Dispatch | Self::CancelRun => Access::Installation("actions", "write"),
            Self::Workflow | Self::WorkflowRuns | Self::Runs | Self::Run => {
                Access::Installation("actions", "read")
            }
            Self::CommitPulls | Self::Pull | Self::Comments | Self::Comment => {
                Access::Installation("pull_requests", "read")
            }
            Self::CreateComment | Self::UpdateComment => Access::Installation("pull_requests", "write"),
        }
    }
}

impl Target {
    pub(crate) fn parse(method: &Method, path: &str) -> Self {
        let path = percent_decode_str(path).decode_utf8_lossy();
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (repository, rest) = match segments.as_slice() {
            ["repos", owner, name, rest @ ..] => (Some(RepositoryRef::Name(format!("{owner}/{name}"))), rest),
            ["repositories", id, rest @ ..] => (id.parse().ok().map(RepositoryRef::Id), rest),
            all => (None, all),
        };
        let (get, post) = (method == Method::GET, method == Method::POST);
        let (endpoint, argument) = if repository.is_some() {
            match rest {
                [] if get => (Endpoint::Repository, String::new()),
                ["installation"] if get => (Endpoint::RepositoryInstallation, String::new()),
                ["contents", path @ ..] if get => (Endpoint::Contents, path.join("/")),
                ["actions", "workflows", id, "dispatches"] if post => (Endpoint::Dispatch, (*id).to_owned()),
                ["actions", "workflows", id] if get => (Endpoint::Workflow, (*id).to_owned()),
                ["actions", "workflows", id, "runs"] if get => (Endpoint::WorkflowRuns, (*id).to_owned()),
                ["actions", "runs"] if get => (Endpoint::Runs, String::new()),
                ["actions", "runs", id, "cancel"] if post => (Endpoint::CancelRun, (*id).to_owned()),
                ["actions", "runs", id] if get => (Endpoint::Run, (*id).to_owned()),
                ["commits", sha, "pulls"] if get => (Endpoint::CommitPulls, (*sha).to_owned()),
                ["commits", reference @ ..] if get && !reference.is_empty() => {
                    (Endpoint::Commit, reference.join("/"))
                }
                ["pulls", number] if get => (Endpoint::Pull, (*number).to_owned()),
                ["git", "ref", "heads", branch @ ..] if get => (Endpoint::Branch, branch.join("/")),
                ["issues", "comments", id] if get => (Endpoint::Comment, (*id).to_owned()),
                ["issues", "comments", id] if method == Method::PATCH => {
                    (Endpoint::UpdateComment, (*id).to_owned())
                }
                ["issues", number, "comments"] if get => (Endpoint::Comments, (*number).to_owned()),
                ["issues", number, "comments"] if post => (Endpoint::CreateComment, (*number).to_owned()),
                _ => (Endpoint::Other, String::new()),
            }
        } else {
            match rest {
                ["app"] if get => (Endpoint::App, String::new()),
                ["app", "hook", "config"] if get => (Endpoint::HookConfig, String::new()),
                ["app", "hook", "deliveries"] if get => (Endpoint::HookDeliveries, String::new()),
                ["app", "installations"] if get => (Endpoint::Installations, String::new()),
                ["app", "installations", id, "access_tokens"] if post => {
                    (Endpoint::CreateToken, (*id).to_owned())
                }
                ["installation", "repositories"] if get => {
                    (Endpoint::InstallationRepositories, String::new())
                }
                ["rate_limit"] if get => (Endpoint::RateLimit, String::new()),
                _ => (Endpoint::Other, String::new()),
            }
        };
        Self { endpoint, rest: rest.join("/"), repository, argument }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_may_hold_slashes_where_github_allows_them() {
        let target = |path| Target::parse(&Method::GET, path);
        let file = target("/repos/acme/infra/contents/.github/workflows/plan.yaml");
        assert_eq!(
            (file.endpoint, file.argument.as_str()),
            (Endpoint::Contents, ".github/workflows/plan.yaml")
        );
        let branch = target("/repos/acme/infra/git/ref/heads/feature/a%20b");
        assert_eq!((branch.endpoint, branch.argument.as_str()), (Endpoint::Branch, "feature/a b"));
        assert_eq!(target("/repos/acme/infra/actions").endpoint, Endpoint::Other);
        assert_eq!(target("/repositories/7/pulls/3").repository, Some(RepositoryRef::Id(7)));
    }
}
