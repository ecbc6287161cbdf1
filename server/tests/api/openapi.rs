//! The OpenAPI document: complete, and suitable for code generators.

use serde_json::Value;
use std::collections::BTreeSet;

fn document() -> Value {
    serde_json::to_value(izanagi::router::openapi_document()).unwrap()
}

/// Returns every operation with its method and path.
fn calls(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let calls = paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, call)| (method.as_str(), path.as_str(), call))
    });
    calls.collect()
}

fn has_parameter(call: &Value, name: &str) -> bool {
    let parameters = call["parameters"].as_array();
    parameters.is_some_and(|all| all.iter().any(|parameter| parameter["name"] == name))
}

#[test]
fn every_operation_has_a_unique_id() {
    let document = document();
    let calls = calls(&document);
    let names: BTreeSet<_> =
        calls.iter().map(|(_, _, call)| call["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.len(), calls.len(), "{names:?}");
}

#[test]
fn every_operation_documents_its_errors() {
    let document = document();
    for (method, path, call) in calls(&document) {
        let mut expected = vec!["429", "500", "503"];
        if !["/signup", "/logout"].iter().any(|end| path.ends_with(end)) {
            expected.push("401");
        }
        if method != "get" {
            expected.push("403");
        }
        if path.contains("/documents/{id}") {
            expected.extend(["404", "422"]);
            if method != "get" {
                expected.push("409");
            }
        }
        if call["requestBody"].is_object() {
            expected.extend(["400", "408", "413", "415", "422"]);
        }
        if has_parameter(call, "If-Match") {
            expected.extend(["412", "428"]);
        }
        for status in expected {
            let refusal = &call["responses"][status];
            let schema = &refusal["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(schema, "#/components/schemas/Problem", "{method} {path} {status}");
            let retries = matches!(status, "429" | "503");
            let header = refusal["headers"]["Retry-After"].is_object();
            assert_eq!(header, retries, "{method} {path} {status}");
        }
    }
    assert!(document["components"]["schemas"]["Problem"].is_object());
}

#[test]
fn documents_every_parameter() {
    let document = document();
    for (method, path, call) in calls(&document) {
        let parameters = call["parameters"].as_array().cloned().unwrap_or_default();
        let in_path = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        for name in in_path {
            let is_it = |it: &Value| (&it["in"], &it["name"]) == (&"path".into(), &name.into());
            let parameter = parameters.iter().find(|it| is_it(it));
            let parameter = parameter.unwrap_or_else(|| panic!("{method} {path}: no {name}"));
            assert_eq!(parameter["required"], true, "{method} {path} {name}");
        }
        for parameter in parameters.iter().filter(|parameter| parameter["in"] != "header") {
            assert!(parameter["description"].is_string(), "{method} {path} {parameter}");
            assert!(parameter["schema"].is_object(), "{method} {path} {parameter}");
        }
    }
    let list = &document["paths"]["/api/v1/documents"]["get"];
    let names: BTreeSet<_> = list["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parameter| parameter["name"].as_str().unwrap())
        .collect();
    let expected =
        ["query", "owner", "includeDeleted", "sort", "page", "pageSize", "limit", "cursor"];
    assert_eq!(names, BTreeSet::from(expected));
}

#[test]
fn documents_headers_and_authentication() {
    let document = document();
    let paths = &document["paths"];
    let one = &paths["/api/v1/documents/{id}"];
    for response in [
        &one["get"]["responses"]["200"],
        &one["get"]["responses"]["304"],
        &one["put"]["responses"]["200"],
        &one["patch"]["responses"]["200"],
        &paths["/api/v1/documents"]["post"]["responses"]["201"],
    ] {
        assert!(response["headers"]["ETag"].is_object(), "{response}");
    }
    let made = &paths["/api/v1/documents"]["post"]["responses"]["201"];
    assert!(made["headers"]["Location"].is_object(), "{made}");
    let list = &paths["/api/v1/documents"]["get"];
    assert!(list["responses"]["200"]["headers"].get("ETag").is_none());
    assert!(has_parameter(list, "limit") && has_parameter(list, "pageSize"));
    let diff = &paths["/api/v1/documents/{id}/diff"]["get"]["responses"]["200"]["content"];
    let types: Vec<_> = diff.as_object().unwrap().keys().collect();
    assert!(types.iter().any(|name| name.starts_with("text/x-diff")), "{types:?}");
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["cookie"]["in"], "cookie");
    assert_eq!(schemes["bearer"]["scheme"], "bearer");
    assert_eq!(document["security"].as_array().unwrap().len(), 2);
}
