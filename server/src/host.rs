//! The Host header (RFC 9112 §3.2). A request that names no host, several, or something else must
//! be refused: caches, proxies and the check of its origin would each believe another one.

use crate::problem::{plain, respond};
use axum::{extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, StatusCode, Version, header, uri::Authority};

/// Marks a request whose Host is invalid; only requests from the network have to name one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InvalidHost;

/// Whether a request with these headers names exactly one host.
pub(crate) fn is_valid(version: Version, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => host.to_str().is_ok_and(is_host),
        (Some(_), Some(_)) => false,
    }
}

fn is_host(text: &str) -> bool {
    let is_plain = |host: &Authority| {
        !host.host().is_empty() && (host.host().len() == text.len() || host.port_u16().is_some())
    };
    !text.contains('@') && text.parse::<Authority>().as_ref().is_ok_and(is_plain)
}

/// Rejects marked requests.
pub(crate) async fn refuse_invalid_hosts(request: Request, next: Next) -> Response {
    if request.extensions().get::<InvalidHost>().is_none() {
        return next.run(request).await;
    }
    respond(plain(
        StatusCode::BAD_REQUEST,
        "invalid_host",
        "Invalid Host",
        "The request must have one Host header, with the host and port of this server.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::name(&["example.org"], true)]
    #[case::port(&["localhost:7999"], true)]
    #[case::ipv6(&["[::1]:7999"], true)]
    #[case::none(&[], false)]
    #[case::two(&["a", "a"], false)]
    #[case::empty(&[""], false)]
    #[case::list(&["a, b"], false)]
    #[case::path(&["a/b"], false)]
    #[case::user(&["a@b"], false)]
    #[case::bad_port(&["a:b"], false)]
    fn one_host_is_required(#[case] hosts: &[&'static str], #[case] valid: bool) {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        assert_eq!(is_valid(Version::HTTP_11, &headers), valid);
    }

    #[test]
    fn older_clients_need_not_name_a_host() {
        assert!(is_valid(Version::HTTP_10, &HeaderMap::new()));
    }
}
