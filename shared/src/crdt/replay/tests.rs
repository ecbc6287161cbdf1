use super::*;
use crate::{
    crdt::{Change, TextDoc, Validation},
    replay::Replay,
    wire::{ReplayEdits, ReplayView},
};
use proptest::prelude::*;

/// Builds a replay of all edits after `skipped`, over a state before them.
fn replay(state: &[u8], edits: &[Option<Vec<u8>>], skipped: usize, end: &TextDoc) -> Replay {
    let mut builder = ReplayBuilder::new(state).unwrap();
    for (at, edit) in edits.iter().enumerate() {
        match edit {
            Some(edit) if at < skipped => builder.add_before(edit),
            Some(edit) => builder.add_edit(edit),
            None => builder.add_lost(at < skipped),
        }
    }
    let count = builder.edits() as usize;
    let (items, state) = (end.items_in_order(), end.encode());
    let ordered = Ordered { items: &items, state: &state, is_at_end: true };
    let (text, parts) = builder.finish(ordered).unwrap().into();
    let edits = ReplayEdits {
        seqs: vec![1; count],
        authors: vec![0; count],
        times: vec![0; count],
        ..ReplayEdits::default()
    };
    Replay::new(ReplayView { text, parts, edits, ..ReplayView::default() }).unwrap()
}

/// The texts after each edit, as a replica has them that gets one after the other.
fn texts(state: &[u8], edits: &[Vec<u8>]) -> (Vec<String>, TextDoc) {
    let mut doc = TextDoc::load(99, state).unwrap();
    let mut texts = vec![doc.text()];
    for edit in edits {
        doc.apply_checked(0, edit, Validation::Replayed).unwrap();
        texts.push(doc.text());
    }
    (texts, doc)
}

/// What a writer does: which one, where (as a part of the text), how much it deletes, what it
/// inserts, and whether it has seen what the others did.
type Action = (usize, f64, u32, &'static str, bool);

fn action() -> impl Strategy<Value = Action> {
    let text = prop::sample::select(vec!["", "a", "b", "xyz", "😀", "é\r\n", "長い", "👩‍👩‍👧"]);
    (0..3_usize, 0.0..1.0_f64, 0..4_u32, text, any::<bool>())
}

/// Rounds a UTF-16 offset down to a character.
fn boundary(text: &str, at: u32) -> u32 {
    let mut units = 0;
    for character in text.chars() {
        let next = units + character.len_utf16() as u32;
        if next > at {
            return units;
        }
        units = next;
    }
    units
}

/// The updates of three writers, in the order in which they were made.
fn write(start: &str, actions: &[Action]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (first, state) = TextDoc::from_text(9, start);
    let mut writers: Vec<TextDoc> = (1..4).map(|id| first.fork(id).unwrap()).collect();
    let (mut edits, mut seen) = (Vec::<Vec<u8>>::new(), [0; 3]);
    for &(writer, place, delete, insert, sees) in actions {
        if sees {
            edits[seen[writer]..].iter().for_each(|edit| writers[writer].apply(edit).unwrap());
            seen[writer] = edits.len();
        }
        let text = writers[writer].text();
        let length = crate::text::utf16::utf16_len(&text) as u32;
        let from = boundary(&text, (f64::from(length) * place) as u32);
        let to = boundary(&text, (from + delete).min(length));
        if from == to && insert.is_empty() {
            continue;
        }
        let change = Change { from, to, insert: insert.to_owned() };
        edits.push(writers[writer].edit(&[change]));
    }
    (state, edits)
}

proptest! {
    #[test]
    fn every_text_is_that_of_a_replica(
        start in prop::sample::select(vec!["", "one", "a😀b", "line\r\nline\n"]),
        actions in prop::collection::vec(action(), 1..40),
        // Some edits arrive early, before what they build on.
        swaps in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..4),
        skipped in any::<prop::sample::Index>(),
    ) {
        let (state, mut edits) = write(start, &actions);
        prop_assume!(!edits.is_empty());
        for (a, b) in swaps {
            let (a, b) = (a.index(edits.len()), b.index(edits.len()));
            edits.swap(a, b);
        }
        let (texts, end) = texts(&state, &edits);
        prop_assert_eq!(end.pending_updates(), 0);
        let skipped = skipped.index(edits.len());
        let known: Vec<_> = edits.into_iter().map(Some).collect();
        let replay = replay(&state, &known, skipped, &end);
        for (position, text) in texts[skipped..].iter().enumerate() {
            prop_assert_eq!(&replay.text_at(position), text, "position {}", position);
        }
    }

    #[test]
    fn after_a_loss_the_end_is_right(
        actions in prop::collection::vec(action(), 2..40),
        lost in any::<prop::sample::Index>(),
    ) {
        let (state, edits) = write("begin", &actions);
        prop_assume!(!edits.is_empty());
        let (texts, end) = texts(&state, &edits);
        let lost = lost.index(edits.len());
        let known: Vec<_> = edits.into_iter().enumerate().map(|(at, edit)| (at != lost).then_some(edit)).collect();
        let replay = replay(&state, &known, 0, &end);
        for (position, text) in texts.iter().enumerate().take(lost + 1) {
            prop_assert_eq!(&replay.text_at(position), text, "position {}", position);
        }
        prop_assert_eq!(&replay.text_at(known.len()), texts.last().unwrap());
    }
}

#[test]
fn deleted_text_of_before_is_dropped() {
    let mut doc = TextDoc::new(1);
    let state = doc.encode();
    let paste = "x".repeat(1024 * 1024);
    let mut builder = ReplayBuilder::new(&state).unwrap();
    for _ in 0..20 {
        let length = doc.text().len() as u32;
        builder.add_before(&doc.edit(&[Change { from: 0, to: length, insert: paste.clone() }]));
        assert!(builder.units.len() < 10 * paste.len());
    }
    builder.add_edit(&doc.edit(&[Change { from: 3, to: 4, insert: "y".to_owned() }]));
    let (items, state) = (doc.items_in_order(), doc.encode());
    let text = builder.finish(Ordered { items: &items, state: &state, is_at_end: true }).unwrap();
    assert_eq!(text.text.len(), paste.len() + 1);
    let parts = [(3, 0, NEVER), (1, 1, NEVER), (1, 0, 1)];
    assert_eq!(
        text.parts[..3].iter().copied().collect::<std::collections::BTreeSet<_>>(),
        parts.into()
    );
}
