//! The one comment of a pull request.

use super::{Class, RepositoryState};
use serde::{Deserialize, Serialize};
use stackwave_domain::{
    CommentId, Digest, Entry, Position, PrNumber, ProcessId, Timestamp, WorkspaceId,
    event::{CommentClaimed, CommentPosted, CommentRefused, IssueCommentObserved},
};

/// What is known of a pull request's comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// The last record of its subject: what a claim expects.
    pub last: Position,
    /// Who is creating it, and since when.
    pub claimed: Option<(ProcessId, Timestamp)>,
    /// GitHub's id, once it exists.
    pub id: Option<CommentId>,
    /// The digest of what it says, or of what GitHub refused.
    pub says: Option<Digest>,
    /// Why GitHub refused the newest text, and when.
    pub refused: Option<(String, Timestamp)>,
}

impl RepositoryState {
    fn comment_of(&mut self, entry: &Entry, number: PrNumber) -> &mut Comment {
        // `comment.<workspace>.<pr>`
        let workspace = entry.subject.kind().split('.').nth(1).unwrap_or("default");
        let comment = self.comments.entry((WorkspaceId::new(workspace), number)).or_insert(Comment {
            last: Position::START,
            claimed: None,
            id: None,
            says: None,
            refused: None,
        });
        comment.last = entry.position;
        comment
    }

    pub(super) fn claim_comment(&mut self, entry: &Entry, claimed: &CommentClaimed) -> Class {
        let comment = self.comment_of(entry, claimed.number);
        comment.claimed = Some((claimed.claimant.clone(), entry.record.at));
        Class::Applied
    }

    pub(super) fn post_comment(&mut self, entry: &Entry, posted: &CommentPosted) -> Class {
        let comment = self.comment_of(entry, posted.number);
        comment.claimed = None;
        comment.refused = None;
        comment.id = Some(posted.comment);
        comment.says = Some(posted.digest.clone());
        Class::Applied
    }

    pub(super) fn refuse_comment(&mut self, entry: &Entry, refused: &CommentRefused) -> Class {
        let at = entry.record.at;
        let comment = self.comment_of(entry, refused.number);
        comment.claimed = None;
        comment.says = Some(refused.digest.clone());
        comment.refused = Some((format!("GitHub answered {}: {}", refused.status, refused.message), at));
        if matches!(refused.status, 404 | 410) {
            // Somebody deleted it: the next text goes into a new one.
            comment.id = None;
            comment.says = None;
        }
        Class::Applied
    }

    /// Somebody deleted our comment: it is written anew.
    pub(super) fn observe_comment(&mut self, position: Position, observed: &IssueCommentObserved) -> Class {
        if observed.action != "deleted" {
            return Class::Known;
        }
        let ours = self.comments.iter_mut().find(|((_, number), comment)| {
            *number == observed.number && comment.id == Some(observed.comment)
        });
        let Some((_, comment)) = ours else { return Class::Known };
        comment.id = None;
        comment.says = None;
        self.touch_pull(position, observed.number);
        Class::Applied
    }
}
