//! Everything that is shown of one moment.

use super::comment;
use crate::log::LogNarrator;
use stackwave_admin::Narrator as _;
use stackwave_domain::{Entry, Position, RunId, Timestamp};
use stackwave_engine::{
    state::RepositoryState,
    view::{RunView, run_view},
};
use stackwave_replay::{About, DueAction, Player, due_actions};

/// A run at a record.
pub(super) struct Shown<'a> {
    pub(super) about: &'a About,
    /// After how many records, of how many.
    pub(super) step: (usize, usize),
    pub(super) now: Timestamp,
    /// The record after which it is, with its events in words.
    pub(super) record: Option<(&'a Entry, Vec<String>)>,
    /// None before the run was opened.
    pub(super) run: Option<RunView<'a>>,
    pub(super) state: Option<&'a RepositoryState>,
    pub(super) due: Vec<DueAction>,
    /// What the pull request's comment should have said.
    pub(super) comment: Option<String>,
    /// The comment at GitHub said exactly that.
    pub(super) posted: bool,
}

impl<'a> Shown<'a> {
    pub(super) fn of(player: &'a Player) -> Self {
        let words = Words::of(player);
        let state = player.repository();
        let run = state.zip(player.run()).map(|(state, run)| run_view(state, run));
        let (comment, posted) = comment::of(player).unzip();
        Self {
            about: player.about(),
            step: (player.step(), player.entries().len()),
            now: player.now(),
            record: player.entry().map(|entry| (entry, words.of_entry(entry))),
            due: due_actions(player, comment.as_deref()),
            run,
            state,
            comment,
            posted: posted.unwrap_or(false),
        }
    }

    /// The record's place.
    pub(super) fn position(&self) -> Position {
        self.record.as_ref().map_or(Position::START, |(entry, _)| entry.position)
    }
}

/// Tells every record of a recording in words.
pub(super) struct Words(LogNarrator);

impl Words {
    pub(super) fn of(player: &Player) -> Self {
        let mut narrator = LogNarrator::default();
        player.config_entries().iter().chain(player.entries()).for_each(|entry| narrator.add(entry));
        Self(narrator)
    }

    /// Whether a record tells of a run.
    pub(super) fn is_about(&self, entry: &Entry, run: &RunId) -> bool {
        entry.record.events.iter().any(|event| self.0.is_about(entry, event, run))
    }

    /// One line an event: its name and what it says.
    pub(super) fn of_entry(&self, entry: &Entry) -> Vec<String> {
        let events = entry.record.events.iter();
        events.map(|event| format!("{}: {}", event.name(), self.0.summary(entry, event))).collect()
    }
}
