//! CORS: scripts of listed origins may use the API, only the API, and only with a token.

use crate::support::{Answer, Client, PASSWORD, TestApp};
use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::json;

const LISTED: &str = "https://app.example";

async fn app() -> TestApp {
    TestApp::with(|config| {
        config.public_url = Some("http://docs.example".into());
        config.cors_origins = vec![LISTED.into()];
    })
    .await
}

async fn from(client: &Client, origin: &str, method: &str, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header(header::ORIGIN, origin);
    let request = request.header("sec-fetch-site", "cross-site");
    client.send(request.body(Body::empty()).unwrap()).await
}

async fn preflight(app: &TestApp, origin: &str, path: &str) -> Answer {
    let request = Request::options(path)
        .header(header::ORIGIN, origin)
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "authorization, if-match");
    app.anonymous().send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn allows_a_listed_origin_with_a_token() {
    let app = app().await;
    let ada = app.sign_up("ada").await;
    let answer = preflight(&app, LISTED, "/api/v1/documents").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), LISTED);
    assert!(answer.header("access-control-allow-methods").contains("PUT"));
    let allowed = answer.header("access-control-allow-headers").to_lowercase();
    for name in ["authorization", "content-type", "if-match", "if-none-match", "idempotency-key"] {
        assert!(allowed.contains(name), "{allowed}");
    }
    assert!(!answer.headers.contains_key("access-control-allow-credentials"));
    let headers = [("Origin", LISTED), ("Sec-Fetch-Site", "cross-site")];
    let made = ada.json("POST", "/api/v1/documents", &headers, &json!({ "title": "x" })).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.header("access-control-allow-origin"), LISTED);
    let exposed = made.header("access-control-expose-headers").to_lowercase();
    for name in ["etag", "location", "retry-after", "x-request-id"] {
        assert!(exposed.contains(name), "{exposed}");
    }
    let vary: Vec<_> = made.headers.get_all("vary").iter().map(|it| it.to_str().unwrap()).collect();
    assert!(vary.join(", ").to_lowercase().contains("origin"), "{vary:?}");
}

#[tokio::test]
async fn a_listed_origin_can_read_errors() {
    let app = app().await;
    let answer = from(&app.anonymous(), LISTED, "GET", "/api/v1/me").await;
    answer.refused(401, "unauthenticated");
    assert_eq!(answer.header("access-control-allow-origin"), LISTED);
}

#[tokio::test]
async fn ignores_cookies_from_other_origins() {
    let app = app().await;
    app.sign_up("ada").await;
    let body = json!({ "login": "ada", "password": PASSWORD });
    let client = app.anonymous();
    let login = client.post("/api/v1/auth/login", &body).await;
    let cookie = format!(
        "izanagi_access={}; izanagi_refresh={}",
        login.cookie("izanagi_access").unwrap(),
        login.cookie("izanagi_refresh").unwrap()
    );
    let files = [("a.txt", b"x".as_slice())];
    for site in ["cross-site", "same-site"] {
        let foreign = [("origin", LISTED), ("sec-fetch-site", site), ("cookie", cookie.as_str())];
        let answer = client.upload_to("/api/v1/documents/upload", &foreign, &files).await;
        answer.refused(401, "unauthenticated");
        let answer = client.json("GET", "/api/v1/me", &foreign, &json!({})).await;
        answer.refused(401, "unauthenticated");
        let answer = client.json("POST", "/api/v1/auth/refresh", &foreign, &json!({})).await;
        answer.refused(401, "session_revoked");
        let login = client.json("POST", "/api/v1/auth/login", &foreign, &body).await;
        assert_eq!(login.status, 200);
        assert!(!login.headers.contains_key(header::SET_COOKIE));
    }
    let own = [("origin", "http://docs.example"), ("cookie", cookie.as_str())];
    let answer = client.upload_to("/api/v1/documents/upload", &own, &files).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

#[tokio::test]
async fn unlisted_origins_and_pages_stay_closed() {
    let app = app().await;
    let ada = app.sign_up("ada").await;
    for origin in ["https://evil.example", "null", "https://app.example.evil"] {
        let answer = preflight(&app, origin, "/api/v1/documents").await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{origin}");
        from(&ada, origin, "POST", "/api/v1/auth/logout").await.refused(403, "foreign_origin");
    }
    let answer = from(&ada, LISTED, "POST", "/documents/upload").await;
    assert_eq!(answer.status, 403);
    for path in ["/healthz", "/openapi.json"] {
        let answer = from(&ada, LISTED, "GET", path).await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{path}");
    }
}

#[tokio::test]
async fn without_a_list_all_origins_are_denied() {
    let app = TestApp::new().await;
    let answer = preflight(&app, LISTED, "/api/v1/documents").await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    let ada = app.sign_up("ada").await;
    from(&ada, LISTED, "POST", "/api/v1/auth/logout").await.refused(403, "foreign_origin");
}
