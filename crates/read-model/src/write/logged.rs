//! What a record tells once and for ever: uploads and deliveries. Told again, after a restart, they change nothing.

use super::{Writer, insert_at};
use crate::{
    changes::{DeliveryChange, UploadChange},
    codec,
    schema::Word,
};
use rusqlite::params;
use stackwave_domain::{Position, StreamId};

/// GUIDs lie as bytes: eight of the 36 characters say nothing, and hex is twice as long.
pub(crate) fn pack_guid(guid: &str) -> rusqlite::types::Value {
    let hex: String = guid.chars().filter(|c| *c != '-').collect();
    let packed = codec::pack(&hex);
    let reads_back =
        matches!(&packed, rusqlite::types::Value::Blob(bytes) if unpack_guid_bytes(bytes) == guid);
    if reads_back { packed } else { rusqlite::types::Value::Text(guid.to_owned()) }
}

/// The GUID of [`pack_guid`].
pub(crate) fn unpack_guid(value: rusqlite::types::ValueRef<'_>) -> String {
    match value {
        rusqlite::types::ValueRef::Blob(bytes) => unpack_guid_bytes(bytes),
        other => codec::unpack(other),
    }
}

fn unpack_guid_bytes(bytes: &[u8]) -> String {
    let hex = codec::unpack(rusqlite::types::ValueRef::Blob(bytes));
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), hex.get(20..).unwrap_or_default()].join("-")
}

impl Writer<'_> {
    pub(super) fn put_upload(&mut self, change: &UploadChange) -> rusqlite::Result<()> {
        let row = &change.row;
        let place = self.place(row.repository, &row.workspace, row.stream)?;
        let credential = self.word(Word::Client, row.credential.as_str())?;
        let client = self.maybe_word(Word::Client, row.client.as_deref())?;
        let mut insert = self.tables.prepare_cached(
            "INSERT INTO uploads (key, stream, position, ordinal, place, credential, head_sha, base_sha, digest, whole,
                                  received, stacks, chunk, chunks, batch, client)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
        )?;
        insert_at(codec::key(row.received_at, row.record, change.ordinal), |key| {
            let inserted = insert.execute(params![
                key,
                codec::stream(row.stream),
                codec::number(row.record.0),
                change.ordinal,
                place,
                credential,
                codec::pack(row.head_sha.as_str()),
                codec::pack(row.base_sha.as_str()),
                codec::pack(row.digest.as_str()),
                change.whole,
                codec::ms(row.received_at),
                row.stacks,
                row.chunk.map(|(index, _)| index),
                row.chunk.map(|(_, total)| total),
                change.batch,
                client,
            ])?;
            Ok(inserted > 0 || self.is_same("uploads", key, row.stream, row.record, change.ordinal)?)
        })?;
        Ok(())
    }

    pub(super) fn put_delivery(&mut self, change: &DeliveryChange) -> rusqlite::Result<()> {
        let row = &change.row;
        let event = self.word(Word::Event, &row.event)?;
        let action = self.maybe_word(Word::Event, row.action.as_deref())?;
        let mut insert = self.tables.prepare_cached(
            "INSERT INTO deliveries (key, stream, position, ordinal, guid, event, action, repository)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
        )?;
        insert_at(codec::key(row.received_at, row.record, change.ordinal), |key| {
            let inserted = insert.execute(params![
                key,
                codec::stream(row.stream),
                codec::number(row.record.0),
                change.ordinal,
                pack_guid(row.id.as_str()),
                event,
                action,
                row.repository.map(|repository| codec::number(repository.0)),
            ])?;
            Ok(inserted > 0 || self.is_same("deliveries", key, row.stream, row.record, change.ordinal)?)
        })?;
        Ok(())
    }

    /// Whether the row of a key is the one of this event.
    fn is_same(
        &self,
        table: &str,
        key: i64,
        stream: StreamId,
        record: Position,
        ordinal: u8,
    ) -> rusqlite::Result<bool> {
        self.tables
            .prepare_cached(&format!("SELECT stream, position, ordinal FROM {table} WHERE key = ?"))?
            .query_row([key], |row| {
                let stored: (i64, i64, u8) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(stored == (codec::stream(stream), codec::number(record.0), ordinal))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::types::{Value, ValueRef};

    #[test]
    fn guids_are_short_and_every_name_reads_back() {
        let guid = "72d3162e-cc78-11e3-81ab-4c9367dc0958";
        assert!(matches!(pack_guid(guid), Value::Blob(bytes) if bytes.len() == 16));
        for name in [guid, "delivery-17", "72D3162E-CC78-11E3-81AB-4C9367DC0958", "abcd", ""] {
            assert_eq!(unpack_guid(ValueRef::from(&pack_guid(name))), name);
        }
    }
}
