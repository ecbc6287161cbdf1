//! Clients that take their time, over real connections.

use izanagi::{
    config::{Config, Patience},
    run::serve_on,
};
use std::{net::SocketAddr, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};

struct Server {
    address: SocketAddr,
    end: oneshot::Sender<()>,
    serving: JoinHandle<anyhow::Result<()>>,
    _home: TempDir,
}

async fn serve(patience: Patience) -> Server {
    serve_many(patience, None).await
}

async fn serve_many(patience: Patience, connections: Option<usize>) -> Server {
    let home = tempfile::tempdir().unwrap();
    let site = home.path().join("site");
    std::fs::create_dir_all(site.join("pkg/none")).unwrap();
    let config = Config {
        data_dir: home.path().join("data"),
        database_url: Some("memory://".to_owned()),
        site_root: Some(site),
        patience,
        connections,
        ..Config::default()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, told) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve_on(listener, config, async {
        let _ = told.await;
    }));
    Server { address, end, serving, _home: home }
}

/// All that the server says until it closes the connection.
async fn heard_from(client: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    let end = client.read_to_end(&mut heard);
    timeout(Duration::from_secs(20), end).await.expect("the server still waits").unwrap();
    String::from_utf8(heard).unwrap()
}

const SIGN_UP: &str = "POST /api/v1/auth/signup HTTP/1.1\r\nHost: a\r\n\
    Content-Type: application/json\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n";

#[tokio::test]
async fn a_request_that_does_not_end_does_not_hold_the_shutdown_up() {
    let drain = Duration::from_millis(50);
    let server = serve(Patience { drain, ..Patience::default() }).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(SIGN_UP.as_bytes()).await.unwrap();
    // The handler asks for the body, which never comes.
    let mut interim = [0; 12];
    client.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100");

    server.end.send(()).unwrap();
    let ended = timeout(Duration::from_secs(20), server.serving).await;
    ended.expect("the server still waits").unwrap().unwrap();
}

#[tokio::test]
async fn who_sends_no_request_is_hung_up_on() {
    let head = Duration::from_millis(50);
    let server = serve(Patience { head, ..Patience::default() }).await;
    for sent in ["", "GET / HT", "GET /healthz HTTP/1.1\r\nHost: a\r\n"] {
        let mut client = TcpStream::connect(server.address).await.unwrap();
        client.write_all(sent.as_bytes()).await.unwrap();
        let heard = heard_from(&mut client).await;
        assert!(!heard.starts_with("HTTP/1.1 200"), "{heard}");
    }
}

#[tokio::test]
async fn a_body_that_trickles_is_given_up() {
    let request = Duration::from_millis(200);
    let server = serve(Patience { request, ..Patience::default() }).await;
    let client = TcpStream::connect(server.address).await.unwrap();
    let (mut reading, mut writing) = client.into_split();
    let long = SIGN_UP.replace("Length: 99", "Length: 9999");
    writing.write_all(long.as_bytes()).await.unwrap();
    let trickle = tokio::spawn(async move {
        let mut beat = tokio::time::interval(Duration::from_millis(5));
        while writing.write_all(b" ").await.is_ok() {
            beat.tick().await;
        }
    });
    let mut heard = String::new();
    while !heard.contains("\"timeout\"") {
        let mut part = [0; 1024];
        let read = timeout(Duration::from_secs(20), reading.read(&mut part)).await;
        let read = read.expect("the server still waits").unwrap();
        assert_ne!(read, 0, "{heard}");
        heard.push_str(std::str::from_utf8(&part[..read]).unwrap());
    }
    assert!(heard.contains("HTTP/1.1 408"), "{heard}");
    trickle.abort();
}

#[tokio::test]
async fn who_does_not_read_the_answer_is_hung_up_on() {
    let answer_idle = Duration::from_millis(100);
    let server = serve(Patience { answer_idle, ..Patience::default() }).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    // More than the buffers on the way hold.
    let request = "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n";
    let asking = async { while client.write_all(request.as_bytes()).await.is_ok() {} };
    timeout(Duration::from_secs(20), asking).await.expect("the server still waits");
}

#[tokio::test]
async fn a_body_that_says_it_is_too_long_is_refused_before_it_is_sent() {
    let server = serve(Patience::default()).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    let long = SIGN_UP.replace("Length: 99", "Length: 999999999999");
    client.write_all(long.as_bytes()).await.unwrap();
    let mut heard = String::new();
    client.take(4_096).read_to_string(&mut heard).await.unwrap();
    assert!(heard.starts_with("HTTP/1.1 413"), "{heard}");
}

#[tokio::test]
async fn who_sends_a_body_that_is_too_long_gets_to_read_why() {
    let server = serve(Patience::default()).await;
    let length = 8 * 1024 * 1024;
    let answer = reqwest::Client::new()
        .post(format!("http://{}/api/v1/auth/signup", server.address))
        .header("content-type", "application/json")
        .body(vec![b' '; length])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 413);
    let problem: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(problem["code"], "too_large");
}

#[tokio::test]
async fn a_connection_too_many_waits_until_another_ends() {
    let server = serve_many(Patience::default(), Some(2)).await;
    let ask = async |client: &mut TcpStream| {
        client.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await
    };
    let first = TcpStream::connect(server.address).await.unwrap();
    let mut second = TcpStream::connect(server.address).await.unwrap();
    let mut third = TcpStream::connect(server.address).await.unwrap();
    ask(&mut third).await.unwrap();
    let mut byte = [0];
    let waits = timeout(Duration::from_millis(300), third.peek(&mut byte)).await;
    assert!(waits.is_err(), "{waits:?}");
    ask(&mut second).await.unwrap();
    assert!(heard_from(&mut second).await.starts_with("HTTP/1.1 200"));
    assert!(heard_from(&mut third).await.starts_with("HTTP/1.1 200"));
    drop(first);
}
