//! Compressed responses.

use crate::support::TestApp;
use axum::{body::Body, http::Request};

const TEXT: &str = "The same words again and again.\n";

#[tokio::test]
async fn long_texts_are_compressed() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let document = ada.create(&TEXT.repeat(1_000)).await;
    let page = document.replace("/api/v1", "");
    for (path, encoding) in [
        (document.clone(), "gzip"),
        (document.clone(), "br"),
        (format!("{document}/content"), "gzip"),
        (format!("{document}/html"), "br"),
        (format!("{page}/read"), "br"),
        ("/openapi.json".to_owned(), "gzip"),
    ] {
        let plain = ada.get(&path).await;
        assert!(!plain.headers.contains_key("content-encoding"), "{path}");
        let request = Request::get(&path).header("accept-encoding", encoding);
        let answer = ada.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-encoding"), encoding, "{path}");
        assert!(answer.body.len() * 3 < plain.body.len(), "{path}: {}", answer.body.len());
        let vary: Vec<_> = answer.headers.get_all("vary").iter().collect();
        assert!(vary.iter().any(|vary| vary.to_str().unwrap().contains("accept-encoding")));
    }
    // Its etag is accepted as the one of the text.
    let request = Request::get(&document).header("accept-encoding", "gzip");
    let answer = ada.send(request.body(Body::empty()).unwrap()).await;
    let etag = answer.header("etag").to_owned();
    assert!(etag.starts_with("W/"), "{etag}");
    let request = Request::get(&document).header("if-none-match", &etag);
    assert_eq!(ada.send(request.body(Body::empty()).unwrap()).await.status, 304);
    let body = serde_json::json!({ "content": "new" });
    assert_eq!(ada.json("PUT", &document, &[("If-Match", &etag)], &body).await.status, 200);
}

#[tokio::test]
async fn short_texts_and_tokens_are_not_compressed() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let document = ada.create("short").await;
    let request = Request::get(&document).header("accept-encoding", "gzip");
    let answer = ada.send(request.body(Body::empty()).unwrap()).await;
    assert!(!answer.headers.contains_key("content-encoding"));
}
