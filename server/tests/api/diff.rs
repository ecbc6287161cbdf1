use crate::support::TestApp;

#[tokio::test]
async fn serves_a_comparison_as_json_and_patch() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("one\ntwo words\nthree\n").await;
    ada.commit(&path, "").await;
    ada.write(&path, "one\ntwo birds\nthree\n").await;
    let diff = ada.get(&format!("{path}/diff?from=1&to=live")).await.json();
    assert_eq!((diff["added"].as_u64(), diff["removed"].as_u64()), (Some(1), Some(1)));
    let lines = diff["hunks"][0]["lines"].as_array().unwrap();
    let inserted = lines.iter().find(|line| line["kind"] == "insert").unwrap();
    let changed: Vec<_> = inserted["spans"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|span| span["changed"] == true)
        .collect();
    assert_eq!(changed[0]["text"], "birds");
    let text = ada.get(&format!("{path}/diff?from=1&to=live&format=unified")).await;
    assert!(text.header("content-type").starts_with("text/x-diff"));
    assert!(text.text().contains("-two words\n+two birds\n"), "{}", text.text());
}

#[tokio::test]
async fn validates_comparison_parameters() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = format!("{}/diff", ada.create("x").await);
    let message = ada.get(&path).await.refused_field("from", "required");
    assert!(message.contains("A version number, 0 for the empty text"), "{message}");
    ada.get(&format!("{path}?from=1&to=soon")).await.refused_field("to", "invalid");
    ada.get(&format!("{path}?from=1&to=live")).await.refused(404, "not_found");
    ada.get(&format!("{path}?from=0&to=live&context=5000"))
        .await
        .refused_field("context", "out_of_range");
    ada.get(&format!("{path}?from=0&to=live&format=html")).await.refused_field("format", "invalid");
    assert_eq!(ada.get(&format!("{path}?from=0&to=live&ignore_whitespace=true")).await.status, 200);
}

#[tokio::test]
async fn a_comparison_names_what_cannot_be_seen() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("one\ntwo\n").await;
    ada.commit(&path, "").await;
    ada.write(&path, "one\ntwo\r\n").await;
    ada.commit(&path, "").await;
    ada.write(&path, "\u{feff}one\ntwo\r\n").await;
    let page = |from: &str, to: &str| {
        format!("{}/compare?from={from}&to={to}", path.replace("/api/v1", ""))
    };
    let ends = ada.get(&page("1", "2")).await.text();
    assert!(ends.contains("Only line endings differ.") && ends.contains(" carriage return "));
    let mark = ada.get(&page("2", "live")).await.text();
    assert!(!mark.contains("Only line endings differ.") && mark.contains("data-sign=\"BOM\""));
}
