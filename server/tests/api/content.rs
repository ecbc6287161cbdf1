use crate::support::TestApp;

#[tokio::test]
async fn serves_raw_rendered_and_exported_text() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("# Hello\r\n\n<script>alert(1)</script>\n").await;
    let raw = ada.get(&format!("{path}/content")).await;
    assert_eq!(raw.text(), "# Hello\r\n\n<script>alert(1)</script>\n");
    assert!(raw.header("content-type").starts_with("text/plain"));
    let html = ada.get(&format!("{path}/html")).await;
    assert!(html.text().contains("<h1") && !html.text().contains("<script"), "{}", html.text());
    assert!(html.header("content-security-policy").contains("sandbox"));
    for (format, media_type) in [
        ("md", "text/markdown"),
        ("html", "text/html"),
        ("json", "application/json"),
        ("txt", "text/plain"),
    ] {
        let file = ada.get(&format!("{path}/export?format={format}")).await;
        assert_eq!(file.status, 200);
        assert!(file.header("content-type").starts_with(media_type), "{format}");
        let disposition = file.header("content-disposition");
        assert!(disposition.contains(&format!("filename=\"Plan.{format}\"")), "{disposition}");
    }
    ada.get(&format!("{path}/export?format=pdf")).await.refused_field("format", "invalid");
}

#[tokio::test]
async fn images_of_other_hosts_are_loaded_only_on_request() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("![a cat](https://other.example/cat.png) ![b](/dog.png)\n").await;
    ada.commit(&path, "").await;
    let page = path.replace("/api/v1", "");
    let far = "<img src=\"https://other.example/cat.png\"";
    let policies = ["default-src 'none'; sandbox", "img-src 'self' data: https:;"];
    for (images, policy) in
        [("", policies[0]), ("?images=0", policies[0]), ("?images=1", policies[1])]
    {
        let html = ada.get(&format!("{path}/html{images}")).await;
        assert_eq!(html.text().contains(far), images == "?images=1", "{}", html.text());
        assert!(html.text().contains("other.example") && html.text().contains("src=\"/dog.png\""));
        assert!(html.header("content-security-policy").contains(policy));
    }
    ada.get(&format!("{path}/html?images=all")).await.refused_field("images", "invalid");
    for view in ["", "/read", "/versions/1"] {
        let html = ada.get(&format!("{page}{view}")).await;
        let policy = html.header("content-security-policy");
        assert!(policy.contains("img-src 'self' data:; "), "{policy}");
        let text = html.text();
        assert!(!text.contains(far) && text.contains("a cat"), "{view}");
        let link = format!("href=\"{page}{view}?images=1\"");
        assert!(text.contains(&link), "{view} has no link to images");
        let html = ada.get(&format!("{page}{view}?images=1")).await;
        let policy = html.header("content-security-policy");
        assert!(policy.contains("img-src 'self' data: https:; "), "{policy}");
        assert!(html.text().contains(far), "{view}");
    }
}

#[tokio::test]
async fn html_that_is_too_long_ends_with_a_note() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create(&"*a* b\n".repeat(400_000)).await;
    let html = ada.get(&format!("{path}/html")).await.text();
    assert!(html.ends_with("</p>\n<p>The rest is not shown: this text has too much formatting. Download it to read all of it.</p>\n"));
}

#[tokio::test]
async fn a_download_is_of_the_documents_kind() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    for (kind, content, media_type, name) in [
        ("markdown", "# One", "text/markdown; charset=utf-8", "Plan.md"),
        ("text", "# One", "text/plain; charset=utf-8", "Plan.txt"),
        ("json", "{ \"a\": 1.0 }", "application/json", "Plan.json"),
    ] {
        let body = serde_json::json!({ "title": "Plan", "kind": kind, "content": content });
        let made = ada.post("/api/v1/documents", &body).await.json();
        let path = format!("/api/v1/documents/{}", made["id"].as_str().unwrap());
        ada.commit(&path, "").await;
        for text in ["", "/versions/1"] {
            let file = ada.get(&format!("{path}{text}/export")).await;
            assert_eq!((file.text().as_str(), file.header("content-type")), (content, media_type));
            assert!(file.header("content-disposition").contains(&format!("\"{name}\"")), "{name}");
        }
        let object = ada.get(&format!("{path}/versions/1/export?format=json")).await.json();
        assert_eq!((&object["number"], &object["content"]), (&1.into(), &content.into()));
    }
}

#[tokio::test]
async fn a_version_can_be_downloaded() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("# One\r\n").await;
    ada.commit(&path, "").await;
    ada.write(&path, "two").await;
    let raw = ada.get(&format!("{path}/versions/1/content")).await;
    assert_eq!(
        (raw.text().as_str(), raw.header("content-type")),
        ("# One\r\n", "text/plain; charset=utf-8")
    );
    let html = ada.get(&format!("{path}/versions/1/export?format=html")).await;
    assert!(html.text().contains("<h1") && html.text().contains("One"), "{}", html.text());
    for what in ["content", "export"] {
        ada.get(&format!("{path}/versions/2/{what}")).await.refused(404, "not_found");
        let stranger = app.sign_up(&format!("eve-{what}")).await;
        stranger.get(&format!("{path}/versions/1/{what}")).await.refused(404, "not_found");
    }
    let page = ada.get(&format!("{}/versions/1", path.replace("/api/v1", ""))).await.text();
    let (_, link) = page.split_once("href=\"/api/v1").unwrap();
    let (link, _) = link.split_once('"').unwrap();
    assert_eq!(ada.get(&format!("/api/v1{link}")).await.text(), "# One\r\n");
}

#[tokio::test]
async fn a_title_cannot_escape_the_file_name() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let body = serde_json::json!({ "title": "a\"; x=\"b/../c é" });
    let id = ada.post("/api/v1/documents", &body).await.json()["id"].as_str().unwrap().to_owned();
    let file = ada.get(&format!("/api/v1/documents/{id}/export")).await;
    let disposition = file.header("content-disposition");
    assert_eq!(disposition.matches('"').count(), 2, "{disposition}");
    assert!(!disposition.contains('/'), "{disposition}");
    assert!(disposition.ends_with("%C3%A9.md"), "{disposition}");
}

#[tokio::test]
async fn a_title_cannot_escape_the_page_head() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let body = serde_json::json!({ "title": "a </title><meta http-equiv=refresh> & b" });
    let id = ada.post("/api/v1/documents", &body).await.json()["id"].as_str().unwrap().to_owned();
    ada.commit(&format!("/api/v1/documents/{id}"), "").await;
    for page in ["", "/read", "/history", "/versions/1", "/compare?from=1&to=live"] {
        let page = ada.get(&format!("/documents/{id}{page}")).await;
        assert_eq!(page.status, 200);
        let html = page.text();
        let (head, _) = html.split_once("</head>").unwrap();
        assert!(head.contains("a &lt;/title&gt;&lt;meta http-equiv=refresh&gt; &amp; b"), "{head}");
        assert!(!html.contains("<meta http-equiv"), "{html}");
    }
}
