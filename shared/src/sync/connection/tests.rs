use super::*;
use crate::{
    crdt::TextDoc,
    sync::{
        DocumentNotice, EMPTY_UPDATE, Limits,
        yjs::{RefusedFrame, decode},
    },
};
use rstest::rstest;
use serde_json::{Value, json};

const YJS: Protocol = Protocol::Yjs { acks: true };
const PLAIN: Protocol = Protocol::Yjs { acks: false };

pub(super) const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn connection(protocol: Protocol) -> Connection {
    let options = Options {
        protocol,
        lineage: None,
        user_id: Some("user".to_owned()),
        display_name: "Ann".to_owned(),
        presence_client: 77,
        limits: Limits::default(),
    };
    Connection::new(options, at(0))
}

pub(super) fn missing() -> Missing {
    let (doc, delta) = TextDoc::from_text(1, "text");
    Missing { seq: 4, lineage: "one".to_owned(), delta, state_vector: doc.state_vector() }
}

pub(super) fn refusal(close: CloseCode, code: &str) -> Refusal {
    Refusal { close, code: code.to_owned(), message: "No.".to_owned() }
}

pub(super) const fn durable(seq: u64) -> Result<Posted, Refusal> {
    Ok(Posted { seq, pending: false })
}

pub(super) const fn pending(seq: u64) -> Result<Posted, Refusal> {
    Ok(Posted { seq, pending: true })
}

/// What a call appends.
pub(super) fn effects(call: impl FnOnce(&mut Vec<Effect>)) -> Vec<Effect> {
    let mut out = Vec::new();
    call(&mut out);
    out
}

pub(super) fn receive(connection: &mut Connection, frame: &Frame<'_>) -> Vec<Effect> {
    let message = frame.encode();
    effects(|out| connection.received(at(1), Incoming::Binary(&message), Ok(()), out))
}

pub(super) fn receive_json(connection: &mut Connection, message: &Value) -> Vec<Effect> {
    let message = message.to_string();
    effects(|out| connection.received(at(1), Incoming::Text(&message), Ok(()), out))
}

pub(super) fn sent(frame: &Frame<'_>) -> Effect {
    Effect::Send(Outgoing::Binary(frame.encode()))
}

pub(super) fn told(effects: &[Effect]) -> Vec<Value> {
    let texts = effects.iter().map(|effect| match effect {
        Effect::Send(Outgoing::Text(text)) => serde_json::from_str(text).unwrap(),
        other => json!(format!("{other:?}")),
    });
    texts.collect()
}

pub(super) fn closes_with(effects: &[Effect]) -> Option<CloseCode> {
    match effects.last() {
        Some(Effect::Close { code, .. }) => Some(*code),
        _ => None,
    }
}

#[test]
fn a_yjs_client_gets_step_1_and_2_from_one_question() {
    let mut connection = connection(YJS);
    let vector = TextDoc::new(2).state_vector();
    let asked = receive(&mut connection, &Frame::Step1(&vector));
    assert_eq!(asked, [Effect::Missing(vector.clone())]);
    // Another question waits for the answer.
    assert_eq!(receive(&mut connection, &Frame::Step1(&vector)), []);
    let missing = missing();
    let (vector_1, delta) = (missing.state_vector.clone(), missing.delta.clone());
    let answered = effects(|out| connection.missing(Ok(missing.clone()), out));
    let expected = [sent(&Frame::Step1(&vector_1)), sent(&Frame::Step2(&delta))];
    assert_eq!(answered[..2], expected);
    assert_eq!(answered[2], Effect::Missing(vector));
    let again = effects(|out| connection.missing(Ok(missing), out));
    assert_eq!(again, [sent(&Frame::Step2(&delta))]);
}

#[test]
fn acknowledges_the_durable_updates_from_the_first() {
    let mut connection = connection(YJS);
    for update in [&[1][..], &[2], &[3], &[4]] {
        let posted = receive(&mut connection, &Frame::Update(update));
        assert!(matches!(&posted[..], [Effect::Post(post)] if post.delta == update));
    }
    assert_eq!(effects(|out| connection.posted(2, durable(8), out)), []);
    let first = effects(|out| connection.posted(1, durable(7), out));
    assert_eq!(first, [sent(&Frame::Durable(2))]);
    // Of several answers at once, one count is sent.
    let more = effects(|out| {
        connection.posted(3, durable(9), out);
        connection.posted(4, durable(10), out);
    });
    assert_eq!(more, [sent(&Frame::Durable(4))]);
}

#[test]
fn a_pending_update_holds_back_those_after_it() {
    let mut connection = connection(YJS);
    receive(&mut connection, &Frame::Update(&[1]));
    receive(&mut connection, &Frame::Update(&[2]));
    assert_eq!(effects(|out| connection.posted(1, pending(7), out)), []);
    assert_eq!(effects(|out| connection.posted(2, durable(8), out)), []);
    let later = effects(|out| connection.posted(1, durable(7), out));
    assert_eq!(later, [sent(&Frame::Durable(2))]);
}

#[test]
fn an_empty_step_2_is_durable_without_a_post() {
    let mut with_acks = connection(YJS);
    let effects = receive(&mut with_acks, &Frame::Step2(EMPTY_UPDATE));
    assert_eq!(effects, [sent(&Frame::Durable(1))]);
    assert_eq!(receive(&mut connection(PLAIN), &Frame::Step2(EMPTY_UPDATE)), []);
}

#[test]
fn a_long_absence_is_posted_in_parts_and_acknowledged_as_one() {
    let mut connection = connection(YJS);
    connection.options.limits.update = 1_000;
    receive(&mut connection, &Frame::Update(&[1]));
    let (doc, update) = TextDoc::from_text(3, &"long ".repeat(1_000));
    let mut copy = TextDoc::new(4);
    let posts = receive(&mut connection, &Frame::Step2(&update));
    assert!(posts.len() > 5);
    for effect in &posts {
        let Effect::Post(post) = effect else { panic!("{effect:?}") };
        assert!(post.delta.len() <= 1_000);
        copy.apply(&post.delta).unwrap();
    }
    assert_eq!(copy.text(), doc.text());
    let last = posts.len() as u64 + 1;
    let mut answer = |number| effects(|out| connection.posted(number, durable(1), out));
    let answers: Vec<_> = (1..last).flat_map(&mut answer).collect();
    assert_eq!(answers, [sent(&Frame::Durable(1))]);
    assert_eq!(answer(last), [sent(&Frame::Durable(2))]);
}

#[test]
fn a_refused_update_is_named_before_the_connection_closes() {
    let mut connection = connection(YJS);
    receive(&mut connection, &Frame::Update(&[1]));
    receive(&mut connection, &Frame::Update(&[2]));
    let answer = Err(refusal(CloseCode::BadFrame, "bad_update"));
    assert_eq!(effects(|out| connection.posted(2, answer, out)), []);
    let closing = effects(|out| connection.posted(1, durable(7), out));
    // What is durable is acknowledged first, so that it is not sent again.
    assert_eq!(closing[0], sent(&Frame::Durable(1)));
    let Effect::Send(Outgoing::Binary(message)) = &closing[1] else { panic!("{closing:?}") };
    let Ok(Frame::Refused(json)) = decode(message, &Limits::default()) else { panic!() };
    let refused: RefusedFrame = serde_json::from_str(json).unwrap();
    assert_eq!((refused.frame, refused.code.as_str()), (2, "bad_update"));
    assert_eq!(closes_with(&closing), Some(CloseCode::BadFrame));
    assert!(connection.is_closed() && !connection.wants_messages());
    assert_eq!(receive(&mut connection, &Frame::Update(&[3])), []);
}

#[test]
fn a_plain_client_is_told_by_the_close_code_alone() {
    let mut connection = connection(PLAIN);
    receive(&mut connection, &Frame::Update(&[1]));
    let answer = Err(refusal(CloseCode::TryLater, "unavailable"));
    let closing = effects(|out| connection.posted(1, answer, out));
    assert_eq!((closing.len(), closes_with(&closing)), (1, Some(CloseCode::TryLater)));
}

#[rstest]
#[case::an_update(YJS, Frame::Update(&[1, 2]), Some(CloseCode::Forbidden))]
#[case::an_update_of_a_plain_client(PLAIN, Frame::Update(&[1, 2]), Some(CloseCode::Forbidden))]
#[case::edits_that_were_made_offline(YJS, Frame::Step2(&[1, 2]), Some(CloseCode::Forbidden))]
#[case::what_a_plain_client_repeats(PLAIN, Frame::Step2(&[1, 2]), None)]
#[case::nothing(YJS, Frame::Step2(EMPTY_UPDATE), None)]
fn a_reader_may_not_change_the_text(
    #[case] protocol: Protocol,
    #[case] frame: Frame<'_>,
    #[case] closes: Option<CloseCode>,
) {
    let mut connection = connection(protocol);
    let message = frame.encode();
    let effects = effects(|out| {
        connection.received(
            at(1),
            Incoming::Binary(&message),
            Err(refusal(CloseCode::Forbidden, "forbidden")),
            out,
        );
    });
    assert_eq!(closes_with(&effects), closes);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Post(_))));
}

#[rstest]
#[case::a_type_of_the_server(&[4, 1], CloseCode::BadFrame)]
#[case::an_unknown_type(&[9], CloseCode::BadFrame)]
#[case::nothing(&[], CloseCode::BadFrame)]
fn a_bad_frame_closes_its_connection(#[case] message: &[u8], #[case] code: CloseCode) {
    let mut connection = connection(YJS);
    let closing = effects(|out| connection.received(at(1), Incoming::Binary(message), Ok(()), out));
    assert_eq!(closes_with(&closing), Some(code));
}

#[test]
fn another_lineage_is_closed_before_anything_is_sent() {
    let mut connection = connection(YJS);
    connection.options.lineage = Some("two".to_owned());
    receive(&mut connection, &Frame::Step1(&[0]));
    let closing = effects(|out| connection.missing(Ok(missing()), out));
    assert_eq!((closing.len(), closes_with(&closing)), (1, Some(CloseCode::Resync)));
}

#[test]
fn a_flood_is_closed() {
    let mut connection = connection(YJS);
    connection.options.limits.message_burst = 10;
    let mut many = Connection::new(connection.options, at(0));
    for _ in 0..10 {
        assert_eq!(closes_with(&receive(&mut many, &Frame::QueryAwareness)), None);
    }
    let closing = receive(&mut many, &Frame::QueryAwareness);
    assert_eq!(closes_with(&closing), Some(CloseCode::RateLimited));
}

#[test]
fn a_silent_connection_is_pinged_and_then_closed() {
    let mut connection = connection(YJS);
    assert_eq!(connection.wake_at(), at(30));
    assert_eq!(effects(|out| connection.tick(at(30), out)), [Effect::Ping]);
    connection.heard(at(31));
    assert_eq!(effects(|out| connection.tick(at(31), out)), []);
    assert_eq!(effects(|out| connection.tick(at(150), out)), [Effect::Ping]);
    let closing = effects(|out| connection.tick(at(151), out));
    assert_eq!(closes_with(&closing), Some(CloseCode::GoingAway));
}

#[test]
fn messages_wait_while_the_room_does_not_answer() {
    let mut connection = connection(YJS);
    for _ in 0..MOST_UNANSWERED {
        assert!(connection.wants_messages());
        receive(&mut connection, &Frame::Update(&[1]));
    }
    assert!(!connection.wants_messages());
    connection.posted(1, durable(1), &mut Vec::new());
    assert!(connection.wants_messages());
}

pub(super) fn presence(client: u64, clock: u32, state: Option<&str>) -> Presence {
    Presence { client, clock, state: state.map(Into::into) }
}

#[test]
fn what_a_plain_client_repeats_of_others_is_dropped() {
    let mut connection = connection(PLAIN);
    let other = presence(5, 3, Some("{}"));
    let told = effects(|out| connection.event(at(1), Event::Presence(&other), out));
    assert_eq!(told, [sent(&Frame::Awareness(vec![other.clone()]))]);
    let own = presence(6, 1, Some("{}"));
    let frame = Frame::Awareness(vec![own.clone(), other.clone(), presence(5, 3, None)]);
    assert_eq!(receive(&mut connection, &frame), [Effect::Present(own)]);
    let asked = receive(&mut connection, &Frame::QueryAwareness);
    assert_eq!(asked, [sent(&Frame::Awareness(vec![other]))]);
    let left = presence(6, 2, None);
    let leaving = receive(&mut connection, &Frame::Awareness(vec![left.clone()]));
    assert_eq!(leaving, [Effect::Present(left)]);
}

#[test]
fn one_connection_presents_few_clients() {
    let many = (0..100).map(|client| presence(client, 1, Some("{}"))).collect();
    let presented = receive(&mut connection(YJS), &Frame::Awareness(many));
    assert_eq!(presented.len(), MOST_PRESENTED);
}

fn notice() -> DocumentNotice {
    DocumentNotice {
        title: "Title".to_owned(),
        head_version: 3,
        is_public: false,
        published_version: None,
        deleted_at: None,
        standing: crate::permission::Standing::Editor,
        lineage: None,
        change: None,
    }
}

#[test]
fn a_plain_client_gets_no_notices() {
    let tell = |protocol| {
        let mut connection = connection(protocol);
        effects(|out| connection.event(at(1), Event::Document(&notice()), out))
    };
    assert_eq!(tell(PLAIN), []);
    let json = serde_json::to_string(&notice()).unwrap();
    assert_eq!(tell(YJS), [sent(&Frame::Document(&json))]);
    let expected = json!({
        "type": "document", "title": "Title", "headVersion": 3, "isPublic": false,
        "publishedVersion": null, "deletedAt": null, "standing": "editor",
    });
    assert_eq!(told(&tell(Protocol::Json)), [expected]);
}
