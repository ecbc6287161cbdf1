//! How a segment of edits is encoded: a checksum, the length of a zstd frame with the edits, that
//! frame, and, if the segment begins with a state, its seq and a frame with the state. So a segment
//! tells everything that its row states, and `fsck` can list it again. Edits are columns of integers, then the
//! updates: neighbouring edits have neighbouring seqs, times and authors, and updates that look
//! alike, so columns compress well.

use crate::{
    hash::sha256,
    storage::{NewSegment, ShortHash, short_hash},
    zstd_frame::decompress,
};
use izanagi_shared::{id::ActorId, time::Timestamp};
use uuid::Uuid;

/// An edit as it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Its number.
    pub seq: u64,
    /// Who made it.
    pub actor: ActorId,
    /// When it was accepted.
    pub at: Timestamp,
    /// The Yjs update, v1; empty when its bytes were lost to damage before it got here.
    pub delta: Vec<u8>,
}

/// Higher levels take longer and hardly save more.
const LEVEL: i32 = 9;
/// The level for more than [`LARGE`] bytes: these are pasted or imported texts, for which [`LEVEL`]
/// takes many times as long and several megabytes more memory.
const LEVEL_OF_LARGE: i32 = 3;
const LARGE: usize = 1024 * 1024;

const SUM_BYTES: usize = 16;

/// A decoded segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// By seq.
    pub(crate) edits: Vec<Edit>,
    /// The state before them, and the seq that it is of ([`NewSegment::state_seq`]).
    pub(crate) state: Option<State>,
}

/// A document's state at a seq.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) seq: u64,
    /// A Yjs update (v1).
    pub(crate) update: Vec<u8>,
}

/// Encodes a segment; its edits are in the order of their seqs.
///
/// # Errors
/// The compressor fails.
pub(super) fn encode(Segment { edits, state }: &Segment) -> std::io::Result<Vec<u8>> {
    let edits = compress(&columns(edits))?;
    let mut bytes = vec![0; SUM_BYTES];
    write(&mut bytes, edits.len() as u64);
    bytes.extend(edits);
    if let Some(State { seq, update }) = state {
        write(&mut bytes, *seq);
        bytes.extend(compress(update)?);
    }
    let sum = checksum(&bytes[SUM_BYTES..]);
    bytes[..SUM_BYTES].copy_from_slice(&sum);
    Ok(bytes)
}

/// Decodes a segment; `None` when the bytes are damaged.
pub(super) fn decode(stored: &[u8]) -> Option<Segment> {
    let (sum, encoded) = stored.split_at_checked(SUM_BYTES)?;
    if sum != checksum(encoded) {
        return None;
    }
    parse(encoded)
}

fn parse(encoded: &[u8]) -> Option<Segment> {
    let mut reader = Reader(encoded);
    let length = usize::try_from(reader.uint()?).ok()?;
    let edits = parse_columns(&decompress(reader.bytes(length)?)?)?;
    let state = if reader.0.is_empty() {
        None
    } else {
        Some(State { seq: reader.uint()?, update: decompress(reader.0)? })
    };
    Some(Segment { edits, state })
}

fn checksum(encoded: &[u8]) -> ShortHash {
    short_hash(&sha256(encoded))
}

impl Segment {
    /// Returns the row of the segment, if its encoding is stored under this id.
    pub(super) fn row(&self, record: Uuid, encoded: &[u8]) -> Option<NewSegment> {
        let (first, last) = self.edits.first().zip(self.edits.last())?;
        Some(NewSegment {
            record,
            hash: sha256(encoded),
            bytes: encoded.len() as u64,
            from_seq: first.seq,
            to_seq: last.seq,
            edits: self.edits.len() as u64,
            state_seq: self.state.as_ref().map(|state| state.seq),
            last_at: self.edits.iter().map(|edit| edit.at).max()?,
        })
    }
}

fn columns(edits: &[Edit]) -> Vec<u8> {
    let mut actors: Vec<ActorId> = edits.iter().map(|edit| edit.actor).collect();
    actors.sort_unstable();
    actors.dedup();
    let mut bytes = Vec::new();
    write(&mut bytes, edits.len() as u64);
    write(&mut bytes, actors.len() as u64);
    actors.iter().for_each(|actor| bytes.extend_from_slice(actor.0.as_bytes()));
    let mut last_seq = 0;
    for edit in edits {
        write(&mut bytes, edit.seq.wrapping_sub(last_seq));
        last_seq = edit.seq;
    }
    for edit in edits {
        let actor = actors.binary_search(&edit.actor).unwrap_or_default();
        write(&mut bytes, actor as u64);
    }
    let mut last_at = 0;
    for edit in edits {
        let at = edit.at.as_micros();
        write(&mut bytes, zigzag(at.wrapping_sub(last_at)));
        last_at = at;
    }
    edits.iter().for_each(|edit| write(&mut bytes, edit.delta.len() as u64));
    edits.iter().for_each(|edit| bytes.extend_from_slice(&edit.delta));
    bytes
}

fn parse_columns(bytes: &[u8]) -> Option<Vec<Edit>> {
    let mut reader = Reader(bytes);
    let count = usize::try_from(reader.uint()?).ok().filter(|count| *count <= bytes.len())?;
    let actors = usize::try_from(reader.uint()?).ok().filter(|actors| *actors <= count)?;
    let actors: Vec<ActorId> =
        (0..actors).map(|_| reader.uuid().map(ActorId)).collect::<Option<_>>()?;
    let mut seq = 0_u64;
    let seqs: Vec<u64> = (0..count)
        .map(|_| {
            seq = seq.wrapping_add(reader.uint()?);
            Some(seq)
        })
        .collect::<Option<_>>()?;
    let authors: Vec<ActorId> = (0..count)
        .map(|_| actors.get(usize::try_from(reader.uint()?).ok()?).copied())
        .collect::<Option<_>>()?;
    let mut at = 0_i64;
    let times: Vec<Timestamp> = (0..count)
        .map(|_| {
            at = at.wrapping_add(unzigzag(reader.uint()?));
            Some(Timestamp::from_micros(at))
        })
        .collect::<Option<_>>()?;
    let lengths: Vec<usize> =
        (0..count).map(|_| usize::try_from(reader.uint()?).ok()).collect::<Option<_>>()?;
    let mut edits = Vec::with_capacity(count);
    for (((seq, actor), at), length) in seqs.into_iter().zip(authors).zip(times).zip(lengths) {
        edits.push(Edit { seq, actor, at, delta: reader.bytes(length)?.to_vec() });
    }
    reader.0.is_empty().then_some(edits)
}

fn compress(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let level = if bytes.len() > LARGE { LEVEL_OF_LARGE } else { LEVEL };
    zstd::bulk::compress(bytes, level)
}

/// Seven bits a byte, lowest first (LEB128).
fn write(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn uint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes(1)?.first()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn uuid(&mut self) -> Option<Uuid> {
        Uuid::from_slice(self.bytes(16)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edit() -> impl Strategy<Value = Edit> {
        (any::<u64>(), 0..4_u128, any::<i64>(), proptest::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(seq, actor, at, delta)| Edit {
                seq,
                actor: ActorId(Uuid::from_u128(actor)),
                at: Timestamp::from_micros(at),
                delta,
            })
    }

    proptest! {
        #[test]
        fn decodes_what_it_encoded(
            edits in proptest::collection::vec(edit(), 0..50),
            state in proptest::option::of((any::<u64>(), proptest::collection::vec(any::<u8>(), 0..40))),
            at in any::<proptest::sample::Index>(),
        ) {
            let state = state.map(|(seq, update)| State { seq, update });
            let segment = Segment { edits, state };
            let mut stored = encode(&segment).unwrap();
            prop_assert_eq!(decode(&stored).unwrap(), segment);
            let at = at.index(stored.len());
            stored[at] ^= 1;
            prop_assert_eq!(decode(&stored), None);
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            drop(parse(&bytes));
            drop(parse_columns(&bytes));
        }
    }
}
