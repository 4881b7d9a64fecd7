//! What is shown, and what each key does.

use crate::replay::{
    moment::Words,
    play::{LONGEST_PAUSE, pause},
};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use stackwave_domain::{Entry, Event, RunId};
use stackwave_replay::{Moment, Player};
use std::time::Duration;

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Stay,
    Quit,
}

/// What the right side shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    Stacks,
    Graph,
    Comment,
    Due,
}

impl Tab {
    pub(super) const ALL: [Self; 4] = [Self::Stacks, Self::Graph, Self::Comment, Self::Due];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Stacks => "Stacks",
            Self::Graph => "Graph",
            Self::Comment => "Comment",
            Self::Due => "Due",
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Stacks => Self::Graph,
            Self::Graph => Self::Comment,
            Self::Comment => Self::Due,
            Self::Due => Self::Stacks,
        }
    }
}

/// The view.
pub(super) struct App {
    pub(super) player: Player,
    pub(super) words: Words,
    /// The run that is shown at the end.
    pub(super) run: Option<RunId>,
    pub(super) tab: Tab,
    /// How many lines of the right side are scrolled past.
    pub(super) scroll: u16,
    pub(super) playing: bool,
    pub(super) speed: f64,
}

impl App {
    /// At the first record that tells of the run when it is to be played, else at the last.
    pub(super) fn new(mut player: Player, speed: Option<f64>) -> Self {
        let words = Words::of(&player);
        let run = player.run().map(|run| run.id.clone());
        if speed.is_some() {
            let entries = player.entries().iter();
            let first =
                run.as_ref().and_then(|run| entries.clone().position(|entry| words.is_about(entry, run)));
            player.seek(Moment::Step(first.unwrap_or(0) + 1));
        }
        let playing = speed.is_some();
        Self { player, words, run, tab: Tab::Stacks, scroll: 0, playing, speed: speed.unwrap_or(1.0) }
    }

    /// How long the record that is shown stays; none while nothing plays.
    pub(super) fn pause(&self) -> Option<Duration> {
        let step = self.player.step();
        let next = self.player.entries().get(step).filter(|_| self.playing)?;
        let shown = self.player.entry().map(|entry| entry.record.at);
        // A moment at least, so that keys are read.
        Some(pause(shown, next.record.at, self.speed).clamp(Duration::from_millis(20), LONGEST_PAUSE))
    }

    /// The pause is over.
    pub(super) fn play(&mut self) {
        if !self.playing {
            return;
        }
        self.go(self.player.step() + 1);
        if self.player.step() == self.player.entries().len() {
            self.playing = false;
        }
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Turn {
        let step = self.player.step();
        let last = self.player.entries().len();
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Turn::Quit,
            KeyCode::Char('q') | KeyCode::Esc => return Turn::Quit,
            KeyCode::Right | KeyCode::Char('l') => self.go(step + 1),
            KeyCode::Left | KeyCode::Char('h') => self.go(step.saturating_sub(1)),
            KeyCode::PageDown => self.go(step + 10),
            KeyCode::PageUp => self.go(step.saturating_sub(10)),
            KeyCode::Home | KeyCode::Char('g') => self.go(1),
            KeyCode::End | KeyCode::Char('G') => self.go(last),
            KeyCode::Char('n') => self.jump(true, Player::is_decision),
            KeyCode::Char('p') => self.jump(false, Player::is_decision),
            KeyCode::Char('f') => self.jump(true, is_failure),
            KeyCode::Char('F') => self.jump(false, is_failure),
            KeyCode::Char(' ') => {
                // At the end it plays once more from the start.
                if !self.playing && step == last {
                    self.go(1);
                }
                self.playing = !self.playing;
            }
            KeyCode::Char('+' | '=') => self.speed *= 2.0,
            KeyCode::Char('-') => self.speed /= 2.0,
            KeyCode::Tab => {
                self.tab = self.tab.next();
                self.scroll = 0;
            }
            KeyCode::Down | KeyCode::Char('j') => self.scroll = self.scroll.saturating_add(1),
            KeyCode::Up | KeyCode::Char('k') => self.scroll = self.scroll.saturating_sub(1),
            _ => {}
        }
        Turn::Stay
    }

    fn go(&mut self, step: usize) {
        self.player.seek(Moment::Step(step.max(1)));
    }

    /// To the next or previous record of a kind; nowhere when there is none.
    fn jump(&mut self, forward: bool, wanted: impl Fn(&Entry) -> bool) {
        let entries = self.player.entries();
        let step = self.player.step();
        let found = if forward {
            entries.iter().skip(step).position(wanted).map(|index| step + index + 1)
        } else {
            entries.iter().take(step.saturating_sub(1)).rposition(wanted).map(|index| index + 1)
        };
        if let Some(step) = found {
            self.go(step);
        }
    }
}

/// Whether a record tells of something that went wrong.
pub(super) fn is_failure(entry: &Entry) -> bool {
    entry.record.events.iter().any(|event| match event {
        Event::WorkflowRunObserved(run) => {
            run.conclusion.as_ref().is_some_and(|conclusion| !conclusion.lets_children_go())
        }
        Event::DispatchRefused(_)
        | Event::DispatchOutcomeUnknown(_)
        | Event::DispatchUndecidable(_)
        | Event::CommentRefused(_) => true,
        _ => false,
    })
}
