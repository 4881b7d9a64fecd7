//! A forecast in words.

use super::{Forecast, RestsOn};
use crate::{state::Run, words::lasted};
use jiff::SignedDuration;

/// So many stacks of a path are named; of a longer one the first and the last.
const MAX_NAMED: usize = 6;

/// What is to be expected, in one line: `≈ 12 min left, critical path vpc/prod → eks/prod → app/prod`.
#[must_use]
pub fn sentence(run: &Run, forecast: &Forecast) -> String {
    let path = path(forecast.critical_path.iter().map(|index| run.key(*index).to_string()));
    let left = match forecast.left(forecast.at) {
        Some(left) => format!("≈ {} left", minutes(left)),
        None if forecast.open == 1 => "1 stack left".to_owned(),
        None => format!("{} stacks left", forecast.open),
    };
    let but = match (forecast.late, forecast.approvals) {
        (_, approvals) if approvals > 0 => " (once it is approved)",
        (true, _) => " (a stack takes longer than usual)",
        (false, _) => "",
    };
    format!("{left}{but}, critical path {path}")
}

/// Stacks in their order, with arrows; the middle of a long path is counted.
#[must_use]
pub fn path(stacks: impl Iterator<Item = String>) -> String {
    let mut stacks: Vec<String> = stacks.collect();
    if stacks.len() > MAX_NAMED {
        let hidden = stacks.len() - (MAX_NAMED - 1);
        stacks.splice(3..3 + hidden, [format!("{hidden} more")]);
    }
    stacks.join(" → ")
}

/// An estimate is told in whole minutes, at least one.
fn minutes(span: SignedDuration) -> String {
    const MINUTE: SignedDuration = SignedDuration::from_secs(60);
    if span < MINUTE {
        return "1 min".to_owned();
    }
    // Half a minute and more counts as one.
    lasted(span + MINUTE / 2)
}

impl std::fmt::Display for RestsOn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = self.stack + self.others + self.nothing;
        match (self.stack, self.nothing) {
            (0, nothing) if nothing == all => write!(f, "no stack has a past"),
            (stack, _) if stack == all => write!(f, "every stack has a past"),
            (0, _) => write!(f, "no stack has a past of its own"),
            (stack, _) => write!(f, "{stack} of {all} stacks have a past"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_is_told_by_its_ends() {
        let names = |count: usize| path((1..=count).map(|index| index.to_string()));
        assert_eq!(names(6), "1 → 2 → 3 → 4 → 5 → 6");
        assert_eq!(names(9), "1 → 2 → 3 → 4 more → 8 → 9");
    }

    #[test]
    fn an_estimate_is_told_in_minutes() {
        assert_eq!(minutes(SignedDuration::from_secs(10)), "1 min");
        assert_eq!(minutes(SignedDuration::from_secs(12 * 60 + 40)), "13 min");
    }
}
