use super::*;
use crate::{
    crdt::TextDoc,
    sync::{
        EMPTY_UPDATE,
        yjs::{RefusedFrame, decode},
    },
};
use rstest::rstest;
use serde_json::{Value, json};

const YJS: Protocol = Protocol::Yjs { acks: true };
const PLAIN: Protocol = Protocol::Yjs { acks: false };

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn connection(protocol: Protocol) -> Connection {
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

fn missing() -> Missing {
    let (doc, delta) = TextDoc::from_text(1, "text");
    Missing { seq: 4, lineage: "one".to_owned(), delta, state_vector: doc.state_vector() }
}

fn refusal(close: CloseCode, code: &str) -> Refusal {
    Refusal { close, code: code.to_owned(), message: "No.".to_owned() }
}

const fn durable(seq: u64) -> Result<Posted, Refusal> {
    Ok(Posted { seq, pending: false })
}

const fn pending(seq: u64) -> Result<Posted, Refusal> {
    Ok(Posted { seq, pending: true })
}

/// What a call appends.
fn effects(call: impl FnOnce(&mut Vec<Effect>)) -> Vec<Effect> {
    let mut out = Vec::new();
    call(&mut out);
    out
}

fn receive(connection: &mut Connection, frame: &Frame<'_>) -> Vec<Effect> {
    let message = frame.encode();
    effects(|out| connection.received(at(1), Incoming::Binary(&message), true, out))
}

fn receive_json(connection: &mut Connection, message: &Value) -> Vec<Effect> {
    let message = message.to_string();
    effects(|out| connection.received(at(1), Incoming::Text(&message), true, out))
}

fn sent(frame: &Frame<'_>) -> Effect {
    Effect::Send(Outgoing::Binary(frame.encode()))
}

fn told(effects: &[Effect]) -> Vec<Value> {
    let texts = effects.iter().map(|effect| match effect {
        Effect::Send(Outgoing::Text(text)) => serde_json::from_str(text).unwrap(),
        other => json!(format!("{other:?}")),
    });
    texts.collect()
}

fn closes_with(effects: &[Effect]) -> Option<CloseCode> {
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
    let effects = effects(|out| connection.received(at(1), Incoming::Binary(&message), false, out));
    assert_eq!(closes_with(&effects), closes);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Post(_))));
}

#[rstest]
#[case::a_type_of_the_server(&[4, 1], CloseCode::BadFrame)]
#[case::an_unknown_type(&[9], CloseCode::BadFrame)]
#[case::nothing(&[], CloseCode::BadFrame)]
fn a_bad_frame_closes_its_connection(#[case] message: &[u8], #[case] code: CloseCode) {
    let mut connection = connection(YJS);
    let closing = effects(|out| connection.received(at(1), Incoming::Binary(message), true, out));
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

fn presence(client: u64, clock: u32, state: Option<&str>) -> Presence {
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

#[test]
fn a_json_client_gets_the_document_first() {
    let mut connection = connection(Protocol::Json);
    assert_eq!(effects(|out| connection.start(out)), [Effect::Missing(vec![0])]);
    assert!(!connection.wants_events());
    let state = effects(|out| connection.missing(Ok(missing()), out));
    let state = &told(&state)[0];
    assert_eq!((&state["type"], &state["version"]), (&json!("state"), &json!(4)));
    assert_eq!(state["lineage"], "one");
    assert!(connection.wants_events());
    let join = json!({"type": "join", "stateVectorB64": "AA=="});
    assert_eq!(receive_json(&mut connection, &join), [Effect::Missing(vec![0])]);
    let other = json!({"type": "join", "lineage": "two"});
    let closing = receive_json(&mut connection, &other);
    assert_eq!(closes_with(&closing), Some(CloseCode::Resync));
}

#[test]
fn a_json_client_gets_an_answer_for_each_update_in_order() {
    let mut connection = connection(Protocol::Json);
    for id in ["a", "b", "c"] {
        let update = json!({"type": "update", "opId": id, "deltaB64": "AQID"});
        let posted = receive_json(&mut connection, &update);
        assert!(matches!(&posted[..], [Effect::Post(post)] if post.op_id.as_deref() == Some(id)));
    }
    let answer = Err(refusal(CloseCode::TryLater, "overloaded"));
    assert_eq!(effects(|out| connection.posted(2, answer, out)), []);
    let answers = told(&effects(|out| connection.posted(1, pending(7), out)));
    let waits = json!({"type": "ack", "opId": "a", "seq": 7, "pending": true});
    let error = json!({"type": "error", "code": "unavailable", "message": "No.", "opId": "b"});
    assert_eq!(answers, [waits, error]);
    let acked = told(&effects(|out| connection.posted(1, durable(7), out)));
    assert_eq!(acked, [json!({"type": "ack", "opId": "a", "seq": 7})]);
    assert!(!connection.is_closed());
    // A second final answer tells nothing.
    assert_eq!(effects(|out| connection.posted(1, durable(7), out)), []);
}

#[test]
fn a_bad_message_is_answered_before_the_connection_closes() {
    let mut connection = connection(Protocol::Json);
    let update = json!({"type": "update", "opId": "a", "deltaB64": "?"});
    let closing = receive_json(&mut connection, &update);
    let error = &told(&closing)[0];
    assert_eq!((&error["code"], &error["opId"]), (&json!("bad_message"), &json!("a")));
    assert_eq!(closes_with(&closing), Some(CloseCode::BadFrame));
}

#[test]
fn a_cursor_of_a_json_client_is_renewed_until_it_leaves() {
    let mut connection = connection(Protocol::Json);
    let cursor = json!({"type": "presence", "cursor": {"from": 1, "to": 2}, "color": "#123456"});
    let early = told(&receive_json(&mut connection, &cursor));
    assert_eq!(early[0]["code"], "bad_message");
    receive_json(&mut connection, &json!({"type": "join", "displayName": "Bea"}));
    let presented = receive_json(&mut connection, &cursor);
    let [Effect::Present(presence)] = &presented[..] else { panic!("{presented:?}") };
    assert_eq!((presence.client, presence.clock), (77, 1));
    let state: Value = serde_json::from_str(presence.state.as_deref().unwrap()).unwrap();
    assert_eq!(state["user"], json!({"name": "Bea", "color": "#123456", "id": "user"}));
    assert_eq!(state["cursor"], json!({"from": 1, "to": 2}));
    let renewed = effects(|out| connection.tick(at(16), out));
    assert!(matches!(&renewed[..], [Effect::Present(presence)] if presence.clock == 2));
    let left = receive_json(&mut connection, &json!({"type": "presence", "cursor": null}));
    assert!(matches!(&left[..], [Effect::Present(presence)] if presence.state.is_none()));
    assert_eq!(effects(|out| connection.tick(at(29), out)), []);
}

#[test]
fn a_json_client_sees_cursors_until_they_leave_or_fall_silent() {
    let mut connection = connection(Protocol::Json);
    let state = json!({"user": {"name": "Cy", "color": "red"}, "cursor": {"from": 1, "to": 1}});
    let here = presence(5, 1, Some(&state.to_string()));
    let seen = told(&effects(|out| connection.event(at(0), Event::Presence(&here), out)));
    let expected = json!({
        "type": "presence", "clientId": 5, "userId": null, "displayName": "Cy",
        "cursor": {"from": 1, "to": 1}, "color": "red",
    });
    assert_eq!(seen, [expected]);
    let gone = told(&effects(|out| connection.tick(at(30), out)));
    assert_eq!((&gone[1]["clientId"], &gone[1]["cursor"]), (&json!(5), &json!(null)));
    // Without a cursor there is nothing to show.
    let present = presence(6, 1, Some("{\"user\":{\"name\":\"Di\"}}"));
    assert_eq!(effects(|out| connection.event(at(31), Event::Presence(&present), out)), []);
}
