//! `stackwave log deliveries`: raw bodies of webhooks that were kept aside.

use crate::cli::DeliveriesOptions;
use anyhow::Context as _;
use serde_json::json;
use stackwave_domain::Position;
use stackwave_event_log::{AsideInfo, EventLog};
use stackwave_webhook_receiver::RAW_BODIES;
use std::{io::Write, sync::Arc};

/// So many are asked for at once.
const PAGE: usize = 200;

/// Lists them, or prints one.
pub(super) async fn run(
    log: &Arc<dyn EventLog>,
    options: &DeliveriesOptions,
    mut out: impl Write,
) -> anyhow::Result<()> {
    if let Some(id) = &options.id {
        let body = log.asides().get(RAW_BODIES, id).await?;
        let body = body.with_context(|| {
            format!("no body of the delivery `{id}` is kept: it expired, or STACKWAVE_RAW_WEBHOOKS was off")
        })?;
        out.write_all(&body.bytes)?;
        return Ok(out.flush()?);
    }
    let mut left = options.limit;
    let mut before: Option<Position> = None;
    while left > 0 {
        let page = log.asides().list(RAW_BODIES, left.min(PAGE), before).await?;
        let Some(last) = page.last() else { break };
        before = Some(last.position);
        left = left.saturating_sub(page.len());
        for info in &page {
            out.write_all(line(info, options.json).as_bytes())?;
        }
    }
    if before.is_none() {
        eprintln!("no raw body is kept; STACKWAVE_RAW_WEBHOOKS=72h keeps those that come");
    }
    Ok(out.flush()?)
}

fn line(info: &AsideInfo, as_json: bool) -> String {
    let AsideInfo { id, at, note, bytes, .. } = info;
    if as_json {
        return format!("{}\n", json!({ "id": id, "at": at, "about": note, "bytes": bytes }));
    }
    format!("{at:.3}  {id}  {bytes:>7} B  {note}\n")
}
