//! Decides again what was decided: from the state before each decision, with the moment and the configuration that it
//! names. Decisions of another version are counted and left alone; they stand whatever today's rules say.
//!
//! Claims are not decided by the state alone (budget and workflow files have a say), so of them is checked what is: that
//! each was due, for what was planned, and that nothing forbade it. After each record the invariants of design §8 are
//! checked.

mod claims;
mod decided;

use crate::{Player, Recording};
use serde::Serialize;
use stackwave_domain::{Entry, Event, Position, record::HydrateError};
use stackwave_engine::{Config, ENGINE_VERSION, State, check::Violation};
use std::collections::{BTreeMap, BTreeSet};

/// What the verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// So many records were folded.
    pub records: usize,
    /// So many decisions were decided again and came out the same.
    pub decisions: usize,
    /// So many claims were due.
    pub claims: usize,
    /// So many decisions of other versions were left alone.
    pub other_versions: usize,
    /// So many decisions and claims could not be decided again, since the recording has not what they were made from.
    pub out_of_reach: usize,
    /// The first thing that is not as it should be.
    pub difference: Option<Difference>,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// At which record.
    pub position: Position,
    /// What is wrong, in a sentence.
    pub what: String,
    /// What the log says.
    pub recorded: Vec<String>,
    /// What follows from the state.
    pub recomputed: Vec<String>,
}

/// Structure is checked after every record of a state up to this many dispatches, then now and then.
const LARGE: usize = 500;

/// Folds a recording and decides again.
///
/// # Errors
/// A content is missing or cannot be read.
pub fn verify(recording: &Recording) -> Result<Report, HydrateError> {
    let entries = recording.hydrated()?;
    let mut state = recording.base.clone().unwrap_or_default();
    let mut report = Report::default();
    let mut told: BTreeSet<String> = BTreeSet::new();
    if let Some(repository) = state.repository(recording.about.repository) {
        told.extend(repository.check().err().into_iter().flatten().map(|violation| violation.to_string()));
    }
    // A decision's state is the one after its cause, whatever came between.
    let mut waiting: BTreeMap<Position, Vec<&Entry>> = BTreeMap::new();
    let mut judged: BTreeMap<Position, decided::Judgement> = BTreeMap::new();
    let begins = state.position();
    for entry in entries.iter().filter(|entry| is_judged(entry)) {
        match entry.record.cause {
            Some(cause) if cause >= begins => waiting.entry(cause).or_default().push(entry),
            Some(_) | None => report.out_of_reach += 1,
        }
    }
    judge(recording, &state, waiting.remove(&begins), &mut judged);
    for entry in &entries {
        if let Some(judgement) = judged.remove(&entry.position) {
            report.take(entry, within_reach(recording, judgement));
        }
        state.apply(entry);
        report.records += 1;
        judge(recording, &state, waiting.remove(&entry.position), &mut judged);
        check(&state, recording, entry, &mut told, &mut report);
        if report.difference.is_some() {
            return Ok(report);
        }
    }
    report.out_of_reach += waiting.values().map(Vec::len).sum::<usize>();
    Ok(report)
}

/// Where records before the first were left out, what follows from the rest may differ for that alone.
fn within_reach(recording: &Recording, judgement: decided::Judgement) -> decided::Judgement {
    match judgement {
        decided::Judgement::Differs { .. } if recording.about.cut => decided::Judgement::OutOfReach,
        judgement => judgement,
    }
}

/// Whether a record holds decisions or claims.
fn is_judged(entry: &Entry) -> bool {
    entry.subject.kind() == "ledger"
}

fn judge(
    recording: &Recording,
    state: &State,
    due: Option<Vec<&Entry>>,
    judged: &mut BTreeMap<Position, decided::Judgement>,
) {
    for entry in due.into_iter().flatten() {
        let judgement = match state.repository(recording.about.repository) {
            Some(repository) => match &entry.record.basis {
                Some(basis) if basis.engine != ENGINE_VERSION => decided::Judgement::OtherVersion,
                Some(basis) => {
                    let mut config = Config::default();
                    let known = recording.config.iter().filter(|entry| entry.position <= basis.config);
                    known.for_each(|entry| config.apply(entry));
                    decided::judge(repository, &config, basis.now, &entry.record.events)
                }
                None => claims::judge(repository, &entry.record.events),
            },
            None => decided::Judgement::OutOfReach,
        };
        judged.insert(entry.position, judgement);
    }
}

fn check(
    state: &State,
    recording: &Recording,
    entry: &Entry,
    told: &mut BTreeSet<String>,
    report: &mut Report,
) {
    let Some(repository) = state.repository(recording.about.repository) else { return };
    if repository.dispatches.len() > LARGE && !report.records.is_multiple_of(repository.dispatches.len() / 4)
    {
        return;
    }
    let violations = repository.check().err().into_iter().flatten();
    let is_told =
        |violation: &Violation| !(recording.about.cut && matches!(violation, Violation::Logged { .. }));
    let violations = violations.filter(is_told);
    let new: Vec<String> =
        violations.map(|violation| violation.to_string()).filter(|text| told.insert(text.clone())).collect();
    if !new.is_empty() && report.difference.is_none() {
        let what = "the state after it breaks an invariant".to_owned();
        let difference = Difference { position: entry.position, what, recorded: Vec::new(), recomputed: new };
        report.difference = Some(difference);
    }
}

impl Report {
    fn take(&mut self, entry: &Entry, judgement: decided::Judgement) {
        match judgement {
            decided::Judgement::Same(count) => self.decisions += count,
            decided::Judgement::Due(count) => self.claims += count,
            decided::Judgement::OtherVersion => self.other_versions += entry.record.events.len(),
            decided::Judgement::OutOfReach => self.out_of_reach += 1,
            decided::Judgement::Differs { what, recorded, recomputed } => {
                let position = entry.position;
                self.difference = Some(Difference { position, what, recorded, recomputed });
            }
        }
    }
}

/// An event as one line.
fn line(event: &Event) -> String {
    crate::json::of_event(event).to_string()
}

impl Player {
    /// Whether a record holds decisions or claims.
    #[must_use]
    pub fn is_decision(entry: &Entry) -> bool {
        is_judged(entry)
    }
}
