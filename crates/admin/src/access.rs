//! Who may ask: whoever has the admin token.

use secrecy::SecretString;
use stackwave_auth::{bearer_token, tokens_match};
use tonic::{Request, Status, service::Interceptor};

/// Lets calls through that carry the token.
#[derive(Clone)]
pub(crate) struct Access {
    token: Option<SecretString>,
}

impl Access {
    pub(crate) const fn new(token: Option<SecretString>) -> Self {
        Self { token }
    }
}

impl Interceptor for Access {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Some(expected) = &self.token else {
            return Err(Status::unauthenticated(
                "this server has no admin token, so nobody may ask: set STACKWAVE_ADMIN_TOKEN or \
                 STACKWAVE_ADMIN_TOKEN_FILE where it runs",
            ));
        };
        let header = request.metadata().get("authorization").map(|value| value.as_bytes());
        let given = bearer_token(header).map_err(|_| {
            Status::unauthenticated(
                "the call carries no admin token: send `authorization: Bearer <STACKWAVE_ADMIN_TOKEN>` as metadata",
            )
        })?;
        if tokens_match(expected, &given) {
            Ok(request)
        } else {
            Err(Status::unauthenticated("the admin token is not the one that this server has"))
        }
    }
}
