//! The chunks that this process stored lately, so that a chunk that contradicts them is refused at once.
//!
//! A help for people, not the guard: the log's message ids catch another content under the same index, and the fold
//! copes with everything else. What another process stored is not seen here.

use stackwave_domain::{BatchId, CredentialId, Digest, RecordId, RepositoryName, event::Batch};
use std::collections::{HashMap, VecDeque};

/// How many chunks are remembered, over all batches; each takes about 200 bytes.
const MAX_CHUNKS: usize = 50_000;

/// Whose batch it is: ids are made up by clients, so they mean something only together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BatchKey {
    repository: String,
    credential: CredentialId,
    batch: BatchId,
}

impl BatchKey {
    pub(crate) fn new(repository: &RepositoryName, credential: &CredentialId, batch: &BatchId) -> Self {
        Self { repository: repository.key(), credential: credential.clone(), batch: batch.clone() }
    }
}

/// A chunk that is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredChunk {
    pub(crate) digest: Digest,
    pub(crate) upload: RecordId,
    pub(crate) pending: bool,
}

/// What a chunk is to those before it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    New,
    Repeat(StoredChunk),
    OtherContent,
    OtherTotal(u32),
}

#[derive(Debug, Default)]
pub(crate) struct RecentBatches {
    batches: HashMap<BatchKey, Known>,
    /// Oldest first.
    order: VecDeque<BatchKey>,
    chunks: usize,
}

#[derive(Debug)]
struct Known {
    total: u32,
    chunks: HashMap<u32, StoredChunk>,
}

impl RecentBatches {
    pub(crate) fn judge(&self, key: &BatchKey, batch: &Batch, digest: &Digest) -> Verdict {
        let Some(known) = self.batches.get(key) else { return Verdict::New };
        if known.total != batch.total {
            return Verdict::OtherTotal(known.total);
        }
        match known.chunks.get(&batch.index) {
            None => Verdict::New,
            Some(chunk) if chunk.digest == *digest => Verdict::Repeat(chunk.clone()),
            Some(_) => Verdict::OtherContent,
        }
    }

    pub(crate) fn remember(&mut self, key: BatchKey, batch: &Batch, chunk: StoredChunk) {
        let known = self.batches.entry(key.clone()).or_insert_with(|| {
            self.order.push_back(key);
            Known { total: batch.total, chunks: HashMap::new() }
        });
        if known.chunks.insert(batch.index, chunk).is_none() {
            self.chunks += 1;
        }
        while self.chunks > MAX_CHUNKS {
            let Some(oldest) = self.order.pop_front() else { return };
            self.chunks -= self.batches.remove(&oldest).map_or(0, |known| known.chunks.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(batch: &str) -> BatchKey {
        let repository = RepositoryName::new("Acme", "Infra");
        BatchKey::new(&repository, &CredentialId::new("k"), &BatchId::new(batch))
    }

    fn batch(index: u32, total: u32) -> Batch {
        Batch { id: BatchId::new("b"), index, total }
    }

    fn chunk(content: &str) -> StoredChunk {
        StoredChunk { digest: Digest::of(content.as_bytes()), upload: RecordId::new("r"), pending: false }
    }

    #[test]
    fn a_chunk_is_judged_by_those_of_its_batch() {
        let mut batches = RecentBatches::default();
        let digest = |content: &str| chunk(content).digest;
        assert_eq!(batches.judge(&key("b"), &batch(0, 3), &digest("x")), Verdict::New);
        batches.remember(key("b"), &batch(0, 3), chunk("x"));
        assert_eq!(batches.judge(&key("b"), &batch(0, 3), &digest("x")), Verdict::Repeat(chunk("x")));
        assert_eq!(batches.judge(&key("b"), &batch(0, 3), &digest("y")), Verdict::OtherContent);
        assert_eq!(batches.judge(&key("b"), &batch(1, 4), &digest("y")), Verdict::OtherTotal(3));
        assert_eq!(batches.judge(&key("b"), &batch(1, 3), &digest("y")), Verdict::New);
        assert_eq!(batches.judge(&key("c"), &batch(0, 4), &digest("y")), Verdict::New);
    }

    #[test]
    fn the_oldest_batches_are_forgotten() {
        let mut batches = RecentBatches::default();
        for number in 0..MAX_CHUNKS + 10 {
            batches.remember(key(&number.to_string()), &batch(0, 1), chunk("x"));
        }
        assert_eq!(
            (batches.chunks, batches.batches.len(), batches.order.len()),
            (MAX_CHUNKS, MAX_CHUNKS, MAX_CHUNKS)
        );
        assert_eq!(batches.judge(&key("0"), &batch(0, 1), &chunk("x").digest), Verdict::New);
    }
}
