//! Queues of deliveries. One worker drains a lane, and only while there is something in it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

/// Deliveries that wait, by lane.
#[derive(Debug, Default)]
pub(crate) struct Lanes(Mutex<HashMap<String, VecDeque<u64>>>);

impl Lanes {
    /// True when the lane is new and needs a worker.
    pub(crate) fn push(&self, lane: &str, delivery: u64) -> bool {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = lanes.get_mut(lane) {
            queue.push_back(delivery);
            return false;
        }
        lanes.insert(lane.to_owned(), VecDeque::from([delivery]));
        true
    }

    /// The next of a lane. `None` ends the lane, and its worker.
    pub(crate) fn pop(&self, lane: &str) -> Option<u64> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = lanes.get_mut(lane)?.pop_front();
        if next.is_none() {
            lanes.remove(lane);
        }
        next
    }
}
