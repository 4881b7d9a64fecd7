//! `stackwave system`.

use super::{
    facts,
    places::{record, some},
};
use crate::{
    command::Session,
    failure::Failure,
    screen::{Screen, Tone},
    table::{Cell, Column, Table, column, number, prose},
    time,
    words::{bytes, counted},
};
use clap::Subcommand;
use stackwave_admin_proto::v1::{
    GetBudgetRequest, GetBudgetResponse, GetLogRequest, GetLogResponse, GetStatusRequest, GetStatusResponse,
    Lease, ListLeasesRequest, ListPartitionsRequest, Partition, ReadModel,
};

/// What to look at.
#[derive(Clone, Copy, Debug, Default, Subcommand)]
pub enum SystemVerb {
    /// This process: version, roles, what is ready and what is not
    #[default]
    Status,
    /// The event log: its engine, its streams, their sizes
    Log,
    /// Partitions: how far each was folded, and who acts on it
    Partitions,
    /// Leases: which process acts for which role on which partition
    Leases,
    /// What is left of GitHub's limits
    Budget,
}

impl SystemVerb {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        let mut system = session.server.system();
        match self {
            Self::Status => {
                let answer = session.answered(system.get_status(GetStatusRequest {}).await)?;
                session.print(&answer, status)
            }
            Self::Log => {
                let answer = session.answered(system.get_log(GetLogRequest {}).await)?;
                session.print(&answer, log)
            }
            Self::Partitions => {
                let answer = session.answered(system.list_partitions(ListPartitionsRequest {}).await)?;
                session.print(&answer, |answer, screen| {
                    let rows: Vec<_> = answer.partitions.iter().map(partition).collect();
                    Ok(Table::new(PARTITIONS).print(screen, &rows)?)
                })
            }
            Self::Leases => {
                let answer = session.answered(system.list_leases(ListLeasesRequest {}).await)?;
                session.print(&answer, |answer, screen| {
                    if answer.leases.is_empty() {
                        let why = match answer.exclusive {
                            true => "only one process can write this log",
                            false => "no process acts yet",
                        };
                        return Ok(screen.note(&format!("none: {why}"))?);
                    }
                    let rows: Vec<_> = answer.leases.iter().map(lease).collect();
                    Ok(Table::new(LEASES).print(screen, &rows)?)
                })
            }
            Self::Budget => {
                let answer = session.answered(system.get_budget(GetBudgetRequest {}).await)?;
                session.print(&answer, budget)
            }
        }
    }
}

fn status(answer: &GetStatusResponse, screen: &mut Screen<'_>) -> Result<(), Failure> {
    let dispatching = match answer.dispatch_enabled {
        true => Cell::from("on"),
        false => Cell::new("off: nothing is started (STACKWAVE_DISPATCH)", Tone::Attention),
    };
    let started = answer.started_at.as_ref();
    facts::print(
        screen,
        vec![
            ("version", answer.version.clone().into()),
            ("decisions", format!("version {}", answer.engine_version).into()),
            ("records", format!("up to schema {}", answer.schema_version).into()),
            ("process", answer.process_id.clone().into()),
            ("roles", answer.roles.join(", ").into()),
            (
                "started",
                format!("{} ({} ago)", time::moment(started), time::since(started, screen.now())).into(),
            ),
            ("ready", facts::yes(answer.ready)),
            ("dispatching", dispatching),
            ("read model", read_model(answer.read_model.as_ref()).into()),
        ],
    )?;
    if answer.parts.is_empty() {
        return Ok(());
    }
    screen.line("")?;
    let rows: Vec<Vec<Cell>> = answer
        .parts
        .iter()
        .map(|part| vec![part.name.clone().into(), facts::yes(part.ready), part.detail.clone().into()])
        .collect();
    Ok(Table::new(&[column("PART"), column("READY"), prose("DETAIL")]).print(screen, &rows)?)
}

/// How a read model does, in a line; empty without one.
pub(super) fn read_model(model: Option<&ReadModel>) -> String {
    let Some(model) = model else { return String::new() };
    let now = match model.building {
        true => format!("being built, {} %", (model.progress.clamp(0.0, 1.0) * 100.0).floor()),
        false => "up to date".to_owned(),
    };
    format!("{now}, {}, {}, version {}", counted(model.runs, "run"), bytes(model.bytes), model.version)
}

fn log(answer: &GetLogResponse, screen: &mut Screen<'_>) -> Result<(), Failure> {
    facts::print(
        screen,
        vec![
            ("engine", format!("{} {}", answer.engine, answer.engine_version).into()),
            ("partitions", answer.partitions.to_string().into()),
            ("replicas", answer.replicas.to_string().into()),
            ("blobs", bytes(answer.blob_bytes).into()),
            ("snapshots", bytes(answer.snapshot_bytes).into()),
        ],
    )?;
    screen.line("")?;
    let columns = [
        column("STREAM"),
        number("FIRST"),
        number("LAST"),
        number("RECORDS"),
        number("BYTES"),
        number("SUBJECTS"),
    ];
    let rows: Vec<Vec<Cell>> = answer
        .streams
        .iter()
        .map(|stream| {
            vec![
                stream.name.clone().into(),
                stream.first_position.to_string().into(),
                stream.last_position.to_string().into(),
                stream.records.to_string().into(),
                bytes(stream.bytes).into(),
                stream.subjects.to_string().into(),
            ]
        })
        .collect();
    Ok(Table::new(&columns).print(screen, &rows)?)
}

const PARTITIONS: &[Column] = &[
    number("PARTITION"),
    column("STREAM"),
    number("FOLDED"),
    number("LAST"),
    number("LAG"),
    number("REPOSITORIES"),
    number("ACTIVE RUNS"),
    column("SNAPSHOT"),
    prose("LEASES"),
];

fn partition(partition: &Partition) -> Vec<Cell> {
    let leases: Vec<String> = partition
        .leases
        .iter()
        .map(|lease| format!("{}: {}", lease.role, if lease.mine { "this process" } else { holder(lease) }))
        .collect();
    let tone = if partition.lag == 0 { Tone::Plain } else { Tone::Attention };
    vec![
        partition.number.to_string().into(),
        partition.stream.clone().into(),
        partition.folded_position.to_string().into(),
        partition.last_position.to_string().into(),
        Cell::new(partition.lag.to_string(), tone),
        partition.repositories.to_string().into(),
        partition.active_runs.to_string().into(),
        record(partition.snapshot.as_ref()).into(),
        leases.join(", ").into(),
    ]
}

const LEASES: &[Column] =
    &[column("ROLE"), number("PARTITION"), column("HOLDER"), column("SINCE"), column("THIS PROCESS")];

fn lease(lease: &Lease) -> Vec<Cell> {
    vec![
        lease.role.clone().into(),
        lease.partition.to_string().into(),
        Cell::new(holder(lease), if lease.holder.is_empty() { Tone::Attention } else { Tone::Plain }),
        time::moment(lease.since.as_ref()).into(),
        if lease.mine { "yes".into() } else { "".into() },
    ]
}

fn holder(lease: &Lease) -> &str {
    if lease.holder.is_empty() { "nobody" } else { &lease.holder }
}

fn budget(answer: &GetBudgetResponse, screen: &mut Screen<'_>) -> Result<(), Failure> {
    if answer.budgets.is_empty() {
        return Ok(screen.note("none: this process has sent nothing to GitHub yet")?);
    }
    let columns = [
        number("INSTALLATION"),
        number("WRITES/MIN"),
        number("LEFT"),
        number("IN FLIGHT"),
        number("WAITING"),
        column("LONGEST WAIT"),
        number("GITHUB LEFT"),
        column("RESETS"),
        column("BLOCKED UNTIL"),
    ];
    let rows: Vec<Vec<Cell>> = answer
        .budgets
        .iter()
        .map(|budget| {
            vec![
                budget.installation_id.to_string().into(),
                if budget.writes_per_minute == 0 {
                    "not paced".into()
                } else {
                    some(budget.writes_per_minute).into()
                },
                budget.writes_left.map(|left| format!("{left:.1}")).unwrap_or_default().into(),
                budget.in_flight.to_string().into(),
                budget.waiting.to_string().into(),
                time::duration(budget.longest_wait.as_ref()).into(),
                budget.rate_limit_remaining.map(|left| left.to_string()).unwrap_or_default().into(),
                time::moment(budget.rate_limit_reset_at.as_ref()).into(),
                Cell::new(time::moment(budget.blocked_until.as_ref()), Tone::Attention),
            ]
        })
        .collect();
    Ok(Table::new(&columns).print(screen, &rows)?)
}
