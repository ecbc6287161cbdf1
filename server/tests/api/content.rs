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
