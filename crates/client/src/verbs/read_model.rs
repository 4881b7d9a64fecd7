//! `stackwave read-model`.

use super::system::read_model;
use crate::{command::Session, failure::Failure, screen::Screen};
use clap::Subcommand;
use stackwave_admin_proto::v1::{GetStatusRequest, ReadModel, RebuildReadModelRequest};

/// What to do with the read model.
#[derive(Clone, Copy, Debug, Default, Subcommand)]
pub enum ReadModelVerb {
    /// Show how large it is, and how far when it is being built
    #[default]
    Show,
    /// Build the server's read model anew from the log
    ///
    /// The new one is built beside the old one, which answers until the new one is there. `stackwave read-model show`
    /// tells how far it is.
    Rebuild,
}

impl ReadModelVerb {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let mut system = session.server.system();
        match self {
            Self::Show => {
                let answer = session.answered(system.get_status(GetStatusRequest {}).await)?;
                let model = answer.read_model.unwrap_or_default();
                session.print(&model, |model, screen| line(Some(model), screen))
            }
            Self::Rebuild => {
                let answer = session.answered(system.rebuild_read_model(RebuildReadModelRequest {}).await)?;
                session.print(&answer, |answer, screen| line(answer.read_model.as_ref(), screen))
            }
        }
    }
}

fn line(model: Option<&ReadModel>, screen: &mut Screen<'_>) -> Result<(), Failure> {
    Ok(screen.line(&format!("read model: {}", read_model(model)))?)
}
