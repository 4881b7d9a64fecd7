//! Snapshots of folds, in an object store of their own: `<stream>/<engine>/<position>`.

use crate::{
    NatsLog,
    objects::{Described, Objects},
};
use async_trait::async_trait;
use bytes::Bytes;
use stackwave_domain::{Position, StreamId};
use stackwave_event_log::{LogError, SnapshotKey, Snapshots, StoredSnapshot, superseded};

fn unavailable(error: String) -> LogError {
    LogError::Unavailable(format!("the snapshots: {error}"))
}

fn name(stream: StreamId, snapshot: StoredSnapshot) -> String {
    format!("{stream}/{}/{}", snapshot.engine, snapshot.position)
}

/// What an object is, if it is a snapshot of the stream.
fn parse(stream: StreamId, name: &str) -> Option<StoredSnapshot> {
    let (engine, position) = name.strip_prefix(&format!("{stream}/"))?.split_once('/')?;
    Some(StoredSnapshot { engine: engine.parse().ok()?, position: position.parse().ok()? })
}

async fn stored(objects: &Objects, stream: StreamId) -> Result<Vec<(StoredSnapshot, Described)>, String> {
    let objects = objects.list().await?;
    Ok(objects.into_iter().filter_map(|object| Some((parse(stream, &object.info.name)?, object))).collect())
}

#[async_trait]
impl Snapshots for NatsLog {
    async fn put(&self, key: SnapshotKey, position: Position, bytes: Bytes) -> Result<(), LogError> {
        self.check_writable().map_err(LogError::Unavailable)?;
        self.stream(key.stream).map_err(LogError::Setup)?;
        let Some(objects) = &self.snapshots else { return Ok(()) };
        let snapshot = StoredSnapshot { engine: key.engine, position };
        objects.put(&name(key.stream, snapshot), &bytes).await.map_err(unavailable)?;
        let there = stored(objects, key.stream).await.map_err(unavailable)?;
        let snapshots: Vec<StoredSnapshot> = there.iter().map(|(snapshot, _)| *snapshot).collect();
        let old = superseded(&snapshots, key.engine);
        for (_, object) in there.iter().filter(|(snapshot, _)| old.contains(snapshot)) {
            // Another process may remove it as well.
            objects.remove(object).await.map_err(unavailable)?;
        }
        Ok(())
    }

    async fn load(&self, key: SnapshotKey) -> Result<Option<(Position, Bytes)>, LogError> {
        self.stream(key.stream).map_err(LogError::Setup)?;
        let Some(objects) = &self.snapshots else { return Ok(None) };
        let mut there = stored(objects, key.stream).await.map_err(unavailable)?;
        there.retain(|(snapshot, _)| snapshot.engine == key.engine);
        there.sort_by_key(|(snapshot, _)| std::cmp::Reverse(snapshot.position));
        for (StoredSnapshot { position, .. }, object) in there {
            let trouble = match objects.is_whole(&object).await.map_err(unavailable)? {
                true => match objects.read(&object.info.name).await {
                    Ok(Some(bytes)) => return Ok(Some((position, bytes))),
                    Ok(None) => "it was just removed".to_owned(),
                    Err(error) => error,
                },
                false => "pieces of it are missing".to_owned(),
            };
            tracing::warn!(
                stream = %key.stream, engine = key.engine, %position, trouble,
                "a snapshot is not what was stored; it is passed over"
            );
        }
        Ok(None)
    }

    async fn list(&self, stream: StreamId) -> Result<Vec<StoredSnapshot>, LogError> {
        self.stream(stream).map_err(LogError::Setup)?;
        let Some(objects) = &self.snapshots else { return Ok(Vec::new()) };
        let there = stored(objects, stream).await.map_err(unavailable)?;
        Ok(there.into_iter().map(|(snapshot, _)| snapshot).collect())
    }
}
