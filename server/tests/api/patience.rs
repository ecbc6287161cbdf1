//! Timeouts for slow clients, over real TCP connections.

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
    let mut config = Config {
        data_dir: home.path().join("data"),
        site_root: Some(site),
        patience,
        connections,
        ..Config::default()
    };
    config.storage.users.url = Some("memory://".into());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, shutdown) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve_on(listener, config, async {
        let _ = shutdown.await;
    }));
    Server { address, end, serving, _home: home }
}

/// Returns everything the server sends until it closes the connection.
async fn read_to_close(client: &mut TcpStream) -> String {
    let mut response = Vec::new();
    let end = client.read_to_end(&mut response);
    timeout(Duration::from_secs(20), end).await.expect("the server did not time out").unwrap();
    String::from_utf8(response).unwrap()
}

const SIGN_UP: &str = "POST /api/v1/auth/signup HTTP/1.1\r\nHost: localhost\r\n\
    Content-Type: application/json\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n";

#[tokio::test]
async fn shutdown_does_not_wait_for_a_stuck_body() {
    let drain = Duration::from_millis(50);
    let server = serve(Patience { drain, ..Patience::default() }).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    client.write_all(SIGN_UP.as_bytes()).await.unwrap();
    // The handler is waiting for a body that never arrives.
    let mut interim = [0; 12];
    client.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100");

    server.end.send(()).unwrap();
    let ended = timeout(Duration::from_secs(20), server.serving).await;
    ended.expect("the server did not time out").unwrap().unwrap();
}

#[tokio::test]
async fn closes_connections_without_a_request() {
    let time = Duration::from_millis(50);
    let server = serve(Patience { head: time, idle: time, ..Patience::default() }).await;
    for sent in ["", "GET / HT", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"] {
        let mut client = TcpStream::connect(server.address).await.unwrap();
        client.write_all(sent.as_bytes()).await.unwrap();
        let response = read_to_close(&mut client).await;
        assert!(!response.starts_with("HTTP/1.1 200"), "{response}");
    }
}

#[tokio::test]
async fn a_slow_head_has_less_time_than_a_pause_between_requests() {
    let head = Duration::from_millis(50);
    let server = serve(Patience { head, ..Patience::default() }).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    for _ in 0..2 {
        // Longer than a head may take.
        let mut byte = [0];
        assert!(timeout(4 * head, client.peek(&mut byte)).await.is_err());
        client.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut response = String::new();
        while !response.ends_with("{\"status\":\"ok\"}") {
            response.push(char::from(client.read_u8().await.unwrap()));
        }
    }
    client.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    assert_eq!(read_to_close(&mut client).await, "");
}

#[tokio::test]
async fn times_out_a_body_that_trickles_in() {
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
    let mut response = String::new();
    while !response.contains("\"timeout\"") {
        let mut part = [0; 1024];
        let read = timeout(Duration::from_secs(20), reading.read(&mut part)).await;
        let read = read.expect("the server did not time out").unwrap();
        assert_ne!(read, 0, "{response}");
        response.push_str(std::str::from_utf8(&part[..read]).unwrap());
    }
    assert!(response.contains("HTTP/1.1 408"), "{response}");
    trickle.abort();
}

#[tokio::test]
async fn closes_connections_that_do_not_read() {
    let answer_idle = Duration::from_millis(100);
    let server = serve(Patience { answer_idle, ..Patience::default() }).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    // More than the buffers between client and server can hold.
    let request = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let asking = async { while client.write_all(request.as_bytes()).await.is_ok() {} };
    timeout(Duration::from_secs(20), asking).await.expect("the server did not time out");
}

#[tokio::test]
async fn rejects_an_excessive_content_length() {
    let server = serve(Patience::default()).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    let long = SIGN_UP.replace("Length: 99", "Length: 999999999999");
    client.write_all(long.as_bytes()).await.unwrap();
    let mut response = String::new();
    client.take(4_096).read_to_string(&mut response).await.unwrap();
    assert!(response.starts_with("HTTP/1.1 413"), "{response}");
}

#[tokio::test]
async fn reports_an_oversized_body_to_the_client() {
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
async fn a_client_that_sends_first_and_reads_later_gets_the_rejection() {
    const LENGTH: usize = 8 * 1024 * 1024;
    let server = serve(Patience::default()).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /api/v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {LENGTH}\r\n\r\n"
    );
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(&vec![b' '; LENGTH]).await.unwrap();
    // The connection remains usable.
    let next = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    client.write_all(next.as_bytes()).await.unwrap();
    let responses = read_to_close(&mut client).await;
    assert!(responses.starts_with("HTTP/1.1 401"), "{responses}");
    assert!(responses.contains("HTTP/1.1 200"), "{responses}");
}

#[tokio::test]
async fn a_body_that_was_asked_for_is_read_to_its_end() {
    let server = serve(Patience::default()).await;
    let mut client = TcpStream::connect(server.address).await.unwrap();
    // Rejected in the middle: the limit of a sign-up is far below, and the length is unknown.
    let head = SIGN_UP.replace("Content-Length: 99", "Transfer-Encoding: chunked");
    client.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    client.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    let chunk = [b"10000\r\n".as_slice(), &vec![b' '; 0x1_0000], b"\r\n"].concat();
    for _ in 0..128 {
        client.write_all(&chunk).await.unwrap();
    }
    client.write_all(b"0\r\n\r\n").await.unwrap();
    client
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let responses = read_to_close(&mut client).await;
    assert!(responses.starts_with("HTTP/1.1 413"), "{responses}");
    assert!(responses.contains("HTTP/1.1 200"), "{responses}");
}

#[tokio::test]
async fn excess_connections_wait_for_a_free_slot() {
    let server = serve_many(Patience::default(), Some(2)).await;
    let ask = async |client: &mut TcpStream| {
        client
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await
    };
    let first = TcpStream::connect(server.address).await.unwrap();
    let mut second = TcpStream::connect(server.address).await.unwrap();
    let mut third = TcpStream::connect(server.address).await.unwrap();
    ask(&mut third).await.unwrap();
    let mut byte = [0];
    let waits = timeout(Duration::from_millis(300), third.peek(&mut byte)).await;
    assert!(waits.is_err(), "{waits:?}");
    ask(&mut second).await.unwrap();
    assert!(read_to_close(&mut second).await.starts_with("HTTP/1.1 200"));
    assert!(read_to_close(&mut third).await.starts_with("HTTP/1.1 200"));
    drop(first);
}

#[tokio::test]
async fn a_request_must_name_one_host() {
    let server = serve(Patience::default()).await;
    for (hosts, status) in [
        ("Host: localhost\r\n", "200 OK"),
        ("", "400 Bad Request"),
        ("Host: localhost\r\nHost: localhost\r\n", "400 Bad Request"),
        ("Host: a/b\r\n", "400 Bad Request"),
    ] {
        let mut client = TcpStream::connect(server.address).await.unwrap();
        let request = format!("GET /healthz HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let response = read_to_close(&mut client).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status}")), "{hosts:?}: {response}");
        assert_eq!(response.contains("invalid_host"), status.starts_with("400"), "{response}");
    }
}
