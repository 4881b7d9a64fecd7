//! CloudEvents as the specification wants them.

use crate::incident::incident;
use serde_json::{Value, json};
use stackwave_replay::write_cloud_events;
use std::collections::BTreeSet;

/// The JSON schema of CloudEvents 1.0.2 (`cloudevents/formats/cloudevents.json` of the specification's repository).
fn schema() -> Value {
    let text = |description: &str| json!({"type": "string", "minLength": 1, "description": description});
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            "id": text("Identifies the event."),
            "source": {"type": "string", "format": "uri-reference", "minLength": 1},
            "specversion": text("The version of the CloudEvents specification which the event uses."),
            "type": text("Describes the type of event related to the originating occurrence."),
            "datacontenttype": {"type": ["string", "null"], "minLength": 1},
            "dataschema": {"type": ["string", "null"], "format": "uri", "minLength": 1},
            "subject": {"type": ["string", "null"], "minLength": 1},
            "time": {"type": ["string", "null"], "format": "date-time", "minLength": 1},
            "data": {"type": ["object", "string", "number", "array", "boolean", "null"]},
            "data_base64": {"type": ["string", "null"], "contentEncoding": "base64"}
        },
        "required": ["id", "source", "specversion", "type"]
    })
}

async fn events() -> Vec<Value> {
    let mut bytes = Vec::new();
    write_cloud_events(&incident().await.recording().await, &mut bytes, false).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn every_line_is_a_cloud_event_of_version_1_0() {
    let validator = jsonschema::options().should_validate_formats(true).build(&schema()).unwrap();
    for event in events().await {
        let errors: Vec<String> = validator.iter_errors(&event).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?} in {event}");
        assert_eq!(event["specversion"], "1.0");
        // §3.1: names are lower-case letters and digits, and should be no longer than 20.
        for name in event.as_object().unwrap().keys() {
            let plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
            assert!(plain && name.len() <= 20, "{name}");
        }
        // An attribute's value is no object.
        for (name, value) in event.as_object().unwrap().iter().filter(|(name, _)| *name != "data") {
            assert!(value.is_string(), "{name}: {value}");
        }
    }
}

#[tokio::test]
async fn source_and_id_name_an_event_once() {
    let events = events().await;
    let names: BTreeSet<String> =
        events.iter().map(|event| format!("{} {}", event["source"], event["id"])).collect();
    assert_eq!(names.len(), events.len());
}

#[tokio::test]
async fn types_subjects_and_data_are_those_of_the_events() {
    let events = events().await;
    let opened = events.iter().rfind(|event| event["type"] == "dev.stackwave.run_opened.v1").unwrap();
    assert_eq!(opened["subject"], opened["data"]["run"]);
    assert_eq!(opened["datacontenttype"], "application/json");
    assert_eq!(opened["source"], "urn:stackwave:sw_00:42");
    assert!(
        opened["data"]["plan"]["inline"]["stacks"].is_array(),
        "large contents are in their place: {opened}"
    );
}
