//! Ids that are functions of what they name, so that two replicas that decide the same name it the same.

use stackwave_domain::{
    CommitSha, Digest, DispatchId, PrNumber, RepositoryId, RunId, StackKey, WorkflowFile, WorkspaceId,
    event::Trigger,
};

/// What a run's id is made of (design §4.1): the trigger's fields, never the upload's bytes.
#[derive(Clone, Debug)]
pub struct RunKey<'a> {
    /// Whose run.
    pub workspace: &'a WorkspaceId,
    /// Where.
    pub repository: RepositoryId,
    /// Why.
    pub trigger: &'a Trigger,
    /// The pull request.
    pub pull_request: Option<PrNumber>,
    /// The release.
    pub release: Option<u64>,
    /// The commit.
    pub head_sha: &'a CommitSha,
    /// Which run of the same trigger.
    pub generation: u32,
}

impl RunKey<'_> {
    /// Readable in front, unique behind: `pr7-synchronize-9f2c1d7-5e1b9a04c2d3`.
    #[must_use]
    pub fn id(&self) -> RunId {
        let what = match (self.pull_request, self.release) {
            (Some(number), _) => format!("pr{number}"),
            (None, Some(release)) => format!("release{release}"),
            (None, None) => self.trigger.event.replace('_', "-"),
        };
        let digest = Digest::of_parts(&[
            self.workspace.as_str(),
            &self.repository.to_string(),
            &self.trigger.to_string(),
            &what,
            self.head_sha.as_str(),
            &self.generation.to_string(),
        ]);
        RunId::new(format!(
            "{what}-{}-{}-{}",
            self.trigger.activity,
            self.head_sha.short(),
            digest.prefix(12)
        ))
    }
}

/// How every dispatch id begins, so that it is recognised in a workflow run's title.
const DISPATCH_PREFIX: &str = "swd_";

/// The id of one dispatch.
#[must_use]
pub fn dispatch_id(run: &RunId, key: &StackKey, workflow: &WorkflowFile, attempt: u32) -> DispatchId {
    let digest = Digest::of_parts(&[
        run.as_str(),
        key.stack.as_str(),
        key.component.as_str(),
        workflow.as_str(),
        &attempt.to_string(),
    ]);
    DispatchId::new(format!("{DISPATCH_PREFIX}{}", digest.prefix(24)))
}

/// The dispatch ids that a workflow run's title holds.
pub fn dispatch_ids_in(title: &str) -> impl Iterator<Item = DispatchId> + '_ {
    title
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with(DISPATCH_PREFIX))
        .map(DispatchId::new)
}
