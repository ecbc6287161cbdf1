use crate::support::{PASSWORD, TestApp};
use serde_json::json;

#[tokio::test]
async fn lists_sessions_and_revokes_a_single_one() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let login = json!({ "login": "ada", "password": PASSWORD });
    app.anonymous().post("/api/v1/auth/login", &login).await;
    let sessions = ada.get("/api/v1/auth/sessions").await.json()["items"].clone();
    let sessions = sessions.as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let other = sessions.iter().find(|session| session["current"] == false).unwrap();
    let path = format!("/api/v1/auth/sessions/{}", other["id"].as_str().unwrap());
    assert_eq!(ada.delete(&path).await.status, 204);
    ada.delete(&path).await.refused(404, "not_found");
    assert_eq!(ada.get("/api/v1/auth/sessions").await.json()["total"], 1);
}

#[tokio::test]
async fn cannot_revoke_sessions_of_other_users() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.sign_up("ada").await, app.sign_up("bob").await);
    let sessions = ada.get("/api/v1/auth/sessions").await.json()["items"].clone();
    let path = format!("/api/v1/auth/sessions/{}", sessions[0]["id"].as_str().unwrap());
    bob.delete(&path).await.refused(404, "not_found");
    assert_eq!(ada.get("/api/v1/me").await.status, 200);
}

#[tokio::test]
async fn signing_out_everywhere_ends_all_sessions() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    assert_eq!(ada.post("/api/v1/auth/logout-all", &json!({})).await.status, 204);
    ada.get("/api/v1/me").await.refused(401, "unauthenticated");
}
