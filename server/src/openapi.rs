//! The OpenAPI document, collected from the handlers. Responses, headers and ETags common to many
//! operations are added here, derived from each operation's inputs and outputs.

use axum::http::StatusCode;
use izanagi_shared::problem::Problem;
use std::collections::BTreeSet;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Content, Header, Object, ObjectBuilder, Ref, RefOr, Response, Type,
        path::{Operation, Parameter, ParameterIn, PathItem},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// General information.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Izanagi",
        description = "Self-hosted collaborative documents with version history.",
        license(name = "Apache-2.0 OR MIT")
    ),
    components(schemas(Problem)),
    modifiers(&Schemes),
    security(("bearer" = []), ("cookie" = []))
)]
pub(crate) struct Base;

struct Schemes;

impl Modify for Schemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("An access token from sign-in."))
            .build();
        let cookie = ApiKeyValue::with_description(
            "izanagi_access",
            "Set by sign-in, for browsers; over https its name starts with `__Host-`.",
        );
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}

/// Adds what is common to many operations.
pub(crate) fn complete(document: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut document.paths.paths {
        for (is_write, operation) in operations(item) {
            for status in refusals(path, is_write, operation) {
                let refusal = RefOr::T(refusal(status));
                operation.responses.responses.insert(status.as_str().to_owned(), refusal);
            }
            add_etags(operation);
            bound_keys(operation);
        }
    }
}

/// Returns the operations of a path, and whether each writes.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let calls = [
        (false, &mut item.get),
        (true, &mut item.put),
        (true, &mut item.post),
        (true, &mut item.patch),
        (true, &mut item.delete),
    ];
    calls.into_iter().filter_map(|(is_write, call)| Some((is_write, call.as_mut()?)))
}

/// States what `Idempotency-Key` may be.
fn bound_keys(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        if parameter.parameter_in == ParameterIn::Header && parameter.name == "Idempotency-Key" {
            let key = ObjectBuilder::new().schema_type(Type::String);
            let key = key.min_length(Some(1)).max_length(Some(255)).pattern(Some("^[!-~]+$"));
            parameter.schema = Some(key.into());
        }
    }
}

fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}

fn takes(operation: &Operation, header: &str) -> bool {
    parameters(operation)
        .any(|parameter| parameter.parameter_in == ParameterIn::Header && parameter.name == header)
}

/// Returns every error status of an operation: those it declares, and those that follow from its
/// inputs (DESIGN §8).
fn refusals(path: &str, is_write: bool, operation: &Operation) -> BTreeSet<StatusCode> {
    let named = operation.responses.responses.keys().filter_map(|status| status.parse().ok());
    let mut all: BTreeSet<StatusCode> =
        named.filter(|status: &StatusCode| is_refusal(*status)).collect();
    let mut add = |applies: bool, statuses: &[StatusCode]| {
        if applies {
            all.extend(statuses);
        }
    };
    let is_for_anybody = operation.security.is_some();
    let is_about_document = path.contains("/documents/{id}");
    let has_query = parameters(operation).any(|it| it.parameter_in == ParameterIn::Query);
    add(true, &[StatusCode::TOO_MANY_REQUESTS]);
    add(true, &[StatusCode::INTERNAL_SERVER_ERROR, StatusCode::SERVICE_UNAVAILABLE]);
    add(!is_for_anybody, &[StatusCode::UNAUTHORIZED]);
    // A cross-site request, or a caller who may only read.
    add(is_write, &[StatusCode::FORBIDDEN]);
    add(path.contains('{'), &[StatusCode::NOT_FOUND, StatusCode::UNPROCESSABLE_ENTITY]);
    add(has_query, &[StatusCode::UNPROCESSABLE_ENTITY]);
    // The document is in the trash or has an unsuitable state.
    add(is_write && is_about_document, &[StatusCode::CONFLICT]);
    add(takes(operation, "Idempotency-Key"), &[StatusCode::UNPROCESSABLE_ENTITY]);
    add(
        takes(operation, "If-Match"),
        &[StatusCode::PRECONDITION_FAILED, StatusCode::PRECONDITION_REQUIRED],
    );
    add(
        operation.request_body.is_some(),
        &[
            StatusCode::BAD_REQUEST,
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            StatusCode::UNPROCESSABLE_ENTITY,
        ],
    );
    all
}

fn is_refusal(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

/// A problem document (RFC 9457).
fn refusal(status: StatusCode) -> Response {
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    let mut response = Response::new(status.canonical_reason().unwrap_or_default());
    response.content.insert("application/problem+json".to_owned(), RefOr::T(problem));
    match status {
        StatusCode::UNAUTHORIZED => {
            add_header(&mut response, "WWW-Authenticate", "The authentication scheme, `Bearer`.");
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            add_header(&mut response, "Retry-After", "Seconds to wait before retrying.");
        }
        _ => {}
    }
    response
}

/// Documents the `ETag` of a document and the `Location` of a new one.
fn add_etags(operation: &mut Operation) {
    let answers_conditionally = takes(operation, "If-None-Match");
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let is_success = status.starts_with('2') || status == "304";
        let is_document = shows(response, "DocumentView");
        if is_success && (answers_conditionally || is_document) {
            add_header(response, "ETag", "Quoted ETag, for `If-Match` and `If-None-Match`.");
        }
        if status == "201" && is_document {
            add_header(response, "Location", "The path of the new resource.");
        }
    }
}

/// Returns whether the response is this schema itself rather than a list of it.
fn shows(response: &Response, schema: &str) -> bool {
    let schema = Ref::from_schema_name(schema);
    response.content.values().any(|content| {
        let RefOr::T(content) = content else { return false };
        matches!(&content.schema, Some(RefOr::Ref(shown)) if shown.ref_location == schema.ref_location)
    })
}

fn add_header(response: &mut Response, name: &str, description: &str) {
    let mut header = Header::new(Object::with_type(Type::String));
    header.description = Some(description.to_owned());
    response.headers.insert(name.to_owned(), RefOr::T(header));
}
