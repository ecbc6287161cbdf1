//! Updates that wait for others: what came before them is not there yet.

use super::{
    CrdtError,
    cut::tidied,
    ready::{Division, divide},
    walk::{Need, walk},
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};
use yrs::{ClientID, ReadTxn, StateVector, TransactionMut, Update, updates::decoder::Decode as _};

/// What waits, in the order it came.
#[derive(Clone, Default)]
pub(super) struct Held {
    updates: BTreeMap<u64, Waiting>,
    /// By client, the clocks that are waited for, and by what.
    needs: HashMap<u64, BTreeSet<(u32, u64)>>,
    /// Clients that have moved on since it was last looked at what waits for them.
    moved: Vec<u64>,
    /// The key of the next that waits.
    next: u64,
    /// Of all that waits.
    bytes: usize,
    has_formats: bool,
}

#[derive(Clone)]
struct Waiting {
    /// The caller's name for it.
    tag: u64,
    update: Vec<u8>,
    /// Going on with any of them is worth a try.
    needs: Vec<Need>,
}

impl Held {
    /// Integrates what is ready of an update, and what was waiting for it.
    pub(super) fn integrate(
        &mut self,
        txn: &mut TransactionMut<'_>,
        update: &[u8],
    ) -> Result<(), CrdtError> {
        let ready = self.hold_back(clocks(txn.state_vector()), 0, update)?;
        apply(txn, &ready)?;
        while let Some((tag, update)) = self.take_met(clocks(txn.state_vector())) {
            let ready = self.hold_back(clocks(txn.state_vector()), tag, &update)?;
            apply(txn, &ready)?;
        }
        Ok(())
    }

    /// How many updates wait, and their bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.updates.len(), self.bytes)
    }

    /// Whether a format was ever in an update.
    pub(super) const fn has_formats(&self) -> bool {
        self.has_formats
    }

    /// Looks at a state that did not come through here.
    pub(super) fn note(&mut self, state: &[u8]) {
        self.has_formats |= walk(state).is_ok_and(|walked| walked.has_formats);
    }

    /// A client has moved on: what waits for it is to be looked at.
    pub(super) fn moved(&mut self, client: u64) {
        if !self.updates.is_empty() {
            self.moved.push(client);
        }
    }

    /// What is ready of an update; the rest waits under this tag. `clock_of` gives the next clock of
    /// a client in the document.
    pub(super) fn hold_back<'a>(
        &mut self,
        clock_of: impl Fn(u64) -> u32,
        tag: u64,
        update: &'a [u8],
    ) -> Result<Cow<'a, [u8]>, CrdtError> {
        let Divided { ready, rest, clients, has_formats } = divided(update, clock_of)?;
        self.has_formats |= has_formats;
        if let Some((rest, needs)) = rest {
            self.hold(tag, rest, needs);
        }
        for client in clients {
            self.moved(client);
        }
        Ok(ready)
    }

    fn hold(&mut self, tag: u64, update: Vec<u8>, needs: Vec<Need>) {
        if self.updates.values().any(|held| held.update == update) {
            return;
        }
        let key = self.next;
        self.next += 1;
        for need in &needs {
            self.needs.entry(need.client).or_default().insert((need.clock, key));
        }
        self.bytes += update.len();
        self.updates.insert(key, Waiting { tag, update, needs });
    }

    /// One that waits no longer.
    pub(super) fn take_met(&mut self, clock_of: impl Fn(u64) -> u32) -> Option<(u64, Vec<u8>)> {
        while let Some(client) = self.moved.last().copied() {
            let first = self.needs.get(&client).and_then(BTreeSet::first).copied();
            if let Some((_, key)) = first.filter(|(clock, _)| *clock <= clock_of(client)) {
                return self.release(key);
            }
            self.moved.pop();
        }
        None
    }

    fn release(&mut self, key: u64) -> Option<(u64, Vec<u8>)> {
        let Waiting { tag, update, needs } = self.updates.remove(&key)?;
        for Need { client, clock } in needs {
            if let Some(waiting) = self.needs.get_mut(&client) {
                waiting.remove(&(clock, key));
                if waiting.is_empty() {
                    self.needs.remove(&client);
                }
            }
        }
        self.bytes -= update.len();
        Some((tag, update))
    }
}

/// An update, divided.
struct Divided<'a> {
    ready: Cow<'a, [u8]>,
    /// What has to wait, and for what.
    rest: Option<(Vec<u8>, Vec<Need>)>,
    /// Whose structs it brings.
    clients: Vec<u64>,
    has_formats: bool,
}

fn divided(update: &[u8], clock_of: impl Fn(u64) -> u32) -> Result<Divided<'_>, CrdtError> {
    let walk = |update| walk(update).map_err(|refusal| CrdtError::new(&refusal));
    let walked = walk(update)?;
    let has_formats = walked.has_formats;
    let update = tidied(update, &walked);
    let walked = match &update {
        Cow::Borrowed(_) => walked,
        Cow::Owned(tidy) => walk(tidy)?,
    };
    let clients = walked.sections.iter().map(|section| section.client).collect();
    let (ready, rest) = match divide(&update, &walked, clock_of) {
        Division::Ready => (update, None),
        Division::Divided { ready, rest, needs } => (Cow::Owned(ready), Some((rest, needs))),
    };
    Ok(Divided { ready, rest, clients, has_formats })
}

/// What of an update would not have to wait in a document in which `clock_of` gives the next clock
/// of each client: an update. And whether anything would.
///
/// # Errors
/// The bytes are not an update that the gate lets through.
pub fn ready_part(
    update: &[u8],
    clock_of: impl Fn(u64) -> u32,
) -> Result<(Cow<'_, [u8]>, bool), CrdtError> {
    let Divided { ready, rest, .. } = divided(update, clock_of)?;
    Ok((ready, rest.is_some()))
}

/// The next clock of each client in a document.
pub(super) fn clocks(state: StateVector) -> impl Fn(u64) -> u32 {
    move |client| state.get(&ClientID::new(client))
}

/// Applies an update of which nothing has to wait.
pub(super) fn apply(txn: &mut TransactionMut<'_>, update: &[u8]) -> Result<(), CrdtError> {
    let update = Update::decode_v1(update).map_err(|error| CrdtError::new(&error))?;
    txn.apply_update(update).map_err(|error| CrdtError::new(&error))
}

#[cfg(test)]
mod tests {
    use super::ready_part;
    use crate::crdt::{TextDoc, inspect_update, varint::write_uint};
    use proptest::prelude::*;
    use rstest::rstest;

    fn would_wait(update: &[u8], clock_of: impl Fn(u64) -> u32) -> bool {
        ready_part(update, clock_of).unwrap().1
    }

    /// What the document shows is all that its encoded state holds.
    fn assert_whole(doc: &TextDoc) {
        let again = TextDoc::load(99, &doc.encode()).unwrap();
        assert_eq!(again.text(), doc.text());
        assert_eq!(again.state_vector_map(), doc.state_vector_map());
    }

    // An item is: info, parent named (1), its name, the text.
    const LATER: &[u8] = b"\x01\x01\x37\x03\x04\x01\x07content\x05LATER\x00";
    const AFTER_A_SKIP: &[u8] = b"\x01\x02\x37\x00\x0a\x03\x04\x01\x07content\x05LATER\x00";
    const EARLIER: &[u8] = b"\x01\x01\x37\x00\x04\x01\x07content\x03abc\x00";

    #[rstest]
    #[case::a_clock_beyond_the_next(LATER)]
    #[case::an_item_after_a_skip(AFTER_A_SKIP)]
    fn a_client_is_taken_in_the_order_of_its_clocks(#[case] later: &[u8]) {
        let (mut doc, _) = TextDoc::from_text(7, "kept");
        let summary = inspect_update(later).unwrap();
        assert!(would_wait(later, doc.clocks()));
        assert!(!would_wait(EARLIER, doc.clocks()));
        doc.apply(later).unwrap();
        assert_eq!((doc.text().as_str(), doc.held().0), ("kept", 1));
        assert!(!summary.is_within(doc.clocks()));
        assert_whole(&doc);
        // It waits once, however often it comes.
        doc.apply(later).unwrap();
        assert_eq!(doc.held().0, 1);
        doc.apply(EARLIER).unwrap();
        assert_eq!(doc.held().0, 0);
        assert!(doc.text().contains("LATER") && doc.text().contains("abc"));
        assert!(summary.is_within(doc.clocks()));
        assert_whole(&doc);
    }

    #[test]
    fn what_is_ready_of_an_update_does_not_wait_for_the_rest() {
        let (mut ann, first) = TextDoc::from_text(1, "a");
        let second = ann.replace_with("ab").unwrap();
        let third = ann.replace_with("abc").unwrap();
        let (_, of_ben) = TextDoc::from_text(2, "B");
        let merged = yrs::merge_updates_v1([&*third, &*of_ben]).unwrap();
        let mut doc = TextDoc::new(3);
        doc.apply(&first).unwrap();
        doc.apply(&merged).unwrap();
        assert_eq!(doc.text().replace('B', ""), "a");
        assert!(doc.text().contains('B'));
        doc.apply(&second).unwrap();
        assert_eq!(doc.text().replace('B', ""), "abc");
        assert_whole(&doc);
    }

    #[test]
    fn what_waits_for_an_edit_made_here_is_taken_in_after_it() {
        let (mut here, state) = TextDoc::from_text(1, "a");
        let twin = TextDoc::load(1, &state).unwrap();
        let mut ahead = TextDoc::load(1, &twin.encode()).unwrap();
        ahead.replace_with("ab").unwrap();
        let mut there = TextDoc::load(2, &ahead.encode()).unwrap();
        let update = there.replace_with("abc").unwrap();
        let ready = here.hold_back(here.clocks(), 7, &update).unwrap();
        here.integrate(&ready).unwrap();
        assert_eq!((here.text().as_str(), here.held().0), ("a", 1));
        here.replace_with("ab").unwrap();
        let (tag, held) = here.next_held(here.clocks()).unwrap();
        let ready = here.hold_back(here.clocks(), tag, &held).unwrap();
        here.integrate(&ready).unwrap();
        assert_eq!(tag, 7);
        assert!(here.next_held(here.clocks()).is_none());
        assert_eq!((here.text().as_str(), here.held().0), ("abc", 0));
    }

    #[test]
    fn deletions_of_what_is_not_there_wait() {
        let (mut there, state) = TextDoc::from_text(1, "abc");
        let deletion = there.replace_with("a").unwrap();
        assert!(would_wait(&deletion, TextDoc::new(2).clocks()));
        assert!(!would_wait(&deletion, TextDoc::load(2, &state).unwrap().clocks()));
        let whole = there.encode();
        assert!(!would_wait(&whole, TextDoc::new(2).clocks()));
    }

    #[test]
    fn a_deletion_waits_for_what_it_deletes() {
        let (mut there, state) = TextDoc::from_text(1, "abc");
        let more = there.replace_with("abcdef").unwrap();
        let deletion = there.replace_with("abf").unwrap();
        let mut here = TextDoc::load(2, &state).unwrap();
        here.apply(&deletion).unwrap();
        // Of "cde" it has "c".
        assert_eq!((here.text().as_str(), here.held().0), ("ab", 1));
        assert_whole(&here);
        here.apply(&more).unwrap();
        assert_eq!((here.text().as_str(), here.held().0), ("abf", 0));
        assert_whole(&here);
    }

    #[test]
    fn what_waits_goes_on_when_another_brings_the_same_clocks() {
        let (mut here, state) = TextDoc::from_text(1, "kept");
        // Two items: the first stands after one of client 3, who is not here; the second after
        // one of client 1, who is.
        let waits = [1, 2, 2, 0, 0x84, 3, 0, 2, b'a', b'b', 0x84, 1, 3, 1, b'c', 0];
        here.apply(&waits).unwrap();
        assert_eq!((here.text().as_str(), here.held().0), ("kept", 1));
        // The same clocks in other words, which need nobody.
        let ready = [1, 1, 2, 0, 0x84, 1, 3, 2, b'A', b'B', 0];
        here.apply(&ready).unwrap();
        assert_eq!((here.text().as_str(), here.held().0), ("keptcAB", 0));
        let mut again = TextDoc::load(9, &state).unwrap();
        again.apply(&ready).unwrap();
        again.apply(&waits).unwrap();
        assert_eq!(again.text(), here.text());
    }

    #[test]
    fn very_many_deletions_of_nothing_cost_no_more_than_their_bytes() {
        let mut doc = TextDoc::from_text(1, "kept").0;
        for client in 90..94 {
            let mut update = vec![0, 1, client];
            write_uint(&mut update, 250_000);
            for clock in 0..250_000 {
                write_uint(&mut update, clock * 2);
                update.push(1);
            }
            doc.apply(&update).unwrap();
        }
        assert_eq!(doc.held().0, 4);
        let missing = doc.missing_from(&TextDoc::new(2).state_vector()).unwrap();
        assert!(missing.len() < 100, "{}", missing.len());
    }

    #[test]
    fn two_that_wait_for_each_other_wait() {
        // Item 0 of client 1 stands after item 0 of client 2, and the other way round.
        let update = [2, 1, 1, 0, 0x84, 2, 0, 1, b'A', 1, 2, 0, 0x84, 1, 0, 1, b'B', 0];
        let mut doc = TextDoc::new(3);
        doc.apply(&update).unwrap();
        assert_eq!((doc.text().as_str(), doc.held().0), ("", 1));
        assert_whole(&doc);
    }

    fn an_order(len: usize) -> impl Strategy<Value = Vec<usize>> {
        Just((0..len).collect::<Vec<_>>()).prop_shuffle()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        /// Three write and hear of each other now and then; a fourth gets it all in any order, some
        /// of it merged, some of it twice.
        #[test]
        fn updates_in_any_order_come_to_the_same(
            edits in proptest::collection::vec((0..3_usize, "[a-d🦀]{0,6}", any::<bool>()), 1..24),
            order in an_order(24),
            merged in proptest::collection::vec(any::<bool>(), 24),
        ) {
            let mut writers: Vec<TextDoc> = (1..=3).map(TextDoc::new).collect();
            let mut updates: Vec<Vec<u8>> = Vec::new();
            for (writer, text, hears) in edits {
                if hears {
                    for update in &updates { writers[writer].apply(update).unwrap(); }
                }
                updates.extend(writers[writer].replace_with(&text));
            }
            let mut all = TextDoc::new(8);
            for update in &updates { all.apply(update).unwrap(); }
            prop_assert_eq!(all.held().0, 0);

            let mut doc = TextDoc::new(9);
            let mut before: Option<&Vec<u8>> = None;
            for at in order.into_iter().filter(|at| *at < updates.len()) {
                let update = &updates[at];
                match before.take().filter(|_| merged[at]) {
                    Some(other) => doc.apply(&yrs::merge_updates_v1([other, update]).unwrap()).unwrap(),
                    None => doc.apply(update).unwrap(),
                }
                assert_whole(&doc);
                before = Some(update);
            }
            prop_assert_eq!(doc.held().0, 0);
            prop_assert_eq!(doc.text(), all.text());
        }
    }
}
