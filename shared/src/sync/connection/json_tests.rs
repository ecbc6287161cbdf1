use super::{
    Effect, Event, Protocol,
    tests::{
        at, closes_with, connection, durable, effects, missing, pending, presence, receive_json,
        refusal, told,
    },
};
use crate::sync::CloseCode;
use serde_json::{Value, json};

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
