//! The suite that every adapter passes: what the port promises, as tests.
//!
//! An adapter's tests implement [`Harness`] and call [`conformance_tests!`](crate::conformance_tests), which makes one
//! test of each case. A case that fails panics with what it expected.

mod appending;
mod asides;
mod blobs;
mod crashing;
mod filtering;
mod fixture;
mod following;
mod leases;
mod purging;
mod reading;
mod snapshots;

pub use appending::*;
pub use asides::*;
pub use blobs::*;
pub use crashing::*;
pub use filtering::*;
pub use fixture::{CRASH_STREAM, Followed, crash_append, ledger, partition, record};
pub use following::*;
pub use leases::*;
pub use purging::*;
pub use reading::*;
pub use snapshots::*;

use crate::{Append, AppendError, EventLog, SnapshotKey};
use async_trait::async_trait;
use stackwave_domain::{Position, Receipt, Subject};
use std::sync::Arc;

/// How many partitions the harness's log has.
pub const PARTITIONS: u16 = 2;

/// One engine with one empty log of [`PARTITIONS`] partitions, which a case may stop, kill and start again.
#[async_trait]
pub trait Harness: Send + Sync {
    /// A handle on the log. Called again, it is the same log, and it may be the same handle.
    async fn open(&self) -> Arc<dyn EventLog>;

    /// Stops the engine in good order and starts it again. Called once all handles are dropped; followers may be left.
    async fn restart(&self);

    /// Appends [`crash_append`]`(0..)`, several at a time, kills the engine in the middle (as by `kill -9`) and starts
    /// it again. Tells what was acknowledged before; must be at least a hundred. Called without any handle.
    async fn crash(&self) -> Vec<Receipt>;

    /// Puts bytes into the log as if they were a record of the subject. Called without any handle.
    async fn plant(&self, subject: &Subject, body: &[u8]);

    /// Changes or takes away some bytes of a stored snapshot. Called without any handle.
    async fn damage_snapshot(&self, key: SnapshotKey, position: Position);
}

/// An engine behind a network.
#[async_trait]
pub trait RemoteHarness: Harness {
    /// Appends through a connection that is cut once the engine has the append and before its answer arrives. Tells
    /// what the caller was told.
    async fn append_losing_answer(&self, append: Append) -> AppendError;
}

/// Makes a `#[tokio::test]` of each case of the suite. The argument is an expression for an `Option` of a new
/// [`Harness`](crate::conformance::Harness); `None` skips.
#[macro_export]
macro_rules! conformance_tests {
    ($harness:expr) => {
        $crate::conformance_tests!(@each $harness,
            an_append_after_a_stale_position_conflicts
            expecting_zero_means_that_the_subject_is_empty
            an_expectation_is_about_the_exact_subject_only
            a_message_id_lands_once_and_answers_with_the_first_position
            without_a_message_id_every_append_lands
            a_record_too_large_is_refused_before_it_is_sent
            of_sixteen_racing_appenders_exactly_one_wins_each_round
            a_stream_that_the_log_does_not_have_is_refused
            a_follower_sees_old_records_then_live_ones_without_a_gap
            a_follower_starts_where_it_is_told
            a_follower_sees_only_its_stream
            a_follower_goes_on_after_a_restart
            a_slow_reader_loses_nothing
            positions_and_expectations_survive_a_restart
            a_message_id_is_known_after_a_restart
            a_kill_in_mid_append_loses_nothing_that_was_acknowledged
            an_append_that_nobody_waits_for_is_whole_or_absent
            a_read_goes_through_the_stream_in_pages
            the_last_record_of_a_subject_is_found
            the_last_position_is_that_of_the_stream
            bytes_that_are_no_record_end_a_read_and_a_follower
            an_event_of_a_newer_version_is_unknown_and_keeps_its_content
            a_blob_comes_back_as_it_was_stored
            a_blob_is_stored_twice_without_harm
            a_blob_that_was_never_stored_is_missing
            a_large_blob_survives_a_restart
            the_records_of_a_repository_are_found_among_others
            a_repository_is_read_in_pages
            records_are_read_byte_for_byte
            a_moment_is_found
            a_purge_leaves_the_last_record_of_what_is_checked
            a_purge_of_everything_forgets_no_position
            followers_go_over_what_was_purged
            blobs_are_listed_and_removed
            the_figures_are_those_of_what_is_there
            the_newest_snapshot_of_a_key_is_loaded
            old_snapshots_go_and_those_of_the_version_before_stay
            a_snapshot_survives_a_restart
            a_damaged_snapshot_is_passed_over
            a_lease_has_one_holder_at_a_time
            a_lease_is_renewed_and_acquired_again_by_its_holder
            a_lease_that_is_not_renewed_goes_to_another
            of_many_processes_that_want_a_lease_one_gets_it
            members_are_seen_until_they_leave_or_fall_silent
            a_body_kept_aside_comes_back
            bodies_are_listed_newest_first_in_pages
            a_body_kept_aside_expires
        );
    };
    (@each $harness:expr, $($case:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            if let Some(harness) = $harness {
                $crate::conformance::$case(&harness).await;
            }
        }
    )*};
}
