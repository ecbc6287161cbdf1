//! Order of checks (DESIGN §8): rate limit, authentication, path, body.

use crate::support::{PASSWORD, TestApp};
use axum::{body::Body, http::Request};
use rstest::rstest;
use serde_json::json;

#[rstest]
#[case("GET", "")]
#[case("PUT", "")]
#[case("DELETE", "")]
#[case("GET", "/content")]
#[case("POST", "/ops")]
#[case("GET", "/versions/x")]
#[case("POST", "/versions/1/restore")]
#[case("PUT", "/owners/x")]
#[tokio::test]
async fn checks_sign_in_before_an_invalid_id(#[case] method: &str, #[case] end: &str) {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let ask = || {
        let path = format!("/api/v1/documents/not-a-uuid{end}");
        Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
    };
    app.anonymous().send(ask()).await.refused(401, "unauthenticated");
    ada.send(ask()).await.refused_field("id", "invalid_id");
}

#[tokio::test]
async fn checks_the_sign_up_limit_before_the_body() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    let path = "/api/v1/auth/signup";
    let send = |content_type: &str, body: String| {
        let request = Request::post(path).header("content-type", content_type);
        client.send(request.body(Body::from(body)).unwrap())
    };
    for _ in 0..10 {
        send("text/plain", "{}".into()).await.refused(415, "unsupported_media_type");
        client
            .post(path, &json!({ "email": "", "password": PASSWORD }))
            .await
            .refused(422, "invalid");
    }
    send("text/plain", "{}".into()).await.refused(429, "rate_limited");
    send("application/json", "x".repeat(65 * 1024)).await.refused(429, "rate_limited");
    send("application/json", "{".into()).await.refused(429, "rate_limited");
    let good = json!({ "email": "ada@example.org", "password": PASSWORD });
    client.post(path, &good).await.refused(429, "rate_limited");
}

#[rstest]
#[case("PATCH", "")]
#[case("POST", "/restore")]
#[tokio::test]
async fn checks_the_version_before_the_body(#[case] method: &str, #[case] end: &str) {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let document = ada.create("text").await;
    ada.commit(&document, "").await;
    let send = |number: u64| {
        let path = format!("{document}/versions/{number}{end}");
        let request = Request::builder().method(method).uri(path);
        ada.send(request.header("content-type", "text/plain").body(Body::from("{")).unwrap())
    };
    send(9).await.refused(404, "not_found");
    send(1).await.refused(415, "unsupported_media_type");
}
