use crate::support::{Client, PASSWORD, TestApp};
use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::json;

const LOGIN: &str = "/api/v1/auth/login";

/// Returns the value of a cookie set by the response.
fn cookie(answer: &crate::support::Answer, name: &str) -> String {
    let mut set = answer.headers.get_all(header::SET_COOKIE).iter().rev();
    let prefix = format!("{name}=");
    let value = set.find_map(|value| value.to_str().unwrap().strip_prefix(&prefix));
    let value = value.unwrap_or_else(|| panic!("no cookie {name}"));
    value.split(';').next().unwrap().to_owned()
}

async fn refresh(client: &Client, token: &str) -> crate::support::Answer {
    client.post("/api/v1/auth/refresh", &json!({ "refreshToken": token })).await
}

#[tokio::test]
async fn signs_in_by_username_or_email() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let me = ada.get("/api/v1/me").await.json();
    assert_eq!((me["username"].as_str(), me["role"].as_str()), (Some("ada"), Some("user")));
    for login in ["ada", "ADA", "ada@example.org"] {
        let answer =
            app.anonymous().post(LOGIN, &json!({ "login": login, "password": PASSWORD })).await;
        assert_eq!(answer.status, 200, "{login}");
        assert_eq!(answer.json()["expiresIn"], 1800);
    }
    let by_email = json!({ "email": "ada@example.org", "password": PASSWORD });
    assert_eq!(app.anonymous().post(LOGIN, &by_email).await.status, 200);
}

#[tokio::test]
async fn session_cookies_are_http_only_and_lax() {
    let app = TestApp::new().await;
    app.sign_up("ada").await;
    let answer =
        app.anonymous().post(LOGIN, &json!({ "login": "ada", "password": PASSWORD })).await;
    for value in answer.headers.get_all(header::SET_COOKIE) {
        let value = value.to_str().unwrap();
        for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(value.contains(part), "{value}");
        }
        assert!(!value.contains("Secure"), "{value}");
    }
    let secure =
        TestApp::with(|config| config.public_url = Some("https://docs.example.org".into())).await;
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    let answer = secure.anonymous().post("/api/v1/auth/signup", &body).await;
    let mut set =
        answer.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    assert!(set.all(|value| value.starts_with("__Host-izanagi_") && value.contains("Secure")));
}

#[tokio::test]
async fn derives_a_free_username_from_the_email() {
    let app = TestApp::new().await;
    app.sign_up("ada").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let answer = app.anonymous().post("/api/v1/auth/signup", &body).await.json();
    let name = answer["user"]["username"].as_str().unwrap();
    assert!(name.starts_with("ada-"), "{name}");
}

#[tokio::test]
async fn a_blank_username_is_not_derived_from_the_email() {
    let app = TestApp::new().await;
    for username in ["", " "] {
        let body = json!({ "email": "eve.private@example.org", "password": PASSWORD, "username": username });
        let answer = app.anonymous().post("/api/v1/auth/signup", &body).await;
        assert_eq!(answer.refused_field("username", "blank"), "Enter a username.");
    }
    let form = Request::post("/fn/accounts/sign-up")
        .header("accept", "application/json")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("username=&email=&password=&next="));
    let problem = app.anonymous().send(form.unwrap()).await.refused(422, "invalid");
    let errors = problem["errors"].as_array().unwrap();
    let errors: Vec<_> = errors
        .iter()
        .map(|error| (error["field"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    assert_eq!(errors, [("username", "blank"), ("email", "blank"), ("password", "blank")]);
}

#[tokio::test]
async fn taken_username_or_email_is_a_conflict() {
    let app = TestApp::new().await;
    app.sign_up("ada").await;
    let signup =
        |name: &str, email: &str| json!({ "username": name, "email": email, "password": PASSWORD });
    let client = app.anonymous();
    let path = "/api/v1/auth/signup";
    let taken =
        client.post(path, &signup("Ada", "other@example.org")).await.refused(409, "username_taken");
    assert_eq!(taken["errors"][0]["field"], "username");
    let taken =
        client.post(path, &signup("bob", "ADA@example.org")).await.refused(409, "email_taken");
    assert_eq!(taken["errors"][0]["field"], "email");
}

#[tokio::test]
async fn sign_up_reports_all_errors_at_once() {
    let app = TestApp::new().await;
    let body = json!({ "email": "nonsense", "password": "short", "username": "a b" });
    let answer = app.anonymous().post("/api/v1/auth/signup", &body).await;
    answer.refused_field("email", "invalid");
    answer.refused_field("password", "too_short");
    answer.refused_field("username", "invalid");
    let body = json!({ "email": "ada@example.org", "password": "qwertyuiop" });
    app.anonymous().post("/api/v1/auth/signup", &body).await.refused_field("password", "common");
    for password in ["ada@example.org", "Ada-Lovelace!"] {
        let body = json!({
            "email": "ada@example.org", "password": password, "displayName": "Lovelace",
        });
        let answer = app.anonymous().post("/api/v1/auth/signup", &body).await;
        answer.refused_field("password", "own_name");
    }
}

#[tokio::test]
async fn an_empty_field_is_asked_for() {
    let app = TestApp::new().await;
    let body = json!({ "login": " ", "password": "" });
    let answer = app.anonymous().post(LOGIN, &body).await;
    assert_eq!(answer.refused_field("login", "blank"), "Enter your username or email.");
    assert_eq!(answer.refused_field("password", "blank"), "Enter a password.");
    let body = json!({ "email": "", "password": "" });
    let answer = app.anonymous().post("/api/v1/auth/signup", &body).await;
    assert_eq!(answer.refused_field("email", "blank"), "Enter an email address.");
    assert_eq!(answer.refused_field("password", "blank"), "Enter a password.");
}

#[tokio::test]
async fn sign_in_does_not_reveal_known_usernames() {
    let app = TestApp::new().await;
    app.sign_up("ada").await;
    let wrong = |login: &str| json!({ "login": login, "password": "not the password" });
    let mut first =
        app.anonymous().post(LOGIN, &wrong("ada")).await.refused(401, "invalid_credentials");
    let mut second =
        app.anonymous().post(LOGIN, &wrong("nobody")).await.refused(401, "invalid_credentials");
    first["requestId"].take();
    second["requestId"].take();
    assert_eq!(first, second);
}

#[tokio::test]
async fn rate_limits_the_eleventh_sign_in_attempt() {
    let app = TestApp::new().await;
    let body = json!({ "login": "nobody", "password": "not the password" });
    for _ in 0..10 {
        app.anonymous().post(LOGIN, &body).await.refused(401, "invalid_credentials");
    }
    let answer = app.anonymous().post(LOGIN, &body).await;
    answer.refused(429, "rate_limited");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn repeated_refresh_returns_same_successor() {
    let app = TestApp::new().await;
    app.sign_up("ada").await;
    let client = app.anonymous();
    let answer = client.post(LOGIN, &json!({ "login": "ada", "password": PASSWORD })).await;
    let first = cookie(&answer, "izanagi_refresh");
    let second = cookie(&refresh(&client, &first).await, "izanagi_refresh");
    let again = cookie(&refresh(&client, &first).await, "izanagi_refresh");
    assert_ne!(first, second);
    assert_eq!(second, again);
}

#[tokio::test]
async fn a_replayed_token_revokes_the_session() {
    let app = TestApp::new().await;
    app.sign_up("ada").await;
    let client = app.anonymous();
    let answer = client.post(LOGIN, &json!({ "login": "ada", "password": PASSWORD })).await;
    let access = answer.json()["accessToken"].as_str().unwrap().to_owned();
    let first = cookie(&answer, "izanagi_refresh");
    let second = cookie(&refresh(&client, &first).await, "izanagi_refresh");
    let third = cookie(&refresh(&client, &second).await, "izanagi_refresh");
    refresh(&client, &first).await.refused(401, "session_revoked");
    refresh(&client, &third).await.refused(401, "session_revoked");
    let request = Request::get("/api/v1/me").header("authorization", format!("Bearer {access}"));
    client.send(request.body(Body::empty()).unwrap()).await.refused(401, "unauthenticated");
    let audit = app.running.services.core.stores.relational.audit.newest(10).await.unwrap();
    assert!(audit.iter().any(|(action, ..)| action == "refresh_token_replayed"), "{audit:?}");
}

#[tokio::test]
async fn rejects_an_unknown_refresh_token() {
    let app = TestApp::new().await;
    refresh(&app.anonymous(), "nonsense").await.refused(401, "session_revoked");
    let empty = Request::post("/api/v1/auth/refresh").body(Body::empty()).unwrap();
    app.anonymous().send(empty).await.refused(401, "session_revoked");
}

#[tokio::test]
async fn signing_out_revokes_the_session_at_once() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let answer = ada.post("/api/v1/auth/logout", &json!({})).await;
    assert_eq!(answer.status, 204);
    let mut cleared = answer.headers.get_all(header::SET_COOKIE).iter();
    assert!(cleared.all(|value| value.to_str().unwrap().contains("Max-Age=0")));
    ada.get("/api/v1/me").await.refused(401, "unauthenticated");
}

#[tokio::test]
async fn deactivation_ends_sessions_and_sign_in() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    app.running.services.accounts.set_active("ada", false).await.unwrap();
    ada.get("/api/v1/me").await.refused(401, "unauthenticated");
    let body = json!({ "login": "ada", "password": PASSWORD });
    app.anonymous().post(LOGIN, &body).await.refused(401, "invalid_credentials");
    app.running.services.accounts.set_active("ada", true).await.unwrap();
    assert_eq!(app.anonymous().post(LOGIN, &body).await.status, 200);
}

#[tokio::test]
async fn updates_and_validates_the_profile() {
    let app = TestApp::new().await;
    let ada = app.sign_up("ada").await;
    let changed =
        ada.patch("/api/v1/me", &json!({ "displayName": " Ada L. ", "bio": "maths" })).await;
    assert_eq!(changed.json()["displayName"], "Ada L.");
    ada.patch("/api/v1/me", &json!({ "displayName": " " }))
        .await
        .refused_field("displayName", "blank");
}
