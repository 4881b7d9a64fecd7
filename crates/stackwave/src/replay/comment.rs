//! The comment as it was.

use stackwave_commenter::render::{Options, render};
use stackwave_domain::Digest;
use stackwave_engine::state::RepositoryState;
use stackwave_replay::Player;

/// GitHub's address where nothing tells of another.
const GITHUB: &str = "https://github.com";

/// What the comment of the run's pull request should have said at this record, and whether it did.
pub(super) fn of(player: &Player) -> Option<(String, bool)> {
    let state = player.repository()?;
    let run = player.run()?;
    let number = run.pull_request?;
    let config = player.config();
    let known = config.repository(state.id);
    let web_url = web_url(state);
    let text = |dispatch: bool| {
        let repository = known.map(|known| &known.name).or_else(|| player.about().name.as_ref());
        let options = Options { dispatch, repository, web_url: &web_url, now: player.written() };
        render(state, number, &run.workspace, &options)
    };
    let says = state
        .comments
        .iter()
        .filter(|((_, of), _)| *of == number)
        .find_map(|(_, comment)| comment.says.clone());
    let said = |text: &String| says.as_ref() == Some(&Digest::of(text.as_bytes()));
    let usual = text(true)?;
    if said(&usual) {
        return Some((usual, true));
    }
    // Whether workflows are started is a setting, and no setting is in the log.
    match text(false).filter(said) {
        Some(silent) => Some((silent, true)),
        None => Some((usual, false)),
    }
}

/// GitHub's web address, as the pages of workflow runs tell it.
fn web_url(state: &RepositoryState) -> String {
    let pages = state.workflow_runs.values().map(|run| run.html_url.as_str());
    let page = pages.into_iter().find(|url| url.contains("/actions/runs/"));
    let host = page.and_then(|page| {
        let (repository, _) = page.split_once("/actions/runs/")?;
        let (owner, _) = repository.rsplit_once('/')?;
        Some(owner.rsplit_once('/')?.0.to_owned())
    });
    host.unwrap_or_else(|| GITHUB.to_owned())
}
