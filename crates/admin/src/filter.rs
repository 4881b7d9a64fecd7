//! What a caller asks for, checked: messages name the field.

use stackwave_admin_proto::v1::{ListRunsRequest, RunStatus};
use stackwave_domain::{Digest, PrNumber, RepositoryName};
use tonic::Status;

/// Runs on a page when the caller does not say.
const DEFAULT_PAGE: usize = 50;
/// And never more than this.
const MAX_PAGE: usize = 500;

/// Which runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) repository: Option<RepositoryName>,
    pub(crate) pull_request: Option<PrNumber>,
    pub(crate) status: Option<RunStatus>,
}

impl Filter {
    pub(crate) fn read(request: &ListRunsRequest) -> Result<Self, Status> {
        let status = RunStatus::try_from(request.status)
            .map_err(|_| invalid("status", &format!("{} is no status of a run", request.status)))?;
        if request.pull_request == Some(0) {
            return Err(invalid("pull_request", "numbers begin at 1"));
        }
        Ok(Self {
            repository: repository(&request.repository)?,
            pull_request: request.pull_request.map(PrNumber),
            status: (status != RunStatus::Unspecified).then_some(status),
        })
    }

    /// Tells pages of one listing from those of another.
    pub(crate) fn digest(&self) -> Digest {
        Digest::of_parts(&[
            &self.repository.as_ref().map(RepositoryName::key).unwrap_or_default(),
            &self.pull_request.map(|number| number.to_string()).unwrap_or_default(),
            self.status.map_or("", |status| status.as_str_name()),
        ])
    }
}

/// How many runs a page may hold.
pub(crate) fn page_size(request: &ListRunsRequest) -> Result<usize, Status> {
    match usize::try_from(request.page_size) {
        Ok(0) => Ok(DEFAULT_PAGE),
        Ok(size) => Ok(size.min(MAX_PAGE)),
        Err(_) => Err(invalid("page_size", "it must not be negative")),
    }
}

fn repository(text: &str) -> Result<Option<RepositoryName>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.split_once('/') {
        Some((owner, name)) if !owner.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok(Some(RepositoryName::new(owner, name)))
        }
        Some(_) | None => Err(invalid("repository", &format!("`{text}` is not `owner/name`"))),
    }
}

pub(crate) fn invalid(field: &str, what: &str) -> Status {
    Status::invalid_argument(format!("`{field}`: {what}"))
}
