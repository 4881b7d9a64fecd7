//! What the orchestrator decided.

use super::stored;
use crate::output::counted;
use stackwave_domain::{
    RunPlan,
    event::{RunEnded, RunOpened, RunOutcome, RunSuperseded, StackReleased, StackSkipped, Successor},
    plan::Verdict,
};

pub(super) fn run_opened(run: &RunOpened) -> String {
    let pull = run.pull_request.map(|number| format!(" of #{number}")).unwrap_or_default();
    let inferred = if run.inferred { ", inferred" } else { "" };
    let generation =
        if run.generation > 1 { format!(", generation {}", run.generation) } else { String::new() };
    let plan = stored(&run.plan, |plan: &RunPlan| {
        let dispatched =
            plan.stacks.iter().filter(|stack| matches!(stack.verdict, Verdict::Dispatch(_))).count();
        format!("{} of which {dispatched} run", counted(plan.stacks.len(), "stack"))
    });
    format!(
        "{} for {}{pull}{inferred}{generation} at {} on {}, {plan}",
        run.run,
        run.trigger,
        run.sha.short(),
        run.git_ref
    )
}

pub(super) fn stack_released(released: &StackReleased) -> String {
    let attempt =
        if released.attempt > 1 { format!(", attempt {}", released.attempt) } else { String::new() };
    format!("{} in {}{attempt}", released.key, released.run)
}

pub(super) fn stack_skipped(skipped: &StackSkipped) -> String {
    format!("{} in {}: {}", skipped.key, skipped.run, skipped.reason)
}

pub(super) fn run_superseded(superseded: &RunSuperseded) -> String {
    let by = match &superseded.by {
        Successor::Push { head_sha } => format!("the push of {}", head_sha.short()),
        Successor::Merge => "the merge".to_owned(),
        Successor::Activity { activity } => format!("`{activity}`"),
    };
    format!("{} by {by}", superseded.run)
}

pub(super) fn run_ended(ended: &RunEnded) -> String {
    let how = match ended.outcome {
        RunOutcome::Succeeded => "succeeded",
        RunOutcome::NothingAffected => "nothing is affected",
        RunOutcome::Expired => "failed, and was not revived within 30 days",
    };
    format!("{}: {how}", ended.run)
}
