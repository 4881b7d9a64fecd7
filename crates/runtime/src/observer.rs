//! Who looks at what is folded without acting on it: read models, metrics, live views.

use futures::future::BoxFuture;
use stackwave_domain::{Entry, Position, StreamId};
use stackwave_engine::State;

/// Sees each record of a partition once a process, in order, after it was folded.
///
/// All methods are called from the partition's loop, which waits for them: they return soon, and whatever takes long
/// goes to a task of the observer's own.
pub trait Observer: Send + 'static {
    /// Its name, for logs.
    fn name(&self) -> &'static str;

    /// The loop starts from this state, which holds everything up to `position`: [`Position::START`] where it folds
    /// from the stream's beginning, else the position of a snapshot or checkpoint. The records up to there are not
    /// shown. Called before anything is folded, and again in the odd case that the process was cut off from the log while
    /// records were purged that it had not folded.
    fn started_from(&mut self, stream: StreamId, position: Position, state: &State) {
        let _ = (stream, position, state);
    }

    /// These records were folded, and the state holds everything up to the last of them. Never empty; the blobs that
    /// the records refer to are in their places.
    fn folded(&mut self, stream: StreamId, state: &State, entries: &[Entry]);

    /// What it waits for before it can take more; none when it can. Asked only while the stream's past is folded, when
    /// nobody acts yet: whoever acts waits for no observer.
    fn room(&mut self, stream: StreamId) -> Option<BoxFuture<'static, ()>> {
        let _ = stream;
        None
    }

    /// Everything that was in the stream when it was opened has been folded: what comes now is new. Called again after
    /// each reconnect.
    fn caught_up(&mut self, stream: StreamId, state: &State) {
        let _ = (stream, state);
    }
}
