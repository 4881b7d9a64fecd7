//! Records are contracts: one committed sample of every event, which must decode for ever.

#![expect(clippy::unwrap_used, reason = "a sample that cannot be read is a failed test")]

use serde_json::Value;
use stackwave_domain::{Event, codec};
use std::{collections::BTreeMap, fs, path::PathBuf};

fn samples() -> BTreeMap<String, Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples");
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
    files
        .map(|file| {
            let name = file.file_name().into_string().unwrap();
            (name, fs::read(file.path()).unwrap())
        })
        .collect()
}

#[test]
fn every_event_has_a_sample_and_every_sample_an_event() {
    let expected: Vec<String> = {
        let mut names: Vec<_> = Event::NAMES.iter().map(|name| format!("{name}.v1.json")).collect();
        names.sort();
        names
    };
    assert_eq!(samples().into_keys().collect::<Vec<_>>(), expected);
}

#[test]
fn every_sample_decodes_and_is_written_again_as_it_was() {
    for (name, bytes) in samples() {
        let record = codec::decode(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            record.events.iter().any(|event| name == format!("{}.v1.json", event.name())),
            "{name} holds no such event"
        );
        let before: Value = serde_json::from_slice(&bytes).unwrap();
        let after: Value = serde_json::from_slice(&codec::encode(&record).unwrap()).unwrap();
        assert_eq!(after, before, "{name}");
    }
}

#[test]
fn a_field_that_a_newer_version_added_is_ignored() {
    for (name, bytes) in samples() {
        let mut value: Value = serde_json::from_slice(&bytes).unwrap();
        value["added_later"] = Value::from(1);
        let event = value["events"][0].as_object_mut().unwrap().values_mut().next().unwrap();
        event["added_later"] = Value::from("x");
        let newer = codec::decode(&serde_json::to_vec(&value).unwrap());
        assert_eq!(newer.unwrap(), codec::decode(&bytes).unwrap(), "{name}");
    }
}
