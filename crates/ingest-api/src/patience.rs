//! Trying the log again while the client still waits: its own three repeats last for seven seconds only, after which
//! its CI step fails and the upload is lost (contract §1.5).

use crate::error::Error;
use stackwave_event_log::{AppendError, LogError};
use stackwave_runtime::Core;
use std::{future::Future, time::Duration};

/// The first pause between two tries; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Why one try brought nothing.
pub(crate) enum Attempt {
    /// The next one may.
    Again(String),
    /// No other one will.
    Never(Error),
}

impl From<AppendError> for Attempt {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Unknown(_) | AppendError::Unavailable(_) => Self::Again(error.to_string()),
            AppendError::Conflict { .. } | AppendError::Invalid(_) => {
                Self::Never(Error::Internal(error.to_string()))
            }
        }
    }
}

impl From<LogError> for Attempt {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Unavailable(_) => Self::Again(error.to_string()),
            LogError::Corrupt { .. } | LogError::Setup(_) => Self::Never(Error::Internal(error.to_string())),
        }
    }
}

/// Tries until it works, cannot work, or took too long. When the process drains, the current try is the last.
pub(crate) async fn patiently<T, F>(
    core: &Core,
    patience: Duration,
    attempt: impl Fn() -> F,
) -> Result<T, Error>
where
    F: Future<Output = Result<T, Attempt>>,
{
    let deadline = tokio::time::Instant::now() + patience;
    let mut pause = FIRST_PAUSE;
    let mut last = "no answer".to_owned();
    loop {
        match tokio::time::timeout_at(deadline, attempt()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(Attempt::Never(error))) => return Err(error),
            Ok(Err(Attempt::Again(why))) => last = why,
            Err(_) => return Err(Error::Log(last)),
        }
        if tokio::time::Instant::now() + pause >= deadline {
            return Err(Error::Log(last));
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            () = core.shutdown.cancelled() => return Err(Error::Log(last)),
        }
    }
}
