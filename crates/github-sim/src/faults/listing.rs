//! Fresh runs that list endpoints do not show yet.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use crate::state::Listed;

/// When a new run appears in lists. `GET …/runs/{id}` and webhooks know it at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListingFault {
    /// This long after it was made.
    After(Duration),
    /// When [`list_hidden_runs`](crate::GitHub::list_hidden_runs) is called.
    WhenTold,
}

/// What is set for runs to come.
#[derive(Debug, Default)]
pub(crate) struct Listings {
    pub(crate) next: VecDeque<ListingFault>,
    pub(crate) always: Option<ListingFault>,
}

impl Listings {
    /// For the run that is made at this moment.
    pub(crate) fn take(&mut self) -> Listed {
        match self.next.pop_front().or(self.always) {
            Some(ListingFault::After(delay)) => Listed::From(Instant::now() + delay),
            Some(ListingFault::WhenTold) => Listed::Hidden,
            None => Listed::Now,
        }
    }
}
