//! Request log (PRODUCT O5).

use crate::support::TestApp;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use izanagi::{config::LogConfig, logging};
use izanagi_shared::crdt::{Change, TextDoc};
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};
use tracing::{Dispatch, subscriber::NoSubscriber};

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
    /// Returns the log line written when the request was answered.
    fn answered(&self, request_id: &str) -> Value {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut found = lines.filter(|line| line["span"]["requestId"] == request_id);
        let line = found.find(|line| line["message"] == "answered");
        line.unwrap_or_else(|| panic!("no line for {request_id}: {text}"))
    }
}

#[tokio::test]
async fn logs_user_document_and_operation() {
    let captured = Captured::default();
    let writer = captured.clone();
    let config = LogConfig { filter: "info".to_owned(), json: true };
    let dispatch = logging::dispatch(&config, move || writer.clone()).unwrap();
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
