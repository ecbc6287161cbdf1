//! Calls of API.md used by the measurements.

use super::{Connection, request};
use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use izanagi_shared::{
    id::DocumentId,
    wire::{CreateDocumentRequest, DocumentView, OpAnswer, OpRequest, UpdatesView},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::net::SocketAddr;

/// The part of the sign-up response that is used here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignedUp {
    access_token: String,
    user: SignedUpUser,
}

#[derive(Deserialize)]
struct SignedUpUser {
    id: String,
}

/// A signed-in user with a dedicated connection.
#[derive(Debug)]
pub(crate) struct Session {
    connection: Connection,
    /// Header lines sent with every request.
    headers: String,
    token: String,
    user: String,
}

impl Session {
    /// Signs up a new user.
    pub(crate) async fn sign_up(address: SocketAddr, name: &str) -> Result<Self> {
        let headers = "content-type: application/json\r\n".to_owned();
        let connection = Connection::open(address).await?;
        let mut session = Self { connection, headers, token: String::new(), user: String::new() };
        let account = serde_json::json!({
            "username": name,
            "email": format!("{name}@example.org"),
            "password": "green ideas sleep furiously",
        });
        let answer: SignedUp = session.call("POST", "/api/v1/auth/signup", &account).await?;
        session.headers += &format!("authorization: Bearer {}\r\n", answer.access_token);
        session.token = answer.access_token;
        session.user = answer.user.id;
        Ok(session)
    }

    /// Opens another connection of the same user, perhaps to a restarted server.
    pub(crate) async fn at(&self, address: SocketAddr) -> Result<Self> {
        let connection = Connection::open(address).await?;
        let (headers, token, user) = (self.headers.clone(), self.token.clone(), self.user.clone());
        Ok(Self { connection, headers, token, user })
    }

    /// Returns the access token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Returns the user's id.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// Sends a PUT request without content to a path below `/api/v1`.
    pub(crate) async fn put(&mut self, path: &str) -> Result<()> {
        let request = request("PUT", &format!("/api/v1{path}"), &self.headers, b"");
        self.connection.send(&request).await?.ok().context(path.to_owned())?;
        Ok(())
    }

    /// Creates a document.
    pub(crate) async fn create(&mut self, content: &str) -> Result<DocumentId> {
        let request = CreateDocumentRequest {
            title: "Notes".to_owned(),
            content: Some(content.to_owned()),
            ..CreateDocumentRequest::default()
        };
        let document: DocumentView = self.call("POST", "/api/v1/documents", &request).await?;
        Ok(document.id)
    }

    /// Returns the full CRDT state of a document.
    pub(crate) async fn state(&mut self, id: DocumentId) -> Result<Vec<u8>> {
        let path = format!("/api/v1/documents/{id}/updates");
        let updates: UpdatesView = serde_json::from_slice(&self.get(&path, "").await?.ok()?)?;
        Ok(STANDARD.decode(updates.delta_b64)?)
    }

    /// Returns the text of a document.
    pub(crate) async fn text(&mut self, id: DocumentId) -> Result<String> {
        let body = self.get(&format!("/api/v1/documents/{id}/content"), "").await?.ok()?;
        Ok(String::from_utf8(body)?)
    }

    /// Builds the request that sends an update.
    pub(crate) fn op_request(&self, id: DocumentId, op_id: &str, delta: &[u8]) -> Result<Vec<u8>> {
        let (op_id, delta_b64) = (op_id.to_owned(), STANDARD.encode(delta));
        let op = OpRequest { op_id, delta_b64, lineage: None };
        let path = format!("/api/v1/documents/{id}/ops");
        Ok(request("POST", &path, &self.headers, &serde_json::to_vec(&op)?))
    }

    /// Sends an update and returns its sequence number once it is durable.
    pub(crate) async fn send_op(&mut self, request: &[u8]) -> Result<u64> {
        let body = self.connection.send(request).await?.ok()?;
        let answer: OpAnswer = serde_json::from_slice(&body)?;
        ensure!(!answer.pending, "update {} waits for another one", answer.seq);
        Ok(answer.seq)
    }

    /// Sends a GET request with additional headers.
    pub(crate) async fn get(&mut self, path: &str, headers: &str) -> Result<super::Response> {
        let headers = format!("{}{headers}", self.headers);
        self.connection.send(&request("GET", path, &headers, b"")).await.context(path.to_owned())
    }

    /// Builds the request that replaces a document's text, whatever it is now.
    pub(crate) fn put_request(&self, id: DocumentId, content: &str) -> Result<Vec<u8>> {
        let headers = format!("{}if-match: *\r\n", self.headers);
        let body = serde_json::to_vec(&serde_json::json!({ "content": content }))?;
        Ok(request("PUT", &format!("/api/v1/documents/{id}"), &headers, &body))
    }

    /// Builds a GET request.
    pub(crate) fn get_request(&self, path: &str) -> Vec<u8> {
        request("GET", path, &self.headers, b"")
    }

    /// Sends a request built before.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<super::Response> {
        self.connection.send(request).await
    }

    /// Posts to a path below `/api/v1`.
    pub(crate) async fn post(&mut self, path: &str, body: &impl Serialize) -> Result<()> {
        let _: serde_json::Value = self.call("POST", &format!("/api/v1{path}"), body).await?;
        Ok(())
    }

    async fn call<T: DeserializeOwned>(
        &mut self,
        method: &str,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T> {
        let request = request(method, path, &self.headers, &serde_json::to_vec(body)?);
        let body = self.connection.send(&request).await?.ok().context(path.to_owned())?;
        Ok(serde_json::from_slice(&body)?)
    }
}
