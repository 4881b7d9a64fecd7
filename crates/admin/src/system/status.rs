//! This process and its budgets.

use crate::{
    context::Context,
    sources::{Budget, Sources},
    time::{duration, timestamp},
};
use jiff::SignedDuration;
use stackwave_admin_proto::v1;
use stackwave_domain::{Timestamp, record::SCHEMA_VERSION};
use stackwave_engine::ENGINE_VERSION;
use stackwave_read_model::ModelStatus;

pub(super) async fn status(context: &Context, sources: &Sources) -> v1::GetStatusResponse {
    let core = &context.core;
    let parts = core.health.parts().into_iter();
    let details = core.health.details().into_iter();
    let parts =
        parts.map(|(name, why)| v1::Part { name, ready: why.is_none(), detail: why.unwrap_or_default() });
    let details = details.map(|(name, value)| v1::Part {
        name,
        ready: true,
        detail: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    });
    let process = &sources.process;
    v1::GetStatusResponse {
        version: process.version.to_owned(),
        engine_version: ENGINE_VERSION,
        schema_version: SCHEMA_VERSION,
        process_id: core.ids.process().to_string(),
        roles: process.roles.clone(),
        started_at: Some(timestamp(process.started_at)),
        ready: core.health.is_ready(),
        parts: parts.chain(details).collect(),
        dispatch_enabled: process.dispatch_enabled,
        read_model: context.read_model.status().await.map(read_model),
    }
}

pub(super) const fn read_model(status: ModelStatus) -> v1::ReadModel {
    let ModelStatus { version, building, progress, runs, bytes } = status;
    v1::ReadModel { version, building, progress, runs, bytes }
}

pub(super) fn budget(budget: Budget, now: Timestamp) -> v1::Budget {
    let after = |wait: std::time::Duration| {
        let wait = SignedDuration::try_from(wait).ok()?;
        now.checked_add(wait).ok().map(timestamp)
    };
    let longest = budget.longest_wait.and_then(|wait| SignedDuration::try_from(wait).ok());
    v1::Budget {
        installation_id: budget.installation.map_or(0, |installation| installation.0),
        writes_per_minute: budget.writes_per_minute,
        writes_left: budget.writes_left,
        in_flight: budget.in_flight,
        waiting: budget.waiting,
        rate_limit_remaining: budget.rate_limit_remaining,
        rate_limit_reset_at: budget.rate_limit_reset_at.map(timestamp),
        blocked_until: budget.blocked_for.filter(|wait| !wait.is_zero()).and_then(after),
        longest_wait: longest.map(duration),
    }
}
