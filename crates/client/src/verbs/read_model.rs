//! `stackwave read-model`.

use super::system::read_model;
use crate::{command::Session, failure::Failure};
use clap::{Args, Subcommand};
use stackwave_admin_proto::v1::RebuildReadModelRequest;

/// What to do with the read model.
#[derive(Clone, Debug, Subcommand)]
pub enum ReadModelVerb {
    /// Build the server's read model anew from the log
    ///
    /// The new one is built beside the old one, which answers until the new one is there. `stackwave system status`
    /// shows how far it is.
    Rebuild(Rebuild),
}

impl ReadModelVerb {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let Self::Rebuild(Rebuild {}) = self;
        let request = RebuildReadModelRequest {};
        let answer = session.answered(session.server.system().rebuild_read_model(request).await)?;
        session.print(&answer, |answer, screen| {
            Ok(screen.line(&format!("read model: {}", read_model(answer.read_model.as_ref())))?)
        })
    }
}

/// Nothing more.
#[derive(Clone, Debug, Args)]
pub struct Rebuild {}
