//! Draws the view.

use super::app::{App, Tab, is_failure};
use crate::replay::{graph, moment::Shown};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, List, ListItem, ListState, Paragraph, Tabs, Wrap},
};
use stackwave_engine::{
    forecast::sentence,
    view::{StackView, Status},
    words::{between, lasted},
};
use stackwave_replay::Player;

const HELP: &str = "←→ step  PgUp/PgDn ten  Home/End  n/p decision  f/F failure  space play  +/- speed  Tab view  ↑↓ scroll  q quit";

/// The records around the one that is shown are told in words; more than a screen has are not.
const AROUND: usize = 200;

pub(super) fn draw(frame: &mut Frame<'_>, app: &App) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(3), Constraint::Min(5), Constraint::Length(1)])
            .areas(frame.area());
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(38), Constraint::Percentage(62)]).areas(body);
    let [tabs, detail] = Layout::vertical([Constraint::Min(5), Constraint::Length(9)]).areas(right);
    let shown = Shown::of(&app.player);
    header(frame, head, app, &shown);
    timeline(frame, left, app);
    state(frame, tabs, app, &shown);
    record(frame, detail, &shown);
    frame.render_widget(Paragraph::new(HELP).style(Style::new().fg(Color::DarkGray)), foot);
}

fn header(frame: &mut Frame<'_>, area: Rect, app: &App, shown: &Shown<'_>) {
    let about = shown.about;
    let repository = about.name.as_ref().map_or_else(|| about.repository.to_string(), ToString::to_string);
    let (step, steps) = shown.step;
    let playing = if app.playing { format!("  ▶ {}×", app.speed) } else { String::new() };
    let run = shown.run.as_ref().map_or_else(
        || "the run is not open yet".to_owned(),
        |view| format!("{}: {}", view.run.id, format!("{:?}", view.status).to_lowercase()),
    );
    let expected = shown.run.as_ref().and_then(|view| Some(sentence(view.run, view.forecast.as_ref()?)));
    let lines = vec![
        Line::from(vec![
            Span::styled(repository, Style::new().add_modifier(Modifier::BOLD)),
            Span::raw(format!("  {run}")),
        ]),
        Line::from(format!(
            "{}:{}  {:.3}  record {step} of {steps}{playing}",
            about.stream,
            shown.position(),
            shown.now
        )),
        Line::from(expected.unwrap_or_default()).style(Style::new().fg(Color::DarkGray)),
    ];
    frame.render_widget(Paragraph::new(lines), area);
}

fn timeline(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let entries = app.player.entries();
    let step = app.player.step();
    let first = step.saturating_sub(AROUND);
    let items = entries.iter().skip(first).take(2 * AROUND).map(|entry| {
        let words = app.words.of_entry(entry);
        let more = if words.len() > 1 { format!(" (+{})", words.len() - 1) } else { String::new() };
        let text = words.first().map(String::as_str).unwrap_or_default();
        let style = if app.run.as_ref().is_some_and(|run| !app.words.is_about(entry, run)) {
            Style::new().fg(Color::DarkGray)
        } else if is_failure(entry) {
            Style::new().fg(Color::Red)
        } else if Player::is_decision(entry) {
            Style::new().fg(Color::Cyan)
        } else {
            Style::new()
        };
        ListItem::new(format!("{:>6}{more} {text}", entry.position.to_string())).style(style)
    });
    let mut state = ListState::default().with_selected(step.checked_sub(first + 1));
    let list = List::new(items)
        .block(Block::bordered().title("Records"))
        .highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    frame.render_stateful_widget(list, area, &mut state);
}

fn state(frame: &mut Frame<'_>, area: Rect, app: &App, shown: &Shown<'_>) {
    let block = Block::bordered();
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let [titles, content] = Layout::vertical([Constraint::Length(1), Constraint::Min(1)]).areas(inner);
    let selected = Tab::ALL.iter().position(|tab| *tab == app.tab);
    frame.render_widget(Tabs::new(Tab::ALL.map(Tab::title)).select(selected), titles);
    let lines: Vec<Line<'_>> = match app.tab {
        Tab::Stacks => shown.run.as_ref().map(|view| stacks(&view.stacks, shown)).unwrap_or_default(),
        Tab::Graph => {
            let waves = shown.run.as_ref().map(graph::waves).unwrap_or_default();
            waves.lines().map(|line| Line::from(line.to_owned())).collect()
        }
        Tab::Comment => {
            let text = shown.comment.as_deref().unwrap_or("there is no comment");
            text.lines().map(|line| Line::from(line.to_owned())).collect()
        }
        Tab::Due if shown.due.is_empty() => vec![Line::from("nothing is due")],
        Tab::Due => {
            let due = shown.due.iter();
            due.map(|due| Line::from(format!("{}: {} {}", due.role, due.action, due.about))).collect()
        }
    };
    let text = Paragraph::new(lines).scroll((app.scroll, 0));
    // A row of the table stays a row.
    let text = if app.tab == Tab::Stacks { text } else { text.wrap(Wrap { trim: false }) };
    frame.render_widget(text, content);
}

fn stacks<'a>(stacks: &[StackView], shown: &Shown<'_>) -> Vec<Line<'a>> {
    let width = stacks.iter().map(|stack| stack.key.to_string().chars().count()).max().unwrap_or_default();
    let line = |stack: &StackView| {
        let wave = stack.wave.map_or_else(|| "-".to_owned(), |wave| (wave + 1).to_string());
        let so_long = stack.since.map(|since| lasted(between(since, shown.now))).unwrap_or_default();
        let reason = stack.reason.clone().unwrap_or_default();
        Line::from(vec![
            Span::raw(format!("{wave:>3} {:width$} ", stack.key.to_string())),
            Span::styled(
                format!("{} {:20}", graph::sign(stack.status), stack.status.as_str()),
                Style::new().fg(color(stack.status)),
            ),
            Span::raw(format!(" {so_long:>9}  {reason}")),
        ])
    };
    // What has no wave comes last.
    let mut by_wave: Vec<&StackView> = stacks.iter().collect();
    by_wave.sort_by_key(|stack| stack.wave.unwrap_or(u32::MAX));
    by_wave.into_iter().map(line).collect()
}

fn record(frame: &mut Frame<'_>, area: Rect, shown: &Shown<'_>) {
    let Some((entry, events)) = &shown.record else { return };
    let title = format!("Record {} by {}, on {}", entry.record.id, entry.record.actor, entry.subject.kind());
    let lines: Vec<Line<'_>> = events.iter().map(|event| Line::from(event.clone())).collect();
    let text = Paragraph::new(lines).wrap(Wrap { trim: false }).block(Block::bordered().title(title));
    frame.render_widget(text, area);
}

const fn color(status: Status) -> Color {
    match status {
        Status::Succeeded => Color::Green,
        Status::Failed
        | Status::Cancelled
        | Status::DispatchRefused
        | Status::CannotRun
        | Status::Undecidable
        | Status::Blocked => Color::Red,
        Status::Running | Status::Queued | Status::Dispatching | Status::Released => Color::Blue,
        Status::AwaitingApproval | Status::Held => Color::Yellow,
        Status::Waiting | Status::Stopped | Status::Skipped => Color::DarkGray,
    }
}
