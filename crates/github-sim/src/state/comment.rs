//! Comments on issues and pull requests.

use jiff::Timestamp;
use serde_json::json;

use super::{CommentId, Draft, PullNumber, RepositoryId, State, User};
use crate::{
    error::{Error, Result},
    json::Json,
    shapes,
};

/// GitHub's limit on the characters of a comment.
pub(crate) const BODY_LIMIT: usize = 65_536;

/// A comment.
#[derive(Clone, Debug)]
pub struct Comment {
    /// Its id.
    pub id: CommentId,
    /// Repository of the conversation.
    pub repository_id: RepositoryId,
    /// Number of the issue or pull request.
    pub number: PullNumber,
    /// Its text.
    pub body: String,
    /// Who wrote it.
    pub author: User,
    /// Whether it was written through the App under test (`performed_via_github_app`).
    pub by_our_app: bool,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it was edited.
    pub edits: u64,
}

impl State {
    pub(crate) fn add_comment(
        &mut self,
        repository_id: RepositoryId,
        number: PullNumber,
        author: User,
        body: String,
    ) -> Result<CommentId> {
        self.known_pull(repository_id, number)?;
        let (id, now) = (3_000_000_000 + self.next(), self.now());
        let by_our_app = author.login == self.config.app.bot_login();
        let comment = Comment {
            id,
            repository_id,
            number,
            body,
            by_our_app,
            author,
            created_at: now,
            updated_at: now,
            edits: 0,
        };
        self.comments.insert(id, comment);
        self.send_comment(id, "created", None);
        Ok(id)
    }

    pub(crate) fn edit_comment(&mut self, id: CommentId, body: String) -> Result<()> {
        let now = self.now();
        let comment = self.comments.get_mut(&id).ok_or_else(|| unknown(id))?;
        let before = std::mem::replace(&mut comment.body, body);
        comment.updated_at = now;
        comment.edits += 1;
        self.send_comment(id, "edited", Some(&before));
        Ok(())
    }

    pub(crate) fn delete_comment(&mut self, id: CommentId) -> Result<()> {
        if !self.comments.contains_key(&id) {
            return Err(unknown(id));
        }
        self.send_comment(id, "deleted", None);
        self.comments.remove(&id);
        Ok(())
    }

    fn send_comment(&mut self, id: CommentId, action: &'static str, before: Option<&str>) {
        let Some(comment) = self.comments.get(&id) else { return };
        let Some(repository) = self.repositories.get(&comment.repository_id) else { return };
        let Some(pull) = repository.pulls.get(&comment.number) else { return };
        let rendered = shapes::comment::comment(&self.urls, &self.config.app, repository, comment);
        let issue = shapes::issue::of_pull(&self.urls, repository, pull);
        let changes =
            before.map_or_else(|| json!({}), |before| json!({ "changes": { "body": { "from": before } } }));
        let draft = Draft {
            event: "issue_comment",
            action: Some(action),
            repository: Some(comment.repository_id),
            subject: format!("comment/{id}"),
            sender: comment.author.clone(),
            body: Json::from(changes).with("comment", &rendered).with("issue", &issue),
        };
        self.emit(draft);
    }
}

fn unknown(id: CommentId) -> Error {
    Error::unknown(format!("comment {id}"))
}
