//! Leases and members.

use super::{Harness, fixture::eventually};
use crate::{EventLog, Lease, LeaseError, Member};
use stackwave_domain::{ProcessId, Timestamp};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn process(name: &str) -> ProcessId {
    ProcessId::new(name)
}

async fn acquire(log: &dyn EventLog, name: &str, holder: &str) -> Result<Lease, LeaseError> {
    log.leases().acquire(name, &process(holder), NOW).await
}

async fn held(log: &dyn EventLog) -> Vec<(String, String)> {
    let held = log.leases().held().await.expect("the leases should be listed");
    held.into_iter().map(|lease| (lease.name, lease.holder.to_string())).collect()
}

async fn present(log: &dyn EventLog, group: Option<&str>) -> Vec<String> {
    let members = log.leases().members(group).await.expect("the members should be listed");
    members.into_iter().map(|member| format!("{}/{}", member.group, member.process)).collect()
}

/// Until it is given back.
pub async fn a_lease_has_one_holder_at_a_time(harness: &impl Harness) {
    let log = harness.open().await;
    let lease = acquire(&*log, "orchestrator SW_00", "a").await.expect("nobody has it");
    assert!(lease.is_valid());
    assert_eq!((lease.name.as_str(), &lease.holder, lease.since), ("orchestrator SW_00", &process("a"), NOW));
    let refused = acquire(&*log, "orchestrator SW_00", "b").await;
    assert_eq!(refused, Err(LeaseError::Held { by: process("a") }));
    acquire(&*log, "orchestrator SW_01", "b").await.expect("that is another one");
    let expected = [("orchestrator SW_00", "a"), ("orchestrator SW_01", "b")];
    assert_eq!(held(&*log).await, expected.map(|(name, holder)| (name.to_owned(), holder.to_owned())));
    log.leases().release(lease.clone()).await.expect("given back");
    acquire(&*log, "orchestrator SW_00", "b").await.expect("it was given back");
    assert_eq!(log.leases().renew(&lease).await, Err(LeaseError::Lost));
    log.leases().release(lease).await.expect("nothing to give back");
    assert_eq!(acquire(&*log, "orchestrator SW_00", "c").await, Err(LeaseError::Held { by: process("b") }));
}

/// A renewal makes it last; and a holder that forgot that it has it gets it again.
pub async fn a_lease_is_renewed_and_acquired_again_by_its_holder(harness: &impl Harness) {
    let log = harness.open().await;
    let first = acquire(&*log, "x", "a").await.expect("nobody has it");
    let second = log.leases().renew(&first).await.expect("it is renewed");
    assert!(second.valid_until >= first.valid_until && second.since == first.since);
    let later = NOW + log.leases().ttl();
    let third = log.leases().acquire("x", &process("a"), later).await.expect("it is ours");
    assert_eq!(third.since, NOW, "it was never given back");
    log.leases().renew(&third).await.expect("it is renewed");
}

/// Its holder is gone: another process gets it in the end, and the holder, should it come back, is told.
pub async fn a_lease_that_is_not_renewed_goes_to_another(harness: &impl Harness) {
    let log = harness.open().await;
    let lost = acquire(&*log, "x", "a").await.expect("nobody has it");
    let taken = eventually("the lease should end", || async { acquire(&*log, "x", "b").await.ok() }).await;
    assert_eq!(taken.holder, process("b"));
    assert!(!lost.is_valid(), "its holder should have known before anybody got it");
    assert_eq!(log.leases().renew(&lost).await, Err(LeaseError::Lost));
}

/// Each by itself, and at once.
pub async fn of_many_processes_that_want_a_lease_one_gets_it(harness: &impl Harness) {
    let log = harness.open().await;
    let names: Vec<String> = (0..16).map(|number| format!("process-{number}")).collect();
    let results = futures::future::join_all(names.iter().map(|name| acquire(&*log, "x", name))).await;
    let winners: Vec<&Lease> = results.iter().flatten().collect();
    assert_eq!(winners.len(), 1, "{results:?}");
    let by = winners[0].holder.clone();
    for refused in results.iter().filter_map(|result| result.as_ref().err()) {
        assert_eq!(*refused, LeaseError::Held { by: by.clone() });
    }
}

/// Who is there is seen, and who is gone is not, whether it said so or not.
pub async fn members_are_seen_until_they_leave_or_fall_silent(harness: &impl Harness) {
    let log = harness.open().await;
    let member = |group: &str, name: &str| Member {
        group: group.to_owned(),
        process: process(name),
        since: NOW,
        about: format!("{name} on a machine"),
    };
    for (group, name) in
        [("dispatcher", "b"), ("dispatcher", "a"), ("dispatcher", "c.d"), ("orchestrator", "a")]
    {
        log.leases().announce(&member(group, name)).await.expect("announced");
    }
    assert_eq!(present(&*log, Some("dispatcher")).await, ["dispatcher/a", "dispatcher/b", "dispatcher/c.d"]);
    assert_eq!(present(&*log, None).await.len(), 4);
    assert_eq!(present(&*log, Some("dispatch")).await, Vec::<String>::new());
    let members = log.leases().members(Some("orchestrator")).await.expect("listed");
    assert_eq!(members, [member("orchestrator", "a")]);
    log.leases().leave("dispatcher", &process("b")).await.expect("left");
    assert_eq!(present(&*log, Some("dispatcher")).await, ["dispatcher/a", "dispatcher/c.d"]);
    eventually("the silent ones should go", || async {
        log.leases().announce(&member("dispatcher", "a")).await.expect("announced");
        (present(&*log, None).await == ["dispatcher/a"]).then_some(())
    })
    .await;
    assert_eq!(held(&*log).await, []);
}
