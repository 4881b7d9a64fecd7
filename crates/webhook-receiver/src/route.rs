//! `POST /webhooks/github`: verify, parse, append, answer. GitHub never repeats a delivery by itself.

use crate::{
    ACTOR, answer,
    aside::Keeper,
    config::Config,
    error::Error,
    receive::{Memory, receive},
    registration,
    split::split,
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::HeaderMap,
    response::Response,
    routing::post,
};
use bytes::Bytes;
use futures::FutureExt as _;
use serde_json::{Value, json};
use stackwave_domain::{DeliveryId, Event, StreamId, Subject, TraceContext};
use stackwave_github::{
    signature,
    webhook::{self, Disposition, Webhook},
};
use stackwave_runtime::{
    Core,
    batcher::{Batcher, Item},
};
use std::{panic::AssertUnwindSafe, sync::Arc};
use tracing::Instrument as _;

/// Bodies up to this size are checked and parsed where they arrive, which takes well under a millisecond; larger ones
/// on a thread that may be busy for long.
const INLINE_BYTES: usize = 128 * 1024;

/// The longest delivery id that is taken, in bytes; GitHub sends a GUID.
const MAX_DELIVERY_BYTES: usize = 128;

struct Receiver {
    core: Core,
    config: Config,
    memory: Memory,
    batcher: Batcher,
    keeper: Option<Keeper>,
}

/// What the headers say.
struct Delivery {
    id: DeliveryId,
    event: String,
}

/// The route, to be merged with those of other roles.
pub fn router(core: Core, config: Config) -> Router {
    let batcher = Batcher::new(core.clone(), ACTOR, config.batch);
    let memory = Memory::new(config.memory);
    let keeper = config.keep_raw.map(|ttl| Keeper::start(&core, ttl));
    let receiver = Arc::new(Receiver { core, config, memory, batcher, keeper });
    Router::new().route("/webhooks/github", post(deliver).fallback(wrong_method)).with_state(receiver)
}

async fn wrong_method(State(receiver): State<Arc<Receiver>>, request: Request) -> Response {
    let method = request.method().as_str().chars().take(20).collect();
    answer::refused(&receiver.core.ids.trace(), &Error::Method(method))
}

async fn deliver(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Body) -> Response {
    // GitHub sends none; something before us that traces does.
    let caller = text(&headers, "traceparent").and_then(TraceContext::parse);
    let trace = receiver.core.ids.span(caller);
    let span = tracing::info_span!(
        "webhook",
        trace.context = %trace,
        trace.parent = caller.map(tracing::field::display),
        otel.kind = "server",
        delivery.id = short(text(&headers, "x-github-delivery").unwrap_or_default()),
        github.event = short(text(&headers, "x-github-event").unwrap_or_default()),
        repository.id = tracing::field::Empty,
        position = tracing::field::Empty,
        http.status = tracing::field::Empty,
    );
    async {
        let taking = AssertUnwindSafe(receiver.take(trace, &headers, body)).catch_unwind().await;
        let answer = match taking
            .unwrap_or_else(|_| Err(Error::Internal("a panic while taking a delivery".to_owned())))
        {
            Ok(data) => answer::accepted(&trace.trace_id(), data),
            Err(error) => {
                log(&error);
                answer::refused(&trace.trace_id(), &error)
            }
        };
        tracing::Span::current().record("http.status", answer.status().as_u16());
        answer
    }
    .instrument(span)
    .await
}

fn log(error: &Error) {
    let status = error.status().as_u16();
    if error.status().is_server_error() {
        let detail = error.detail();
        tracing::error!(http.status = status, %error, detail, "a delivery is lost unless it is redelivered");
    } else {
        tracing::warn!(http.status = status, %error, "a delivery was refused");
    }
}

impl Receiver {
    async fn take(
        self: &Arc<Self>,
        trace: TraceContext,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Value, Error> {
        let (body, _memory) = receive(&self.memory, &self.config, headers, body).await?;
        let (delivery, webhook) = self.read(headers, body).await?;
        if let Some(repository) = &webhook.repository {
            tracing::Span::current().record("repository.id", repository.id.0);
        }
        match webhook.disposition {
            Disposition::Repository => self.to_repository(trace, delivery, webhook).await,
            Disposition::Configuration => self.to_configuration(trace, delivery, webhook).await,
            Disposition::Drop { why } => {
                tracing::debug!(why, "a delivery was dropped");
                let named = webhook.repository.map(|repository| (repository, webhook.installation));
                registration::learn(&self.core, self.config.register_patience, named.into_iter().collect())
                    .await;
                Ok(json!({ "delivery": delivery.id, "outcome": "dropped", "reason": why }))
            }
        }
    }

    /// The signature comes first: nothing of an unsigned body is looked into.
    async fn read(self: &Arc<Self>, headers: &HeaderMap, body: Bytes) -> Result<(Delivery, Webhook), Error> {
        let signature = text(headers, signature::HEADER).map(str::to_owned);
        let id = text(headers, "x-github-delivery").filter(|id| id.len() <= MAX_DELIVERY_BYTES);
        let event = text(headers, "x-github-event").map(str::to_owned);
        let content_type = text(headers, "content-type").map(str::to_owned);
        let id = id.map(DeliveryId::new);
        let size = body.len();
        let this = Arc::clone(self);
        let read = move || {
            this.config.secrets.verify(signature.as_deref(), &body)?;
            let event = event.ok_or(Error::Header("X-GitHub-Event"))?;
            let id = id.ok_or(Error::Header("X-GitHub-Delivery"))?;
            let webhook = webhook::parse_as(&this.config.own, &event, &id, &body, content_type.as_deref());
            if let Some(keeper) = &this.keeper {
                keeper.keep(&this.core, &id, &event, &about(webhook.as_ref()), &body);
            }
            Ok((Delivery { id, event }, webhook?))
        };
        if size <= INLINE_BYTES {
            return read();
        }
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or_else(|error| Err(Error::Internal(error.to_string())))
    }

    async fn to_repository(
        &self,
        trace: TraceContext,
        delivery: Delivery,
        webhook: Webhook,
    ) -> Result<Value, Error> {
        let Some(repository) = webhook.repository else {
            return Err(Error::Internal("an event of a repository names none".to_owned()));
        };
        let id = repository.id;
        let named = vec![(repository, webhook.installation)];
        registration::learn(&self.core, self.config.register_patience, named).await;
        let stream = StreamId::of_repository(id, self.core.log.partitions());
        let subject = Subject::github(stream, id, &delivery.event);
        let position = self.batcher.append(&subject, item(trace, &delivery, webhook.events)).await?;
        tracing::Span::current().record("position", position.0);
        tracing::debug!("a delivery is stored");
        Ok(json!({ "delivery": delivery.id, "outcome": "stored", "position": position }))
    }

    async fn to_configuration(
        &self,
        trace: TraceContext,
        delivery: Delivery,
        webhook: Webhook,
    ) -> Result<Value, Error> {
        let named = webhook.events.iter().flat_map(registration::named_by).collect();
        let subject = Subject::config_github(&delivery.event);
        let mut last = None;
        for event in webhook.events.into_iter().flat_map(split) {
            last = Some(self.batcher.append(&subject, item(trace, &delivery, vec![event])).await?);
        }
        // After the append: an installation that is back must not be taken for one that is gone.
        registration::learn(&self.core, self.config.register_patience, named).await;
        Ok(json!({ "delivery": delivery.id, "outcome": "stored", "position": last }))
    }
}

/// A line about a delivery, for lists of what was kept.
fn about(webhook: Result<&Webhook, &webhook::ParseError>) -> String {
    match webhook {
        Err(error) => format!("refused: {error}"),
        Ok(webhook) => {
            let repository = webhook.repository.as_ref().map(|repository| format!("{} ", repository.name));
            let outcome = match webhook.disposition {
                Disposition::Repository | Disposition::Configuration => "stored",
                Disposition::Drop { why } => why,
            };
            format!("{}{outcome}", repository.unwrap_or_default())
        }
    }
}

fn item(trace: TraceContext, delivery: &Delivery, events: Vec<Event>) -> Item {
    Item { events, correlation: Some(delivery.id.to_string()), trace: Some(trace), cause: None }
}

/// As much of a header as goes into our logs: nobody has signed it yet.
fn short(text: &str) -> &str {
    text.get(..MAX_DELIVERY_BYTES).unwrap_or(text)
}

/// A header's text; none when it is missing or empty.
fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim).filter(|text| !text.is_empty())
}
