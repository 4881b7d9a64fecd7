//! One post: from a text to a comment at GitHub and a record in the log.
//!
//! It is paid for first, which may take long: GitHub allows few comments an hour. A post that is not paid for does only
//! that, and ends; what is to be said is rendered anew for the one that follows, and its claim waits for no budget.
//!
//! An edit is idempotent and needs no claim. A creation is claimed first, on the comment's own subject with its last
//! position, so that of several commenters one creates; GitHub is searched for the marker after the claim and before
//! the creation, so that a comment whose record was lost is found. Results are appended without an expectation: what
//! happened at GitHub happened, whoever claimed meanwhile, and a later `find` returns the oldest comment to everybody.
//!
//! Two processes that edit one comment at the same time write it twice, and each records what it wrote; the digest of the
//! last record then tells both whether another edit is due.

use crate::{ROLE, actor::Config, slot::Outcome};
use stackwave_domain::{
    CommentId, Digest, Event, Position, PrNumber, Record, Subject,
    event::{CommentClaimed, CommentPosted, CommentRefused},
};
use stackwave_event_log::{Append, AppendError};
use stackwave_github::port::{CallError, Comments, OwnComment, Target};
use stackwave_runtime::Core;
use std::{sync::Arc, time::Duration};

/// Everything that one post needs.
pub(crate) struct Post {
    pub(crate) core: Core,
    pub(crate) comments: Arc<dyn Comments>,
    pub(crate) config: Config,
    pub(crate) target: Target,
    pub(crate) number: PrNumber,
    pub(crate) subject: Subject,
    pub(crate) marker: String,
    pub(crate) body: String,
    /// The comment, when the state knows it.
    pub(crate) known: Option<CommentId>,
    /// The subject's last record as folded, and how far the state was folded.
    pub(crate) last: Position,
    pub(crate) folded: Position,
    /// An earlier attempt failed: look before paying and claiming, so that a lasting failure neither uses up the budget
    /// nor fills the log with claims.
    pub(crate) look_first: bool,
    /// A refusal as gone is in the log already.
    pub(crate) known_gone: bool,
    /// One write is paid for.
    pub(crate) paid: bool,
    /// How long rendering took.
    pub(crate) rendered_in: Duration,
    /// The trace of the newest run that it tells of.
    pub(crate) trace: Option<Arc<str>>,
}

/// Why a post ended before its comment was written.
enum Stop {
    GitHub(CallError),
    Log(AppendError),
    Moved(Position),
    TooLate,
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        Self::GitHub(error)
    }
}

impl From<AppendError> for Stop {
    fn from(error: AppendError) -> Self {
        Self::Log(error)
    }
}

/// A comment that says what it should.
struct Written {
    comment: CommentId,
    found: bool,
}

impl Post {
    /// The span of the post in its trace.
    pub(crate) fn span(&self) -> tracing::Span {
        tracing::info_span!(
            "comment",
            trace.parent = self.trace.as_deref(),
            repository.id = self.target.id.0,
            repository.name = %self.target.name,
            pull_request = self.number.0,
            bytes = self.body.len(),
            render_us = self.rendered_in.as_micros() as u64,
            position = tracing::field::Empty,
        )
    }

    /// Pays for the comment, or, when that is done, writes it and records it.
    pub(crate) async fn run(self) -> Outcome {
        if !self.paid {
            let paid = tokio::select! {
                paid = self.pay() => paid,
                // Nothing was claimed, so whoever comes next begins anew.
                () = self.core.shutdown.cancelled() => return Outcome::Failed,
            };
            return match paid {
                Ok(()) => Outcome::Paid,
                Err(error) => self.fail(error).await,
            };
        }
        match self.write().await {
            Ok(written) => {
                self.core.health.detail("github", "reachable");
                let event = CommentPosted {
                    number: self.number,
                    comment: written.comment,
                    digest: self.digest(),
                    found: written.found,
                };
                self.record(event.into()).await.map_or(Outcome::Failed, Outcome::Recorded)
            }
            Err(Stop::Moved(position)) => Outcome::Moved(position),
            Err(Stop::TooLate) => Outcome::Failed,
            Err(Stop::Log(error)) => {
                tracing::warn!(%error, pr = %self.number, "the comment could not be claimed; trying again");
                Outcome::Failed
            }
            Err(Stop::GitHub(error)) => self.fail(error).await,
        }
    }

    async fn pay(&self) -> Result<(), CallError> {
        if self.known.is_none() && self.look_first {
            self.find().await?;
        }
        self.comments.pay(self.target.installation).await
    }

    async fn write(&self) -> Result<Written, Stop> {
        if let Some(comment) = self.known {
            self.comments.update(&self.target, comment, &self.body).await?;
            return Ok(Written { comment, found: false });
        }
        self.claim().await?;
        let claimed_at = self.core.clock.monotonic();
        if let Some(found) = self.find().await? {
            return self.adopt(found).await;
        }
        self.create(claimed_at).await
    }

    async fn find(&self) -> Result<Option<OwnComment>, CallError> {
        self.comments.find(&self.target, self.number, &self.marker).await
    }

    async fn adopt(&self, found: OwnComment) -> Result<Written, Stop> {
        if found.body != self.body {
            self.comments.update(&self.target, found.id, &self.body).await?;
        }
        Ok(Written { comment: found.id, found: true })
    }

    /// Creates the comment within the time in which the claim is certainly ours.
    async fn create(&self, claimed_at: Duration) -> Result<Written, Stop> {
        let create = self.comments.create(&self.target, self.number, &self.body);
        let comment = if self.core.log.is_exclusive() {
            create.await?
        } else {
            let held = self.core.clock.monotonic().saturating_sub(claimed_at);
            let left = self.config.claim_holds().checked_sub(held).ok_or(Stop::TooLate)?;
            match tokio::time::timeout(left, create).await {
                Ok(created) => created?,
                // It may have happened: the next attempt looks first.
                Err(_) => return Err(Stop::TooLate),
            }
        };
        Ok(Written { comment, found: false })
    }

    /// Claims the creation. A conflict with a record that the state has folded means that the state has forgotten the
    /// comment since; with a newer one, that somebody else was first.
    async fn claim(&self) -> Result<(), Stop> {
        let mut last = self.last;
        loop {
            let claimed = CommentClaimed { number: self.number, claimant: self.core.ids.process().clone() };
            let record = self.record_of(claimed.into());
            let id = record.id.clone();
            match self.core.log.append(Append::after(self.subject.clone(), record, last)).await {
                Ok(_) => return Ok(()),
                Err(AppendError::Conflict { .. } | AppendError::Unknown(_)) => {}
                Err(error) => return Err(error.into()),
            }
            let newest = self.core.log.last(&self.subject).await;
            let newest = newest.map_err(|error| AppendError::Unavailable(error.to_string()))?;
            let position = newest.as_ref().map_or(Position::START, |entry| entry.position);
            if newest.is_some_and(|entry| entry.record.id == id) {
                return Ok(());
            }
            if position > self.folded {
                return Err(Stop::Moved(position));
            }
            last = position;
        }
    }

    /// What GitHub's no, or silence, means for the next attempt.
    async fn fail(&self, error: CallError) -> Outcome {
        let (repository, pr) = (&self.target.name, self.number);
        match error {
            CallError::RateLimited { wait } => {
                tracing::info!(%repository, %pr, wait_s = wait.as_secs(), "GitHub limits our comments; waiting");
                Outcome::Limited(wait)
            }
            CallError::NotFound(message) => {
                tracing::warn!(%repository, %pr, message, "the comment or its pull request is gone");
                if self.known_gone {
                    return Outcome::Gone(None);
                }
                Outcome::Gone(self.refused(404, message).await)
            }
            CallError::Refused { status, message } => {
                tracing::warn!(%repository, %pr, status, message, "GitHub refused the comment");
                self.refused(status, message).await.map_or(Outcome::Failed, Outcome::Recorded)
            }
            CallError::Unavailable(_) | CallError::Unauthorized(_) => {
                tracing::warn!(%repository, %pr, %error, "the comment could not be written; trying again");
                self.core.health.detail("github", error.to_string());
                Outcome::Failed
            }
        }
    }

    async fn refused(&self, status: u16, message: String) -> Option<Position> {
        let refused = CommentRefused { number: self.number, digest: self.digest(), status, message };
        self.record(refused.into()).await
    }

    /// Appends a result. When that fails, the next attempt finds the comment as it stands and records it then.
    async fn record(&self, event: Event) -> Option<Position> {
        let record = self.record_of(event);
        let name = record.id.as_str().to_owned();
        let append = Append::any(self.subject.clone(), record).named(name);
        let mut result = self.core.log.append(append.clone()).await;
        if matches!(result, Err(AppendError::Unknown(_))) {
            // Its name keeps the log from taking it twice.
            result = self.core.log.append(append).await;
        }
        match result {
            Ok(appended) => {
                tracing::Span::current().record("position", appended.receipt.position.0);
                Some(appended.receipt.position)
            }
            Err(error) => {
                tracing::warn!(%error, pr = %self.number, "what became of the comment could not be recorded");
                None
            }
        }
    }

    /// A record in the trace, written because of what the state said.
    fn record_of(&self, event: Event) -> Record {
        let mut record = self.core.record(ROLE, vec![event]).caused_by(self.folded);
        record.trace = self.trace.as_deref().map(str::to_owned);
        record
    }

    fn digest(&self) -> Digest {
        Digest::of(self.body.as_bytes())
    }
}
