//! Triggers besides pull requests, and the link from a trigger to its newest run.

use super::{Class, RepositoryState};
use stackwave_domain::{
    CommitSha, GitRef, Position, PrNumber, RunId, Timestamp,
    event::{MergeGroupObserved, ReleaseObserved, RunOpened},
};
use std::collections::BTreeMap;

/// A merge queue group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeGroup {
    /// The pull request that its branch names.
    pub pull_request: Option<PrNumber>,
    /// The branch that it is for.
    pub base_ref: GitRef,
    /// Why it was destroyed.
    pub destroyed: Option<String>,
    /// Its newest run.
    pub run: Option<RunId>,
}

/// A release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Its tag.
    pub tag: GitRef,
    /// The tag's commit, once it was looked up.
    pub commit: Option<CommitSha>,
    /// What happened to it (`published`, `released`, …).
    pub activities: BTreeMap<String, ReleaseActivity>,
    /// When it was first heard of, by the record's time.
    pub heard_at: Timestamp,
}

/// One activity of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseActivity {
    /// When the release was published, by GitHub's clock; else when the record was written.
    pub at: Timestamp,
    /// Its newest run.
    pub run: Option<RunId>,
}

impl RepositoryState {
    pub(super) fn observe_merge_group(&mut self, observed: &MergeGroupObserved) -> Class {
        let group = self.merge_groups.entry(observed.head_sha.clone()).or_insert_with(|| MergeGroup {
            pull_request: observed.pull_request,
            base_ref: observed.base_ref.clone(),
            destroyed: None,
            run: None,
        });
        if observed.action == "destroyed" && group.destroyed.is_none() {
            group.destroyed = Some(observed.reason.clone().unwrap_or_else(|| "destroyed".to_owned()));
        }
        Class::Applied
    }

    pub(super) fn observe_release(&mut self, at: Timestamp, observed: &ReleaseObserved) -> Class {
        let release = self.releases.entry(observed.release).or_insert_with(|| Release {
            tag: observed.tag.clone(),
            commit: None,
            activities: BTreeMap::new(),
            heard_at: at,
        });
        if observed.commit.is_some() {
            release.commit.clone_from(&observed.commit);
        }
        if let Some(action) = &observed.action {
            let at = observed.published_at.unwrap_or(at);
            release.activities.entry(action.clone()).or_insert(ReleaseActivity { at, run: None });
        }
        Class::Applied
    }

    /// Tells the trigger which run is its newest. A trigger that has moved on is not linked: its run is superseded at
    /// the next decision. `repeated_at` is where the upload came a second time before the run was opened.
    pub(super) fn link_run(&mut self, opened: &RunOpened, repeated_at: Option<Position>) {
        let run = Some(opened.run.clone());
        match opened.trigger.event.as_str() {
            "merge_group" => {
                if let Some(group) = self.merge_groups.get_mut(&opened.head_sha) {
                    group.run = run;
                }
            }
            "release" => {
                let release = opened.release.and_then(|id| self.releases.get_mut(&id));
                let activity = release.and_then(|it| it.activities.get_mut(&opened.trigger.activity));
                if let Some(activity) = activity {
                    activity.run = run;
                }
            }
            _ => {
                let Some(pull) = opened.pull_request.and_then(|number| self.pulls.get_mut(&number)) else {
                    return;
                };
                if opened.trigger.activity == "merged" {
                    if let Some(merged) = &mut pull.merged {
                        merged.run = run;
                    }
                    return;
                }
                let activity = match &mut pull.activity {
                    Some(activity) if activity.name == opened.trigger.activity => Some(activity),
                    _ => pull.others.get_mut(&opened.trigger.activity),
                };
                if let Some(activity) = activity.filter(|activity| activity.head_sha == opened.head_sha) {
                    activity.run = run;
                    if pull.open && pull.spare.is_none() {
                        pull.spare = repeated_at;
                    }
                }
            }
        }
    }
}
