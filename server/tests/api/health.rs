use crate::support::TestApp;
use serde_json::json;

#[tokio::test]
async fn serves_liveness_readiness_and_jwks() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    assert_eq!(client.get("/healthz").await.json()["status"], "ok");
    assert_eq!(client.get("/readyz").await.json()["status"], "ready");
    let keys = client.get("/.well-known/jwks.json").await.json();
    assert_eq!(keys["keys"][0]["alg"], "RS256");
}

#[tokio::test]
async fn a_closed_store_is_reported_not_ready() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    app.running.close_stores().await;
    assert_eq!(app.anonymous().get("/readyz").await.status, 503);
    let answer = ada.post("/api/v1/documents", &json!({ "title": "x" })).await;
    answer.refused(503, "unavailable");
    assert!(!answer.header("retry-after").is_empty());
}

#[tokio::test]
async fn serves_openapi_and_the_swagger_page() {
    let app = TestApp::new().await;
    let document = app.anonymous().get("/openapi.json").await.json();
    assert!(document["paths"]["/api/v1/documents/{id}"]["get"].is_object());
    let page = app.anonymous().get("/docs/").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("swagger"), "{}", page.text());
}

#[tokio::test]
async fn sets_security_headers_on_every_page() {
    let app = TestApp::new().await;
    let answer = app.anonymous().get("/healthz").await;
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("referrer-policy"), "same-origin");
    assert!(!answer.header("x-request-id").is_empty());
}
