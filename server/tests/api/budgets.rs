//! Budgets: work beyond them waits a little and is then refused (DESIGN §1).

use crate::support::TestApp;
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
