//! Which comment differs from what it should say, and the tasks that mend it.
//!
//! Level-triggered: a pull request is looked at when something about it was folded, and again until the digest of its
//! text is what the log says was posted. The text is rendered when it may be posted, from the newest state, so that
//! whatever happened meanwhile goes out as one edit, and the last word is never lost.

use crate::{
    ROLE, batch, marker,
    post::Post,
    render::{Options, render},
    slot::{Gate, Outcome, Slot},
};
use stackwave_domain::{Digest, Position, PrNumber, RepositoryId, Subject, Timestamp, WorkspaceId};
use stackwave_engine::{
    due::{due_comments, earlier},
    state::RepositoryState,
};
use stackwave_github::port::{Comments, Target};
use stackwave_runtime::{Actor, Core, Turn};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::sync::mpsc;
use tracing::{Instrument as _, Span};

/// How comments are written.
#[derive(Clone, Debug)]
pub struct Config {
    /// Workflows are started; otherwise each comment says that they are not (`STACKWAVE_DISPATCH`).
    pub dispatch: bool,
    /// GitHub's web address, for links to workflow runs of which no webhook has come: `https://github.com`.
    pub web_url: String,
    /// The least time between two writes of one comment.
    pub pace: Duration,
    /// The wait after a first failure; it doubles with each further one, up to a minute.
    pub retry: Duration,
    /// For how long another process's claim to create a comment is respected (design §5 has the same for dispatches).
    pub take_over: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dispatch: true,
            web_url: "https://github.com".to_owned(),
            pace: Duration::from_secs(2),
            retry: Duration::from_secs(1),
            take_over: Duration::from_secs(30),
        }
    }
}

impl Config {
    /// For how long after a claim its creation may be under way: well before others take it over.
    pub(crate) fn claim_holds(&self) -> Duration {
        self.take_over * 2 / 3
    }
}

/// The commenter of one partition.
#[must_use]
pub fn actor(core: Core, comments: Arc<dyn Comments>, config: Config) -> Box<dyn Actor> {
    let (sender, outcomes) = mpsc::unbounded_channel();
    Box::new(Commenter { core, comments, config, repositories: HashMap::new(), sender, outcomes })
}

type Key = (WorkspaceId, PrNumber);

struct Commenter {
    core: Core,
    comments: Arc<dyn Comments>,
    config: Config,
    repositories: HashMap<RepositoryId, Work>,
    sender: mpsc::UnboundedSender<(RepositoryId, Key, Outcome)>,
    outcomes: mpsc::UnboundedReceiver<(RepositoryId, Key, Outcome)>,
}

/// What is known of one repository's comments beside its state.
#[derive(Default)]
struct Work {
    /// How far changes were asked for.
    asked_to: Position,
    /// Comments that may differ from what they should say.
    due: BTreeSet<Key>,
    slots: BTreeMap<Key, Slot>,
    /// Incomplete uploads that were noticed.
    noticed: BTreeSet<(PrNumber, Timestamp)>,
}

impl Actor for Commenter {
    fn name(&self) -> &'static str {
        ROLE
    }

    fn act(&mut self, turn: &Turn<'_>) -> Option<Timestamp> {
        self.take_outcomes();
        let id = turn.repository.id;
        let mut work = self.repositories.remove(&id).unwrap_or_default();
        let noticed = work.notice(turn);
        let again = self.write_due(turn, &mut work);
        self.repositories.insert(id, work);
        earlier(noticed, again)
    }
}

impl Commenter {
    fn take_outcomes(&mut self) {
        let now = self.core.clock.monotonic();
        while let Ok((repository, key, outcome)) = self.outcomes.try_recv() {
            let work = self.repositories.entry(repository).or_default();
            work.slots.entry(key).or_default().end(&outcome, &self.config, now);
        }
    }

    fn write_due(&self, turn: &Turn<'_>, work: &mut Work) -> Option<Timestamp> {
        if turn.repository.halted.is_some() || self.core.shutdown.is_cancelled() {
            return None;
        }
        // A repository that cannot be reached yet is asked about again when the configuration changes.
        let target = target(turn)?;
        let now = self.core.clock.monotonic();
        let mut again: Option<Duration> = None;
        let mut settled = Vec::new();
        for key in &work.due {
            let slot = work.slots.entry(key.clone()).or_default();
            match self.write(turn, &target, key, slot, now) {
                Gate::Open => settled.push(key.clone()),
                Gate::At(at) => again = Some(again.map_or(at, |other| other.min(at))),
                Gate::Closed => {}
            }
        }
        for key in settled {
            work.due.remove(&key);
        }
        work.slots.retain(|key, slot| work.due.contains(key) || slot.matters(now));
        // The loop sleeps on the wall clock.
        again.and_then(|at| self.core.clock.now().checked_add(at.saturating_sub(now)).ok())
    }

    /// Starts a post if one is due and possible. Open: the comment says what it should.
    fn write(&self, turn: &Turn<'_>, target: &Target, key: &Key, slot: &mut Slot, now: Duration) -> Gate {
        let (workspace, number) = key;
        let repository = turn.repository;
        let folded = repository.last_position();
        match slot.gate(folded, now) {
            Gate::Open => {}
            shut @ (Gate::At(_) | Gate::Closed) => return shut,
        }
        let paid = slot.take_paid();
        let options = Options {
            dispatch: self.config.dispatch,
            repository: Some(&target.name),
            web_url: &self.config.web_url,
            now: turn.now,
        };
        let rendering = self.core.clock.monotonic();
        let Some(body) = render(repository, *number, workspace, &options) else { return Gate::Open };
        let comment = repository.comments.get(&(marker::subject_name(workspace), *number));
        if comment.is_some_and(|comment| comment.says.as_ref() == Some(&Digest::of(body.as_bytes()))) {
            return Gate::Open;
        }
        let known = comment.and_then(|comment| comment.id);
        if known.is_none() {
            let exclusive = self.core.log.is_exclusive();
            match slot.creation(comment, self.core.ids.process(), exclusive, &self.config, now) {
                Gate::Open => {}
                shut @ (Gate::At(_) | Gate::Closed) => return shut,
            }
        }
        slot.begin();
        let post = Post {
            core: self.core.clone(),
            comments: Arc::clone(&self.comments),
            config: self.config.clone(),
            target: target.clone(),
            number: *number,
            subject: Subject::comment(turn.stream, repository.id, workspace, *number),
            marker: marker::marker(workspace, *number),
            body,
            known,
            last: comment.map_or(Position::START, |comment| comment.last),
            folded,
            look_first: slot.has_failed(),
            known_gone: known.is_none() && comment.is_some_and(|comment| comment.refused.is_some()),
            paid,
            rendered_in: self.core.clock.monotonic().saturating_sub(rendering),
            trace: newest_trace(repository, workspace, *number),
        };
        self.start(turn, key.clone(), post);
        Gate::Closed
    }

    fn start(&self, turn: &Turn<'_>, key: Key, post: Post) {
        let (sender, poke, id) = (self.sender.clone(), turn.poke.clone(), turn.repository.id);
        let span = if post.paid { post.span() } else { Span::none() };
        let posting = post.run().instrument(span);
        self.core.tasks.spawn(async move {
            // In a task of its own, so that even a panic ends in an outcome and the comment is not busy for ever.
            let outcome = tokio::spawn(posting).await.unwrap_or(Outcome::Failed);
            // The actor is gone when nobody listens; then there is nothing left to tell.
            let _ = sender.send((id, key, outcome));
            poke.ask_again(id);
        });
    }
}

impl Work {
    /// Notices what changed since it was last asked, and tells when an incomplete upload becomes overdue.
    fn notice(&mut self, turn: &Turn<'_>) -> Option<Timestamp> {
        self.due.extend(due_comments(turn.repository, self.asked_to));
        self.asked_to = turn.repository.last_position();
        let expected = batch::expected(turn.repository);
        self.noticed.retain(|noticed| expected.contains(noticed));
        let workspace = turn.config.repository(turn.repository.id).map(|known| &known.workspace);
        let mut again = None;
        for (number, at) in expected {
            if at > turn.now {
                again = earlier(again, Some(at));
            } else if let Some(workspace) = workspace
                && self.noticed.insert((number, at))
            {
                self.due.insert((workspace.clone(), number));
            }
        }
        again
    }
}

/// The trace of the newest run that the comment tells of.
fn newest_trace(state: &RepositoryState, workspace: &WorkspaceId, number: PrNumber) -> Option<Arc<str>> {
    let runs = state.runs_of_pull(number);
    runs.into_iter().rev().find(|run| run.workspace == *workspace)?.trace.clone()
}

fn target(turn: &Turn<'_>) -> Option<Target> {
    let repository = turn.config.repository(turn.repository.id)?;
    let installation = turn.config.installation_of(repository.id)?;
    Some(Target { id: repository.id, name: repository.name.clone(), installation })
}
