//! Waiting for something to be true, woken by changes.

use std::{fmt::Write as _, time::Duration};

use crate::{
    error::{Error, Result},
    handle::GitHub,
    state::{Run, State},
};

impl GitHub {
    /// Waits until the condition is true. It is asked after each change of the state, under the lock: it must not call
    /// the simulation. `what` completes "waited in vain for …".
    ///
    /// # Errors
    /// [`Error::Deadline`], which tells what the simulation has seen.
    pub async fn wait_until(
        &self,
        what: &str,
        deadline: Duration,
        mut is_true: impl FnMut(&State) -> bool,
    ) -> Result<()> {
        self.wait_for(what, deadline, |state| is_true(state).then_some(())).await
    }

    /// Waits until the state gives something, and returns it. Otherwise like [`wait_until`](Self::wait_until).
    ///
    /// # Errors
    /// [`Error::Deadline`], which tells what the simulation has seen.
    pub async fn wait_for<T>(
        &self,
        what: &str,
        deadline: Duration,
        mut find: impl FnMut(&State) -> Option<T>,
    ) -> Result<T> {
        let mut versions = self.shared.version.subscribe();
        let found = async {
            loop {
                versions.mark_unchanged();
                if let Some(found) = self.read(&mut find) {
                    return Some(found);
                }
                versions.changed().await.ok()?;
            }
        };
        let found = tokio::time::timeout(deadline, found).await.ok().flatten();
        found.ok_or_else(|| Error::Deadline {
            what: what.to_owned(),
            waited: deadline,
            found: self.read(summary),
        })
    }

    /// Waits for a workflow run.
    ///
    /// # Errors
    /// [`Error::Deadline`], which tells what the simulation has seen.
    pub async fn wait_for_run(
        &self,
        what: &str,
        deadline: Duration,
        mut is_it: impl FnMut(&Run) -> bool,
    ) -> Result<Run> {
        self.wait_for(what, deadline, |state| state.runs().find(|run| is_it(run)).cloned()).await
    }

    /// Waits until every webhook is settled: answered, failed, lost on purpose or without a receiver.
    ///
    /// # Errors
    /// [`Error::Deadline`], which tells what the simulation has seen.
    pub async fn wait_until_quiet(&self, deadline: Duration) -> Result<()> {
        self.wait_until("all webhooks to be settled", deadline, State::is_quiet).await
    }
}

/// What a person needs to see why a wait was in vain.
fn summary(state: &State) -> String {
    const NEWEST: usize = 8;
    let mut text = format!(
        "{} dispatch requests, {} runs, {} webhooks, {} requests",
        state.dispatches().len(),
        state.runs.len(),
        state.deliveries().len(),
        state.requests().len()
    );
    for dispatch in state.dispatches().iter().rev().take(NEWEST).rev() {
        let _ = write!(
            text,
            "\n  dispatch {} {:?} → {:?}, {:?}",
            dispatch.workflow, dispatch.inputs, dispatch.outcome, dispatch.reply
        );
    }
    for run in state.runs().rev().take(NEWEST) {
        let _ = write!(
            text,
            "\n  run {} `{}` attempt {}: {} {:?}",
            run.id, run.display_title, run.attempt, run.status, run.conclusion
        );
    }
    for delivery in state.deliveries().iter().rev().take(NEWEST).rev() {
        let _ = write!(
            text,
            "\n  webhook {} {}: {:?}, answer {:?}",
            delivery.kind(),
            delivery.subject,
            delivery.fate,
            delivery.answer
        );
    }
    for request in state.requests().iter().rev().take(NEWEST).rev() {
        let _ = write!(
            text,
            "\n  request {} {}?{}: {:?}",
            request.method, request.path, request.query, request.reply
        );
    }
    text
}
