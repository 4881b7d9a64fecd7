//! What a refusal means, in one sentence: gRPC's code decides what to do about it, its details say about what.

use crate::{failure::Failure, server::Address};
use std::error::Error;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// What tonic says of an answer that is HTTP and not gRPC.
const NOT_GRPC: &str = "grpc-status header missing";

/// A refusal of the server, or a connection that broke in the middle of a call.
pub(crate) fn failure(status: &Status, address: &Address) -> Failure {
    let said = said(status);
    if status.message().starts_with(NOT_GRPC) {
        return Failure::Unreachable(format!(
            "what answers at {} does not speak gRPC ({}): {HOW_TO_NAME}, and not that of STACKWAVE_HTTP_ADDR",
            named(address),
            status.message()
        ));
    }
    match status.code() {
        Code::Unauthenticated => Failure::Credential(match &address.token {
            Some(origin) => format!("{said} (the token comes from {origin})"),
            None => {
                format!("{said}; no token is set here: set STACKWAVE_TOKEN, or name a file with --token-file")
            }
        }),
        Code::PermissionDenied => Failure::Credential(said),
        Code::InvalidArgument | Code::OutOfRange => Failure::WrongUse(said),
        Code::Unimplemented => Failure::Refused(format!(
            "the server at {} cannot do this: {said}; is it older than this?",
            address.url
        )),
        Code::Unavailable => {
            Failure::Unreachable(format!("the server at {} cannot answer: {said}", address.url))
        }
        // Cancelled is what tonic calls a call that took longer than it may.
        Code::DeadlineExceeded | Code::Cancelled => Failure::Unreachable(format!(
            "the server at {} did not answer in time ({said}): try again, or allow more with --timeout",
            address.url
        )),
        Code::Unknown | Code::Internal if status.source().is_some() => {
            Failure::Unreachable(format!("the connection to {} broke: {said}", address.url))
        }
        Code::Unknown | Code::Internal | Code::DataLoss => {
            Failure::Refused(format!("the server at {} failed: {said}; its own log says more", address.url))
        }
        Code::Ok
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::ResourceExhausted => Failure::Refused(said),
    }
}

/// Whether the same question may be answered by trying again.
pub(crate) fn is_passing(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable
        | Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::ResourceExhausted => true,
        Code::Unknown | Code::Internal => status.source().is_some(),
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::DataLoss
        | Code::Unauthenticated => false,
    }
}

/// Nothing was reached.
pub(crate) fn no_server(address: &Address, error: &tonic::transport::Error) -> Failure {
    Failure::Unreachable(format!(
        "no server answers at {}: {}; start one with `stackwave serve`, or {HOW_TO_NAME}",
        named(address),
        chain(error)
    ))
}

const HOW_TO_NAME: &str =
    "name the address of its admin API (STACKWAVE_GRPC_ADDR) with --server or STACKWAVE_SERVER";

fn named(address: &Address) -> String {
    match &address.origin {
        Some(origin) => format!("{} (from {origin})", address.url),
        None => address.url.clone(),
    }
}

/// The innermost reason; what is around it only says that something went wrong.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// The server's words, with what its details add to them.
fn said(status: &Status) -> String {
    let mut said = status.message().to_owned();
    let mut add = |part: String| {
        if !part.is_empty() && !said.contains(&part) {
            said = if said.is_empty() { part } else { format!("{said}; {part}") };
        }
    };
    let details = status.get_error_details();
    for violation in details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default() {
        // The message often says the same, in other words around it.
        if !status.message().contains(&violation.description) {
            add(format!("`{}`: {}", violation.field, violation.description));
        }
    }
    for violation in
        details.precondition_failure().map(|failed| failed.violations.as_slice()).unwrap_or_default()
    {
        add(violation.description.clone());
    }
    for link in details.help().map(|help| help.links.as_slice()).unwrap_or_default() {
        add(format!("{}: {}", link.description, link.url));
    }
    if let Some(source) = status.source().filter(|_| status.details().is_empty()) {
        add(chain(source));
    }
    match details.error_info().map(|info| info.reason.as_str()).filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("{said} [{reason}]"),
        None if said.is_empty() => status.code().description().to_owned(),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;
    use tonic_types::ErrorDetails;

    fn address() -> Address {
        Address { url: "http://sw:8081".to_owned(), origin: None, token: Some("STACKWAVE_TOKEN".to_owned()) }
    }

    fn told(status: &Status) -> (String, Exit) {
        let failure = failure(status, &address());
        (failure.to_string(), failure.exit())
    }

    #[test]
    fn a_field_that_is_wrong_is_named_with_what_is_wrong_about_it() {
        let mut details = ErrorDetails::new();
        details.add_bad_request_violation("page_size", "it must not be negative");
        let status = Status::with_error_details(Code::InvalidArgument, "bad request", details);
        let (text, exit) = told(&status);
        assert_eq!(text, "bad request; `page_size`: it must not be negative");
        assert_eq!(exit, Exit::WrongUse);
    }

    #[test]
    fn what_the_message_says_is_not_said_twice() {
        let mut details = ErrorDetails::new();
        details.add_bad_request_violation("run_id", "it is empty");
        details.set_error_info("FIELD_INVALID", "stackwave", std::collections::HashMap::new());
        let status = Status::with_error_details(Code::InvalidArgument, "`run_id`: it is empty", details);
        assert_eq!(told(&status).0, "`run_id`: it is empty [FIELD_INVALID]");
    }

    #[test]
    fn a_missing_token_says_how_to_give_one_and_a_wrong_one_where_it_came_from() {
        let status = Status::unauthenticated("the token is not known");
        let (text, exit) = told(&status);
        assert_eq!(text, "the token is not known (the token comes from STACKWAVE_TOKEN)");
        assert_eq!(exit, Exit::Credential);
        let without = Address { token: None, ..address() };
        assert!(failure(&status, &without).to_string().contains("--token-file"));
    }

    #[test]
    fn codes_end_as_the_help_says() {
        for (code, exit) in [
            (Code::NotFound, Exit::Failed),
            (Code::FailedPrecondition, Exit::Failed),
            (Code::Internal, Exit::Failed),
            (Code::InvalidArgument, Exit::WrongUse),
            (Code::Unavailable, Exit::Unreachable),
            (Code::DeadlineExceeded, Exit::Unreachable),
            (Code::PermissionDenied, Exit::Credential),
        ] {
            assert_eq!(told(&Status::new(code, "x")).1, exit, "{code:?}");
        }
    }

    #[test]
    fn an_answer_that_is_no_grpc_names_the_setting_that_is_meant() {
        let status = Status::unimplemented("grpc-status header missing, mapped from HTTP status code 404");
        let (text, exit) = told(&status);
        assert!(text.contains("STACKWAVE_GRPC_ADDR") && text.contains("404"), "{text}");
        assert_eq!(exit, Exit::Unreachable);
    }
}
