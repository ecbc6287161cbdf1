//! Budgets: work beyond them waits a little and is then refused (DESIGN §1).

use crate::support::TestApp;
use axum::{
    body::{Body, Bytes},
    http::{Request, Response},
};
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use serde_json::json;
use std::time::Duration;

const LARGE: usize = 200 * 1024;

async fn app() -> TestApp {
    TestApp::with(|config| {
        let budget = &mut config.settings.budget;
        budget.wait = Duration::from_millis(20);
        budget.work_bytes = 8 * LARGE;
        budget.body_bytes = 8 * LARGE;
    })
    .await
}

#[tokio::test]
async fn work_beyond_the_budget_is_refused() {
    let app = app().await;
    let ada = app.sign_up("ada").await;
    let document = ada.create(&"x".repeat(LARGE)).await;
    ada.commit(&document, "one").await;
    let held = app.running.services.core.budget.work(8 * LARGE).await.unwrap();
    for path in ["", "/content", "/html", "/export?format=txt", "/diff?from=0&to=1", "/versions/1"]
    {
        let answer = ada.get(&format!("{document}{path}")).await;
        answer.refused(503, "overloaded");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1, "{path}");
    }
    // Small documents are served all the same.
    let small = ada.create("small").await;
    assert_eq!(ada.get(&small).await.status, 200);
    drop(held);
    assert_eq!(ada.get(&document).await.status, 200);
}

#[tokio::test]
async fn bodies_beyond_the_budget_are_refused() {
    let app = app().await;
    let ada = app.sign_up("ada").await;
    let budget = app.running.services.core.budget.clone();
    let held = budget.body(8 * LARGE).await.unwrap();
    let body = json!({ "title": "Plan", "content": "x".repeat(LARGE) });
    ada.post("/api/v1/documents", &body).await.refused(503, "overloaded");
    ada.upload(&[("a.txt", "x".repeat(LARGE).as_bytes())]).await.refused(503, "overloaded");
    drop(held);
    assert_eq!(ada.post("/api/v1/documents", &body).await.status, 201);
}

#[tokio::test]
async fn an_answered_request_gives_its_budget_back() {
    let app = app().await;
    let ada = app.sign_up("ada").await;
    let document = ada.create(&"x".repeat(LARGE)).await;
    for _ in 0..20 {
        assert_eq!(ada.get(&document).await.status, 200);
        assert_eq!(ada.write(&document, &"y".repeat(LARGE)).await.status, 200);
    }
}

#[tokio::test]
async fn a_page_takes_its_budget_once() {
    let app = app().await;
    let ada = app.sign_up("ada").await;
    let document = ada.create(&"word ".repeat(LARGE / 5)).await;
    let page = document.replace("/api/v1", "");
    // Rendering takes more than half of the budget.
    for path in ["/read", "/compare?from=0&to=live"] {
        let answer = ada.get(&format!("{page}{path}")).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn unread_responses_hold_the_budget() {
    let app = app().await;
    let ada = app.sign_up("ada").await;
    // In JSON, the text has six times its size.
    let document = ada.create(&"\u{1}".repeat(LARGE / 4)).await;
    let get = || ada.open(Request::get(&document).body(Body::empty()).unwrap());
    let put = || {
        let request = Request::put(&document).header("content-type", "application/json");
        let request = request.header("if-match", "\"stale\"");
        ada.open(request.body(Body::from(r#"{"content":"new"}"#)).unwrap())
    };
    let mut unread = Vec::new();
    for expected in [200, 200, 200, 200, 200, 503] {
        let response = get().await;
        assert_eq!(response.status(), expected);
        unread.push(response);
    }
    assert_eq!(ada.create("small").await.len(), document.len(), "small requests need no budget");
    unread.truncate(1);
    // A failed precondition has the text in its response.
    while unread.len() < 20 {
        let response = put().await;
        if response.status() == 503 {
            break;
        }
        assert_eq!(response.status(), 412);
        unread.push(response);
    }
    assert!((8..20).contains(&unread.len()), "{}", unread.len());
    let bytes = |response: Response<Body>| async { response.into_body().collect().await.unwrap() };
    let first = bytes(unread.remove(0)).await.to_bytes();
    let first: serde_json::Value = serde_json::from_slice(&first).unwrap();
    assert_eq!(first["content"].as_str().unwrap().len(), LARGE / 4);
    drop(unread);
    assert_eq!(get().await.status(), 200);
}

#[tokio::test]
async fn an_upload_of_unknown_length_is_refused_as_it_arrives() {
    let app = app().await;
    let ada = app.sign_up("ada").await;
    let head = "--frontier\r\nContent-Disposition: form-data; name=\"file\"; \
                filename=\"a.txt\"\r\n\r\n";
    let head =
        futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(head.as_bytes()))]);
    let part = Bytes::from(vec![b'x'; 64 * 1024]);
    let parts =
        futures::stream::repeat_with(move || Ok(part.clone())).take(8 * LARGE / (64 * 1024));
    let body = head.chain(parts).chain(futures::stream::pending());
    let request = Request::post("/api/v1/documents/upload")
        .header("content-type", "multipart/form-data; boundary=frontier");
    let sending = ada.send(request.body(Body::from_stream(body)).unwrap());
    let answer = tokio::time::timeout(Duration::from_secs(20), sending).await.unwrap();
    answer.refused(503, "overloaded");
}
