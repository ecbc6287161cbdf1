use super::{
    Effect, Failure, Lateness, SignIn, Stop, SyncEngine,
    testing::{Page, acknowledged, opens, updates},
};
use crate::{
    crdt::{Change, TextDoc, inspect_update},
    save_state::SaveState,
    sync::{
        CloseCode, EMPTY_UPDATE, Limits, Presence,
        yjs::{Frame, decode},
    },
};
use rstest::rstest;

const ABNORMAL: u16 = 1006;

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
    assert_eq!(updates(&page.send(deletion.clone())), [deletion.clone()]);
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
    let sent = updates(&page.come_up_with(&server));
    assert!(sent.len() >= 3);
    assert!(sent.iter().all(|update| update.len() <= Limits::default().update));
    let mut copy = TextDoc::new(8);
    sent.iter().for_each(|update| copy.apply(update).unwrap());
    assert!(copy.text() == long);
    // The edit is acknowledged with its last part.
    assert_eq!(acknowledged(&page.receive(&Frame::Durable(sent.len() as u64 - 1))).len(), 0);
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
    assert!(sent.len() >= 3 && sent.iter().all(|update| update.len() <= 128 * 1024 + 100));
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
fn an_expired_sign_in_is_renewed_once() {
    let mut page = Page::new("");
    page.call(SyncEngine::start);
    page.open();
    assert_eq!(page.close(CloseCode::SignedOut.code()), [Effect::RenewSignIn]);
    let renew = |outcome| {
        move |engine: &mut SyncEngine, at, out: &mut Vec<Effect>| engine.signed_in(at, outcome, out)
    };
    // Unknown: it is tried again later.
    assert_eq!(page.call(renew(SignIn::Unknown)), []);
    assert!(opens(&page.wait(1)));
    page.open();
    assert_eq!(page.close(CloseCode::SignedOut.code()), [Effect::RenewSignIn]);
    assert!(opens(&page.call(renew(SignIn::Renewed))));
    page.open();
    let again = page.close(CloseCode::SignedOut.code());
    assert_eq!(again, [Effect::Stopped(Stop::SignedOut)]);
}

#[rstest]
#[case(CloseCode::Forbidden, Stop::Forbidden)]
#[case(CloseCode::Gone, Stop::Gone)]
fn a_lost_right_stops_with_words(#[case] code: CloseCode, #[case] stop: Stop) {
    let mut page = Page::ready("");
    page.edit("x");
    assert_eq!(page.close(code.code()), [Effect::Stopped(stop)]);
    assert_eq!(page.wait(100), []);
    assert_eq!(page.engine.unsaved(), 1);
}

#[test]
fn another_lineage_asks_for_a_rebase() {
    let mut page = Page::ready("");
    page.edit("x");
    assert_eq!(page.close(CloseCode::Resync.code()), [Effect::Rebase]);
    assert_eq!(page.wait(100), []);
    assert_eq!(page.engine.rebased("two".to_owned()), ["edit-1"]);
    assert_eq!(page.engine.lineage(), "two");
    page.edit("y");
    assert!(opens(&page.call(SyncEngine::retry)));
}

#[rstest]
#[case::too_slow(CloseCode::TooSlow.code(), 500)]
#[case::busy(CloseCode::TryLater.code(), 500)]
#[case::going_away(CloseCode::GoingAway.code(), 500)]
#[case::abnormal(ABNORMAL, 500)]
#[case::too_many_messages(CloseCode::RateLimited.code(), 5_000)]
fn a_lost_socket_is_replaced_later(#[case] code: u16, #[case] millis: u128) {
    let mut page = Page::ready("");
    page.close(code);
    let wake = page.engine.wake_at(page.now).unwrap() - page.now;
    assert_eq!(wake.as_millis(), millis);
    assert!(opens(&page.wait(5)));
}

#[test]
fn delays_grow_until_a_socket_lasts() {
    let mut page = Page::ready("");
    let mut delay = |page: &mut Page| {
        page.close(ABNORMAL);
        let delay = page.engine.wake_at(page.now).unwrap() - page.now;
        page.now += delay;
        page.call(SyncEngine::tick);
        page.come_up();
        delay.as_millis()
    };
    assert_eq!([delay(&mut page), delay(&mut page), delay(&mut page)], [500, 1_000, 2_000]);
    page.now += std::time::Duration::from_secs(5);
    assert_eq!(delay(&mut page), 500);
}

#[test]
fn http_is_used_when_three_sockets_do_not_come_up() {
    let mut page = Page::new("");
    page.call(SyncEngine::start);
    page.edit("x");
    page.close(ABNORMAL);
    page.wait(1);
    // The second opens, but says nothing.
    page.open();
    let given_up = page.wait(20);
    assert!(given_up.contains(&Effect::Close) && !given_up.contains(&Effect::Http(true)));
    assert!(opens(&page.wait(1)));
    // The third does not even open.
    assert!(page.wait(10).contains(&Effect::Http(true)));
    assert!(page.engine.is_on_http());
    let batch = page.engine.http_batch(|| "op".to_owned()).unwrap();
    assert_eq!((batch.op_id.as_str(), inspect_update(&batch.update).unwrap().items), ("op", 1));
    let acked = page.call(|engine, _, out| engine.http_acknowledged(out));
    assert_eq!((acknowledged(&acked).len(), page.engine.save_state()), (1, SaveState::Saved));
    assert!(!opens(&page.wait(58)) && opens(&page.wait(2)));
    assert!(page.come_up().contains(&Effect::Http(false)));
}

#[test]
fn a_socket_is_tried_as_soon_as_http_works_again() {
    let mut page = Page::new("");
    page.call(SyncEngine::start);
    for _ in 0..3 {
        page.close(ABNORMAL);
        page.wait(2);
    }
    page.call(|engine, _, out| engine.http_failed(Failure::Lost, out));
    assert!(matches!(page.engine.save_state(), SaveState::Offline { .. }));
    assert!(opens(&page.call(SyncEngine::http_answered)));
    assert_eq!(page.call(SyncEngine::http_answered), []);
    assert_eq!(page.engine.save_state(), SaveState::Saved);
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
        page.call(|engine, _, out| engine.http_failed(Failure::Stopped(refused()), out));
    }
    assert_eq!(sizes, [4, 2, 1]);
    assert_eq!(page.engine.stopped(), Some(&refused()));
    assert_eq!(page.engine.http_batch(|| "op".to_owned()), None);
}

#[rstest]
#[case::with_a_presence(true)]
#[case::without_one(false)]
fn a_half_open_socket_is_noticed_within_40_seconds(#[case] is_present: bool) {
    let mut page = Page::ready("");
    if is_present {
        page.call(|engine, at, out| engine.present(at, Some("{}"), out));
    }
    page.wait(14);
    page.receive(&Frame::Durable(1));
    // Nothing arrives any more.
    let waited = (1..).find(|_| page.wait(1).contains(&Effect::Close)).unwrap();
    assert!(waited <= 40, "{waited}");
    assert!(matches!(page.engine.save_state(), SaveState::Offline { .. }));
}

#[test]
fn a_socket_that_answers_is_kept() {
    let mut page = Page::ready("");
    page.receive(&Frame::Durable(1));
    page.call(|engine, at, out| engine.present(at, Some("{}"), out));
    let mut beats = 0;
    for _ in 0..300 {
        for effect in page.wait(1) {
            let Effect::Send(message) = effect else { panic!("{effect:?}") };
            // The server echoes presences.
            beats += 1;
            page.receive(&decode(&message, &Limits::default()).unwrap());
        }
    }
    assert_eq!(beats, 20);
}

#[test]
fn a_socket_without_acknowledgements_is_replaced() {
    let mut page = Page::ready("");
    page.receive(&Frame::Durable(1));
    page.edit("x");
    let mut closed_after = 0;
    for second in 1..=70 {
        page.receive(&Frame::Awareness(Vec::new()));
        if page.wait(1).contains(&Effect::Close) {
            closed_after = second;
            break;
        }
    }
    assert_eq!(closed_after, 60);
}

#[test]
fn a_presence_is_announced_with_every_socket_and_not_too_often() {
    let mut page = Page::new("");
    page.call(|engine, at, out| engine.present(at, Some("{\"a\":1}"), out));
    page.call(SyncEngine::start);
    let presences = |effects: &[Effect]| -> Vec<Presence> {
        let frames = effects.iter().filter_map(|effect| match effect {
            Effect::Send(message) => match decode(message, &Limits::default()).unwrap() {
                Frame::Awareness(states) => Some(states),
                _ => None,
            },
            _ => None,
        });
        frames.flatten().collect()
    };
    let opened = page.open();
    let first = &presences(&opened)[0];
    assert_eq!((first.client, first.state.as_deref()), (7, Some("{\"a\":1}")));
    // A cursor that moves fast is announced after a moment, with its last state.
    let moved = page.call(|engine, at, out| engine.present(at, Some("{\"a\":2}"), out));
    assert_eq!(moved, []);
    page.call(|engine, at, out| engine.present(at, Some("{\"a\":3}"), out));
    let wake = page.engine.wake_at(page.now).unwrap() - page.now;
    assert_eq!(wake.as_millis(), 100);
    let later = page.wait(1);
    assert_eq!(presences(&later)[0].state.as_deref(), Some("{\"a\":3}"));
    // Somebody says that this client has left.
    page.wait(1);
    let gone = Presence { client: 7, clock: 2, state: None };
    let again = page.receive(&Frame::Awareness(vec![gone]));
    assert_eq!(presences(&again)[0].clock, 3);
    let other = Presence { client: 8, clock: 1, state: Some("{}".into()) };
    assert_eq!(page.receive(&Frame::Awareness(vec![other])), [Effect::Presence(vec![8])]);
    assert_eq!(page.engine.presences().others().count(), 1);
    let left = page.call(|engine, _, out| engine.leave(out));
    assert_eq!(presences(&left)[0].state, None);
}

#[test]
fn edits_that_are_not_saved_are_noticed() {
    let mut page = Page::ready("");
    page.edit("x");
    assert_eq!(page.engine.lateness(page.now), Lateness::None);
    for (seconds, lateness) in [(15, Lateness::Late), (15, Lateness::VeryLate)] {
        page.now += std::time::Duration::from_secs(seconds);
        assert_eq!(page.engine.lateness(page.now), lateness);
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

#[test]
fn a_network_that_is_back_only_shortens_a_wait() {
    let mut page = Page::ready("");
    assert_eq!(page.call(SyncEngine::online), [Effect::Send(Frame::QueryAwareness.encode())]);
    page.close(ABNORMAL);
    assert!(opens(&page.call(SyncEngine::online)));
    assert_eq!(page.call(SyncEngine::online), []);
}

#[test]
fn events_of_an_old_socket_are_ignored() {
    let mut page = Page::ready("");
    page.close(ABNORMAL);
    page.wait(1);
    let mut out = Vec::new();
    page.engine.opened(page.at(), 1, &page.doc, &mut out);
    page.engine.received(page.at(), 1, &[4, 9], &page.doc, &mut out);
    page.engine.closed(page.at(), 1, CloseCode::Gone.code(), &mut out);
    assert_eq!(out, []);
}
