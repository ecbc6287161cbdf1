//! What is the same for every request: its form, its host, its method, and the headers of responses.

use crate::support::{Answer, Client, PASSWORD, TestApp};
use axum::{
    body::Body,
    http::{Request, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rstest::rstest;
use serde_json::json;
use sha2::{Digest as _, Sha256};

async fn send(client: &Client, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request.body(Body::empty()).unwrap()).await
}

/// Returns the cookies of a browser that has signed in.
async fn cookies(app: &TestApp) -> String {
    app.sign_up("ada").await;
    let body = json!({ "login": "ada", "password": PASSWORD });
    let answer = app.anonymous().post("/api/v1/auth/login", &body).await;
    let [access, refresh] =
        ["izanagi_access", "izanagi_refresh"].map(|name| answer.cookie(name).unwrap());
    format!("izanagi_access={access}; izanagi_refresh={refresh}")
}

#[rstest]
#[case("CONNECT", "example.org:443")]
#[case("TRACE", "/documents")]
#[case("TRACE", "/api/v1/documents")]
#[tokio::test]
async fn tunnels_and_traces_are_not_supported(#[case] method: &str, #[case] target: &str) {
    let app = TestApp::new().await;
    let answer = send(&app.anonymous(), method, target, &[]).await;
    assert_eq!(answer.status, 405, "{}", answer.text());
    assert!(answer.header("allow").starts_with("GET, "), "{:?}", answer.headers);
}

#[rstest]
#[case("/api/v1/auth/login", "gzip")]
#[case("/api/v1/documents", "br")]
#[case("/fn/accounts/sign-in", "identity, gzip")]
#[case("/documents/upload", "zstd")]
#[tokio::test]
async fn a_compressed_body_is_refused(#[case] path: &str, #[case] encoding: &str) {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let headers = [("content-type", "application/json"), ("content-encoding", encoding)];
    let answer = send(&ada, "POST", path, &headers).await;
    answer.refused(415, "unsupported_media_type");
    assert_eq!(answer.header("accept-encoding"), "identity");
}

#[tokio::test]
async fn an_identity_body_is_not_compressed() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let headers = [("Content-Encoding", "Identity")];
    let answer = ada.json("POST", "/api/v1/documents", &headers, &json!({ "title": "a" })).await;
    assert_eq!(answer.status, 201);
}

#[rstest]
#[case("localhost:7999", true)]
#[case("192.0.2.1", true)]
#[case("[2001:db8::1]:7999", true)]
#[case("evil.example:7999", false)]
#[tokio::test]
async fn without_a_public_url_only_addresses_are_trusted(#[case] host: &str, #[case] known: bool) {
    let app = TestApp::new().await;
    let headers = [("host", host)];
    for path in ["/login", "/api/v1/auth/sessions", "/openapi.json", "/pkg/none"] {
        let answer = send(&app.anonymous(), "GET", path, &headers).await;
        assert_eq!(answer.status != 421, known, "{path}: {}", answer.status);
    }
    let answer = send(&app.anonymous(), "GET", "/api/v1/me", &headers).await;
    if !known {
        let problem = answer.refused(421, "unknown_host");
        assert!(problem["detail"].as_str().unwrap().contains("IZANAGI_PUBLIC_URL"), "{problem}");
        for (language, word) in [("en", "Set"), ("ja", "サーバー"), ("zh", "服务器")] {
            let headers = [("host", host), ("accept", "text/html"), ("accept-language", language)];
            let page = send(&app.anonymous(), "GET", "/login", &headers).await.text();
            assert!(page.contains("IZANAGI_PUBLIC_URL") && page.contains(word), "{page}");
        }
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(send(&app.anonymous(), "GET", path, &headers).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn with_a_public_url_every_name_is_answered_and_https_is_strict() {
    let app = TestApp::with(|config| config.public_url = Some("https://a.example".into())).await;
    let answer = send(&app.anonymous(), "GET", "/login", &[("host", "b.example")]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
    let app = TestApp::new().await;
    let answer = send(&app.anonymous(), "GET", "/login", &[]).await;
    assert_eq!(answer.header("strict-transport-security"), "");
}

#[tokio::test]
async fn equivalent_paths_are_one_resource() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let answer = ada.get("/%61pi/v1/%64ocuments?pageSize=%31").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    assert_eq!(answer.json()["pageSize"], 1);
    assert_eq!(app.anonymous().get("/%6Cogin").await.status, 200);
}

#[rstest]
#[case("/documents/", Some("/documents"))]
#[case("/login//?next=/trash", Some("/login?next=/trash"))]
#[case("/settings/sessions/", Some("/settings/sessions"))]
#[case("//evil.example/", None)]
#[case("/nothing/", None)]
#[case("/api/v1/documents/", None)]
#[tokio::test]
async fn a_page_with_a_slash_at_its_end_is_redirected(
    #[case] path: &str,
    #[case] to: Option<&str>,
) {
    let app = TestApp::new().await;
    for method in ["GET", "HEAD"] {
        let answer = send(&app.anonymous(), method, path, &[]).await;
        assert_eq!(answer.status, if to.is_some() { 308 } else { 404 }, "{method}");
        assert_eq!(answer.header("location"), to.unwrap_or_default());
    }
    let answer = send(&app.anonymous(), "POST", path, &[]).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
}

#[rstest]
#[case("/pkg/none")]
#[case("/pkg/none/")]
#[case("/pkg/unknown")]
#[case("/pkg/unknown/main.css")]
#[case("/pkg")]
#[case("/pkg/")]
#[tokio::test]
async fn there_is_nothing_at_a_directory_of_files(#[case] path: &str) {
    let app = TestApp::new().await;
    let answer = app.anonymous().get(path).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (404, ""));
    assert!(!answer.header("cache-control").contains("immutable"), "{:?}", answer.headers);
}

#[rstest]
#[case("/nothing")]
#[case("/documents/nothing")]
#[case("/documents/00000000-0000-7000-8000-000000000001/nothing")]
#[case("/settings")]
#[tokio::test]
async fn a_page_that_does_not_exist_is_private_too(#[case] path: &str) {
    let app = TestApp::new().await;
    let cookie = cookies(&app).await;
    for headers in [&[("cookie", cookie.as_str()), ("accept", "text/html")][..], &[]] {
        let answer = send(&app.anonymous(), "GET", path, headers).await;
        assert_eq!(answer.status, 404);
        assert!(answer.header("cache-control").contains("no-store"), "{:?}", answer.headers);
        let vary: Vec<_> = answer.headers.get_all(header::VARY).iter().collect();
        let vary = format!("{vary:?}").to_lowercase();
        assert!(vary.contains("cookie") && vary.contains("accept-language"), "{vary}");
        assert!(!answer.header("content-security-policy").is_empty());
    }
}

#[rstest]
#[case::method("DELETE", "/documents", &[], 405)]
#[case::origin("POST", "/fn/accounts/sign-out", &[("origin", "https://evil.example")], 403)]
#[case::function("POST", "/fn/nothing", &[], 404)]
#[case::host("GET", "/documents", &[("host", "evil.example")], 421)]
#[tokio::test]
async fn no_error_is_kept_by_a_browser(
    #[case] method: &str,
    #[case] path: &str,
    #[case] more: &[(&str, &str)],
    #[case] status: u16,
) {
    let app = TestApp::new().await;
    let cookie = cookies(&app).await;
    for accept in ["text/html", "*/*"] {
        let headers = [&[("cookie", cookie.as_str()), ("accept", accept)], more].concat();
        let answer = send(&app.anonymous(), method, path, &headers).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.header("cache-control").contains("no-store"), "{:?}", answer.headers);
    }
}

#[tokio::test]
async fn the_page_about_the_api_runs_only_its_own_files() {
    let app = TestApp::new().await;
    for path in ["/docs/", "/docs/index.css", "/docs/swagger-initializer.js"] {
        let answer = app.anonymous().get(path).await;
        assert_eq!(answer.status, 200);
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
    }
    // The style in the logo.
    let style = ".logo_small_svg__cls-2{fill:#fff}.logo_small_svg__cls-3{fill:#85ea2d}";
    let script = app.anonymous().get("/docs/swagger-ui-standalone-preset.js").await;
    assert!(script.text().contains(style));
    let hash = format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style)));
    assert!(script.header("content-security-policy").contains(&hash), "{hash}");
    let page = app.anonymous().get("/docs/").await.text();
    assert!(!page.contains("<style") && !page.contains(" style="), "{page}");
    assert!(page.matches("<script").count() == page.matches("<script src=").count(), "{page}");
}

#[rstest]
#[case("/login", "/documents")]
#[case("/signup", "/documents")]
#[case("/login?next=/trash", "/trash")]
#[case("/signup?next=//evil.example", "/documents")]
#[case("/login?next=/login", "/documents")]
#[tokio::test]
async fn a_signed_in_user_is_led_on_from_the_sign_in_page(#[case] path: &str, #[case] to: &str) {
    let app = TestApp::new().await;
    let cookie = cookies(&app).await;
    let answer = send(&app.anonymous(), "GET", path, &[("cookie", &cookie)]).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, to));
    assert_eq!(app.anonymous().get(path).await.status, 200);
}
