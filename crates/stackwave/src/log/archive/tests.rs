//! What is archived reads back; what is not whole is told.

use super::*;
use crate::{
    cli::ShowOptions,
    log::{
        show,
        tests::story::{STREAM, Story, all},
    },
};
use std::{path::PathBuf, sync::Arc};

struct Purge {
    story: Story,
    plan: Plan,
    folder: tempfile::TempDir,
}

impl Purge {
    /// A purge of nearly all of it.
    async fn planned() -> Self {
        let story = Story::told().await;
        let blob = story.log().put_blob("a body that nothing refers to".into()).await.unwrap();
        assert!(story.log().get_blob(&blob).await.unwrap().is_some());
        let now = "2037-01-01T00:00:00Z".parse().unwrap();
        let through = BTreeMap::from([(STREAM, Position(15))]);
        let plan = purge::plan(&story.log(), through, now).await.unwrap();
        Self { story, plan, folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("old.jsonl.zst")
    }

    async fn write(&self) -> anyhow::Result<Archived> {
        let now = "2037-01-01T00:00:00Z".parse().unwrap();
        write(self.story.log().as_ref(), &self.plan, &self.path(), "a test", now).await
    }
}

async fn shown(log: &Arc<dyn EventLog>) -> Vec<String> {
    let mut out = Vec::new();
    let filter = crate::cli::Filter { json: true, ..all() };
    show(log, &ShowOptions { filter, limit: None }, &mut out).await.unwrap();
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn what_is_archived_is_shown_like_the_log_and_holds_the_bytes_as_they_were() {
    let purge = Purge::planned().await;
    let archived = purge.write().await.unwrap();
    let (records, blobs) = purge.plan.total();
    assert_eq!((archived.records as u64, archived.blobs as u64), (records.count, blobs.count));
    assert!(archived.records >= 10 && archived.blobs == 1 && archived.bytes > 0);

    let archive: Arc<dyn EventLog> = ArchiveLog::open(&purge.path()).unwrap();
    let log = purge.story.log();
    let raw = archive.read_raw(STREAM, Position(1), 100).await.unwrap();
    let there = log.read_raw(STREAM, Position(1), 100).await.unwrap();
    assert_eq!(raw.len(), archived.records);
    assert!(raw.iter().all(|record| there.contains(record)));
    let all = shown(&log).await;
    let old = shown(&archive).await;
    assert!(old.len() >= archived.records);
    for line in old {
        let position =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["position"].clone();
        assert!(all.iter().any(|known| position(known) == position(&line)), "{line}");
    }
    let blob = &purge.plan.blobs[0];
    assert_eq!(archive.get_blob(&blob.digest).await.unwrap(), log.get_blob(&blob.digest).await.unwrap());
}

#[tokio::test]
async fn an_archive_is_read_on_in_small_pages_and_from_the_front_again() {
    let purge = Purge::planned().await;
    purge.write().await.unwrap();
    let archive: Arc<dyn EventLog> = ArchiveLog::open(&purge.path()).unwrap();
    let all = archive.read(STREAM, Position(1), 100).await.unwrap();
    for _ in 0..2 {
        let (mut paged, mut from) = (Vec::new(), Position(1));
        while let Some(entry) = archive.read(STREAM, from, 1).await.unwrap().pop() {
            from = entry.position.next();
            paged.push(entry);
        }
        assert_eq!(paged, all);
    }
    let last = all.last().unwrap();
    assert_eq!(archive.last_position(STREAM).await.unwrap(), last.position);
    assert_eq!(archive.first_position(STREAM).await.unwrap(), Some(all[0].position));
    assert_eq!(archive.last(&last.subject).await.unwrap().as_ref(), Some(last));
    assert_eq!(archive.read(STREAM, last.position, 9).await.unwrap(), std::slice::from_ref(last));
    assert!(archive.read(STREAM, last.position.next(), 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_file_that_is_there_is_never_written_over() {
    let purge = Purge::planned().await;
    std::fs::write(purge.path(), "precious").unwrap();
    assert!(purge.write().await.is_err());
    assert_eq!(std::fs::read(purge.path()).unwrap(), b"precious");
}

#[tokio::test]
async fn an_archive_that_is_cut_or_changed_is_refused() {
    let purge = Purge::planned().await;
    purge.write().await.unwrap();
    let packed = std::fs::read(purge.path()).unwrap();
    std::fs::write(purge.path(), &packed[..packed.len() / 2]).unwrap();
    assert!(ArchiveLog::open(&purge.path()).is_err());

    let text = String::from_utf8(zstd::decode_all(packed.as_slice()).unwrap()).unwrap();
    let without_end = text.rsplit_once("{\"records\"").unwrap().0;
    let changed = text.replacen("swd_7", "swd_8", 1);
    let none = text.split_once('\n').unwrap().1;
    for (text, why) in [
        (without_end, "its last line is missing"),
        (changed.as_str(), "it is damaged"),
        (none, "it is no archive"),
    ] {
        std::fs::write(purge.path(), zstd::encode_all(text.as_bytes(), 3).unwrap()).unwrap();
        let error = format!("{:#}", ArchiveLog::open(&purge.path()).unwrap_err());
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_body_that_is_no_line_of_json_is_kept_as_bytes() {
    for body in ["not json", "{\n}", " {} ", "\u{fffd}"] {
        let raw = RawRecord {
            position: Position(1),
            subject: "sw.00.1.ledger".to_owned(),
            stored_at: None,
            body: body.as_bytes().to_vec().into(),
        };
        let line = serde_json::to_vec(&stored(STREAM, raw)).unwrap();
        let Line::Record(read) = Line::read(&line).unwrap() else { panic!("{body}") };
        assert_eq!(STANDARD.decode(read.body_base64.unwrap()).unwrap(), body.as_bytes());
    }
}
