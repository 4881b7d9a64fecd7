//! Claims and results of dispatches.

use super::super::index::Links;
use stackwave_domain::{
    DispatchId,
    event::{
        DispatchAccepted, DispatchClaimed, DispatchDelayed, DispatchFound, DispatchOutcomeUnknown,
        DispatchRefused, DispatchResending, DispatchTakenOver, DispatchUndecidable, FoundBy,
    },
};

/// What a dispatch is for, with its id.
pub(super) fn name(links: &Links, dispatch: &DispatchId) -> String {
    match links.sent(dispatch) {
        Some(sent) => format!("{} by {} in {} ({dispatch})", sent.key, sent.workflow, sent.run),
        None => dispatch.to_string(),
    }
}

pub(super) fn claimed(claimed: &DispatchClaimed) -> String {
    format!(
        "{} by {} on {} in {} ({}), process {}",
        claimed.key, claimed.workflow, claimed.git_ref, claimed.run, claimed.dispatch, claimed.claimant
    )
}

pub(super) fn taken_over(links: &Links, taken: &DispatchTakenOver) -> String {
    format!("{}, epoch {}, by process {}", name(links, &taken.dispatch), taken.epoch, taken.claimant)
}

pub(super) fn resending(links: &Links, resending: &DispatchResending) -> String {
    let evidence = &resending.evidence;
    format!(
        "{}, epoch {}: not found in {} listings over {} ms, the last with {} runs",
        name(links, &resending.dispatch),
        resending.epoch,
        evidence.listings,
        evidence.searched_ms,
        evidence.runs_seen
    )
}

pub(super) fn accepted(links: &Links, accepted: &DispatchAccepted) -> String {
    let run = match accepted.workflow_run {
        Some(run) => format!("workflow run {run}"),
        None => "workflow run not told".to_owned(),
    };
    format!("{}: {run}", name(links, &accepted.dispatch))
}

pub(super) fn refused(links: &Links, refused: &DispatchRefused) -> String {
    format!(
        "{}: {} ({}), {}",
        name(links, &refused.dispatch),
        refused.reason.code(),
        refused.status,
        refused.message
    )
}

pub(super) fn delayed(links: &Links, delayed: &DispatchDelayed) -> String {
    format!("{} until {}: {}", name(links, &delayed.dispatch), delayed.until, delayed.reason)
}

pub(super) fn outcome_unknown(links: &Links, unknown: &DispatchOutcomeUnknown) -> String {
    format!("{}: {}", name(links, &unknown.dispatch), unknown.error)
}

pub(super) fn found(links: &Links, found: &DispatchFound) -> String {
    let by = match found.by {
        FoundBy::DispatchIdInTitle => "the dispatch id in its title",
        FoundBy::ExactTitle => "its exact title",
        FoundBy::OnlyCandidate => "being the only candidate",
        FoundBy::DispatchWebhook => "the webhook of the dispatch",
        FoundBy::Person => "what somebody said",
    };
    let run = found.workflow_run.map(|run| format!("workflow run {run}, ")).unwrap_or_default();
    format!("{}: {run}by {by}", name(links, &found.dispatch))
}

pub(super) fn undecidable(links: &Links, undecidable: &DispatchUndecidable) -> String {
    let candidates: Vec<String> = undecidable.candidates.iter().map(ToString::to_string).collect();
    format!(
        "{}: {}; candidates {}",
        name(links, &undecidable.dispatch),
        undecidable.reason,
        if candidates.is_empty() { "none".to_owned() } else { candidates.join(", ") }
    )
}
