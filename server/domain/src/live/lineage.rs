//! A document's text as the server builds it from what is in the log: each update is looked at
//! before yrs sees it, and panics are contained.

use izanagi_shared::{
    crdt::{CrdtError, Order, Scrutiny, TextDoc, Unfit, ready_part},
    text::{delta::TextDelta, utf16::utf16_len},
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Clocks that yrs may move to cut items before it is worth while to cut them beforehand: it moves
/// about one in a nanosecond.
const MOST_MOVED: u64 = 50_000_000;

/// An update that the gate let through and that the document cannot take.
#[derive(Debug)]
pub(crate) struct Poisoned {
    /// Which: not always the newest, which may have let another go on.
    pub(crate) seq: u64,
    pub(crate) why: Why,
}

/// Why a document cannot take an update.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Why {
    /// What its sender is told.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// For the log.
    #[error("{0}")]
    Broken(String),
}

impl From<CrdtError> for Why {
    fn from(error: CrdtError) -> Self {
        Self::Broken(error.to_string())
    }
}

/// The text, and the order of its items: both hold the same. After an error of a method that changes
/// it, it must be thrown away.
pub(crate) struct Lineage {
    doc: TextDoc,
    order: Order,
}

impl Lineage {
    /// A lineage that begins with a snapshot.
    ///
    /// # Errors
    /// Why it does not load.
    pub(crate) fn load(client_id: u64, state: &[u8]) -> std::result::Result<Self, Why> {
        contained(|| {
            let doc = TextDoc::load(client_id, state)?;
            let mut order = Order::default();
            order.take(state, Scrutiny::Own)?;
            Ok(Self { doc, order })
        })
    }

    /// A copy, to try something.
    ///
    /// # Errors
    /// yrs does not read its own state; that would be a bug.
    pub(crate) fn fork(&self) -> std::result::Result<Self, Why> {
        Ok(Self { doc: self.doc.fork(1)?, order: self.order.clone() })
    }

    /// Lets an update through, as far as that can be said before what it waits for is there; gives
    /// whether anything of it would wait. Nothing has changed, after an error either.
    ///
    /// # Errors
    /// What its sender is told.
    pub(crate) fn check(&mut self, delta: &[u8]) -> std::result::Result<bool, Why> {
        contained(|| {
            let (ready, would_wait) = ready_part(delta, |client| self.order.end_of(client))?;
            self.order.would_take(&ready, Scrutiny::New)?;
            Ok(would_wait)
        })
    }

    /// Takes an update in, and what was waiting for it.
    pub(crate) fn apply(
        &mut self,
        seq: u64,
        delta: &[u8],
        scrutiny: Scrutiny,
    ) -> std::result::Result<(), Poisoned> {
        self.integrate(seq, delta, scrutiny)?;
        self.go_on()
    }

    /// Makes an edit; gives the update. What was waiting for it waits until [`Self::go_on`].
    pub(crate) fn edit_by(
        &mut self,
        text: &str,
        delta: &TextDelta,
    ) -> std::result::Result<Vec<u8>, Why> {
        contained(|| {
            let update = self.doc.edit_by(text, delta);
            self.order.take(&update, Scrutiny::Own)?;
            Ok(update)
        })
    }

    /// Takes in what waits no longer. Each in a turn of its own: the one that breaks is the one to
    /// set aside. Their senders were told that they are taken.
    pub(crate) fn go_on(&mut self) -> std::result::Result<(), Poisoned> {
        while let Some((seq, held)) = self.doc.next_held(|client| self.order.end_of(client)) {
            self.integrate(seq, &held, Scrutiny::Again)?;
        }
        Ok(())
    }

    fn integrate(
        &mut self,
        seq: u64,
        delta: &[u8],
        scrutiny: Scrutiny,
    ) -> std::result::Result<(), Poisoned> {
        let Self { doc, order } = self;
        let done = contained(|| {
            let ready = doc.hold_back(|client| order.end_of(client), seq, delta)?;
            let cost = order.take(&ready, scrutiny)?;
            if cost.moved > MOST_MOVED {
                doc.integrate_cut(&ready)?;
            } else {
                doc.integrate(&ready)?;
            }
            Ok(())
        });
        done.map_err(|why| Poisoned { seq, why })
    }

    /// Whether text and order hold the same.
    pub(crate) fn agrees(&self) -> bool {
        let clocks = self.doc.state_vector_map();
        let is_same = |(client, clock): (&u64, &u32)| self.order.end_of(*client) == *clock;
        clocks.len() == self.order.clients()
            && clocks.iter().all(is_same)
            && self.order.units() == utf16_len(&self.doc.text()) as u64
    }

    /// Whether the state that will be kept gives this text again.
    pub(crate) fn reads_back(&self, state: &[u8]) -> bool {
        let copy = contained(|| Ok(TextDoc::load(1, state)?));
        copy.is_ok_and(|copy| {
            copy.text() == self.doc.text() && copy.state_vector_map() == self.doc.state_vector_map()
        })
    }

    /// The next clock of a client.
    pub(crate) fn clock_of(&self, client: u64) -> u32 {
        self.order.end_of(client)
    }

    /// Of how many items the text is made, those that stand together counted once, and by how many
    /// clients: what a change walks over.
    pub(crate) fn items(&self) -> usize {
        self.order.items() + self.order.clients()
    }

    /// The bytes of what waits.
    pub(crate) fn held_bytes(&self) -> usize {
        self.doc.held().1
    }

    /// See [`TextDoc::text`].
    pub(crate) fn text(&self) -> String {
        self.doc.text()
    }

    /// See [`TextDoc::encode`].
    pub(crate) fn encode(&self) -> Vec<u8> {
        self.doc.encode()
    }

    /// See [`TextDoc::client_id`].
    pub(crate) fn client_id(&self) -> u64 {
        self.doc.client_id()
    }

    /// See [`TextDoc::missing_from`].
    ///
    /// # Errors
    /// As there.
    pub(crate) fn missing_from(
        &self,
        state_vector: &[u8],
    ) -> std::result::Result<Vec<u8>, CrdtError> {
        self.doc.missing_from(state_vector)
    }
}

fn contained<T>(
    change: impl FnOnce() -> std::result::Result<T, Why>,
) -> std::result::Result<T, Why> {
    let panicked = |_| Err(Why::Broken("applying it panicked".to_owned()));
    catch_unwind(AssertUnwindSafe(change)).unwrap_or_else(panicked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::crdt::Change;
    use proptest::prelude::*;

    fn insert(at: u32, text: &str) -> Change {
        Change { from: at, to: at, insert: text.to_owned() }
    }

    #[test]
    fn very_many_cuts_take_no_longer_for_being_in_one_text() {
        let text = "ab".repeat(100_000);
        let (_, state) = TextDoc::from_text(1, &text);
        let mut lineage = Lineage::load(7, &state).unwrap();
        let mut other = TextDoc::load(2, &state).unwrap();
        let changes = (0..100_000).map(|at| Change {
            from: 2 * at,
            to: 2 * at + 1,
            insert: if at % 2 == 0 { "x".to_owned() } else { String::new() },
        });
        let update = other.edit(&changes.collect::<Vec<_>>());
        lineage.apply(1, &update, Scrutiny::New).unwrap();
        assert_eq!(lineage.text(), other.text());
        assert!(lineage.agrees());
        assert!(lineage.reads_back(&lineage.encode()));
        // It goes on as before.
        let next = other.replace_with("ab").unwrap();
        lineage.apply(2, &next, Scrutiny::New).unwrap();
        assert_eq!((lineage.text().as_str(), lineage.client_id()), ("ab", 7));
    }

    #[test]
    fn what_waits_stays_when_the_text_is_cut() {
        let text = "ab".repeat(20_000);
        let (_, state) = TextDoc::from_text(1, &text);
        let mut lineage = Lineage::load(7, &state).unwrap();
        let mut ahead = TextDoc::load(3, &state).unwrap();
        let first = ahead.edit(&[insert(0, "1")]);
        let second = ahead.edit(&[insert(1, "2")]);
        lineage.apply(1, &second, Scrutiny::New).unwrap();
        let mut other = TextDoc::load(2, &state).unwrap();
        let changes =
            (0..20_000).map(|at| Change { from: 2 * at, to: 2 * at + 1, insert: String::new() });
        let update = other.edit(&changes.collect::<Vec<_>>());
        lineage.apply(2, &update, Scrutiny::New).unwrap();
        assert_eq!(lineage.text(), "b".repeat(20_000));
        lineage.apply(3, &first, Scrutiny::New).unwrap();
        assert_eq!(lineage.text(), format!("12{}", "b".repeat(20_000)));
    }

    #[test]
    fn neighbours_that_never_were_are_refused() {
        let (_, state) = TextDoc::from_text(1, "abcdef");
        let mut lineage = Lineage::load(7, &state).unwrap();
        let crossed = [1, 1, 2, 0, 0xc4, 1, 4, 1, 1, 1, b'X', 0];
        assert!(matches!(lineage.check(&crossed), Err(Why::Unfit(Unfit::Crossed))));
        assert!(lineage.agrees());
        let poisoned = lineage.apply(1, &crossed, Scrutiny::New).unwrap_err();
        assert!(matches!(poisoned, Poisoned { seq: 1, why: Why::Unfit(Unfit::Crossed) }));
    }

    #[test]
    fn the_servers_edits_do_not_multiply_formats() {
        // Five hundred marks that begin at the start and never end.
        let mut marks = vec![1, 0xf4, 3, 2, 0];
        for mark in 0..500_u32 {
            let key = format!("{mark:03}");
            match mark {
                0 => marks.extend(b"\x06\x01\x07content"),
                _ => {
                    marks.extend([0x86, 2]);
                    let last = mark - 1;
                    if last > 127 {
                        marks.push((last & 127) as u8 | 128);
                        marks.push((last >> 7) as u8);
                    } else {
                        marks.push(last as u8);
                    }
                }
            }
            marks.push(3);
            marks.extend(key.as_bytes());
            marks.extend(b"\x041234");
        }
        marks.push(0);
        let (_, state) = TextDoc::from_text(1, &"word ".repeat(300));
        let mut lineage = Lineage::load(7, &state).unwrap();
        lineage.apply(1, &marks, Scrutiny::New).unwrap();
        for _ in 0..2 {
            let text = lineage.text();
            let new = text.replace("wo", "WO-");
            let update = lineage.edit_by(&text, &TextDelta::between(&text, &new)).unwrap();
            assert_eq!(lineage.text(), new);
            assert!(update.len() < 4_000, "{}", update.len());
            // And so after it was loaded.
            lineage = Lineage::load(8, &lineage.encode()).unwrap();
        }
    }

    /// What happens to a document.
    #[derive(Debug, Clone)]
    enum Step {
        /// One of the writers edits, having heard of everything or not.
        Write { writer: usize, text: String, hears: bool },
        /// An update arrives; they are counted from the newest.
        Arrive { back: usize },
        /// Two arrive as one.
        Merged { back: usize },
        /// The server edits.
        Edit { text: String },
        /// The document is read anew.
        Reload,
    }

    fn step() -> impl Strategy<Value = Step> {
        let text = "[a-d🦀]{0,9}";
        prop_oneof![
            4 => (0..3_usize, text, any::<bool>())
                .prop_map(|(writer, text, hears)| Step::Write { writer, text, hears }),
            6 => (0..5_usize).prop_map(|back| Step::Arrive { back }),
            1 => (0..5_usize).prop_map(|back| Step::Merged { back }),
            1 => text.prop_map(|text| Step::Edit { text }),
            1 => Just(Step::Reload),
        ]
    }

    proptest! {
        /// Nothing that honest people do is refused, and text and order go on together.
        #[test]
        fn text_and_order_hold_the_same(steps in proptest::collection::vec(step(), 1..60)) {
            let (_, state) = TextDoc::from_text(1, "abc");
            let mut lineage = Lineage::load(100, &state).unwrap();
            let mut writers: Vec<TextDoc> =
                (2..5).map(|client| TextDoc::load(client, &state).unwrap()).collect();
            let mut updates: Vec<Vec<u8>> = Vec::new();
            for (client, step) in (101..).zip(steps) {
                match step {
                    Step::Write { writer, text, hears } => {
                        if hears {
                            for update in &updates { writers[writer].apply(update).unwrap(); }
                        }
                        updates.extend(writers[writer].replace_with(&text));
                    }
                    Step::Arrive { back } => {
                        let Some(at) = updates.len().checked_sub(back + 1) else { continue };
                        lineage.check(&updates[at]).unwrap();
                        lineage.apply(at as u64, &updates[at], Scrutiny::New).unwrap();
                    }
                    Step::Merged { back } => {
                        let Some(at) = updates.len().checked_sub(back + 2) else { continue };
                        let both = yrs::merge_updates_v1(&updates[at..at + 2]).unwrap();
                        lineage.check(&both).unwrap();
                        lineage.apply(at as u64, &both, Scrutiny::New).unwrap();
                    }
                    Step::Edit { text } => {
                        let present = lineage.text();
                        let delta = TextDelta::between(&present, &text);
                        updates.push(lineage.edit_by(&present, &delta).unwrap());
                        lineage.go_on().unwrap();
                    }
                    Step::Reload => {
                        let fresh = Lineage::load(client, &lineage.encode()).unwrap();
                        prop_assert_eq!(fresh.text(), lineage.text());
                        // What waited is in the log, and is read again.
                        lineage = fresh;
                        for (at, update) in updates.iter().enumerate() {
                            lineage.apply(at as u64, update, Scrutiny::Again).unwrap();
                        }
                    }
                }
                prop_assert!(lineage.agrees());
            }
            for (at, update) in updates.iter().enumerate() {
                lineage.apply(at as u64, update, Scrutiny::New).unwrap();
            }
            prop_assert!(lineage.agrees());
            prop_assert!(lineage.reads_back(&lineage.encode()));
            let mut all = TextDoc::load(99, &state).unwrap();
            for update in &updates { all.apply(update).unwrap(); }
            prop_assert_eq!(lineage.text(), all.text());
        }
    }
}
