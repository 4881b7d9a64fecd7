//! What must be true of every world at its end, told from what GitHub saw and from what the log says.

use crate::journal::{Journal, Replica};
use jiff::Timestamp;
use stackwave_domain::{PrNumber, RepositoryId, WorkflowRunId, plan::Verdict};
use stackwave_engine::state::{RepositoryState, Run};
use stackwave_github_sim::{Dispatch, Endpoint, GitHub, Reply, Repo, RunId, Sha, State};
use stackwave_testkit::stacks::{Graph, StackId};
use std::collections::{BTreeMap, BTreeSet};

/// Checks everything. `refusals`: GitHub may have refused requests.
pub(crate) fn check(
    github: &GitHub,
    repo: &Repo,
    journal: &Journal,
    graphs: &BTreeMap<Sha, Graph>,
    secrets: &[&str],
    refusals: bool,
) {
    journal.read(|replica| {
        the_log_makes_sense(replica);
        no_secret_is_in_the_log(github, replica, secrets);
        if let Some(state) = replica.state.repository(RepositoryId(repo.id())) {
            every_claim_ended(state);
            nothing_ran_twice(github, state);
            parents_came_first(github, state, graphs);
            one_comment_a_pull_request(github, repo, state);
        } else {
            assert!(github.dispatches().is_empty(), "dispatched without a word in the log");
        }
    });
    requests_were_right(github, refusals);
}

fn the_log_makes_sense(replica: &Replica) {
    assert!(replica.impossible.is_empty(), "impossible records: {:#?}", replica.impossible);
    for repository in replica.state.repositories() {
        assert!(repository.violations.is_empty(), "violations: {:#?}", repository.violations);
        assert_eq!(repository.halted, None);
    }
}

fn no_secret_is_in_the_log(github: &GitHub, replica: &Replica, secrets: &[&str]) {
    let tokens: Vec<String> = github.read(|state| state.issued_tokens().map(str::to_owned).collect());
    for entry in replica.entries.iter().chain(&replica.config) {
        let text = serde_json::to_string(&entry.record).unwrap_or_default();
        let secret =
            secrets.iter().copied().chain(tokens.iter().map(String::as_str)).any(|s| text.contains(s));
        assert!(!secret, "a secret is in the log, at {} of {}", entry.position, entry.subject);
    }
}

fn every_claim_ended(state: &RepositoryState) {
    let open: Vec<String> =
        state.open_claims().map(|dispatch| dispatch.claimed.dispatch.to_string()).collect();
    assert!(open.is_empty(), "claims without an end: {open:?}");
}

/// No stack was dispatched twice for one attempt in one run, and no request was made without a claim.
fn nothing_ran_twice(github: &GitHub, state: &RepositoryState) {
    let mut seen: BTreeMap<(String, StackId, String, u32), u64> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for dispatch in github.dispatches() {
        let id = dispatch.input("atmos_pro_run_id");
        assert!(id.is_empty() || ids.insert(id.to_owned()), "the dispatch {id} was accepted twice");
        let claim = claim_of(state, &dispatch);
        let key = (
            claim.claimed.run.to_string(),
            stack_of(&dispatch),
            dispatch.workflow.clone(),
            claim.claimed.attempt,
        );
        let before = seen.insert(key, dispatch.number);
        assert_eq!(before, None, "{} was dispatched twice in {}", stack_of(&dispatch), claim.claimed.run);
        let claimed = StackId::new(claim.claimed.key.component.as_str(), claim.claimed.key.stack.as_str());
        assert_eq!(stack_of(&dispatch), claimed, "a dispatch with another stack's inputs");
    }
}

fn stack_of(dispatch: &Dispatch) -> StackId {
    StackId::new(dispatch.input("component"), dispatch.input("stack"))
}

fn claim_of<'a>(state: &'a RepositoryState, dispatch: &Dispatch) -> &'a stackwave_engine::state::Dispatch {
    let run = dispatch.run_id().map(WorkflowRunId);
    let by_id = state.dispatches.get(&dispatch.input("atmos_pro_run_id").into());
    let claim = by_id.or_else(|| state.owner_of(run?));
    claim.unwrap_or_else(|| panic!("GitHub accepted a dispatch that nobody claimed: {dispatch:?}"))
}

/// Everything that a stack waits for had succeeded at GitHub before its dispatch arrived there.
fn parents_came_first(github: &GitHub, state: &RepositoryState, graphs: &BTreeMap<Sha, Graph>) {
    let succeeded = github.read(successes);
    let accepted = github.dispatches();
    for dispatch in &accepted {
        let run = &state.runs[&claim_of(state, dispatch).claimed.run];
        let Some(graph) = graph_of(graphs, run) else {
            panic!("{} was dispatched in {}, and nothing was uploaded for it", stack_of(dispatch), run.id);
        };
        for ancestor in graph.ancestors(&stack_of(dispatch)) {
            if !runs(run, &ancestor) {
                continue;
            }
            let before = accepted.iter().any(|other| {
                let same = claim_of(state, other).claimed.run == run.id && stack_of(other) == ancestor;
                let done = other.run_id().and_then(|id| succeeded.get(&id));
                same && done.is_some_and(|times| times.iter().any(|at| *at <= dispatch.at))
            });
            assert!(before, "{} went before {ancestor} in {}", stack_of(dispatch), run.id);
        }
    }
}

/// Whether a run was to dispatch this stack: others let order pass through.
fn runs(run: &Run, stack: &StackId) -> bool {
    run.plan.stacks.iter().any(|planned| {
        planned.key.component.as_str() == stack.component
            && planned.key.stack.as_str() == stack.stack
            && matches!(planned.verdict, Verdict::Dispatch(_))
    })
}

fn graph_of(graphs: &BTreeMap<Sha, Graph>, run: &Run) -> Option<Graph> {
    let mut found: Option<Graph> = None;
    for sha in [run.head_sha.as_str(), run.sha.as_str()] {
        if let Some(graph) = graphs.get(sha) {
            found.get_or_insert_default().unite(graph);
        }
    }
    found
}

/// When each workflow run succeeded, an attempt each, told by the webhooks that GitHub made, delivered or not.
fn successes(state: &State) -> BTreeMap<RunId, Vec<Timestamp>> {
    let mut successes: BTreeMap<RunId, Vec<Timestamp>> = BTreeMap::new();
    for delivery in state.deliveries().iter().filter(|delivery| delivery.kind() == "workflow_run.completed") {
        let payload = delivery.json();
        let run = &payload["workflow_run"];
        if let (Some("success"), Some(id)) = (run["conclusion"].as_str(), run["id"].as_u64()) {
            successes.entry(id).or_default().push(delivery.at);
        }
    }
    successes
}

fn one_comment_a_pull_request(github: &GitHub, repo: &Repo, state: &RepositoryState) {
    let pulls: BTreeSet<u64> =
        state.runs.values().filter_map(|run| run.pull_request).map(|PrNumber(number)| number).collect();
    for number in pulls {
        let ours = github
            .read(|state| state.comments(repo.id(), number).filter(|comment| comment.by_our_app).count());
        assert_eq!(ours, 1, "#{number} has {ours} comments of ours");
    }
}

/// Every request was one that GitHub knows, with the API version and a name, and none was refused unless it was to be.
fn requests_were_right(github: &GitHub, refusals: bool) {
    for request in github.requests() {
        assert_ne!(
            request.endpoint,
            Endpoint::Other,
            "an unknown endpoint: {} {}",
            request.method,
            request.path
        );
        assert_eq!(request.api_version.as_deref(), Some("2022-11-28"), "{} {}", request.method, request.path);
        assert!(request.user_agent.is_some(), "{} {} without a name", request.method, request.path);
        // A workflow run may end by itself while it is being cancelled.
        let too_late = request.endpoint == Endpoint::CancelRun && request.reply == Reply::Status(409);
        if let Reply::Status(status @ 400..) = request.reply
            && !too_late
        {
            assert!(refusals, "GitHub answered {status} to {} {}", request.method, request.path);
        }
    }
}
