use crate::support::TestApp;

#[tokio::test]
async fn each_file_becomes_a_document_of_its_kind() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let answer = ada
        .upload(&[
            ("Plan.md", b"# Plan"),
            ("notes.txt", "caf\u{e9}".as_bytes()),
            ("a.b.json", b"{}"),
        ])
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let items = answer.json()["items"].clone();
    let kinds: Vec<_> =
        items.as_array().unwrap().iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["markdown", "text", "json"]);
    assert_eq!(
        (items[0]["title"].as_str(), items[2]["title"].as_str()),
        (Some("Plan"), Some("a.b"))
    );
}

#[tokio::test]
async fn a_file_that_is_not_utf8_is_refused_with_the_byte() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let answer = ada.upload(&[("good.md", b"fine"), ("bad.md", b"abc\xff\xfe")]).await;
    let message = answer.refused_field("file", "not_utf8");
    assert!(message.contains("bad.md") && message.contains("byte 3"), "{message}");
    assert_eq!(
        ada.get("/api/v1/documents").await.json()["total"],
        0,
        "none is made when one is refused"
    );
}

#[tokio::test]
async fn other_files_no_files_and_broken_json_are_refused() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    ada.upload(&[("a.exe", b"MZ")]).await.refused_field("file", "unsupported_type");
    ada.upload(&[]).await.refused_field("file", "required");
    let message = ada.upload(&[("a.json", b"{\n 1}")]).await.refused_field("file", "invalid_json");
    assert!(message.contains("line 2, column 2"), "{message}");
}
