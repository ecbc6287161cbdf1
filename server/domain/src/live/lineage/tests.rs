use super::*;
use izanagi_shared::crdt::Change;
use proptest::prelude::*;

fn insert(at: u32, text: &str) -> Change {
    Change { from: at, to: at, insert: text.to_owned() }
}

#[test]
fn many_splits_of_one_text_are_fast() {
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
    lineage.apply(1, &update, Validation::Untrusted).unwrap();
    assert_eq!(lineage.0.text(), other.text());
    assert!(lineage.0.is_consistent());
    assert!(lineage.reads_back(&lineage.0.encode()));
    // The document remains usable.
    let next = other.replace_with("ab").unwrap();
    lineage.apply(2, &next, Validation::Untrusted).unwrap();
    assert_eq!((lineage.0.text().as_str(), lineage.0.client_id()), ("ab", 7));
}

#[test]
fn pending_updates_survive_splits() {
    let text = "ab".repeat(20_000);
    let (_, state) = TextDoc::from_text(1, &text);
    let mut lineage = Lineage::load(7, &state).unwrap();
    let mut ahead = TextDoc::load(3, &state).unwrap();
    let first = ahead.edit(&[insert(0, "1")]);
    let second = ahead.edit(&[insert(1, "2")]);
    lineage.apply(1, &second, Validation::Untrusted).unwrap();
    let mut other = TextDoc::load(2, &state).unwrap();
    let changes =
        (0..20_000).map(|at| Change { from: 2 * at, to: 2 * at + 1, insert: String::new() });
    let update = other.edit(&changes.collect::<Vec<_>>());
    lineage.apply(2, &update, Validation::Untrusted).unwrap();
    assert_eq!(lineage.0.text(), "b".repeat(20_000));
    lineage.apply(3, &first, Validation::Untrusted).unwrap();
    assert_eq!(lineage.0.text(), format!("12{}", "b".repeat(20_000)));
}

#[test]
fn forged_neighbours_are_refused() {
    let (_, state) = TextDoc::from_text(1, "abcdef");
    let mut lineage = Lineage::load(7, &state).unwrap();
    let crossed = [1, 1, 2, 0, 0xc4, 1, 4, 1, 1, 1, b'X', 0];
    assert!(matches!(
        lineage.check(&crossed, None),
        Err(ApplyError::Invalid(InvalidUpdate::Crossed))
    ));
    assert!(lineage.0.is_consistent());
    let rejected = lineage.apply(1, &crossed, Validation::Untrusted).unwrap_err();
    assert_eq!(rejected, Rejected { tag: 1, cause: ApplyError::Invalid(InvalidUpdate::Crossed) });
}

#[test]
fn server_edits_do_not_multiply_formats() {
    // Five hundred unterminated format marks at the start.
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
    lineage.apply(1, &marks, Validation::Untrusted).unwrap();
    for _ in 0..2 {
        let text = lineage.0.text();
        let new = text.replace("wo", "WO-");
        let update = lineage.edit_by(&text, &TextDelta::between(&text, &new)).unwrap();
        assert_eq!(lineage.0.text(), new);
        assert!(update.len() < 4_000, "{}", update.len());
        // The same holds after loading.
        lineage = Lineage::load(8, &lineage.0.encode()).unwrap();
    }
}

/// An event in a document's life.
#[derive(Debug, Clone)]
enum Step {
    /// A writer edits, with or without having received all updates.
    Write { writer: usize, text: String, hears: bool },
    /// An update arrives, counted from the newest.
    Arrive { back: usize },
    /// Two updates arrive merged into one.
    Merged { back: usize },
    /// The server edits.
    Edit { text: String },
    /// The document is reloaded.
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
    /// No honest update is rejected, and text and item order stay consistent.
    #[test]
    fn text_and_item_order_agree(steps in proptest::collection::vec(step(), 1..60)) {
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
                    lineage.check(&updates[at], None).unwrap();
                    lineage.apply(at as u64, &updates[at], Validation::Untrusted).unwrap();
                }
                Step::Merged { back } => {
                    let Some(at) = updates.len().checked_sub(back + 2) else { continue };
                    let both = yrs::merge_updates_v1(&updates[at..at + 2]).unwrap();
                    lineage.check(&both, None).unwrap();
                    lineage.apply(at as u64, &both, Validation::Untrusted).unwrap();
                }
                Step::Edit { text } => {
                    let present = lineage.0.text();
                    let delta = TextDelta::between(&present, &text);
                    updates.push(lineage.edit_by(&present, &delta).unwrap());
                    lineage.apply_released(0).unwrap();
                }
                Step::Reload => {
                    let fresh = Lineage::load(client, &lineage.0.encode()).unwrap();
                    prop_assert_eq!(fresh.0.text(), lineage.0.text());
                    // Pending updates are in the log and are replayed.
                    lineage = fresh;
                    for (at, update) in updates.iter().enumerate() {
                        lineage.apply(at as u64, update, Validation::Replayed).unwrap();
                    }
                }
            }
            prop_assert!(lineage.0.is_consistent());
        }
        for (at, update) in updates.iter().enumerate() {
            lineage.apply(at as u64, update, Validation::Untrusted).unwrap();
        }
        prop_assert!(lineage.0.is_consistent());
        prop_assert!(lineage.reads_back(&lineage.0.encode()));
        let mut all = TextDoc::load(99, &state).unwrap();
        for update in &updates { all.apply(update).unwrap(); }
        prop_assert_eq!(lineage.0.text(), all.text());
    }
}
