//! Announces this process, renews what it holds, takes what it shall hold, and gives back what another shall.

use super::{Acting, LeaseView, MemberView, rendezvous};
use crate::core::Core;
use futures::future::join_all;
use serde_json::{Map, Value, json};
use stackwave_domain::{ProcessId, Timestamp};
use stackwave_event_log::{HeldLease, Lease, LeaseError, Leases, LogError, Member};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// The part of the process that is not ready while no lease can be written.
const PART: &str = "leases";

/// A role and a partition.
type Seat = (String, u16);

pub(super) struct Keeper {
    core: Core,
    acting: Acting,
    roles: Vec<String>,
    about: String,
    since: Timestamp,
    held: BTreeMap<Seat, Lease>,
    /// Given back for a better member; acted for until it is seen to hold it.
    handed_over: BTreeMap<Seat, Instant>,
    /// Since when the leases cannot be reached; it is told once.
    cut_off: Option<Instant>,
}

/// What the log says of members and leases.
struct Seen {
    members: BTreeMap<String, BTreeSet<ProcessId>>,
    held: BTreeMap<Seat, HeldLease>,
    views: Vec<MemberView>,
}

impl Keeper {
    pub(super) fn new(core: Core, acting: Acting, roles: &[&str], about: &str) -> Self {
        Self {
            since: core.clock.now(),
            core,
            acting,
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            about: about.to_owned(),
            held: BTreeMap::new(),
            handed_over: BTreeMap::new(),
            cut_off: None,
        }
    }

    pub(super) async fn run(mut self) {
        let shutdown = self.core.shutdown.clone();
        let mut ready = self.acting.board.ready.subscribe();
        let partitions = usize::from(self.core.log.partitions());
        tokio::select! {
            () = shutdown.cancelled() => return,
            ready = ready.wait_for(|ready| ready.len() >= partitions) => if ready.is_err() { return },
        }
        loop {
            let round = tokio::select! {
                () = shutdown.cancelled() => break,
                round = self.round() => round,
            };
            self.told(round.as_ref().err());
            // Three renewals a lease; what is to change hands is looked at more often.
            let wait = self.leases().ttl() / if round.unwrap_or(false) { 12 } else { 3 };
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(wait) => {},
            }
        }
        self.leave().await;
    }

    fn leases(&self) -> &dyn Leases {
        self.core.log.leases()
    }

    fn process(&self) -> &ProcessId {
        self.core.ids.process()
    }

    /// One look at everything; whether something is about to change hands.
    async fn round(&mut self) -> Result<bool, LogError> {
        let this = &*self;
        let announced = join_all(self.roles.iter().map(|role| async move {
            let member = Member {
                group: role.clone(),
                process: this.process().clone(),
                since: this.since,
                about: this.about.clone(),
            };
            this.leases().announce(&member).await
        }));
        let announced: Result<Vec<()>, LogError> = announced.await.into_iter().collect();
        // What is held is renewed also when nobody can be announced: it is the same log that fails.
        let renewed = self.renew().await;
        announced.and(renewed)?;
        let seen = self.look().await?;
        self.give_back(&seen).await;
        self.take(&seen).await;
        let changing = self.publish(seen);
        Ok(changing)
    }

    async fn look(&self) -> Result<Seen, LogError> {
        let (members, held) = futures::join!(self.leases().members(None), self.leases().held());
        let mut by_role: BTreeMap<String, BTreeSet<ProcessId>> = BTreeMap::new();
        let mut views = Vec::new();
        for member in members? {
            by_role.entry(member.group.clone()).or_default().insert(member.process.clone());
            views.push(MemberView {
                ours: member.process == *self.process(),
                role: member.group,
                process: member.process,
                since: member.since,
                about: member.about,
            });
        }
        let held = held?.into_iter().filter_map(|lease| Some((seat(&lease.name)?, lease))).collect();
        Ok(Seen { members: by_role, held, views })
    }

    async fn renew(&mut self) -> Result<(), LogError> {
        let leases = self.leases();
        let renewed = join_all(
            self.held.iter().map(|(seat, lease)| async move { (seat.clone(), leases.renew(lease).await) }),
        );
        let mut result = Ok(());
        let renewed = renewed.await;
        for (seat, renewed) in renewed {
            match renewed {
                Ok(lease) => {
                    self.held.insert(seat, lease);
                }
                Err(LeaseError::Lost | LeaseError::Held { .. }) => {
                    tracing::warn!(
                        role = seat.0,
                        partition = seat.1,
                        "the lease was lost; another process may act"
                    );
                    self.held.remove(&seat);
                }
                // It is held until it ends by itself.
                Err(LeaseError::Unavailable(error)) => result = Err(LogError::Unavailable(error)),
            }
        }
        let now = Instant::now();
        self.held.retain(|_, lease| now < lease.valid_until);
        self.write_down();
        result
    }

    /// Everything for which another member is the better choice.
    async fn give_back(&mut self, seen: &Seen) {
        let better: Vec<Seat> =
            self.held.keys().filter(|seat| !self.is_choice(seen, seat)).cloned().collect();
        for seat in better {
            let Some(lease) = self.held.remove(&seat) else { continue };
            self.handed_over.insert(seat.clone(), lease.valid_until);
            tracing::info!(role = seat.0, partition = seat.1, "the lease is given to another process");
            if let Err(error) = self.leases().release(lease).await {
                tracing::warn!(%error, "a lease cannot be given back; it ends by itself");
            }
        }
        let us = self.process().clone();
        let now = Instant::now();
        self.handed_over
            .retain(|seat, until| now < *until && seen.held.get(seat).is_none_or(|lease| lease.holder == us));
    }

    /// Everything for which this process is the best choice and that nobody else holds.
    async fn take(&mut self, seen: &Seen) {
        let now = self.core.clock.now();
        let wanted: Vec<Seat> = self
            .seats()
            .filter(|seat| !self.held.contains_key(seat) && self.is_choice(seen, seat))
            .filter(|seat| seen.held.get(seat).is_none_or(|lease| lease.holder == *self.process()))
            .collect();
        let this = &*self;
        let taken = join_all(wanted.into_iter().map(|seat| async move {
            let acquired = this.leases().acquire(&name(&seat), this.process(), now).await;
            (seat, acquired)
        }));
        let taken = taken.await;
        for (seat, acquired) in taken {
            match acquired {
                Ok(lease) => {
                    tracing::info!(role = seat.0, partition = seat.1, "this process acts for the partition");
                    self.handed_over.remove(&seat);
                    self.held.insert(seat, lease);
                }
                Err(LeaseError::Held { .. } | LeaseError::Lost) => {}
                Err(error @ LeaseError::Unavailable(_)) => {
                    tracing::warn!(%error, role = seat.0, partition = seat.1, "a lease cannot be taken");
                }
            }
        }
    }

    fn seats(&self) -> impl Iterator<Item = Seat> + '_ {
        let partitions = 0..self.core.log.partitions();
        self.roles.iter().flat_map(move |role| partitions.clone().map(|partition| (role.clone(), partition)))
    }

    fn is_choice(&self, seen: &Seen, (role, partition): &Seat) -> bool {
        let members = seen.members.get(role).into_iter().flatten();
        rendezvous::choose(*partition, members).is_none_or(|choice| choice == self.process())
    }

    /// Lets the actors know for what they act.
    fn write_down(&self) {
        let held = self.held.iter().map(|(seat, lease)| (seat.clone(), lease.valid_until));
        let acts_until: BTreeMap<Seat, Instant> =
            held.chain(self.handed_over.iter().map(|(seat, until)| (seat.clone(), *until))).collect();
        let mut table = self.acting.table();
        let changed = !table.acts_until.keys().eq(acts_until.keys());
        table.acts_until = acts_until;
        drop(table);
        if changed {
            self.acting.tell();
        }
    }

    /// Shows people what is known; whether something is about to change hands.
    fn publish(&self, seen: Seen) -> bool {
        self.write_down();
        let mut seats: BTreeMap<Seat, LeaseView> =
            seen.held.into_iter().map(|(seat, lease)| (seat.clone(), self.view(seat, &lease))).collect();
        for (seat, lease) in &self.held {
            let lease =
                HeldLease { name: lease.name.clone(), holder: lease.holder.clone(), since: lease.since };
            seats.insert(seat.clone(), self.view(seat.clone(), &lease));
        }
        let all = seats.len() >= self.seats().count();
        let leases: Vec<LeaseView> = seats.into_values().collect();
        self.core
            .health
            .detail("leases", summary(&self.roles, self.core.log.partitions(), &leases, &seen.views));
        let mut table = self.acting.table();
        let came_or_went = table.members != seen.views;
        let is_news = came_or_went || table.leases != leases;
        table.leases = leases;
        table.members = seen.views;
        drop(table);
        if is_news {
            self.acting.tell();
        }
        !all || came_or_went || !self.handed_over.is_empty()
    }

    fn view(&self, (role, partition): Seat, lease: &HeldLease) -> LeaseView {
        LeaseView {
            partition,
            role,
            holder: lease.holder.clone(),
            since: lease.since,
            ours: lease.holder == *self.process(),
        }
    }

    /// What nobody can write a lease to takes no upload either, though it may be read, as where a disk is full: for longer
    /// than a lease lasts, and the process is not ready.
    fn told(&mut self, error: Option<&LogError>) {
        let health = &self.core.health;
        match (error, self.cut_off) {
            (Some(error), None) => {
                self.cut_off = Some(Instant::now());
                tracing::warn!(%error, "the leases cannot be reached; what is held is acted for until it ends");
                health.detail("leases", format!("out of reach: {error}"));
            }
            (Some(error), Some(since)) if since.elapsed() >= self.leases().ttl() => {
                health.not_ready(PART, format!("out of reach: {error}"));
            }
            (None, Some(_)) => {
                self.cut_off = None;
                health.ready(PART);
                tracing::info!("the leases can be reached again");
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }

    /// The process drains: others need not wait until its leases end.
    async fn leave(&mut self) {
        self.handed_over.clear();
        let held = std::mem::take(&mut self.held);
        self.write_down();
        let left = async {
            join_all(self.roles.iter().map(|role| self.leases().leave(role, self.process()))).await;
            join_all(held.into_values().map(|lease| self.leases().release(lease))).await;
        };
        // Whatever cannot be given back ends by itself.
        if tokio::time::timeout(Duration::from_secs(5), left).await.is_err() {
            tracing::warn!("the leases cannot be given back; they end by themselves");
        }
    }
}

fn name((role, partition): &Seat) -> String {
    format!("{role}.{partition}")
}

fn seat(name: &str) -> Option<Seat> {
    let (role, partition) = name.rsplit_once('.')?;
    Some((role.to_owned(), partition.parse().ok()?))
}

/// For `/readyz`: of each role, for how many partitions this process acts, and how many processes share them.
fn summary(roles: &[String], partitions: u16, leases: &[LeaseView], members: &[MemberView]) -> Value {
    let of_role = |role: &String| {
        let ours = leases.iter().filter(|lease| lease.ours && lease.role == *role).count();
        let members = members.iter().filter(|member| member.role == *role).count();
        (role.clone(), json!({ "partitions": ours, "of": partitions, "processes": members }))
    };
    Value::Object(roles.iter().map(of_role).collect::<Map<String, Value>>())
}
