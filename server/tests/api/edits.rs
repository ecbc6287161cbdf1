use crate::support::TestApp;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use izanagi_shared::crdt::{Change, TextDoc};
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
    ] {
        ada.get(&format!("{path}/edits{query}")).await.refused_field(field, code);
    }
}
