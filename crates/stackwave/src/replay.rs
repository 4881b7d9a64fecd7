//! `stackwave replay`, `export` and `diff`: runs as they were, from either log or from a file.

mod comment;
mod explain;
mod export;
mod graph;
mod json;
mod moment;
mod play;
mod source;
mod terminal;
mod text;
mod verify;

pub(crate) use export::export;
pub(crate) use source::config as configuration;
pub(crate) use verify::diff;

use crate::cli::{At, ReplayFormat, ReplayOptions};
use stackwave_replay::{Moment, Player};
use std::io::{self, IsTerminal as _, Write};

/// Shows a run.
pub(crate) async fn replay(options: ReplayOptions) -> anyhow::Result<()> {
    let recording = source::recording(&options).await?;
    if options.verify {
        return verify::run(&recording, options.output);
    }
    let mut player = Player::new(&recording)?;
    if options.file.is_some() {
        source::choose_run(&mut player, options.run.as_ref())?;
    }
    if let Some(at) = options.at {
        player.seek(match at {
            At::Position(position) => Moment::Position(position),
            At::Place(partition, position) => {
                source::check_stream(&player, partition)?;
                Moment::Position(position)
            }
            At::Time(time) => Moment::Time(time),
        });
    }
    if let Some(stack) = &options.explain {
        return explain::run(&player, stack, options.dispatch, options.output, &mut io::stdout().lock());
    }
    let interactive = io::stdout().is_terminal() && io::stdin().is_terminal();
    if interactive && options.output.is_none() && options.at.is_none() {
        return terminal::show(player, options.speed);
    }
    if let Some(speed) = options.speed {
        return play::play(player, speed, &mut io::stdout().lock()).await;
    }
    print(&player, options.output.unwrap_or(ReplayFormat::Text), &mut io::stdout().lock())
}

/// Prints the moment.
fn print(player: &Player, format: ReplayFormat, out: &mut impl Write) -> anyhow::Result<()> {
    let moment = moment::Shown::of(player);
    let printed = match format {
        ReplayFormat::Text => text::render(&moment),
        ReplayFormat::Table => text::table(&moment),
        ReplayFormat::Json => json::render(&moment)?,
        ReplayFormat::Mermaid => graph::mermaid(&moment),
        ReplayFormat::Comment => moment.comment.unwrap_or_else(|| "there is no comment\n".to_owned()),
    };
    out.write_all(printed.as_bytes())?;
    if !printed.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests;
