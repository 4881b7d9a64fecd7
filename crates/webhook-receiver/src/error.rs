//! Every refusal of a delivery. GitHub shows the answer under "Recent deliveries", so the words are for whoever set the
//! App up.

use axum::http::StatusCode;
use stackwave_github::{signature::SignatureError, webhook::ParseError};
use stackwave_runtime::batcher::BatchError;

/// A delivery that was not taken.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}; set the same secret in the GitHub App and in `STACKWAVE_GITHUB_WEBHOOK_SECRET`")]
    Signature(#[from] SignatureError),
    #[error("the header `{0}` is missing: this is no delivery of GitHub")]
    Header(&'static str),
    #[error(transparent)]
    Parse(#[from] ParseError),
    #[error("`{0}` is not possible here; use `POST`")]
    Method(String),
    #[error("the body has more than {limit} bytes ({} MiB), more than GitHub sends", .limit >> 20)]
    TooLarge { limit: usize },
    #[error("the event has {bytes} bytes after normalising, more than a record can carry")]
    EventTooLarge { bytes: usize },
    #[error("the body did not arrive within {seconds} s")]
    SlowBody { seconds: u64 },
    #[error("the body broke off")]
    BrokenBody,
    #[error("the server is busy; redeliver this webhook")]
    Busy,
    #[error("the event log cannot take the delivery now; redeliver this webhook")]
    Log(String),
    #[error("something went wrong in the server; tell its operator the trace id")]
    Internal(String),
}

impl From<BatchError> for Error {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Busy => Self::Busy,
            BatchError::Invalid { bytes, .. } => Self::EventTooLarge { bytes },
            BatchError::Log(detail) => Self::Log(detail),
            BatchError::Ended => Self::Log(error.to_string()),
        }
    }
}

impl Error {
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Signature(_) => StatusCode::UNAUTHORIZED,
            Self::Header(_) | Self::Parse(_) | Self::BrokenBody => StatusCode::BAD_REQUEST,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge { .. } | Self::EventTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowBody { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::Log(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The header or payload field that is wrong.
    pub(crate) fn field(&self) -> Option<String> {
        match self {
            Self::Header(name) => Some((*name).to_owned()),
            Self::Signature(_) => Some(stackwave_github::signature::HEADER.to_owned()),
            Self::Parse(ParseError::Missing { field, .. }) => Some(field.0.clone()),
            _ => None,
        }
    }

    /// What only the operator shall read.
    pub(crate) fn detail(&self) -> &str {
        match self {
            Self::Log(detail) | Self::Internal(detail) => detail,
            _ => "",
        }
    }
}
