//! Bytes by their digest.

use super::Harness;
use bytes::Bytes;
use stackwave_domain::Digest;

fn bytes(length: usize) -> Bytes {
    (0..length).map(|at| u8::try_from(at * 31 % 251).unwrap_or(0)).collect()
}

/// Byte by byte, under their digest; also none.
pub async fn a_blob_comes_back_as_it_was_stored(harness: &impl Harness) {
    let log = harness.open().await;
    for blob in [Bytes::new(), Bytes::from_static(b"\0\xff not UTF-8"), bytes(100_000)] {
        let digest = log.put_blob(blob.clone()).await.expect("stored");
        assert_eq!(digest, Digest::of(&blob));
        assert_eq!(log.get_blob(&digest).await.expect("an answer"), Some(blob));
    }
}

/// Also by two at once, and while somebody reads it.
pub async fn a_blob_is_stored_twice_without_harm(harness: &impl Harness) {
    let log = harness.open().await;
    let blob = bytes(300_000);
    let digest = log.put_blob(blob.clone()).await.expect("stored");
    for _ in 0..5 {
        let (left, right, read) =
            futures::join!(log.put_blob(blob.clone()), log.put_blob(blob.clone()), log.get_blob(&digest));
        assert_eq!(left.expect("stored"), digest);
        assert_eq!(right.expect("stored"), digest);
        assert_eq!(read.expect("an answer"), Some(blob.clone()));
    }
}

/// Not an error: the caller knows what it means.
pub async fn a_blob_that_was_never_stored_is_missing(harness: &impl Harness) {
    let log = harness.open().await;
    assert_eq!(log.get_blob(&Digest::of(b"nobody stored this")).await.expect("an answer"), None);
}

/// As durable as a record.
pub async fn a_large_blob_survives_a_restart(harness: &impl Harness) {
    let blob = bytes(6 * 1024 * 1024 + 17);
    let log = harness.open().await;
    let digest = log.put_blob(blob.clone()).await.expect("stored");
    drop(log);
    harness.restart().await;
    let log = harness.open().await;
    let found = log.get_blob(&digest).await.expect("an answer").expect("the blob");
    assert!(found == blob, "the blob has changed");
}
