//! A document's text as the server builds it from what is in the log: each update is looked at
//! before yrs sees it, and panics are contained.

use izanagi_shared::crdt::{CrdtError, Order, Scrutiny, TextDoc, Unfit};
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

/// The text, and the order of its items. After an error it must be thrown away.
pub(crate) struct Lineage {
    pub(crate) doc: TextDoc,
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

    /// Takes an update in, and what was waiting for it.
    pub(crate) fn apply(
        &mut self,
        seq: u64,
        delta: &[u8],
        scrutiny: Scrutiny,
    ) -> std::result::Result<(), Poisoned> {
        self.integrate(seq, delta, scrutiny)?;
        self.go_on(scrutiny)
    }

    /// An update that is in the text already, because it was made there. Takes in what was waiting
    /// for it.
    pub(crate) fn made_here(
        &mut self,
        seq: u64,
        delta: &[u8],
    ) -> std::result::Result<(), Poisoned> {
        let taken = contained(|| Ok(self.order.take(delta, Scrutiny::Own)?));
        taken.map_err(|why| Poisoned { seq, why })?;
        self.go_on(Scrutiny::New)
    }

    /// Each in a turn of its own: the one that breaks is the one to set aside.
    fn go_on(&mut self, scrutiny: Scrutiny) -> std::result::Result<(), Poisoned> {
        while let Some((seq, held)) = self.doc.next_held() {
            self.integrate(seq, &held, scrutiny)?;
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
            let ready = doc.hold_back(seq, delta)?;
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

    /// Whether the state that will be kept gives this text again.
    pub(crate) fn reads_back(&self, state: &[u8]) -> bool {
        let copy = contained(|| Ok(TextDoc::load(1, state)?));
        copy.is_ok_and(|copy| {
            copy.text() == self.doc.text() && copy.state_vector_map() == self.doc.state_vector_map()
        })
    }

    /// Of how many items the text is made, those that stand together counted once: what every
    /// change and every search walks over.
    pub(crate) fn items(&self) -> usize {
        self.order.items()
    }
}

fn contained<T>(
    change: impl FnOnce() -> std::result::Result<T, Why>,
) -> std::result::Result<T, Why> {
    let panicked = |_| Err(Why::Broken("yrs panicked".to_owned()));
    catch_unwind(AssertUnwindSafe(change)).unwrap_or_else(panicked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_shared::crdt::Change;

    #[test]
    fn very_many_cuts_take_no_longer_for_being_in_one_text() {
        let text = "ab".repeat(100_000);
        let (doc, state) = TextDoc::from_text(1, &text);
        let mut lineage = Lineage::load(7, &doc.encode()).unwrap();
        let mut other = TextDoc::load(2, &state).unwrap();
        let changes = (0..100_000).map(|at| Change {
            from: 2 * at,
            to: 2 * at + 1,
            insert: if at % 2 == 0 { "x".to_owned() } else { String::new() },
        });
        let update = other.edit(&changes.collect::<Vec<_>>());
        lineage.apply(1, &update, Scrutiny::New).unwrap();
        assert_eq!(lineage.doc.text(), other.text());
        assert!(lineage.reads_back(&lineage.doc.encode()));
        // It goes on as before.
        let next = other.replace_with("ab").unwrap();
        lineage.apply(2, &next, Scrutiny::New).unwrap();
        assert_eq!(lineage.doc.text(), "ab");
        assert_eq!(lineage.doc.client_id(), 7);
    }

    #[test]
    fn what_waits_stays_when_the_text_is_cut() {
        let text = "ab".repeat(20_000);
        let (doc, state) = TextDoc::from_text(1, &text);
        let mut lineage = Lineage::load(7, &doc.encode()).unwrap();
        let mut ahead = TextDoc::load(3, &state).unwrap();
        let first = ahead.edit(&[Change { from: 0, to: 0, insert: "1".to_owned() }]);
        let second = ahead.edit(&[Change { from: 1, to: 1, insert: "2".to_owned() }]);
        lineage.apply(1, &second, Scrutiny::New).unwrap();
        let mut other = TextDoc::load(2, &state).unwrap();
        let changes =
            (0..20_000).map(|at| Change { from: 2 * at, to: 2 * at + 1, insert: String::new() });
        let update = other.edit(&changes.collect::<Vec<_>>());
        lineage.apply(2, &update, Scrutiny::New).unwrap();
        assert_eq!(lineage.doc.text(), "b".repeat(20_000));
        lineage.apply(3, &first, Scrutiny::New).unwrap();
        assert_eq!(lineage.doc.text(), format!("12{}", "b".repeat(20_000)));
    }

    #[test]
    fn neighbours_that_never_were_are_refused() {
        let (_, state) = TextDoc::from_text(1, "abcdef");
        let mut lineage = Lineage::load(7, &state).unwrap();
        let crossed = [1, 1, 2, 0, 0xc4, 1, 4, 1, 1, 1, b'X', 0];
        let poisoned = lineage.apply(1, &crossed, Scrutiny::New).unwrap_err();
        assert!(matches!(poisoned, Poisoned { seq: 1, why: Why::Unfit(Unfit::Crossed) }));
    }
}
