use crate::support::{PASSWORD, TestApp};
use axum::http::header;
use serde_json::json;

#[tokio::test]
async fn a_401_names_the_authentication_scheme() {
    let app = TestApp::new().await;
    let wrong = json!({ "login": "nobody", "password": "not the password" });
    let refused = [
        app.anonymous().get("/api/v1/me").await,
        app.anonymous().with_token("over").get("/api/v1/me").await,
        app.anonymous().post("/api/v1/auth/login", &wrong).await,
    ];
    for answer in refused {
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}

#[tokio::test]
async fn api_responses_are_private_to_the_caller() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let document = ada.create("text").await;
    for path in ["/api/v1/me", "/api/v1/documents", &document, "/api/v1/nonsense"] {
        let answer = ada.get(path).await;
        assert_eq!(answer.header("cache-control"), "private, no-cache", "{path}");
        assert_eq!(answer.header("vary"), "Cookie, Authorization", "{path}");
    }
    let login = json!({ "login": "ada", "password": PASSWORD });
    let login = app.anonymous().post("/api/v1/auth/login", &login).await;
    assert!(login.headers.contains_key(header::SET_COOKIE));
    assert_eq!(login.header("cache-control"), "private, no-store");
    let sessions = ada.get("/api/v1/auth/sessions").await;
    assert_eq!(sessions.header("cache-control"), "private, no-store");
}
