//! Pull requests, as webhooks and looks tell them, in whatever order they come.

use super::{Class, RepositoryState};
use serde::{Deserialize, Serialize};
use stackwave_domain::{
    CommitSha, GitRef, Position, PrNumber, RunId, Timestamp,
    event::{PullRequestObserved, Source},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A pull request at one position of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// Its number.
    pub number: PrNumber,
    /// Whether it is open.
    pub open: bool,
    /// The merge, once it happened; final.
    pub merged: Option<Merged>,
    /// The head commit.
    pub head_sha: CommitSha,
    /// The base branch.
    pub base_ref: GitRef,
    /// GitHub's test merge of an open pull request.
    pub test_merge: Option<CommitSha>,
    /// Its title.
    pub title: Option<String>,
    /// The newest `updated_at` seen.
    pub updated_at: Timestamp,
    /// Where the log tells its newest state.
    pub told: Position,
    /// The plan activity (`opened`, `synchronize`, `reopened`) that its head stands for.
    pub activity: Option<Activity>,
    /// Other activities of the current head (`labeled`, `ready_for_review`, …), for stacks that configure them.
    pub others: BTreeMap<String, Activity>,
    /// An upload came for a commit whose plan run has its graph already: it may be the apply upload that outran the
    /// merge's webhook, or follow a reopening that was not told, so GitHub is to be asked (design §4.1).
    pub spare: Option<Position>,
    /// The head branch, for people.
    #[serde(default)]
    pub head_ref: Option<GitRef>,
    /// W3C trace context of the newest record that changed it: the webhook's that a run is opened for.
    #[serde(default)]
    pub trace: Option<Arc<str>>,
}

/// How and when a pull request was merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    /// By GitHub's clock.
    pub at: Timestamp,
    /// The commit on the base branch.
    pub commit: Option<CommitSha>,
    /// The newest run of the merge.
    pub run: Option<RunId>,
}

/// One activity that a run may be opened for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// GitHub's word.
    pub name: String,
    /// The head at that time.
    pub head_sha: CommitSha,
    /// `updated_at` of what told it.
    pub at: Timestamp,
    /// It was concluded from a look; its webhook has not come.
    pub inferred: bool,
    /// The newest run that was opened for it.
    pub run: Option<RunId>,
}

/// Actions that stand for a new head to plan.
fn is_plan_action(action: &str) -> bool {
    matches!(action, "opened" | "synchronize" | "reopened")
}

impl Pull {
    fn new(position: Position, observed: &PullRequestObserved) -> Self {
        Self {
            number: observed.number,
            open: observed.open,
            merged: None,
            head_sha: observed.head_sha.clone(),
            base_ref: observed.base_ref.clone(),
            test_merge: None,
            title: None,
            updated_at: observed.updated_at,
            told: position,
            activity: None,
            others: BTreeMap::new(),
            spare: None,
            head_ref: Some(observed.head_ref.clone()),
            trace: None,
        }
    }

    /// Whether an upload of this commit may be for this pull request while it is open.
    #[must_use]
    pub fn has_head(&self, sha: &CommitSha) -> bool {
        self.head_sha == *sha || self.test_merge.as_ref() == Some(sha)
    }

    pub(super) fn heads(&self) -> impl Iterator<Item = CommitSha> + use<> {
        [Some(self.head_sha.clone()), self.test_merge.clone()].into_iter().flatten()
    }

    /// Whether an upload of this commit may be for the merge.
    #[must_use]
    pub fn has_merge(&self, sha: &CommitSha) -> bool {
        self.head_sha == *sha
            || self.merged.as_ref().is_some_and(|merged| merged.commit.as_ref() == Some(sha))
    }

    /// Takes over what is newer than what is known.
    fn update(&mut self, position: Position, observed: &PullRequestObserved) {
        self.updated_at = observed.updated_at;
        self.told = position;
        self.open = observed.open && self.merged.is_none();
        if self.head_sha != observed.head_sha {
            self.others.clear();
            self.test_merge = None;
            self.head_sha = observed.head_sha.clone();
        }
        self.base_ref = observed.base_ref.clone();
        self.head_ref = Some(observed.head_ref.clone());
        // GitHub works it out some time after the push, and leaves it out until then.
        if observed.open && observed.merge_commit_sha.is_some() {
            self.test_merge.clone_from(&observed.merge_commit_sha);
        }
        if observed.title.is_some() {
            self.title.clone_from(&observed.title);
        }
    }

    fn merge(&mut self, observed: &PullRequestObserved) -> bool {
        let at = observed.merged_at.unwrap_or(observed.updated_at);
        self.open = false;
        self.spare = None;
        self.test_merge = None;
        match &mut self.merged {
            Some(known) => {
                let learnt = known.commit.is_none() && observed.merge_commit_sha.is_some();
                if learnt {
                    known.commit.clone_from(&observed.merge_commit_sha);
                }
                learnt
            }
            None => {
                self.merged = Some(Merged { at, commit: observed.merge_commit_sha.clone(), run: None });
                true
            }
        }
    }

    /// A plan action that a webhook names.
    fn act(&mut self, action: &str, observed: &PullRequestObserved) -> Class {
        if observed.head_sha != self.head_sha {
            return Class::Stale;
        }
        let same_head = self.activity.as_mut().filter(|known| known.head_sha == observed.head_sha);
        if let Some(known) = same_head {
            // What a look concluded cannot be older than the webhook that it stood for.
            if known.inferred && observed.updated_at <= known.at {
                known.inferred = false;
                if known.run.is_none() {
                    action.clone_into(&mut known.name);
                    known.at = observed.updated_at;
                }
                return Class::Applied;
            }
            // The same head again: reopened, or pushed away and back. Anything not newer is a repeat.
            if observed.updated_at <= known.at {
                return Class::Known;
            }
        }
        self.activity = Some(Activity {
            name: action.to_owned(),
            head_sha: observed.head_sha.clone(),
            at: observed.updated_at,
            inferred: false,
            run: None,
        });
        Class::Applied
    }

    /// A look showed an open head that no webhook named.
    fn infer(&mut self, observed: &PullRequestObserved, before: Before) {
        if observed.head_sha != self.head_sha {
            return;
        }
        let known = self.activity.as_ref().is_some_and(|known| known.head_sha == observed.head_sha);
        let name = match before {
            Before::Closed if known => "reopened",
            Before::Unknown | Before::OpenAt { another_head: false } if !known => "opened",
            Before::Closed | Before::OpenAt { another_head: true } if !known => "synchronize",
            Before::Unknown | Before::Closed | Before::OpenAt { .. } => return,
        };
        self.activity = Some(Activity {
            name: name.to_owned(),
            head_sha: observed.head_sha.clone(),
            at: observed.updated_at,
            inferred: true,
            run: None,
        });
    }

    /// An activity that stands for no new head.
    fn act_otherwise(&mut self, action: &str, observed: &PullRequestObserved) -> Class {
        if self.head_sha != observed.head_sha || self.others.contains_key(action) {
            return Class::Known;
        }
        let other = Activity {
            name: action.to_owned(),
            head_sha: observed.head_sha.clone(),
            at: observed.updated_at,
            inferred: false,
            run: None,
        };
        self.others.insert(action.to_owned(), other);
        Class::Applied
    }
}

/// How a pull request was known before a look.
#[derive(Clone, Copy)]
enum Before {
    Unknown,
    Closed,
    OpenAt { another_head: bool },
}

impl RepositoryState {
    pub(super) fn observe_pull(&mut self, position: Position, observed: &PullRequestObserved) -> Class {
        let number = observed.number;
        let before: Vec<CommitSha> = self.pulls.get(&number).into_iter().flat_map(Pull::heads).collect();
        let class = self.take_pull(position, observed);
        let after: Vec<CommitSha> = self.pulls.get(&number).into_iter().flat_map(Pull::heads).collect();
        if before != after {
            before.iter().for_each(|sha| self.forget_head(sha, number));
            after.into_iter().for_each(|sha| self.note_head(sha, number));
        }
        class
    }

    pub(super) fn note_head(&mut self, sha: CommitSha, number: PrNumber) {
        self.heads.entry(sha).or_default().insert(number);
    }

    pub(super) fn forget_head(&mut self, sha: &CommitSha, number: PrNumber) {
        if let Some(numbers) = self.heads.get_mut(sha) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.heads.remove(sha);
            }
        }
    }

    /// Whether the list of heads is right; what is not, in words.
    pub(crate) fn check_heads(&self) -> Vec<String> {
        let mut real: BTreeMap<CommitSha, BTreeSet<PrNumber>> = BTreeMap::new();
        for pull in self.pulls.values() {
            pull.heads().for_each(|sha| _ = real.entry(sha).or_default().insert(pull.number));
        }
        if real == self.heads {
            return Vec::new();
        }
        vec![format!("the list of heads is {:?}, it should be {real:?}", self.heads)]
    }

    fn take_pull(&mut self, position: Position, observed: &PullRequestObserved) -> Class {
        let before = self.pulls.get(&observed.number).map_or(Before::Unknown, |pull| {
            if pull.open {
                Before::OpenAt { another_head: pull.head_sha != observed.head_sha || pull.activity.is_some() }
            } else {
                Before::Closed
            }
        });
        let pull = self.pulls.entry(observed.number).or_insert_with(|| Pull::new(position, observed));
        let newer = matches!(before, Before::Unknown) || observed.updated_at > pull.updated_at;
        let class = if newer || (observed.updated_at == pull.updated_at && is_not_older(pull, observed)) {
            pull.update(position, observed);
            if newer { Class::Applied } else { Class::Known }
        } else {
            Class::Stale
        };
        let class = match (&observed.source, &observed.action) {
            _ if observed.merged => {
                if pull.merge(observed) {
                    Class::Applied
                } else {
                    class
                }
            }
            _ if pull.merged.is_some() => Class::Stale,
            (Source::Poll { asked_at }, _) => {
                if pull.spare.is_some_and(|spare| spare <= *asked_at) {
                    pull.spare = None;
                }
                if pull.open {
                    pull.infer(observed, before);
                }
                class
            }
            (Source::Webhook { .. }, Some(action)) if pull.open && is_plan_action(action) => {
                pull.act(action, observed)
            }
            (Source::Webhook { .. }, Some(action)) if pull.open => {
                if pull.act_otherwise(action, observed) == Class::Applied { Class::Applied } else { class }
            }
            (Source::Webhook { .. }, _) => class,
        };
        self.touch_pull(position, observed.number);
        class
    }
}

/// GitHub's times have whole seconds. Within one second a push is newer than the head that it names as before; an
/// `opened` never is; a look is newer than everything that was known when it was asked; a close is newer than the open
/// pull request.
fn is_not_older(pull: &Pull, observed: &PullRequestObserved) -> bool {
    if let Source::Poll { asked_at } = observed.source {
        return asked_at >= pull.told;
    }
    if observed.head_sha == pull.head_sha {
        return observed.action.as_deref() != Some("opened") || pull.open;
    }
    match observed.action.as_deref() {
        Some("synchronize") => observed.before.as_ref().is_none_or(|before| *before == pull.head_sha),
        Some("opened") => false,
        _ => true,
    }
}
