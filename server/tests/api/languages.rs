//! Every page in every language, through the real router.

use crate::support::{Client, TestApp};
use axum::{body::Body, http::Request};
use rstest::rstest;
use serde_json::json;

/// Latin words that stand on a page in every language: names, formats, and what this test wrote.
const NAMES: &[&str] = &[
    "API",
    "English",
    "HTML",
    "Izanagi",
    "JSON",
    "JavaScript",
    "Markdown",
    "SHA",
    "UTC",
    "UTF",
    "MiB",
    "ada",
    "md",
    "txt",
    "json",
    "a",
    "z",
    "curl",
    "Escape",
    "Tab",
    "example",
    "org",
    "live",
    "name",
    "izanagi",
    "fsck",
    "Firefox",
];

async fn page(client: &Client, path: &str, accepted: &str) -> String {
    let request = Request::get(path)
        .header("accept", "text/html")
        .header("accept-language", accepted)
        .header("user-agent", "curl/8");
    let answer = client.send(request.body(Body::empty()).unwrap()).await;
    let vary = answer.header("vary").to_ascii_lowercase();
    assert!(vary.contains("accept-language") && vary.contains("cookie"), "{path}: {vary}");
    answer.text()
}

/// Returns what a person reads or hears of a page: its text, and the attributes that are read out.
fn read_texts(html: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let (_, mut rest) = html.split_once("<title>").unwrap_or(("", html));
    while let Some((text, tail)) = rest.split_once('<') {
        texts.push(text.to_owned());
        let skipped =
            ["script", "style", "svg", "code"].iter().find(|name| tail.starts_with(**name));
        if let Some(name) = skipped {
            rest = tail.split_once(&format!("</{name}>")).map_or("", |(_, after)| after);
            continue;
        }
        let (tag, after) = tail.split_once('>').unwrap_or((tail, ""));
        for name in [" aria-label=\"", " placeholder=\"", " title=\""] {
            let value = tag.split_once(name).and_then(|(_, value)| value.split_once('"'));
            texts.extend(value.map(|(value, _)| value.to_owned()));
        }
        rest = after;
    }
    texts
}

/// Returns the English words among them.
fn english_words(texts: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for text in texts {
        let text = text.replace("&#x27;", "'").replace("&quot;", "\"").replace("&amp;", "&");
        for word in text.split(|c: char| !c.is_ascii_alphabetic()).filter(|it| !it.is_empty()) {
            let is_hash = text.len() == 64;
            if !NAMES.contains(&word) && !is_hash {
                found.push(format!("{word} in {text}"));
            }
        }
    }
    found
}

#[rstest]
#[case("ja-JP,ja;q=0.9,en;q=0.5", "ja")]
#[case("zh-CN,zh;q=0.9", "zh-Hans")]
#[tokio::test]
async fn a_page_has_no_english_words_in_another_language(
    #[case] accepted: &str,
    #[case] tag: &str,
) {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let document = ada.create("# 島\n\n一\n").await;
    ada.patch(&document, &json!({ "title": "島" })).await;
    ada.commit(&document, "一").await;
    ada.write(&document, "# 島\n\n二\n").await;
    ada.commit(&document, "").await;
    ada.write(&document, "# 島\n\n三\n").await;
    // Commits twice, with messages of the server.
    ada.post(&format!("{document}/versions/1/restore"), &json!({})).await;
    let all_labels = "# 島\n\n- [ ] 四[^1]\n\n|五|\n|---|\n|六|\n\n[^1]: 注\n";
    ada.write(&document, all_labels).await;
    let trashed = ada.create("捨").await;
    ada.patch(&trashed, &json!({ "title": "捨" })).await;
    ada.delete(&trashed).await;
    let of = |path: &str| path.replace("/api/v1", "");
    let (document, trashed) = (of(&document), of(&trashed));
    let paths = [
        "/".to_owned(),
        "/documents".to_owned(),
        "/documents?query=none&page=1".replace("none", "無"),
        "/documents?page=9".to_owned(),
        "/trash".to_owned(),
        "/trash?page=9".to_owned(),
        "/settings/sessions".to_owned(),
        document.clone(),
        trashed,
        format!("{document}/details"),
        format!("{document}/read"),
        format!("{document}/history"),
        format!("{document}/versions/1"),
        format!("{document}/versions/9"),
        format!("{document}/compare?from=1&to=live"),
        format!("{document}/compare?from=1&to=1"),
        format!("{document}/compare?from=x&to=1"),
        "/nothing".to_owned(),
    ];
    let anonymous = app.anonymous();
    let all = paths.iter().map(|path| (&ada, path.as_str()));
    for (client, path) in all.chain(["/", "/login", "/signup"].map(|path| (&anonymous, path))) {
        let html = page(client, path, accepted).await;
        assert!(html.contains(&format!("<html lang=\"{tag}\"")), "{path}");
        let english = english_words(&read_texts(&html));
        assert!(english.is_empty(), "{path}: {english:#?}");
        let english = page(client, path, "en").await;
        assert!(english.contains("<html lang=\"en\""), "{path}");
        let ideographs = english.chars().filter(|c| ('\u{3040}'..'\u{30ff}').contains(c)).count();
        assert_eq!(ideographs, 0, "{path}");
    }
}

#[tokio::test]
async fn the_chooser_sets_a_cookie_that_overrides_the_browser() {
    let app = TestApp::new().await;
    let form = |site: &'static str| {
        Request::post("/fn/language")
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("host", "notes.localhost")
            .header("origin", "http://notes.localhost")
            .header("sec-fetch-site", site)
            .header("referer", "http://notes.localhost/login?next=/trash")
            .body(Body::from("language=zh"))
            .unwrap()
    };
    let chosen = app.anonymous().send(form("same-origin")).await;
    assert_eq!((chosen.status.as_u16(), chosen.header("location")), (303, "/login?next=/trash"));
    assert_eq!(chosen.cookie("izanagi_language").as_deref(), Some("zh"));
    assert_eq!(chosen.cookie("izanagi_flash"), None);
    let foreign = app.anonymous().send(form("cross-site")).await;
    assert_eq!(foreign.status, 403);
    let request = Request::get("/login").header("cookie", "izanagi_language=zh");
    let request = request.header("accept-language", "ja").body(Body::empty()).unwrap();
    let page = app.anonymous().send(request).await.text();
    assert!(page.contains("<html lang=\"zh-Hans\"") && page.contains("登录"), "{page}");
}

#[tokio::test]
async fn an_error_page_outside_the_app_follows_every_line_of_cookies() {
    let app = TestApp::new().await;
    let request = Request::post("/documents/upload")
        .header("origin", "https://other.example")
        .header("sec-fetch-site", "cross-site")
        .header("accept", "text/html")
        .header("cookie", "theme=dark")
        .header("cookie", "izanagi_language=ja");
    let page = app.anonymous().send(request.body(Body::empty()).unwrap()).await;
    assert_eq!((page.status.as_u16(), page.header("vary")), (403, "Accept-Language, Cookie"));
    let html = page.text();
    assert!(html.contains("<html lang=\"ja\""), "{html}");
}

#[tokio::test]
async fn a_page_names_an_immutable_file_with_the_texts_of_its_scripts() {
    let app = TestApp::new().await;
    let login = page(&app.anonymous(), "/login", "zh").await;
    let (_, rest) = login.split_once("href=\"/words/").unwrap();
    let path = format!("/words/{}", rest.split('"').next().unwrap());
    let words = app.anonymous().get(&path).await;
    assert_eq!((words.status.as_u16(), &words.json()["dismiss"]), (200, &json!("关闭")));
    assert_eq!(words.header("cache-control"), "public, max-age=31536000, immutable");
    let failed = "<div id=\"load-failed\" role=\"alert\" hidden";
    assert!(login.contains(failed) && login.contains("未能加载"), "{login}");
    let outdated = app.anonymous().get("/words/0/zh-pages.json").await;
    assert_eq!(
        (outdated.status.as_u16(), outdated.header("cache-control")),
        (404, "private, no-store")
    );
}

#[tokio::test]
async fn errors_of_a_form_are_worded_in_the_language_of_the_page() {
    let app = TestApp::new().await;
    let form = Request::post("/fn/accounts/sign-up")
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("referer", "http://notes.localhost/signup")
        .body(Body::from("username=x&email=y&password=short&next="));
    let refused = app.anonymous().send(form.unwrap()).await;
    let flash = refused.cookie("izanagi_flash").unwrap();
    let request = Request::get("/signup")
        .header("cookie", format!("izanagi_flash={flash}; izanagi_language=ja"))
        .body(Body::empty());
    let page = app.anonymous().send(request.unwrap()).await.text();
    assert!(page.contains("3 個の項目にエラーがあります"), "{page}");
    assert!(page.contains("10 文字以上で入力してください（現在 5 文字）。"), "{page}");
    assert_eq!(english_words(&read_texts(&page)), Vec::<String>::new());
}

#[tokio::test]
async fn a_downloaded_page_has_the_language_of_the_request() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("# 島\n\n## 舟\n").await;
    let path = format!("{path}/export?format=html");
    for (accepted, start, contents) in [
        ("ja", "<html lang=\"ja\"", "目次"),
        ("zh", "<html lang=\"zh-Hans\"", "目录"),
        ("de", "<html lang=\"en\"", "Contents"),
    ] {
        let request = Request::get(&path).header("accept-language", accepted);
        let answer = ada.send(request.body(Body::empty()).unwrap()).await;
        let vary = answer.headers.get_all("vary").iter().any(|it| it == "Accept-Language");
        assert!(vary, "{:?}", answer.headers);
        let html = answer.text();
        assert!(html.contains(start) && html.contains(contents), "{html}");
    }
}

#[tokio::test]
async fn an_uploaded_file_without_a_name_gets_a_title_in_the_language_of_the_request() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let body = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\".md\"\r\n\r\n島\r\n--b--\r\n";
    for (accepted, title) in [("ja", "無題"), ("en", "Untitled")] {
        let request = Request::post("/api/v1/documents/upload")
            .header("accept-language", accepted)
            .header("content-type", "multipart/form-data; boundary=b");
        let answer = ada.send(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.json()["items"][0]["title"], title, "{}", answer.text());
    }
}

#[tokio::test]
async fn problem_details_of_the_api_stay_english() {
    let app = TestApp::new().await;
    let body = json!({ "email": "x", "password": "short", "username": "x" });
    let headers = [("accept-language", "ja"), ("cookie", "izanagi_language=ja")];
    let answer = app.anonymous().json("POST", "/api/v1/auth/signup", &headers, &body).await;
    let problem = answer.refused(422, "invalid");
    assert_eq!(problem["detail"], "Some fields are invalid.");
    let password = problem["errors"].as_array().unwrap();
    let password = password.iter().find(|error| error["field"] == "password").unwrap();
    assert_eq!(password["message"], "Use at least 10 characters; this has 5.");
    assert_eq!(password["args"], json!(["10", "5"]));
}
