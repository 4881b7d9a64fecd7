//! Where an upload and its trigger have met: the runs to open (design §4.1).

use crate::{
    config::Config,
    identity::RunKey,
    planning,
    state::{Activity, Pull, Release, ReleaseActivity, RepositoryState, Upload},
};
use jiff::SignedDuration;
use stackwave_domain::{
    CommitSha, Event, GitRef, PrNumber, RunId, Timestamp,
    digest::Stored,
    event::{RunOpened, Trigger},
};

/// An apply upload may be received this much before GitHub's clock says that the merge happened: the two clocks are
/// not the same.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(5);

fn since(happened: Timestamp) -> Timestamp {
    happened.checked_sub(CLOCKS_DIFFER).unwrap_or(happened)
}

/// Appends a `RunOpened` for each trigger that has its upload and no run.
pub(super) fn open_runs(state: &RepositoryState, config: &Config, due: &mut Vec<Event>) {
    for pull in state.pulls.values() {
        if pull.open {
            open_plan(state, pull, due);
            open_others(state, pull, due);
        } else {
            open_merge(state, pull, due);
        }
    }
    open_merge_groups(state, due);
    open_releases(state, config, due);
}

fn open_plan(state: &RepositoryState, pull: &Pull, due: &mut Vec<Event>) {
    // Another webhook may tell of a new head before its push does; the run is the push's.
    let Some(activity) = pull.activity.as_ref().filter(|activity| activity.head_sha == pull.head_sha) else {
        return;
    };
    let Some(upload) = upload_for_head(state, pull, activity.run.as_ref()) else { return };
    due.push(opening(state, pull, activity, upload));
}

/// Optional activities open a run only where a stack configures them.
fn open_others(state: &RepositoryState, pull: &Pull, due: &mut Vec<Event>) {
    for other in pull.others.values().filter(|other| other.run.is_none()) {
        let Some(upload) = upload_for_head(state, pull, None) else { return };
        if upload.activities.contains(&format!("pull_request.{}", other.name)) {
            due.push(opening(state, pull, other, upload));
        }
    }
}

/// The first upload of the head; once a run of it has ended, the newest one with another graph.
fn upload_for_head<'a>(state: &'a RepositoryState, pull: &Pull, run: Option<&RunId>) -> Option<&'a Upload> {
    let shas = [Some(&pull.head_sha), pull.test_merge.as_ref()];
    let uploads = shas.into_iter().flatten().flat_map(|sha| state.uploads_of(sha));
    match run {
        None => uploads.min_by_key(|upload| upload.first.position),
        // Whether the pull request is still open is being asked; the upload may be the apply's.
        Some(_) if pull.spare.is_some() => None,
        Some(run) => newer_graph(state, run, uploads),
    }
}

/// An upload that came after the run had ended and says something else: a new generation.
fn newer_graph<'a>(
    state: &'a RepositoryState,
    run: &RunId,
    uploads: impl Iterator<Item = &'a Upload>,
) -> Option<&'a Upload> {
    let run = state.runs.get(run)?;
    let stopped = run.stopped?;
    let known = state.uploads.get(&run.upload).map(|upload| &upload.graph);
    uploads
        .filter(|upload| upload.last.position > stopped && Some(&upload.graph) != known)
        .max_by_key(|upload| upload.last.position)
}

fn opening(state: &RepositoryState, pull: &Pull, activity: &Activity, upload: &Upload) -> Event {
    Opening {
        trigger: Trigger::new("pull_request", &activity.name),
        inferred: activity.inferred,
        pull_request: Some(pull.number),
        release: None,
        head_sha: &pull.head_sha,
        sha: &pull.head_sha,
        git_ref: &pull.base_ref,
        merged_at: None,
        upload,
    }
    .event(state)
}

fn open_merge(state: &RepositoryState, pull: &Pull, due: &mut Vec<Event>) {
    let Some(merged) = &pull.merged else { return };
    let since = since(merged.at);
    let shas = [Some(&pull.head_sha), merged.commit.as_ref().filter(|commit| **commit != pull.head_sha)];
    let uploads = shas
        .into_iter()
        .flatten()
        .flat_map(|sha| state.uploads_of(sha))
        .filter(|upload| upload.last.at >= since);
    let upload = match &merged.run {
        None => uploads.max_by_key(|upload| upload.last.position),
        Some(run) => newer_graph(state, run, uploads.filter(|upload| !is_of_release(state, upload))),
    };
    let Some(upload) = upload else { return };
    let opening = Opening {
        trigger: Trigger::new("pull_request", "merged"),
        inferred: false,
        pull_request: Some(pull.number),
        release: None,
        head_sha: &pull.head_sha,
        sha: merged.commit.as_ref().unwrap_or(&pull.head_sha),
        git_ref: &pull.base_ref,
        merged_at: Some(merged.at),
        upload,
    };
    due.push(opening.event(state));
}

/// A release of the merge commit was published before the upload came, and the upload configures it: it is not the
/// merge's once more.
fn is_of_release(state: &RepositoryState, upload: &Upload) -> bool {
    state.releases.values().filter(|release| release.commit.as_ref() == Some(&upload.head_sha)).any(
        |release| {
            release.activities.iter().any(|(name, activity)| {
                upload.activities.contains(&format!("release.{name}")) && upload.last.at >= since(activity.at)
            })
        },
    )
}

fn open_merge_groups(state: &RepositoryState, due: &mut Vec<Event>) {
    for (head_sha, group) in &state.merge_groups {
        if group.destroyed.is_some() {
            continue;
        }
        let uploads = state.uploads_of(head_sha);
        let upload = match &group.run {
            None => uploads.min_by_key(|upload| upload.first.position),
            Some(run) => newer_graph(state, run, uploads),
        };
        let Some(upload) = upload else { continue };
        let opening = Opening {
            trigger: Trigger::new("merge_group", "checks_requested"),
            inferred: false,
            pull_request: group.pull_request,
            release: None,
            head_sha,
            sha: head_sha,
            git_ref: &group.base_ref,
            merged_at: None,
            upload,
        };
        due.push(opening.event(state));
    }
}

fn open_releases(state: &RepositoryState, config: &Config, due: &mut Vec<Event>) {
    let Some(repository) = config.repository(state.id) else { return };
    for (id, release) in &state.releases {
        for (name, activity) in &release.activities {
            if let Some(opening) =
                release_opening(state, *id, release, name, activity, &repository.default_branch)
            {
                due.push(opening.event(state));
            }
        }
    }
}

fn release_opening<'a>(
    state: &'a RepositoryState,
    id: u64,
    release: &'a Release,
    name: &str,
    activity: &ReleaseActivity,
    default_branch: &'a GitRef,
) -> Option<Opening<'a>> {
    let commit = release.commit.as_ref()?;
    let trigger = Trigger::new("release", name);
    let (since, configured) = (since(activity.at), trigger.to_string());
    let uploads = state
        .uploads_of(commit)
        .filter(|upload| upload.last.at >= since && upload.activities.contains(&configured));
    let upload = match &activity.run {
        None => uploads.max_by_key(|upload| upload.last.position),
        Some(run) => newer_graph(state, run, uploads),
    }?;
    Some(Opening {
        trigger,
        inferred: false,
        pull_request: None,
        release: Some(id),
        head_sha: commit,
        sha: commit,
        git_ref: default_branch,
        merged_at: Some(activity.at),
        upload,
    })
}

/// A trigger with its upload.
struct Opening<'a> {
    trigger: Trigger,
    inferred: bool,
    pull_request: Option<PrNumber>,
    release: Option<u64>,
    head_sha: &'a CommitSha,
    sha: &'a CommitSha,
    git_ref: &'a GitRef,
    merged_at: Option<Timestamp>,
    upload: &'a Upload,
}

impl Opening<'_> {
    fn event(self, state: &RepositoryState) -> Event {
        let earlier = state
            .runs
            .values()
            .filter(|run| {
                run.trigger == self.trigger
                    && run.head_sha == *self.head_sha
                    && run.pull_request == self.pull_request
                    && run.release == self.release
                    && run.workspace == self.upload.workspace
            })
            .map(|run| run.generation)
            .max()
            .unwrap_or(0);
        let generation = earlier + 1;
        let key = RunKey {
            workspace: &self.upload.workspace,
            repository: state.id,
            trigger: &self.trigger,
            pull_request: self.pull_request,
            release: self.release,
            head_sha: self.head_sha,
            generation,
        };
        RunOpened {
            run: key.id(),
            workspace: self.upload.workspace.clone(),
            inferred: self.inferred,
            generation,
            pull_request: self.pull_request,
            release: self.release,
            head_sha: self.head_sha.clone(),
            sha: self.sha.clone(),
            git_ref: self.git_ref.clone(),
            upload: self.upload.digest.clone(),
            merged_at: self.merged_at,
            plan: Stored::inline(planning::plan(&self.upload.fragment.get(), &self.trigger, self.sha)),
            trigger: self.trigger,
        }
        .into()
    }
}
