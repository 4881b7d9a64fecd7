//! A checkpoint replaces the records before it for ever: every version reads what an earlier one wrote.

use crate::world::{REPOSITORY, World, graph::Graph};
use stackwave_domain::{
    Entry, PrNumber, Record, RecordId, StreamId, Subject, WorkspaceId,
    event::{CommentClaimed, CommentPosted, Source, WorkflowRunObserved},
    workflow::{Conclusion, RunStatus},
};
use stackwave_engine::{SNAPSHOT_VERSION, State, state::RepositoryState};
use std::{fs, path::PathBuf};

/// A state that has something of everything. What format 1 wrote of it is committed.
fn world() -> World {
    let mut world = World::new();
    world.open_pull(7, "aaaaaaaaaaaa");
    world.upload("aaaaaaaaaaaa", &Graph::of("vpc > app"));
    world.finish("vpc");
    world.fail("app");
    let subject =
        Subject::comment(StreamId::Partition(0), REPOSITORY, &WorkspaceId::default_workspace(), PrNumber(7));
    let (number, claimant) = (PrNumber(7), "process-1".into());
    world.append_as(subject.clone(), vec![CommentClaimed { number, claimant }.into()]);
    let posted = CommentPosted {
        number,
        comment: stackwave_domain::CommentId(99),
        digest: stackwave_domain::Digest::of(b"what it says"),
        found: false,
    };
    world.append_as(subject, vec![posted.into()]);
    world.open_pull(8, "bbbbbbbbbbbb");
    world.upload("bbbbbbbbbbbb", &Graph::of("dns > cdn"));
    world.finish_all();
    world.merge(8);
    world.upload("bbbbbbbbbbbb", &Graph::of("dns > cdn"));
    world.finish("dns");
    world.rerun("app");
    world.start("app");
    world.merge_group("cccccccccccc", 7, "checks_requested");
    world.release(1, "dddddddddddd", &["published"]);
    world.upload("eeeeeeeeeeee", &Graph::of("parked"));
    world.chunk("ffffffffffff", "batch-1", 0, 2, &Graph::of("half"));
    world
}

fn sample() -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples/checkpoint.f1.state");
    if std::env::var_os("WRITE_SAMPLES").is_some() && !path.exists() {
        fs::write(&path, world().state.to_snapshot().unwrap()).unwrap();
    }
    fs::read(&path).unwrap()
}

/// What must be known of a repository whatever version reads it.
fn facts(repository: &RepositoryState) -> Vec<String> {
    let mut facts = Vec::new();
    for run in repository.runs.values() {
        let stacks: Vec<String> = (0..run.stacks.len())
            .map(|index| {
                let calls: Vec<String> = run.stacks[index]
                    .calls
                    .iter()
                    .map(|call| format!("{} {:?}", call.dispatch, call.stage))
                    .collect();
                format!("{} [{}]", run.key(index), calls.join(", "))
            })
            .collect();
        facts.push(format!("{} is active: {}; {}", run.id, run.is_active(), stacks.join("; ")));
    }
    facts.extend(repository.pulls.values().map(|pull| {
        format!(
            "#{} open: {}, merged: {}, head {}",
            pull.number,
            pull.open,
            pull.merged.is_some(),
            pull.head_sha
        )
    }));
    facts.extend(
        repository.comments.iter().map(|((_, number), it)| format!("comment {:?} on #{number}", it.id)),
    );
    facts.extend(repository.in_flight().map(|it| format!("{} is in flight", it.claimed.dispatch)));
    facts.extend(repository.workflow_runs.values().map(|run| format!("{} attempt {}", run.id, run.attempt)));
    facts.extend(
        repository.batches.values().map(|batch| format!("{} of {}", batch.chunks.len(), batch.total)),
    );
    facts.extend(repository.uploads.values().map(|it| format!("{} used: {}", it.head_sha, it.used)));
    facts.extend(repository.merge_groups.keys().map(|sha| format!("merge group {sha}")));
    facts.extend(repository.releases.keys().map(|release| format!("release {release}")));
    facts.push(format!("ledger at {}, ours is {:?}", repository.ledger, repository.our_actor));
    facts
}

#[test]
fn what_format_1_wrote_is_read_for_ever() {
    let state = State::from_checkpoint(&sample()).unwrap();
    let repository = state.repository(REPOSITORY).unwrap();
    assert_eq!(repository.check(), Ok(()));
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples/checkpoint.f1.txt");
    let known = facts(repository).join("\n") + "\n";
    if std::env::var_os("WRITE_SAMPLES").is_some() && !path.exists() {
        fs::write(&path, &known).unwrap();
    }
    assert_eq!(known, fs::read_to_string(&path).unwrap());
}

#[test]
fn what_format_1_wrote_goes_on() {
    let mut state = State::from_checkpoint(&sample()).unwrap();
    let repository = state.repository(REPOSITORY).unwrap();
    let active = |state: &State| {
        let runs = state.repository(REPOSITORY).unwrap().active_runs().into_iter();
        runs.filter(|run| run.pull_request == Some(PrNumber(7)) && !run.is_done()).count()
    };
    let before = active(&state);
    let flying = repository.in_flight().find(|it| it.claimed.key.component.as_str() == "app").unwrap();
    let run = &repository.workflow_runs[&flying.workflow_run.unwrap()];
    let observed = WorkflowRunObserved {
        source: Source::Webhook { delivery: "later".into() },
        run: run.id,
        attempt: run.attempt,
        workflow: run.workflow.clone(),
        title: run.title.clone(),
        event: "workflow_dispatch".to_owned(),
        status: RunStatus::Completed,
        conclusion: Some(Conclusion::Success),
        head_branch: run.head_branch.clone(),
        head_sha: "base".into(),
        actor: run.actor.clone(),
        created_at: run.created_at,
        updated_at: repository.last_at,
        html_url: run.html_url.clone(),
    };
    let (at, position) = (repository.last_at, state.position().next());
    let subject = Subject::github(StreamId::Partition(0), REPOSITORY, "workflow_run");
    let record = Record::new(RecordId::new("later"), at, "test", vec![observed.into()]);
    state.apply(&Entry { position, subject, record });
    assert_eq!(state.repository(REPOSITORY).unwrap().check(), Ok(()));
    assert_eq!(active(&state), before - 1, "the re-run that succeeded ends its run's work");
}

#[test]
fn whoever_changes_the_fold_raises_its_version() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples/fold.txt");
    let digest = stackwave_domain::Digest::of(&world().state.to_snapshot().unwrap());
    let now = format!("{SNAPSHOT_VERSION} {digest}\n");
    let known = fs::read_to_string(&path).unwrap_or_default();
    let is_raised = !known.starts_with(&format!("{SNAPSHOT_VERSION} "));
    if is_raised && std::env::var_os("WRITE_SAMPLES").is_some() {
        fs::write(&path, &now).unwrap();
        return;
    }
    assert!(
        now == known,
        "the same records give another state than before, or it is written in another way: raise `FOLD_VERSION` in \
         crates/engine/src/lib.rs, so that nobody goes on from an old snapshot, then run this test with WRITE_SAMPLES=1"
    );
}

#[test]
fn a_checkpoint_is_not_taken_for_news() {
    let world = world();
    let mut state = world.state.clone();
    let stream = StreamId::Partition(0);
    let position = state.position().next();
    let checkpoint = stackwave_domain::event::CheckpointWritten {
        at: state.position(),
        format: stackwave_engine::state::FORMAT,
        engine: 1,
        state: stackwave_domain::digest::BlobRef { digest: stackwave_domain::Digest::of(b""), bytes: 0 },
    };
    let record = Record::new(RecordId::new("c"), world.now, "log checkpoint", vec![checkpoint.into()]);
    let classes = state.apply(&Entry { position, subject: Subject::checkpoint(stream).unwrap(), record });
    assert_eq!(classes, [stackwave_engine::state::Class::Known]);
    assert_eq!(state.position(), position);
    assert_eq!(state.repository(REPOSITORY), world.state.repository(REPOSITORY));
}
