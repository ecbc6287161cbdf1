//! What strangers get of a public document: its text, and nothing that was taken out of it.

use crate::support::{Answer, Client, TestApp};
use axum::{
    body::Body,
    http::{Request, header},
};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use izanagi_shared::crdt::{Change, TextDoc};
use leptos::server_fn::axum::server_fn_paths;
use serde_json::json;

const SECRET: &str = "xyzzy-planted-and-taken-out";

/// Whether bytes contain the secret, in plain or in base64.
fn shows_secret(bytes: &[u8]) -> bool {
    let contains = |bytes: &[u8]| bytes.windows(SECRET.len()).any(|w| w == SECRET.as_bytes());
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, config);
    let is_encoded = |run: &[u8]| {
        let run: Vec<u8> = run
            .iter()
            .map(|byte| match byte {
                b'-' => b'+',
                b'_' => b'/',
                other => *other,
            })
            .collect();
        (0..4.min(run.len())).any(|start| {
            let run = &run[start..];
            let whole = &run[..run.len() - run.len() % 4];
            engine.decode(whole).is_ok_and(|decoded| contains(&decoded))
        })
    };
    contains(bytes) || bytes.split(|byte| !is_base64(byte)).any(is_encoded)
}

fn assert_without_secret(answer: &Answer, what: &str) {
    assert!(!shows_secret(&answer.body), "{what}: {}", answer.text());
    for (name, value) in &answer.headers {
        assert!(!shows_secret(value.as_bytes()), "{what}: {name}");
    }
}

/// Creates a public document that contained the secret in every way it could.
async fn with_taken_out_secret(owner: &Client) -> String {
    let created =
        json!({ "title": format!("About {SECRET}"), "content": format!("# Plan\n\n{SECRET}\n") });
    let created = owner.post("/api/v1/documents", &created).await.json();
    let path = format!("/api/v1/documents/{}", created["id"].as_str().unwrap());
    owner.commit(&path, &format!("with {SECRET}")).await;
    owner.patch(&format!("{path}/versions/1"), &json!({ "name": SECRET })).await;
    // Typed, and taken out again, by someone else's replica.
    let state = owner.get(&format!("{path}/updates")).await.json();
    let state = decode(state["deltaB64"].as_str().unwrap());
    let mut replica = TextDoc::load(77, &state).unwrap();
    let typed = replica.edit(&[Change { from: 0, to: 0, insert: format!("typed {SECRET} ") }]);
    let length = u32::try_from("typed ".len() + SECRET.len()).unwrap();
    let taken_out = replica.edit(&[Change { from: 2, to: length, insert: String::new() }]);
    for (op_id, delta) in [("typed", typed), ("taken out", taken_out)] {
        let op = json!({ "opId": op_id, "deltaB64": encode(&delta) });
        assert_eq!(owner.post(&format!("{path}/ops"), &op).await.status, 200);
    }
    owner.write(&path, "# Plan\n\npublic\n").await;
    owner.commit(&path, "without").await;
    // Waits for an update that does not come.
    let mut lost = TextDoc::new(78);
    lost.edit(&[Change { from: 0, to: 0, insert: "lost".to_owned() }]);
    let waits = lost.edit(&[Change { from: 0, to: 0, insert: SECRET.to_owned() }]);
    let op = json!({ "opId": "waits", "deltaB64": encode(&waits) });
    assert_eq!(owner.post(&format!("{path}/ops"), &op).await.json()["pending"], true);
    owner.patch(&path, &json!({ "title": "About", "isPublic": true })).await;
    path
}

fn encode(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

/// All addresses below a document, with methods: the API's, the pages', and the server functions'.
fn addresses(id: &str, user: &str) -> Vec<(String, String)> {
    let mut addresses = Vec::new();
    let description = serde_json::to_value(izanagi::router::openapi_document()).unwrap();
    for (path, item) in description["paths"].as_object().unwrap() {
        let versions = if path.contains("{n}") { vec!["1", "2", "3"] } else { vec![""] };
        for (method, number) in
            item.as_object().unwrap().keys().flat_map(|method| {
                versions.iter().map(move |number| (method.to_uppercase(), *number))
            })
        {
            let path = path.replace("{userId}", user).replace("{n}", number).replace("{id}", id);
            let queries: &[&str] = match path.rsplit('/').next() {
                Some("diff") => &[
                    "?from=0&to=1",
                    "?from=1&to=live",
                    "?from=1&to=2&format=unified",
                    "?from=live&to=live&context=9",
                ],
                Some("export") => {
                    &["", "?format=md", "?format=html", "?format=json", "?format=txt"]
                }
                Some("updates") => {
                    &["", "?since=0", "?since=1&stateVector=AA", "?stateVector=AUMB"]
                }
                Some("edits") => &["", "?from=1&to=9"],
                Some("checkpoint" | "text") => &["?seq=0", "?seq=1", "?seq=3"],
                _ => &[""],
            };
            addresses
                .extend(queries.iter().map(|query| (method.clone(), format!("{path}{query}"))));
        }
    }
    let pages = [
        "",
        "/read",
        "/history",
        "/history?page=1",
        "/timeline",
        "/timeline?at=1",
        "/versions/1",
        "/versions/2?plain=1",
        "/compare?from=1&to=2",
        "/compare?from=0&to=live",
        "/compare",
    ];
    addresses.extend(pages.map(|page| ("GET".to_owned(), format!("/documents/{id}{page}"))));
    for page in ["/", "/documents", "/trash", "/settings/sessions"] {
        addresses.push(("GET".to_owned(), page.to_owned()));
    }
    for (path, method) in server_fn_paths() {
        let query = format!(
            "id={id}&number=1&plain=true&page=1&from=0&to=1&ignore_whitespace=false&query=a&sort=updated\
             &in_trash=false&title=a&message=a&name=a&kind=markdown"
        );
        addresses.push((method.to_string(), format!("{path}?{query}")));
    }
    addresses
}

async fn ask(client: &Client, method: &str, address: &str, accept: &str) -> Answer {
    let request = Request::builder().method(method).uri(address).header(header::ACCEPT, accept);
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let request = match (method, path.starts_with("/fn/")) {
        ("GET" | "HEAD" | "DELETE", _) => request.body(Body::empty()),
        (_, true) => request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(query.to_owned())),
        (_, false) => request
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::IF_MATCH, "*")
            .body(Body::from(r#"{"opId":"1","deltaB64":"AAA=","content":"mine"}"#)),
    };
    client.send(request.unwrap()).await
}

#[tokio::test]
async fn no_answer_to_a_stranger_contains_what_was_taken_out() {
    for (is_stored, is_history_moved) in [(false, false), (true, false), (true, true)] {
        let app = TestApp::new().await;
        let (owner, stranger) = (app.sign_up("owner").await, app.sign_up("stranger").await);
        let path = with_taken_out_secret(&owner).await;
        let id = path.rsplit('/').next().unwrap();
        if is_stored {
            app.running.services.documents.persist(id.parse().unwrap()).await.unwrap();
        }
        if is_history_moved {
            owner.write(&path, "# Plan\n\npublic again\n").await;
            app.running.services.documents.persist(id.parse().unwrap()).await.unwrap();
        }
        // The owner still finds it in many places, so the search works.
        let mut found = 0;
        for (method, address) in addresses(id, &owner.user) {
            if method == "GET" {
                found +=
                    usize::from(shows_secret(&ask(&owner, &method, &address, "*/*").await.body));
            }
        }
        assert!(found > 10, "{found}");
        for client in [&app.anonymous(), &stranger] {
            for (method, address) in addresses(id, &owner.user) {
                for accept in ["application/json", "text/html"] {
                    let answer = ask(client, &method, &address, accept).await;
                    assert_without_secret(
                        &answer,
                        &format!("{method} {address} {:?}", client.user),
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn strangers_read_a_public_text_without_its_history() {
    let app = TestApp::new().await;
    let (owner, stranger) = (app.sign_up("owner").await, app.sign_up("stranger").await);
    let path = owner.create("open").await;
    owner.commit(&path, "").await;
    owner.patch(&path, &json!({ "isPublic": true })).await;
    let anonymous = app.anonymous();
    for below in ["/versions", "/versions/1", "/versions/1/content", "/versions/1/export"] {
        stranger.get(&format!("{path}{below}")).await.refused(403, "forbidden");
        anonymous.get(&format!("{path}{below}")).await.refused(401, "unauthenticated");
        assert_eq!(owner.get(&format!("{path}{below}")).await.status, 200);
    }
    let diff = format!("{path}/diff?from=0&to=live");
    stranger.get(&diff).await.refused(403, "forbidden");
    anonymous.get(&diff).await.refused(401, "unauthenticated");
    let page = path.trim_start_matches("/api/v1");
    let html = |client: Client, below: &'static str| {
        let address = format!("{page}{below}");
        async move { ask(&client, "GET", &address, "text/html").await }
    };
    for below in ["/history", "/versions/1", "/compare?from=0&to=1"] {
        assert_eq!(html(stranger.clone(), below).await.status, 403, "{below}");
        let to_sign_in = html(anonymous.clone(), below).await;
        assert_eq!(to_sign_in.status, 303, "{below}");
        assert!(to_sign_in.header("location").starts_with("/login?next="), "{below}");
    }
    let link = format!("{page}/history");
    for (client, is_linked) in [(&owner, true), (&stranger, false), (&anonymous, false)] {
        let reading = html(client.clone(), "/read").await;
        assert_eq!(reading.status, 200);
        assert_eq!(reading.text().contains(&link), is_linked, "{:?}", client.user);
    }
}
