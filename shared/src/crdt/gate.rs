//! The gate: reads a v1 update before yrs sees a byte of it (DESIGN §6).
//!
//! yrs decodes more than a text needs, some of it recursively: two bytes a level can overflow the
//! stack. So only what the root text `content` can consist of is admitted. What the update touches is
//! summed up for the checks that need the document's own tables.

use super::parse::{Parsed, Struct, parse};
use std::collections::BTreeSet;

/// A run of clocks of one client, `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientRange {
    /// The Yjs client id.
    pub client: u64,
    /// First clock.
    pub start: u32,
    /// The clock after the last.
    pub end: u32,
}

/// What an admitted update holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateSummary {
    /// New structs, one range for each run in the update.
    pub structs: Vec<ClientRange>,
    /// Deletions.
    pub deletes: Vec<ClientRange>,
    /// How many structs there are.
    pub items: usize,
    /// Bytes of inserted text.
    pub inserted_bytes: usize,
}

impl UpdateSummary {
    /// Whether everything that the update brought is in a document in which `clock_of` gives the next
    /// clock of each client.
    pub fn is_within(&self, clock_of: impl Fn(u64) -> u32) -> bool {
        self.structs_are_within(&clock_of)
            && self.deletes.iter().all(|range| clock_of(range.client) >= range.end)
    }

    /// The same of its structs alone.
    pub fn structs_are_within(&self, clock_of: impl Fn(u64) -> u32) -> bool {
        self.structs.iter().all(|range| clock_of(range.client) >= range.end)
    }

    /// The clients under whose ids it brings structs that such a document does not have.
    pub fn clients_of_new(&self, clock_of: impl Fn(u64) -> u32) -> Vec<u64> {
        let new = self.structs.iter().filter(|range| range.end > clock_of(range.client));
        let mut clients: Vec<u64> = new.map(|range| range.client).collect();
        clients.sort_unstable();
        clients.dedup();
        clients
    }
}

/// The most clients that one update can hold structs of: whose each id is, is stored.
const MAX_CLIENTS: usize = 1_000;

/// Why the gate refuses an update. The words go to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The bytes end early, a number or text in them is none, or a client comes twice.
    #[error("the update is cut short or malformed")]
    Malformed,
    /// Bytes are left after the update.
    #[error("there are bytes after the end of the update")]
    TrailingBytes,
    /// The content is none of string, deleted, format.
    #[error("content of type {0} is not allowed: a document holds text only")]
    ContentType(u8),
    /// The content belongs to another root than `content`, or into a map.
    #[error("only the text named “content” can be changed")]
    OtherRoot,
    /// An item stands beside itself, or beside one that its client wrote later.
    #[error("an item in the update builds on itself or on a later one")]
    BuildsOnItself,
    /// An item stands between an item and the same item.
    #[error("an item in the update stands between an item and itself")]
    NoPlace,
    /// Structs of more than `MAX_CLIENTS` clients.
    #[error("an update can hold changes of {MAX_CLIENTS} clients; send them in several")]
    TooManyClients,
    /// U+0000 in a text.
    #[error("the character U+0000 is not allowed")]
    NullCharacter,
}

/// Checks a v1 update and sums it up.
///
/// # Errors
/// The first thing in it that a text does not need.
pub fn inspect_update(update: &[u8]) -> Result<UpdateSummary, Refusal> {
    let Parsed { structs, clients, deletes, inserted_bytes, .. } = parse(update)?;
    if clients > MAX_CLIENTS {
        return Err(Refusal::TooManyClients);
    }
    let range = |a: &Struct<'_>| ClientRange { client: a.client, start: a.clock, end: a.end() };
    let mut ranges: Vec<ClientRange> = structs.iter().map(range).collect();
    ranges.dedup_by(|next, last| {
        let continues = (next.client, next.start) == (last.client, last.end);
        if continues {
            last.end = next.end;
        }
        continues
    });
    ranges.shrink_to_fit();
    Ok(UpdateSummary { structs: ranges, deletes, items: structs.len(), inserted_bytes })
}

/// Returns the clients whose items an update names: those it adds, builds on or deletes.
///
/// # Errors
/// As [`inspect_update`].
pub fn named_clients(update: &[u8]) -> Result<BTreeSet<u64>, Refusal> {
    let Parsed { structs, deletes, .. } = parse(update)?;
    let mut clients: BTreeSet<u64> = deletes.iter().map(|range| range.client).collect();
    for item in structs {
        clients.insert(item.client);
        clients.extend([item.origin, item.right_origin].into_iter().flatten().map(|id| id.client));
    }
    Ok(clients)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::{
        ROOT, TextDoc,
        parse::STRUCT_GC,
        varint::{MAX_CLOCK, write_uint},
    };
    use proptest::prelude::*;
    use rstest::rstest;
    use yrs::{Doc, Map, ReadTxn, StateVector, Text, Transact, WriteTxn};

    fn encode(doc: &Doc) -> Vec<u8> {
        doc.transact().encode_state_as_update_v1(&StateVector::default())
    }

    #[test]
    fn admits_text_and_sums_it_up() {
        let (doc, update) = TextDoc::from_text(7, "héllo 🦀");
        assert_eq!(doc.text(), "héllo 🦀");
        let summary = inspect_update(&update).unwrap();
        assert_eq!(summary.structs, [ClientRange { client: 7, start: 0, end: 8 }]);
        assert_eq!((summary.inserted_bytes, summary.deletes.len()), (11, 0));
    }

    #[test]
    fn admits_deletions() {
        let (mut doc, _) = TextDoc::from_text(7, "hello");
        let update = doc.replace_with("ho").unwrap();
        let summary = inspect_update(&update).unwrap();
        assert_eq!(summary.deletes, [ClientRange { client: 7, start: 1, end: 4 }]);
        assert_eq!(summary.inserted_bytes, 0);
    }

    #[test]
    fn names_the_clients_that_an_update_touches() {
        let (_, state) = TextDoc::from_text(7, "hello");
        let mut doc = TextDoc::load(8, &state).unwrap();
        let update = doc.replace_with("help").unwrap();
        assert_eq!(Vec::from_iter(named_clients(&update).unwrap()), [7, 8]);
    }

    #[test]
    fn joins_collected_structs() {
        const COUNT: u32 = 1_000;
        let mut update = vec![1];
        write_uint(&mut update, COUNT.into());
        update.extend([9, 0]);
        (0..COUNT).for_each(|_| update.extend([STRUCT_GC, 1]));
        update.push(0);
        let summary = inspect_update(&update).unwrap();
        assert_eq!((summary.items, summary.structs[0].end), (1, COUNT));
        let (mut doc, _) = TextDoc::from_text(7, "kept");
        doc.apply(&update).unwrap();
        assert_eq!((doc.clock_of(9), doc.text().as_str()), (COUNT, "kept"));
        let loaded = TextDoc::load(8, &doc.encode()).unwrap();
        assert_eq!(loaded.clock_of(9), COUNT);
    }

    #[test]
    fn refuses_another_root() {
        let doc = Doc::with_client_id(1);
        let text = doc.get_or_insert_text("title");
        text.insert(&mut doc.transact_mut(), 0, "x");
        assert_eq!(inspect_update(&encode(&doc)), Err(Refusal::OtherRoot));
    }

    #[test]
    fn refuses_a_map_under_the_same_name() {
        let doc = Doc::with_client_id(1);
        let mut txn = doc.transact_mut();
        let map = txn.get_or_insert_map(ROOT);
        map.insert(&mut txn, "key", 1);
        drop(txn);
        assert_eq!(inspect_update(&encode(&doc)), Err(Refusal::OtherRoot));
    }

    #[test]
    fn refuses_embedded_values_however_deep() {
        // One client, one struct: an item of content type 8 (any), then nested arrays.
        let mut update = vec![1, 1, 1, 0, 8, 1];
        update.push(u8::try_from(ROOT.len()).unwrap());
        update.extend_from_slice(ROOT.as_bytes());
        update.push(1);
        update.extend(std::iter::repeat_n([117_u8, 1], 200_000).flatten());
        assert_eq!(inspect_update(&update), Err(Refusal::ContentType(8)));
    }

    #[test]
    fn refuses_a_null_character() {
        let (_, update) = TextDoc::from_text(7, "a\0b");
        assert_eq!(inspect_update(&update), Err(Refusal::NullCharacter));
    }

    #[rstest]
    #[case::its_origin_is_itself(&[1, 1, 100, 0, 0x84, 100, 0, 1, b'A', 0])]
    #[case::its_origin_is_later(&[1, 1, 100, 0, 0x84, 100, 5, 1, b'A', 0])]
    #[case::its_right_origin_is_later(&[1, 1, 100, 0, 0x44, 100, 5, 1, b'A', 0])]
    fn refuses_an_item_that_builds_on_itself(#[case] update: &[u8]) {
        assert_eq!(inspect_update(update), Err(Refusal::BuildsOnItself));
    }

    #[test]
    fn refuses_an_item_between_an_item_and_itself() {
        let update = |right| [1, 1, 2, 0, 0xc4, 1, 2, 1, right, 1, b'X', 0];
        assert_eq!(inspect_update(&update(2)), Err(Refusal::NoPlace));
        assert!(inspect_update(&update(3)).is_ok());
    }

    #[test]
    fn refuses_structs_of_very_many_clients() {
        let update = |clients: usize| {
            let mut bytes = Vec::new();
            write_uint(&mut bytes, clients as u64);
            for client in 0..clients as u64 {
                write_uint(&mut bytes, 1);
                write_uint(&mut bytes, client + 1);
                bytes.extend([0, STRUCT_GC, 1]);
            }
            bytes.push(0);
            bytes
        };
        assert!(inspect_update(&update(MAX_CLIENTS)).is_ok());
        assert_eq!(inspect_update(&update(MAX_CLIENTS + 1)), Err(Refusal::TooManyClients));
    }

    #[test]
    fn refuses_bytes_after_the_end() {
        let (_, mut update) = TextDoc::from_text(7, "a");
        update.push(0);
        assert_eq!(inspect_update(&update), Err(Refusal::TrailingBytes));
    }

    #[test]
    fn refuses_an_update_cut_anywhere() {
        let (_, update) = TextDoc::from_text(7, "hello");
        for end in 0..update.len() {
            assert!(inspect_update(&update[..end]).is_err(), "cut at {end}");
        }
    }

    /// A section of garbage-collected structs: `length` clocks of a client from `clock`.
    fn section(client: u8, clock: u32, length: u32) -> Vec<u8> {
        let mut bytes = vec![1, client];
        push_varint(&mut bytes, clock);
        bytes.push(STRUCT_GC);
        push_varint(&mut bytes, length);
        bytes
    }

    fn push_varint(bytes: &mut Vec<u8>, mut value: u32) {
        while value >= 0x80 {
            bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
            value >>= 7;
        }
        bytes.push(u8::try_from(value).unwrap());
    }

    #[test]
    fn refuses_a_client_that_comes_twice() {
        let update = |second| [&[2][..], &section(1, 0, 3), &section(second, 0, 3), &[0]].concat();
        assert_eq!(inspect_update(&update(2)).unwrap().structs.len(), 2);
        assert_eq!(inspect_update(&update(1)), Err(Refusal::Malformed));
        let deletes = |second| [0, 2, 1, 1, 0, 3, second, 1, 0, 3];
        assert_eq!(inspect_update(&deletes(2)).unwrap().deletes.len(), 2);
        assert_eq!(inspect_update(&deletes(1)), Err(Refusal::Malformed));
    }

    #[rstest]
    #[case::the_largest(MAX_CLOCK - 1, 1, true)]
    #[case::an_end_beyond(MAX_CLOCK, 1, false)]
    #[case::a_clock_beyond(MAX_CLOCK + 1, 1, false)]
    #[case::a_length_beyond(0, MAX_CLOCK + 1, false)]
    #[case::an_end_beyond_32_bits(MAX_CLOCK, MAX_CLOCK, false)]
    fn refuses_clocks_beyond_31_bits(#[case] clock: u32, #[case] length: u32, #[case] fits: bool) {
        let update = [&[1][..], &section(1, clock, length), &[0]].concat();
        assert_eq!(inspect_update(&update).is_ok(), fits);
        let mut deletes = vec![0, 1, 1, 1];
        push_varint(&mut deletes, clock);
        push_varint(&mut deletes, length);
        assert_eq!(inspect_update(&deletes).is_ok(), fits);
    }

    #[test]
    fn admits_merged_updates_and_differences() {
        let (mut ann, state) = TextDoc::from_text(1, "one two three");
        let mut ben = TextDoc::load(2, &state).unwrap();
        let mut updates = vec![state.clone()];
        for text in ["one 2 three", "1 2 three 🦀", "2 three 🦀🦀", ""] {
            updates.extend(ann.replace_with(text));
            updates.extend(ben.replace_with(&text.to_uppercase()));
            for update in &updates {
                ann.apply(update).unwrap();
                ben.apply(update).unwrap();
            }
        }
        for kept in [vec![0, 1, 2, 3, 4, 5, 6, 7], vec![0, 2, 5, 7], vec![7, 3, 1]] {
            let some = kept.iter().map(|at| updates[*at].as_slice());
            let merged = yrs::merge_updates_v1(some).unwrap();
            inspect_update(&merged).unwrap();
        }
        let whole = ann.encode();
        inspect_update(&whole).unwrap();
        for other in [TextDoc::new(3), TextDoc::load(3, &state).unwrap(), ben] {
            inspect_update(&ann.missing_from(&other.state_vector()).unwrap()).unwrap();
            inspect_update(&yrs::diff_updates_v1(&whole, &other.state_vector()).unwrap()).unwrap();
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = inspect_update(&bytes);
        }

        #[test]
        fn what_the_gate_admits_yrs_takes(
            text in "\\PC{0,40}",
            flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let (_, mut update) = TextDoc::from_text(7, &text);
            for (index, byte) in flips {
                let at = index.index(update.len());
                update[at] = byte;
            }
            if inspect_update(&update).is_ok() {
                let mut doc = TextDoc::new(9);
                let _ = doc.apply(&update);
                let _ = doc.text();
            }
        }
    }
}
