//! Server functions, called by pages, by forms without JavaScript, and by hand.

use crate::support::{Answer, TestApp};
use axum::{body::Body, http::Request};
use rstest::rstest;
use serde_json::json;
use std::time::Duration;

const LIST: &str = "/fn/documents/list?query=&sort=updated&page=1&in_trash=false";
const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

async fn call(app: &TestApp, method: &str, path: &str, accept: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header("accept", accept);
    app.anonymous().send(request.body(Body::empty()).unwrap()).await
}

/// Asserts an HTML page with this status, with headers that describe it and nothing else.
#[track_caller]
fn assert_page(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(answer.text().starts_with("<!DOCTYPE html>"), "{}", answer.text());
    assert_eq!(answer.header("content-length"), answer.body.len().to_string());
    for name in ["location", "serverfnerror", "set-cookie"] {
        assert!(!answer.headers.contains_key(name), "{name}: {:?}", answer.headers);
    }
    let vary: Vec<_> = answer.headers.get_all("vary").iter().collect();
    assert_eq!(vary, ["Accept-Language, Cookie"]);
}

#[tokio::test]
async fn a_failed_function_is_a_page_for_browsers_and_a_problem_for_others() {
    let app = TestApp::new().await;
    assert_page(&call(&app, "GET", LIST, HTML).await, 401);
    let problem = call(&app, "GET", LIST, "application/json").await;
    problem.refused(401, "unauthenticated");
    assert!(!problem.headers.contains_key("serverfnerror"), "{:?}", problem.headers);
}

#[tokio::test]
async fn a_function_answers_a_browser_like_any_client() {
    let app = TestApp::new().await;
    for method in ["GET", "HEAD"] {
        let me = call(&app, method, "/fn/accounts/me", HTML).await;
        assert_eq!((me.status.as_u16(), me.header("content-type")), (200, "application/json"));
        assert!(!me.headers.contains_key("location"), "{:?}", me.headers);
        assert_eq!(me.text(), if method == "GET" { "null" } else { "" });
    }
}

#[rstest]
#[case("GET", "/fn/nope", 404, "not_found")]
#[case("POST", "/fn/nope", 404, "not_found")]
#[case("GET", "/fn/documents", 404, "not_found")]
#[case("POST", LIST, 405, "method_not_allowed")]
#[case("GET", "/fn/documents/create", 405, "method_not_allowed")]
#[case("DELETE", "/fn/accounts/me", 405, "method_not_allowed")]
#[case("DELETE", "/documents", 405, "method_not_allowed")]
#[case("POST", "/healthz", 405, "method_not_allowed")]
#[tokio::test]
async fn an_unknown_path_or_method_is_a_problem(
    #[case] method: &str,
    #[case] path: &str,
    #[case] status: u16,
    #[case] code: &str,
) {
    let app = TestApp::new().await;
    let problem = call(&app, method, path, "*/*").await;
    problem.refused(status, code);
    assert_eq!(problem.headers.contains_key("allow"), status == 405, "{:?}", problem.headers);
    if !path.starts_with("/healthz") {
        assert_eq!(problem.header("cache-control"), "private, no-store");
        assert_page(&call(&app, method, path, HTML).await, status);
    }
}

#[tokio::test]
async fn a_form_for_no_function_says_so() {
    let app = TestApp::new().await;
    let form = |accept: &str| {
        Request::post("/fn/nope")
            .header("accept", accept)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("referer", "http://notes.example/documents")
    };
    let plain = form(HTML).body(Body::from("a=b")).unwrap();
    assert_page(&app.anonymous().send(plain).await, 404);
    let enhanced = form("*/*").header("x-izanagi-form", "1").body(Body::from("a=b")).unwrap();
    app.anonymous().send(enhanced).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_form_that_cannot_be_read_says_why() {
    let app = TestApp::with(|config| config.patience.body_idle = Duration::from_millis(20)).await;
    let stuck = Body::from_stream(futures::stream::pending::<std::io::Result<Vec<u8>>>());
    let large = Body::from(vec![b'a'; 300_000]);
    for (body, status, code) in [(stuck, 408, "timeout"), (large, 413, "too_large")] {
        let form = Request::post("/fn/accounts/sign-in")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-izanagi-form", "1");
        let answer = app.anonymous().send(form.body(body).unwrap()).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (status, &json!(code)));
    }
}
