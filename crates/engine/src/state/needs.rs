//! For what the records up to a position are still needed: whoever purges them asks before (design §3.4).

use super::{RepositoryState, State, retention};
use stackwave_domain::{Position, RepositoryId, Timestamp};
use std::fmt;

/// Something for which records are still needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Of which repository.
    pub repository: RepositoryId,
    /// From this record on.
    pub from: Position,
    /// What needs them, in words.
    pub what: String,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "repository {}: {} (from position {})", self.repository, self.what, self.from)
    }
}

impl State {
    /// What needs a record at or before `through` at `now`: runs that are kept, for their re-runs and for people who ask
    /// why; uploads that wait for their trigger, or for their other chunks; claims that have not ended. By the records.
    #[must_use]
    pub fn needs(&self, through: Position, now: Timestamp) -> Vec<Need> {
        let mut needs: Vec<Need> = self
            .repositories()
            .flat_map(|repository| repository.needs(now))
            .filter(|need| need.from <= through)
            .collect();
        needs.sort_by_key(|need| (need.from, need.repository));
        needs
    }
}

impl RepositoryState {
    fn needs(&self, now: Timestamp) -> impl Iterator<Item = Need> + '_ {
        let need = |from, what| Need { repository: self.id, from, what };
        let runs = self.runs.values().filter(move |run| retention::is_kept(run, now)).map(move |run| {
            let upload = self.uploads.get(&run.upload).map_or(run.opened.1, |upload| upload.first.position);
            let what = match retention::kept_until(run) {
                None => format!("the run {} is not done", run.id),
                Some(until) => format!("the run {} is kept for re-runs until {}", run.id, day(until)),
            };
            need(run.opened.1.min(upload), what)
        });
        let parked = self.uploads.values().filter(move |upload| retention::is_parked(upload, now));
        let parked = parked.map(move |upload| {
            let what = format!("the upload of {} waits for its trigger", upload.head_sha.short());
            need(upload.first.position, what)
        });
        let batches = self.batches.iter().map(move |((_, batch), incomplete)| {
            need(incomplete.first, format!("chunks of the batch {batch} are missing"))
        });
        let claims = self.open_claims().map(move |dispatch| {
            need(dispatch.at.1, format!("the claim of {} has not ended", dispatch.claimed.dispatch))
        });
        runs.chain(parked).chain(batches).chain(claims)
    }
}

/// The day of a moment, in UTC.
fn day(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(..10).map(str::to_owned).unwrap_or(text)
}
