//! Searches against what going through every row finds, over more runs than a search goes down by itself.

use super::model::{Model, STREAM, all};
use crate::{
    history::{History, REPOSITORIES},
    project::Projector,
    query::{PullsQuery, RunsQuery, StacksQuery, UploadsQuery},
    rows::{PullRow, RunRow},
};
use stackwave_domain::{Position, PrNumber, RepositoryId};
use stackwave_engine::{State, view::RunPhase};

const HISTORY: History = History { finished: 4_200, active: 30, stacks: 1 };

fn model() -> Model {
    let mut model = Model::new();
    for number in 0..REPOSITORIES {
        model.names.0.insert(RepositoryId(1_000_000 + number), format!("acme/infra-{number}"));
    }
    let mut state = State::default();
    let mut projector = Projector::new(STREAM, &state);
    let mut from = Position(1);
    loop {
        let entries = HISTORY.read(from, 4_096);
        let Some(last) = entries.last() else { break };
        from = last.position.next();
        entries.iter().for_each(|entry| drop(state.apply(entry)));
        model.write(&projector.project(&state, entries.iter()));
    }
    model
}

fn contains(model: &Model, row: &RunRow, text: &str) -> bool {
    let head_ref = row.head_ref.as_ref().map_or("", |head_ref| head_ref.as_str());
    let texts = [row.id.as_str(), row.head_sha.as_str(), row.sha.as_str(), row.git_ref.as_str(), head_ref];
    let name = model.names.0.get(&row.repository).map_or("", String::as_str);
    texts.iter().any(|it| it.to_lowercase().contains(text)) || name.contains(text)
}

fn pull_contains(row: &PullRow, text: &str) -> bool {
    let head_ref = row.head_ref.as_ref().map_or("", |head_ref| head_ref.as_str());
    let title = row.title.as_deref().unwrap_or_default().to_lowercase();
    title.contains(text) || head_ref.contains(text) || row.number.to_string() == text
}

#[test]
fn a_search_finds_what_going_through_every_row_finds() {
    let model = model();
    runs(&model);
    others(&model);
}

fn runs(model: &Model) {
    let reader = model.reader();
    let rows = all(500, |page| reader.runs(&RunsQuery::default(), page).unwrap());
    assert_eq!(rows.len() as u64, HISTORY.runs());
    assert!(rows.is_sorted_by(|one, other| one.opened_at >= other.opened_at));
    let old = &rows[3_900];
    let texts = [
        old.id.as_str(),
        &old.id.as_str().to_uppercase(),
        &old.head_sha.as_str()[20..27],
        &old.head_sha.as_str()[20..24],
        &old.head_sha.as_str()[20..23],
        &old.head_sha.as_str()[20..22],
        "g",
        "zz",
        "pr1-",
        "synchronize",
        "main",
        "infra-17",
        "acme/",
        "change-1000003",
        "CHANGE-1000003-2",
        "no such \"text\" at all",
        "nchronize-no",
    ];
    let all_runs = RunsQuery::default;
    let filters = [
        all_runs(),
        RunsQuery { status: Some(RunPhase::Running), ..all_runs() },
        RunsQuery { status: Some(RunPhase::Closed), ..all_runs() },
        RunsQuery { repository: Some(RepositoryId(1_000_003)), ..all_runs() },
        RunsQuery { pull_request: Some(PrNumber(2)), ..all_runs() },
        RunsQuery { workspace: Some("other".into()), ..all_runs() },
        RunsQuery { opened_before: Some(old.opened_at), ..all_runs() },
        RunsQuery { opened_after: Some(old.opened_at), status: Some(RunPhase::Closed), ..all_runs() },
    ];
    for text in texts {
        for filter in &filters {
            let query = RunsQuery { text: text.to_owned(), ..filter.clone() };
            let lower = text.to_lowercase();
            let expected: Vec<&RunRow> = rows
                .iter()
                .filter(|row| {
                    contains(model, row, &lower)
                        && filter.status.is_none_or(|it| it == row.status)
                        && filter.repository.is_none_or(|it| it == row.repository)
                        && filter.pull_request.is_none_or(|it| Some(it) == row.pull_request)
                        && filter.workspace.as_ref().is_none_or(|it| *it == row.workspace)
                        && filter.opened_before.is_none_or(|it| row.opened_at < it)
                        && filter.opened_after.is_none_or(|it| row.opened_at >= it)
                })
                .collect();
            let found = all(200, |page| reader.runs(&query, page).unwrap());
            assert_eq!(found.len(), expected.len(), "{query:?}");
            assert!(found.iter().eq(expected), "{query:?}");
        }
    }
}

fn others(model: &Model) {
    let reader = model.reader();
    let pulls = all(500, |page| reader.pulls(&PullsQuery::default(), page).unwrap());
    for text in ["1000003", "change number 2 of", "platform", "2", "zz", "feature/change-1000150-5"] {
        for open_only in [false, true] {
            let query = PullsQuery { text: text.to_owned(), open_only, ..PullsQuery::default() };
            let found = all(40, |page| reader.pulls(&query, page).unwrap());
            assert!(found.iter().eq(pulls.iter().filter(|row| pull_contains(row, text))), "{query:?}");
        }
    }
    let uploads = all(500, |page| reader.uploads(&UploadsQuery::default(), page).unwrap());
    let sha = uploads[4_000].head_sha.as_str();
    for head_sha in [sha, &sha[..7], &sha[..2], &sha[..1], &sha[..8].to_uppercase(), "x"] {
        let query = UploadsQuery { head_sha: head_sha.to_owned(), ..UploadsQuery::default() };
        let found = all(40, |page| reader.uploads(&query, page).unwrap());
        let lower = head_sha.to_lowercase();
        assert!(
            found.iter().eq(uploads.iter().filter(|row| row.head_sha.as_str().starts_with(&lower))),
            "{query:?}"
        );
    }
    assert!(uploads.iter().all(|upload| upload.runs.len() == 1), "each upload opened its run");
    let stacks = all(500, |page| reader.stacks(&StacksQuery::default(), page).unwrap());
    for text in ["t-59", "prod", "zz", "component-1"] {
        for repository in [None, Some(RepositoryId(1_000_003))] {
            let query = StacksQuery { text: text.to_owned(), repository, ..StacksQuery::default() };
            let found = all(40, |page| reader.stacks(&query, page).unwrap());
            let expected = stacks.iter().filter(|row| {
                let names = [row.key.component.as_str(), row.key.stack.as_str()];
                names.iter().any(|name| name.contains(text))
                    && repository.is_none_or(|it| it == row.repository)
            });
            assert!(found.iter().eq(expected), "{query:?}");
        }
    }
}
