//! What people, Atmos and workflows do in the world.

use super::{
    REPOSITORY, STREAM, World,
    github::{Pull, later, whole_second},
    graph::{Graph, key},
};
use stackwave_domain::{
    CommitSha, CredentialId, Digest, PrNumber, RepositoryName, Subject, Timestamp, WorkflowRunId,
    WorkspaceId,
    digest::{BlobRef, Stored},
    event::{Batch, Source, UploadReceived, WorkflowRunObserved},
    workflow::{Conclusion, RunStatus},
};

impl World {
    // Pull requests.

    fn tick(&mut self) {
        if !self.same_second {
            self.now = later(self.now, 1);
        }
    }

    fn change_pull(&mut self, number: u64, action: &str, change: impl FnOnce(&mut Pull, Timestamp)) {
        self.tick();
        let number = PrNumber(number);
        let at = whole_second(self.now);
        let pull = self.github.pulls.get_mut(&number).unwrap();
        let before = pull.head.clone();
        change(pull, at);
        pull.updated_at = at;
        let before = (before != pull.head).then_some(before);
        self.github.tell_pull(number, action, before);
        self.settle();
    }

    pub(crate) fn open_pull(&mut self, number: u64, head: &str) {
        let pull =
            Pull { head: head.into(), open: true, merged_at: None, merge_commit: None, updated_at: self.now };
        self.github.pulls.insert(PrNumber(number), pull);
        self.change_pull(number, "opened", |_, _| {});
    }

    pub(crate) fn push(&mut self, number: u64, head: &str) {
        self.change_pull(number, "synchronize", |pull, _| pull.head = head.into());
    }

    pub(crate) fn merge(&mut self, number: u64) {
        self.change_pull(number, "closed", |pull, at| {
            pull.open = false;
            pull.merged_at = Some(at);
            pull.merge_commit = Some(CommitSha::new(format!("merge-{number}")));
        });
    }

    pub(crate) fn close(&mut self, number: u64) {
        self.change_pull(number, "closed", |pull, _| pull.open = false);
    }

    pub(crate) fn reopen(&mut self, number: u64) {
        self.change_pull(number, "reopened", |pull, _| pull.open = true);
    }

    pub(crate) fn act_on_pull(&mut self, number: u64, action: &str) {
        self.change_pull(number, action, |_, _| {});
    }

    // Uploads.

    pub(crate) fn upload(&mut self, sha: &str, graph: &Graph) {
        self.upload_in(sha, graph, None);
    }

    pub(crate) fn chunk(&mut self, sha: &str, batch: &str, index: u32, total: u32, graph: &Graph) {
        self.upload_in(sha, graph, Some(Batch { id: batch.into(), index, total }));
    }

    fn upload_in(&mut self, sha: &str, graph: &Graph, batch: Option<Batch>) {
        self.tick();
        let fragment = graph.fragment();
        let digest = Digest::of_parts(&[sha, fragment.graph_digest().as_str()]);
        let upload = UploadReceived {
            workspace: WorkspaceId::default_workspace(),
            credential: CredentialId::new("key"),
            repository: RepositoryName::new("acme", "infra"),
            head_sha: sha.into(),
            base_sha: "base".into(),
            raw: BlobRef { digest: digest.clone(), bytes: 1 },
            digest,
            received_at: self.now,
            client: None,
            batch,
            fragment: Stored::inline(fragment),
        };
        self.append(Subject::upload(STREAM, REPOSITORY), "ingest-api", vec![upload.into()]);
        self.settle();
    }

    // Merge groups and releases.

    pub(crate) fn merge_group(&mut self, sha: &str, number: u64, action: &str) {
        self.tick();
        let reason = (action == "destroyed").then_some("dequeued");
        self.github.tell_merge_group(sha, PrNumber(number), action, reason);
        self.settle();
    }

    pub(crate) fn release(&mut self, release: u64, sha: &str, actions: &[&str]) {
        self.tick();
        self.github.tags.insert(release, sha.into());
        let at = whole_second(self.now);
        for action in actions {
            self.github.tell_release(release, action, at);
        }
        self.settle();
    }

    // Workflow runs.

    /// The newest workflow run of a stack.
    pub(crate) fn workflow_run(&self, stack: &str) -> WorkflowRunId {
        let key = key(stack);
        let mut runs = self.github.runs.iter().rev().filter(|(_, run)| run.claimed.key == key);
        *runs
            .next()
            .unwrap_or_else(|| panic!("{stack} was not dispatched; dispatched: {}", self.dispatched()))
            .0
    }

    pub(crate) fn change_run(&mut self, stack: &str, status: RunStatus, conclusion: Option<Conclusion>) {
        self.tick();
        let id = self.workflow_run(stack);
        self.github.change(id, status, conclusion, self.now);
        self.settle();
    }

    pub(crate) fn start(&mut self, stack: &str) {
        self.change_run(stack, RunStatus::InProgress, None);
    }

    pub(crate) fn finish(&mut self, stack: &str) {
        self.conclude(stack, Conclusion::Success);
    }

    pub(crate) fn fail(&mut self, stack: &str) {
        self.conclude(stack, Conclusion::Failure);
    }

    pub(crate) fn conclude(&mut self, stack: &str, conclusion: Conclusion) {
        self.change_run(stack, RunStatus::Completed, Some(conclusion));
    }

    pub(crate) fn rerun(&mut self, stack: &str) {
        self.tick();
        let id = self.workflow_run(stack);
        self.github.rerun(id, self.now);
        self.settle();
    }

    /// Everything that runs succeeds, until nothing runs.
    pub(crate) fn finish_all(&mut self) {
        loop {
            let open = self.github.runs.iter().find(|(_, run)| run.status != RunStatus::Completed);
            let Some((id, _)) = open else { return };
            let id = *id;
            self.tick();
            self.github.change(id, RunStatus::Completed, Some(Conclusion::Success), self.now);
            self.settle();
        }
    }

    /// Somebody else starts the workflow, on the same branch and with a title like ours.
    pub(crate) fn somebody_starts(&mut self, actor: &str) {
        self.somebody_starts_titled(actor, "plan.yaml");
    }

    /// As [`World::somebody_starts`], with a title of his choice.
    pub(crate) fn somebody_starts_titled(&mut self, actor: &str, title: &str) {
        let observed = WorkflowRunObserved {
            source: Source::Webhook { delivery: format!("of {actor}").into() },
            run: WorkflowRunId(5_000 + actor.len() as u64),
            attempt: 1,
            workflow: "plan.yaml".into(),
            title: title.to_owned(),
            event: "workflow_dispatch".to_owned(),
            status: RunStatus::InProgress,
            conclusion: None,
            head_branch: Some("main".into()),
            head_sha: "base".into(),
            actor: Some(actor.to_owned()),
            created_at: self.now,
            updated_at: self.now,
            html_url: String::new(),
        };
        self.deliver("workflow_run", observed.into());
    }
}
