//! How values lie in the tables: small numbers instead of words, bytes instead of hex.

use crate::rows::{CommandStatus, DispatchStatus};
use rusqlite::types::{Value, ValueRef};
use stackwave_domain::{Position, StreamId, Timestamp};
use stackwave_engine::view::{RunPhase, Status};

/// 2000-01-01T00:00:00Z, in milliseconds since 1970: keys count from here, and last until 2069.
const EPOCH_MS: i64 = 946_684_800_000;

/// A place in a list, the greater, the newer: 41 bits of milliseconds, 14 of the position, 8 of `tie`. It is the row's
/// primary key, so a table lies in the order in which it is listed, and every index ends with that order. A key that is
/// taken by another row gives way by one: see [`crate::write`].
pub(crate) fn key(at: Timestamp, position: Position, tie: u8) -> i64 {
    // 14 bits of a position never exceed `i64`.
    let position = i64::try_from(position.0 & 0x3fff).unwrap_or_default();
    (since_epoch(at) << 22) | (position << 8) | i64::from(tie)
}

/// When the row of a key came to be.
pub(crate) fn time_of_key(key: i64) -> Timestamp {
    time(key >> 22)
}

/// The least key of a moment, and so the bound between before and after it.
pub(crate) fn first_key_at(at: Timestamp) -> i64 {
    let past_the_millisecond = i64::from(at.subsec_nanosecond() % 1_000_000 > 0);
    (since_epoch(at) + past_the_millisecond) << 22
}

/// Milliseconds since 2000, within the 41 bits that a key has for them.
fn since_epoch(at: Timestamp) -> i64 {
    at.as_millisecond().saturating_sub(EPOCH_MS).clamp(0, (1 << 41) - 1)
}

/// A moment, in milliseconds since 2000.
pub(crate) fn ms(at: Timestamp) -> i64 {
    at.as_millisecond().saturating_sub(EPOCH_MS)
}

/// The moment of [`ms`].
pub(crate) fn time(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms.saturating_add(EPOCH_MS)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A small hash of a text, the same everywhere and for ever (FNV-1a).
pub(crate) fn hash(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// [`hash`] as SQLite takes it: never negative.
pub(crate) fn hash63(texts: &[&str]) -> i64 {
    (hash(texts) >> 1).cast_signed()
}

/// The lowest byte of [`hash`], well mixed.
pub(crate) fn hash8(text: &str) -> u8 {
    let hash = hash(&[text]);
    u8::try_from((hash ^ (hash >> 29) ^ (hash >> 47)) & 0xff).unwrap_or_default()
}

/// A number of GitHub's, or a position: SQLite's integers have a sign.
pub(crate) const fn number(number: u64) -> i64 {
    number.cast_signed()
}

/// The number of [`number`].
pub(crate) const fn unsigned(number: i64) -> u64 {
    number.cast_unsigned()
}

/// The stream, as a number: the partition's own, and -1 for the configuration.
pub(crate) fn stream(stream: StreamId) -> i64 {
    match stream {
        StreamId::Config => -1,
        StreamId::Partition(number) => i64::from(number),
    }
}

/// The stream of [`stream`].
pub(crate) fn stream_of(number: i64) -> StreamId {
    u16::try_from(number).map_or(StreamId::Config, StreamId::Partition)
}

/// Hex of an even length in lower case becomes bytes, half as long; anything else stays as it is.
pub(crate) fn pack(text: &str) -> Value {
    let lower_hex = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
    let bytes = text.as_bytes();
    if bytes.is_empty() || !bytes.len().is_multiple_of(2) || !bytes.iter().all(lower_hex) {
        return Value::Text(text.to_owned());
    }
    Value::Blob(
        bytes.as_chunks::<2>().0.iter().map(|[high, low]| nibble(*high) << 4 | nibble(*low)).collect(),
    )
}

const fn nibble(digit: u8) -> u8 {
    if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 }
}

/// The text of [`pack`].
pub(crate) fn unpack(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Blob(bytes) => {
            let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
            bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
        }
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => String::new(),
    }
}

/// How many stacks stand how: for each status its number and the count in LEB128.
pub(crate) fn pack_totals(totals: &[(Status, u32)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(totals.len() * 2);
    for (status, count) in totals {
        bytes.push(status_number(*status));
        let mut count = *count;
        while count > 0x7f {
            bytes.push(u8::try_from(count & 0x7f).unwrap_or_default() | 0x80);
            count >>= 7;
        }
        bytes.push(u8::try_from(count).unwrap_or_default());
    }
    bytes
}

/// The totals of [`pack_totals`].
pub(crate) fn unpack_totals(bytes: &[u8]) -> Vec<(Status, u32)> {
    let mut totals = Vec::new();
    let mut rest = bytes.iter();
    while let Some(status) = rest.next() {
        let (mut count, mut shift) = (0u32, 0u32);
        for byte in rest.by_ref() {
            count |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or_default();
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        totals.extend(status_of(i64::from(*status)).map(|status| (status, count)));
    }
    totals
}

macro_rules! numbered {
    ($type:ty, $all:ident, $of:ident, $number:ident: $($variant:ident = $value:literal),*) => {
        /// Every value, by its number in the tables. A number is never used for anything else.
        pub(crate) const $all: &[($type, u8)] = &[$((<$type>::$variant, $value)),*];

        /// Its number in the tables.
        pub(crate) const fn $number(value: $type) -> u8 {
            match value {
                $(<$type>::$variant => $value,)*
            }
        }

        /// The value of a number.
        pub(crate) fn $of(number: i64) -> Option<$type> {
            $all.iter().find(|(_, it)| i64::from(*it) == number).map(|(value, _)| *value)
        }
    };
}

numbered!(RunPhase, PHASES, phase_of, phase_number:
    Running = 1, Failed = 2, Succeeded = 3, NothingAffected = 4, Superseded = 5, Closed = 6, Cancelled = 7);
numbered!(Status, STATUSES, status_of, status_number:
    Failed = 1, Cancelled = 2, DispatchRefused = 3, CannotRun = 4, Undecidable = 5, Blocked = 6,
    AwaitingApproval = 7, Running = 8, Queued = 9, Dispatching = 10, Released = 11, Held = 12, Waiting = 13,
    Stopped = 14, Succeeded = 15, Skipped = 16);
numbered!(DispatchStatus, DISPATCH_STATUSES, dispatch_status_of, dispatch_status_number:
    Sending = 1, Unknown = 2, Delayed = 3, Refused = 4, Undecidable = 5, Accepted = 6, Concluded = 7);
numbered!(CommandStatus, COMMAND_STATUSES, command_status_of, command_status_number:
    Accepted = 1, Done = 2, Refused = 3, Failed = 4);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_order_by_time_then_position() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let early = key(at("2026-11-24T10:00:00.001Z"), Position(9_000), 255);
        let later = key(at("2026-11-24T10:00:00.002Z"), Position(1), 0);
        let beside = key(at("2026-11-24T10:00:00.002Z"), Position(2), 0);
        assert!(early < later && later < beside);
        assert_eq!(time_of_key(beside), at("2026-11-24T10:00:00.002Z"));
        let bound = first_key_at(at("2026-11-24T10:00:00.002Z"));
        assert!(early < bound && bound <= later);
        assert!(first_key_at(at("2026-11-24T10:00:00.0025Z")) > beside);
        assert!(key(at("1969-01-01T00:00:00Z"), Position(1), 0) >= 0);
    }

    #[test]
    fn hex_is_packed_and_everything_reads_back() {
        for text in ["", "9f2c1d7", "9f2c1d", "9F2C", "main", "0000"] {
            let packed = pack(text);
            assert_eq!(unpack(ValueRef::from(&packed)), text);
        }
        assert_eq!(pack("9f2c"), Value::Blob(vec![0x9f, 0x2c]));
    }

    #[test]
    fn totals_read_back() {
        let totals = vec![(Status::Failed, 1), (Status::Succeeded, 300), (Status::Skipped, 70_000)];
        assert_eq!(unpack_totals(&pack_totals(&totals)), totals);
    }
}
