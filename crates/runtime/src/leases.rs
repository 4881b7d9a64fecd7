//! Which partitions this process acts for: replicas of a role share the partitions by leases (design §7).
//!
//! Every process folds every partition; it acts in a role for a partition only while it holds the lease
//! `<role>.<partition>`. A lease is for speed: what is right is decided by the log's position checks, so two holders
//! conflict and nothing worse. The holder of choice is the member for which [`rendezvous`] is greatest: it is the same in
//! every role, so that a partition's decisions and claims are made by one process, and it moves only what it must when a
//! member comes or goes.
//!
//! A process says that it is there once it has folded everything, never before. When a better member comes, the holder
//! gives the lease back and acts on until it sees the other hold it: for a moment both act, never none. What a killed
//! process held ends by itself, and whoever is the best of the rest takes it. A log that only one process can serve has
//! no leases: that process acts for everything at once.

mod keeper;
mod rendezvous;

use crate::core::Core;
use keeper::Keeper;
use serde::Serialize;
use stackwave_domain::{ProcessId, StreamId, Timestamp};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::sync::watch;

/// A lease, for people and metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeaseView {
    /// For which partition.
    pub partition: u16,
    /// In which role.
    pub role: String,
    /// Which process acts.
    pub holder: ProcessId,
    /// Since when, by its clock.
    pub since: Timestamp,
    /// Whether that is this process.
    pub ours: bool,
}

/// Which process is there in a role, for people and metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberView {
    /// Which role.
    pub role: String,
    /// Which process.
    pub process: ProcessId,
    /// Since when, by its clock.
    pub since: Timestamp,
    /// Host and version, as it says.
    pub about: String,
    /// Whether that is this process.
    pub ours: bool,
}

/// For which partitions this process acts, in which roles. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Acting {
    board: Arc<Board>,
}

#[derive(Debug)]
struct Board {
    /// Acts for everything, whatever the table says.
    always: bool,
    table: Mutex<Table>,
    /// Counts whenever this process began or ended to act, or members came or went.
    changed: watch::Sender<u64>,
    /// Partitions that are folded up to their end.
    ready: watch::Sender<BTreeSet<StreamId>>,
}

#[derive(Debug, Default)]
struct Table {
    /// Until when this process acts, unless that is put off.
    acts_until: BTreeMap<(String, u16), Instant>,
    leases: Vec<LeaseView>,
    members: Vec<MemberView>,
}

impl Default for Acting {
    fn default() -> Self {
        Self::always()
    }
}

impl Acting {
    /// This process acts for everything.
    #[must_use]
    pub fn always() -> Self {
        Self::new(true)
    }

    fn new(always: bool) -> Self {
        let board = Board {
            always,
            table: Mutex::default(),
            changed: watch::channel(0).0,
            ready: watch::channel(BTreeSet::new()).0,
        };
        Self { board: Arc::new(board) }
    }

    /// Takes part in these roles, until the process drains. `about` is what people see of the process: host, version.
    #[must_use]
    pub fn start(core: &Core, roles: &[&str], about: &str) -> Self {
        if core.log.is_exclusive() {
            return Self::always();
        }
        let acting = Self::new(false);
        let keeper = Keeper::new(core.clone(), acting.clone(), roles, about);
        core.tasks.spawn(keeper.run());
        acting
    }

    /// Whether this process acts in a role for a partition now.
    #[must_use]
    pub fn acts(&self, role: &str, stream: StreamId) -> bool {
        let StreamId::Partition(partition) = stream else { return self.board.always };
        self.board.always
            || self
                .table()
                .acts_until
                .get(&(role.to_owned(), partition))
                .is_some_and(|until| Instant::now() < *until)
    }

    /// Wakes whenever this process began or ended to act for a partition, or members came or went.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.board.changed.subscribe()
    }

    /// How many processes are there that have any of these roles; at least one.
    #[must_use]
    pub fn processes_with(&self, roles: &[&str]) -> usize {
        let table = self.table();
        let having = table.members.iter().filter(|member| roles.contains(&member.role.as_str()));
        having.map(|member| &member.process).collect::<BTreeSet<_>>().len().max(1)
    }

    /// Who is there. Empty when there are no leases.
    #[must_use]
    pub fn members(&self) -> Vec<MemberView> {
        self.table().members.clone()
    }

    /// Who acts for what, as far as is known. Empty when there are no leases.
    #[must_use]
    pub fn leases(&self) -> Vec<LeaseView> {
        self.table().leases.clone()
    }

    /// A partition is folded up to its end: it may be acted for.
    pub(crate) fn is_ready(&self, stream: StreamId) {
        if !self.board.always {
            self.board.ready.send_if_modified(|ready| ready.insert(stream));
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // A panic while the lock is held leaves the table whole: every change is one insert or assignment.
        self.board.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.board.changed.send_modify(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_several_roles_counts_once_and_one_with_others_does_not() {
        let acting = Acting::new(false);
        let member = |role: &str, process: &str| MemberView {
            role: role.to_owned(),
            process: ProcessId::new(process),
            since: Timestamp::UNIX_EPOCH,
            about: String::new(),
            ours: false,
        };
        assert_eq!(
            acting.processes_with(&["dispatcher", "commenter"]),
            1,
            "this process, before it is announced"
        );
        acting.table().members = vec![
            member("commenter", "all"),
            member("commenter", "comments"),
            member("dispatcher", "all"),
            member("dispatcher", "dispatches"),
            member("orchestrator", "decides"),
        ];
        assert_eq!(acting.processes_with(&["dispatcher", "commenter"]), 3);
        assert_eq!(acting.processes_with(&["dispatcher"]), 2);
    }
}
