//! A log that is made up as it is read: a million finished runs over some years, and a thousand that go on.

use stackwave_domain::{
    CommitSha, Digest, Entry, Event, Fragment, Inputs, Position, PrNumber, Record, RecordId, RepositoryId,
    RunId, RunPlan, StackKey, StreamId, Subject, Timestamp, WorkflowRunId, WorkspaceId,
    digest::{BlobRef, Stored},
    event::{
        DispatchAccepted, DispatchClaimed, PullRequestObserved, RunClosed, RunEnded, RunOpened, RunOutcome,
        Source, StackReleased, Trigger, UploadReceived, WorkflowRunObserved,
    },
    fragment::WorkflowCall,
    plan::{PlannedStack, Verdict},
    workflow::{Conclusion, RunStatus},
};
use stackwave_engine::identity::dispatch_id;

pub(crate) const STREAM: StreamId = StreamId::Partition(0);

/// So many repositories.
pub(crate) const REPOSITORIES: u64 = 200;
/// Seconds from one run to the next.
const SPACING: i64 = 120;
/// Records that a run may have; a run that goes on has fewer, and leaves a gap.
const RECORDS: u64 = 9;

/// How many there are of what.
#[derive(Clone, Copy)]
pub(crate) struct History {
    pub(crate) finished: u64,
    pub(crate) active: u64,
    pub(crate) stacks: u64,
}

/// One run.
pub(crate) struct Life {
    number: u64,
    pub(crate) repository: RepositoryId,
    pub(crate) pull: PrNumber,
    pub(crate) head_sha: CommitSha,
    pub(crate) run: RunId,
    opened_at: Timestamp,
    keys: Vec<StackKey>,
}

/// A number that looks like none in particular (splitmix64).
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn hex(seed: u64, digits: usize) -> String {
    let text: String = (0..3).map(|part| format!("{:016x}", mixed(seed.wrapping_mul(3) + part))).collect();
    text[..digits].to_owned()
}

impl History {
    pub(crate) const fn runs(self) -> u64 {
        self.finished + self.active
    }

    pub(crate) const fn last(self) -> Position {
        Position(self.runs() * RECORDS)
    }

    pub(crate) fn life(self, number: u64) -> Life {
        // The last repository has a few old runs and nothing since.
        let repository = match number % REPOSITORIES {
            rare if rare == REPOSITORIES - 1 && number > 40_000 => 0,
            any => any,
        };
        let pull = number / REPOSITORIES / 4 + 1;
        let head_sha = hex(number, 40);
        let stack = |index: u64| {
            let component = format!("component-{}", (number + index * 7) % 60);
            StackKey::new(
                format!("plat-ue{}-{}", number % 3, ["dev", "staging", "prod"][(index % 3) as usize]),
                component,
            )
        };
        let mut keys: Vec<StackKey> = (0..self.stacks).map(stack).collect();
        keys.sort();
        keys.dedup();
        let opened = 1_672_531_200 + i64::try_from(number).unwrap() * SPACING;
        Life {
            number,
            repository: RepositoryId(1_000_000 + repository),
            pull: PrNumber(pull),
            run: RunId::new(format!(
                "pr{pull}-synchronize-{}-{}",
                &head_sha[..7],
                hex(number + (1 << 40), 12)
            )),
            head_sha: head_sha.into(),
            opened_at: Timestamp::from_second(opened).unwrap(),
            keys,
        }
    }

    /// The records from a position on.
    pub(crate) fn read(self, from: Position, limit: usize) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut position = from.0.max(1);
        let mut life = None;
        while entries.len() < limit && position <= self.last().0 {
            let (number, record) = ((position - 1) / RECORDS, (position - 1) % RECORDS);
            if life.as_ref().is_none_or(|life: &Life| life.number != number) {
                life = Some(self.life(number));
            }
            let goes_on = number >= self.finished;
            if !(goes_on && record >= RECORDS - 2) {
                entries.extend(life.as_ref().map(|life| life.entry(Position(position), record)));
            }
            position += 1;
        }
        entries
    }
}

impl Life {
    pub(crate) const fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    /// The workflow run of one of its stacks.
    pub(crate) fn a_workflow_run(&self) -> WorkflowRunId {
        self.workflow_run(&self.keys[0])
    }

    fn entry(&self, position: Position, record: u64) -> Entry {
        let at = self.opened_at + jiff::SignedDuration::from_secs(i64::try_from(record * 5).unwrap());
        let (subject, events) = self.events(record, at);
        let record = Record::new(RecordId::new(format!("r{position}")), at, "bench", events);
        Entry { position, subject, record }
    }

    fn events(&self, record: u64, at: Timestamp) -> (Subject, Vec<Event>) {
        let github = |event| Subject::github(STREAM, self.repository, event);
        let ledger = Subject::ledger(STREAM, self.repository);
        match record {
            0 => (github("pull_request"), vec![self.pull_request(at).into()]),
            1 => (Subject::upload(STREAM, self.repository), vec![self.upload(at).into()]),
            2 => (ledger, vec![self.opening().into()]),
            3 => (ledger, self.each(|key| StackReleased { run: self.run.clone(), key, attempt: 1 }.into())),
            4 => (ledger, self.each(|key| self.claim(key).into())),
            5 => (Subject::dispatch(STREAM, self.repository), self.each(|key| self.acceptance(&key).into())),
            6 => (
                github("workflow_run"),
                self.each(|key| self.observed(&key, RunStatus::InProgress, at).into()),
            ),
            7 => (
                github("workflow_run"),
                self.each(|key| self.observed(&key, RunStatus::Completed, at).into()),
            ),
            _ => (ledger, vec![self.end()]),
        }
    }

    fn each(&self, event: impl Fn(StackKey) -> Event) -> Vec<Event> {
        self.keys.iter().cloned().map(event).collect()
    }

    fn delivery(&self, salt: u64) -> Source {
        let guid = hex(self.number * 31 + salt, 32);
        let guid = [&guid[..8], &guid[8..12], &guid[12..16], &guid[16..20], &guid[20..]].join("-");
        Source::Webhook { delivery: guid.into() }
    }

    fn pull_request(&self, at: Timestamp) -> PullRequestObserved {
        PullRequestObserved {
            source: self.delivery(0),
            action: Some("synchronize".to_owned()),
            number: self.pull,
            open: true,
            merged: false,
            merged_at: None,
            merge_commit_sha: None,
            head_sha: self.head_sha.clone(),
            head_ref: format!("feature/change-{}-{}", self.repository, self.pull).into(),
            base_ref: "main".into(),
            before: None,
            title: Some(format!("Change number {} of the platform in {}", self.pull, self.repository)),
            updated_at: at,
        }
    }

    fn digest(&self) -> Digest {
        Digest::from_hex(&hex(self.number + (1 << 41), 48).repeat(2)[..64])
    }

    fn upload(&self, at: Timestamp) -> UploadReceived {
        UploadReceived {
            workspace: WorkspaceId::default_workspace(),
            credential: "bootstrap".into(),
            repository: stackwave_domain::RepositoryName::new("acme", format!("infra-{}", self.repository)),
            head_sha: self.head_sha.clone(),
            base_sha: hex(self.number + (1 << 42), 40).into(),
            digest: self.digest(),
            raw: BlobRef { digest: self.digest(), bytes: 1 },
            received_at: at,
            client: Some("atmos/1.200.0".to_owned()),
            batch: None,
            fragment: Stored::inline(Fragment::default()),
        }
    }

    fn opening(&self) -> RunOpened {
        let calls = vec![WorkflowCall { workflow: "tf-plan.yaml".into(), inputs: Inputs::default() }];
        let planned = |key: &StackKey| PlannedStack {
            key: key.clone(),
            directly_affected: true,
            verdict: Verdict::Dispatch(calls.clone()),
        };
        RunOpened {
            run: self.run.clone(),
            workspace: WorkspaceId::default_workspace(),
            trigger: Trigger::new("pull_request", "synchronize"),
            inferred: false,
            generation: 1,
            pull_request: Some(self.pull),
            release: None,
            head_sha: self.head_sha.clone(),
            sha: self.head_sha.clone(),
            git_ref: "main".into(),
            upload: self.digest(),
            merged_at: None,
            plan: Stored::inline(RunPlan {
                stacks: self.keys.iter().map(planned).collect(),
                ..RunPlan::default()
            }),
        }
    }

    fn claim(&self, key: StackKey) -> DispatchClaimed {
        let workflow = "tf-plan.yaml".into();
        DispatchClaimed {
            dispatch: dispatch_id(&self.run, &key, &workflow, 1),
            run: self.run.clone(),
            key,
            attempt: 1,
            claimant: "process".into(),
            workflow,
            git_ref: "main".into(),
            inputs: Inputs::default(),
            title: None,
        }
    }

    fn workflow_run(&self, key: &StackKey) -> WorkflowRunId {
        let index = self.keys.iter().position(|it| it == key).unwrap() as u64;
        WorkflowRunId(10_000_000_000 + self.number * 64 + index)
    }

    fn url(&self, key: &StackKey) -> String {
        format!("https://github.com/acme/infra-{}/actions/runs/{}", self.repository, self.workflow_run(key))
    }

    fn acceptance(&self, key: &StackKey) -> DispatchAccepted {
        DispatchAccepted {
            dispatch: dispatch_id(&self.run, key, &"tf-plan.yaml".into(), 1),
            epoch: 1,
            workflow_run: Some(self.workflow_run(key)),
            html_url: Some(self.url(key)),
        }
    }

    fn observed(&self, key: &StackKey, status: RunStatus, at: Timestamp) -> WorkflowRunObserved {
        let done = status == RunStatus::Completed;
        let conclusion =
            if self.number.is_multiple_of(29) { Conclusion::Failure } else { Conclusion::Success };
        WorkflowRunObserved {
            source: self.delivery(self.workflow_run(key).0 * 2 + u64::from(done)),
            run: self.workflow_run(key),
            attempt: 1,
            workflow: "tf-plan.yaml".into(),
            title: "plan".to_owned(),
            event: "workflow_dispatch".to_owned(),
            status,
            conclusion: done.then_some(conclusion),
            head_branch: Some("main".into()),
            head_sha: self.head_sha.clone(),
            actor: Some("stackwave[bot]".to_owned()),
            created_at: self.opened_at,
            updated_at: at,
            html_url: self.url(key),
        }
    }

    /// Most succeed; some fail and stay so, since their pull request is closed.
    fn end(&self) -> Event {
        if self.number.is_multiple_of(29) {
            return RunClosed { run: self.run.clone(), reason: "the pull request was closed".to_owned() }
                .into();
        }
        RunEnded { run: self.run.clone(), outcome: RunOutcome::Succeeded }.into()
    }
}
