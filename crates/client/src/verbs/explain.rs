//! `stackwave explain`.

use super::places::{At, record, workflow_run};
use crate::{
    command::Session,
    failure::Failure,
    key,
    screen::{Screen, Tone, clean},
    table::{Cell, Column, Table, column},
    time,
    words::cell,
};
use clap::Args;
use stackwave_admin_proto::v1::{
    Cause, DispatchEvidence, DispatchStatus, ExplainDispatchRequest, ExplainDispatchResponse, ExplainRequest,
    ExplainResponse, GetRunRequest, ListDispatchesRequest, RunStatus, StackKey, StackStatus,
};
use std::io;

/// What is to be explained.
#[derive(Clone, Debug, Args)]
pub struct Explain {
    /// The run's id.
    #[arg(value_name = "RUN")]
    run: String,
    /// One stack of it, as COMPONENT/STACK; without it the run, with each stack that keeps it from its end.
    #[arg(value_name = "STACK", value_parser = key::parse)]
    stack: Option<StackKey>,
    /// Show the evidence that the stack's workflow was started, and started once; without a stack, of each dispatch of
    /// the run.
    #[arg(long)]
    dispatch: bool,
    /// As it was once the record at this position of the run's stream had happened (`118` or `SW_00:118`), or at this
    /// moment: `2026-11-24T13:00:00Z`, or how long ago: `2h`.
    #[arg(long, value_name = "POSITION|TIME", value_parser = At::parse, conflicts_with = "dispatch")]
    at: Option<At>,
}

impl Explain {
    pub(crate) async fn run(self, session: &mut Session<'_, '_>) -> Result<(), Failure> {
        if self.dispatch {
            if self.stack.is_none() {
                return show_all_evidence(&self.run, session).await;
            }
            let request =
                ExplainDispatchRequest { dispatch_id: String::new(), run_id: self.run, key: self.stack };
            return show_evidence(request, session).await;
        }
        let name = self.stack.as_ref().map_or_else(|| self.run.clone(), |stack| key::text(Some(stack)));
        let (position, at) = At::wire(self.at, session.screen.now());
        let request = ExplainRequest { run_id: self.run, key: self.stack, position, at };
        let answer = session.answered(session.server.runs().explain(request).await)?;
        session.print(&answer, |answer, screen| show(&name, answer, screen))
    }
}

fn show(name: &str, answer: &ExplainResponse, screen: &mut Screen<'_>) -> Result<(), Failure> {
    let run = cell::<RunStatus>(answer.run_status);
    let name = screen.paint(name, Tone::Bold).into_owned();
    let status = match answer.stack_status {
        0 => screen.paint(&run.text, run.tone).into_owned(),
        stack => {
            let stack = cell::<StackStatus>(stack);
            format!("{}, in a run that is {}", screen.paint(&stack.text, stack.tone), run.text)
        }
    };
    screen.line(&format!("{name}: {status} (as of {})", record(answer.as_of.as_ref())))?;
    Ok(causes(&answer.causes, screen)?)
}

const COLUMNS: &[Column] = &[column(""), column(""), column("")];

/// Each sentence behind the record that proves it and the moment since when it holds. None of them is ever cut.
fn causes(causes: &[Cause], screen: &mut Screen<'_>) -> io::Result<()> {
    let rows: Vec<Vec<Cell>> = causes
        .iter()
        .map(|cause| {
            let place = record(cause.record.as_ref());
            let place = if place.is_empty() { "–".to_owned() } else { place };
            let tone = StackStatus::try_from(cause.status).map_or(Tone::Plain, Tone::from);
            vec![
                Cell::new(place, Tone::Quiet),
                Cell::new(time::moment(cause.since.as_ref()), Tone::Quiet),
                Cell::new(cause.text.clone(), tone),
            ]
        })
        .collect();
    Table::below(COLUMNS).print(screen, &rows)
}

/// The evidence of each dispatch that was asked about.
pub(super) async fn show_evidence(
    request: ExplainDispatchRequest,
    session: &mut Session<'_, '_>,
) -> Result<(), Failure> {
    let answer = session.answered(session.server.runs().explain_dispatch(request).await)?;
    print(&answer, session)
}

/// The evidence of every dispatch of a run, the first claimed first.
async fn show_all_evidence(run: &str, session: &mut Session<'_, '_>) -> Result<(), Failure> {
    let mut runs = session.server.runs();
    let mut all = Vec::new();
    let mut page_token = String::new();
    loop {
        let run_id = run.to_owned();
        let request =
            ListDispatchesRequest { page_size: 500, page_token, run_id, ..ListDispatchesRequest::default() };
        let page = session.answered(runs.list_dispatches(request).await)?;
        all.extend(page.dispatches.into_iter().map(|dispatch| dispatch.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    if all.is_empty() {
        // A run that is not there has no dispatches either; that is told apart here.
        let request = GetRunRequest { run_id: run.to_owned(), ..GetRunRequest::default() };
        session.answered(runs.get_run(request).await)?;
    }
    let mut answer = ExplainDispatchResponse::default();
    for dispatch_id in all.into_iter().rev() {
        let request = ExplainDispatchRequest { dispatch_id, ..ExplainDispatchRequest::default() };
        answer.evidence.extend(session.answered(runs.explain_dispatch(request).await)?.evidence);
    }
    print(&answer, session)
}

fn print(answer: &ExplainDispatchResponse, session: &mut Session<'_, '_>) -> Result<(), Failure> {
    session.print(answer, |answer, screen| {
        if answer.evidence.is_empty() {
            screen.line("nothing of it has been dispatched")?;
        }
        for (index, evidence) in answer.evidence.iter().enumerate() {
            if index > 0 {
                screen.line("")?;
            }
            show_one(evidence, screen)?;
        }
        if answer.evidence.len() > 1 {
            let proven = answer.evidence.iter().filter(|evidence| evidence.proven_once).count();
            let all = answer.evidence.len();
            screen.line(&format!("\n{proven} of {all} dispatches are proven to have happened once"))?;
        }
        Ok(())
    })
}

fn show_one(evidence: &DispatchEvidence, screen: &mut Screen<'_>) -> Result<(), Failure> {
    let dispatch = evidence.dispatch.clone().unwrap_or_default();
    let status = cell::<DispatchStatus>(dispatch.status);
    let reason =
        if dispatch.reason.is_empty() { String::new() } else { format!(": {}", clean(&dispatch.reason)) };
    let id = screen.paint(&dispatch.id, Tone::Bold).into_owned();
    screen.line(&format!("{id}  {}{reason}", screen.paint(&status.text, status.tone)))?;
    let mut line = format!(
        "{} of run {}, attempt {}, {}",
        key::text(dispatch.key.as_ref()),
        dispatch.run_id,
        dispatch.attempt,
        dispatch.workflow
    );
    if let Some(run) = &dispatch.workflow_run {
        line += &format!(", workflow run {}", workflow_run(Some(run)));
        if !run.html_url.is_empty() {
            line += &format!(" ({})", run.html_url);
        }
    }
    screen.line(&clean(&line))?;
    causes(&evidence.steps, screen)?;
    let (verdict, tone) = match (evidence.proven_once, evidence.conclusion.as_str()) {
        (true, _) => ("proven: it happened, and it happened once", Tone::Good),
        // A server that is older than its client says no more.
        (false, "") => ("not proven: a part of the evidence is not there", Tone::Attention),
        (false, conclusion) => (conclusion, Tone::Attention),
    };
    let verdict = screen.paint(&clean(verdict), tone).into_owned();
    Ok(screen.line(&verdict)?)
}
