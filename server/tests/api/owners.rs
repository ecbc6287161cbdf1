use crate::support::{PASSWORD, TestApp};
use axum::{body::Body, http::Request};
use serde_json::json;

#[tokio::test]
async fn the_last_owner_cannot_be_removed() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.sign_up("ada").await, app.sign_up("bob").await);
    let path = ada.create("ours").await;
    let put = |user: &str| {
        let request = Request::put(format!("{path}/owners/{user}")).body(Body::empty()).unwrap();
        ada.send(request)
    };
    assert_eq!(put(&bob.user).await.status, 204);
    assert_eq!(put(&bob.user).await.status, 204);
    assert_eq!(bob.get(&path).await.status, 200);
    let owners = bob.get(&format!("{path}/owners")).await.json();
    assert_eq!(owners["items"].as_array().unwrap().len(), 2);
    assert_eq!(bob.delete(&format!("{path}/owners/{}", ada.user)).await.status, 204);
    ada.get(&path).await.refused(404, "not_found");
    bob.delete(&format!("{path}/owners/{}", bob.user)).await.refused(409, "last_owner");
    bob.delete(&format!("{path}/owners/{}", ada.user)).await.refused(404, "not_found");
}

#[tokio::test]
async fn an_unknown_user_cannot_become_an_owner() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("mine").await;
    let unknown = "00000000-0000-7000-8000-000000000000";
    let request = Request::put(format!("{path}/owners/{unknown}")).body(Body::empty()).unwrap();
    ada.send(request).await.refused(404, "not_found");
}

#[tokio::test]
async fn account_deletion_keeps_shared_documents() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.sign_up("ada").await, app.sign_up("bob").await);
    let (shared, alone) = (ada.create("ours").await, ada.create("mine").await);
    let request = Request::put(format!("{shared}/owners/{}", bob.user)).body(Body::empty());
    assert_eq!(ada.send(request.unwrap()).await.status, 204);
    ada.commit(&shared, "before the account is deleted").await;
    assert_eq!(ada.delete("/api/v1/me").await.status, 204);
    ada.get("/api/v1/me").await.refused(401, "unauthenticated");
    let login = json!({ "login": "ada", "password": PASSWORD });
    app.anonymous().post("/api/v1/auth/login", &login).await.refused(401, "invalid_credentials");
    let owners = bob.get(&format!("{shared}/owners")).await.json();
    assert_eq!((owners["total"].as_u64(), &owners["items"][0]["id"]), (Some(1), &json!(bob.user)));
    let versions = bob.get(&format!("{shared}/versions")).await.json();
    assert_eq!(versions["items"][0]["author"]["displayName"], "Deleted account");
    bob.get(&alone).await.refused(404, "not_found");
    let heir = app.sign_up("ada").await;
    heir.get(&alone).await.refused(404, "not_found");
}
