//! Wrong tokens are answered slowly.
//!
//! Whoever guesses tokens gets the first fifty answers at once and then ten a second. Only the answer that refuses is
//! held back: a token that is known opens at once, whatever its neighbours at the same address do, so that nobody can
//! lock anybody out.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The time that each wrong token costs an address.
const COST: Duration = Duration::from_millis(100);
/// How much of it is free: fifty wrong tokens.
const FREE: Duration = Duration::from_secs(5);
/// The longest that an answer is held back; well below the 30 s that a call may take.
const LONGEST: Duration = Duration::from_secs(5);
/// How many addresses are remembered, a few dozen bytes each. Those that find no room are counted as one.
const ADDRESSES: usize = 1024;

/// How often the process's log is told of them, so that a guesser does not fill it.
const TELL: Duration = Duration::from_secs(60);

/// How many wrong tokens came from where lately.
#[derive(Debug, Default)]
pub(super) struct Guesses(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    /// When each address has paid for its wrong tokens; no address stands for all that found no room.
    paid: HashMap<Option<IpAddr>, Instant>,
    /// When the log was told of it last.
    told: Option<Instant>,
}

impl Guesses {
    /// Counts a wrong token, and tells how long its answer is held back.
    pub(super) fn count(&self, peer: Option<IpAddr>, now: Instant) -> Duration {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = counted.count(peer.map(network), now);
        let tells = !held.is_zero() && counted.told.is_none_or(|told| now.duration_since(told) >= TELL);
        if tells {
            counted.told = Some(now);
        }
        drop(counted);
        if tells {
            let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
            tracing::warn!(peer, "many wrong admin tokens: answers to them are held back");
        }
        held
    }
}

impl Counted {
    fn count(&mut self, mut peer: Option<IpAddr>, now: Instant) -> Duration {
        if self.paid.len() >= ADDRESSES && !self.paid.contains_key(&peer) {
            self.paid.retain(|_, paid| *paid > now);
            if self.paid.len() >= ADDRESSES {
                peer = None;
            }
        }
        let paid = self.paid.entry(peer).or_insert(now);
        *paid = (now.max(*paid) + COST).min(now + FREE + LONGEST);
        paid.duration_since(now).saturating_sub(FREE)
    }
}

/// Who has one IPv6 address has the whole /64 of it.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(peer) => Ipv6Addr::from_bits(peer.to_bits() & (u128::MAX << 64)).into(),
        peer @ IpAddr::V4(_) => peer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> Option<IpAddr> {
        Some(std::net::Ipv4Addr::from_bits(number).into())
    }

    #[test]
    fn fifty_are_answered_at_once_and_then_ten_a_second() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        for _ in 0..50 {
            assert_eq!(guesses.count(address(1), now), Duration::ZERO);
        }
        assert_eq!(guesses.count(address(1), now), COST);
        assert_eq!(guesses.count(address(1), now), 2 * COST);
        assert_eq!(guesses.count(address(2), now), Duration::ZERO);
        assert_eq!(guesses.count(address(1), now + 3 * COST), Duration::ZERO);
    }

    #[test]
    fn no_answer_is_held_back_for_longer_than_five_seconds_and_all_is_forgotten_in_ten() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        for _ in 0..10_000 {
            assert!(guesses.count(address(1), now) <= LONGEST);
        }
        assert_eq!(guesses.count(address(1), now), LONGEST);
        assert_eq!(guesses.count(address(1), now + FREE + LONGEST), Duration::ZERO);
    }

    #[test]
    fn the_log_is_told_once_a_minute() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        let told = || guesses.0.lock().unwrap().told;
        for number in 0..100 {
            assert_eq!(told(), (number > 50).then_some(now));
            guesses.count(address(1), now);
        }
        for (later, tells) in [(TELL / 2, false), (TELL, true)] {
            for _ in 0..60 {
                guesses.count(address(2), now + later);
            }
            assert_eq!(told() == Some(now + later), tells);
        }
    }

    #[test]
    fn addresses_are_forgotten_when_there_are_too_many_and_the_rest_are_counted_as_one() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        for number in 0..10_000 {
            guesses.count(address(number), now);
        }
        assert_eq!(guesses.0.lock().unwrap().paid.len(), ADDRESSES + 1);
        assert_eq!(guesses.count(address(200_000), now), LONGEST);
        assert_eq!(guesses.count(address(200_000), now + LONGEST + FREE), Duration::ZERO);
        assert_eq!(guesses.0.lock().unwrap().paid.len(), 1);
    }

    #[test]
    fn a_network_of_version_6_and_a_mapped_address_are_one_address() {
        let parse = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(network(parse("2001:db8::1")), network(parse("2001:db8::ffff:1")));
        assert_ne!(network(parse("2001:db8::1")), network(parse("2001:db8:0:1::1")));
        assert_eq!(network(parse("::ffff:10.0.0.1")), parse("10.0.0.1"));
    }
}
