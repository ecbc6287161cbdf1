//! Authorisation matrix: every route × every kind of caller. A route without a row fails the test.

use crate::support::{Client, TestApp};
use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Method and path in the OpenAPI document; the expected status for an anonymous caller, a stranger,
/// the owner and a deactivated user; and for the first two if the document is public. An authorised request may still fail for other
/// reasons; such a status counts as allowed.
const ROWS: &[(&str, &str, [u16; 4], [u16; 2])] = &[
    ("post", "/api/v1/auth/signup", [422, 422, 422, 422], [422, 422]),
    ("post", "/api/v1/auth/login", [401, 401, 401, 401], [401, 401]),
    ("post", "/api/v1/auth/refresh", [401, 401, 401, 401], [401, 401]),
    ("post", "/api/v1/auth/logout", [204, 204, 204, 204], [204, 204]),
    ("post", "/api/v1/auth/logout-all", [401, 204, 204, 401], [401, 204]),
    ("get", "/api/v1/auth/sessions", [401, 200, 200, 401], [401, 200]),
    ("delete", "/api/v1/auth/sessions/{id}", [401, 404, 404, 401], [401, 404]),
    ("get", "/api/v1/me", [401, 200, 200, 401], [401, 200]),
    ("patch", "/api/v1/me", [401, 200, 200, 401], [401, 200]),
    ("delete", "/api/v1/me", [401, 204, 204, 401], [401, 204]),
    ("get", "/api/v1/documents", [401, 200, 200, 401], [401, 200]),
    ("post", "/api/v1/documents", [401, 201, 201, 401], [401, 201]),
    ("post", "/api/v1/documents/upload", [401, 415, 415, 401], [401, 415]),
    ("get", "/api/v1/documents/{id}", [401, 404, 200, 401], [200, 200]),
    ("put", "/api/v1/documents/{id}", [401, 404, 428, 401], [401, 403]),
    ("patch", "/api/v1/documents/{id}", [401, 404, 200, 401], [401, 403]),
    ("delete", "/api/v1/documents/{id}", [401, 404, 204, 401], [401, 403]),
    ("get", "/api/v1/documents/{id}/content", [401, 404, 200, 401], [200, 200]),
    ("get", "/api/v1/documents/{id}/html", [401, 404, 200, 401], [200, 200]),
    ("get", "/api/v1/documents/{id}/export", [401, 404, 200, 401], [200, 200]),
    ("get", "/api/v1/documents/{id}/owners", [401, 404, 200, 401], [200, 200]),
    ("put", "/api/v1/documents/{id}/owners/{userId}", [401, 404, 404, 401], [401, 403]),
    ("delete", "/api/v1/documents/{id}/owners/{userId}", [401, 404, 404, 401], [401, 403]),
    ("post", "/api/v1/documents/{id}/ops", [401, 404, 422, 401], [401, 403]),
    ("post", "/api/v1/documents/{id}/lost-words", [401, 404, 422, 401], [401, 403]),
    ("get", "/api/v1/documents/{id}/updates", [401, 404, 200, 401], [200, 200]),
    ("get", "/api/v1/documents/{id}/edits", [401, 404, 200, 401], [401, 403]),
    ("get", "/api/v1/documents/{id}/edits/checkpoint", [401, 404, 422, 401], [401, 403]),
    ("get", "/api/v1/documents/{id}/edits/replay", [401, 404, 200, 401], [401, 403]),
    ("post", "/api/v1/documents/{id}/edits/restore", [401, 404, 422, 401], [401, 403]),
    ("get", "/api/v1/documents/{id}/edits/sessions", [401, 404, 200, 401], [401, 403]),
    ("get", "/api/v1/documents/{id}/edits/text", [401, 404, 422, 401], [401, 403]),
    ("post", "/api/v1/documents/{id}/versions", [401, 404, 201, 401], [401, 403]),
    ("get", "/api/v1/documents/{id}/versions", [401, 404, 200, 401], [401, 403]),
    ("get", "/api/v1/documents/{id}/versions/{n}", [401, 404, 200, 401], [401, 403]),
    ("get", "/api/v1/documents/{id}/versions/{n}/content", [401, 404, 200, 401], [401, 403]),
    ("get", "/api/v1/documents/{id}/versions/{n}/export", [401, 404, 200, 401], [401, 403]),
    ("patch", "/api/v1/documents/{id}/versions/{n}", [401, 404, 422, 401], [401, 403]),
    ("post", "/api/v1/documents/{id}/versions/{n}/restore", [401, 404, 201, 401], [401, 403]),
    ("get", "/api/v1/documents/{id}/diff", [401, 404, 422, 401], [401, 403]),
];

/// Returns a body that is sufficient to reach the authorisation check.
fn body(path: &str) -> Value {
    match path {
        "/api/v1/auth/login" => json!({ "login": "nobody", "password": "x" }),
        "/api/v1/documents" => json!({ "title": "x" }),
        path if path.ends_with("/ops") => json!({ "opId": "1", "deltaB64": "" }),
        path if path.ends_with("/signup") => json!({ "email": "", "password": "" }),
        path if path.ends_with("/{n}") => json!({ "name": "" }),
        _ => json!({}),
    }
}

async fn ask(client: &Client, method: &str, path: &str, document: &str) -> u16 {
    let unknown = "00000000-0000-7000-8000-000000000000";
    let id = if path.contains("/sessions/") { unknown } else { document };
    let uri = path.replace("{id}", id).replace("{userId}", unknown).replace("{n}", "1");
    let request = Request::builder().method(method.to_uppercase().as_str()).uri(uri);
    let request = request.header(header::CONTENT_TYPE, "application/json");
    let sends = !matches!(method, "get" | "delete");
    let body = if sends { Body::from(body(path).to_string()) } else { Body::empty() };
    client.send(request.body(body).unwrap()).await.status.as_u16()
}

#[tokio::test]
async fn statuses_match_the_table_and_openapi() {
    let description = serde_json::to_value(izanagi::router::openapi_document()).unwrap();
    for (method, path, of_private, of_public) in ROWS {
        let known = &description["paths"][path][method]["responses"];
        let app = TestApp::new().await;
        let owner = app.sign_up("owner").await;
        let (stranger, deactivated) =
            (app.sign_up("stranger").await, app.sign_up("deactivated").await);
        app.running.services.accounts.set_active("deactivated", false).await.unwrap();
        let (private, public) = (a_document(&owner).await, a_document(&owner).await);
        owner.patch(&format!("/api/v1/documents/{public}"), &json!({ "isPublic": true })).await;
        let anonymous = app.anonymous();
        // The public one first: some calls end the caller's sessions.
        let of_public = [&anonymous, &stranger].into_iter().zip(of_public);
        let of_private = [&anonymous, &stranger, &owner, &deactivated].into_iter().zip(of_private);
        let public = of_public.map(|(client, expected)| (client, &public, expected));
        let private = of_private.map(|(client, expected)| (client, &private, expected));
        let is_about_a_document = path.contains("/documents/{id}");
        for (client, document, expected) in public.filter(|_| is_about_a_document).chain(private) {
            let got = ask(client, method, path, document).await;
            assert_eq!(got, *expected, "{method} {path} as {:?}", client.user);
            assert!(
                known[got.to_string()].is_object(),
                "{method} {path} does not document status {got}"
            );
        }
    }
}

/// Creates a document with a version and returns its id.
async fn a_document(owner: &Client) -> String {
    let path = owner.create("text").await;
    owner.commit(&path, "").await;
    owner.write(&path, "newer").await;
    path.rsplit('/').next().unwrap().to_owned()
}

#[test]
fn every_route_has_a_matrix_row() {
    let document = serde_json::to_value(izanagi::router::openapi_document()).unwrap();
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            routes.insert((method.clone(), path.clone()));
        }
    }
    let rows: BTreeSet<_> =
        ROWS.iter().map(|(method, path, ..)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(routes, rows);
}
