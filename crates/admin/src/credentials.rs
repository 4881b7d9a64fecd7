//! The service `Credentials`.

mod convert;
mod keys;
mod kind;
mod tokens;

use crate::{access::Caller, context::Context, errors::invalid};
use stackwave_admin_proto::v1::{self, credentials_server::Credentials};
use tonic::{Request, Response, Status, async_trait};

/// Creates, lists and revokes credentials.
pub(crate) struct CredentialsService {
    context: Context,
}

impl CredentialsService {
    pub(crate) const fn new(context: Context) -> Self {
        Self { context }
    }
}

#[async_trait]
impl Credentials for CredentialsService {
    async fn create_api_key(
        &self,
        request: Request<v1::CreateApiKeyRequest>,
    ) -> Result<Response<v1::CreateApiKeyResponse>, Status> {
        let caller = Caller::from(request.extensions())?;
        keys::create(&self.context, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_api_keys(
        &self,
        request: Request<v1::ListApiKeysRequest>,
    ) -> Result<Response<v1::ListApiKeysResponse>, Status> {
        keys::list(&self.context, &request.into_inner()).map(Response::new)
    }

    async fn revoke_api_key(
        &self,
        request: Request<v1::RevokeApiKeyRequest>,
    ) -> Result<Response<v1::RevokeApiKeyResponse>, Status> {
        let caller = Caller::from(request.extensions())?;
        keys::revoke(&self.context, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn create_token(
        &self,
        request: Request<v1::CreateTokenRequest>,
    ) -> Result<Response<v1::CreateTokenResponse>, Status> {
        let caller = Caller::from(request.extensions())?;
        tokens::create(&self.context, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn list_tokens(
        &self,
        request: Request<v1::ListTokensRequest>,
    ) -> Result<Response<v1::ListTokensResponse>, Status> {
        tokens::list(&self.context, &request.into_inner()).map(Response::new)
    }

    async fn revoke_token(
        &self,
        request: Request<v1::RevokeTokenRequest>,
    ) -> Result<Response<v1::RevokeTokenResponse>, Status> {
        let caller = Caller::from(request.extensions())?;
        tokens::revoke(&self.context, &caller, request.into_inner()).await.map(Response::new)
    }

    async fn who_am_i(
        &self,
        request: Request<v1::WhoAmIRequest>,
    ) -> Result<Response<v1::WhoAmIResponse>, Status> {
        let caller = Caller::from(request.extensions())?;
        let token = tokens::of_caller(&self.context, &caller);
        Ok(Response::new(v1::WhoAmIResponse { token: Some(token) }))
    }
}

/// The longest name and reason, in characters.
const MAX_NAME: usize = 100;
pub(crate) const MAX_REASON: usize = 1000;

/// A name for people: one line that is not empty.
fn name(text: &str) -> Result<String, Status> {
    let text = text.trim();
    if text.is_empty() {
        return Err(invalid("name", "it is missing"));
    }
    if text.chars().count() > MAX_NAME {
        return Err(invalid("name", "it is longer than 100 characters"));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid("name", "it holds control characters"));
    }
    Ok(text.to_owned())
}

/// Why, in a person's words.
pub(crate) fn reason(text: &str) -> Result<String, Status> {
    let text = text.trim();
    if text.chars().count() > MAX_REASON {
        return Err(invalid("reason", "it is longer than 1000 characters"));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(invalid("reason", "it holds control characters"));
    }
    Ok(text.to_owned())
}
