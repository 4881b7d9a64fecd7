//! Every refusal, with the status, the tag and the words that the client gets (contract §1.4, §2.4).
//!
//! Atmos repeats a request after 401 and after 5xx only, so "later" is a 503 and never a 429.

use crate::parse::ParseError;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use stackwave_auth::BearerError;
use stackwave_domain::{RepositoryName, Timestamp, WorkspaceId};
use std::sync::Arc;

/// A request that is not answered with success. The messages of 4xx are shown to the user as they stand.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Bearer(#[from] BearerError),
    #[error("the API key is not known; check `ATMOS_PRO_TOKEN`, or ask for a new key")]
    UnknownKey,
    #[error("the API key was cut or mistyped; check that `ATMOS_PRO_TOKEN` holds the whole of it")]
    MistypedKey,
    #[error("the API key `{name}` expired at {at}; ask for a new key and set it as `ATMOS_PRO_TOKEN`")]
    ExpiredKey { name: String, at: Timestamp },
    #[error("the API key `{name}` was revoked at {at}; ask for a new key and set it as `ATMOS_PRO_TOKEN`")]
    RevokedKey { name: String, at: Timestamp },
    #[error(
        "the repository `{repository}` belongs to another workspace than `{workspace}`, which this API key opens; \
         use a key of the repository's workspace"
    )]
    OtherWorkspace { repository: RepositoryName, workspace: WorkspaceId },
    #[error("there is no `{path}` here; this server knows `POST /api/v1/affected-stacks`")]
    UnknownPath { path: String },
    #[error("`{method}` is not possible here; use `POST`")]
    Method { method: String },
    #[error(
        "GitHub does not show the repository `{repository}` to the GitHub App; install the App in it, and check \
         `repo_owner` and `repo_name`"
    )]
    RepositoryNotFound { repository: RepositoryName },
    #[error("the body did not arrive within {seconds} s; the upload was not stored")]
    SlowBody { seconds: u64 },
    #[error("the body broke off; the upload was not stored")]
    BrokenBody,
    #[error(
        "chunk {index} of the batch `{batch}` was uploaded before with other content; upload everything anew"
    )]
    OtherChunk { batch: String, index: u32 },
    #[error(
        "the batch `{batch}` has {known} chunks by an earlier chunk and {total} by this one; upload everything anew"
    )]
    OtherTotal { batch: String, known: u32, total: u32 },
    #[error(
        "the body has more than {limit} bytes ({} MiB){}, the limit of this server; upload in smaller chunks by \
         setting `settings.pro.max_payload_bytes` in `atmos.yaml` below it",
        .limit >> 20, if *.decompressed { " after decompression" } else { "" }
    )]
    BodyTooLarge { limit: usize, decompressed: bool },
    #[error("the content encoding `{0}` is not supported; send the body plain or with `gzip`")]
    ContentEncoding(String),
    #[error("the content type `{0}` is not supported; send `application/json`")]
    ContentType(String),
    #[error("the body is not valid gzip: {0}")]
    Gzip(std::io::Error),
    #[error("{}{}", .0, advice(.0))]
    Parse(#[from] ParseError),
    #[error("the server is stopping; the upload was not stored, try again")]
    Draining,
    #[error("the server is busy with other uploads; this one was not stored, try again")]
    Busy,
    #[error("the event log cannot take the upload now; try again")]
    Log(String),
    #[error("something went wrong in the server; tell its operator the trace id")]
    Internal(String),
}

/// A size that chunks would bring down is worth a hint.
fn advice(error: &ParseError) -> &'static str {
    match error {
        ParseError::TooManyEntries { .. } | ParseError::TooManyInputs { .. } => {
            "; upload in smaller chunks by lowering `settings.pro.max_payload_bytes` in `atmos.yaml`"
        }
        _ => "",
    }
}

impl Error {
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Bearer(_)
            | Self::UnknownKey
            | Self::MistypedKey
            | Self::ExpiredKey { .. }
            | Self::RevokedKey { .. } => StatusCode::UNAUTHORIZED,
            Self::OtherWorkspace { .. } => StatusCode::FORBIDDEN,
            Self::UnknownPath { .. } | Self::RepositoryNotFound { .. } => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::SlowBody { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::OtherChunk { .. } | Self::OtherTotal { .. } => StatusCode::CONFLICT,
            Self::BodyTooLarge { .. }
            | Self::Parse(ParseError::TooManyEntries { .. } | ParseError::TooManyInputs { .. }) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::ContentEncoding(_) | Self::ContentType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BrokenBody | Self::Gzip(_) | Self::Parse(_) => StatusCode::BAD_REQUEST,
            Self::Draining | Self::Busy | Self::Log(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A word for programs.
    pub(crate) const fn tag(&self) -> &'static str {
        match self {
            Self::Bearer(_)
            | Self::UnknownKey
            | Self::MistypedKey
            | Self::ExpiredKey { .. }
            | Self::RevokedKey { .. } => "Unauthorized",
            Self::OtherWorkspace { .. } => "Forbidden",
            Self::UnknownPath { .. } => "RouteNotFound",
            Self::Method { .. } => "MethodNotAllowed",
            Self::RepositoryNotFound { .. } => "RepositoryNotFound",
            Self::SlowBody { .. } => "RequestTimeout",
            Self::OtherChunk { .. } | Self::OtherTotal { .. } => "BatchConflict",
            Self::BodyTooLarge { .. }
            | Self::Parse(ParseError::TooManyEntries { .. } | ParseError::TooManyInputs { .. }) => {
                "PayloadTooLarge"
            }
            Self::ContentEncoding(_) | Self::ContentType(_) => "UnsupportedMediaType",
            Self::BrokenBody | Self::Gzip(_) | Self::Parse(_) => "ValidationError",
            Self::Draining | Self::Busy | Self::Log(_) => "Unavailable",
            Self::Internal(_) => "InternalError",
        }
    }

    /// The field that is wrong; the first one when several are.
    pub(crate) fn field(&self) -> Option<&str> {
        match self {
            Self::Parse(ParseError::Invalid(problems)) => {
                problems.first().map(|problem| problem.field.as_str()).filter(|field| !field.is_empty())
            }
            Self::Parse(ParseError::TooManyEntries { .. }) => Some("stacks"),
            Self::OtherChunk { .. } => Some("batch_index"),
            Self::OtherTotal { .. } => Some("batch_total"),
            Self::RepositoryNotFound { .. } | Self::OtherWorkspace { .. } => Some("repo_name"),
            _ => None,
        }
    }

    /// Each thing that is wrong, for the client's bullets.
    pub(crate) fn reasons(&self) -> Vec<String> {
        match self {
            Self::Parse(ParseError::Invalid(problems)) => problems.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        }
    }

    /// What only the operator shall read.
    pub(crate) fn detail(&self) -> Option<&str> {
        match self {
            Self::Log(detail) | Self::Internal(detail) => Some(detail),
            _ => None,
        }
    }
}

/// An error on its way to the layer that writes the envelope.
#[derive(Clone)]
pub(crate) struct Failure(pub(crate) Arc<Error>);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Failure(Arc::new(self)));
        response
    }
}
