//! Waiting for what the log or GitHub says, never for time.

use super::{World, newest};
use stackwave_domain::{PrNumber, RepositoryId, RunId, event::RunOutcome};
use stackwave_engine::{
    state::{Phase, RepositoryState},
    view::{self, Status},
};
use stackwave_github_sim::{Conclusion, PullNumber, Run, State};
use std::time::Duration;

impl World {
    /// Waits until the repository's state gives something. `what` completes "waited in vain for …".
    ///
    /// # Panics
    /// It does not in time.
    pub async fn until<T>(&self, what: &str, mut find: impl FnMut(&RepositoryState) -> Option<T>) -> T {
        let id = RepositoryId(self.repo.id());
        let found =
            self.inner.journal.wait_for(self.patience(), |replica| find(replica.state.repository(id)?)).await;
        found.unwrap_or_else(|| panic!("waited {:?} in vain for {what}", self.patience()))
    }

    /// Waits until the simulated GitHub shows something.
    ///
    /// # Panics
    /// It does not in time.
    pub async fn until_github(&self, what: &str, is_true: impl FnMut(&State) -> bool) {
        if let Err(error) = self.github.wait_until(what, self.patience(), is_true).await {
            panic!("{error}");
        }
    }

    /// Waits until GitHub has accepted so many dispatches of this workflow in all.
    pub async fn until_accepted(&self, workflow: &str, count: usize) {
        let what = format!("{count} accepted dispatches of {workflow}");
        self.until_github(&what, |state| {
            state.accepted().filter(|dispatch| dispatch.workflow.ends_with(workflow)).count() >= count
        })
        .await;
    }

    /// Waits until a pull request has a run of this activity; the newest.
    pub async fn until_opened(&self, number: PullNumber, activity: &str) -> RunId {
        let what = format!("a `{activity}` run of #{number}");
        self.until(&what, |state| newest(state, number, activity).map(|run| run.id.clone())).await
    }

    /// Waits until the newest run of this activity succeeded.
    pub async fn until_succeeded(&self, number: PullNumber, activity: &str) -> RunId {
        let what = format!("the end of the `{activity}` run of #{number}");
        self.until(&what, |state| {
            let run = newest(state, number, activity)?;
            matches!(run.phase, Phase::Ended(RunOutcome::Succeeded | RunOutcome::NothingAffected, _))
                .then(|| run.id.clone())
        })
        .await
    }

    /// Like [`until_succeeded`](Self::until_succeeded), to be used beside something else.
    pub async fn is_succeeded(&self, number: PullNumber, activity: &str) {
        self.until_succeeded(number, activity).await;
    }

    /// Waits until a stack of a run has a status. `stack` is `component/stack`.
    pub async fn until_status(&self, run: &RunId, stack: &str, status: Status) {
        let what = format!("{stack} to be {}", status.as_str());
        self.until(&what, |state| {
            let view = view::run_view(state, state.runs.get(run)?);
            view.stacks
                .iter()
                .find(|known| known.key.to_string() == stack && known.status == status)
                .map(|_| ())
        })
        .await;
    }

    /// Waits until the one comment of a pull request says something, and returns it.
    pub async fn until_comment(&self, number: PullNumber, what: &str, says: impl Fn(&str) -> bool) -> String {
        let what = format!("a comment of #{number} that says {what}");
        let id = self.repo.id();
        let found = self
            .github
            .wait_for(&what, self.patience(), |state| {
                state
                    .comments(id, number)
                    .find(|comment| says(&comment.body))
                    .map(|comment| comment.body.clone())
            })
            .await;
        found.unwrap_or_else(|error| {
            let comments: Vec<String> = self.repo.comments(number).into_iter().map(|c| c.body).collect();
            panic!("{error}\nthe comments:\n{}", comments.join("\n---\n"))
        })
    }

    /// Lets every workflow run of this workflow succeed as it comes, until so many are completed.
    pub async fn complete_all(&self, workflow: &str, count: usize) {
        let is_one = |run: &Run| run.path.ends_with(workflow);
        let what = format!("{count} runs of {workflow}");
        loop {
            let next = self.github.wait_for(&what, self.patience(), |state| {
                let open = state.runs().find(|run| is_one(run) && !run.is_completed()).map(|run| run.id);
                let done = state.runs().filter(|run| is_one(run) && run.is_completed()).count() >= count;
                if open.is_some() || done { Some(open) } else { None }
            });
            match next.await {
                // It may have been cancelled in between.
                Ok(Some(run)) => drop(self.github.complete_run(run, Conclusion::Success)),
                Ok(None) => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Waits until every webhook was answered and the log was read to its end.
    pub async fn until_settled_at_github(&self) {
        if let Err(error) = self.github.wait_until_quiet(self.patience()).await {
            panic!("{error}");
        }
        self.inner.journal.catch_up(self.patience()).await;
    }

    /// Waits until every webhook was answered, every claim has ended, and the log was read to its end.
    pub async fn until_settled(&self) {
        self.until_settled_at_github().await;
        let id = RepositoryId(self.repo.id());
        let closed = self.inner.journal.wait_for(self.patience(), |replica| {
            replica
                .state
                .repository(id)
                .is_none_or(|state| state.open_claims().next().is_none())
                .then_some(())
        });
        assert!(closed.await.is_some(), "a claim has no end:\n{}", self.inner.journal.story(40));
    }

    /// Waits until each pull request with a run has a comment: it may have been refused for a while.
    pub(super) async fn until_told(&self) {
        let id = self.repo.id();
        let pulls = self.inner.journal.read(|replica| {
            let runs =
                replica.state.repository(RepositoryId(id)).into_iter().flat_map(|state| state.runs.values());
            runs.filter_map(|run| run.pull_request).map(|PrNumber(number)| number).collect::<Vec<_>>()
        });
        let told = |number| {
            move |state: &stackwave_github_sim::State| {
                state.comments(id, number).any(|comment| comment.by_our_app)
            }
        };
        for number in pulls {
            if let Err(error) = self.github.wait_until("a comment", self.patience(), told(number)).await {
                panic!("#{number} was told nothing: {error}");
            }
        }
    }

    fn patience(&self) -> Duration {
        self.inner.patience
    }

    /// The runs of a pull request with their activities, oldest first.
    pub fn activities(&self, number: PullNumber) -> Vec<String> {
        self.state(|state| {
            let runs = state.runs_of_pull(PrNumber(number)).into_iter();
            runs.map(|run| run.trigger.activity.clone()).collect()
        })
    }
}
