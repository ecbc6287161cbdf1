//! Request body that the handler reads on demand.

use super::object;
use crate::{
    problem::{ApiError, ApiResult},
    slow_body::TooSlow,
};
use axum::{
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request},
    http::{HeaderMap, Method, Uri, header},
};
use axum_extra::headers::{ContentLength, HeaderMapExt as _};
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use izanagi_domain::{
    budget::{Budget, SMALL},
    documents::{RequestKey, Upload},
    error::Error,
};
use izanagi_shared::{id::UserId, problem::FieldError};
use serde::de::DeserializeOwned;
use std::{convert::Infallible, error::Error as StdError, time::Duration};
use tokio::time::Instant;
use tower_http::timeout::TimeoutError;

/// Maximum number of files per upload; each becomes a document.
const MAX_FILES: usize = 100;

/// Peak memory per byte of a JSON body, for the raw and the parsed body.
const JSON_FACTOR: usize = 2;

/// Peak memory per byte of uploaded files.
const UPLOAD_FACTOR: usize = 2;

/// A body of unknown length reserves memory in steps of this size.
const STEP: usize = 256 * 1024;

/// A body that reserves memory must arrive faster than this many bytes per second on average, not
/// counting its first seconds: others wait for the memory.
const SLOWEST: u64 = 8 * 1024;
const GRACE: Duration = Duration::from_secs(20);

/// A request whose body has not been read.
#[derive(Debug)]
pub(crate) struct LazyBody(Request);

impl<S: Sync> FromRequest<S> for LazyBody {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        Ok(Self(request))
    }
}

impl LazyBody {
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.0.headers()
    }

    /// Returns the `Idempotency-Key`, scoped to user, method and path.
    pub(crate) fn request_key(&self, user: UserId) -> ApiResult<RequestKey> {
        let Some(key) = self.0.headers().get("idempotency-key") else {
            return Ok(RequestKey::none());
        };
        let key = key.to_str().map_err(|_| {
            FieldError::new("Idempotency-Key", "invalid", "Use printable ASCII characters.")
        })?;
        let (method, uri): (&Method, &Uri) = (self.0.method(), self.0.uri());
        // `/api/…` and `/api/v1/…` are the same route.
        let path = uri.path().strip_prefix("/api/v1").unwrap_or(uri.path());
        let path = path.strip_prefix("/api").unwrap_or(path);
        Ok(RequestKey::new(user, method.as_str(), path, key)?)
    }

    /// Parses the body as JSON.
    pub(crate) async fn json<T: DeserializeOwned>(self, limit: usize) -> ApiResult<T> {
        self.require("application/json")?;
        let bytes = self.bytes(limit).await?;
        object::parse(&bytes)
    }

    /// Parses the body as JSON; returns the default if it is empty.
    pub(crate) async fn json_or_default<T: DeserializeOwned + Default>(
        self,
        limit: usize,
    ) -> ApiResult<T> {
        let has_type = self.headers().contains_key(header::CONTENT_TYPE);
        if has_type {
            self.require("application/json")?;
        }
        let bytes = self.bytes(limit).await?;
        if bytes.is_empty() { Ok(T::default()) } else { object::parse(&bytes) }
    }

    /// Reads the `file` parts of a form.
    pub(crate) async fn uploads(mut self, limit: usize) -> ApiResult<Vec<Upload>> {
        self.require("multipart/form-data")?;
        self.check_length(limit)?;
        let (budget, announced) = (self.budget()?, self.announced());
        DefaultBodyLimit::max(limit).apply(&mut self.0);
        let mut arriving = Arriving::new(budget, UPLOAD_FACTOR, announced).await?;
        let mut form = Multipart::from_request(self.0, &())
            .await
            .map_err(|rejection| Error::UnsupportedMediaType(rejection.body_text()))?;
        let mut uploads = Vec::new();
        while let Some(mut field) =
            form.next_field().await.map_err(|error| refuse(&error, limit))?
        {
            if field.name() != Some("file") {
                let name = field.name().unwrap_or_default().to_owned();
                let message = "Send files as parts named “file”.";
                return Err(FieldError::new(&name, "unknown_field", message).into());
            }
            let file_name = decode_file_name(field.file_name().unwrap_or_default());
            if uploads.len() == MAX_FILES {
                let message = format!(
                    "Upload at most {MAX_FILES} files at once; “{file_name}” exceeds this limit."
                );
                let error = FieldError::new("file", "too_many", message);
                return Err(error.with(&MAX_FILES).with(&file_name).into());
            }
            let mut bytes = Vec::new();
            while let Some(chunk) = field.chunk().await.map_err(|error| refuse(&error, limit))? {
                arriving.note(chunk.len()).await?;
                bytes.extend_from_slice(&chunk);
            }
            // A form submitted without a chosen file has one part without name and bytes.
            if !file_name.is_empty() || !bytes.is_empty() {
                uploads.push(Upload { file_name, bytes });
            }
        }
        Ok(uploads)
    }

    /// Rejects a body whose announced length exceeds the limit.
    fn check_length(&self, limit: usize) -> ApiResult<()> {
        if self.announced().unwrap_or_default() > limit { Err(too_large(limit)) } else { Ok(()) }
    }

    fn require(&self, expected: &'static str) -> ApiResult<()> {
        let given = self.headers().get(header::CONTENT_TYPE);
        let given = given.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = given.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case(expected) {
            return Ok(());
        }
        let message = if given.is_empty() {
            format!("Send the body as {expected} and say so in Content-Type.")
        } else {
            format!("The body is {essence}; send {expected}.")
        };
        Err(Error::UnsupportedMediaType(message).into())
    }

    async fn bytes(self, limit: usize) -> ApiResult<Vec<u8>> {
        self.check_length(limit)?;
        let announced = self.announced();
        let mut arriving = Arriving::new(self.budget()?, JSON_FACTOR, announced).await?;
        let mut body = Limited::new(self.0.into_body(), limit).into_data_stream();
        let mut bytes = Vec::with_capacity(announced.unwrap_or_default());
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| refuse(&*error, limit))?;
            arriving.note(chunk.len()).await?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Returns the announced length of the body.
    fn announced(&self) -> Option<usize> {
        let ContentLength(length) = self.headers().typed_get()?;
        usize::try_from(length).ok()
    }

    fn budget(&self) -> ApiResult<Budget> {
        let budget = self.0.extensions().get::<Budget>().cloned();
        budget.ok_or_else(|| Error::internal("a request without budgets").into())
    }
}

/// A body that is being read: reserves memory for it and checks its speed.
struct Arriving {
    budget: Budget,
    factor: usize,
    since: Instant,
    arrived: usize,
    reserved: usize,
}

impl Arriving {
    /// Reserves `factor` times the announced length.
    async fn new(budget: Budget, factor: usize, announced: Option<usize>) -> ApiResult<Self> {
        let reserved = announced.unwrap_or_default();
        let _reserved = budget.body(reserved.saturating_mul(factor)).await?;
        Ok(Self { budget, factor, since: Instant::now(), arrived: 0, reserved })
    }

    /// Counts bytes that have arrived.
    async fn note(&mut self, bytes: usize) -> ApiResult<()> {
        self.arrived += bytes;
        while self.arrived > self.reserved {
            let _reserved = self.budget.body(STEP.saturating_mul(self.factor)).await?;
            self.reserved += STEP;
        }
        let seconds = self.since.elapsed().saturating_sub(GRACE).as_secs();
        if self.reserved * self.factor >= SMALL
            && (self.arrived as u64) < seconds.saturating_mul(SLOWEST)
        {
            return Err(ApiError::timed_out());
        }
        Ok(())
    }
}

fn too_large(limit: usize) -> ApiError {
    Error::TooLarge(format!("The request body exceeds the limit of {limit} bytes.")).into()
}

/// Decodes a file name as browsers write it in a form: only `"`, CR and LF are percent-encoded (HTML
/// §4.10.21.8), so any other `%` is part of the name.
fn decode_file_name(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// Converts an error from reading the body. The layers signal their cause by error types, each
/// wrapped in the next.
fn refuse(error: &(dyn StdError + 'static), limit: usize) -> ApiError {
    let causes = || std::iter::successors(Some(error), |&error| error.source());
    if causes().any(|error| error.is::<LengthLimitError>()) {
        too_large(limit)
    } else if causes().any(|error| error.is::<TimeoutError>() || error.is::<TooSlow>()) {
        ApiError::timed_out()
    } else {
        Error::MalformedBody(error.to_string()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use izanagi_domain::budget::BudgetSettings;

    #[tokio::test(start_paused = true)]
    async fn a_large_body_must_arrive_at_some_speed() {
        let budget = Budget::new(BudgetSettings::default()).unwrap();
        let mut arriving = Arriving::new(budget.clone(), 2, Some(1_000_000)).await.unwrap();
        for _ in 0..60 {
            tokio::time::advance(Duration::from_secs(1)).await;
            arriving.note(SLOWEST as usize).await.unwrap();
        }
        tokio::time::advance(GRACE).await;
        arriving.note(1).await.unwrap();
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(arriving.note(1).await.is_err());
        // A small body takes nothing from others.
        let mut arriving = Arriving::new(budget, 2, Some(100)).await.unwrap();
        tokio::time::advance(Duration::from_secs(200)).await;
        arriving.note(1).await.unwrap();
    }
}
