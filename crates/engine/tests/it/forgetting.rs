//! What the state forgets, and what it must not.

use crate::world::{World, graph::Graph};
use stackwave_domain::event::{PushObserved, Source};

const DAY: i64 = 24 * 3600;

/// As many records of no interest as it takes until the state is swept.
fn sweep(world: &mut World) {
    world.checked = false;
    for number in 0..4_100 {
        let push = PushObserved {
            source: Source::Webhook { delivery: format!("push-{number}").into() },
            git_ref: "main".into(),
            before: "a".into(),
            after: "b".into(),
        };
        world.deliver("push", push.into());
    }
    assert_eq!(world.repository().check(), Ok(()));
    world.end();
}

#[test]
fn a_run_that_ended_is_forgotten_after_35_days_with_all_that_belongs_to_it() {
    let mut world = World::new();
    world.open_pull(7, "aaa");
    world.upload("aaa", &Graph::of("vpc > app"));
    world.finish_all();
    world.close(7);
    world.pass(34 * DAY);
    sweep(&mut world);
    assert_eq!(world.repository().runs.len(), 1);
    world.pass(2 * DAY);
    sweep(&mut world);
    let repository = world.repository();
    assert!(repository.runs.is_empty() && repository.dispatches.is_empty());
    assert!(repository.workflow_runs.is_empty() && repository.uploads.is_empty());
    assert!(repository.pulls.is_empty());
}

#[test]
fn a_run_that_is_needed_is_kept_however_old() {
    let mut world = World::new();
    world.open_pull(7, "aaa");
    world.upload("aaa", &Graph::of("vpc > app"));
    world.start("vpc");
    world.pass(40 * DAY);
    sweep(&mut world);
    assert_eq!(world.runs(), "opened running");
    world.finish_all();
    world.assert_dispatched("plan:vpc plan:app");
}

#[test]
fn a_workflow_run_that_nobody_owns_is_forgotten_an_hour_after_it_ended() {
    let mut world = World::new();
    world.open_pull(7, "aaa");
    world.upload("aaa", &Graph::of("vpc"));
    let run = world.workflow_run("vpc");
    let mut stranger = world.github.run_observed(run, Source::Webhook { delivery: "x".into() });
    stranger.run = stackwave_domain::WorkflowRunId(1);
    stranger.title = "something else".to_owned();
    stranger.status = stackwave_domain::workflow::RunStatus::Completed;
    stranger.conclusion = Some(stackwave_domain::workflow::Conclusion::Success);
    world.deliver("workflow_run", stranger.into());
    assert_eq!(world.repository().unowned_runs().count(), 1);
    sweep(&mut world);
    assert_eq!(world.repository().unowned_runs().count(), 1);
    world.pass(3_700);
    sweep(&mut world);
    assert_eq!(world.repository().unowned_runs().count(), 0);
    assert_eq!(world.repository().workflow_runs.len(), 1);
}
