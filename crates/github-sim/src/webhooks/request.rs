//! A delivery as an HTTP request.

use bytes::Bytes;
use http::{Request, header};

use super::sign;
use crate::{
    config::ContentType,
    state::{Delivery, State},
};

/// What a request is made of, copied out of the state so that signing happens outside its lock.
#[derive(Debug)]
pub(super) struct Parts {
    url: String,
    secret: String,
    content_type: ContentType,
    app_id: u64,
    enterprise_version: Option<&'static str>,
    delivery: Delivery,
}

impl Parts {
    /// `None` when there is no receiver.
    pub(super) fn of(state: &State, delivery: u64) -> Option<Self> {
        let webhooks = &state.config.webhooks;
        Some(Self {
            url: webhooks.url.clone()?,
            secret: webhooks.secret.clone(),
            content_type: webhooks.content_type,
            app_id: state.config.app.id,
            enterprise_version: state.config.host.enterprise_version(),
            delivery: state.deliveries().get(usize::try_from(delivery).ok()?)?.clone(),
        })
    }

    /// The request, with the headers that GitHub sends ("Webhook events and payloads", delivery headers).
    pub(super) fn request(self) -> http::Result<Request<Bytes>> {
        let (body, content_type) = match self.content_type {
            ContentType::Json => (self.delivery.payload, "application/json"),
            ContentType::Form => {
                let payload = String::from_utf8_lossy(&self.delivery.payload).into_owned();
                let form =
                    form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload).finish();
                (Bytes::from(form), "application/x-www-form-urlencoded")
            }
        };
        let mut request = Request::post(self.url)
            .header(header::USER_AGENT, "GitHub-Hookshot/44ac8d1")
            .header(header::ACCEPT, "*/*")
            .header(header::CONTENT_TYPE, content_type)
            .header("X-GitHub-Event", self.delivery.event)
            .header("X-GitHub-Delivery", self.delivery.guid)
            .header("X-GitHub-Hook-ID", HOOK_ID)
            .header("X-GitHub-Hook-Installation-Target-ID", self.app_id)
            .header("X-GitHub-Hook-Installation-Target-Type", "integration")
            .header("X-Hub-Signature-256", sign(&self.secret, &body));
        if let Some(version) = self.enterprise_version {
            request = request
                .header("X-GitHub-Enterprise-Version", version)
                .header("X-GitHub-Enterprise-Host", "127.0.0.1");
        }
        request.body(body)
    }
}

/// The App has one hook.
pub(crate) const HOOK_ID: u64 = 512_345_678;
