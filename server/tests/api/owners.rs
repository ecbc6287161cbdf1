use crate::support::TestApp;
use axum::{body::Body, http::Request};

#[tokio::test]
async fn owners_come_and_go_but_the_last_stays() {
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
    assert_eq!(owners.as_array().unwrap().len(), 2);
    assert_eq!(bob.delete(&format!("{path}/owners/{}", ada.user)).await.status, 204);
    ada.get(&path).await.refused(404, "not_found");
    bob.delete(&format!("{path}/owners/{}", bob.user)).await.refused(409, "last_owner");
    bob.delete(&format!("{path}/owners/{}", ada.user)).await.refused(404, "not_found");
}

#[tokio::test]
async fn somebody_who_does_not_exist_cannot_own() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let path = ada.create("mine").await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    let request = Request::put(format!("{path}/owners/{nobody}")).body(Body::empty()).unwrap();
    ada.send(request).await.refused(404, "not_found");
}
