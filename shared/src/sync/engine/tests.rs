use super::{
    Effect, Failure, Lateness, Stop, SyncEngine,
    testing::{ABNORMAL, Page, acknowledged, opens, updates},
};
use crate::{
    crdt::{Change, TextDoc, inspect_update},
    save_state::SaveState,
    sync::{
        CloseCode, EMPTY_UPDATE, Limits,
        yjs::{Frame, decode},
    },
};

fn stopped(effects: &[Effect]) -> Option<&Stop> {
    effects.iter().find_map(|effect| match effect {
        Effect::Stopped(stop) => Some(stop),
        _ => None,
    })
}

#[test]
fn edits_wait_for_the_handshake_and_travel_in_step_2() {
    let mut page = Page::new("text");
    let server = TextDoc::load(9, &page.doc.encode()).unwrap();
    assert_eq!(page.edit("one "), []);
    assert_eq!(page.call(SyncEngine::start), [Effect::Open { socket: 1 }]);
    let vector = page.doc.state_vector();
    assert_eq!(page.open(), [Effect::Send(Frame::Step1(&vector).encode())]);
    assert_eq!(page.edit("two "), []);
    let answer = page.receive(&Frame::Step1(&server.state_vector()));
    let Effect::Send(message) = &answer[0] else { panic!("{answer:?}") };
    let Ok(Frame::Step2(step_2)) = decode(message, &Limits::default()) else { panic!() };
    let mut copy = TextDoc::load(8, &server.encode()).unwrap();
    copy.apply(step_2).unwrap();
    assert_eq!((copy.text(), answer.len()), (page.doc.text(), 1));
    assert_eq!(page.engine.save_state(), SaveState::Saving);
    // The next edit is a frame of its own.
    assert_eq!(updates(&page.edit("three ")).len(), 1);
    assert_eq!(acknowledged(&page.receive(&Frame::Durable(1))), ["edit-1", "edit-2"]);
    assert_eq!(acknowledged(&page.receive(&Frame::Durable(2))), ["edit-3"]);
    assert_eq!(page.engine.save_state(), SaveState::Saved);
}

#[test]
fn a_reconnect_sends_only_what_is_missing() {
    let mut page = Page::ready("text");
    page.edit("durable ");
    let server = TextDoc::load(9, &page.doc.encode()).unwrap();
    page.receive(&Frame::Durable(2));
    page.close(ABNORMAL);
    for _ in 0..1_000 {
        page.edit("x");
    }
    assert!(matches!(page.engine.save_state(), SaveState::Offline { waiting: 1_000, .. }));
    page.wait(1);
    let sent = updates(&page.come_up_with(&server));
    assert_eq!(sent.len(), 1);
    // A thousand letters at the same place are as many structs of some bytes each.
    assert!(sent[0].len() < 12_000, "{}", sent[0].len());
    assert_eq!(inspect_update(&sent[0]).unwrap().inserted_bytes, 1_000);
    // The acknowledgement is lost; the server has everything now.
    page.close(ABNORMAL);
    page.wait(2);
    assert_eq!(updates(&page.come_up()), [EMPTY_UPDATE]);
    assert_eq!(acknowledged(&page.receive(&Frame::Durable(1))).len(), 1_000);
}

#[test]
fn deletions_that_were_lost_are_sent_again() {
    let mut page = Page::ready("text");
    let deletion = page.doc.edit(&[Change { from: 0, to: 2, insert: String::new() }]);
    assert_eq!(updates(&page.send(deletion.clone())), std::slice::from_ref(&deletion));
    page.close(ABNORMAL);
    page.wait(1);
    assert_eq!(updates(&page.come_up()), [deletion]);
}

#[test]
fn frames_on_their_way_are_bounded_and_edits_combined() {
    let mut page = Page::ready("");
    page.receive(&Frame::Durable(1));
    let frames: usize = (0..1_000).map(|_| updates(&page.edit("x")).len()).sum();
    assert_eq!(frames, 16);
    let sent = updates(&page.receive(&Frame::Durable(2)));
    assert_eq!(sent.len(), 1);
    assert_eq!(inspect_update(&sent[0]).unwrap().inserted_bytes, 1_000 - 16);
    let acked = acknowledged(&page.receive(&Frame::Durable(18)));
    assert_eq!(acked.len(), 999);
}

#[test]
fn a_long_edit_is_split_below_the_limits() {
    let mut page = Page::new("");
    let long = "島 long ".repeat(200_000);
    page.edit(&long);
    page.call(SyncEngine::start);
    let server = TextDoc::new(9);
    let mut sent = updates(&page.come_up_with(&server));
    let mut count = 0;
    while count < sent.len() {
        // A slow network is not flooded.
        assert!(sent[count..].iter().map(Vec::len).sum::<usize>() < 200_000);
        count += 1;
        if count < sent.len() {
            let more = page.receive(&Frame::Durable(count as u64));
            assert_eq!(acknowledged(&more).len(), 0);
            sent.extend(updates(&more));
        }
    }
    assert!(sent.len() >= 20);
    assert!(sent.iter().all(|update| update.len() <= 65_600));
    let mut copy = TextDoc::new(8);
    sent.iter().for_each(|update| copy.apply(update).unwrap());
    assert!(copy.text() == long);
    // The edit is acknowledged with its last part.
    assert_eq!(acknowledged(&page.receive(&Frame::Durable(sent.len() as u64))).len(), 1);
}

#[test]
fn a_server_that_accepts_less_gets_smaller_frames() {
    let mut page = Page::ready("");
    page.edit(&"x".repeat(300_000));
    page.close(CloseCode::TooLarge.code());
    page.wait(1);
    let server = TextDoc::new(9);
    page.come_up_with(&server);
    page.close(CloseCode::TooLarge.code());
    page.wait(1);
    let sent = updates(&page.come_up_with(&server));
    assert!(sent.len() >= 3 && sent.iter().all(|update| update.len() <= 16 * 1024 + 100));
}

#[test]
fn a_server_that_lost_updates_gets_them_again() {
    let mut page = Page::ready("text");
    page.edit("more ");
    page.receive(&Frame::Durable(2));
    page.close(ABNORMAL);
    page.wait(1);
    // It was restored from an older copy.
    let mut server = TextDoc::new(9);
    let sent = updates(&page.come_up_with(&server));
    sent.iter().for_each(|update| server.apply(update).unwrap());
    assert_eq!(server.text(), "more text");
}

#[test]
fn a_refused_frame_is_sent_in_smaller_parts() {
    let mut page = Page::ready("");
    page.receive(&Frame::Durable(1));
    page.close(ABNORMAL);
    for _ in 0..8 {
        page.edit("x");
    }
    page.wait(1);
    let server = TextDoc::new(9);
    let mut sizes = Vec::new();
    for _ in 0..3 {
        let sent = updates(&page.come_up_with(&server));
        sizes.push(inspect_update(&sent[0]).unwrap().inserted_bytes);
        assert!(opens(&page.refuse(1, "bad_update")));
    }
    assert_eq!(sizes, [8, 4, 2]);
    // A single edit that is refused stops everything; it is kept.
    page.come_up_with(&server);
    let refused = page.refuse(1, "bad_update");
    assert!(matches!(stopped(&refused), Some(Stop::Refused { code, .. }) if code == "bad_update"));
    assert_eq!(page.engine.unsaved(), 8);
    assert!(matches!(page.engine.save_state(), SaveState::Refused { .. }));
    page.engine.explain("words".to_owned());
    assert_eq!(page.engine.save_state(), SaveState::Refused { reason: "words".to_owned() });
    assert_eq!(page.wait(100), []);
    assert!(opens(&page.call(SyncEngine::retry)));
    assert_eq!(page.engine.stopped(), None);
}

#[test]
fn a_contested_edit_is_split_by_its_items() {
    let mut page = Page::ready("abcdefgh");
    let changes: Vec<Change> =
        (0..8).map(|at| Change { from: at, to: at, insert: "x".to_owned() }).collect();
    let update = page.doc.edit(&changes);
    let server = TextDoc::load(9, &TextDoc::from_text(1, "abcdefgh").1).unwrap();
    page.send(update);
    let mut items = Vec::new();
    for frame in [2, 1, 1] {
        page.refuse(frame, "contested");
        let sent = updates(&page.come_up_with(&server));
        items.push((sent.len(), inspect_update(&sent[0]).unwrap().items));
    }
    assert_eq!(items, [(2, 4), (4, 2), (8, 1)]);
    let acked = acknowledged(&page.receive(&Frame::Durable(8)));
    assert_eq!(acked, ["edit-1"]);
}

#[test]
fn a_document_without_room_still_shows_what_others_write() {
    let mut page = Page::ready("text");
    page.edit("much ");
    let refused = page.refuse(2, "too_large");
    assert!(matches!(stopped(&refused), Some(Stop::TooLong { .. })) && opens(&refused));
    let server = TextDoc::load(9, &TextDoc::from_text(1, "text").1).unwrap();
    assert_eq!(updates(&page.come_up_with(&server)), [EMPTY_UPDATE]);
    let update = Frame::Update(&[0, 1, 1, 1, 0, 1]);
    assert_eq!(page.receive(&update), [Effect::Apply(vec![0, 1, 1, 1, 0, 1])]);
    assert_eq!(page.edit("more "), []);
    // It fits after a deletion, which goes first.
    let deletions = page.doc.missing_from(&page.doc.state_vector()).unwrap();
    let sent = page.call(|engine, at, out| {
        engine.send_deletions_first(at, "deletions".to_owned(), deletions, out);
    });
    assert_eq!(updates(&sent).len(), 1);
    assert_eq!(acknowledged(&page.receive(&Frame::Durable(2))).len(), 3);
}

#[test]
fn a_batch_that_is_refused_over_http_gets_smaller() {
    let mut page = Page::new("");
    (0..4).for_each(|_| drop(page.edit("x")));
    let refused = || Stop::Refused { code: "bad_update".to_owned(), message: "No.".to_owned() };
    let mut sizes = Vec::new();
    for _ in 0..3 {
        let batch = page.engine.http_batch(|| "op".to_owned()).unwrap();
        sizes.push(inspect_update(&batch.update).unwrap().inserted_bytes);
        page.call(|engine, at, out| engine.http_failed(at, Failure::Stopped(refused()), out));
    }
    assert_eq!(sizes, [4, 2, 1]);
    assert_eq!(page.engine.stopped(), Some(&refused()));
    assert_eq!(page.engine.http_batch(|| "op".to_owned()), None);
}

#[test]
fn edits_that_are_not_saved_are_noticed() {
    let mut page = Page::ready("");
    page.edit("x");
    assert_eq!(page.engine.lateness(page.now), Lateness::None);
    let steps = [(5, Lateness::Slow), (10, Lateness::Late), (15, Lateness::VeryLate)];
    for (seconds, lateness) in steps {
        page.now += std::time::Duration::from_secs(seconds);
        assert_eq!(page.engine.lateness(page.now), lateness);
        assert_eq!(page.engine.save_state_at(page.now), SaveState::Slow);
    }
    page.receive(&Frame::Durable(2));
    assert_eq!(page.engine.lateness(page.now), Lateness::None);
}

#[test]
fn an_edit_is_at_risk_until_the_device_or_the_server_has_it() {
    let mut page = Page::ready("");
    page.edit("x");
    assert!(page.engine.is_at_risk());
    assert!(page.engine.stored("edit-1"));
    assert!(!page.engine.is_at_risk());
    page.edit("y");
    page.receive(&Frame::Durable(3));
    assert!(!page.engine.is_at_risk() && !page.engine.stored("edit-2"));
}
