//! Compressed responses.

use crate::support::{PASSWORD, TestApp};
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

/// Returns prose of made-up words, which compresses like a natural language.
fn prose(bytes: usize) -> String {
    let mut state = 1_u64;
    let mut next = |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let word = |_| (0..2 + next(7)).map(|_| char::from(b'a' + next(26) as u8)).collect();
    let words: Vec<String> = (0..2_000).map(word).collect();
    let mut text = String::new();
    while text.len() < bytes {
        // Frequent words are much more frequent than others.
        let rank = next(2_000) * next(2_000) / 2_000;
        text += &words[rank as usize];
        text.push(if next(12) == 0 { '\n' } else { ' ' });
    }
    text
}

#[tokio::test]
async fn pages_are_short_on_the_wire() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    for _ in 0..20 {
        ada.create("text").await;
    }
    let short = ada.create(&prose(20_000)).await.replace("/api/v1", "");
    let long = ada.create(&prose(2_000_000)).await.replace("/api/v1", "");
    // The long text itself takes 770 KB, however it is compressed.
    for (path, most) in [("/documents", 10_000), (short.as_str(), 25_000), (long.as_str(), 800_000)]
    {
        for encoding in ["gzip", "br"] {
            let request = Request::get(path).header("accept-encoding", encoding);
            let answer = ada.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.header("content-encoding"), encoding, "{path}");
            assert!(answer.body.len() <= most, "{path}, {encoding}: {}", answer.body.len());
        }
    }
}

#[tokio::test]
async fn an_editor_page_carries_its_text_once() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let body =
        serde_json::json!({ "title": "Plan", "content": "onlyhere\n".repeat(10), "kind": "text" });
    let document = ada.post("/api/v1/documents", &body).await.json();
    let page = ada.get(&format!("/documents/{}", document["id"].as_str().unwrap())).await.text();
    assert_eq!(page.matches("onlyhere").count(), 10, "{page}");
    // In base64 it would begin with one of these, by its offset.
    for part in ["b25seWhlc", "9ubHloZXJl", "vbmx5aGVyZ"] {
        assert!(!page.contains(part), "{part}");
    }
}

#[tokio::test]
async fn short_texts_are_not_compressed() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let document = ada.create("short").await;
    let request = Request::get(&document).header("accept-encoding", "gzip");
    let answer = ada.send(request.body(Body::empty()).unwrap()).await;
    assert!(!answer.headers.contains_key("content-encoding"));
}

#[tokio::test]
async fn what_an_attacker_could_guess_by_its_size_is_not_compressed() {
    let app = TestApp::new().await;
    app.sign_up("ada").await;
    let body = serde_json::json!({ "login": "ada", "password": PASSWORD });
    let agent = "browser ".repeat(30);
    let mut answer = None;
    for _ in 0..5 {
        let headers = [("user-agent", agent.as_str())];
        answer = Some(app.anonymous().json("POST", "/api/v1/auth/login", &headers, &body).await);
    }
    let cookie = format!("izanagi_access={}", answer.unwrap().cookie("izanagi_access").unwrap());
    let login = app.anonymous().get("/login").await.text();
    let (_, words) = login.split_once("href=\"/words/").unwrap();
    let words = format!("/words/{}", words.split('"').next().unwrap());

    let own = ("sec-fetch-site", "same-origin");
    for (path, site, is_compressed) in [
        ("/documents", Some(own), true),
        ("/documents", Some(("sec-fetch-site", "none")), true),
        ("/documents", Some(("sec-fetch-site", "cross-site")), false),
        ("/documents", Some(("sec-fetch-site", "same-site")), false),
        ("/documents", None, false),
        ("/api/v1/auth/sessions", Some(own), false),
        (&words, None, true),
        (&words, Some(("sec-fetch-site", "cross-site")), true),
    ] {
        let mut request = Request::get(path).header("accept-encoding", "gzip");
        request = request.header("cookie", &cookie);
        if let Some((name, value)) = site {
            request = request.header(name, value);
        }
        let answer = app.anonymous().send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 200, "{path}, {site:?}");
        let encoding = answer.headers.get("content-encoding");
        assert_eq!(encoding.is_some(), is_compressed, "{path}, {site:?}");
        // A shorter one would not be compressed anyway.
        assert!(is_compressed || answer.body.len() > 1_024, "{path}: {}", answer.body.len());
    }
}
