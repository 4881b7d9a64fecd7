//! Why did this stack (not) go? Sentences down to the root, with the records that prove them.

use crate::world::{
    World,
    github::{Reply, later},
    graph::{Graph, key},
};
use stackwave_domain::{Event, Position, event::RefusalReason, workflow::RunStatus};
use stackwave_engine::{
    explain::{Cause, Evidence, Kind, StepKind, Verdict, explain, explain_dispatch, explain_run},
    view::Status,
};

fn told(world: &World, activity: &str, stack: &str) -> Vec<String> {
    let run = world.run(activity);
    texts(&explain(world.repository(), run, run.find(&key(stack)).unwrap(), world.now))
}

fn texts(causes: &[Cause]) -> Vec<String> {
    causes.iter().map(|cause| cause.text.clone()).collect()
}

fn of(graph: &str) -> World {
    let mut world = World::new();
    world.open_pull(7, "aaa");
    world.upload("aaa", &Graph::of(graph));
    world
}

#[test]
fn a_waiting_stack_tells_what_it_waits_for_down_to_what_runs() {
    let mut world = of("vpc > cluster > api");
    world.finish("vpc");
    world.start("cluster");
    world.now = later(world.now, 250);
    assert_eq!(
        told(&world, "opened", "api"),
        ["api/dev waits for cluster/dev, running 4 min", "cluster/dev runs in workflow run 9001, 4 min"]
    );
    let run = world.run("opened");
    let causes = explain(world.repository(), run, run.find(&key("api")).unwrap(), world.now);
    let proof = causes[1].position.unwrap();
    // The first sentence is proven by how its parent stands, and by the graph of the run.
    assert_eq!(causes[0].proof, [proof, run.opened.1]);
    assert_eq!(
        (causes[0].kind, causes[1].kind),
        (Kind::Stack(Status::Waiting), Kind::Stack(Status::Running))
    );
    assert_eq!(causes[1].stack, Some(key("cluster")));
    let record = &world.log[usize::try_from(proof.0).unwrap() - 1].record;
    assert!(
        matches!(&record.events[0], Event::WorkflowRunObserved(run) if run.status == RunStatus::InProgress)
    );
}

#[test]
fn a_blocked_stack_tells_which_failure_blocks_it() {
    let mut world = of("rds > proxy > app; dns > app");
    world.fail("rds");
    assert_eq!(
        told(&world, "opened", "app"),
        [
            "app/dev is blocked: rds/dev failed in workflow run 9001",
            "proxy/dev is blocked: rds/dev failed in workflow run 9001",
            "rds/dev failed in workflow run 9001",
        ]
    );
    world.rerun("rds");
    world.fail("rds");
    assert_eq!(told(&world, "opened", "rds"), ["rds/dev failed in attempt 2 of workflow run 9001"]);
}

#[test]
fn a_chain_leads_through_skipped_stacks() {
    let mut world = World::new();
    world.open_pull(7, "aaa");
    world.upload("aaa", &Graph::of("vpc > postgres > web").without_settings("postgres"));
    assert_eq!(
        told(&world, "opened", "web"),
        [
            "web/dev waits for vpc/dev, queued 0 s",
            "postgres/dev is skipped: no `settings.pro` in the upload",
            "vpc/dev is queued in workflow run 9000, 0 s",
        ]
    );
    world.finish_all();
    assert_eq!(told(&world, "opened", "web"), ["web/dev succeeded in workflow run 9001"]);
}

#[test]
fn a_held_stack_names_the_run_that_holds_it() {
    let mut world = World::new();
    for (number, head) in [(7, "aaa"), (8, "bbb")] {
        world.open_pull(number, head);
        world.merge(number);
        world.upload(head, &Graph::of("vpc"));
    }
    let holder = world.repository().runs.values().find(|run| run.pull_request.unwrap().0 == 7).unwrap();
    assert_eq!(
        told(&world, "merged", "vpc"),
        [format!("vpc/dev is held: the run {} has this stack in flight", holder.id)]
    );
}

#[test]
fn a_refused_stack_tells_what_to_change_and_a_stopped_one_why() {
    let mut world = World::new();
    world.github.replies.insert("vpc".to_owned(), [Reply::Refuse(RefusalReason::RefNotFound)].into());
    world.open_pull(7, "aaa");
    world.upload("aaa", &Graph::of("vpc > app; dns > mail"));
    assert!(told(&world, "opened", "vpc")[0].starts_with("vpc/dev was refused: GitHub answered 422"));
    assert_eq!(told(&world, "opened", "app")[0], "app/dev is blocked: vpc/dev could not be dispatched");
    world.push(7, "bbb");
    assert_eq!(told(&world, "opened", "mail"), ["mail/dev does not go: superseded by the push of bbb"]);
}

#[test]
fn a_run_tells_how_it_began_and_what_keeps_it_from_its_end() {
    let mut world = of("vpc > cluster > app; rds > app; dns");
    world.finish("dns");
    world.fail("rds");
    world.start("vpc");
    let run = world.run("opened");
    assert_eq!(
        texts(&explain_run(world.repository(), run, world.now)),
        [
            format!("the run {} was opened for pull_request.opened at aaa", run.id),
            "rds/dev failed in workflow run 9001".to_owned(),
            "vpc/dev runs in workflow run 9002, 0 s".to_owned(),
        ]
    );
    world.close(7);
    let causes = explain_run(world.repository(), world.run("opened"), world.now);
    assert_eq!(causes[1].text, "it stopped: the pull request was closed without a merge");
    let closed = world.log.iter().rfind(|entry| entry.record.events[0].name() == "run_closed").unwrap();
    assert_eq!(causes[1].position, Some(closed.position));
}

#[test]
fn each_stack_that_one_waits_for_is_told_apart() {
    let mut world = of("vpc > app; dns > app");
    world.start("dns");
    let told = told(&world, "opened", "app");
    assert!(told[0].starts_with("app/dev waits for "), "{told:?}");
    assert!(told[0].contains(", and for "), "{told:?}");
}

#[test]
fn what_is_blocked_from_afar_is_proven_by_the_failure_first() {
    let mut world = of("vpc > eks > app > web");
    world.fail("vpc");
    let run = world.run("opened");
    let causes = explain(world.repository(), run, run.find(&key("web")).unwrap(), world.now);
    let failed = causes.last().unwrap().position;
    assert!(failed.is_some() && causes.len() == 4, "{causes:?}");
    for cause in &causes {
        assert_eq!(cause.position, failed, "{cause}");
    }
    assert!(causes[0].proof.contains(&run.opened.1), "{:?}", causes[0]);
}

#[test]
fn a_release_says_whether_there_were_parents() {
    let mut world = of("vpc > app");
    world.finish("vpc");
    assert!(evidence(&world, "vpc").steps[0].text.starts_with("it depends on nothing"));
    assert!(evidence(&world, "app").steps[0].text.starts_with("its parents had succeeded"));
}

#[test]
fn every_position_is_one_of_the_log() {
    let mut world = of("a > b > c > d; x > y");
    world.finish("a");
    world.fail("x");
    world.start("b");
    let run = world.run("opened");
    for stack in 0..run.stacks.len() {
        let causes = explain(world.repository(), run, stack, world.now);
        assert!(!causes.is_empty());
        for cause in causes {
            let last = Position(world.log.len() as u64);
            assert!(cause.position.is_none_or(|at| at > Position::START && at <= last), "{cause}");
        }
    }
    assert!(explain(world.repository(), run, 99, world.now).is_empty());
}

fn evidence(world: &World, stack: &str) -> Evidence {
    let run = world.run("opened");
    let call = &run.stacks[run.find(&key(stack)).unwrap()].calls[0];
    explain_dispatch(world.repository(), &world.repository().dispatches[&call.dispatch])
}

fn kinds(evidence: &Evidence) -> Vec<StepKind> {
    evidence.steps.iter().map(|step| step.kind).collect()
}

#[test]
fn a_dispatch_shows_claim_answer_run_and_first_webhook_in_the_order_of_the_log() {
    let mut world = of("vpc > app");
    world.finish("vpc");
    let evidence = evidence(&world, "vpc");
    assert_eq!(
        kinds(&evidence),
        [
            StepKind::Released,
            StepKind::Claimed,
            StepKind::Answered,
            StepKind::Acknowledged,
            StepKind::WorkflowRun,
            StepKind::FirstWebhook,
            StepKind::Others
        ]
    );
    assert_eq!((evidence.verdict, evidence.workflow_run), (Verdict::Once, Some(world.workflow_run("vpc"))));
    let name =
        |position: Position| world.log[usize::try_from(position.0).unwrap() - 1].record.events[0].name();
    let proven: Vec<&str> = evidence.steps.iter().filter_map(|step| step.position).map(name).collect();
    assert_eq!(
        proven,
        [
            "stack_released",
            "dispatch_claimed",
            "dispatch_accepted",
            "workflow_run_observed",
            "workflow_run_observed"
        ]
    );
    assert!(evidence.to_string().ends_with("→ it happened once"), "{evidence}");
}

#[test]
fn a_resend_shows_how_github_was_searched_before() {
    let mut world = World::new();
    world.github.replies.insert("vpc".to_owned(), [Reply::LoseRequest].into());
    world.open_pull(7, "aaa");
    world.upload("aaa", &Graph::of("vpc"));
    world.finish_all();
    let evidence = evidence(&world, "vpc");
    let resent = evidence.steps.iter().find(|step| step.kind == StepKind::Resent).unwrap();
    assert!(resent.text.contains("epoch 2, after ") && resent.text.contains("listings"), "{resent}");
    assert_eq!(evidence.verdict, Verdict::Once);
}

#[test]
fn a_refused_dispatch_and_one_that_somebody_doubled_say_so() {
    let mut world = World::new();
    world.github.replies.insert("dns".to_owned(), [Reply::Refuse(RefusalReason::RefNotFound)].into());
    world.open_pull(7, "aaa");
    world.upload("aaa", &Graph::of("vpc; dns"));
    assert_eq!(evidence(&world, "dns").verdict, Verdict::Refused);
    let copied = world.github.runs[&world.workflow_run("vpc")].title.clone();
    world.somebody_starts_titled("stackwave[bot]", &copied);
    let evidence = evidence(&world, "vpc");
    assert_eq!((evidence.verdict, evidence.others.len()), (Verdict::Doubled, 1));
}

#[test]
fn a_retry_names_who_asked_for_it_and_its_record_proves_it() {
    let mut world = of("vpc > app");
    world.fail("vpc");
    let command = world.retry("opened", "vpc");
    let run = world.run("opened");
    let causes = explain(world.repository(), run, run.find(&key("vpc")).unwrap(), world.now);
    assert!(
        causes[0].text.ends_with("attempt 2, asked for by alice")
            && causes[0].text.starts_with("vpc/dev is queued"),
        "{}",
        causes[0].text
    );
    let asked = world.repository().command(&command).unwrap().at.1;
    assert!(causes[0].proof.contains(&asked), "{:?}", causes[0].proof);
    world.finish("vpc");
    assert_eq!(
        told(&world, "opened", "vpc"),
        ["vpc/dev succeeded in workflow run 9001 (attempt 2, asked for by alice)"]
    );
    let causes = explain_run(world.repository(), world.run("opened"), world.now);
    let told = causes.iter().find(|cause| cause.kind == Kind::Command).unwrap();
    assert_eq!(told.text, "alice asked to retry vpc/dev; done");
}

#[test]
fn a_cancellation_names_who_asked_for_it() {
    let mut world = of("vpc > app > db");
    world.cancel_by_hand("opened", "app", false);
    assert_eq!(told(&world, "opened", "app"), ["app/dev was cancelled by alice"]);
    assert_eq!(
        told(&world, "opened", "db"),
        ["db/dev is blocked: app/dev was cancelled by alice", "app/dev was cancelled by alice"]
    );
    world.cancel_by_hand("opened", "vpc", false);
    assert_eq!(told(&world, "opened", "vpc"), ["vpc/dev was cancelled by alice in workflow run 9000"]);
    let dispatch = world.repository().dispatches.values().next().unwrap();
    let evidence = explain_dispatch(world.repository(), dispatch);
    let cancelled = evidence.steps.iter().find(|step| step.kind == StepKind::Cancelled).unwrap();
    assert_eq!(cancelled.text, "GitHub was asked to cancel the workflow run, for alice; it agreed");
    world.cancel_by_hand("opened", "", false);
    let causes = texts(&explain_run(world.repository(), world.run("opened"), world.now));
    assert!(causes.contains(&"it stopped: cancelled by alice".to_owned()), "{causes:?}");
    assert!(causes.contains(&"alice asked to cancel the run; done".to_owned()), "{causes:?}");
}
