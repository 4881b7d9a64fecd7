//! What an upload says, as it is kept: looked at when a run is opened, and kept for weeks. A large one is compressed, to
//! about a fiftieth of its size in memory.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use stackwave_domain::Fragment;
use std::{fmt, sync::Arc};

/// Smaller ones stay as they are: compressing them takes longer than folding their record.
const LARGE: usize = 8;
/// Zstandard's fastest.
const LEVEL: i32 = 1;
/// The most that one unpacks to: more than the largest upload that is taken has in it.
const MOST_BYTES: usize = 256 << 20;

/// A fragment, packed when it is large.
#[derive(Clone, PartialEq, Eq)]
pub struct PackedFragment(Form);

#[derive(Clone, PartialEq, Eq)]
enum Form {
    Whole(Arc<Fragment>),
    /// MessagePack, compressed.
    Packed(Arc<[u8]>),
}

impl PackedFragment {
    /// Packs it if that is worth it.
    #[must_use]
    pub fn of(fragment: &Arc<Fragment>) -> Self {
        let packed = || {
            let bytes = rmp_serde::to_vec_named(fragment.as_ref()).ok()?;
            zstd::bulk::compress(&bytes, LEVEL).ok()
        };
        let large = fragment.stacks.len() > LARGE;
        match large.then(packed).flatten() {
            Some(bytes) => Self(Form::Packed(bytes.into())),
            None => Self(Form::Whole(Arc::clone(fragment))),
        }
    }

    /// What was packed.
    #[must_use]
    pub fn get(&self) -> Arc<Fragment> {
        match &self.0 {
            Form::Whole(fragment) => Arc::clone(fragment),
            // These are bytes that `of` made, or that a snapshot had under its checksum.
            Form::Packed(bytes) => Arc::new(unpack(bytes).unwrap_or_default()),
        }
    }
}

fn unpack(bytes: &[u8]) -> Option<Fragment> {
    let bytes = zstd::bulk::decompress(bytes, MOST_BYTES).ok()?;
    rmp_serde::from_slice(&bytes).ok()
}

impl fmt::Debug for PackedFragment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// Whole as a map, packed as bytes.
impl Serialize for PackedFragment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Form::Whole(fragment) => fragment.serialize(serializer),
            Form::Packed(bytes) => serializer.serialize_bytes(bytes),
        }
    }
}

impl<'de> Deserialize<'de> for PackedFragment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Either)
    }
}

struct Either;

impl<'de> Visitor<'de> for Either {
    type Value = PackedFragment;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fragment, or one that is packed")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let fragment = Fragment::deserialize(MapAccessDeserializer::new(map))?;
        Ok(PackedFragment::of(&Arc::new(fragment)))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(PackedFragment(Form::Packed(bytes.into())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackwave_domain::{StackKey, fragment::AffectedStack};

    fn fragment(stacks: usize) -> Arc<Fragment> {
        let stack = |index: usize| AffectedStack {
            key: StackKey::new("prod", format!("component-{index:04}")),
            directly_affected: index == 0,
            deleted: None,
            pro: None,
        };
        let edges = (1..u32::try_from(stacks).unwrap()).map(|child| (0, child)).collect();
        Arc::new(Fragment { stacks: (0..stacks).map(stack).collect(), edges, warnings: Vec::new() })
    }

    #[test]
    fn a_fragment_comes_back_as_it_was_whatever_its_size() {
        for stacks in [1, LARGE, LARGE + 1, 500] {
            let whole = fragment(stacks);
            let packed = PackedFragment::of(&whole);
            assert_eq!(packed.get(), whole);
            assert_eq!(matches!(packed.0, Form::Packed(_)), stacks > LARGE);
            let bytes = rmp_serde::to_vec_named(&packed).unwrap();
            assert_eq!(rmp_serde::from_slice::<PackedFragment>(&bytes).unwrap(), packed);
        }
    }

    #[test]
    fn one_that_was_written_whole_is_read() {
        let whole = fragment(100);
        let bytes = rmp_serde::to_vec_named(whole.as_ref()).unwrap();
        assert_eq!(rmp_serde::from_slice::<PackedFragment>(&bytes).unwrap(), PackedFragment::of(&whole));
    }
}
