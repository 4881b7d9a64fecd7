//! Triggers besides pull requests, and the link from a trigger to its newest run.

use super::{Class, Pull, RepositoryState, fold::Fold};
use serde::{Deserialize, Serialize};
use stackwave_domain::{
    CommitSha, Digest, GitRef, Position, PrNumber, RunId, Timestamp,
    event::{MergeGroupObserved, ReleaseObserved, RunOpened},
};
use std::collections::BTreeMap;

/// A merge queue group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeGroup {
    /// The pull request that its branch names.
    pub pull_request: Option<PrNumber>,
    /// The branch that it is for.
    pub base_ref: GitRef,
    /// Why it was destroyed.
    pub destroyed: Option<String>,
    /// Its newest run.
    pub run: Option<RunId>,
    /// When it was last heard of, by the record's time.
    pub heard_at: Timestamp,
}

/// A release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseActivity {
    /// When the release was published, by GitHub's clock; else when the record was written.
    pub at: Timestamp,
    /// Its newest run.
    pub run: Option<RunId>,
}

impl RepositoryState {
    pub(super) fn observe_merge_group(&mut self, fold: &Fold<'_>, observed: &MergeGroupObserved) -> Class {
        let group = self.merge_groups.entry(observed.head_sha.clone()).or_insert_with(|| MergeGroup {
            pull_request: observed.pull_request,
            base_ref: observed.base_ref.clone(),
            destroyed: None,
            run: None,
            heard_at: fold.at,
        });
        group.heard_at = group.heard_at.max(fold.at);
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
    /// the next decision.
    pub(super) fn link_run(&mut self, opened: &RunOpened) {
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
                if let Some(number) = opened.pull_request {
                    self.link_pull(number, opened);
                }
            }
        }
    }

    fn link_pull(&mut self, number: PrNumber, opened: &RunOpened) {
        let Some(pull) = self.pulls.get_mut(&number) else { return };
        if opened.trigger.activity == "merged" {
            if let Some(merged) = &mut pull.merged {
                merged.run = Some(opened.run.clone());
            }
            return;
        }
        if let Some(other) = pull.others.get_mut(&opened.trigger.activity) {
            if other.head_sha == opened.head_sha {
                other.run = Some(opened.run.clone());
            }
            return;
        }
        let Some(activity) = &mut pull.activity else { return };
        if activity.name != opened.trigger.activity || activity.head_sha != opened.head_sha {
            return;
        }
        activity.run = Some(opened.run.clone());
        let besides = self.pulls.get(&number).and_then(|pull| self.came_besides(pull, &opened.upload));
        if let Some(pull) = self.pulls.get_mut(&number)
            && pull.merged.is_none()
            && pull.spare.is_none()
        {
            pull.spare = besides;
        }
    }

    /// What came for a pull request's head besides its run's upload, before the run was opened: it may be the apply
    /// upload.
    fn came_besides(&self, pull: &Pull, taken: &Digest) -> Option<Position> {
        [Some(&pull.head_sha), pull.test_merge.as_ref()]
            .into_iter()
            .flatten()
            .flat_map(|sha| self.uploads_of(sha))
            .filter(|upload| upload.digest != *taken || upload.last.position > upload.first.position)
            .map(|upload| upload.last.position)
            .max()
    }
}
