//! Records as they came, without a terminal: one line an event, and the stacks whose status changed.

use super::moment::Words;
use stackwave_domain::{StackKey, Timestamp};
use stackwave_engine::view::{Status, run_view};
use stackwave_replay::{Moment, Player};
use std::{collections::BTreeMap, io::Write, time::Duration};

/// A pause is never longer.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long to wait between two records at a speed.
pub(super) fn pause(before: Option<Timestamp>, after: Timestamp, speed: f64) -> Duration {
    let Some(before) = before else { return Duration::ZERO };
    let gap = Duration::try_from(after.duration_since(before)).unwrap_or(Duration::ZERO);
    // What is too long to be told as a duration is cut all the same.
    Duration::try_from_secs_f64(gap.as_secs_f64() / speed).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE)
}

pub(super) async fn play(mut player: Player, speed: f64, out: &mut impl Write) -> anyhow::Result<()> {
    let words = Words::of(&player);
    let steps = player.entries().len();
    let mut shown: BTreeMap<StackKey, Status> = BTreeMap::new();
    let mut before = None;
    for step in 1..=steps {
        player.seek(Moment::Step(step));
        let Some(entry) = player.entry() else { break };
        tokio::time::sleep(pause(before, entry.record.at, speed)).await;
        before = Some(entry.record.at);
        for line in words.of_entry(entry) {
            writeln!(out, "{:.3}  {}  {line}", entry.record.at, entry.position)?;
        }
        let Some((state, run)) = player.repository().zip(player.run()) else { continue };
        for stack in run_view(state, run).stacks {
            if shown.insert(stack.key.clone(), stack.status) != Some(stack.status) {
                let because = stack.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                writeln!(out, "    {} {}{because}", stack.key, stack.status.as_str())?;
            }
        }
        out.flush()?;
    }
    Ok(())
}
