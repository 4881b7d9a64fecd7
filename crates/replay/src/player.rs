//! Goes through a recording, one record at a time, forward and back.

use crate::{About, Recording};
use stackwave_domain::{Entry, Position, RunId, Timestamp, record::HydrateError};
use stackwave_engine::{
    Config, State,
    state::{RepositoryState, Run},
};
use std::collections::BTreeMap;

/// So many states are kept on the way at most, so that a step back folds few records again.
const MARKS: usize = 64;
/// But none closer together than this.
const LEAST_BETWEEN: usize = 32;

/// A recording with the state at one of its records.
#[derive(Debug)]
pub struct Player {
    about: About,
    shown: Option<RunId>,
    config: Vec<Entry>,
    entries: Vec<Entry>,
    /// States after so many records; the one after none is always there.
    marks: BTreeMap<usize, State>,
    between: usize,
    state: State,
    folded: usize,
    /// The moment that was gone to, where a later record shows that it was before the end.
    asked: Option<Timestamp>,
}

/// Where to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// After the last record at or before this position.
    Position(Position),
    /// After the last record that was written at or before this moment.
    Time(Timestamp),
    /// After so many records.
    Step(usize),
    /// After the last record.
    End,
}

impl Player {
    /// At the end of a recording.
    ///
    /// # Errors
    /// A content is missing or cannot be read.
    pub fn new(recording: &Recording) -> Result<Self, HydrateError> {
        let entries = recording.hydrated()?;
        let state = recording.base.clone().unwrap_or_default();
        let between = (entries.len() / MARKS).max(LEAST_BETWEEN);
        let mut player = Self {
            about: recording.about.clone(),
            shown: recording.about.run.clone(),
            config: recording.config.clone(),
            entries,
            marks: BTreeMap::from([(0, state.clone())]),
            between,
            state,
            folded: 0,
            asked: None,
        };
        player.seek(Moment::End);
        Ok(player)
    }

    /// What the recording is about.
    #[must_use]
    pub const fn about(&self) -> &About {
        &self.about
    }

    /// The records, with their contents in place.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What the configuration says of the repository.
    #[must_use]
    pub fn config_entries(&self) -> &[Entry] {
        &self.config
    }

    /// After how many records it is.
    #[must_use]
    pub const fn step(&self) -> usize {
        self.folded
    }

    /// The record after which it is; none before the first.
    #[must_use]
    pub fn entry(&self) -> Option<&Entry> {
        self.entries.get(self.folded.checked_sub(1)?)
    }

    /// Goes somewhere; as near as the recording reaches.
    pub fn seek(&mut self, moment: Moment) {
        let target = match moment {
            Moment::Position(position) => self.entries.partition_point(|entry| entry.position <= position),
            // Writers' clocks may differ a little, so the records' times are not in order.
            Moment::Time(time) => {
                self.entries.iter().rposition(|entry| entry.record.at <= time).map_or(0, |index| index + 1)
            }
            Moment::Step(step) => step.min(self.entries.len()),
            Moment::End => self.entries.len(),
        };
        let before_end = target < self.entries.len();
        self.asked = match moment {
            Moment::Time(time) if before_end => Some(time),
            Moment::Time(_) | Moment::Position(_) | Moment::Step(_) | Moment::End => None,
        };
        if target < self.folded {
            let mark = self.marks.range(..=target).next_back();
            let (step, state) =
                mark.map_or_else(|| (0, State::default()), |(step, state)| (*step, state.clone()));
            (self.folded, self.state) = (step, state);
        }
        while self.folded < target {
            self.state.apply(&self.entries[self.folded]);
            self.folded += 1;
            if self.folded.is_multiple_of(self.between) {
                self.marks.entry(self.folded).or_insert_with(|| self.state.clone());
            }
        }
    }

    /// The state of the repository; none before anything is known of it.
    #[must_use]
    pub fn repository(&self) -> Option<&RepositoryState> {
        self.state.repository(self.about.repository)
    }

    /// The run that is shown: the one that the recording is of or that was chosen, else the newest one that the state knows (of the pull request, if it is of one).
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        let repository = self.repository()?;
        if let Some(run) = &self.shown {
            return repository.runs.get(run);
        }
        let of_pull =
            |run: &&Run| self.about.pull_request.is_none_or(|number| run.pull_request == Some(number));
        repository.runs.values().filter(of_pull).max_by_key(|run| run.opened.1)
    }

    /// Makes a run the one that is shown.
    pub fn show(&mut self, run: RunId) {
        self.shown = Some(run);
    }

    /// A run by its id.
    #[must_use]
    pub fn find_run(&self, run: &RunId) -> Option<&Run> {
        self.repository()?.runs.get(run)
    }

    /// The moment that is shown: the one that was gone to, else what the roles called now at this record.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let written = self.written();
        self.asked.map_or(written, |asked| asked.max(written))
    }

    /// What the roles called now at this record: never before any record that they had folded.
    #[must_use]
    pub fn written(&self) -> Timestamp {
        let written = self.entry().map_or(Timestamp::UNIX_EPOCH, |entry| entry.record.at);
        self.repository().map_or(written, |repository| repository.last_at.max(written))
    }

    /// The configuration as it was then, as far as the recording has it.
    #[must_use]
    pub fn config(&self) -> Config {
        let now = self.now();
        let mut config = Config::default();
        // One that was written first a moment later than it was used would leave a repository without its name.
        for (index, entry) in self.config.iter().enumerate() {
            if index == 0 || entry.record.at <= now {
                config.apply(entry);
            }
        }
        config
    }
}
