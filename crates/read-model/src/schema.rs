//! The tables. Words that repeat stand once, in `words`; a run's key orders everything that hangs on it.
//!
//! Every index serves one combination of filters exactly and ends with the list's order (a table's primary key is part of
//! each of its indices). A filter that is left out is a union over its few values, each cut at the page's size: so
//! `(place, status)` also serves a list without a status.

use rusqlite::Connection;

/// The version of the tables and of what is projected into them. A file of another version is built anew.
pub(crate) const PROJECTION_VERSION: u32 = 1;

const TABLES: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
-- How far each stream was projected without a gap, and the name of the last record of it.
CREATE TABLE streams (stream INTEGER PRIMARY KEY, done INTEGER NOT NULL, record TEXT);
CREATE TABLE words (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (kind, text));
-- A repository in a workspace: it may be moved to another.
CREATE TABLE places (
  id INTEGER PRIMARY KEY, repository INTEGER NOT NULL, workspace INTEGER NOT NULL, stream INTEGER NOT NULL,
  UNIQUE (repository, workspace)
);

CREATE TABLE runs (
  key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, place INTEGER NOT NULL,
  workspace INTEGER NOT NULL, status INTEGER NOT NULL, pull INTEGER, event INTEGER NOT NULL,
  activity INTEGER NOT NULL, flags INTEGER NOT NULL, generation INTEGER NOT NULL, position INTEGER NOT NULL,
  stopped INTEGER, head_sha BLOB NOT NULL, sha BLOB, git_ref INTEGER NOT NULL, upload INTEGER NOT NULL,
  totals BLOB NOT NULL, reason TEXT
);
CREATE INDEX runs_status ON runs (status);
CREATE INDEX runs_place ON runs (place, status);
CREATE INDEX runs_workspace ON runs (workspace, status);
CREATE INDEX runs_pull ON runs (pull, place, status) WHERE pull IS NOT NULL;
CREATE INDEX runs_upload ON runs (upload);
-- What is searched of a run: id, commits, branches. The index knows documents, which count in the order of their making.
CREATE VIRTUAL TABLE run_text USING fts5 (
  text, content = '', columnsize = 0, detail = none, tokenize = 'trigram'
);
CREATE VIRTUAL TABLE run_terms USING fts5vocab (run_text, row);
CREATE TABLE run_docs (doc INTEGER PRIMARY KEY, run INTEGER NOT NULL);
-- The newest run of each 4096 documents.
CREATE TABLE run_zones (zone INTEGER PRIMARY KEY, newest INTEGER NOT NULL);

-- A stack of a repository, with its newest run.
CREATE TABLE names (
  id INTEGER PRIMARY KEY, repository INTEGER NOT NULL, component INTEGER NOT NULL, stack INTEGER NOT NULL,
  run INTEGER NOT NULL, ord INTEGER NOT NULL, status INTEGER NOT NULL, UNIQUE (repository, component, stack)
);
CREATE INDEX names_key ON names (component, stack);
CREATE INDEX names_status ON names (status, run, ord);
CREATE INDEX names_repository ON names (repository, status, run, ord);
CREATE INDEX names_component ON names (component, status, run, ord);
CREATE INDEX names_stack ON names (stack, status, run, ord);

-- `ord` is the stack's place in its plan, negated: the list goes down both.
CREATE TABLE stacks (
  run INTEGER NOT NULL, ord INTEGER NOT NULL, at INTEGER NOT NULL, name INTEGER NOT NULL, place INTEGER NOT NULL,
  component INTEGER NOT NULL, stack INTEGER NOT NULL, status INTEGER NOT NULL, attempt INTEGER NOT NULL,
  released INTEGER, started INTEGER, concluded INTEGER, workflow_run INTEGER, workflow INTEGER,
  run_attempt INTEGER, url INTEGER, reason TEXT,
  PRIMARY KEY (run, ord)
) WITHOUT ROWID;
CREATE INDEX stacks_status ON stacks (status, run, ord);
CREATE INDEX stacks_place ON stacks (place, status, run, ord);
CREATE INDEX stacks_component ON stacks (component, status, run, ord);
CREATE INDEX stacks_stack ON stacks (stack, status, run, ord);
CREATE INDEX stacks_name ON stacks (name, status, run, ord);

CREATE TABLE pulls (
  id INTEGER PRIMARY KEY, repository INTEGER NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL,
  updated INTEGER NOT NULL, open INTEGER NOT NULL, merged INTEGER NOT NULL, head_sha BLOB NOT NULL, base_ref INTEGER NOT NULL,
  head_ref TEXT, title TEXT, UNIQUE (repository, number)
);
CREATE INDEX pulls_open ON pulls (open, updated);
CREATE INDEX pulls_repository ON pulls (repository, open, updated);
CREATE INDEX pulls_number ON pulls (number, open, updated);
CREATE VIRTUAL TABLE pull_text USING fts5 (
  text, content = '', columnsize = 0, detail = none, tokenize = 'trigram'
);
CREATE VIRTUAL TABLE pull_terms USING fts5vocab (pull_text, row);
CREATE TABLE pull_docs (doc INTEGER PRIMARY KEY, pull INTEGER NOT NULL);
-- Runs are counted as they are opened: a pull request may be told of later.
CREATE TABLE pull_runs (
  repository INTEGER NOT NULL, number INTEGER NOT NULL, runs INTEGER NOT NULL, latest INTEGER NOT NULL,
  PRIMARY KEY (repository, number)
) WITHOUT ROWID;

CREATE TABLE uploads (
  key INTEGER PRIMARY KEY, stream INTEGER NOT NULL, position INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  place INTEGER NOT NULL, credential INTEGER NOT NULL, head_sha BLOB NOT NULL, base_sha BLOB NOT NULL,
  digest BLOB NOT NULL, whole INTEGER NOT NULL, received INTEGER NOT NULL, stacks INTEGER NOT NULL,
  chunk INTEGER, chunks INTEGER, batch INTEGER, client INTEGER
);
CREATE INDEX uploads_place ON uploads (place);
CREATE INDEX uploads_sha ON uploads (head_sha);
CREATE INDEX uploads_whole ON uploads (whole, position);
-- Of which upload the chunks of a batch are parts.
CREATE TABLE batches (batch INTEGER PRIMARY KEY, whole INTEGER NOT NULL);
CREATE INDEX batches_whole ON batches (whole);
CREATE INDEX uploads_batch ON uploads (batch) WHERE batch IS NOT NULL;

CREATE TABLE dispatches (
  key INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, at INTEGER NOT NULL, run INTEGER NOT NULL, ord INTEGER NOT NULL,
  place INTEGER NOT NULL, attempt INTEGER NOT NULL, epoch INTEGER NOT NULL, status INTEGER NOT NULL,
  position INTEGER NOT NULL, workflow INTEGER NOT NULL, workflow_run INTEGER, run_attempt INTEGER, url INTEGER,
  reason TEXT
);
CREATE INDEX dispatches_status ON dispatches (status);
CREATE INDEX dispatches_place ON dispatches (place, status);
CREATE INDEX dispatches_run ON dispatches (run);
CREATE INDEX dispatches_workflow_run ON dispatches (workflow_run) WHERE workflow_run IS NOT NULL;

CREATE TABLE deliveries (
  key INTEGER PRIMARY KEY, stream INTEGER NOT NULL, position INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  guid BLOB NOT NULL, event INTEGER NOT NULL, action INTEGER, repository INTEGER
);
CREATE INDEX deliveries_guid ON deliveries (guid);
CREATE INDEX deliveries_event ON deliveries (event);
CREATE INDEX deliveries_repository ON deliveries (repository, event) WHERE repository IS NOT NULL;

CREATE TABLE commands (
  key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, stream INTEGER NOT NULL,
  position INTEGER NOT NULL, repository INTEGER NOT NULL, kind INTEGER NOT NULL, status INTEGER NOT NULL, actor TEXT NOT NULL,
  run TEXT, component TEXT, stack TEXT, dispatch TEXT, reason TEXT, outcome TEXT
);
CREATE INDEX commands_repository ON commands (repository);
CREATE INDEX commands_run ON commands (run) WHERE run IS NOT NULL;
";

/// What `words` holds, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Word {
    /// Workspaces.
    Workspace = 1,
    /// Components.
    Component = 2,
    /// Atmos stacks.
    Stack = 3,
    /// Branches and tags.
    Ref = 4,
    /// Names of GitHub's events, activities and actions; kinds of commands.
    Event = 5,
    /// File names of workflows.
    Workflow = 6,
    /// Pages of workflow runs, without the run's number at the end.
    Url = 7,
    /// Credentials, and clients by their `User-Agent`.
    Client = 8,
}

impl Word {
    pub(crate) const fn number(self) -> i64 {
        self as i64
    }
}

/// Makes the tables of an empty file.
pub(crate) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .execute_batch(&format!("BEGIN; {TABLES} PRAGMA user_version = {PROJECTION_VERSION}; COMMIT;"))?;
    for table in ["run_text", "pull_text"] {
        // Fewer, larger merges: the texts are never changed.
        connection.execute(&format!("INSERT INTO {table} ({table}, rank) VALUES ('automerge', 8)"), [])?;
    }
    Ok(())
}

/// The version of the file's tables; 0 when it has none.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}
