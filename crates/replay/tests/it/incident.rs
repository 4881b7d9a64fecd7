//! A run that went wrong: an answer that was lost, a request that had to be sent again, a failure, and its re-run.

use crate::world::{ACME, OTHER, World, graph};
use stackwave_domain::{
    Subject,
    event::{
        DispatchAccepted, DispatchFound, DispatchOutcomeUnknown, DispatchResending, FoundBy, SearchEvidence,
    },
    workflow::{Conclusion, RunStatus},
};
use stackwave_replay::{read, write};

/// What people export and look at elsewhere.
pub(crate) async fn incident() -> World {
    let mut world = World::new().await;
    world.stows = true;
    world.register_key("5f16e6a0c0ffee").await;
    // A first run, so that there is a past.
    world.pull(ACME, 7, "opened", "aaaaaaa").await;
    world.upload(ACME, "aaaaaaa", graph("vpc > eks > app; rds > app; dns")).await;
    world.dispatch().await;
    for (stack, seconds) in [("vpc", 240), ("rds", 300), ("dns", 20), ("eks", 600), ("app", 120)] {
        world.run_for(stack, seconds, Conclusion::Success).await;
    }
    world.comment(7).await;
    world.pull(OTHER, 1, "opened", "fffffff").await;
    // The second one goes wrong.
    world.pass(3_600);
    world.pull(ACME, 7, "synchronize", "bbbbbbb").await;
    world.upload(ACME, "bbbbbbb", graph("vpc > eks > app; rds > app; dns; cache > app")).await;
    world.comment(7).await;
    let claims = world.claim().await;
    for claimed in &claims {
        match claimed.key.component.as_str() {
            "vpc" => lose_answer(&mut world, claimed).await,
            "rds" => send_again(&mut world, claimed).await,
            _ => drop(world.accept(claimed).await),
        }
    }
    world.run_for("vpc", 260, Conclusion::Success).await;
    world.pull(OTHER, 1, "synchronize", "ccccccc").await;
    world.run_for("rds", 500, Conclusion::Failure).await;
    world.run_for("eks", 610, Conclusion::Success).await;
    world.run_for("dns", 20, Conclusion::Success).await;
    world.run_for("cache", 20, Conclusion::Success).await;
    world.comment(7).await;
    world.rerun("rds").await;
    world.run_for("rds", 280, Conclusion::Success).await;
    world.comment(7).await;
    world
}

/// GitHub took it, and nobody heard; its webhook tells.
async fn lose_answer(world: &mut World, claimed: &stackwave_domain::event::DispatchClaimed) {
    let dispatch = claimed.dispatch.clone();
    let error = "connection reset by peer".to_owned();
    world.result(DispatchOutcomeUnknown { dispatch: dispatch.clone(), epoch: 1, error }).await;
    let run = stackwave_domain::WorkflowRunId(9_500);
    world.workflow_run(claimed, run, 1, RunStatus::Queued, None).await;
    let by = FoundBy::DispatchIdInTitle;
    world.result(DispatchFound { dispatch, epoch: 1, workflow_run: Some(run), by }).await;
}

/// The request never came to GitHub: searched for, and sent again.
async fn send_again(world: &mut World, claimed: &stackwave_domain::event::DispatchClaimed) {
    let dispatch = claimed.dispatch.clone();
    let error = "timed out".to_owned();
    world.result(DispatchOutcomeUnknown { dispatch: dispatch.clone(), epoch: 1, error }).await;
    world.pass(70);
    let evidence = SearchEvidence { listings: 13, runs_seen: 4, searched_ms: 60_500 };
    let resending =
        DispatchResending { dispatch: dispatch.clone(), epoch: 2, claimant: "p1".into(), evidence };
    let ledger = Subject::ledger(crate::world::STREAM, ACME);
    world.claimed_from(ledger, resending).await;
    let run = stackwave_domain::WorkflowRunId(9_600);
    let accepted = DispatchAccepted { dispatch, epoch: 2, workflow_run: Some(run), html_url: None };
    world.result(accepted).await;
    world.workflow_run(claimed, run, 1, RunStatus::Queued, None).await;
}

/// The file that others read: it holds what this version writes, byte for byte.
#[tokio::test]
async fn the_committed_export_is_what_this_version_writes() {
    let recording = incident().await.recording().await;
    let mut bytes = Vec::new();
    write(&recording, &mut bytes, false).unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/incident.jsonl");
    if std::env::var_os("UPDATE_EXPORT").is_some() {
        std::fs::write(path, &bytes).unwrap();
    }
    let committed = std::fs::read(path).unwrap();
    assert_eq!(read(committed.as_slice()).unwrap(), recording, "run with UPDATE_EXPORT=1");
    assert!(committed == bytes, "the bytes differ: run with UPDATE_EXPORT=1");
}
