//! The event log: whether it can be relied on.

use crate::Finding;
use jiff::SignedDuration;
use stackwave_domain::Timestamp;
use stackwave_event_log::{AccountStats, ClusterStats, EngineStats, LogStats};

/// The oldest server that has what Stackwave relies on.
const NATS_SINCE: (u32, u32) = (2, 14);
/// Clocks may differ by this much before it is told (design: skew above 2 s is shown).
const TOLERATED_SKEW: SignedDuration = SignedDuration::from_secs(2);
/// From here on a limit is near.
const NEARLY_FULL: f64 = 0.8;

/// Judges a log by its figures. `now` is this machine's clock when they came.
#[must_use]
pub fn judge(stats: &LogStats, partitions: u16, now: Timestamp) -> Vec<Finding> {
    let mut findings = vec![Finding::ok(
        "log.reachable",
        format!(
            "{}, {partitions} partition{}",
            engine(&stats.engine),
            if partitions == 1 { "" } else { "s" }
        ),
    )];
    match &stats.engine {
        EngineStats::Sqlite { journal_mode, synchronous, .. } => {
            findings.push(sqlite_durability(journal_mode, synchronous.as_deref()));
        }
        EngineStats::JetStream { version, cluster, replicas, storage, persistence, account, .. } => {
            findings.push(nats_version(version));
            findings.push(nats_durability(storage, persistence));
            findings.push(nats_replicas(*replicas, cluster.as_ref()));
            findings.extend(account.as_ref().and_then(nats_account));
        }
    }
    findings.extend(streams(stats));
    findings.extend(clock(stats, now));
    findings
}

fn engine(engine: &EngineStats) -> String {
    match engine {
        EngineStats::Sqlite { version, file, .. } => format!("`{file}` opens with SQLite {version}"),
        EngineStats::JetStream { version, server, .. } => {
            format!("NATS server {version} (`{server}`) answers, and JetStream holds the streams")
        }
    }
}

fn sqlite_durability(journal_mode: &str, synchronous: Option<&str>) -> Finding {
    const CHECK: &str = "log.durability";
    if journal_mode != "wal" {
        return Finding::warning(
            CHECK,
            format!("the file's journal is `{journal_mode}`: readers and the writer stop each other"),
            "start `stackwave serve` once on it, which sets `wal`; if it stays, the file system may not support it",
        );
    }
    match synchronous {
        Some("full" | "extra") | None => {
            Finding::ok(CHECK, "write-ahead log; `serve` syncs every commit to the disk before it answers")
        }
        Some(other) => Finding::problem(
            CHECK,
            format!(
                "commits are `synchronous={other}`: an answered upload may be lost when the machine stops"
            ),
            "remove whatever sets `PRAGMA synchronous` for this process",
        ),
    }
}

fn nats_version(version: &str) -> Finding {
    const CHECK: &str = "log.version";
    let (major, minor) = NATS_SINCE;
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(found), Some(below)) if (found, below) >= NATS_SINCE => {
            Finding::ok(CHECK, format!("NATS server {version}"))
        }
        (Some(_), Some(_)) => Finding::problem(
            CHECK,
            format!("NATS server {version} is too old"),
            format!("use {major}.{minor} or newer on every server of the cluster"),
        ),
        _ => Finding::note(
            CHECK,
            format!("the NATS server calls its version `{version}`, which tells nothing"),
        ),
    }
}

fn nats_durability(storage: &str, persistence: &str) -> Finding {
    const CHECK: &str = "log.durability";
    if storage != "file" {
        return Finding::problem(
            CHECK,
            format!("a stream lies in `{storage}` storage: it is gone when the servers stop"),
            "move the log to streams with file storage: start an empty log and use `stackwave migrate`",
        );
    }
    if persistence == "async" {
        return Finding::problem(
            CHECK,
            "a stream acknowledges before it writes (`persist_mode: async`): an answered upload may be lost",
            "set the stream's persist mode to `default`",
        );
    }
    Finding::note(
        CHECK,
        "file storage; how often the servers sync to disk (`sync_interval`, every two minutes by default) they tell \
         nobody: set `sync_interval: always` in their configuration, unless replicas stand in different places that \
         never lose power together",
    )
}

fn nats_replicas(replicas: u64, cluster: Option<&ClusterStats>) -> Finding {
    const CHECK: &str = "log.replicas";
    let Some(cluster) = cluster else {
        return Finding::warning(
            CHECK,
            "one NATS server without a cluster: while it is away nothing is taken, and its disk is the only copy",
            "for production run three servers and set STACKWAVE_NATS_REPLICAS=3",
        );
    };
    let name = &cluster.name;
    if replicas < 3 {
        return Finding::warning(
            CHECK,
            format!("the cluster `{name}` keeps each record on {replicas} of its servers"),
            "set STACKWAVE_NATS_REPLICAS=3 and start a `serve`, which raises it",
        );
    }
    if cluster.leader.is_none() {
        return Finding::problem(
            CHECK,
            format!("the configuration's stream has no leader in the cluster `{name}`"),
            "see that more than half of the NATS servers run and reach each other",
        );
    }
    if cluster.current < cluster.peers {
        return Finding::warning(
            CHECK,
            format!("{} of {} servers of `{name}` follow without lag", cluster.current, cluster.peers),
            "look at the NATS servers that are away or behind; until they are back one more failure may stop the log",
        );
    }
    Finding::ok(CHECK, format!("each record lies on {replicas} servers of `{name}`"))
}

fn nats_account(account: &AccountStats) -> Option<Finding> {
    let max = account.max_storage_bytes?;
    nearly_full("log.account", "the JetStream account", account.storage_bytes, max)
}

fn streams(stats: &LogStats) -> Vec<Finding> {
    let limited = stats.streams.iter().filter_map(|stream| Some((stream, stream.max_bytes?)));
    limited
        .filter_map(|(stream, max)| {
            nearly_full("log.space", &format!("the stream {}", stream.stream), stream.bytes, max)
        })
        .collect()
}

fn nearly_full(check: &'static str, what: &str, used: u64, max: u64) -> Option<Finding> {
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let share = used as f64 / max.max(1) as f64;
    (share >= NEARLY_FULL).then(|| {
        Finding::warning(
            check,
            format!("{what} holds {used} of {max} bytes that it may hold ({:.0} %)", share * 100.0),
            "raise the limit, or purge what is old with `stackwave log purge`; a full log takes no upload and no webhook",
        )
    })
}

fn clock(stats: &LogStats, now: Timestamp) -> Option<Finding> {
    let skew = stats.clock?.duration_since(now).abs();
    let exact = stats.round_trip_micros.map_or(SignedDuration::ZERO, |micros| {
        SignedDuration::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    });
    Some(skew_finding("log.clock", "the log's server", skew, exact))
}

/// What a difference between this machine's clock and another's means.
pub(crate) fn skew_finding(
    check: &'static str,
    whose: &str,
    skew: SignedDuration,
    exact: SignedDuration,
) -> Finding {
    if skew > TOLERATED_SKEW + exact {
        return Finding::warning(
            check,
            format!("the clocks of this machine and of {whose} differ by {} s", skew.as_secs()),
            "let both follow a time server (chrony, systemd-timesyncd): waits and times in the log are wrong by as much",
        );
    }
    Finding::ok(check, format!("the clocks of this machine and of {whose} agree"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;
    use stackwave_domain::Position;
    use stackwave_event_log::{StoreStats, StreamStats};

    fn stats(engine: EngineStats) -> LogStats {
        LogStats {
            engine,
            streams: vec![StreamStats {
                stream: "SW_00".to_owned(),
                first: None,
                last: Position::START,
                records: 0,
                bytes: 0,
                max_bytes: None,
                subjects: 0,
            }],
            blobs: StoreStats::default(),
            snapshots: StoreStats::default(),
            asides: StoreStats::default(),
            disk_bytes: 0,
            clock: None,
            round_trip_micros: None,
        }
    }

    fn jetstream() -> EngineStats {
        EngineStats::JetStream {
            version: "2.14.1".to_owned(),
            server: "n1".to_owned(),
            cluster: Some(ClusterStats {
                name: "main".to_owned(),
                leader: Some("n1".to_owned()),
                peers: 3,
                current: 3,
            }),
            replicas: 3,
            storage: "file".to_owned(),
            persistence: "default".to_owned(),
            account: None,
        }
    }

    fn level(findings: &[Finding], check: &str) -> Level {
        findings.iter().find(|finding| finding.check == check).map(|finding| finding.level).unwrap()
    }

    #[test]
    fn a_cluster_of_three_is_well() {
        let findings = judge(&stats(jetstream()), 16, Timestamp::UNIX_EPOCH);
        assert!(findings.iter().all(|finding| finding.level <= Level::Note), "{findings:#?}");
    }

    #[test]
    fn an_old_server_memory_storage_and_one_replica_are_told() {
        let EngineStats::JetStream { server, cluster, account, .. } = jetstream() else { unreachable!() };
        let bad = EngineStats::JetStream {
            version: "2.9.10".to_owned(),
            server,
            cluster,
            replicas: 1,
            storage: "memory".to_owned(),
            persistence: "default".to_owned(),
            account,
        };
        let findings = judge(&stats(bad), 1, Timestamp::UNIX_EPOCH);
        assert_eq!(level(&findings, "log.version"), Level::Problem);
        assert_eq!(level(&findings, "log.durability"), Level::Problem);
        assert_eq!(level(&findings, "log.replicas"), Level::Warning);
    }

    #[test]
    fn a_clock_that_is_off_and_a_stream_that_is_nearly_full_are_told() {
        let mut stats = stats(jetstream());
        stats.clock = Some(Timestamp::from_second(10).unwrap());
        stats.streams[0].bytes = 90;
        stats.streams[0].max_bytes = Some(100);
        let findings = judge(&stats, 1, Timestamp::UNIX_EPOCH);
        assert_eq!(level(&findings, "log.clock"), Level::Warning);
        assert_eq!(level(&findings, "log.space"), Level::Warning);
    }

    #[test]
    fn a_file_that_does_not_sync_is_a_problem() {
        let sqlite = |synchronous: &str| EngineStats::Sqlite {
            version: "3.50.4".to_owned(),
            file: "stackwave.db".to_owned(),
            page_size: 4096,
            free_pages: 0,
            journal_mode: "wal".to_owned(),
            synchronous: Some(synchronous.to_owned()),
        };
        let found = |synchronous| {
            level(&judge(&stats(sqlite(synchronous)), 1, Timestamp::UNIX_EPOCH), "log.durability")
        };
        assert_eq!(found("full"), Level::Ok);
        assert_eq!(found("off"), Level::Problem);
    }
}
