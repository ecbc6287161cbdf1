//! The responses of the API as a whole: any change of a field shows in a snapshot beside this file.
//! After an intended change, run the test with `INSTA_UPDATE=always` and review the difference.

use crate::support::{Answer, TestApp};
use serde_json::{Value, json};

/// Fields that differ in each run.
const RANDOM: [&str; 8] = [
    "accessToken",
    "refreshToken",
    "chainHash",
    "deltaB64",
    "stateB64",
    "lineage",
    "requestId",
    "ip",
];

/// Replaces ids, times and random values by what they are.
fn normal(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let field = |(name, value): (String, Value)| {
                let is_random = RANDOM.contains(&name.as_str()) && value.is_string();
                let value = if is_random { json!(format!("[{name}]")) } else { normal(value) };
                (name, value)
            };
            fields.into_iter().map(field).collect()
        }
        Value::Array(items) => items.into_iter().map(normal).collect(),
        Value::String(text) if uuid::Uuid::try_parse(&text).is_ok() => json!("[id]"),
        Value::String(text) if is_time(&text) => json!("[time]"),
        other => other,
    }
}

/// Whether a text is a time of RFC 3339 in UTC.
fn is_time(text: &str) -> bool {
    text.len() >= 20 && text.as_bytes()[10] == b'T' && text.ends_with('Z')
}

fn check(name: &str, status: u16, answer: &Answer) {
    assert_eq!(answer.status, status, "{name}: {}", answer.text());
    insta::assert_json_snapshot!(name, normal(answer.json()));
}

#[tokio::test]
async fn responses_have_exactly_these_fields() {
    let app = TestApp::new().await;
    let account = json!({
        "email": "ada@example.org", "password": "correct horse battery", "username": "ada",
    });
    check("sign-up", 201, &app.anonymous().post("/api/v1/auth/signup", &account).await);
    let login = json!({ "login": "ada", "password": "correct horse battery" });
    let signed_in = app.anonymous().post("/api/v1/auth/login", &login).await;
    check("sign-in", 200, &signed_in);
    let token = signed_in.json()["accessToken"].as_str().unwrap().to_owned();
    let ada = app.anonymous().with_token(&token);
    check("me", 200, &ada.get("/api/v1/me").await);
    check("sessions", 200, &ada.get("/api/v1/auth/sessions").await);

    let body = json!({ "title": "Plan", "content": "one\ntwo\n", "description": "for all" });
    let created = ada.post("/api/v1/documents", &body).await;
    check("document-created", 201, &created);
    let path = format!("/api/v1/documents/{}", created.json()["id"].as_str().unwrap());
    check("document", 200, &ada.get(&path).await);
    check("documents", 200, &ada.get("/api/v1/documents").await);
    check("owners", 200, &ada.get(&format!("{path}/owners")).await);
    check("updates", 200, &ada.get(&format!("{path}/updates")).await);
    let committed = ada.post(&format!("{path}/versions"), &json!({ "message": "first" })).await;
    check("version-committed", 201, &committed);
    ada.write(&path, "one\n2\n").await;
    check("versions", 200, &ada.get(&format!("{path}/versions")).await);
    check("version", 200, &ada.get(&format!("{path}/versions/1")).await);
    check("comparison", 200, &ada.get(&format!("{path}/diff?from=1&to=live")).await);
    check("edits", 200, &ada.get(&format!("{path}/edits")).await);
    check("replay", 200, &ada.get(&format!("{path}/edits/replay")).await);
    check("edit-sessions", 200, &ada.get(&format!("{path}/edits/sessions")).await);

    let stale = ada.json("PUT", &path, &[("If-Match", "\"0\"")], &json!({ "content": "x" })).await;
    check("stale", 412, &stale);
    check("invalid", 422, &ada.patch(&path, &json!({ "title": "" })).await);
    check(
        "not-found",
        404,
        &ada.get("/api/v1/documents/00000000-0000-0000-0000-000000000000").await,
    );
    check("unauthenticated", 401, &app.anonymous().get("/api/v1/me").await);
}
