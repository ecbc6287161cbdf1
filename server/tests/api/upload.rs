use crate::support::TestApp;
use axum::{
    body::{Body, Bytes},
    http::Request,
};
use std::time::Duration;

const MIB: usize = 1024 * 1024;
const FORM: &str = "/documents/upload";

/// Returns the flash message that a form response sets for the next page.
fn flash(answer: &crate::support::Answer) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    assert_eq!(answer.status, 303, "{}", answer.text());
    let value = answer.cookie("izanagi_flash").unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(value).unwrap()).unwrap()
}

#[tokio::test]
async fn each_file_becomes_a_document() {
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
async fn file_names_are_decoded_as_browsers_encode_them() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let names = ["a%22b.md", "c%0D%0Ad.md", "100%25 %2f %0d.md"];
    let answer = ada.upload(&names.map(|name| (name, b"# Plan".as_slice()))).await.json();
    let titles = answer["items"].as_array().unwrap().iter();
    let titles: Vec<_> = titles.map(|item| item["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["a\"b", "cd", "100%25 %2f %0d"]);
}

#[tokio::test]
async fn reports_the_first_byte_that_is_not_utf8() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let answer = ada.upload(&[("good.md", b"fine"), ("bad.md", b"abc\xff\xfe")]).await;
    let message = answer.refused_field("file", "not_utf8");
    assert!(message.contains("bad.md") && message.contains("byte 3"), "{message}");
    assert_eq!(
        ada.get("/api/v1/documents").await.json()["total"],
        0,
        "a rejected file must reject the whole upload"
    );
}

#[tokio::test]
async fn rejects_invalid_files_and_empty_uploads() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    ada.upload(&[("a.exe", b"MZ")]).await.refused_field("file", "unsupported_type");
    ada.upload(&[]).await.refused_field("file", "required");
    let message = ada.upload(&[("a.json", b"{\n 1}")]).await.refused_field("file", "invalid_json");
    assert!(message.contains("line 2, column 2"), "{message}");
}

#[tokio::test]
async fn accepts_a_nine_mebibyte_file() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let text = vec![b'a'; 9 * MIB];
    let answer = ada.upload(&[("big.txt", &text)]).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["items"][0]["contentLength"], 9 * MIB);
    let answer = ada.upload_to(FORM, &[], &[("big.txt", &text)]).await;
    assert!(flash(&answer).contains("1 file uploaded."), "{}", flash(&answer));
    assert_eq!(ada.get("/api/v1/documents").await.json()["total"], 2);
}

#[tokio::test]
async fn names_a_file_that_exceeds_the_text_limit() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let text = vec![b'a'; 10 * MIB + 1];
    let message = ada.upload(&[("huge.txt", &text)]).await.refused_field("file", "too_large");
    assert!(message.contains("huge.txt"), "{message}");
    let answer = ada.upload_to(FORM, &[], &[("huge.txt", &text)]).await;
    assert!(flash(&answer).contains("huge.txt"), "{}", flash(&answer));
}

#[tokio::test]
async fn rejects_an_upload_beyond_the_body_limit() {
    let app = TestApp::with(|config| config.body_limit = 3 * MIB).await;
    let ada = app.sign_up("ada").await;
    let text = vec![b'a'; 2 * MIB];
    let answer = ada.upload(&[("a.txt", &text), ("b.txt", &text)]).await;
    let problem = answer.refused(413, "too_large");
    assert!(problem["detail"].as_str().unwrap().contains("3145728 bytes"), "{problem}");
    let answer = ada.upload_to(FORM, &[], &[("a.txt", &text), ("b.txt", &text)]).await;
    assert!(flash(&answer).contains("too_large"), "{}", flash(&answer));
    assert_eq!(ada.get("/api/v1/documents").await.json()["total"], 0);
}

#[tokio::test]
async fn accepts_at_most_a_hundred_files() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let names: Vec<String> = (0..101).map(|n| format!("{n}.txt")).collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().map(|name| (name.as_str(), b"x".as_slice())).collect();
    let message = ada.upload(&files).await.refused_field("file", "too_many");
    assert!(message.contains("100") && message.contains("100.txt"), "{message}");
    assert_eq!(ada.get("/api/v1/documents").await.json()["total"], 0);
    assert_eq!(ada.upload(&files[..100]).await.status, 201);
}

#[tokio::test]
async fn times_out_when_a_body_stops_arriving() {
    let app = TestApp::with(|config| config.patience.body_idle = Duration::from_millis(20)).await;
    let ada = app.sign_up("ada").await;
    for (path, content_type) in [
        ("/api/v1/documents", "application/json"),
        ("/api/v1/documents/upload", "multipart/form-data; boundary=frontier"),
    ] {
        let silence = futures::stream::pending::<Result<Bytes, std::io::Error>>();
        let request = Request::post(path).header("content-type", content_type);
        let answer = ada.send(request.body(Body::from_stream(silence)).unwrap()).await;
        answer.refused(408, "timeout");
    }
}

#[tokio::test]
async fn a_truncated_body_is_malformed() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let broken = futures::stream::iter([
        Ok(Bytes::from_static(b"{")),
        Err(std::io::Error::other("connection reset")),
    ]);
    let request = Request::post("/api/v1/documents").header("content-type", "application/json");
    let answer = ada.send(request.body(Body::from_stream(broken)).unwrap()).await;
    answer.refused(400, "malformed_body");
}
