//! Who shall act for a partition: every process comes to the same answer from the same members.

use stackwave_domain::{Digest, ProcessId};

/// The member of choice (highest random weight): every partition has an order of all processes of its own, and the first
/// that is there is chosen. So one that comes takes an even share from all others, and what one had that goes is spread
/// over the rest; nothing else moves.
pub(super) fn choose<'a>(
    partition: u16,
    members: impl IntoIterator<Item = &'a ProcessId>,
) -> Option<&'a ProcessId> {
    members.into_iter().max_by_key(|process| weight(partition, process))
}

fn weight(partition: u16, process: &ProcessId) -> Digest {
    Digest::of_parts(&[process.as_str(), &partition.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn processes(many: usize) -> Vec<ProcessId> {
        (0..many).map(|number| ProcessId::new(format!("process-{number}"))).collect()
    }

    fn shares(members: &[ProcessId]) -> BTreeMap<u16, &ProcessId> {
        (0..1000).map(|partition| (partition, choose(partition, members).unwrap())).collect()
    }

    #[test]
    fn nobody_is_chosen_among_nobody() {
        assert_eq!(choose(0, &[]), None);
    }

    #[test]
    fn the_order_of_the_members_does_not_matter() {
        let members = processes(5);
        let reversed: Vec<ProcessId> = members.iter().rev().cloned().collect();
        assert_eq!(shares(&members), shares(&reversed));
    }

    #[test]
    fn shares_are_even() {
        let members = processes(4);
        let shares = shares(&members);
        for member in &members {
            let share = shares.values().filter(|chosen| **chosen == member).count();
            assert!((200..=300).contains(&share), "{member}: {share} of 1000");
        }
    }

    #[test]
    fn only_what_the_new_member_gets_moves() {
        let four = processes(4);
        let (three, newcomer) = (&four[..3], &four[3]);
        let (before, after) = (shares(three), shares(&four));
        let moved: Vec<_> =
            after.iter().filter(|(partition, chosen)| before[*partition] != **chosen).collect();
        assert!(moved.iter().all(|(_, chosen)| **chosen == newcomer));
        assert!((200..=300).contains(&moved.len()), "{}", moved.len());
    }
}
