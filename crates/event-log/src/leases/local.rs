//! Leases within one process: those of a log that nobody else can serve.

use super::{HeldLease, Lease, LeaseError, Leases, Member};
use crate::LogError;
use async_trait::async_trait;
use stackwave_domain::{ProcessId, Timestamp};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a lease lasts unless configured.
const TTL: Duration = Duration::from_secs(6);

/// Leases in memory. They end with the process, as does its hold on the log.
#[derive(Debug)]
pub struct LocalLeases {
    ttl: Duration,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    revision: u64,
    leases: BTreeMap<String, Lease>,
    members: BTreeMap<(String, ProcessId), (Member, Instant)>,
}

impl LocalLeases {
    /// Leases that last so long.
    #[must_use]
    pub fn new(ttl: Duration) -> Self {
        Self { ttl, table: Mutex::default() }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn grant(&self, table: &mut Table, name: &str, holder: &ProcessId, since: Timestamp) -> Lease {
        table.revision += 1;
        let lease = Lease {
            name: name.to_owned(),
            holder: holder.clone(),
            since,
            revision: table.revision,
            valid_until: Instant::now() + self.ttl,
        };
        table.leases.insert(name.to_owned(), lease.clone());
        lease
    }
}

impl Default for LocalLeases {
    fn default() -> Self {
        Self::new(TTL)
    }
}

#[async_trait]
impl Leases for LocalLeases {
    fn ttl(&self) -> Duration {
        self.ttl
    }

    async fn acquire(&self, name: &str, holder: &ProcessId, now: Timestamp) -> Result<Lease, LeaseError> {
        let mut table = self.table();
        let since = match table.leases.get(name).filter(|lease| lease.is_valid()) {
            Some(lease) if lease.holder != *holder => {
                return Err(LeaseError::Held { by: lease.holder.clone() });
            }
            Some(lease) => lease.since,
            None => now,
        };
        Ok(self.grant(&mut table, name, holder, since))
    }

    async fn renew(&self, lease: &Lease) -> Result<Lease, LeaseError> {
        let mut table = self.table();
        match table.leases.get(&lease.name) {
            Some(current) if current.holder == lease.holder && current.is_valid() => {
                Ok(self.grant(&mut table, &lease.name, &lease.holder, lease.since))
            }
            Some(_) | None => Err(LeaseError::Lost),
        }
    }

    async fn release(&self, lease: Lease) -> Result<(), LogError> {
        let mut table = self.table();
        if table.leases.get(&lease.name).is_some_and(|current| current.holder == lease.holder) {
            table.leases.remove(&lease.name);
        }
        Ok(())
    }

    async fn held(&self) -> Result<Vec<HeldLease>, LogError> {
        let table = self.table();
        let valid = table.leases.values().filter(|lease| lease.is_valid());
        Ok(valid
            .map(|lease| HeldLease {
                name: lease.name.clone(),
                holder: lease.holder.clone(),
                since: lease.since,
            })
            .collect())
    }

    async fn announce(&self, member: &Member) -> Result<(), LogError> {
        let until = Instant::now() + self.ttl;
        let key = (member.group.clone(), member.process.clone());
        self.table().members.insert(key, (member.clone(), until));
        Ok(())
    }

    async fn leave(&self, group: &str, process: &ProcessId) -> Result<(), LogError> {
        self.table().members.remove(&(group.to_owned(), process.clone()));
        Ok(())
    }

    async fn members(&self, group: Option<&str>) -> Result<Vec<Member>, LogError> {
        let mut table = self.table();
        table.members.retain(|_, (_, until)| Instant::now() < *until);
        let members = table.members.values().map(|(member, _)| member);
        Ok(members.filter(|member| group.is_none_or(|group| group == member.group)).cloned().collect())
    }
}
