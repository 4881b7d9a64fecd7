//! What happens in a repository.

use serde_json::json;

use crate::{
    error::Result,
    handle::GitHub,
    json::Json,
    shapes,
    state::{
        Comment, CommentId, Conclusion, Draft, MergeGroup, MergeGroupEnd, NewPullRequest, NewRelease, NewRun,
        PullNumber, PullRequest, Release, RepositoryId, RunId, Sha, State, User, Workflow,
    },
};

/// A repository of a simulated GitHub. Cheap to clone.
///
/// Every method that takes a number, branch or hash fails with [`Error::Unknown`](crate::Error::Unknown) when it is
/// not there, and with [`Error::Impossible`](crate::Error::Impossible) when its state does not allow the change.
#[derive(Clone, Debug)]
pub struct Repo {
    pub(crate) github: GitHub,
    pub(crate) id: RepositoryId,
}

#[expect(clippy::missing_errors_doc, reason = "the type says it once for all")]
impl Repo {
    /// Numeric id.
    #[must_use]
    pub fn id(&self) -> RepositoryId {
        self.id
    }

    /// `owner/name`.
    #[must_use]
    pub fn full_name(&self) -> String {
        self.github.read(|state| {
            state.repository(self.id).map(|repository| repository.full_name()).unwrap_or_default()
        })
    }

    /// Opens a pull request: `pull_request.opened`.
    pub fn open_pull_request(&self, new: NewPullRequest) -> Result<PullNumber> {
        self.change(|state, id| state.open_pull_request(id, new))
    }

    /// Pushes a commit to the head of an open pull request: `push`, `pull_request.synchronize`. Returns the new head.
    pub fn push(&self, number: PullNumber) -> Result<Sha> {
        self.change(|state, id| state.push_to_pull(id, number, Vec::new()))
    }

    /// Pushes a commit that changes files to a branch: `push`, and `pull_request.synchronize` where it is a head.
    pub fn push_files(&self, branch: &str, files: &[(&str, &str)]) -> Result<Sha> {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        self.change(|state, id| state.push_commit(id, branch, files, "octocat"))
    }

    /// Puts a workflow on a branch: `push`.
    pub fn set_workflow(&self, branch: &str, name: &str, yaml: &str) -> Result<Sha> {
        self.push_files(branch, &[(&Workflow::path_of(name), yaml)])
    }

    /// Disables a workflow, or enables it again. Sends nothing.
    pub fn enable_workflow(&self, name: &str, enabled: bool) -> Result<()> {
        self.change(|state, id| {
            let repository = state.known_repository_mut(id)?;
            let unknown = || crate::Error::unknown(format!("workflow `{name}`"));
            repository.workflows.get_mut(&Workflow::path_of(name)).ok_or_else(unknown)?.enabled = enabled;
            Ok(())
        })
    }

    /// Makes a branch where another ref points: `push`.
    pub fn create_branch(&self, branch: &str, from: &str) -> Result<Sha> {
        self.change(|state, id| state.create_branch(id, branch, from))
    }

    /// Deletes a branch: `push`.
    pub fn delete_branch(&self, branch: &str) -> Result<()> {
        self.change(|state, id| state.delete_branch(id, branch))
    }

    /// Tip of a branch, or the commit of any other ref.
    #[must_use]
    pub fn resolve(&self, reference: &str) -> Option<Sha> {
        self.github
            .read(|state| state.repository(self.id)?.resolve(reference).map(|commit| commit.sha.clone()))
    }

    /// A pull request as it is.
    pub fn pull_request(&self, number: PullNumber) -> Result<PullRequest> {
        self.github.read(|state| state.known_pull(self.id, number).cloned())
    }

    /// Merges: `pull_request.closed` with `merged: true`, then the `push` to the base. Returns the merge commit.
    pub fn merge_pull_request(&self, number: PullNumber) -> Result<Sha> {
        self.change(|state, id| state.merge_pull_request(id, number))
    }

    /// Closes without a merge: `pull_request.closed`.
    pub fn close_pull_request(&self, number: PullNumber) -> Result<()> {
        self.change(|state, id| state.close_pull_request(id, number))
    }

    /// Opens a closed one again: `pull_request.reopened`.
    pub fn reopen_pull_request(&self, number: PullNumber) -> Result<()> {
        self.change(|state, id| state.reopen_pull_request(id, number))
    }

    /// Makes it a draft or takes it out of draft: `pull_request.converted_to_draft` or `.ready_for_review`.
    pub fn set_draft(&self, number: PullNumber, draft: bool) -> Result<()> {
        let action = if draft { "converted_to_draft" } else { "ready_for_review" };
        self.change(|state, id| {
            state.edit_pull_request(id, number, action, Vec::new(), |pull| pull.draft = draft)
        })
    }

    /// Gives it another base: `pull_request.edited` with `changes.base`.
    pub fn change_base(&self, number: PullNumber, base: &str) -> Result<()> {
        self.change(|state, id| {
            let old = state.known_pull(id, number)?.clone();
            let unknown = || crate::Error::unknown(format!("branch `{base}`"));
            let sha = state.known_repository(id)?.branches.get(base).ok_or_else(unknown)?.clone();
            let changes =
                json!({ "base": { "ref": { "from": old.base_branch }, "sha": { "from": old.base_sha } } });
            state.edit_pull_request(id, number, "edited", vec![("changes", changes.into())], |pull| {
                base.clone_into(&mut pull.base_branch);
                pull.base_sha = sha;
            })
        })
    }

    /// Queues it: `push` of the temporary branch, then `merge_group.checks_requested`.
    pub fn create_merge_group(&self, number: PullNumber) -> Result<MergeGroup> {
        self.change(|state, id| state.create_merge_group(id, number))
    }

    /// Ends a merge group: `merge_group.destroyed`. When merged, the `push` to the base comes before it and
    /// `pull_request.closed` after it.
    pub fn destroy_merge_group(&self, head_sha: &str, end: MergeGroupEnd) -> Result<()> {
        self.change(|state, id| state.destroy_merge_group(id, head_sha, end))
    }

    /// Publishes a release: `release.published` and `release.released` (or `.prereleased`).
    pub fn publish_release(&self, new: NewRelease) -> Result<Release> {
        self.change(|state, id| state.publish_release(id, new))
    }

    /// Comments of a pull request, oldest first.
    #[must_use]
    pub fn comments(&self, number: PullNumber) -> Vec<Comment> {
        self.github.read(|state| state.comments(self.id, number).cloned().collect())
    }

    /// A person comments: `issue_comment.created`.
    pub fn comment(&self, number: PullNumber, login: &str, body: &str) -> Result<CommentId> {
        self.change(|state, id| state.add_comment(id, number, User::person(login), body.to_owned()))
    }

    /// Someone edits a comment, perhaps ours: `issue_comment.edited`.
    pub fn edit_comment(&self, comment: CommentId, body: &str) -> Result<()> {
        self.change(|state, _| state.edit_comment(comment, body.to_owned()))
    }

    /// Someone deletes a comment, perhaps ours: `issue_comment.deleted`.
    pub fn delete_comment(&self, comment: CommentId) -> Result<()> {
        self.change(|state, _| state.delete_comment(comment))
    }

    /// Locks a conversation, or unlocks it: creating comments is then refused with 403. Sends nothing.
    pub fn lock_conversation(&self, number: PullNumber, locked: bool) -> Result<()> {
        self.change(|state, id| {
            let locks = &mut state.known_repository_mut(id)?.locked;
            if locked {
                locks.insert(number)
            } else {
                locks.remove(&number)
            };
            Ok(())
        })
    }

    /// Starts a run that nobody dispatched, as ordinary CI does, by a person on the tip of a branch.
    pub fn start_run(&self, workflow: &str, branch: &str, event: &str, login: &str) -> Result<RunId> {
        self.change(|state, id| {
            let unknown = || crate::Error::unknown(format!("branch `{branch}`"));
            let tip = state.known_repository(id)?.resolve(branch).ok_or_else(unknown)?;
            let new = NewRun {
                repository: id,
                path: Workflow::path_of(workflow),
                event: event.to_owned(),
                head_branch: branch.to_owned(),
                head_sha: tip.sha.clone(),
                inputs: Default::default(),
                actor: User::person(login),
                title: Some(tip.message.clone()),
            };
            state.start_run(new)
        })
    }

    /// Makes a check run on a commit: `check_run.created`. `ours`: by the App under test, else by GitHub Actions.
    pub fn create_check_run(&self, name: &str, head_sha: &str, ours: bool) -> Result<u64> {
        self.change(|state, id| state.create_check_run(id, name, head_sha, ours))
    }

    /// Ends a check run: `check_run.completed`.
    pub fn complete_check_run(&self, check: u64, conclusion: Conclusion) -> Result<()> {
        self.change(|state, _| state.complete_check_run(check, conclusion))
    }

    /// Someone presses "Re-run" on a check: `check_run.rerequested`.
    pub fn rerequest_check_run(&self, check: u64, login: &str) -> Result<()> {
        self.change(|state, _| state.rerequest_check_run(check, login))
    }

    /// Gives the repository another name. Requests by the old one are redirected to its id.
    pub fn rename(&self, name: &str) -> Result<()> {
        self.change(|state, id| {
            let old = state.known_repository(id)?.full_name().to_lowercase();
            let repository = state.known_repository_mut(id)?;
            name.clone_into(&mut repository.name);
            repository.rendered.take();
            let new = repository.full_name().to_lowercase();
            state.names.remove(&old);
            state.moved.remove(&new);
            state.moved.insert(old, id);
            state.names.insert(new, id);
            Ok(())
        })
    }

    /// Adds the repository to an installation: `installation_repositories.added`.
    pub fn grant(&self, installation: u64) -> Result<()> {
        self.change(|state, id| {
            state.known_repository_mut(id)?.installation = Some(installation);
            send_repositories(state, id, installation, "added");
            Ok(())
        })
    }

    /// Takes the repository out of its installation: `installation_repositories.removed`.
    pub fn revoke(&self) -> Result<()> {
        self.change(|state, id| {
            if let Some(installation) = state.known_repository_mut(id)?.installation.take() {
                send_repositories(state, id, installation, "removed");
            }
            Ok(())
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut State, RepositoryId) -> T) -> T {
        self.github.change(|state| change(state, self.id))
    }
}

fn send_repositories(state: &mut State, id: RepositoryId, installation: u64, action: &'static str) {
    let (Some(known), Some(repository)) = (state.installation(installation), state.repository(id)) else {
        return;
    };
    let rendered = shapes::installation::installation(&state.urls, &state.config.app, known);
    let listed = [shapes::installation::listed(repository)];
    let (added, removed) = if action == "added" { (&listed[..], &[][..]) } else { (&[][..], &listed[..]) };
    let body = json!({
        "installation": rendered,
        "repository_selection": "selected",
        "repositories_added": added,
        "repositories_removed": removed,
        "requester": null,
    });
    state.emit(Draft {
        event: "installation_repositories",
        action: Some(action),
        repository: None,
        subject: format!("installation/{installation}/{id}"),
        sender: User::person("octocat"),
        body: Json::from(body),
    });
}
