//! The App's webhook and its deliveries.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    clock::rfc3339,
    config::{ContentType, WebhookConfig},
    state::Delivery,
};

/// `GET /app/hook/config`; the secret is masked.
pub(crate) fn config(webhooks: &WebhookConfig) -> Value {
    let mut config = json!({
        "content_type": match webhooks.content_type {
            ContentType::Json => "json",
            ContentType::Form => "form",
        },
        "secret": "********",
        "insecure_ssl": "0",
    });
    if let Some(url) = &webhooks.url {
        config["url"] = json!(url);
    }
    config
}

/// A row of `GET /app/hook/deliveries`. A delivery without an answer has the status of GitHub's proxy.
pub(crate) fn delivery(row: &Delivery, installation: Option<u64>, duration: Duration) -> Value {
    let (code, status) = match &row.answer {
        Some(Ok(code @ 200..=299)) => (*code, "OK".to_owned()),
        Some(Ok(code)) => (*code, format!("Invalid HTTP Response: {code}")),
        Some(Err(error)) if error.contains("timed out") => (504, "timed out".to_owned()),
        Some(Err(_)) | None => (502, "failed to connect to host".to_owned()),
    };
    json!({
        // Ids at GitHub have outgrown 32 bits.
        "id": 12_000_000_000 + row.id,
        "guid": row.guid,
        "delivered_at": rfc3339(row.at),
        "redelivery": row.redelivery,
        "duration": duration.as_secs_f64(),
        "status": status,
        "status_code": code,
        "event": row.event,
        "action": row.action,
        "installation_id": installation,
        "repository_id": row.repository_id,
        "throttled_at": null,
    })
}
