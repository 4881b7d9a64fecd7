//! How fast and how much at once: one budget an installation and process (design §5).
//!
//! | host | writes | comments | in flight |
//! |---|---|---|---|
//! | `api.github.com`, `api.*.ghe.com` | 150/min, burst 20 | 60/min and 400/h | 30 |
//! | any other (GHES has its limits off by default) | unpaced | unpaced | 100 |
//!
//! GitHub allows 180 writes a minute, 80 comments a minute and 500 an hour, and 100 calls at once; the rest is margin
//! for other programs of the same App. Several processes of ours share a rate ([`crate::GitHubClient::set_share`]); calls
//! in flight are each process's own. A limit that GitHub answers blocks the whole installation until it ends.

mod bucket;
mod lane;

pub(crate) use lane::{Kind, Lane};

use crate::observe::BudgetLeft;
use stackwave_domain::InstallationId;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use url::Url;

/// A number of writes within a time, and how many of them may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) writes: u32,
    pub(crate) per: Duration,
    pub(crate) burst: u32,
}

/// How one host is to be treated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) writes: Option<Rate>,
    pub(crate) comments: Vec<Rate>,
    pub(crate) in_flight: u32,
}

const MINUTE: Duration = Duration::from_secs(60);
const BURST: u32 = 20;

impl Pace {
    /// The pace of a host, with the writes a minute that were configured, if any.
    pub(crate) fn of(base: &Url, writes_per_minute: Option<u32>) -> Self {
        let host = base.host_str().unwrap_or_default().to_ascii_lowercase();
        let hosted = host == "api.github.com" || (host.starts_with("api.") && host.ends_with(".ghe.com"));
        let writes = writes_per_minute.unwrap_or(if hosted { 150 } else { 0 });
        Self {
            writes: (writes > 0).then(|| Rate { writes, per: MINUTE, burst: BURST.min(writes) }),
            comments: if hosted {
                // The hour's bucket holds a minute's worth, so that an hour that begins with a burst keeps to 460.
                vec![
                    Rate { writes: 60, per: MINUTE, burst: 10 },
                    Rate { writes: 400, per: 60 * MINUTE, burst: 60 },
                ]
            } else {
                Vec::new()
            },
            in_flight: if hosted { 30 } else { 100 },
        }
    }
}

/// The budgets of all installations; calls of the App itself have one of their own.
#[derive(Debug)]
pub(crate) struct Budgets {
    pace: Pace,
    lanes: Mutex<Lanes>,
}

#[derive(Debug)]
struct Lanes {
    /// How much of the pace is this process's.
    share: f64,
    of: BTreeMap<Option<InstallationId>, Arc<Lane>>,
}

impl Budgets {
    pub(crate) const fn new(pace: Pace) -> Self {
        Self { pace, lanes: Mutex::new(Lanes { share: 1.0, of: BTreeMap::new() }) }
    }

    pub(crate) fn lane(&self, installation: Option<InstallationId>) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let share = lanes.share;
        Arc::clone(lanes.of.entry(installation).or_insert_with(|| Arc::new(Lane::new(&self.pace, share))))
    }

    /// Of each rate only so much is this process's; the rest is other processes' of the same App.
    pub(crate) fn set_share(&self, share: f64) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        // A thousandth is less than any number of processes would leave.
        lanes.share = share.clamp(0.001, 1.0);
        lanes.of.values().for_each(|lane| lane.set_share(lanes.share));
    }

    /// What every lane has left now.
    pub(crate) fn left(&self) -> Vec<BudgetLeft> {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.of.iter().map(|(installation, lane)| lane.left(*installation)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(url: &str, writes: Option<u32>) -> Pace {
        Pace::of(&Url::parse(url).unwrap(), writes)
    }

    #[test]
    fn githubs_own_hosts_are_paced_and_others_are_not() {
        for url in ["https://api.github.com", "https://api.acme.ghe.com/"] {
            let pace = pace(url, None);
            assert_eq!(pace.writes, Some(Rate { writes: 150, per: MINUTE, burst: 20 }));
            assert_eq!((pace.comments.len(), pace.in_flight), (2, 30));
        }
        for url in
            ["https://github.acme.test/api/v3", "http://127.0.0.1:9", "https://api.github.com.evil.test"]
        {
            let pace = pace(url, None);
            assert_eq!((pace.writes, pace.comments.len(), pace.in_flight), (None, 0, 100));
        }
    }

    #[test]
    fn a_configured_number_of_writes_wins() {
        assert_eq!(pace("https://api.github.com", Some(0)).writes, None);
        let slow = pace("https://github.acme.test/api/v3", Some(6));
        assert_eq!(slow.writes, Some(Rate { writes: 6, per: MINUTE, burst: 6 }));
    }
}
