//! Uploads, one row a record's event, and which chunks make one upload.

use crate::{
    changes::{Changes, UploadChange},
    codec::hash63,
    rows::UploadRow,
};
use stackwave_domain::{Entry, Event, Position, StreamId, event::UploadReceived};
use stackwave_engine::state::RepositoryState;

/// Adds the uploads of a record.
pub(super) fn collect(stream: StreamId, repository: &RepositoryState, entry: &Entry, changes: &mut Changes) {
    for (ordinal, event) in entry.record.events.iter().enumerate() {
        let Event::UploadReceived(upload) = event else { continue };
        let batch =
            upload.batch.as_ref().map(|batch| hash63(&[upload.credential.as_str(), batch.id.as_str()]));
        let whole = match batch {
            None => hash63(&[upload.digest.as_str()]),
            Some(batch) => {
                let united = united(repository, entry.position, upload);
                changes.complete.extend(united.map(|whole| (batch, whole)));
                0
            }
        };
        changes.uploads.push(UploadChange {
            ordinal: u8::try_from(ordinal).unwrap_or(u8::MAX),
            row: row(stream, repository, entry.position, upload),
            whole,
            batch,
        });
    }
}

fn row(
    stream: StreamId,
    repository: &RepositoryState,
    record: Position,
    upload: &UploadReceived,
) -> UploadRow {
    UploadRow {
        repository: repository.id,
        workspace: upload.workspace.clone(),
        credential: upload.credential.clone(),
        head_sha: upload.head_sha.clone(),
        base_sha: upload.base_sha.clone(),
        digest: upload.digest.clone(),
        received_at: upload.received_at,
        stacks: upload
            .fragment
            .get()
            .map_or(0, |fragment| u32::try_from(fragment.stacks.len()).unwrap_or(u32::MAX)),
        chunk: upload.batch.as_ref().map(|batch| (batch.index + 1, batch.total)),
        client: upload.client.clone(),
        runs: Vec::new(),
        stream,
        record,
    }
}

/// The upload that was complete with this chunk.
fn united(repository: &RepositoryState, at: Position, chunk: &UploadReceived) -> Option<i64> {
    let mut uploads = repository.uploads_of(&chunk.head_sha);
    let upload = uploads.find(|upload| upload.first.position == at || upload.last.position == at)?;
    Some(hash63(&[upload.digest.as_str()]))
}
