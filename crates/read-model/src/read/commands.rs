//! Commands, newest first.

use super::{
    Reader,
    cursor::Listing,
    keys::{COMMANDS, Condition, Keys, Merge},
};
use crate::{
    codec,
    error::ReadError,
    query::{CommandsQuery, Page, PageRequest},
    rows::{CommandRow, CommandStatus},
};
use rusqlite::{OptionalExtension as _, Row, types::Value};
use stackwave_domain::{CommandId, Position, RepositoryId, StackKey};

const SELECT: &str = "
SELECT c.id, kind.text, c.repository, c.run, c.component, c.stack, c.dispatch, c.actor, c.reason, c.key, c.stream,
       c.position, c.status, c.outcome
FROM commands c
LEFT JOIN words kind ON kind.id = c.kind
WHERE ";

impl Reader<'_> {
    pub(crate) fn commands(
        &self,
        query: &CommandsQuery,
        request: &PageRequest,
    ) -> Result<Page<CommandRow>, ReadError> {
        let find = |below, count| {
            let repository: Option<Condition> =
                query.repository.map(|it| ("repository = ?", Value::Integer(codec::number(it.0))));
            let run: Option<Condition> =
                query.run.as_ref().map(|run| ("run = ?", Value::Text(run.as_str().to_owned())));
            let index = match (&run, &repository) {
                (Some(_), _) => Some("commands_run"),
                (None, Some(_)) => Some("commands_repository"),
                (None, None) => None,
            };
            let conditions = run.into_iter().chain(repository).collect();
            Merge::new(vec![Keys::new(COMMANDS, index, conditions, below).by(count)]).take(self.tables, count)
        };
        self.page(Listing::of("commands", query), request, find, |key| {
            self.tables.prepare_cached(&format!("{SELECT} c.key = ?"))?.query_row([key.0], read)
        })
    }

    pub(crate) fn find_command(&self, id: &CommandId) -> rusqlite::Result<Option<CommandRow>> {
        self.tables.prepare_cached(&format!("{SELECT} c.id = ?"))?.query_row([id.as_str()], read).optional()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<CommandRow> {
    let text = |column| row.get::<_, Option<String>>(column);
    let (component, stack) = (text(4)?, text(5)?);
    Ok(CommandRow {
        id: text(0)?.unwrap_or_default().into(),
        kind: text(1)?.unwrap_or_default(),
        repository: RepositoryId(codec::unsigned(row.get(2)?)),
        run: text(3)?.map(Into::into),
        key: stack.zip(component).map(|(stack, component)| StackKey::new(stack, component)),
        dispatch: text(6)?.map(Into::into),
        actor: text(7)?.unwrap_or_default(),
        reason: text(8)?,
        at: codec::time_of_key(row.get(9)?),
        stream: codec::stream_of(row.get(10)?),
        record: Position(codec::unsigned(row.get(11)?)),
        status: codec::command_status_of(row.get(12)?).unwrap_or(CommandStatus::Accepted),
        outcome: text(13)?,
    })
}
