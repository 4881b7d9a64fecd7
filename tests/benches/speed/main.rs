//! How fast Stackwave is: `cargo bench -p stackwave-e2e --bench speed`.
//!
//! It starts `stackwave serve` in release as a process of its own, once a log, plays GitHub (`sink`) and its webhooks
//! (`hook`), and prints a table with what was aimed at. Nothing is asserted: a time says something only beside the
//! machine that it was measured on. `docs/benchmarks.md` tells how to read it.
//!
//! Arguments choose: names of logs (`sqlite`, `jetstream-always`, `jetstream-default`) and of measurements (`ceiling`,
//! `latency`, `fan-out`, `layers`, `upload`, `log`); everything when none is named. `--samples N` sets how many
//! latencies are taken; `--executable PATH` measures that one instead of building it, for comparing two versions.

mod ceiling;
mod floor;
mod hook;
mod load;
mod logs;
mod report;
mod scenario;
mod service;
mod shapes;
mod sink;

use anyhow::{Context as _, Result};
use floor::Floor;
use hook::Payloads;
use load::Load;
use logs::Content;
use report::{Aim, Samples, Table};
use scenario::Bench;
use service::{LogKind, LogPlace};
use shapes::Shape;
use std::path::{Path, PathBuf};

/// What other durable execution engines reach with SQLite on two cores (issue 3).
const FAN_OUT_ELSEWHERE: f64 = 1_700.0;
const LAYERS_ELSEWHERE: f64 = 480.0;
const FOLD_AIM: f64 = 1_000_000.0;

/// So many latencies are taken in a row.
const TOGETHER: usize = 40;
/// How often a throughput is measured; the median is told.
const ROUNDS: usize = 5;

fn main() -> Result<()> {
    // The one crypto provider; it can fail only when it was installed before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(&Wanted::of_arguments()?))
}

struct Wanted {
    names: Vec<String>,
    samples: usize,
    executable: Option<PathBuf>,
}

impl Wanted {
    fn of_arguments() -> Result<Self> {
        let mut wanted = Self { names: Vec::new(), samples: 400, executable: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            if argument == "--samples" {
                wanted.samples = arguments.next().context("`--samples` needs a number")?.parse()?;
            } else if argument == "--executable" {
                wanted.executable = Some(arguments.next().context("`--executable` needs a path")?.into());
            } else if !argument.starts_with('-') {
                wanted.names.push(argument);
            }
        }
        Ok(wanted)
    }

    fn log(&self, kind: LogKind) -> bool {
        let named = |kind: LogKind| self.names.iter().any(|name| name == kind.name());
        named(kind) || !LogKind::ALL.into_iter().any(named)
    }

    fn measurement(&self, name: &str) -> bool {
        let is_log = |name: &String| LogKind::ALL.iter().any(|kind| kind.name() == name);
        self.names.iter().all(is_log) || self.names.iter().any(|wanted| wanted == name)
    }
}

async fn run(wanted: &Wanted) -> Result<()> {
    let executable = match &wanted.executable {
        Some(path) => path.clone(),
        None => service::build()?,
    };
    let payloads = Payloads::record().await?;
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    println!("stackwave serve (release, all roles in one process), {cores} cores shared with the benchmark");
    if wanted.measurement("ceiling") {
        ceilings(&payloads).await?;
    }
    for kind in LogKind::ALL.into_iter().filter(|kind| wanted.log(*kind)) {
        if kind != LogKind::Sqlite && stackwave_testkit::nats::server_binary().is_none() {
            continue;
        }
        let suite =
            Suite { executable: executable.clone(), kind, payloads: &payloads, samples: wanted.samples };
        suite.run(wanted).await.with_context(|| format!("the benchmark of {} failed", kind.name()))?;
    }
    Ok(())
}

async fn ceilings(payloads: &Payloads) -> Result<()> {
    let mut table = Table::new("What the simulated GitHubs answer to a bare client, 50 dispatches in flight");
    table.row("the benchmark's GitHub", ceiling::of_sink(payloads).await?, "/s", Aim::None);
    table.row(
        "github-sim, which also writes everything down",
        ceiling::of_simulator().await?,
        "/s",
        Aim::None,
    );
    table.print();
    Ok(())
}

/// All measurements of one log. Each has a fresh log and a fresh process.
struct Suite<'a> {
    executable: PathBuf,
    kind: LogKind,
    payloads: &'a Payloads,
    samples: usize,
}

impl Suite<'_> {
    async fn run(&self, wanted: &Wanted) -> Result<()> {
        let mut table = Table::new(self.kind.title());
        if wanted.measurement("latency") {
            for load in [Load::Idle, Load::Webhooks200] {
                self.latency(&mut table, load).await?;
            }
        }
        if wanted.measurement("fan-out") {
            self.fan_out(&mut table).await?;
        }
        if wanted.measurement("layers") {
            self.layers(&mut table).await?;
        }
        if wanted.measurement("upload") {
            self.upload(&mut table).await?;
        }
        if wanted.measurement("log") {
            self.log(&mut table).await?;
        }
        table.print();
        Ok(())
    }

    async fn bench(&self) -> Result<Bench<'_>> {
        let executable: &Path = &self.executable;
        Bench::start(executable, self.kind, self.payloads).await
    }

    async fn latency(&self, table: &mut Table, load: Load) -> Result<()> {
        let place = LogPlace::fresh(self.kind).await?;
        let mut beneath = Floor::start(&place, self.payloads).await?;
        let mut bench = self.bench().await?;
        let (mut times, mut floor) = (Samples::default(), Samples::default());
        let mut warm = Samples::default();
        beneath.measure(load, TOGETHER, &mut warm).await?;
        scenario::latency(&mut bench, load, TOGETHER, &mut warm).await?;
        // By turns, so that whatever else the machine does meets both.
        for _ in 0..self.samples.div_ceil(TOGETHER) {
            beneath.measure(load, TOGETHER, &mut floor).await?;
            scenario::latency(&mut bench, load, TOGETHER, &mut times).await?;
        }
        let (p50, p99) = (times.p50().as_secs_f64(), times.p99().as_secs_f64());
        table.time(format!("webhook → child's dispatch, {}: p50", load.name()), times.p50(), Aim::None);
        table.time("  its floor (3 appends, 2 deliveries, 2 exchanges): p50", floor.p50(), Aim::None);
        table.row("  ratio of the p50", p50 / floor.p50().as_secs_f64(), "×", Aim::AtMost(2.0));
        table.time("  p99", times.p99(), Aim::AtMost(p50 * 5000.0));
        table.time("  its floor: p99", floor.p99(), Aim::None);
        table.row("  ratio of the p99", p99 / floor.p99().as_secs_f64(), "×", Aim::None);
        Ok(())
    }

    async fn fan_out(&self, table: &mut Table) -> Result<()> {
        let mut bench = self.bench().await?;
        let mut speeds = Vec::new();
        for _ in 0..ROUNDS {
            speeds.push(scenario::fan_out(&mut bench, 500).await?);
        }
        table.row("fan-out of 500: dispatches", median(speeds), "/s", Aim::Above(FAN_OUT_ELSEWHERE));
        Ok(())
    }

    async fn layers(&self, table: &mut Table) -> Result<()> {
        let mut bench = self.bench().await?;
        let mut speeds = Vec::new();
        for _ in 0..ROUNDS {
            speeds.push(scenario::layers(&mut bench, 20, 20).await?);
        }
        table.row("20 layers of 20: dispatches", median(speeds), "/s", Aim::Above(LAYERS_ELSEWHERE));
        Ok(())
    }

    async fn upload(&self, table: &mut Table) -> Result<()> {
        let shape = Shape::landing_zones(500);
        let mut times = Vec::new();
        for _ in 0..3 {
            let mut bench = self.bench().await?;
            times.push(scenario::upload(&mut bench, &shape).await?.as_secs_f64() * 1000.0);
        }
        table.row("upload of 5,000 stacks → first dispatch", median(times), "ms", Aim::None);
        Ok(())
    }

    async fn log(&self, table: &mut Table) -> Result<()> {
        let shape = Shape::landing_zones(50);
        let mut bench = self.bench().await?;
        let before = bench.log.disk_bytes();
        scenario::live(&mut bench, &shape).await?;
        let Bench { log, service, .. } = bench;
        service.stop()?;
        // Closed in good order, a SQLite log is one file, without a write-ahead log.
        drop(log.open(true).await?);
        let grown = log.disk_bytes().saturating_sub(before);
        let content = Content::read(&log).await?;
        let each = |bytes: u64| {
            Ok::<_, anyhow::Error>(f64::from(u32::try_from(bytes)?) / f64::from(u32::try_from(shape.stacks)?))
        };
        table.row("log per stack, from upload to success: JSON", each(content.bytes)?, "B", Aim::None);
        table.row("  on disk", each(grown)?, "B", Aim::None);
        let fold = content.one_by_one().fold_speed();
        table.row("fold, an event a record: records", fold.records_per_second, "/s", Aim::Above(FOLD_AIM));
        let fold = content.fold_speed();
        table.row("fold of the log as it is: records", fold.records_per_second, "/s", Aim::None);
        table.row("  with so many events each", fold.events_per_record, "", Aim::None);
        Ok(())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
