//! The end of a call's time, kept also by a process that was stopped in the middle.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};
use tokio::time::{Instant, sleep_until};

/// Waits for a future until a deadline, and lets it go on at no moment after it.
///
/// tokio's own timeout asks the future first and the clock second. A process that was stopped while it waited for a token
/// or a connection, and wakes long after, would then send what it had prepared: when another process has taken its claim
/// over, searched GitHub, and sent. So here the clock comes first, each time.
pub(crate) async fn until<F: Future>(deadline: Instant, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut end = pin!(sleep_until(deadline));
    poll_fn(|context| {
        if Instant::now() >= deadline {
            return Poll::Ready(None);
        }
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => end.as_mut().poll(context).map(|()| None),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::Cell, time::Duration};

    const TIME: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn what_was_prepared_before_the_process_was_stopped_is_not_sent_after_the_deadline() {
        let sent = Cell::new(false);
        let call = async {
            // What the call waits for is there when the process wakes, and so is its deadline.
            tokio::time::advance(2 * TIME).await;
            sent.set(true);
        };
        assert_eq!(until(Instant::now() + TIME, call).await, None);
        assert!(!sent.get());
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_without_an_answer_ends_at_its_deadline() {
        let began = Instant::now();
        assert_eq!(until(began + TIME, std::future::pending::<()>()).await, None);
        assert_eq!(Instant::now(), began + TIME);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_in_time_is_taken() {
        assert_eq!(until(Instant::now() + TIME, tokio::time::sleep(TIME / 2)).await, Some(()));
    }
}
