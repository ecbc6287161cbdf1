//! Shutting down with a request that does not end.

use izanagi::{config::Config, run::serve_on};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};

#[tokio::test]
async fn a_request_that_does_not_end_does_not_hold_the_shutdown_up() {
    let home = tempfile::tempdir().unwrap();
    let site = home.path().join("site");
    std::fs::create_dir_all(site.join("pkg/none")).unwrap();
    let config = Config {
        data_dir: home.path().join("data"),
        database_url: Some("memory://".to_owned()),
        site_root: Some(site),
        drain: Duration::from_millis(50),
        ..Config::default()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, told) = oneshot::channel::<()>();
    let server = tokio::spawn(serve_on(listener, config, async {
        let _ = told.await;
    }));

    let mut client = TcpStream::connect(address).await.unwrap();
    let head = "POST /api/v1/auth/signup HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\
                Content-Length: 99\r\nExpect: 100-continue\r\n\r\n";
    client.write_all(head.as_bytes()).await.unwrap();
    // The handler asks for the body, which never comes.
    let mut interim = [0; 12];
    client.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100");

    end.send(()).unwrap();
    let ended = timeout(Duration::from_secs(20), server).await;
    ended.expect("the server still waits").unwrap().unwrap();
}
