use crate::support::TestApp;
use axum::{
    body::Body,
    http::{Request, header},
};
use rstest::rstest;
use serde_json::{Value, json};

async fn raw(
    method: &str,
    path: &str,
    content_type: &str,
    body: impl Into<Body>,
) -> crate::support::Answer {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let mut request = Request::builder().method(method).uri(path);
    if !content_type.is_empty() {
        request = request.header(header::CONTENT_TYPE, content_type);
    }
    ada.send(request.body(body.into()).unwrap()).await
}

#[rstest]
#[case::blank(json!({ "title": "  " }), "title", "blank")]
#[case::long(json!({ "title": "x".repeat(256) }), "title", "too_long")]
#[case::null_in_title(json!({ "title": "a\0b" }), "title", "control_character")]
#[case::null_in_content(json!({ "title": "a", "content": "a\0b" }), "content", "control_character")]
#[case::too_large(json!({ "title": "a", "content": "x".repeat(10 * 1024 * 1024 + 1) }), "content", "too_large")]
#[case::kind(json!({ "title": "a", "kind": "pdf" }), "kind", "invalid")]
#[case::json(json!({ "title": "a", "kind": "json", "content": "{\n}x" }), "content", "invalid_json")]
#[case::unknown_field(json!({ "title": "a", "colour": "red" }), "colour", "invalid")]
#[case::missing_title(json!({ "content": "a" }), "title", "required")]
#[case::wrong_type(json!({ "title": 1 }), "title", "invalid")]
#[case::list(json!(["a", "text"]), "body", "invalid")]
#[case::invisible(json!({ "title": "\u{200b}\u{feff}" }), "title", "blank")]
#[tokio::test]
async fn rejects_an_invalid_document_field(
    #[case] body: Value,
    #[case] field: &str,
    #[case] code: &str,
) {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    ada.post("/api/v1/documents", &body).await.refused_field(field, code);
}

#[rstest]
#[case::no_json("{", 400, "malformed_body")]
#[case::not_utf8(b"{\"title\":\"\xff\"}".as_slice(), 400, "malformed_body")]
#[case::deep(format!("{}{}", "[".repeat(2_000), "]".repeat(2_000)), 400, "malformed_body")]
#[case::empty("", 400, "malformed_body")]
#[tokio::test]
async fn rejects_a_body_that_is_not_json(
    #[case] body: impl Into<Body>,
    #[case] status: u16,
    #[case] code: &str,
) {
    raw("POST", "/api/v1/documents", "application/json", body).await.refused(status, code);
}

#[rstest]
#[case("text/plain")]
#[case("")]
#[tokio::test]
async fn rejects_other_content_types(#[case] content_type: &str) {
    raw("POST", "/api/v1/documents", content_type, "{}")
        .await
        .refused(415, "unsupported_media_type");
}

#[rstest]
#[case("/api/v1/documents?pageSize=0", "pageSize", "out_of_range")]
#[case("/api/v1/documents?pageSize=101", "pageSize", "out_of_range")]
#[case("/api/v1/documents?page=0", "page", "out_of_range")]
#[case("/api/v1/documents?page=-1", "page", "invalid")]
#[case("/api/v1/documents?page=1e3", "page", "invalid")]
#[case("/api/v1/documents?sort=size", "sort", "invalid")]
#[case("/api/v1/documents?cursor=abc", "cursor", "invalid")]
#[case("/api/v1/documents?owner=me", "owner", "invalid")]
#[case("/api/v1/documents?tag=plans", "tag", "unsupported")]
#[case("/api/v1/documents?workspace=1", "workspace", "unsupported")]
#[case("/api/v1/documents?query=%00", "query", "control_character")]
#[case("/api/v1/documents/not-a-uuid", "id", "invalid_id")]
#[case("/api/v1/documents/00000000-0000-7000-8000-000000000001/versions/x", "n", "invalid_number")]
#[tokio::test]
async fn rejects_invalid_path_and_query_values(
    #[case] path: &str,
    #[case] field: &str,
    #[case] code: &str,
) {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = if path.contains("00000000-0000") {
        format!("{}/versions/x", ada.create("").await)
    } else {
        path.to_owned()
    };
    ada.get(&path).await.refused_field(field, code);
}

#[rstest]
#[case("?sort=size", "sort", "“size” is not allowed; use updated, created or title.")]
#[case("?include_deleted=maybe", "includeDeleted", "Use true or false.")]
#[case("?page_size=ten", "pageSize", "Use a whole number, 1 or more.")]
#[case("?page=-1", "page", "Use a whole number, 1 or more.")]
#[case("?limit=x", "limit", "Use a whole number, 1 or more.")]
#[case("?page=4294967296", "page", "This number is too large.")]
#[case("?owner=me", "owner", "This is not a UUID.")]
#[tokio::test]
async fn says_what_a_query_may_contain(
    #[case] query: &str,
    #[case] field: &str,
    #[case] message: &str,
) {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let answer = ada.get(&format!("/api/v1/documents{query}")).await;
    assert_eq!(answer.refused_field(field, "invalid"), message);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    raw("GET", "/api/v1/nonsense", "", "").await.refused(404, "not_found");
    raw("GET", "/api/nonsense", "", "").await.refused(404, "not_found");
    raw("PUT", "/api/v1/documents", "", "").await.refused(405, "method_not_allowed");
}

#[tokio::test]
async fn both_api_prefixes_share_the_routes() {
    assert_eq!(raw("GET", "/api/documents", "", "").await.status, 200);
}

#[tokio::test]
async fn rejects_a_write_from_another_site() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let headers = [("Origin", "https://evil.example"), ("Host", "localhost:7999")];
    let answer = ada.json("POST", "/api/v1/documents", &headers, &json!({ "title": "x" })).await;
    answer.refused(403, "foreign_origin");
}

#[tokio::test]
async fn limits_the_idempotency_key_length() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let key = "k".repeat(256);
    let headers = [("Idempotency-Key", key.as_str())];
    let answer = ada.json("POST", "/api/v1/documents", &headers, &json!({ "title": "x" })).await;
    answer.refused_field("Idempotency-Key", "invalid");
}

#[tokio::test]
async fn checks_sign_in_before_the_body() {
    let app = TestApp::new().await;
    let request = Request::post("/api/v1/documents").body(Body::from("{")).unwrap();
    app.anonymous().send(request).await.refused(401, "unauthenticated");
}
