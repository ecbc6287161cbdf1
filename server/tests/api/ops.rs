use crate::support::TestApp;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use izanagi_shared::crdt::{Change, TextDoc};
use serde_json::json;

fn op(id: &str, delta: &[u8]) -> serde_json::Value {
    json!({ "opId": id, "deltaB64": STANDARD.encode(delta) })
}

#[tokio::test]
async fn acknowledged_updates_can_be_fetched() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("").await;
    let mut here = TextDoc::new(11);
    let insert = Change { from: 0, to: 0, insert: "typed 🦀".to_owned() };
    let delta = here.edit(&[insert]);
    let answer = ada.post(&format!("{path}/ops"), &op("1", &delta)).await;
    assert_eq!((answer.status.as_u16(), answer.json()["seq"].as_u64()), (200, Some(1)));
    assert_eq!(ada.post(&format!("{path}/ops"), &op("1", &delta)).await.json()["seq"], 1);
    assert_eq!(ada.get(&path).await.json()["content"], "typed 🦀");
    let updates = ada.get(&format!("{path}/updates?since=0")).await.json();
    assert_eq!(updates["seq"], 1);
    let mut there = TextDoc::new(12);
    there.apply(&STANDARD.decode(updates["deltaB64"].as_str().unwrap()).unwrap()).unwrap();
    assert_eq!(there.text(), "typed 🦀");
    assert_eq!(ada.get(&format!("{path}/updates?since=1")).await.status, 204);
}

#[tokio::test]
async fn applies_an_early_update_in_its_turn() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("").await;
    let mut here = TextDoc::new(11);
    let insert = |at, text: &str| [Change { from: at, to: at, insert: text.to_owned() }];
    let first = here.edit(&insert(0, "one"));
    // Inserting at the start makes the update depend only on the same client's earlier edit.
    let second = here.edit(&insert(0, "two "));
    let ops = format!("{path}/ops");
    for _ in 0..2 {
        let waits = ada.post(&ops, &op("2", &second)).await;
        assert_eq!(
            (waits.status.as_u16(), waits.json()),
            (200, json!({ "seq": 1, "pending": true }))
        );
    }
    assert_eq!(ada.get(&path).await.json()["content"], "");
    assert_eq!(ada.post(&ops, &op("1", &first)).await.json(), json!({ "seq": 2 }));
    assert_eq!(ada.get(&path).await.json()["content"], "two one");
    assert_eq!(ada.post(&ops, &op("2", &second)).await.json(), json!({ "seq": 1 }));
}

#[tokio::test]
async fn updates_that_never_complete_leave_room_for_others() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.sign_up("ada").await, app.sign_up("bob").await);
    let path = ada.create("").await;
    let owner = format!("{path}/owners/{}", bob.user);
    assert!(ada.json("PUT", &owner, &[], &json!({})).await.status.is_success());
    let ops = format!("{path}/ops");
    let long = "x".repeat(1_000_000);
    let insert = |text: &str| [Change { from: 0, to: 0, insert: text.to_owned() }];
    let mut statuses = Vec::new();
    for number in 0..12 {
        let mut lost = TextDoc::new(100 + number);
        lost.edit(&insert("first"));
        let second = lost.edit(&insert(&long));
        statuses.push(bob.post(&ops, &op(&number.to_string(), &second)).await);
    }
    let waiting = statuses.iter().filter(|answer| answer.status == 200).count();
    assert!((1..12).contains(&waiting), "{waiting}");
    statuses.last().unwrap().refused(422, "bad_update");
    let mut here = TextDoc::new(11);
    let whole = ada.post(&ops, &op("whole", &here.edit(&insert(&long)))).await.json();
    assert_eq!(whole, json!({ "seq": waiting + 1 }));
    assert_eq!(ada.get(&path).await.json()["contentLength"], 1_000_000);
}

#[tokio::test]
async fn an_invalid_update_is_a_bad_update() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = format!("{}/ops", ada.create("kept").await);
    ada.post(&path, &op("1", &[255; 9])).await.refused(422, "bad_update");
    ada.post(&path, &json!({ "opId": "1", "deltaB64": "%%%" }))
        .await
        .refused_field("deltaB64", "invalid");
    ada.post(&path, &op("", &[0, 0])).await.refused_field("opId", "invalid");
    ada.post(&path, &op(&"x".repeat(65), &[0, 0])).await.refused_field("opId", "invalid");
    let (_, with_null) = TextDoc::from_text(11, "a\0");
    ada.post(&path, &op("1", &with_null)).await.refused(422, "bad_update");
    let beside_itself = [1, 1, 100, 0, 0x84, 100, 0, 1, b'A', 0];
    ada.post(&path, &op("1", &beside_itself)).await.refused(422, "bad_update");
    let (_, huge) = TextDoc::from_text(11, &"x".repeat(1024 * 1024 + 1));
    ada.post(&path, &op("1", &huge)).await.refused(413, "too_large");
}

#[tokio::test]
async fn a_client_that_polls_notices_new_details() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("text").await;
    let seq = ada.get(&path).await.json()["liveSeq"].as_u64().unwrap();
    let revision = async || {
        let answer = ada.get(&format!("{path}/updates?since={seq}")).await;
        assert_eq!(answer.status, 204);
        let whole = ada.get(&format!("{path}/updates")).await;
        assert_eq!(whole.header("metadata-revision"), answer.header("metadata-revision"));
        answer.header("metadata-revision").parse::<u64>().unwrap()
    };
    let first = revision().await;
    assert_eq!(revision().await, first);
    ada.patch(&path, &json!({ "title": "New" })).await;
    let second = revision().await;
    assert!(second > first);
    let id = path.rsplit('/').next().unwrap();
    let details = ada.get(&format!("/fn/documents/details?id={id}")).await.json();
    assert_eq!(details["document"]["title"], "New");
    assert!(details["document"]["deletedAt"].is_null());
    ada.delete(&path).await;
    assert!(revision().await > second);
}

#[tokio::test]
async fn a_replica_of_another_lineage_is_refused() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("text").await;
    let lineage = ada.get(&format!("{path}/updates")).await.json()["lineage"].clone();
    let lineage = lineage.as_str().unwrap();
    let updates = async |lineage: &str| {
        let answer = ada.get(&format!("{path}/updates?since=0&lineage={lineage}")).await;
        (answer.status.as_u16(), answer)
    };
    assert_eq!(updates(lineage).await.0, 204);
    let other = "0".repeat(32);
    let (status, answer) = updates(&other).await;
    assert_eq!((status, &answer.json()["code"]), (409, &json!("lineage_changed")));
    let op = json!({ "opId": "a", "deltaB64": "AAA=", "lineage": other });
    let answer = ada.post(&format!("{path}/ops"), &op).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (409, &json!("lineage_changed")));
}

#[tokio::test]
async fn lost_words_are_added_once() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("Intro. Bob pays the tax.").await;
    let add = |text: &str, saved: Option<&str>| {
        let body = match saved {
            Some(saved) => json!({ "text": text, "saved": saved }),
            None => json!({ "text": text }),
        };
        let (ada, path) = (&ada, format!("{path}/lost-words"));
        async move { ada.post(&path, &body).await.status.as_u16() }
    };
    let lost = "Intro. Ann pays the rent.";
    let (one, other) =
        tokio::join!(add(lost, None), add("Intro. Ann pays the rent. Soon.", Some(lost)));
    assert_eq!((one, other), (204, 204));
    let text = ada.get(&path).await.json()["content"].clone();
    let text = text.as_str().unwrap();
    for words in ["Ann pays the rent.", "Bob pays the tax.", "Soon."] {
        assert_eq!(text.matches(words).count(), 1, "{words} in {text}");
    }
    assert_eq!(add("a\0", None).await, 422);
}
