//! The world of a scenario: `stackwave serve` as real processes on a real log, GitHub simulated behind real HTTP, and a
//! replica of the state that is folded from the log as it grows. Start with [`World`].
//!
//! A scenario waits for what the simulated GitHub or the log says, with a deadline, and ends with [`World::finish`],
//! which holds everything that happened against what must always be true.

mod checks;
mod journal;
mod world;

pub use journal::Journal;
pub use world::{API_KEY, Answer, Killed, PATIENCE, Pull, REPOSITORY, Setup, Shape, World, workflows};

/// Runs each scenario on SQLite and on JetStream, one test each.
#[macro_export]
macro_rules! on_both_logs {
    ($($scenario:ident),* $(,)?) => {$(
        mod $scenario {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                Box::pin(super::$scenario($crate::Shape::Sqlite)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_jetstream() {
                if $crate::Shape::JetStream.is_possible() {
                    Box::pin(super::$scenario($crate::Shape::JetStream)).await;
                }
            }
        }
    )*};
}

/// Runs each scenario on SQLite and on JetStream side by side in one test: for those that mostly wait.
#[macro_export]
macro_rules! on_both_logs_at_once {
    ($($scenario:ident),* $(,)?) => {$(
        mod $scenario {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite_and_on_jetstream() {
                let on_sqlite = Box::pin(super::$scenario($crate::Shape::Sqlite));
                if $crate::Shape::JetStream.is_possible() {
                    let on_jetstream = Box::pin(super::$scenario($crate::Shape::JetStream));
                    tokio::join!(on_sqlite, on_jetstream);
                } else {
                    on_sqlite.await;
                }
            }
        }
    )*};
}
