//! Brings a file from where it is to where the live loop took over: the log is folded once more, apart, and at the pace
//! at which rows can be written.

use crate::{
    changes::Changes,
    observer::FEW,
    project::{self, Projector},
    store::Store,
    stores::Stores,
};
use stackwave_domain::{Entry, Position, StreamId};
use stackwave_engine::State;
use stackwave_event_log::{EventLog, LogError, MAX_BATCH};
use stackwave_runtime::{
    start::{self, Origin, Start},
    stow,
};
use std::{sync::Arc, time::Duration};

/// How long to wait before trying again after an error of the log.
const AGAIN: Duration = Duration::from_secs(1);

/// So many records are projected at once: rows that change often are written once, and little waits in memory.
const AT_ONCE: usize = 8 * MAX_BATCH;

/// Catches up with every stream, then says that the file is complete, and watches over it until it is closed. One that
/// breaks is followed by another.
pub(crate) async fn run(stores: Arc<Stores>, mut store: Arc<Store>) {
    loop {
        let mut broken = store.broken();
        let work = async {
            all(&stores, &store).await;
            store.finish().await;
            stores.finished(&store).await;
            std::future::pending::<()>().await;
        };
        let error = tokio::select! {
            () = store.closed() => return,
            () = work => return,
            broken = broken.wait_for(Option::is_some) => broken.ok().and_then(|error| error.clone()),
        };
        let Some(error) = error else { return };
        match stores.broke(&store, error).await {
            Some(next) => store = next,
            None => return,
        }
    }
}

async fn all(stores: &Stores, store: &Store) {
    let streams: Vec<StreamId> = stores.streams().collect();
    for stream in streams {
        let from = wait_for_live(stores, store, stream).await;
        while !store.shared().tracks(|tracks| tracks.get(stream)).is_met() {
            if let Err(error) = one(&stores.core().log, store, stream, from).await {
                tracing::warn!(%error, %stream, "the read model cannot read the event log; trying again");
                tokio::time::sleep(AGAIN).await;
            }
        }
        // What the live loop folds of the past belongs to it.
        wait_until(store, stream, stores.last_at_start(stream)).await;
    }
}

/// Waits until the live loop of a stream has begun; tells from where.
async fn wait_for_live(stores: &Stores, store: &Store, stream: StreamId) -> Position {
    let mut begun = stores.begun();
    loop {
        if let Some(from) = store.shared().tracks(|tracks| tracks.get(stream)).from {
            return from;
        }
        if begun.changed().await.is_err() {
            return Position::START;
        }
    }
}

/// Projects one stream up to a position.
async fn one(
    log: &Arc<dyn EventLog>,
    store: &Store,
    stream: StreamId,
    upto: Position,
) -> Result<(), LogError> {
    let done = store.shared().tracks(|tracks| tracks.get(stream)).done.position;
    if stream == StreamId::Config {
        return config(log, store, done, upto).await;
    }
    if upto.0.saturating_sub(done.0) > FEW {
        store.expect_much();
    }
    let Start { state, origin, .. } = begin(log, stream, done).await?;
    let mut fold = Fold { stream, projector: None, state, done };
    if let Origin::Checkpoint(position) = origin
        && position > done
    {
        // The records are gone: what the checkpoint holds is all that is known of them.
        store.catch_up(stream, fold.everything(position)).await;
    }
    let mut from = origin.position().next();
    while from <= upto {
        let mut entries = Vec::new();
        while entries.len() < AT_ONCE && from <= upto {
            let mut page = log.read(stream, from, MAX_BATCH).await?;
            let Some(last) = page.last() else { break };
            from = last.position.next();
            stow::hydrate(log, &mut page).await?;
            entries.extend(page.into_iter().filter(|entry| entry.position <= upto));
        }
        // Positions may have gaps: where nothing is left before the goal, it is reached.
        let ended = entries.is_empty();
        let folded = tokio::task::spawn_blocking(move || {
            let changes = fold.project(&entries);
            (fold, changes)
        });
        let changes;
        (fold, changes) = folded.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        if let Some(changes) = changes {
            store.catch_up(stream, changes).await;
        }
        if ended || from > upto {
            break;
        }
    }
    store.catch_up(stream, Changes { upto, ..Changes::default() }).await;
    wait_until(store, stream, upto).await;
    Ok(())
}

/// The quickest start from which everything after `done` can be told.
async fn begin(log: &Arc<dyn EventLog>, stream: StreamId, done: Position) -> Result<Start<State>, LogError> {
    let newest = start::newest(log.as_ref(), stream).await?;
    if newest.origin.position() <= done {
        return Ok(newest);
    }
    drop(newest);
    start::replay(log.as_ref(), stream, None).await
}

/// A fold of its own.
struct Fold {
    stream: StreamId,
    projector: Option<Projector>,
    state: State,
    /// Up to here it is only folded.
    done: Position,
}

impl Fold {
    /// What these records change; none when they are known.
    fn project(&mut self, entries: &[Entry]) -> Option<Changes> {
        let (known, news) = entries.split_at(entries.partition_point(|entry| entry.position <= self.done));
        for entry in known {
            self.state.apply(entry);
        }
        if news.is_empty() {
            return None;
        }
        let projector = self.projector.get_or_insert_with(|| Projector::new(self.stream, &self.state));
        for entry in news {
            self.state.apply(entry);
        }
        Some(projector.project(&self.state, news.iter()))
    }

    fn everything(&mut self, at: Position) -> Changes {
        let projector = self.projector.insert(Projector::new(self.stream, &self.state));
        projector.everything(&self.state, at)
    }
}

/// The configuration stream tells of deliveries only.
async fn config(
    log: &Arc<dyn EventLog>,
    store: &Store,
    done: Position,
    upto: Position,
) -> Result<(), LogError> {
    let mut from = done.next();
    while from <= upto {
        let page = log.read(StreamId::Config, from, MAX_BATCH).await?;
        let Some(last) = page.last() else { break };
        from = last.position.next();
        let mut changes =
            Changes { upto: last.position, tip: Some(last.record.id.clone()), ..Changes::default() };
        for entry in &page {
            project::collect_deliveries(StreamId::Config, entry, &mut changes.deliveries);
        }
        store.catch_up(StreamId::Config, changes).await;
    }
    store.catch_up(StreamId::Config, Changes { upto, ..Changes::default() }).await;
    wait_until(store, StreamId::Config, upto).await;
    Ok(())
}

/// Waits until everything up to a position is written. One that breaks meanwhile is told elsewhere.
async fn wait_until(store: &Store, stream: StreamId, upto: Position) {
    let mut commits = store.commits();
    while store.shared().tracks(|tracks| tracks.get(stream)).done.position < upto {
        if commits.changed().await.is_err() {
            return;
        }
    }
}
