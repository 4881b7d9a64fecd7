//! The App's webhook: its configuration, and what became of the deliveries.

use std::time::Duration;

use crate::{
    server::{Answer, Call},
    shapes,
    state::{Delivery, State},
};

/// Rows on a page when the caller does not say, and at most.
const USUAL: usize = 30;
const MOST: usize = 100;

/// `GET /app/hook/config`.
pub(super) fn config(state: &State) -> Answer {
    Answer::ok(shapes::hook::config(&state.config.webhooks).into())
}

/// `GET /app/hook/deliveries`: newest first. A cursor is the row to go on with.
pub(super) fn deliveries(state: &State, call: &Call) -> Answer {
    let size = call.parameter("per_page").and_then(|text| text.parse().ok()).unwrap_or(USUAL).clamp(1, MOST);
    let from = call.parameter("cursor").and_then(|text| text.parse::<u64>().ok());
    let wanted = call.parameter("status");
    let mut rows = state
        .deliveries()
        .iter()
        .rev()
        .filter(|row| row.answer.is_some() && from.is_none_or(|from| row.id <= from))
        .filter(|row| wanted.is_none_or(|wanted| (wanted == "success") == row.was_taken()));
    let page: Vec<&Delivery> = rows.by_ref().take(size).collect();
    let link = rows.next().map(|next| {
        format!("<{}{}?per_page={size}&cursor={}>; rel=\"next\"", state.urls.rest, call.path, next.id)
    });
    let rendered = page.into_iter().map(|row| {
        let installation =
            row.repository_id.and_then(|id| state.repository(id)).and_then(|found| found.installation);
        shapes::hook::delivery(row, installation, duration(row)).into()
    });
    Answer::ok(crate::json::Json::array(rendered)).with_link(link)
}

fn duration(row: &Delivery) -> Duration {
    row.sent
        .zip(row.answered)
        .map(|(sent, answered)| answered.saturating_duration_since(sent))
        .unwrap_or_default()
}
