//! Refusals: the standard codes with the standard details (`google.rpc`), so that programs need not read sentences.
//!
//! Each carries an `ErrorInfo` whose domain is `stackwave`; its reasons are part of the contract.

use stackwave_event_log::{AppendError, LogError};
use stackwave_read_model::ReadError;
use stackwave_runtime::registry::RegisterError;
use std::{borrow::Cow, collections::HashMap, time::Duration};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// Whose reasons they are.
const DOMAIN: &str = "stackwave";

/// When it is worth asking again after `UNAVAILABLE`.
const TRY_AGAIN: Duration = Duration::from_secs(1);

fn details(reason: &str, metadata: &[(&str, &str)]) -> ErrorDetails {
    let metadata = metadata.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    ErrorDetails::with_error_info(reason, DOMAIN, metadata.collect::<HashMap<_, _>>())
}

/// The longest name and the longest sentence that a refusal repeats, in bytes. They travel as metadata, twice and
/// encoded, and clients drop an answer whose metadata is over 8 KiB.
const NAME: usize = 200;
const SENTENCE: usize = 400;

/// As much of a text of the caller's as may be repeated.
fn cut(text: &str, bytes: usize) -> Cow<'_, str> {
    match text.len() > bytes {
        true => format!("{}…", &text[..text.floor_char_boundary(bytes)]).into(),
        false => text.into(),
    }
}

/// A field of the request is wrong.
pub(crate) fn invalid(field: &str, what: &str) -> Status {
    let what = cut(what, SENTENCE);
    let mut details = details("INVALID_FIELD", &[("field", field)]);
    details.add_bad_request_violation(field, &*what);
    Status::with_error_details(Code::InvalidArgument, format!("`{field}`: {what}"), details)
}

/// There is no such thing; `kind` is `run`, `repository`, ….
pub(crate) fn not_found(kind: &str, name: &str) -> Status {
    let name = &*cut(name, NAME);
    let message = format!("there is no {kind} `{name}`");
    let reason = format!("{}_NOT_FOUND", kind.to_ascii_uppercase().replace(' ', "_"));
    let mut details = details(&reason, &[]);
    details.set_resource_info(kind, name, "", &message);
    Status::with_error_details(Code::NotFound, message, details)
}

/// A command names something that does not exist.
pub(crate) fn unknown(kind: &str, subject: &str, what: &str) -> Status {
    let (subject, what) = (&*cut(subject, NAME), &*cut(what, SENTENCE));
    let mut details = details(&format!("{}_NOT_FOUND", kind.to_ascii_uppercase()), &[]);
    details.set_resource_info(kind, subject, "", what);
    Status::with_error_details(Code::NotFound, what, details)
}

/// It is there already.
pub(crate) fn already_exists(kind: &str, name: &str) -> Status {
    let name = &*cut(name, NAME);
    let message = format!("the {kind} `{name}` exists already");
    let reason = format!("{}_EXISTS", kind.to_ascii_uppercase().replace(' ', "_"));
    let mut details = details(&reason, &[]);
    details.set_resource_info(kind, name, "", &message);
    Status::with_error_details(Code::AlreadyExists, message, details)
}

/// As things stand it cannot be done; nothing was appended.
pub(crate) fn precondition(reason: &str, subject: &str, what: &str) -> Status {
    let (subject, what) = (&*cut(subject, NAME), &*cut(what, SENTENCE));
    let mut details = details(reason, &[]);
    details.add_precondition_failure_violation(reason, subject, what);
    Status::with_error_details(Code::FailedPrecondition, what, details)
}

/// Nobody knows who is calling.
pub(crate) fn unauthenticated(reason: &str, what: &str) -> Status {
    Status::with_error_details(Code::Unauthenticated, what, details(reason, &[]))
}

/// The caller may not do this.
pub(crate) fn too_weak(method: &str, needed: &str, has: &str) -> Status {
    let what = format!("`{method}` asks for a token with the role `{needed}`; this one has the role `{has}`");
    let details = details("ROLE_TOO_WEAK", &[("needed", needed), ("role", has), ("method", method)]);
    Status::with_error_details(Code::PermissionDenied, what, details)
}

/// It may go later.
pub(crate) fn unavailable(reason: &str, what: impl Into<String>) -> Status {
    let mut details = details(reason, &[]);
    details.set_retry_info(Some(TRY_AGAIN));
    Status::with_error_details(Code::Unavailable, what, details)
}

/// So many at once is too many.
pub(crate) fn exhausted(reason: &str, what: &str) -> Status {
    let mut details = details(reason, &[]);
    details.set_retry_info(Some(TRY_AGAIN));
    Status::with_error_details(Code::ResourceExhausted, what, details)
}

/// What was asked for is not in the log any more.
pub(crate) fn out_of_range(reason: &str, what: &str) -> Status {
    Status::with_error_details(Code::OutOfRange, what, details(reason, &[]))
}

/// The log could not be read.
pub(crate) fn log(error: &LogError) -> Status {
    match error {
        LogError::Unavailable(_) => unavailable("LOG_UNAVAILABLE", error.to_string()),
        LogError::Corrupt { .. } => {
            Status::with_error_details(Code::DataLoss, error.to_string(), details("LOG_CORRUPT", &[]))
        }
        LogError::Setup(_) => {
            Status::with_error_details(Code::Internal, error.to_string(), details("LOG_SETUP", &[]))
        }
    }
}

/// The log could not be written.
pub(crate) fn append(error: &AppendError) -> Status {
    match error {
        AppendError::Invalid(_) => invalid("reason", &format!("it cannot be recorded: {error}")),
        AppendError::Conflict { .. } | AppendError::Unknown(_) | AppendError::Unavailable(_) => {
            unavailable("LOG_UNAVAILABLE", error.to_string())
        }
    }
}

/// A setting could not be written.
pub(crate) fn register(error: &RegisterError) -> Status {
    match error {
        RegisterError::Log(error) => log(error),
        RegisterError::Append(error) => append(error),
    }
}

/// A request that is no message of its method, or too large, as the transport says it without any detail.
pub(crate) fn unreadable(code: Code, what: &str) -> Option<Status> {
    match code {
        Code::Internal if what.starts_with("failed to decode Protobuf message") => {
            let what = what.trim_start_matches("failed to decode Protobuf message: ");
            let message = format!("the request cannot be read: {}", cut(what, SENTENCE));
            let mut details = details("UNREADABLE_REQUEST", &[]);
            details.add_bad_request_violation("", &*message);
            Some(Status::with_error_details(Code::InvalidArgument, message, details))
        }
        Code::OutOfRange if what.contains("message length too large") => {
            let message = "the request is larger than 64 KiB";
            Some(Status::with_error_details(
                Code::ResourceExhausted,
                message,
                details("REQUEST_TOO_LARGE", &[]),
            ))
        }
        _ => None,
    }
}

/// The read model does not answer.
pub(crate) fn read_model(error: &ReadError) -> Status {
    match error {
        ReadError::Building { .. } => unavailable("READ_MODEL_BUILDING", error.to_string()),
        ReadError::Off => precondition("READ_MODEL_OFF", "read model", &error.to_string()),
        ReadError::Token(error) => invalid("page_token", &error.to_string()),
        ReadError::Broken(_) => unavailable("READ_MODEL_BROKEN", error.to_string()),
        ReadError::Failed(_) => {
            Status::with_error_details(Code::Internal, error.to_string(), details("READ_MODEL_FAILED", &[]))
        }
    }
}
