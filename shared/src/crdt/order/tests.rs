use super::{Cost, InvalidUpdate, Kind, Order, Validation, take::Limits};
use crate::crdt::{
    ROOT, TextDoc,
    parse::{Id, parse},
    varint::write_uint,
};
use proptest::prelude::*;
use rstest::rstest;

/// A character that says which client wrote it at which clock.
fn mark(client: u64, clock: u32) -> char {
    char::from_u32(0x4e00 + u32::try_from(client).unwrap() * 2_000 + clock).unwrap()
}

impl Order {
    /// Takes in an update of which nothing may have to wait.
    fn take_whole(&mut self, update: &[u8], validation: Validation) -> Result<Cost, InvalidUpdate> {
        let parsed = parse(update)?;
        let taken = self.take(&parsed, validation)?;
        assert!(!taken.is_pending());
        Ok(taken.cost)
    }

    /// Whether it would be taken in.
    fn would_take_whole(&mut self, update: &[u8]) -> Result<(), InvalidUpdate> {
        self.would_take(&parse(update)?).map(|is_pending| assert!(!is_pending))
    }

    /// The clocks in their order, without what is deleted.
    fn visible(&self) -> String {
        let mut text = String::new();
        let mut at = self.first;
        while let Some(handle) = at {
            let run = self.run(handle);
            if run.kind == Kind::Text {
                text.extend((run.clock..run.end()).map(|clock| mark(run.client, clock)));
            }
            at = run.next;
        }
        text
    }
}

/// An update of one client: items from a clock on, each with what it stands between.
fn update(client: u64, clock: u32, items: &[(Option<Id>, Option<Id>, &str)]) -> Vec<u8> {
    let mut bytes = vec![1];
    write_uint(&mut bytes, items.len() as u64);
    write_uint(&mut bytes, client);
    write_uint(&mut bytes, u64::from(clock));
    for (origin, right, text) in items {
        let flags = [(origin, 0x80), (right, 0x40)];
        let flags = flags.iter().map(|(id, flag)| if id.is_some() { *flag } else { 0 });
        bytes.push(4 | flags.sum::<u8>());
        for id in [origin, right].into_iter().flatten() {
            write_uint(&mut bytes, id.client);
            write_uint(&mut bytes, u64::from(id.clock));
        }
        if origin.is_none() && right.is_none() {
            bytes.push(1);
            write_uint(&mut bytes, ROOT.len() as u64);
            bytes.extend(ROOT.as_bytes());
        }
        write_uint(&mut bytes, text.len() as u64);
        bytes.extend(text.as_bytes());
    }
    bytes.push(0);
    bytes
}

const fn id(client: u64, clock: u32) -> Option<Id> {
    Some(Id { client, clock })
}

fn order_of(updates: &[&[u8]]) -> Order {
    let mut order = Order::default();
    for update in updates {
        order.take_whole(update, Validation::Untrusted).unwrap();
    }
    order
}

#[rstest]
#[case::the_right_one_before_the_left_one(id(1, 4), id(1, 1))]
#[case::the_right_one_just_before(id(1, 2), id(1, 1))]
#[case::not_side_by_side(id(1, 0), id(1, 4))]
#[case::the_start_and_the_middle(None, id(1, 3))]
#[case::the_start_and_the_end(None, None)]
fn neighbours_that_never_were_are_refused(#[case] origin: Option<Id>, #[case] right: Option<Id>) {
    let (_, state) = TextDoc::from_text(1, "abcdef");
    // A second client's item in between: no author of the first saw these beside each other.
    let mut order = order_of(&[&state, &update(2, 0, &[(id(1, 0), id(1, 1), "x")])]);
    let forged = update(2, 1, &[(origin, right, "y")]);
    assert_eq!(order.take_whole(&forged, Validation::Untrusted), Err(InvalidUpdate::Crossed));
}

#[test]
fn the_servers_own_state_is_taken_as_it_is() {
    let (_, state) = TextDoc::from_text(1, "abcdef");
    let mut order = order_of(&[&state]);
    let forged = update(2, 0, &[(id(1, 4), id(1, 1), "y")]);
    order.take_whole(&forged, Validation::Trusted).unwrap();
}

#[rstest]
#[case::an_insertion(update(2, 0, &[(id(1, 1), id(1, 2), "x")]))]
#[case::a_deletion_from_there(vec![0, 1, 1, 1, 2, 1])]
#[case::a_deletion_up_to_there(vec![0, 1, 1, 1, 0, 2])]
fn a_character_is_not_cut(#[case] update: Vec<u8>) {
    let (_, state) = TextDoc::from_text(1, "a🦀b");
    let mut order = order_of(&[&state]);
    assert_eq!(order.take_whole(&update, Validation::Untrusted), Err(InvalidUpdate::HalfCharacter));
}

#[test]
fn an_update_is_taken_whole_or_not_at_all() {
    let (_, state) = TextDoc::from_text(1, "abcdef");
    let mut order = order_of(&[&state]);
    let fine = (id(1, 1), id(1, 2), "x🦀");
    let within = (id(2, 0), id(2, 1), "y");
    let crossed = (id(1, 4), id(1, 0), "z");
    let before = order.clone();
    let forged = update(2, 0, &[fine, within, crossed]);
    for _ in 0..2 {
        assert_eq!(order.take_whole(&forged, Validation::Untrusted), Err(InvalidUpdate::Crossed));
        assert_eq!(order.would_take_whole(&forged), Err(InvalidUpdate::Crossed));
        assert_eq!(order.visible(), before.visible());
        assert_eq!((order.end_of(1), order.end_of(2)), (6, 0));
        assert_eq!(order.second_halves(), before.second_halves());
    }
    let honest = update(2, 0, &[fine, within]);
    order.would_take_whole(&honest).unwrap();
    assert_eq!((order.visible(), order.end_of(2)), (before.visible(), 0));
    order.take_whole(&honest, Validation::Untrusted).unwrap();
    assert_eq!(order.end_of(2), 4);
    assert_eq!(order.second_halves(), before.second_halves() + 1);
    // Of the character, the second half is still known for what it is.
    let half = update(3, 0, &[(id(2, 1), id(2, 2), "x")]);
    assert_eq!(order.take_whole(&half, Validation::Untrusted), Err(InvalidUpdate::HalfCharacter));
}

#[test]
fn other_words_under_known_clocks_do_not_cut_a_character() {
    let mut order = order_of(&[&update(1, 0, &[(None, None, "ab")])]);
    let other = update(1, 0, &[(None, None, "a🦀c")]);
    assert_eq!(order.take_whole(&other, Validation::Untrusted), Err(InvalidUpdate::HalfCharacter));
    order
        .take_whole(
            &update(1, 0, &[(None, None, "a🦀"), (id(1, 2), None, "c")]),
            Validation::Untrusted,
        )
        .unwrap_err();
    // Whose boundary is a boundary is fine.
    order.take_whole(&update(1, 0, &[(None, None, "🦀c")]), Validation::Untrusted).unwrap();
    order.take_whole(&update(2, 0, &[(id(1, 1), id(1, 2), "x")]), Validation::Untrusted).unwrap();
}

#[test]
fn nothing_builds_on_what_stands_nowhere() {
    let mut order = order_of(&[&[1, 1, 1, 0, 0, 5, 0]]);
    let update = update(2, 0, &[(id(1, 4), None, "x")]);
    assert_eq!(order.take_whole(&update, Validation::Untrusted), Err(InvalidUpdate::NoNeighbour));
}

#[test]
fn very_many_at_one_place_are_refused() {
    let limits = Limits { steps_of_all: 500_000, few_steps: 1_000, ..Limits::default() };
    let mut order = Order { limits, ..Order::default() };
    let mut taken = 0;
    let full = loop {
        // One client above another, each with an item at the beginning.
        let client = taken + 1;
        let begin = update(client, 0, &[(None, None, "x")]);
        match order.take_whole(&begin, Validation::Untrusted) {
            Ok(_) => taken += 1,
            Err(unfit) => break unfit,
        }
    };
    assert_eq!(full, InvalidUpdate::Contested);
    // 1 + 2 + … + 1,000 steps come to half a million; from then on 1,000 are too many.
    assert!((1_000..1_010).contains(&taken), "{taken}");
}

#[test]
fn two_who_wrote_long_lists_apart_come_together() {
    // Each puts entries at the top, one above the other; the second knows nothing of the first.
    let list = |client| {
        let entry =
            |clock: u32| (None, clock.checked_sub(1).and_then(|last| id(client, last)), "x");
        update(client, 0, &(0..1_500).map(entry).collect::<Vec<_>>())
    };
    for (first, second) in [(1, 2), (2, 1)] {
        let order = order_of(&[&list(first), &list(second)]);
        assert_eq!(order.units(), 3_000);
    }
}

#[test]
fn one_update_may_not_cost_more_than_its_share() {
    // Formats are never joined, so each is an item.
    let mut chain = vec![1];
    write_uint(&mut chain, 2_000);
    chain.extend([1, 0, 6, 1, 7]);
    chain.extend(ROOT.as_bytes());
    chain.extend([1, b'b', 1, b'1']);
    for clock in 0..1_999 {
        chain.extend([0x86, 1]);
        write_uint(&mut chain, clock);
        chain.extend([1, b'b', 1, b'1']);
    }
    chain.push(0);
    let limits = Limits { steps: 1_000_000, ..Limits::default() };
    let mut order = Order { limits, ..Order::default() };
    order.take_whole(&chain, Validation::Untrusted).unwrap();
    // Clients that know nothing of it, each at the beginning.
    let mut many = Vec::new();
    write_uint(&mut many, 900);
    for client in 2..902 {
        many.push(1);
        write_uint(&mut many, client);
        many.extend([0, 4, 1, 7]);
        many.extend(ROOT.as_bytes());
        many.extend([1, b'x']);
    }
    many.push(0);
    assert_eq!(order.take_whole(&many, Validation::Untrusted), Err(InvalidUpdate::Contested));
}

#[test]
fn an_order_is_as_short_as_its_document() {
    let mut doc = TextDoc::new(1);
    let mut order = Order::default();
    let mut text = String::new();
    for at in 0..500_u32 {
        text.push(mark(1, at));
        order.take_whole(&doc.replace_with(&text).unwrap(), Validation::Untrusted).unwrap();
    }
    assert_eq!(order.items(), 1);
    let half: String = text.chars().step_by(2).collect();
    order.take_whole(&doc.replace_with(&half).unwrap(), Validation::Untrusted).unwrap();
    assert_eq!(order.items(), 500);
    order.take_whole(&doc.replace_with("").unwrap(), Validation::Untrusted).unwrap();
    assert_eq!(order.items(), 1);
    assert_eq!(order.clients[&1].runs.len(), 1);
}

/// What a writer does: at a place (of a thousand) it deletes some characters, and writes others.
#[derive(Debug, Clone)]
struct Edit {
    writer: usize,
    place: usize,
    deletes: usize,
    writes: u32,
    hears: bool,
}

fn edit() -> impl Strategy<Value = Edit> {
    (0..3_usize, 0..1_000_usize, 0..3_usize, 0..4_u32, any::<bool>()).prop_map(
        |(writer, place, deletes, writes, hears)| Edit { writer, place, deletes, writes, hears },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    /// Whatever people do, it is taken, and stands in the order that yrs finds.
    #[test]
    fn the_order_is_that_of_yrs(edits in proptest::collection::vec(edit(), 1..40)) {
        let mut writers: Vec<TextDoc> = (1..=3).map(TextDoc::new).collect();
        let mut all = TextDoc::new(9);
        let mut order = Order::default();
        let mut updates: Vec<Vec<u8>> = Vec::new();
        for Edit { writer, place, deletes, writes, hears } in edits {
            let doc = &mut writers[writer];
            if hears {
                for update in &updates { doc.apply(update).unwrap(); }
            }
            let client = doc.client_id();
            let clock = doc.state_vector_map().get(&client).copied().unwrap_or(0);
            let mut text: Vec<char> = doc.text().chars().collect();
            let at = place * text.len() / 1_000;
            let end = text.len().min(at + deletes);
            text.splice(at..end, (clock..clock + writes).map(|clock| mark(client, clock)));
            let text: String = text.into_iter().collect();
            let Some(update) = doc.replace_with(&text) else { continue };
            order.take_whole(&update, Validation::Untrusted).unwrap();
            all.apply(&update).unwrap();
            prop_assert_eq!(order.visible(), all.text());
            updates.push(update);
        }
        let mut again = Order::default();
        again.take_whole(&all.encode(), Validation::Untrusted).unwrap();
        prop_assert_eq!(again.visible(), all.text());
        let mut merged = Order::default();
        merged.take_whole(&yrs::merge_updates_v1(&updates).unwrap(), Validation::Untrusted).unwrap();
        prop_assert_eq!(merged.visible(), all.text());
    }

    /// Whatever is let in survives its own encoding, forged or not.
    #[test]
    fn what_is_taken_reads_back(
        items in proptest::collection::vec((1..7_u64, 0..64_usize, 0..64_usize, any::<bool>()), 1..40),
    ) {
        let mut doc = TextDoc::new(9);
        let mut order = Order::default();
        let mut known: Vec<Option<Id>> = vec![None];
        for (client, left, right, near) in items {
            let clock = doc.state_vector_map().get(&client).copied().unwrap_or(0);
            let (left, right) = (left % known.len(), right % known.len());
            let right = if near { left + 1 } else { right };
            let ends = (known[left], known.get(right).copied().flatten());
            let text = mark(client, clock).to_string();
            let item = update(client, clock, &[(ends.0, ends.1, &text)]);
            let mut copy = Order::default();
            copy.take_whole(&doc.encode(), Validation::Trusted).unwrap();
            let would = order.would_take_whole(&item);
            prop_assert_eq!(order.visible(), doc.text());
            prop_assert_eq!(copy.take_whole(&item, Validation::Untrusted).map(|_| ()), would);
            if would.is_err() { continue }
            order.take_whole(&item, Validation::Untrusted).unwrap();
            doc.apply(&item).unwrap();
            prop_assert_eq!(order.visible(), doc.text());
            prop_assert_eq!(copy.visible(), doc.text());
            known.push(id(client, clock));
            let again = TextDoc::load(8, &doc.encode()).unwrap();
            prop_assert_eq!(again.text(), doc.text());
        }
    }
}
