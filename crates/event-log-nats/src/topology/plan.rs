//! What has to change in a stream that exists.

use async_nats::jetstream::stream::Config;
use stackwave_event_log::LogError;
use std::fmt::Debug;

/// The settings to send, or none when the stream is as it should be. What was set by hand besides stays.
///
/// # Errors
/// A setting that cannot be changed on a stream, or must not be without a person's decision, is different.
pub(super) fn change(found: &Config, wanted: &Config) -> Result<Option<Config>, LogError> {
    let stream = &wanted.name;
    fixed(stream, "storage", &found.storage, &wanted.storage)?;
    fixed(stream, "retention", &found.retention, &wanted.retention)?;
    fixed(stream, "subjects", &sorted(&found.subjects), &sorted(&wanted.subjects))?;
    fixed(stream, "sealed", &found.sealed, &false)?;
    fixed(stream, "no_ack", &found.no_ack, &false)?;
    fixed(stream, "mirror", &found.mirror.as_ref().map(|mirror| &mirror.name), &None)?;
    if found.deny_delete && !wanted.deny_delete {
        return Err(different(stream, "deny_delete", &found.deny_delete, &wanted.deny_delete));
    }
    if found.num_replicas > wanted.num_replicas {
        return Err(LogError::Setup(format!(
            "the stream {stream} has {} replicas, but {} are configured; configure {0}, or lower it by hand with \
             `nats stream edit {stream} --replicas={1}`",
            found.num_replicas, wanted.num_replicas
        )));
    }
    let mut changed = found.clone();
    changed.num_replicas = wanted.num_replicas;
    changed.discard = wanted.discard;
    changed.max_bytes = larger(found.max_bytes, wanted.max_bytes);
    changed.max_age = wanted.max_age;
    changed.max_messages = wanted.max_messages;
    changed.max_messages_per_subject = wanted.max_messages_per_subject;
    changed.discard_new_per_subject = wanted.discard_new_per_subject;
    changed.duplicate_window = found.duplicate_window.max(wanted.duplicate_window);
    changed.deny_delete = wanted.deny_delete;
    changed.allow_rollup = wanted.allow_rollup;
    changed.allow_direct = wanted.allow_direct;
    changed.allow_message_ttl |= wanted.allow_message_ttl;
    changed.metadata.extend(wanted.metadata.clone());
    Ok((changed != *found).then_some(changed))
}

fn fixed<T: PartialEq + Debug>(stream: &str, setting: &str, found: &T, wanted: &T) -> Result<(), LogError> {
    if found == wanted { Ok(()) } else { Err(different(stream, setting, found, wanted)) }
}

fn different(stream: &str, setting: &str, found: &impl Debug, wanted: &impl Debug) -> LogError {
    LogError::Setup(format!(
        "the stream {stream} has {setting} {found:?}, but the event log needs {wanted:?}, and that cannot be changed; \
         use another NATS account, or move the stream away"
    ))
}

fn sorted(subjects: &[String]) -> Vec<&String> {
    let mut subjects: Vec<&String> = subjects.iter().collect();
    subjects.sort();
    subjects
}

/// Of two limits; -1 and 0 are none.
fn larger(found: i64, wanted: i64) -> i64 {
    if found <= 0 || wanted <= 0 { -1 } else { found.max(wanted) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NatsOptions, topology};
    use async_nats::jetstream::stream::{DiscardPolicy, StorageType};
    use stackwave_domain::StreamId;
    use std::time::Duration;

    fn wanted() -> Config {
        topology::wanted::records(StreamId::Partition(0), &NatsOptions::new("nats://unused"), 1)
    }

    fn refusal(found: &Config) -> String {
        change(found, &wanted()).unwrap_err().to_string()
    }

    #[test]
    fn a_stream_as_wanted_is_left_alone() {
        assert_eq!(change(&wanted(), &wanted()).unwrap(), None);
    }

    #[test]
    fn what_may_be_changed_is_changed_and_the_rest_stays() {
        let mut found = wanted();
        found.max_age = Duration::from_secs(3600);
        found.discard = DiscardPolicy::Old;
        found.deny_delete = false;
        found.metadata.clear();
        found.metadata.insert("owner".to_owned(), "platform".to_owned());
        let changed = change(&found, &wanted()).unwrap().unwrap();
        assert_eq!((changed.max_age, changed.discard), (Duration::ZERO, DiscardPolicy::New));
        assert!(changed.deny_delete);
        assert_eq!(changed.metadata["owner"], "platform");
        assert_eq!(changed.metadata[topology::PARTITIONS_KEY], "1");
    }

    #[test]
    fn limits_and_replicas_are_raised_and_a_larger_limit_stays() {
        let mut found = wanted();
        found.max_bytes = 1;
        let mut raised = wanted();
        raised.num_replicas = 3;
        let changed = change(&found, &raised).unwrap().unwrap();
        assert_eq!((changed.max_bytes, changed.num_replicas), (wanted().max_bytes, 3));
        found.max_bytes = wanted().max_bytes + 1;
        assert_eq!(change(&found, &wanted()).unwrap(), None);
        found.max_bytes = -1;
        assert_eq!(change(&found, &wanted()).unwrap(), None);
    }

    #[test]
    fn fewer_replicas_are_a_persons_decision() {
        let mut found = wanted();
        found.num_replicas = 3;
        assert!(
            refusal(&found).contains("SW_00 has 3 replicas, but 1 are configured"),
            "{}",
            refusal(&found)
        );
    }

    #[test]
    fn what_cannot_be_changed_is_named_with_its_stream() {
        let mut found = wanted();
        found.storage = StorageType::Memory;
        let message = refusal(&found);
        assert!(message.contains("SW_00 has storage Memory") && message.contains("File"), "{message}");
        let mut found = wanted();
        found.subjects.push("orders.>".to_owned());
        let message = refusal(&found);
        assert!(message.contains("SW_00 has subjects") && message.contains("orders.>"), "{message}");
    }
}
