use crate::support::{Client, TestApp};
use axum::{body::Body, http::Request};
use serde_json::{Value, json};

async fn list(client: &Client, query: &str) -> Value {
    let answer = client.get(&format!("/api/v1/documents{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn titles(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn creates_a_document_and_reads_its_etag() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let body = json!({ "title": " Plan ", "content": "hello world", "description": "for all" });
    let made = ada.post("/api/v1/documents", &body).await;
    assert_eq!(made.status, 201);
    let document = made.json();
    assert_eq!(
        made.header("location"),
        format!("/api/v1/documents/{}", document["id"].as_str().unwrap())
    );
    assert_eq!(document["title"], "Plan");
    assert_eq!(
        (document["wordCount"].as_u64(), document["contentLength"].as_u64()),
        (Some(2), Some(11))
    );
    assert_eq!(
        (document["headVersion"].as_u64(), document["liveSeq"].as_u64()),
        (Some(0), Some(0))
    );
    assert_eq!(document["owners"][0]["username"], "ada");
    let read = ada.get(made.header("location")).await;
    assert_eq!(read.json()["content"], "hello world");
    assert_eq!(read.header("etag"), format!("\"{}\"", document["etag"].as_str().unwrap()));
}

#[tokio::test]
async fn an_unchanged_document_answers_304() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("text").await;
    let etag = ada.get(&path).await.header("etag").to_owned();
    let again = |etag: String| {
        let request = Request::get(&path).header("If-None-Match", etag);
        ada.send(request.body(Body::empty()).unwrap())
    };
    let answer = again(format!("W/{etag}")).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0));
    ada.patch(&path, &json!({ "title": "Other" })).await;
    assert_eq!(again(etag).await.status, 200);
}

#[tokio::test]
async fn replacing_requires_the_current_etag() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("one\n").await;
    let put = |etag: &str, content: &str| {
        let headers = [("If-Match".to_owned(), etag.to_owned())];
        let (path, ada, body) = (path.clone(), ada.clone(), json!({ "content": content }));
        async move {
            let headers: Vec<_> = headers.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            ada.json("PUT", &path, &headers, &body).await
        }
    };
    ada.json("PUT", &path, &[], &json!({ "content": "x" }))
        .await
        .refused(428, "precondition_required");
    let etag = ada.get(&path).await.header("etag").to_owned();
    let replaced = put(&etag, "two\n").await;
    assert_eq!(
        (replaced.status.as_u16(), replaced.json()["content"].as_str()),
        (200, Some("two\n"))
    );
    let stale = put(&etag, "three\n").await.refused(412, "stale");
    assert_eq!(stale["current"]["content"], "two\n");
    let current = stale["current"]["etag"].as_str().unwrap();
    assert_eq!(put(&format!("\"{current}\""), "three\n").await.status, 200);
    for unknown in ["\"nonsense\"", "W/\"a,b\",, \"c\"", ","] {
        let stale = put(unknown, "x").await.refused(412, "stale");
        assert_eq!(stale["current"]["content"], "three\n", "{unknown}");
    }
    let current = ada.get(&path).await.header("etag").to_owned();
    assert_eq!(put(&format!("\"nonsense\",,{current}"), "four\n").await.status, 200);
    put("\"unclosed", "x").await.refused_field("If-Match", "invalid");
}

#[tokio::test]
async fn creating_a_document_is_idempotent() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let make = |title: &'static str| {
        let (ada, body) = (ada.clone(), json!({ "title": title }));
        async move { ada.json("POST", "/api/v1/documents", &[("Idempotency-Key", "k")], &body).await }
    };
    let first = make("Plan").await.json();
    let again = make("Plan").await.json();
    assert_eq!(first["id"], again["id"]);
    make("Other").await.refused(422, "idempotency_mismatch");
    assert_eq!(list(&ada, "").await["total"], 1);
}

#[tokio::test]
async fn sorts_searches_and_pages_a_list() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    for title in ["beta", "Alpha", "gamma 100%", "delta"] {
        ada.post("/api/v1/documents", &json!({ "title": title })).await;
    }
    assert_eq!(titles(&list(&ada, "?sort=title").await), ["Alpha", "beta", "delta", "gamma 100%"]);
    assert_eq!(titles(&list(&ada, "?sort=created").await)[0], "delta");
    assert_eq!(titles(&list(&ada, "?query=ALPH").await), ["Alpha"]);
    assert_eq!(titles(&list(&ada, "?query=100%25").await), ["gamma 100%"]);
    assert_eq!(titles(&list(&ada, "?query=%25").await), ["gamma 100%"]);
    let first = list(&ada, "?sort=title&page_size=3").await;
    assert_eq!((first["total"].as_u64(), first["pageSize"].as_u64()), (Some(4), Some(3)));
    let cursor = first["nextCursor"].as_str().unwrap();
    let rest = list(&ada, &format!("?sort=title&pageSize=3&cursor={cursor}")).await;
    assert_eq!(titles(&rest), ["gamma 100%"]);
    assert_eq!(rest["nextCursor"], Value::Null);
    assert_eq!(titles(&list(&ada, "?sort=title&limit=3&page=2").await), ["gamma 100%"]);
}

#[tokio::test]
async fn hides_documents_from_other_users() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.sign_up("ada").await, app.sign_up("bob").await);
    let path = ada.create("secret").await;
    assert_eq!(list(&bob, "").await["total"], 0);
    assert_eq!(list(&bob, &format!("?owner={}", ada.user)).await["total"], 0);
    bob.get(&path).await.refused(404, "not_found");
    bob.patch(&path, &json!({ "title": "mine" })).await.refused(404, "not_found");
    app.anonymous().get(&path).await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn a_public_document_is_read_only() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.sign_up("ada").await, app.sign_up("bob").await);
    let path = ada.create("open").await;
    ada.patch(&path, &json!({ "isPublic": true })).await;
    assert_eq!(app.anonymous().get(&path).await.json()["content"], "open");
    bob.patch(&path, &json!({ "title": "mine" })).await.refused(403, "forbidden");
    bob.write(&path, "mine").await.refused(403, "forbidden");
    ada.delete(&path).await;
    app.anonymous().get(&path).await.refused(401, "unauthenticated");
    bob.get(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn restores_and_purges_trashed_documents() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("text").await;
    ada.delete(&format!("{path}?permanent=true")).await.refused(409, "not_trashed");
    assert_eq!(ada.delete(&path).await.status, 204);
    assert_eq!(list(&ada, "").await["total"], 0);
    assert_eq!(list(&ada, "?includeDeleted=true").await["total"], 1);
    ada.write(&path, "x").await.refused(409, "trashed");
    ada.patch(&path, &json!({ "title": "x" })).await.refused(409, "trashed");
    let back = ada.patch(&path, &json!({ "deleted": false })).await;
    assert_eq!((back.status.as_u16(), back.json()["deletedAt"].clone()), (200, Value::Null));
    ada.delete(&path).await;
    assert_eq!(ada.delete(&format!("{path}?permanent=true")).await.status, 204);
    ada.get(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_document_chooses_the_format_of_its_download() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let made =
        ada.post("/api/v1/documents", &json!({ "title": "Plan", "renderFormat": "html" })).await;
    let path = made.header("location").to_owned();
    let export = async || {
        let file = ada.get(&format!("{path}/export")).await;
        file.header("content-type").split(';').next().unwrap().to_owned()
    };
    assert_eq!(
        (made.json()["renderFormat"].as_str(), &*export().await),
        (Some("html"), "text/html")
    );
    let change = async |format: Value| ada.patch(&path, &json!({ "renderFormat": format })).await;
    assert_eq!(change(json!("markdown")).await.json()["renderFormat"], "markdown");
    assert_eq!(export().await, "text/markdown");
    // An omitted field keeps its value.
    ada.patch(&path, &json!({ "title": "Other" })).await;
    change(json!("html")).await;
    assert_eq!(
        ada.patch(&path, &json!({ "isTemplate": true })).await.json()["renderFormat"],
        "html"
    );
    let named = ada.get(&format!("{path}/export?format=txt")).await;
    assert!(named.header("content-type").starts_with("text/plain"));
    assert_eq!(change(Value::Null).await.json()["renderFormat"], Value::Null);
    assert_eq!(export().await, "text/markdown");
    let message = change(json!("pdf")).await.refused_field("renderFormat", "invalid");
    assert_eq!(message, "“pdf” is not allowed; use html or markdown.");
}

#[tokio::test]
async fn the_details_form_shows_and_changes_the_format_of_a_download() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("text").await;
    let id = path.rsplit('/').next().unwrap();
    let chosen = async || {
        let page = ada.get(&format!("/documents/{id}/details")).await.text();
        let (_, options) = page.split_once("name=\"renderFormat\"").unwrap();
        let (options, _) = options.split_once("</select>").unwrap();
        let is_chosen = |option: &&str| option.split('>').next().unwrap().contains("selected");
        let option = options.split("<option").skip(1).find(is_chosen).unwrap();
        option.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    assert_eq!(chosen().await, "default");
    for (format, saved) in [("html", json!("html")), ("default", Value::Null)] {
        let form = format!("id={id}&title=Plan&renderFormat={format}");
        let request = Request::post("/fn/documents/edit")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json");
        let answer = ada.send(request.body(Body::from(form)).unwrap()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(ada.get(&path).await.json()["renderFormat"], saved);
        assert_eq!(chosen().await, format);
    }
}

#[tokio::test]
async fn the_details_form_shows_what_is_wrong_with_the_format() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("text").await;
    let id = path.rsplit('/').next().unwrap();
    let list = format!("/documents/{id}/details");
    let form = format!("id={id}&title=Plan&renderFormat=pdf");
    let request = Request::post("/fn/documents/edit")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "text/html")
        .header("referer", format!("http://notes.example{list}"));
    let refused = ada.send(request.body(Body::from(form)).unwrap()).await;
    let flash = refused.cookie("izanagi_flash").unwrap();
    let request = Request::get(&list).header("cookie", format!("izanagi_flash={flash}"));
    let page = ada.send(request.body(Body::empty()).unwrap()).await.text();
    let (_, field) = page.split_once("name=\"renderFormat\"").unwrap();
    let (field, _) = field.split_once("</div>").unwrap();
    assert!(field.contains("aria-invalid=\"true\""), "{field}");
    assert!(field.contains("Use html or markdown."), "{field}");
}

#[tokio::test]
async fn reading_does_not_reorder_the_list() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let first = ada.create("a").await;
    ada.create("b").await;
    let before = list(&ada, "").await;
    ada.get(&first).await;
    ada.get(&format!("{first}/updates")).await;
    assert_eq!(list(&ada, "").await, before);
}
