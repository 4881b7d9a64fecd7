//! What API keys and tokens have in common.

use crate::{command::Session, common::Output, failure::Failure, json::Document, screen::Tone, table::Cell};
use jiff::Timestamp;
use std::time::Duration;

/// Whether a credential is valid now: `valid`, `expired` or `revoked`.
pub(super) fn state(
    expires_at: Option<&prost_types::Timestamp>,
    revoked_at: Option<&prost_types::Timestamp>,
    now: Timestamp,
) -> Cell {
    let is_over =
        |at: &prost_types::Timestamp| (at.seconds, at.nanos) <= (now.as_second(), now.subsec_nanosecond());
    match (expires_at, revoked_at) {
        (_, Some(_)) => Cell::new("revoked", Tone::Quiet),
        (Some(at), None) if is_over(at) => Cell::new("expired", Tone::Quiet),
        (Some(_) | None, None) => Cell::new("valid", Tone::Good),
    }
}

/// How long it shall be valid, as the API wants it.
pub(super) fn valid_for(span: Option<Duration>) -> Option<prost_types::Duration> {
    let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
    span.map(|span| prost_types::Duration { seconds: seconds(span), nanos: 0 })
}

/// Prints a secret that is never shown again: alone on standard output, so that it can be piped on, with what is known
/// of it beside it on standard error unless that is not wanted.
pub(super) fn reveal(
    answer: &impl Document,
    secret: &str,
    facts: Vec<(&'static str, Cell)>,
    quiet: bool,
    session: &mut Session<'_, '_>,
) -> Result<(), Failure> {
    match session.output {
        Output::Json if !quiet => session.screen.document(answer)?,
        Output::Json | Output::Table => {
            if !quiet {
                super::facts::note(session.screen, facts)?;
                session.screen.note("the line on standard output is the secret; it is not shown again")?;
            }
            session.screen.line(secret)?;
        }
    }
    Ok(session.screen.flush()?)
}
