//! A simulated world for scenarios: a log in memory, one process of ours, a toy GitHub, and time that stands still
//! until somebody moves it. After every record the state is checked; a process can be cut at any record.

mod acts;
mod commands;
pub(crate) mod github;
pub(crate) mod graph;
mod process;
mod seen;

use github::{GitHub, later};
use process::Memory;
use stackwave_domain::{
    Entry, Event, InstallationId, Position, Record, RecordId, RepositoryId, RepositoryName, StreamId,
    Subject, Timestamp, WorkspaceId, event::RepositoryRegistered, record::Basis,
};
use stackwave_engine::{Config, ENGINE_VERSION, State, check::Violation};
use std::collections::BTreeSet;

pub(crate) const REPOSITORY: RepositoryId = RepositoryId(42);
const STREAM: StreamId = StreamId::Partition(0);

/// What happens to webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Now,
    /// They wait in the outbox.
    Held,
    Lost,
}

/// Where the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Right after this record.
    After(usize),
    /// Right before our record of this number lands: what it tells has happened, and is not told.
    Before(usize),
}

pub(crate) struct World {
    pub(crate) log: Vec<Entry>,
    pub(crate) state: State,
    pub(crate) config: Config,
    pub(crate) github: GitHub,
    pub(crate) now: Timestamp,
    pub(crate) delivery: Delivery,
    /// GitHub's webhooks of a dispatch come before its answer is in the log.
    pub(crate) webhooks_first: bool,
    /// The inputs that every workflow declares; none when the files cannot be read.
    pub(crate) declares: Option<BTreeSet<String>>,
    pub(crate) claims_at_once: usize,
    /// All that happens happens within one second.
    pub(crate) same_second: bool,
    /// The log of this scenario holds what our rules would never decide.
    pub(crate) allow_violations: bool,
    pub(crate) cut: Option<Cut>,
    /// So many records are only the scenario's beginning, and are not cut.
    pub(crate) cut_from: usize,
    /// The state is checked after every record.
    pub(crate) checked: bool,
    /// Commands that were appended.
    pub(crate) commands: u32,
    process: u32,
    memory: Memory,
    next_wake: Option<Timestamp>,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self {
            log: Vec::new(),
            state: State::default(),
            config: Config::default(),
            github: GitHub::default(),
            now: "2026-11-24T10:00:00Z".parse().unwrap(),
            delivery: Delivery::Now,
            webhooks_first: false,
            declares: Some(["atmos_pro_run_id", "sha"].map(str::to_owned).into()),
            claims_at_once: 100,
            same_second: false,
            allow_violations: false,
            cut: None,
            cut_from: 0,
            checked: true,
            commands: 0,
            process: 1,
            memory: Memory::default(),
            next_wake: None,
        };
        world.config.apply(&Entry {
            position: Position(1),
            subject: Subject::config("repository", "42"),
            record: Record::new(
                RecordId::new("c1"),
                world.now,
                "test",
                vec![
                    RepositoryRegistered {
                        repository: REPOSITORY,
                        name: RepositoryName::new("acme", "infra"),
                        default_branch: "main".into(),
                        installation: Some(InstallationId(1)),
                        workspace: WorkspaceId::default_workspace(),
                    }
                    .into(),
                ],
            ),
        });
        world
    }

    // The process.

    /// Delivers what is in the outbox and does all that is due. Time moves only while GitHub is being searched.
    pub(crate) fn settle(&mut self) {
        self.settle_until(later(self.now, 600));
    }

    fn settle_until(&mut self, deadline: Timestamp) {
        for _ in 0..100_000 {
            self.deliver_webhooks();
            self.next_wake = None;
            if self.log.is_empty() || self.act() {
                if self.log.is_empty() {
                    return;
                }
                continue;
            }
            match self.next_wake {
                Some(at) if at <= deadline && self.is_recovering() => self.now = at.max(later(self.now, 1)),
                Some(_) | None => return,
            }
        }
        panic!("the process never comes to rest; the last record: {:#?}", self.log.last());
    }

    /// Time passes, and what becomes due is done.
    pub(crate) fn pass(&mut self, seconds: i64) {
        let until = later(self.now, seconds);
        loop {
            self.settle_until(until);
            match self.next_wake {
                Some(at) if at < until => self.now = at.max(later(self.now, 1)),
                Some(_) | None => break,
            }
        }
        self.now = self.now.max(until);
        self.settle();
    }

    /// The process is killed and starts again, from a snapshot: what it remembered is gone.
    pub(crate) fn restart(&mut self) {
        self.process += 1;
        self.memory = Memory::default();
        let refolded = fold(&self.log);
        assert!(refolded == self.state, "folding again gives another state");
        self.state = restored(&refolded);
    }

    fn wake(&mut self, at: Option<Timestamp>) {
        self.next_wake = stackwave_engine::due::earlier(self.next_wake, at);
    }

    pub(crate) fn deliver_webhooks(&mut self) {
        match self.delivery {
            Delivery::Now => {
                for (event, content) in std::mem::take(&mut self.github.outbox) {
                    self.deliver(&event, content);
                }
            }
            Delivery::Held => {}
            Delivery::Lost => self.github.outbox.clear(),
        }
    }

    /// Delivers one webhook.
    pub(crate) fn deliver(&mut self, event: &str, content: Event) {
        self.append_observation(event, "webhook-receiver", vec![content]);
    }

    // The log.

    fn append_observation(&mut self, event: &str, actor: &str, events: Vec<Event>) {
        self.append(Subject::github(STREAM, REPOSITORY, event), actor, events);
    }

    fn append_result(&mut self, event: Event) -> bool {
        self.append(Subject::dispatch(STREAM, REPOSITORY), "dispatcher", vec![event])
    }

    pub(crate) fn append_ledger(&mut self, actor: &str, events: Vec<Event>) -> bool {
        self.append(Subject::ledger(STREAM, REPOSITORY), actor, events)
    }

    /// Appends a record of the commenter.
    pub(crate) fn append_as(&mut self, subject: Subject, events: Vec<Event>) {
        self.append(subject, "commenter", events);
    }

    /// Appends a record and folds it; false when the process died before it landed.
    fn append(&mut self, subject: Subject, actor: &str, events: Vec<Event>) -> bool {
        let number = self.log.len() + 1;
        let ours = matches!(actor, "orchestrator" | "dispatcher");
        if ours && self.cut == Some(Cut::Before(number)) {
            self.cut = None;
            self.restart();
            return false;
        }
        let mut record = Record::new(RecordId::new(format!("r{number}")), self.now, actor, events);
        if ours {
            record.cause = Some(self.last_position());
        }
        if actor == "orchestrator" {
            let now = self.now;
            record.basis = Some(Basis { engine: ENGINE_VERSION, now, config: self.config.position() });
        }
        let entry = Entry { position: Position(number as u64), subject, record };
        self.log.push(entry);
        self.fold_last();
        if self.cut == Some(Cut::After(number)) {
            self.cut = None;
            self.restart();
        }
        true
    }

    fn fold_last(&mut self) {
        let entry = self.log.last().unwrap();
        self.state.apply(entry);
        if self.checked
            && let Err(violations) = self.repository().check()
        {
            let violations: Vec<String> = violations
                .iter()
                .filter(|violation| !self.allow_violations || matches!(violation, Violation::Structure(_)))
                .map(ToString::to_string)
                .collect();
            assert!(violations.is_empty(), "{violations:#?} after {entry:#?}");
        }
    }
}

/// The state written and read back.
pub(crate) fn restored(state: &State) -> State {
    let restored = State::from_snapshot(&state.to_snapshot().unwrap()).unwrap();
    assert!(restored == *state, "a snapshot gives another state");
    restored
}

pub(crate) fn fold(log: &[Entry]) -> State {
    let mut state = State::default();
    for entry in log {
        state.apply(entry);
    }
    state
}
