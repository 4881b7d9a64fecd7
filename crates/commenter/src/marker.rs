//! The hidden first line by which a comment is found again.

use stackwave_domain::{PrNumber, RepositoryId, StreamId, Subject, WorkspaceId};

/// How every marker begins; nothing else in a comment holds this, whatever names it shows.
pub const PREFIX: &str = "<!-- stackwave:";

/// The first line of the comment of one workspace in one pull request. It never changes, so that comments of all
/// versions are found.
#[must_use]
pub fn marker(workspace: &WorkspaceId, number: PrNumber) -> String {
    format!("{PREFIX}v1 workspace={} pr={number} -->", subject_name(workspace))
}

/// A workspace as the subject `comment.<workspace>.<pr>` spells it, which is how the fold knows its comments.
pub(crate) fn subject_name(workspace: &WorkspaceId) -> WorkspaceId {
    let subject = Subject::comment(StreamId::Partition(0), RepositoryId(0), workspace, PrNumber(0));
    subject.kind().split('.').nth(1).map_or_else(|| workspace.clone(), WorkspaceId::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_with_any_name_gives_one_line_that_cannot_be_closed_early() {
        assert_eq!(
            marker(&WorkspaceId::new("default"), PrNumber(12)),
            "<!-- stackwave:v1 workspace=default pr=12 -->"
        );
        assert_eq!(
            marker(&WorkspaceId::new("a.b --> \n@c"), PrNumber(1)),
            "<!-- stackwave:v1 workspace=a_b_--____c pr=1 -->"
        );
    }
}
