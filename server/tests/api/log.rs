//! Request log (PRODUCT O5).

use crate::support::TestApp;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use izanagi::{config::LogConfig, logging};
use izanagi_domain::{
    accounts::{PasswordHash, Role},
    storage::User,
};
use izanagi_shared::{
    crdt::{Change, TextDoc},
    id::UserId,
    time::Timestamp,
};
use izanagi_storage::StorageConfig;
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};
use tracing::{Dispatch, subscriber::NoSubscriber};
use uuid::Uuid;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Captured {
    /// Returns all lines.
    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Returns the log line written when the request was answered.
    fn answered(&self, request_id: &str) -> Value {
        let mut found = self.lines().into_iter().filter(|line| line["message"] == "answered");
        let line = found.find(|line| line["span"]["requestId"] == request_id);
        line.unwrap_or_else(|| panic!("no line for {request_id}: {:?}", self.lines()))
    }
}

/// Returns a log subscriber and what it will have written.
fn capture() -> (Captured, Dispatch) {
    let captured = Captured::default();
    let writer = captured.clone();
    let config = LogConfig { filter: "info".to_owned(), json: true };
    let dispatch = logging::dispatch(&config, move || writer.clone()).unwrap();
    (captured, dispatch)
}

#[tokio::test]
async fn a_client_cannot_fill_the_log_with_failures() {
    let (captured, dispatch) = capture();
    let _second = Dispatch::new(NoSubscriber::default());
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    app.running.close_stores().await;
    let guard = tracing::dispatcher::set_default(&dispatch);
    for _ in 0..50 {
        ada.get("/api/v1/documents").await.refused(503, "unavailable");
    }
    drop(guard);
    let lines = captured.lines();
    let at = |level: &str| lines.iter().filter(|line| line["level"] == level).count();
    assert_eq!(at("ERROR"), 0, "{lines:?}");
    // Ten at once and one a second, however long this takes; other tests share the limit.
    assert!(at("WARN") < 50, "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line["message"] == "answered").count(), 50);
}

#[tokio::test]
async fn an_internal_error_is_logged_once() {
    let (captured, dispatch) = capture();
    let _second = Dispatch::new(NoSubscriber::default());
    let mut database = None;
    let app = TestApp::with(|config| {
        config.storage.users.url = None;
        database = Some(config.database());
    })
    .await;
    let user = User {
        id: UserId(Uuid::from_u128(1)),
        username: "ada".to_owned(),
        email: "ada@example.org".to_owned(),
        display_name: "Ada".to_owned(),
        bio: String::new(),
        role: Role::User,
        password_hash: PasswordHash::from_stored("not a hash"),
        created_at: Timestamp::default(),
        last_login_at: None,
        deactivated_at: None,
    };
    let opened = izanagi_storage::open(&StorageConfig::new(database.unwrap())).await.unwrap();
    opened.stores.relational.users.create(&user).await.unwrap();
    opened.close().await;
    let guard = tracing::dispatcher::set_default(&dispatch);
    let login = json!({ "login": "ada", "password": "calm and long enough" });
    let failed = app.anonymous().post("/api/v1/auth/login", &login).await;
    drop(guard);
    failed.refused(500, "internal");
    let lines = captured.lines();
    let errors: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    let [error] = errors[..] else { panic!("{errors:?}") };
    assert_eq!(error["message"], "request failed");
    assert_eq!(error["span"]["requestId"], failed.header("x-request-id"));
}

#[tokio::test]
async fn logs_user_document_and_operation() {
    let (captured, dispatch) = capture();
    // With a single subscriber, tracing caches whether a call site is enabled as seen by the first
    // thread that reaches it; other tests run on threads without a subscriber.
    let _second = Dispatch::new(NoSubscriber::default());
    let _guard = tracing::dispatcher::set_default(&dispatch);

    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("").await;
    let delta = TextDoc::new(11).edit(&[Change { from: 0, to: 0, insert: "typed".to_owned() }]);
    let op = json!({ "opId": "op-1", "deltaB64": STANDARD.encode(delta) });
    let answer = ada.post(&format!("{path}/ops?token=secret"), &op).await;
    assert_eq!(answer.status, 200, "{}", answer.text());

    let line = captured.answered(answer.header("x-request-id"));
    let span = &line["span"];
    assert_eq!(span["userId"], ada.user, "{line}");
    assert_eq!(path.rsplit('/').next(), span["docId"].as_str(), "{line}");
    assert_eq!((&span["opId"], &span["seq"]), (&json!("op-1"), &json!(1)), "{line}");
    assert!(!line.to_string().contains("secret"), "{line}");

    let anonymous = app.anonymous().get("/api/v1/documents/not-a-uuid").await;
    let line = captured.answered(anonymous.header("x-request-id"));
    assert_eq!((line["span"].get("userId"), line["span"].get("docId")), (None, None), "{line}");
}
