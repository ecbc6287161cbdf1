use super::{
    Effect, Failure, SignIn, Stop, SyncEngine,
    testing::{ABNORMAL, Page, acknowledged, opens, updates},
};
use crate::{
    crdt::{TextDoc, inspect_update},
    save_state::SaveState,
    sync::{
        CloseCode, EMPTY_UPDATE, Limits, Presence,
        yjs::{Frame, decode},
    },
};
use rstest::rstest;

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
    let delay = |page: &mut Page| {
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
fn what_http_acknowledged_during_a_handshake_is_not_sent_again() {
    let mut page = Page::new("text");
    let server = TextDoc::load(9, &page.doc.encode()).unwrap();
    page.edit("one ");
    page.call(SyncEngine::start);
    page.open();
    // The server's state vector is on its way.
    page.engine.http_batch(|| "op".to_owned()).unwrap();
    page.call(|engine, _, out| engine.http_acknowledged(out));
    let sent = updates(&page.receive(&Frame::Step1(&server.state_vector())));
    assert_eq!(sent, [EMPTY_UPDATE]);
}

#[test]
fn a_socket_is_tried_as_soon_as_http_works_again() {
    let mut page = Page::new("");
    page.call(SyncEngine::start);
    for _ in 0..3 {
        page.close(ABNORMAL);
        page.wait(2);
    }
    page.call(|engine, at, out| engine.http_failed(at, Failure::Lost, out));
    assert!(matches!(page.engine.save_state(), SaveState::Offline { .. }));
    assert!(opens(&page.call(SyncEngine::http_answered)));
    assert_eq!(page.call(SyncEngine::http_answered), []);
    assert_eq!(page.engine.save_state(), SaveState::Saved);
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
fn a_long_message_gets_more_time_after_a_socket_was_given_up() {
    let mut page = Page::ready("");
    page.receive(&Frame::Durable(1));
    let given_up_after = |page: &mut Page| (1..).find(|_| page.wait(1).contains(&Effect::Close));
    assert_eq!(given_up_after(&mut page), Some(35));
    page.wait(1);
    page.come_up();
    page.receive(&Frame::Durable(1));
    assert_eq!(given_up_after(&mut page), Some(55));
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
    // The server says that this client has left.
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

#[test]
fn a_page_that_was_frozen_replaces_its_socket_at_once() {
    let mut page = Page::ready("");
    page.edit("x");
    let effects = page.call(SyncEngine::thawed);
    assert_eq!(effects.first(), Some(&Effect::Close));
    assert!(opens(&effects));
    // What was on its way is sent again.
    let (_, empty) = TextDoc::from_text(1, "");
    assert_eq!(updates(&page.come_up_with(&TextDoc::load(2, &empty).unwrap())).len(), 1);
    assert_eq!(acknowledged(&page.receive(&Frame::Durable(1))), ["edit-1"]);
    assert_eq!(page.engine.save_state(), SaveState::Saved);
}

#[test]
fn a_page_that_was_frozen_while_it_waited_does_not_wait_longer() {
    let mut page = Page::ready("");
    page.close(ABNORMAL);
    assert!(opens(&page.call(SyncEngine::thawed)));
    page.close(CloseCode::Forbidden.code());
    assert_eq!(page.call(SyncEngine::thawed), []);
}

#[test]
fn nothing_is_sent_once_the_user_has_signed_out_elsewhere() {
    let mut page = Page::ready("");
    page.edit("x");
    let effects = page.call(|engine, _, out| engine.signed_out(out));
    assert_eq!(effects, [Effect::Close, Effect::Stopped(Stop::SignedOut)]);
    assert_eq!(page.edit("y"), []);
    assert_eq!(page.wait(100), []);
    assert_eq!(page.engine.unsaved_ids().collect::<Vec<_>>(), ["edit-1", "edit-2"]);
    assert!(opens(&page.call(SyncEngine::retry)));
}

#[test]
fn the_browser_may_be_wrong_that_there_is_no_network() {
    let mut page = Page::ready("");
    page.edit("x");
    let asked = page.call(SyncEngine::offline);
    assert_eq!(asked, [Effect::Send(Frame::QueryAwareness.encode())]);
    assert!(matches!(page.engine.save_state(), SaveState::Offline { waiting: 1, .. }));
    page.wait(4);
    page.receive(&Frame::Awareness(Vec::new()));
    assert_eq!(page.engine.save_state(), SaveState::Saving);
    assert!(!page.wait(10).contains(&Effect::Close));
}

#[test]
fn a_socket_that_does_not_answer_without_a_network_is_given_up_soon() {
    let mut page = Page::ready("");
    page.call(SyncEngine::offline);
    assert_eq!((1..).find(|_| page.wait(1).contains(&Effect::Close)), Some(5));
    assert!(matches!(page.engine.save_state(), SaveState::Offline { .. }));
    assert!(opens(&page.call(SyncEngine::online)));
}

#[test]
fn a_damaged_document_is_tried_again_until_it_is_repaired() {
    let mut page = Page::ready("");
    page.edit("x");
    page.close(CloseCode::TryLater.code());
    for seconds in [1, 30, 30] {
        assert!(!opens(&page.wait(seconds - 1)) && opens(&page.wait(1)));
        page.open();
        let refused = page.refuse(0, "corrupt_document");
        assert_eq!(refused, [Effect::Stopped(Stop::damaged("No.".to_owned()))]);
        assert!(matches!(page.engine.save_state(), SaveState::Refused { .. }));
    }
    assert!(opens(&page.wait(30)));
    let effects = page.come_up();
    assert!(effects.contains(&Effect::Repaired));
    assert_eq!(updates(&effects).len(), 1);
    assert_eq!(page.engine.save_state(), SaveState::Saving);
}

#[test]
fn http_finds_that_a_damaged_document_is_repaired() {
    let mut page = Page::new("");
    page.edit("x");
    assert!(page.engine.http_batch(|| "op".to_owned()).is_some());
    let damage = || Stop::damaged("No.".to_owned());
    let stopped = page.call(|engine, at, out| {
        engine.http_failed(at, Failure::Stopped(damage()), out);
    });
    assert_eq!(stopped, [Effect::Stopped(damage())]);
    assert_eq!(page.engine.http_batch(|| "op".to_owned()), None);
    assert!(page.call(SyncEngine::http_answered).contains(&Effect::Repaired));
    assert!(page.engine.http_batch(|| "op".to_owned()).is_some());
}
