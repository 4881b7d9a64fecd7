//! `stackwave whoami`.

use super::facts;
use crate::{command::Session, failure::Failure, time, words::cell};
use clap::Args;
use stackwave_admin_proto::v1::{Role, WhoAmIRequest};

/// Nothing more.
#[derive(Clone, Debug, Args)]
pub struct WhoAmI {}

impl WhoAmI {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let answer = session.answered(session.server.credentials().who_am_i(WhoAmIRequest {}).await)?;
        session.print(&answer, |answer, screen| {
            let token = answer.token.clone().unwrap_or_default();
            let facts = vec![
                ("name", token.name.into()),
                ("role", cell::<Role>(token.role)),
                ("token", token.id.into()),
                ("created", time::moment(token.created_at.as_ref()).into()),
                ("expires", time::moment(token.expires_at.as_ref()).into()),
            ];
            Ok(facts::print(screen, facts)?)
        })
    }
}
