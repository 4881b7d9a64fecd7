//! Every metric, named once: `docs/observability.md` and the exposition come from [`Metrics`].
//!
//! Labels have few values: no ids of runs, dispatches or deliveries, and no names of stacks.

mod catalogue;
mod record;

pub use catalogue::{Described, Kind};
pub(crate) use record::clamped;
pub use record::{Budget, GitHubRequest, Hop, ReadModel};

use catalogue::Catalogue;
use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64},
    },
};

/// Label values by their names, in the order of the catalogue.
pub(crate) type Labels = Vec<(&'static str, String)>;
/// Goes up.
pub(crate) type Counters = Family<Labels, Counter>;
/// Goes up and down, in whole numbers.
pub(crate) type Integers = Family<Labels, Gauge<i64, AtomicI64>>;
/// Goes up and down.
pub(crate) type Numbers = Family<Labels, Gauge<f64, AtomicU64>>;
/// How long something took.
pub(crate) type Durations = Family<Labels, Histogram, fn() -> Histogram>;

/// From a cached answer to a limit of GitHub's that is waited out, in seconds.
const HOP_BUCKETS: [f64; 17] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0];
/// A request's, in seconds.
const REQUEST_BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

fn hops() -> Histogram {
    Histogram::new(HOP_BUCKETS)
}

fn requests() -> Histogram {
    Histogram::new(REQUEST_BUCKETS)
}

/// Every metric of a process. Cheap to share behind an `Arc`; recording never waits.
pub struct Metrics {
    registry: Registry,
    described: Vec<Described>,
    pub(crate) hop_duration: Durations,
    pub(crate) uploads: Counters,
    pub(crate) webhooks: Counters,
    pub(crate) webhook_last: Numbers,
    pub(crate) http_requests: Counters,
    pub(crate) http_duration: Durations,
    pub(crate) grpc_requests: Counters,
    pub(crate) grpc_duration: Durations,
    pub(crate) append_duration: Durations,
    pub(crate) appends: Counters,
    pub(crate) events: Counters,
    pub(crate) observations: Counters,
    pub(crate) stacks_planned: Counters,
    pub(crate) ready: Integers,
    pub(crate) log_up: Integers,
    pub(crate) log_bytes: Integers,
    pub(crate) log_records: Integers,
    pub(crate) log_position: Integers,
    pub(crate) log_limit: Integers,
    pub(crate) log_stores: Integers,
    pub(crate) log_disk: Integers,
    pub(crate) log_per_stack: Numbers,
    pub(crate) folded: Counters,
    pub(crate) fold_position: Integers,
    pub(crate) lag_records: Integers,
    pub(crate) lag_seconds: Numbers,
    pub(crate) lease_held: Integers,
    pub(crate) snapshot_age: Numbers,
    pub(crate) snapshot_position: Integers,
    pub(crate) read_model_progress: Numbers,
    pub(crate) read_model_runs: Integers,
    pub(crate) read_model_bytes: Integers,
    pub(crate) runs_active: Integers,
    pub(crate) stacks: Integers,
    pub(crate) stacks_held: Integers,
    pub(crate) unresolved: Integers,
    pub(crate) oldest_unresolved: Numbers,
    pub(crate) in_flight: Integers,
    pub(crate) comments_refused: Integers,
    pub(crate) uploads_parked: Integers,
    pub(crate) violations: Integers,
    pub(crate) halted: Integers,
    pub(crate) github_requests: Counters,
    pub(crate) github_duration: Durations,
    pub(crate) github_remaining: Integers,
    pub(crate) github_limit: Integers,
    pub(crate) budget_left: Numbers,
    pub(crate) github_in_flight: Integers,
    pub(crate) dispatches_waiting: Integers,
    pub(crate) github_blocked: Numbers,
    pub(crate) exports: Counters,
    pub(crate) resident: Integers,
    pub(crate) cpu: Family<Labels, Counter<f64, AtomicU64>>,
    pub(crate) fds: Integers,
}

/// What a process is, for `stackwave_build_info`.
#[derive(Clone, Debug, Default)]
pub struct Build {
    /// The version.
    pub version: String,
    /// The commit that it was built from; empty where that is not known.
    pub commit: String,
    /// When it started, in Unix seconds.
    pub started: f64,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// All metrics, at zero.
    #[must_use]
    pub fn new(build: &Build) -> Arc<Self> {
        let mut c = Catalogue::default();
        let build_info = c.integers("stackwave_build_info", &["version", "commit"], "Always 1; what runs");
        let labels = vec![("version", build.version.clone()), ("commit", build.commit.clone())];
        build_info.get_or_create(&labels).set(1);
        let start = c.numbers("process_start_time_seconds", &[], "When the process started, in Unix seconds");
        start.get_or_create(&Vec::new()).set(build.started);
        let metrics = Self {
            hop_duration: c.durations(
                "stackwave_hop_duration",
                &["hop"],
                "How long one hop took: upload_append and webhook_append (request until durable), decision (record \
                 until the decision that it caused is durable), claim (release until claimed), dispatch_request \
                 (GitHub's answer to a dispatch), webhook_to_child_dispatch (a parent's conclusion until GitHub took \
                 a child), comment (change until it is told)",
                hops,
            ),
            uploads: c.counters(
                "stackwave_uploads",
                &["outcome"],
                "Uploads of affected stacks: stored, pending (its repository is looked up), duplicate, refused, failed",
            ),
            webhooks: c.counters(
                "stackwave_webhooks",
                &["event", "outcome"],
                "Webhook deliveries by GitHub's event: stored, dropped (of no interest), refused, failed",
            ),
            webhook_last: c.numbers(
                "stackwave_webhook_last_timestamp_seconds",
                &[],
                "When this process last took a webhook with a valid signature, in Unix seconds; 0 before the first",
            ),
            http_requests: c.counters(
                "stackwave_http_requests",
                &["route", "method", "status"],
                "HTTP requests that were answered",
            ),
            http_duration: c.durations(
                "stackwave_http_request_duration",
                &["route"],
                "How long HTTP requests took",
                requests,
            ),
            grpc_requests: c.counters(
                "stackwave_grpc_requests",
                &["method", "code"],
                "gRPC calls by method and status code; a stream counts when it ends",
            ),
            grpc_duration: c.durations(
                "stackwave_grpc_request_duration",
                &["method"],
                "How long gRPC calls took until their answer began",
                requests,
            ),
            append_duration: c.durations(
                "stackwave_log_append_duration",
                &["kind"],
                "How long appends took until the log acknowledged them, by the kind of subject",
                requests,
            ),
            appends: c.counters(
                "stackwave_log_appends",
                &["kind", "result"],
                "Appends by result: ok, conflict (somebody wrote first; expected beside other replicas), unknown (the \
                 answer was lost), unavailable, invalid",
            ),
            events: c.counters(
                "stackwave_events_appended",
                &["event"],
                "Events that this process appended, by their name in the catalogue of events",
            ),
            observations: c.counters(
                "stackwave_workflow_runs_observed",
                &["source"],
                "News of workflow runs that this process appended: webhook, or poll where a webhook did not come (in \
                 time)",
            ),
            stacks_planned: c.counters(
                "stackwave_stacks_planned",
                &[],
                "Stacks of the runs that this process saw opened",
            ),
            ready: c.integers(
                "stackwave_ready",
                &["part"],
                "Whether a part of the process is ready, as `/readyz` tells; `all` is 1 when every part is",
            ),
            log_up: c.integers("stackwave_log_up", &[], "Whether the event log answered when it was last asked"),
            log_bytes: c.integers("stackwave_log_bytes", &["stream"], "The size of a stream's records, as the log counts"),
            log_records: c.integers("stackwave_log_records", &["stream"], "How many records a stream holds"),
            log_position: c.integers(
                "stackwave_log_last_position",
                &["stream"],
                "The position of a stream's last record",
            ),
            log_limit: c.integers(
                "stackwave_log_max_bytes",
                &["stream"],
                "How large a stream may become before it takes no more; 0 where there is no limit",
            ),
            log_stores: c.integers(
                "stackwave_log_store_bytes",
                &["store"],
                "The size of what lies beside the streams: blobs, snapshots, asides",
            ),
            log_disk: c.integers("stackwave_log_disk_bytes", &[], "What the log takes on one machine's disk"),
            log_per_stack: c.numbers(
                "stackwave_log_bytes_per_stack",
                &[],
                "By how much the log grew for each stack that was planned since this process started",
            ),
            folded: c.counters("stackwave_records_folded", &["partition"], "Records that this process folded"),
            fold_position: c.integers(
                "stackwave_fold_position",
                &["partition"],
                "How far this process has folded a partition",
            ),
            lag_records: c.integers(
                "stackwave_lag_records",
                &["service", "partition"],
                "How many positions a service is behind the end of a partition",
            ),
            lag_seconds: c.numbers(
                "stackwave_lag_seconds",
                &["service", "partition"],
                "For how long a service has been behind the end of a partition; 0 when it is not",
            ),
            lease_held: c.integers(
                "stackwave_lease_held",
                &["service", "partition"],
                "Whether this process works on a partition as this service; exactly one process should",
            ),
            snapshot_age: c.numbers(
                "stackwave_snapshot_age_seconds",
                &["partition"],
                "For how long the newest snapshot of a partition has been the newest, as far as this process saw; \
                 since its start when there is none",
            ),
            snapshot_position: c.integers(
                "stackwave_snapshot_position",
                &["partition"],
                "How far that snapshot goes; 0 when there is none",
            ),
            read_model_progress: c.numbers(
                "stackwave_read_model_progress",
                &[],
                "How far the read model behind lists is built, from 0 to 1",
            ),
            read_model_runs: c.integers("stackwave_read_model_runs", &[], "How many runs the read model holds"),
            read_model_bytes: c.integers("stackwave_read_model_bytes", &[], "The read model's size on disk"),
            runs_active: c.integers(
                "stackwave_runs_active",
                &["kind"],
                "Runs that still dispatch: plan, or apply (changes infrastructure)",
            ),
            stacks: c.integers("stackwave_stacks", &["status"], "Stacks of active runs by their status"),
            stacks_held: c.integers(
                "stackwave_stacks_held",
                &["reason"],
                "Stacks of active runs that are held, by the kind of reason",
            ),
            unresolved: c.integers(
                "stackwave_dispatches_unresolved",
                &["state"],
                "Claims without a result: claimed (being sent), unknown (the answer was lost; GitHub is searched), \
                 delayed (sent again later), undecidable (a person has to decide)",
            ),
            oldest_unresolved: c.numbers(
                "stackwave_dispatch_oldest_unresolved_seconds",
                &[],
                "The age of the oldest claim without a result, delayed and undecidable ones left out; 0 when there is \
                 none",
            ),
            in_flight: c.integers(
                "stackwave_dispatches_in_flight",
                &[],
                "Dispatches that GitHub took and that have not concluded",
            ),
            comments_refused: c.integers(
                "stackwave_comments_refused",
                &[],
                "Comments of which GitHub refused the newest text",
            ),
            uploads_parked: c.integers(
                "stackwave_uploads_pending",
                &[],
                "Uploads that wait for their repository to be found",
            ),
            violations: c.integers(
                "stackwave_violations",
                &[],
                "Logged decisions that the rules would not have made; it should be 0",
            ),
            halted: c.integers(
                "stackwave_repositories_halted",
                &[],
                "Repositories that this version does not act on, because a newer one wrote something",
            ),
            github_requests: c.counters(
                "stackwave_github_requests",
                &["method", "route", "status"],
                "Requests to GitHub by status; `none` when no answer came",
            ),
            github_duration: c.durations(
                "stackwave_github_request_duration",
                &["method", "route"],
                "How long requests to GitHub took",
                requests,
            ),
            github_remaining: c.integers(
                "stackwave_github_rate_limit_remaining",
                &["installation", "resource"],
                "Requests left until GitHub's limit resets, as its last answer said; installation `app` is the App \
                 itself",
            ),
            github_limit: c.integers(
                "stackwave_github_rate_limit",
                &["installation", "resource"],
                "Requests that GitHub allows between two resets",
            ),
            budget_left: c.numbers(
                "stackwave_github_budget_left",
                &["installation", "lane"],
                "Writes that our own pacing allows at once: lane writes, or comments; absent where the host is not \
                 paced",
            ),
            github_in_flight: c.integers(
                "stackwave_github_requests_in_flight",
                &["installation"],
                "Requests to GitHub that are under way",
            ),
            dispatches_waiting: c.integers(
                "stackwave_github_dispatches_waiting",
                &["installation"],
                "Dispatches that wait for the budget",
            ),
            github_blocked: c.numbers(
                "stackwave_github_blocked_seconds",
                &["installation"],
                "How long a limit that GitHub answered still holds; 0 when none does",
            ),
            exports: c.counters(
                "stackwave_otlp_exports",
                &["result"],
                "Batches of spans sent to the OpenTelemetry collector: ok, failed",
            ),
            resident: c.integers("process_resident_memory_bytes", &[], "Resident memory"),
            cpu: c.float_counters("process_cpu_seconds", &[], "User and system time of the process"),
            fds: c.integers("process_open_fds", &[], "Open file descriptors"),
            // After everything was registered: fields are made in the order in which they stand here.
            described: std::mem::take(&mut c.described),
            registry: c.registry,
        };
        metrics.prepare();
        Arc::new(metrics)
    }

    /// Every metric, in the order in which they are exposed.
    #[must_use]
    pub fn described(&self) -> &[Described] {
        &self.described
    }

    pub(crate) const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Values that are known before anything happens begin at zero: a rate needs two samples, and an alert on a metric
    /// that is not there never fires.
    fn prepare(&self) {
        for hop in [
            "upload_append",
            "webhook_append",
            "decision",
            "claim",
            "dispatch_request",
            "webhook_to_child_dispatch",
            "comment",
        ] {
            drop(self.hop_duration.get_or_create(&vec![("hop", hop.to_owned())]));
        }
        for outcome in ["stored", "pending", "duplicate", "refused", "failed"] {
            drop(self.uploads.get_or_create(&vec![("outcome", outcome.to_owned())]));
        }
        for source in ["webhook", "poll"] {
            drop(self.observations.get_or_create(&vec![("source", source.to_owned())]));
        }
        for result in ["ok", "failed"] {
            drop(self.exports.get_or_create(&vec![("result", result.to_owned())]));
        }
        for event in
            ["comment_refused", "dispatch_outcome_unknown", "dispatch_undecidable", "dispatch_refused"]
        {
            drop(self.events.get_or_create(&vec![("event", event.to_owned())]));
        }
        drop(self.stacks_planned.get_or_create(&Vec::new()));
        drop(self.webhook_last.get_or_create(&Vec::new()));
        drop(self.log_per_stack.get_or_create(&Vec::new()));
    }
}
