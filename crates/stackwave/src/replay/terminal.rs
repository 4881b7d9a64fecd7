//! The terminal view: the records on the left, the run as it was at one of them on the right.

mod app;
mod draw;

use self::app::{App, Turn};
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use stackwave_replay::Player;
use std::time::Duration;

/// How long to wait for a key while nothing plays.
const IDLE: Duration = Duration::from_millis(500);

/// Shows a recording until somebody quits.
pub(super) fn show(player: Player, speed: Option<f64>) -> anyhow::Result<()> {
    let mut app = App::new(player, speed);
    // Gives the terminal back also when something panics.
    let mut terminal = ratatui::try_init()?;
    let shown = run(&mut terminal, &mut app);
    ratatui::try_restore()?;
    shown
}

fn run(terminal: &mut ratatui::DefaultTerminal, app: &mut App) -> anyhow::Result<()> {
    loop {
        terminal.draw(|frame| draw::draw(frame, app))?;
        if !event::poll(app.pause().unwrap_or(IDLE))? {
            app.play();
            continue;
        }
        if let Event::Key(key) = event::read()?
            && key.kind == KeyEventKind::Press
            && app.key(key) == Turn::Quit
        {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
