use crate::support::TestApp;
use serde_json::{Value, json};

#[tokio::test]
async fn lists_newest_first_and_reads_exact_bytes() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("one\r\n").await;
    let first = ada.commit(&path, "first").await;
    assert_eq!((first["number"].as_u64(), first["parent"].clone()), (Some(1), Value::Null));
    assert_eq!(first["author"]["username"], "ada");
    ada.write(&path, "two\r\n").await;
    ada.commit(&path, "second").await;
    let list = ada.get(&format!("{path}/versions")).await.json();
    assert_eq!((list["total"].as_u64(), list["items"][0]["number"].as_u64()), (Some(2), Some(2)));
    assert_eq!(list["items"][0].get("content"), None);
    let read = ada.get(&format!("{path}/versions/1")).await.json();
    assert_eq!((read["content"].as_str(), &read["hash"]), (Some("one\r\n"), &first["hash"]));
    assert_eq!(ada.get(&path).await.json()["headVersion"], 2);
}

#[tokio::test]
async fn continues_a_version_list_at_its_cursor() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("").await;
    for n in 0..5 {
        ada.write(&path, &n.to_string()).await;
        ada.commit(&path, "").await;
    }
    let page = ada.get(&format!("{path}/versions?pageSize=2")).await.json();
    let cursor = page["nextCursor"].as_str().unwrap();
    let next = ada.get(&format!("{path}/versions?pageSize=2&cursor={cursor}")).await.json();
    assert_eq!(next["items"][0]["number"], 3);
    ada.get(&format!("{path}/versions?cursor=x")).await.refused_field("cursor", "invalid");
}

#[tokio::test]
async fn rejects_a_commit_without_changes() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("same").await;
    ada.commit(&path, "").await;
    ada.post(&format!("{path}/versions"), &json!({})).await.refused(409, "nothing_to_commit");
}

#[tokio::test]
async fn merges_content_or_reports_it_stale() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("a\nb\nc\n").await;
    ada.commit(&path, "base").await;
    let versions = format!("{path}/versions");
    let body =
        |content: &str, base: Option<u64>| json!({ "content": content, "baseVersion": base });
    ada.post(&versions, &body("x", None)).await.refused(428, "precondition_required");
    ada.write(&path, "A\nb\nc\n").await;
    let merged = ada.post(&versions, &body("a\nb\nC\n", Some(1))).await;
    assert_eq!(merged.status, 201, "{}", merged.text());
    assert_eq!(ada.get(&path).await.json()["content"], "A\nb\nC\n");
    let stale = ada.post(&versions, &body("z\nb\nc\n", Some(1))).await.refused(412, "stale");
    assert_eq!(stale["current"]["content"], "A\nb\nC\n");
    ada.post(&versions, &body("x", Some(9))).await.refused(404, "not_found");
}

#[tokio::test]
async fn committing_a_version_is_idempotent() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = format!("{}/versions", ada.create("text").await);
    let key = [("Idempotency-Key", "k")];
    let first = ada.json("POST", &path, &key, &json!({ "message": "m" })).await.json();
    let again = ada.json("POST", &path, &key, &json!({ "message": "m" })).await.json();
    assert_eq!(first["commitId"], again["commitId"]);
    ada.json("POST", &path, &key, &json!({ "message": "n" }))
        .await
        .refused(422, "idempotency_mismatch");
}

#[tokio::test]
async fn a_version_keeps_the_title_given_at_its_commit() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("text").await;
    let versions = format!("{path}/versions");
    let long = json!({ "message": "m", "title": "x".repeat(201) });
    ada.post(&versions, &long).await.refused_field("title", "too_long");
    ada.post(&versions, &json!({ "title": "two\nlines" }))
        .await
        .refused_field("title", "control_character");
    let key = [("Idempotency-Key", "k")];
    let body = json!({ "message": "m", "title": " First <draft> " });
    let made = ada.json("POST", &versions, &key, &body).await;
    assert_eq!((made.status.as_u16(), made.json()["title"].as_str()), (201, Some("First <draft>")));
    // The title is part of the request.
    ada.json("POST", &versions, &key, &json!({ "message": "m", "title": "Second" }))
        .await
        .refused(422, "idempotency_mismatch");
    ada.write(&path, "other").await;
    assert_eq!(ada.commit(&path, "m").await["title"], Value::Null);
    let list = ada.get(&versions).await.json();
    assert_eq!(list["items"][1]["title"], "First <draft>");
    assert_eq!(ada.get(&format!("{versions}/1")).await.json()["title"], "First <draft>");
    let pages = path.strip_prefix("/api/v1").unwrap();
    for page in ["/history", "/versions/1"] {
        let html = ada.get(&format!("{pages}{page}")).await.text();
        assert!(html.contains("First &lt;draft&gt;"), "{page}: {html}");
    }
}

#[tokio::test]
async fn names_and_restores_a_version() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("old").await;
    ada.commit(&path, "").await;
    let first = format!("{path}/versions/1");
    assert_eq!(ada.patch(&first, &json!({ "name": "Release" })).await.json()["name"], "Release");
    assert_eq!(ada.patch(&first, &json!({ "name": null })).await.json()["name"], Value::Null);
    ada.patch(&first, &json!({ "name": " " })).await.refused_field("name", "blank");
    ada.patch(&first, &json!({})).await.refused_field("name", "required");
    ada.write(&path, "new").await;
    let restored = ada.post(&format!("{first}/restore"), &json!({})).await;
    assert_eq!((restored.status.as_u16(), restored.json()["number"].as_u64()), (201, Some(3)));
    assert_eq!(ada.get(&path).await.json()["content"], "old");
    ada.post(&format!("{path}/versions/9/restore"), &json!({})).await.refused(404, "not_found");
    ada.post(&format!("{first}/restore"), &json!({})).await.refused(409, "nothing_to_commit");
}

#[tokio::test]
async fn commits_and_restores_invalid_json() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let body = json!({ "title": "Data", "kind": "json", "content": "{\"a\": 1}" });
    let id = ada.post("/api/v1/documents", &body).await.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/documents/{id}");
    ada.commit(&path, "").await;
    let broken = json!({ "content": "{\"a\": ", "baseVersion": 1 });
    assert_eq!(ada.post(&format!("{path}/versions"), &broken).await.status, 201);
    assert_eq!(ada.get(&format!("{path}/versions/1")).await.json()["json"]["a"], 1);
    assert_eq!(ada.get(&format!("{path}/versions/2")).await.json().get("json"), None);
    assert_eq!(ada.post(&format!("{path}/versions/1/restore"), &json!({})).await.status, 201);
}
