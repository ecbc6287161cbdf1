//! `izanagi health`: asks a running server whether it is ready. For the health checks of containers,
//! which then need no other program.

use crate::config::Config;
use anyhow::{Context as _, Result, ensure};
use http_body_util::Empty;
use hyper::{Request, body::Bytes, client::conn::http1, header::HOST};
use hyper_util::rt::TokioIo;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::net::TcpStream;

/// Longer than the server itself waits for its stores.
const LIMIT: Duration = Duration::from_secs(8);

/// Asks the server that listens at the configured address on this machine.
///
/// # Errors
/// It does not answer, or it is not ready.
pub(crate) async fn check(config: &Config) -> Result<()> {
    let address = reachable(config.listen);
    let asked = tokio::time::timeout(LIMIT, ask(address)).await;
    asked.with_context(|| format!("{address}: no answer within {} s", LIMIT.as_secs()))?
}

async fn ask(address: SocketAddr) -> Result<()> {
    let stream = TcpStream::connect(address).await;
    let stream = stream.with_context(|| format!("{address}: cannot connect"))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the stream.
    tokio::spawn(connection);
    let request = Request::get("/readyz").header(HOST, "localhost").body(Empty::<Bytes>::new())?;
    let status = sender.send_request(request).await?.status();
    ensure!(status.is_success(), "{address}: not ready ({status})");
    Ok(())
}

/// An address that stands for all of a machine is reached at loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0.0.0.0:7999", "127.0.0.1:7999")]
    #[case("[::]:80", "[::1]:80")]
    #[case("10.0.0.7:7999", "10.0.0.7:7999")]
    fn asks_at_an_address_that_can_be_reached(#[case] listen: &str, #[case] expected: &str) {
        assert_eq!(reachable(listen.parse().unwrap()), expected.parse().unwrap());
    }
}
