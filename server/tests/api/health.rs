use crate::support::TestApp;
use serde_json::json;

#[tokio::test]
async fn says_that_it_lives_is_ready_and_how_its_tokens_are_verified() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    assert_eq!(client.get("/healthz").await.json()["status"], "ok");
    assert_eq!(client.get("/readyz").await.json()["status"], "ready");
    let keys = client.get("/.well-known/jwks.json").await.json();
    assert_eq!(keys["keys"][0]["alg"], "RS256");
}

#[tokio::test]
async fn a_closed_store_is_not_ready_and_writes_say_so() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    app.running.close_stores().await;
    assert_eq!(app.anonymous().get("/readyz").await.status, 503);
    let answer = ada.post("/api/v1/documents", &json!({ "title": "x" })).await;
    answer.refused(503, "unavailable");
    assert!(!answer.header("retry-after").is_empty());
}

#[tokio::test]
async fn the_openapi_document_has_absolute_paths_and_swagger_shows_it() {
    let app = TestApp::new().await;
    let document = app.anonymous().get("/openapi.json").await.json();
    assert!(document["paths"]["/api/v1/documents/{id}"]["get"].is_object());
    let page = app.anonymous().get("/docs/").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("swagger"), "{}", page.text());
}

#[tokio::test]
async fn every_answer_has_the_headers_that_protect() {
    let app = TestApp::new().await;
    let answer = app.anonymous().get("/healthz").await;
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "same-origin");
    assert!(!answer.header("x-request-id").is_empty());
}
