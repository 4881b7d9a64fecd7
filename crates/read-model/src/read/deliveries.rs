//! Deliveries of webhooks, newest first.

use super::{
    Reader,
    cursor::Listing,
    keys::{Condition, DELIVERIES, Key, Keys, Merge},
    words,
};
use crate::{
    codec,
    error::ReadError,
    query::{DeliveriesQuery, Page, PageRequest},
    rows::DeliveryRow,
    schema::Word,
    write::{pack_guid, unpack_guid},
};
use rusqlite::{OptionalExtension as _, Row, types::Value};
use stackwave_domain::{Position, RepositoryId};

const SELECT: &str = "
SELECT d.guid, event.text, action.text, d.repository, d.key, d.stream, d.position
FROM deliveries d
LEFT JOIN words event ON event.id = d.event
LEFT JOIN words action ON action.id = d.action
WHERE d.key = ?";

impl Reader<'_> {
    pub(crate) fn deliveries(
        &self,
        query: &DeliveriesQuery,
        request: &PageRequest,
    ) -> Result<Page<DeliveryRow>, ReadError> {
        let find = |below, count| {
            let ranges = self.delivery_ranges(query, below, count)?;
            Merge::new(ranges).take(self.tables, count)
        };
        self.page(Listing::of("deliveries", query), request, find, |key| {
            self.tables.prepare_cached(SELECT)?.query_row([key.0], read)
        })
    }

    fn delivery_ranges(
        &self,
        query: &DeliveriesQuery,
        below: Key,
        count: usize,
    ) -> rusqlite::Result<Vec<Keys>> {
        let event = match &query.event {
            None => None,
            Some(event) => match words::find(self.tables, Word::Event, event)? {
                Some(word) => Some(word),
                None => return Ok(Vec::new()),
            },
        };
        let repository = query.repository.map(|repository| codec::number(repository.0));
        let range =
            |index: Option<&str>, conditions| Keys::new(DELIVERIES, index, conditions, below).by(count);
        let by_event = |event: i64| -> Condition { ("event = ?", Value::Integer(event)) };
        let by_repository = |id: i64| -> Condition { ("repository = ?", Value::Integer(id)) };
        if let Some(delivery) = &query.delivery {
            let mut conditions: Vec<Condition> = vec![("guid = ?", pack_guid(delivery.as_str()))];
            conditions.extend(event.map(by_event));
            conditions.extend(repository.map(by_repository));
            return Ok(vec![range(Some("deliveries_guid"), conditions)]);
        }
        Ok(match (repository, event) {
            (Some(repository), _) => {
                let events = match event {
                    Some(event) => vec![event],
                    None => self.events_of(repository)?,
                };
                let of = |event| vec![by_repository(repository), by_event(event)];
                events.into_iter().map(|event| range(Some("deliveries_repository"), of(event))).collect()
            }
            (None, Some(event)) => vec![range(Some("deliveries_event"), vec![by_event(event)])],
            (None, None) => vec![range(None, Vec::new())],
        })
    }

    /// The events of a repository's deliveries: by skipping from one to the next in the index.
    fn events_of(&self, repository: i64) -> rusqlite::Result<Vec<i64>> {
        let mut next = self.tables.prepare_cached(
            "SELECT event FROM deliveries INDEXED BY deliveries_repository
             WHERE repository = ? AND event > ? ORDER BY event LIMIT 1",
        )?;
        let (mut events, mut last) = (Vec::new(), i64::MIN);
        while let Some(event) = next.query_row([repository, last], |row| row.get(0)).optional()? {
            last = event;
            events.push(event);
        }
        Ok(events)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    let repository: Option<i64> = row.get(3)?;
    Ok(DeliveryRow {
        id: unpack_guid(row.get_ref(0)?).into(),
        event: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
        action: row.get(2)?,
        repository: repository.map(|id| RepositoryId(codec::unsigned(id))),
        received_at: codec::time_of_key(row.get(4)?),
        stream: codec::stream_of(row.get(5)?),
        record: Position(codec::unsigned(row.get(6)?)),
    })
}
