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
    /// Counts whenever this process began or ended to act, members came or went, or leases changed hands.
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

    /// Wakes whenever this process began or ended to act for a partition, members came or went, or leases changed hands.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.board.changed.subscribe()
    }

    /// Which part of what the App has is this process's, of all processes that act in these roles: as much as it has of
    /// the leases that are held. So one that only stands by leaves everything to those that act. Of those that hold
    /// nothing each has as much as any other, for what it began before.
    #[must_use]
    pub fn share(&self, roles: &[&str]) -> f64 {
        let has = |role: &str| roles.contains(&role);
        let table = self.table();
        let held: Vec<&LeaseView> = table.leases.iter().filter(|lease| has(&lease.role)).collect();
        let ours = held.iter().filter(|lease| lease.ours).count();
        let (ours, all) = if ours == 0 {
            let members = table.members.iter().filter(|member| has(&member.role));
            (1, members.map(|member| &member.process).collect::<BTreeSet<_>>().len().max(1))
        } else {
            (ours, held.len())
        };
        let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        number(ours) / number(all)
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

    const WRITING: [&str; 2] = ["dispatcher", "commenter"];

    fn member(role: &str, process: &str) -> MemberView {
        MemberView {
            role: role.to_owned(),
            process: ProcessId::new(process),
            since: Timestamp::UNIX_EPOCH,
            about: String::new(),
            ours: process == "we",
        }
    }

    fn lease(role: &str, partition: u16, process: &str) -> LeaseView {
        LeaseView {
            partition,
            role: role.to_owned(),
            holder: ProcessId::new(process),
            since: Timestamp::UNIX_EPOCH,
            ours: process == "we",
        }
    }

    fn share(members: Vec<MemberView>, leases: Vec<LeaseView>) -> f64 {
        let acting = Acting::new(false);
        *acting.table() = Table { members, leases, ..Table::default() };
        acting.share(&WRITING)
    }

    fn assert_is(share: f64, expected: f64) {
        assert!((share - expected).abs() < 1e-9, "{share} is not {expected}");
    }

    #[test]
    fn who_acts_for_the_only_partition_has_everything_although_others_stand_by() {
        let members =
            || WRITING.into_iter().flat_map(|role| [member(role, "we"), member(role, "other")]).collect();
        let leases = |holder: &str| WRITING.into_iter().map(|role| lease(role, 0, holder)).collect();
        assert_is(share(members(), leases("we")), 1.0);
        assert_is(share(members(), leases("other")), 0.5);
    }

    #[test]
    fn shares_follow_the_partitions_and_the_roles() {
        let four =
            |process: fn(u16) -> &'static str| (0..4).map(move |partition| (partition, process(partition)));
        let spread = |partition| if partition < 3 { "other" } else { "we" };
        let leases = four(spread).map(|(partition, holder)| lease("dispatcher", partition, holder));
        let others_role = lease("orchestrator", 0, "we");
        assert_is(share(Vec::new(), leases.clone().chain([others_role]).collect()), 0.25);
        let comments = four(|_| "third").map(|(partition, holder)| lease("commenter", partition, holder));
        assert_is(share(Vec::new(), leases.chain(comments).collect()), 0.125);
    }

    #[test]
    fn before_anything_is_known_a_process_is_alone() {
        assert_is(share(Vec::new(), Vec::new()), 1.0);
    }
}
