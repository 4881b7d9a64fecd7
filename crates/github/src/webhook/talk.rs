//! Events of check runs and comments: what people press and write.

use super::{Delivery, Outcome, Read};
use crate::object::Object;
use stackwave_domain::{
    CommentId, CommitSha, PrNumber,
    event::{CheckRunObserved, IssueCommentObserved},
    workflow::Conclusion,
};

impl Delivery<'_> {
    pub(super) fn check_run(&self) -> Read {
        let value = self.payload.part("check_run");
        let check = Object::new("check_run", &value);
        // Each job of ordinary CI is a check run of GitHub's own App.
        if check.text("app.slug") == Some("github-actions") {
            return Ok(Outcome::Drop("a check run of ordinary CI"));
        }
        if self.own.is(&check, "app") == Some(false) {
            return Ok(Outcome::Drop("a check run of another App"));
        }
        let button = self.payload.part("requested_action");
        let observed = CheckRunObserved {
            source: self.source(),
            action: self.need_action()?,
            check_run: check.need_number("id")?,
            name: check.text("name").unwrap_or_default().to_owned(),
            head_sha: CommitSha::new(check.need_text("head_sha")?),
            external_id: check.text("external_id").map(str::to_owned),
            app: check.number("app.id"),
            conclusion: check.text("conclusion").map(Conclusion::from),
            requested_action: Object::new("requested_action", &button).text("identifier").map(str::to_owned),
        };
        Ok(Outcome::Repository(observed.into()))
    }

    pub(super) fn issue_comment(&self) -> Read {
        let issue = self.payload.part("issue");
        let issue = Object::new("issue", &issue);
        let number = PrNumber(issue.need_number("number")?);
        if !issue.at("pull_request").is_object() {
            return Ok(Outcome::Drop("a comment on an issue"));
        }
        let value = self.payload.part("comment");
        let comment = Object::new("comment", &value);
        let observed = IssueCommentObserved {
            source: self.source(),
            action: self.need_action()?,
            number,
            comment: CommentId(comment.need_number("id")?),
            // A deleted account leaves no author.
            author: comment.text("user.login").unwrap_or("ghost").to_owned(),
            app: comment.number("performed_via_github_app.id"),
            sender: self.sender(),
            body: comment.text("body").unwrap_or_default().to_owned(),
        };
        if self.own.is(&comment, "performed_via_github_app") == Some(true) && is_echo(&observed) {
            return Ok(Outcome::Drop("what we wrote ourselves"));
        }
        Ok(Outcome::Repository(observed.into()))
    }
}

/// Whether a comment of ours was created or edited by ourselves. When somebody else edits it (a checkbox is an edit) or
/// anybody deletes it, that is news.
fn is_echo(comment: &IssueCommentObserved) -> bool {
    match comment.action.as_str() {
        "created" => true,
        "edited" => comment.sender.as_ref().is_none_or(|sender| *sender == comment.author),
        _ => false,
    }
}
