//! A record of claims against what was due.

use super::{decided::Judgement, line};
use stackwave_domain::{Event, event::DispatchClaimed};
use stackwave_engine::{
    due::{Candidate, due_dispatches, may_claim},
    state::{Dispatch, RepositoryState},
};

pub(super) fn judge(state: &RepositoryState, events: &[Event]) -> Judgement {
    let candidates = due_dispatches(state, usize::MAX);
    let mut earlier: Vec<DispatchClaimed> = Vec::new();
    let mut count = 0;
    for event in events {
        let wrong = match event {
            Event::DispatchClaimed(claimed) => {
                let wrong = claim(state, &candidates, &earlier, claimed);
                earlier.push(claimed.clone());
                wrong
            }
            Event::DispatchTakenOver(taken) => {
                epoch(state.dispatches.get(&taken.dispatch), taken.epoch, "taken over")
            }
            Event::DispatchResending(resending) => {
                epoch(state.dispatches.get(&resending.dispatch), resending.epoch, "sent again")
            }
            // What else the dispatcher announces follows from commands, and is checked by the fold.
            _ => None,
        };
        if let Some(what) = wrong {
            let recomputed = candidates.iter().take(5).map(|it| format!("due: {} ({})", it.key, it.dispatch));
            return Judgement::Differs {
                what,
                recorded: vec![line(event)],
                recomputed: recomputed.collect(),
            };
        }
        count += 1;
    }
    Judgement::Due(count)
}

/// What is wrong with a claim, if anything is.
fn claim(
    state: &RepositoryState,
    candidates: &[Candidate],
    earlier: &[DispatchClaimed],
    claimed: &DispatchClaimed,
) -> Option<String> {
    let key = &claimed.key;
    let Some(due) = candidates.iter().find(|candidate| candidate.dispatch == claimed.dispatch) else {
        return Some(format!("{key} was claimed, and was not due"));
    };
    if earlier.iter().any(|other| other.dispatch == claimed.dispatch) {
        return Some(format!("{key} was claimed twice"));
    }
    let same = due.call.workflow == claimed.workflow
        && due.git_ref == claimed.git_ref
        && due.attempt == claimed.attempt
        && due.run == claimed.run
        && inputs_follow(due, claimed);
    if !same {
        return Some(format!("{key} was claimed for another workflow, ref, attempt or inputs than planned"));
    }
    // Whether the run's title tells which dispatch it is stands in the workflow file, which no log holds. Only where the
    // claim knows the title and the id is not in it, it surely does not.
    let silent = claimed.title.as_ref().is_some_and(|title| !title.contains(claimed.dispatch.as_str()));
    let alone = silent && claimed.title.is_some() && shares_title(earlier, claimed);
    (alone && !may_claim(state, earlier, &claimed.workflow, &claimed.git_ref, false))
        .then(|| format!("{key} was claimed beside another of which nothing would tell it apart"))
}

/// The dispatch's own id, the commit, and the trace, which go with what was planned where a workflow declares them.
const OURS: [&str; 3] = ["atmos_pro_run_id", "sha", "traceparent"];

/// Whether a claim's inputs are the planned ones, and of ours at most those that the plan leaves room for.
fn inputs_follow(due: &Candidate, claimed: &DispatchClaimed) -> bool {
    let [id, sha, trace] = OURS;
    let planned = &due.call.inputs;
    let all_there = planned.iter().all(|(name, value)| name == id || claimed.inputs.get(name) == Some(value));
    all_there
        && claimed.inputs.iter().all(|(name, value)| match planned.get(name) {
            // A plan cannot give a dispatch another id.
            _ if name == id => value == due.dispatch.as_str(),
            Some(planned) => value == planned,
            None if name == sha => value == due.sha.as_str(),
            None => name == trace,
        })
}

fn shares_title(earlier: &[DispatchClaimed], claimed: &DispatchClaimed) -> bool {
    earlier.iter().any(|other| other.title == claimed.title && other.workflow == claimed.workflow)
}

/// What is wrong with a take-over or a resend, if anything is.
fn epoch(dispatch: Option<&Dispatch>, epoch: u32, what: &str) -> Option<String> {
    let Some(dispatch) = dispatch else { return Some(format!("a dispatch without a claim was {what}")) };
    let key = &dispatch.claimed.key;
    if !dispatch.is_open() {
        return Some(format!("{key} was {what} although its claim had ended"));
    }
    (epoch != dispatch.epoch.0 + 1)
        .then(|| format!("{key} was {what} as epoch {epoch}, after epoch {}", dispatch.epoch.0))
}
