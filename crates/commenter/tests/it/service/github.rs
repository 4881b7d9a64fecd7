//! A GitHub that holds comments, remembers what was asked, and fails as told.

use async_trait::async_trait;
use stackwave_domain::{CommentId, InstallationId, PrNumber};
use stackwave_github::port::{CallError, Comments, OwnComment, Target};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::{Notify, Semaphore};

/// How a write goes wrong.
pub(crate) enum Fault {
    /// It does not happen.
    Before(CallError),
    /// It happens, and the answer is lost.
    After(CallError),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Find(PrNumber),
    Create(PrNumber),
    Update(CommentId),
}

#[derive(Default)]
pub(crate) struct Held {
    pub(crate) comments: BTreeMap<CommentId, (PrNumber, String)>,
    pub(crate) calls: Vec<Call>,
    faults: VecDeque<Fault>,
    outage: usize,
    next: u64,
    pub(crate) waiting_to_pay: usize,
    pub(crate) paid: usize,
}

impl Held {
    /// What the comments of a pull request say.
    pub(crate) fn of(&self, number: PrNumber) -> Vec<&str> {
        self.comments.values().filter(|(of, _)| *of == number).map(|(_, body)| body.as_str()).collect()
    }

    pub(crate) fn count(&self, call: Call) -> usize {
        self.calls.iter().filter(|made| **made == call).count()
    }

    pub(crate) fn writes(&self) -> usize {
        self.calls.iter().filter(|call| !matches!(call, Call::Find(_))).count()
    }

    fn fault(&mut self) -> (Option<CallError>, Option<CallError>) {
        match self.faults.pop_front() {
            None => (None, None),
            Some(Fault::Before(error)) => (Some(error), None),
            Some(Fault::After(error)) => (None, Some(error)),
        }
    }
}

pub(crate) struct FakeGitHub {
    held: Mutex<Held>,
    changed: Notify,
    /// Creations and edits wait for a permit.
    gate: Semaphore,
    /// Payments wait for a permit.
    budget: Semaphore,
}

impl FakeGitHub {
    pub(crate) fn new() -> Arc<Self> {
        Self::with(Semaphore::MAX_PERMITS, Semaphore::MAX_PERMITS)
    }

    /// One whose writes wait until they are let through.
    pub(crate) fn gated() -> Arc<Self> {
        Self::with(0, Semaphore::MAX_PERMITS)
    }

    /// One with so many writes in its budget.
    pub(crate) fn with_budget(writes: usize) -> Arc<Self> {
        Self::with(Semaphore::MAX_PERMITS, writes)
    }

    fn with(gate: usize, budget: usize) -> Arc<Self> {
        let (gate, budget) = (Semaphore::new(gate), Semaphore::new(budget));
        Arc::new(Self { held: Mutex::default(), changed: Notify::new(), gate, budget })
    }

    /// Puts more writes into the budget.
    pub(crate) fn allow(&self, writes: usize) {
        self.budget.add_permits(writes);
    }

    /// Lets all waiting and further writes through.
    pub(crate) fn let_through(&self) {
        self.gate.add_permits(1_000);
    }

    pub(crate) fn fail(&self, fault: Fault) {
        self.held.lock().unwrap().faults.push_back(fault);
    }

    /// It cannot be reached for so many calls of any kind.
    pub(crate) fn be_out_of_reach(&self, calls: usize) {
        self.held.lock().unwrap().outage = calls;
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&Held) -> T) -> T {
        read(&self.held.lock().unwrap())
    }

    pub(crate) fn delete_all(&self) {
        self.held.lock().unwrap().comments.clear();
    }

    pub(crate) fn put(&self, number: PrNumber, body: &str) -> CommentId {
        self.held.lock().unwrap().add(number, body)
    }

    /// Waits until something holds.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Held) -> bool) {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if self.read(&holds) {
                    return;
                }
                changed.await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(20), wait).await.is_err() {
            panic!(
                "{what}: {:?} {:#?}",
                self.read(|held| held.calls.clone()),
                self.read(|held| held.comments.clone())
            );
        }
    }

    fn call(&self, call: Call) -> Result<(), CallError> {
        let out_of_reach = {
            let mut held = self.held.lock().unwrap();
            held.calls.push(call);
            let out_of_reach = held.outage > 0;
            held.outage = held.outage.saturating_sub(1);
            out_of_reach
        };
        self.changed.notify_waiters();
        if out_of_reach { Err(CallError::Unavailable("connection refused".to_owned())) } else { Ok(()) }
    }
}

impl Held {
    fn add(&mut self, number: PrNumber, body: &str) -> CommentId {
        self.next += 1;
        let id = CommentId(self.next);
        self.comments.insert(id, (number, body.to_owned()));
        id
    }
}

#[async_trait]
impl Comments for FakeGitHub {
    async fn pay(&self, _: InstallationId) -> Result<(), CallError> {
        self.held.lock().unwrap().waiting_to_pay += 1;
        self.changed.notify_waiters();
        self.budget.acquire().await.unwrap().forget();
        {
            let mut held = self.held.lock().unwrap();
            held.waiting_to_pay -= 1;
            held.paid += 1;
        }
        self.changed.notify_waiters();
        Ok(())
    }

    async fn find(
        &self,
        _: &Target,
        number: PrNumber,
        marker: &str,
    ) -> Result<Option<OwnComment>, CallError> {
        self.call(Call::Find(number))?;
        let held = self.held.lock().unwrap();
        let ours = |(of, body): &(PrNumber, String)| *of == number && body.lines().next() == Some(marker);
        let found = held.comments.iter().find(|(_, comment)| ours(comment));
        Ok(found.map(|(id, (_, body))| OwnComment { id: *id, body: body.clone() }))
    }

    async fn create(&self, _: &Target, number: PrNumber, body: &str) -> Result<CommentId, CallError> {
        self.call(Call::Create(number))?;
        self.gate.acquire().await.unwrap().forget();
        let result = {
            let mut held = self.held.lock().unwrap();
            let (before, after) = held.fault();
            match before {
                Some(error) => Err(error),
                None => {
                    let id = held.add(number, body);
                    after.map_or(Ok(id), Err)
                }
            }
        };
        self.changed.notify_waiters();
        result
    }

    async fn update(&self, _: &Target, comment: CommentId, body: &str) -> Result<(), CallError> {
        self.call(Call::Update(comment))?;
        self.gate.acquire().await.unwrap().forget();
        let result = {
            let mut held = self.held.lock().unwrap();
            let (before, after) = held.fault();
            match (before, held.comments.get_mut(&comment)) {
                (Some(error), _) => Err(error),
                (None, None) => Err(CallError::NotFound("Not Found".to_owned())),
                (None, Some((_, old))) => {
                    body.clone_into(old);
                    after.map_or(Ok(()), Err)
                }
            }
        };
        self.changed.notify_waiters();
        result
    }
}
