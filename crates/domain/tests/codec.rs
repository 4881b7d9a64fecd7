//! Reading what a newer version wrote, fetching blobs, and the size that a log takes.

#![expect(clippy::unwrap_used, reason = "a sample that cannot be read is a failed test")]

use stackwave_domain::{
    Digest, Event, Fragment, Record, RecordId,
    codec::{self, CodecError},
    digest::{BlobRef, Stored},
    event::{DispatchUndecidable, UploadReceived},
    record::{HydrateError, MAX_RECORD_BYTES, SCHEMA_VERSION},
};

const UPLOAD: &[u8] = include_bytes!("../samples/upload_received.v1.json");
const SKIPPED: &str = include_str!("../samples/stack_skipped.v1.json");

fn record(events: Vec<Event>) -> Record {
    Record::new(RecordId::new("r1"), "2026-11-24T10:00:00Z".parse().unwrap(), "test", events)
}

#[test]
fn an_event_of_a_newer_version_becomes_unknown_and_its_neighbours_stay() {
    let bytes = br#"{"id":"r1","v":1,"at":"2026-11-24T10:00:00Z","actor":"x","events":[
        {"upload_looked_up":{"head_sha":"abc","pull_requests":[7]}},
        {"stack_paused":{"until":"tomorrow"}}]}"#;
    let record = codec::decode(bytes).unwrap();
    assert_eq!(record.events[0].name(), "upload_looked_up");
    assert_eq!(
        record.events[1],
        Event::Unknown { name: "stack_paused".to_owned(), json: r#"{"until":"tomorrow"}"#.to_owned() }
    );
}

#[test]
fn a_known_event_that_a_newer_version_writes_otherwise_becomes_unknown() {
    let newer = SKIPPED.replace("\"deployed_by_newer_run\"", "\"frozen_by\"");
    assert!(matches!(codec::decode(newer.as_bytes()), Err(CodecError::Malformed(_))));
    let newer = newer.replace("\"v\": 1", &format!("\"v\": {}", SCHEMA_VERSION + 1));
    let record = codec::decode(newer.as_bytes()).unwrap();
    assert!(matches!(&record.events[0], Event::Unknown { name, .. } if name == "stack_skipped"));
}

#[test]
fn what_is_no_record_is_refused() {
    for bytes in ["", "{", "[]", "{}", r#"{"id":"r","v":1,"at":"noon","actor":"x","events":[]}"#] {
        assert!(matches!(codec::decode(bytes.as_bytes()), Err(CodecError::Malformed(_))), "{bytes}");
    }
}

#[test]
fn a_record_larger_than_a_log_takes_is_not_written() {
    let padded = |bytes: usize| {
        record(vec![
            DispatchUndecidable {
                dispatch: "swd_1".into(),
                epoch: 1,
                candidates: Vec::new(),
                reason: "x".repeat(bytes),
            }
            .into(),
        ])
    };
    let overhead = codec::encode(&padded(0)).unwrap().len();
    let largest = codec::encode(&padded(MAX_RECORD_BYTES - overhead)).unwrap();
    assert_eq!(largest.len(), MAX_RECORD_BYTES);
    let refused = codec::encode(&padded(MAX_RECORD_BYTES - overhead + 1));
    assert!(matches!(refused, Err(CodecError::TooLarge { bytes }) if bytes == MAX_RECORD_BYTES + 1));
}

/// The sample upload with its graph put aside, and the graph's bytes.
fn put_aside() -> (Record, BlobRef, Vec<u8>) {
    let mut record = codec::decode(UPLOAD).unwrap();
    let upload = upload(&mut record);
    let bytes = serde_json::to_vec(upload.fragment.get().unwrap().as_ref()).unwrap();
    let blob = BlobRef { digest: Digest::of(&bytes), bytes: bytes.len() as u64 };
    upload.fragment = Stored::Blob(blob.clone());
    (record, blob, bytes)
}

fn upload(record: &mut Record) -> &mut UploadReceived {
    match &mut record.events[0] {
        Event::UploadReceived(upload) => upload,
        other => panic!("not an upload: {other:?}"),
    }
}

#[test]
fn a_graph_in_the_blob_store_is_fetched_into_its_place() {
    let (record, blob, bytes) = put_aside();
    let mut read = codec::decode(&codec::encode(&record).unwrap()).unwrap();
    assert_eq!(read.missing_blobs(), vec![blob.clone()]);
    read.hydrate(|asked| (*asked == blob).then(|| bytes.clone())).unwrap();
    assert_eq!(read, codec::decode(UPLOAD).unwrap());
    assert!(read.missing_blobs().is_empty());
}

#[test]
fn a_blob_that_is_missing_or_something_else_is_an_error() {
    let (mut record, _, _) = put_aside();
    assert!(matches!(record.hydrate(|_| None), Err(HydrateError::Missing(_))));
    assert!(matches!(record.hydrate(|_| Some(b"{}".to_vec())), Err(HydrateError::Unreadable { .. })));
    assert_eq!(upload(&mut record).fragment.get(), None);
    assert_ne!(upload(&mut record).fragment, Stored::inline(Fragment::default()));
}
