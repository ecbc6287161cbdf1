use crate::support::TestApp;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use izanagi_shared::{
    crdt::{Change, TextDoc},
    replay::Replay,
    wire::ReplayView,
};
use serde_json::{Value, json};

fn bytes(text: &Value) -> Vec<u8> {
    STANDARD.decode(text.as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn edits_replay_to_the_text() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("").await;
    let mut here = TextDoc::new(11);
    for (seq, letter) in (1..=5).zip(["a", "b", "c", "d", "e"]) {
        let delta = here.edit(&[Change { from: 0, to: 0, insert: letter.to_owned() }]);
        let op = json!({ "opId": letter, "deltaB64": STANDARD.encode(delta) });
        assert_eq!(ada.post(&format!("{path}/ops"), &op).await.json()["seq"], seq);
    }
    let start = ada.get(&format!("{path}/edits/checkpoint?seq=0")).await.json();
    assert_eq!(start["seq"], 0);
    let mut replayed = TextDoc::load(12, &bytes(&start["stateB64"])).unwrap();
    let mut from = 1;
    let mut seqs = Vec::new();
    loop {
        let page = ada.get(&format!("{path}/edits?from={from}&limit=2")).await.json();
        for edit in page["items"].as_array().unwrap() {
            assert_eq!(edit["author"]["username"], "ada");
            assert!(edit["at"].is_string());
            replayed.apply(&bytes(&edit["deltaB64"])).unwrap();
            seqs.push(edit["seq"].as_u64().unwrap());
        }
        let Some(next) = page["next"].as_u64() else { break };
        from = next;
    }
    assert_eq!((seqs, replayed.text().as_str()), (vec![1, 2, 3, 4, 5], "edcba"));
    let third = ada.get(&format!("{path}/edits/checkpoint?seq=3")).await.json();
    assert_eq!(TextDoc::load(13, &bytes(&third["stateB64"])).unwrap().text(), "cba");
    let sessions = ada.get(&format!("{path}/edits/sessions")).await.json();
    assert_eq!(sessions.as_array().unwrap().len(), 1);
    let session = &sessions[0];
    assert_eq!((&session["fromSeq"], &session["toSeq"]), (&json!(1), &json!(5)));
    assert_eq!((&session["added"], &session["removed"]), (&json!(5), &json!(0)));
    assert_eq!(session["authors"][0]["username"], "ada");
}

#[tokio::test]
async fn text_that_arrives_deleted_is_not_counted() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("twelve chars").await;
    // A Yjs update by client 7: one item in the text `content`, of 2,000,000,000 deleted units.
    let mut claim = vec![1, 1, 7, 0, 1, 1, 7];
    claim.extend(b"content");
    claim.extend([0x80, 0xa8, 0xd6, 0xb9, 0x07, 0]);
    let again = vec![0, 1, 7, 1, 0, 0x80, 0xa8, 0xd6, 0xb9, 0x07];
    for (op, delta) in [("a", claim), ("b", again)] {
        let op = json!({ "opId": op, "deltaB64": STANDARD.encode(delta) });
        let answer = ada.post(&format!("{path}/ops"), &op).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let sessions = ada.get(&format!("{path}/edits/sessions")).await.json();
    assert_eq!((&sessions[0]["added"], &sessions[0]["removed"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_replay_has_the_text_after_every_edit() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("one\n").await;
    for text in ["one\ntwo 😀\n", "two 😀\n"] {
        ada.write(&path, text).await;
    }
    let answer = ada.get(&format!("{path}/edits/replay")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let view: ReplayView = serde_json::from_value(answer.json()).unwrap();
    assert_eq!((view.first_seq, view.live_seq, view.after_seq, view.next), (1, 2, 0, None));
    let replay = Replay::new(view).unwrap();
    for (position, text) in ["one\n", "one\ntwo 😀\n", "two 😀\n"].into_iter().enumerate() {
        assert_eq!(replay.text_at(position), text);
        let raw = ada.get(&format!("{path}/edits/text?seq={position}")).await;
        assert_eq!((raw.status.as_u16(), raw.text().as_str()), (200, text));
    }
    assert_eq!(replay.people[replay.author(1).unwrap()].username, "ada");
    let part = ada.get(&format!("{path}/edits/replay?from=2&limit=1")).await.json();
    assert_eq!((&part["afterSeq"], &part["next"]), (&json!(1), &Value::Null));
    let part = ada.get(&format!("{path}/edits/replay?limit=1")).await.json();
    assert_eq!(part["next"], 2);
}

#[tokio::test]
async fn the_text_after_an_edit_is_restored_once() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("one\n").await;
    ada.write(&path, "two\n").await;
    let key = [("Idempotency-Key", "a")];
    let restore = format!("{path}/edits/restore");
    for _ in 0..2 {
        let answer = ada.json("POST", &restore, &key, &json!({ "seq": 0 })).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["number"]), (201, &json!(2)));
    }
    assert_eq!(ada.get(&format!("{path}/content")).await.text(), "one\n");
    let other = ada.json("POST", &restore, &key, &json!({ "seq": 1 })).await;
    assert_eq!(
        (other.status.as_u16(), &other.json()["code"]),
        (422, &json!("idempotency_mismatch"))
    );
    let same = ada.post(&restore, &json!({ "seq": 0 })).await;
    assert_eq!((same.status.as_u16(), &same.json()["code"]), (409, &json!("nothing_to_commit")));
    ada.post(&restore, &json!({ "seq": 99 })).await.refused_field("seq", "out_of_range");
    ada.post(&restore, &json!({})).await.refused_field("seq", "required");
    ada.post(&restore, &json!({ "seq": 0, "text": "" })).await.refused_field("text", "invalid");
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("").await;
    for (query, field, code) in [
        ("?from=x", "from", "invalid"),
        ("?to=-1", "to", "invalid"),
        ("?limit=0", "limit", "out_of_range"),
        ("?limit=1001", "limit", "out_of_range"),
        ("/checkpoint", "seq", "required"),
        ("/checkpoint?seq=1", "seq", "out_of_range"),
        ("/sessions?from=1.5", "from", "invalid"),
        ("/replay?limit=131073", "limit", "out_of_range"),
        ("/replay?from=x", "from", "invalid"),
        ("/text", "seq", "required"),
        ("/text?seq=1", "seq", "out_of_range"),
    ] {
        ada.get(&format!("{path}/edits{query}")).await.refused_field(field, code);
    }
}
