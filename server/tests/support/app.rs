//! Builder for an in-memory application, and clients that call its router.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, Response, StatusCode, header},
};
use http_body_util::BodyExt as _;
use izanagi::{AppState, config::Config, run::Running, site::Site};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// An application over in-memory stores.
pub(crate) struct TestApp {
    pub(crate) running: Running,
    router: Router,
    _home: TempDir,
}

/// A client: anonymous or with a token.
#[derive(Clone)]
pub(crate) struct Client {
    router: Router,
    token: Option<String>,
    pub(crate) user: String,
}

/// A received response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// Creates an application with modified settings.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let home = tempfile::tempdir().unwrap();
        let site = home.path().join("site");
        std::fs::create_dir_all(site.join("pkg/none")).unwrap();
        let mut config = Config { data_dir: home.path().join("data"), ..Config::default() };
        config.storage.users.url = Some("memory://".into());
        change(&mut config);
        let running = Running::open(&config).await.unwrap();
        let site = Site::find(Some(&site)).unwrap();
        let state = AppState::new(running.services.clone(), config, site);
        Self { running, router: izanagi::router::router(&state), _home: home }
    }

    pub(crate) fn anonymous(&self) -> Client {
        Client { router: self.router.clone(), token: None, user: String::new() }
    }

    /// Signs up a user and returns a client with its token.
    pub(crate) async fn sign_up(&self, name: &str) -> Client {
        let body = json!({ "email": format!("{name}@example.org"), "password": PASSWORD, "username": name });
        let answer = self.anonymous().post("/api/v1/auth/signup", &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let answer = answer.json();
        Client {
            router: self.router.clone(),
            token: Some(answer["accessToken"].as_str().unwrap().to_owned()),
            user: answer["user"]["id"].as_str().unwrap().to_owned(),
        }
    }
}

impl Client {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Request::delete(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.json("POST", path, &[], body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.json("PATCH", path, &[], body).await
    }

    /// Sends a request with a JSON body and additional headers.
    pub(crate) async fn json(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Uploads files as a browser submits a form.
    pub(crate) async fn upload(&self, files: &[(&str, &[u8])]) -> Answer {
        self.upload_to("/api/v1/documents/upload", &[], files).await
    }

    /// Uploads files to any path, with additional headers.
    pub(crate) async fn upload_to(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        files: &[(&str, &[u8])],
    ) -> Answer {
        let mut body = Vec::new();
        for (name, bytes) in files {
            let head = format!(
                "--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--frontier--\r\n");
        let mut request = Request::post(path)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=frontier");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Returns the same client with a different token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.open(request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Sends a request; the body of the response is not read yet.
    pub(crate) async fn open(&self, mut request: Request<Body>) -> Response<Body> {
        if let Some(token) = &self.token {
            let value = format!("Bearer {token}").parse().unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Creates a document owned by this client and returns its path.
    pub(crate) async fn create(&self, content: &str) -> String {
        let answer =
            self.post("/api/v1/documents", &json!({ "title": "Plan", "content": content })).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        format!("/api/v1/documents/{}", answer.json()["id"].as_str().unwrap())
    }

    pub(crate) async fn commit(&self, document: &str, message: &str) -> Value {
        let answer =
            self.post(&format!("{document}/versions"), &json!({ "message": message })).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    /// Replaces the text unconditionally.
    pub(crate) async fn write(&self, document: &str, content: &str) -> Answer {
        self.json("PUT", document, &[("If-Match", "*")], &json!({ "content": content })).await
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the value of a cookie set by this response.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let set = self.headers.get_all(header::SET_COOKIE).iter();
        let mut pairs =
            set.filter_map(|line| line.to_str().ok()?.split(';').next()?.split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts a problem document with this status and code.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert!(!problem["detail"].as_str().unwrap().is_empty());
        assert!(!problem["requestId"].as_str().unwrap().is_empty());
        problem
    }

    /// Asserts a 422 for this field and returns its message.
    #[track_caller]
    pub(crate) fn refused_field(&self, field: &str, code: &str) -> String {
        let problem = self.refused(422, "invalid");
        let errors = problem["errors"].as_array().unwrap();
        let error = errors.iter().find(|error| error["field"] == field);
        let error = error.unwrap_or_else(|| panic!("no error for {field}: {problem}"));
        assert_eq!(error["code"], code, "{problem}");
        error["message"].as_str().unwrap().to_owned()
    }
}
