//! What the demonstration shows while it goes: in a terminal a board that is drawn again, elsewhere a line a change.

use crossterm::{
    cursor, queue,
    style::{Print, Stylize as _},
    terminal,
};
use stackwave_domain::StackKey;
use stackwave_engine::view::{RunView, StackView, Status};
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal as _, Write as _},
    time::Instant,
};

/// Standard output, as a board or as lines.
pub(super) struct Screen {
    start: Instant,
    terminal: bool,
    drawn: u16,
    shown: BTreeMap<StackKey, Status>,
}

/// A wave with more stacks than this is drawn as totals.
const MANY: usize = 12;

impl Screen {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), terminal: io::stdout().is_terminal(), drawn: 0, shown: BTreeMap::new() }
    }

    /// A line that stays.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        self.drawn = 0;
        if self.terminal {
            writeln!(out, "\n{} {text}", "▸".cyan().bold())?;
        } else {
            writeln!(out, "[{}] {text}", self.elapsed())?;
        }
        out.flush()
    }

    /// Another run begins: its stacks are shown anew.
    pub(super) fn begin(&mut self) {
        self.shown.clear();
        self.drawn = 0;
    }

    /// The run as it is now.
    pub(super) fn show(&mut self, run: &RunView<'_>) -> io::Result<()> {
        if self.terminal { self.draw(run) } else { self.print_changes(run) }
    }

    fn print_changes(&mut self, run: &RunView<'_>) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for stack in &run.stacks {
            if self.shown.insert(stack.key.clone(), stack.status) == Some(stack.status)
                || !is_worth_a_line(stack.status)
            {
                continue;
            }
            let wave = stack.wave.map_or_else(|| "-".to_owned(), |wave| (wave + 1).to_string());
            let reason = stack.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            writeln!(
                out,
                "[{}] wave {wave}  {:<28} {}{reason}",
                self.elapsed(),
                stack.key.to_string(),
                stack.status.as_str()
            )?;
        }
        out.flush()
    }

    fn draw(&mut self, run: &RunView<'_>) -> io::Result<()> {
        let (width, height) = terminal::size().unwrap_or((100, 40));
        let mut lines = board(run);
        lines.truncate(usize::from(height.saturating_sub(2)).max(4));
        let mut out = io::stdout().lock();
        if self.drawn > 0 {
            queue!(out, cursor::MoveUp(self.drawn), terminal::Clear(terminal::ClearType::FromCursorDown))?;
        }
        for line in &lines {
            let mut left = usize::from(width);
            for (text, status) in line {
                let shown: String = text.chars().take(left).collect();
                left -= shown.chars().count();
                match status.map(colour) {
                    Some(colour) => queue!(out, Print(shown.with(colour)))?,
                    None => queue!(out, Print(shown))?,
                }
            }
            queue!(out, Print("\n"))?;
        }
        self.drawn = u16::try_from(lines.len()).unwrap_or(0);
        out.flush()
    }

    fn elapsed(&self) -> String {
        format!("{:6.2} s", self.start.elapsed().as_secs_f64())
    }
}

/// Waiting is where everything begins; a line for it would say nothing.
fn is_worth_a_line(status: Status) -> bool {
    !matches!(status, Status::Waiting | Status::Released | Status::Dispatching | Status::Queued)
}

type Line = Vec<(String, Option<Status>)>;

fn board(run: &RunView<'_>) -> Vec<Line> {
    let mut waves: BTreeMap<u32, Vec<&StackView>> = BTreeMap::new();
    for stack in &run.stacks {
        waves.entry(stack.wave.unwrap_or(u32::MAX)).or_default().push(stack);
    }
    let mut lines = vec![vec![(format!("  {} · {} stacks", run.run.trigger, run.stacks.len()), None)]];
    for (wave, stacks) in waves {
        let mut line: Line = vec![(format!("  wave {:<3}", u64::from(wave) + 1), None)];
        if stacks.len() > MANY {
            let mut totals: BTreeMap<Status, usize> = BTreeMap::new();
            for stack in stacks {
                *totals.entry(stack.status).or_default() += 1;
            }
            for (status, count) in totals {
                line.push((format!(" {count} {}", status.as_str()), Some(status)));
            }
        } else {
            for stack in stacks {
                line.push((format!(" {} {}", glyph(stack.status), stack.key), Some(stack.status)));
            }
        }
        lines.push(line);
    }
    for stack in run.stacks.iter().filter(|stack| is_trouble(stack.status)).take(6) {
        let reason = stack.reason.as_deref().unwrap_or_default();
        lines.push(vec![(format!("  {} {} {reason}", glyph(stack.status), stack.key), Some(stack.status))]);
    }
    lines
}

fn is_trouble(status: Status) -> bool {
    matches!(
        status,
        Status::Failed | Status::Cancelled | Status::DispatchRefused | Status::CannotRun | Status::Blocked
    )
}

fn glyph(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "✔",
        Status::Failed | Status::Cancelled | Status::DispatchRefused | Status::CannotRun => "✘",
        Status::Blocked | Status::Stopped => "■",
        Status::Running => "▶",
        Status::Queued | Status::Dispatching | Status::Released => "◌",
        Status::AwaitingApproval | Status::Held | Status::Undecidable => "‖",
        Status::Waiting => "·",
        Status::Skipped => "-",
    }
}

fn colour(status: Status) -> crossterm::style::Color {
    use crossterm::style::Color;
    match status {
        Status::Succeeded => Color::Green,
        Status::Failed
        | Status::Cancelled
        | Status::DispatchRefused
        | Status::CannotRun
        | Status::Undecidable => Color::Red,
        Status::Blocked | Status::Stopped => Color::DarkRed,
        Status::Running => Color::Yellow,
        Status::Queued | Status::Dispatching | Status::Released => Color::Blue,
        Status::AwaitingApproval | Status::Held => Color::Magenta,
        Status::Waiting | Status::Skipped => Color::DarkGrey,
    }
}
