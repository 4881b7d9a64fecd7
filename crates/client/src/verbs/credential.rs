//! What API keys and tokens have in common.

use crate::{
    command::Session, common::Output, failure::Failure, json::Document, screen::Tone, table::Cell, time,
};
use clap::Args;
use jiff::Timestamp;
use stackwave_admin_proto::v1;
use std::time::Duration;

/// How a credential is created, besides what it is.
#[derive(Clone, Debug, Args)]
pub(super) struct Creation {
    /// How long it is valid from now, such as `90d`; without it, until it is revoked.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    valid_for: Option<Duration>,
    /// Print the secret and nothing else.
    #[arg(long)]
    quiet: bool,
}

impl Creation {
    /// How long it shall be valid, as the API wants it.
    pub(super) fn valid_for(&self) -> Option<prost_types::Duration> {
        let seconds = |span: Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        self.valid_for.map(|span| prost_types::Duration { seconds: seconds(span), nanos: 0 })
    }
}

/// Why a credential is revoked.
#[derive(Clone, Debug, Args)]
pub(super) struct Revocation {
    /// Why, for people; it is kept in the log.
    #[arg(long, short, value_name = "TEXT", default_value = "")]
    pub(super) reason: String,
}

/// What the API tells of every credential.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    id: String,
    name: String,
    created_at: Option<prost_types::Timestamp>,
    created_by: String,
    expires_at: Option<prost_types::Timestamp>,
    last_used_at: Option<prost_types::Timestamp>,
    revoked_at: Option<prost_types::Timestamp>,
    revoked_by: String,
}

macro_rules! known {
    ($message:ty) => {
        impl From<$message> for Known {
            fn from(message: $message) -> Self {
                Self {
                    id: message.id,
                    name: message.name,
                    created_at: message.created_at,
                    created_by: message.created_by,
                    expires_at: message.expires_at,
                    last_used_at: message.last_used_at,
                    revoked_at: message.revoked_at,
                    revoked_by: message.revoked_by,
                }
            }
        }
    };
}

known!(v1::ApiKey);
known!(v1::Token);

impl Known {
    /// Its row in a list, with what it opens after its name.
    pub(super) fn cells(self, opens: Cell, now: Timestamp) -> Vec<Cell> {
        let state = state(self.expires_at.as_ref(), self.revoked_at.as_ref(), now);
        vec![
            self.id.into(),
            self.name.into(),
            opens,
            state,
            time::moment(self.created_at.as_ref()).into(),
            self.created_by.into(),
            time::moment(self.expires_at.as_ref()).into(),
            time::moment(self.last_used_at.as_ref()).into(),
        ]
    }

    /// That it is revoked, in a line.
    pub(super) fn revoked(&self) -> String {
        let at = time::moment(self.revoked_at.as_ref());
        format!("{} ({}) is revoked since {at}, by {}", self.id, self.name, self.revoked_by)
    }

    /// Prints a secret that is never shown again: alone on standard output, so that it can be piped on, with what is
    /// known of it beside it on standard error unless that is not wanted. `kind` is `key` or `token`.
    pub(super) fn reveal(
        self,
        answer: &impl Document,
        secret: &str,
        kind: &'static str,
        opens: (&'static str, Cell),
        creation: &Creation,
        session: &mut Session<'_, '_>,
    ) -> Result<(), Failure> {
        match session.output {
            Output::Json if !creation.quiet => session.screen.document(answer)?,
            Output::Json | Output::Table => {
                if !creation.quiet {
                    let expires = time::moment(self.expires_at.as_ref());
                    let facts = vec![
                        (kind, self.id.into()),
                        ("name", self.name.into()),
                        opens,
                        ("expires", expires.into()),
                    ];
                    super::facts::note(session.screen, facts)?;
                    session
                        .screen
                        .note("the line on standard output is the secret; it is not shown again")?;
                }
                session.screen.line(secret)?;
            }
        }
        Ok(session.screen.flush()?)
    }
}

/// Whether a credential is valid now: `valid`, `expired` or `revoked`.
fn state(
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
