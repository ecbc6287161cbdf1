//! Browser sessions: renewed by any read, replaced and ended whatever the state of the tokens.

use crate::support::{Answer, Client, PASSWORD, TestApp};
use axum::{
    body::Body,
    http::{Request, header},
};
use izanagi_domain::storage::AuditEvent;
use izanagi_shared::time::Timestamp;
use izanagi_storage::StorageConfig;
use rstest::rstest;
use serde_json::json;

/// Returns the cookies of a browser whose access token has expired: a stale access cookie and the
/// refresh cookie of a new session.
async fn refresh_cookie(app: &TestApp) -> String {
    app.sign_up("ada").await;
    let body = json!({ "login": "ada", "password": PASSWORD });
    let answer = app.anonymous().post("/api/v1/auth/login", &body).await;
    format!("izanagi_access=over; izanagi_refresh={}", answer.cookie("izanagi_refresh").unwrap())
}

async fn send(client: &Client, method: &str, path: &str, cookie: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header(header::COOKIE, cookie);
    client.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn pages_that_set_cookies_renew_sessions() {
    let app = TestApp::new().await;
    let cookie = refresh_cookie(&app).await;
    let headers = [("cookie", cookie.as_str())];
    let files = [("a.txt", b"x".as_slice())];
    let answer = app.anonymous().upload_to("/documents/upload", &headers, &files).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(answer.header("location"), "/documents");
    assert!(answer.cookie("izanagi_flash").is_some());
    assert!(answer.cookie("izanagi_access").is_some_and(|token| !token.is_empty()));
    assert!(answer.cookie("izanagi_refresh").is_some_and(|token| !token.is_empty()));
    assert_eq!(answer.header("cache-control"), "private, no-store");
}

#[rstest]
#[case::same_origin_link("navigate", "same-origin", true)]
#[case::same_origin_script("cors", "same-origin", false)]
#[case::cross_site_link("navigate", "cross-site", false)]
#[tokio::test]
async fn a_file_download_renews_the_session(
    #[case] mode: &str,
    #[case] site: &str,
    #[case] renews: bool,
) {
    let app = TestApp::new().await;
    let cookie = refresh_cookie(&app).await;
    let request = Request::get("/api/v1/me")
        .header(header::COOKIE, cookie)
        .header("sec-fetch-mode", mode)
        .header("sec-fetch-site", site);
    let answer = app.anonymous().send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status == 200, renews, "{}", answer.status);
    assert_eq!(answer.cookie("izanagi_access").is_some(), renews);
}

#[rstest]
#[case("/favicon.svg")]
#[case("/icons.svg")]
#[case("/openapi.json")]
#[case("/docs/")]
#[case("/healthz")]
#[case("/.well-known/jwks.json")]
#[tokio::test]
async fn open_resources_never_set_a_cookie(#[case] path: &str) {
    let app = TestApp::new().await;
    let cookie = refresh_cookie(&app).await;
    let answer = send(&app.anonymous(), "GET", path, &cookie).await;
    assert!(!answer.headers.contains_key(header::SET_COOKIE), "{:?}", answer.headers);
}

#[rstest]
#[case("/healthz")]
#[case("/readyz")]
#[case("/.well-known/jwks.json")]
#[case("/openapi.json")]
#[tokio::test]
async fn open_resources_ignore_invalid_tokens(#[case] path: &str) {
    let app = TestApp::new().await;
    assert_eq!(app.anonymous().with_token("over").get(path).await.status, 200);
}

#[tokio::test]
async fn signing_in_ignores_an_invalid_token() {
    let app = TestApp::new().await;
    let cookie = refresh_cookie(&app).await;
    let client = app.anonymous().with_token("over");
    client.get("/api/v1/me").await.refused(401, "unauthenticated");
    let login = json!({ "login": "ada", "password": PASSWORD });
    assert_eq!(client.post("/api/v1/auth/login", &login).await.status, 200);
    let signup = json!({ "email": "bob@example.org", "password": PASSWORD });
    assert_eq!(client.post("/api/v1/auth/signup", &signup).await.status, 201);
    assert_eq!(send(&client, "POST", "/api/v1/auth/refresh", &cookie).await.status, 200);
}

#[tokio::test]
async fn an_invalid_token_is_not_anonymous_access() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("open").await;
    ada.patch(&path, &json!({ "isPublic": true })).await;
    assert_eq!(app.anonymous().get(&path).await.status, 200);
    app.anonymous().with_token("over").get(&path).await.refused(401, "unauthenticated");
}

#[rstest]
#[case("/api/v1/auth/logout")]
#[case("/api/v1/auth/logout-all")]
#[tokio::test]
async fn signing_out_ends_a_renewable_session(#[case] path: &str) {
    let app = TestApp::new().await;
    let cookie = refresh_cookie(&app).await;
    let client = app.anonymous();
    let answer = send(&client, "POST", path, &cookie).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert_eq!(answer.cookie("izanagi_access").as_deref(), Some(""));
    assert_eq!(answer.cookie("izanagi_refresh").as_deref(), Some(""));
    let again = send(&client, "POST", "/api/v1/auth/refresh", &cookie).await;
    again.refused(401, "session_revoked");
}

#[tokio::test]
async fn signing_out_always_clears_the_cookies() {
    let app = TestApp::new().await;
    let client = app.anonymous();
    for cookie in ["", "izanagi_access=over", "izanagi_refresh=nonsense"] {
        let answer = send(&client, "POST", "/api/v1/auth/logout", cookie).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
        assert_eq!(answer.cookie("izanagi_refresh").as_deref(), Some(""));
    }
}

/// As after a crash between the deletion of an account and the end of its sessions.
#[tokio::test]
async fn pages_and_sign_out_work_with_a_session_of_a_deleted_account() {
    let mut database = None;
    let app = TestApp::with(|config| {
        config.storage.users.url = None;
        database = Some(config.database());
    })
    .await;
    let ada = app.sign_up("ada").await;
    let body = json!({ "login": "ada", "password": PASSWORD });
    let answer = app.anonymous().post("/api/v1/auth/login", &body).await;
    let [access, refresh] =
        ["izanagi_access", "izanagi_refresh"].map(|name| answer.cookie(name).unwrap());
    let deletion = AuditEvent {
        action: "user_deleted",
        actor: None,
        subject: ada.user.clone(),
        ip: String::new(),
        at: Timestamp::default(),
    };
    let opened = izanagi_storage::open(&StorageConfig::new(database.unwrap())).await.unwrap();
    let user = ada.user.parse().unwrap();
    opened.stores.relational.users.delete(user, &deletion).await.unwrap();
    opened.close().await;
    let client = app.anonymous();
    let renewable = format!("izanagi_access=over; izanagi_refresh={refresh}");
    let valid = format!("izanagi_access={access}; izanagi_refresh={refresh}");
    for cookie in [&renewable, &valid] {
        for path in ["/", "/login", "/signup", "/documents", "/trash", "/settings/sessions"] {
            let page = send(&client, "GET", path, cookie).await;
            assert!(matches!(page.status.as_u16(), 200 | 303), "{path}: {}", page.status);
        }
    }
    send(&client, "POST", "/api/v1/auth/refresh", &renewable).await.refused(401, "session_revoked");
    send(&client, "GET", "/api/v1/me", &valid).await.refused(401, "unauthenticated");
    for cookie in [&renewable, &valid] {
        let answer = send(&client, "POST", "/api/v1/auth/logout", cookie).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
        assert_eq!(answer.cookie("izanagi_refresh").as_deref(), Some(""));
    }
}
