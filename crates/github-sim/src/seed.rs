//! Everything that looks random: a function of the seed and of what it is for.

use ring::digest;

/// Source of hashes, ids and dice. Stateless: the answer depends on the seed and the words only, so that the order in
/// which concurrent requests arrive does not change who is hit by a fault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed(pub(crate) u64);

impl Seed {
    pub(crate) fn bytes(self, words: &[&str]) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&self.0.to_be_bytes());
        for word in words {
            context.update(&(word.len() as u64).to_be_bytes());
            context.update(word.as_bytes());
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        bytes
    }

    /// A commit hash.
    pub(crate) fn sha(self, words: &[&str]) -> String {
        hex::encode(&self.bytes(words)[..20])
    }

    /// A delivery's GUID.
    pub(crate) fn guid(self, words: &[&str]) -> String {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.bytes(words)[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// A number in `0.0..1.0`.
    pub(crate) fn chance(self, words: &[&str]) -> f64 {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.bytes(words)[..4]);
        f64::from(u32::from_be_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }

    /// An id below `limit`.
    pub(crate) fn below(self, limit: u64, words: &[&str]) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.bytes(words)[..8]);
        u64::from_be_bytes(bytes) % limit
    }
}
