//! The Host header (RFC 9112 §3.2). A request that names no host, several, or something else must
//! be refused: caches, proxies and the check of its origin would each believe another one.

use crate::{
    problem::{plain, respond},
    state::AppState,
};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{Method, StatusCode, Version, header, request::Parts, uri::Authority};
use izanagi_shared::problem::Problem;
use std::net::IpAddr;

/// Setting that names the host.
const SETTING: &str = "IZANAGI_PUBLIC_URL";

/// Marks a request whose Host is invalid; only requests from the network have to name one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InvalidHost;

/// Whether a request names exactly one host. A target with a host must name the same one.
pub(crate) fn is_valid(request: &Parts) -> bool {
    let target = request.uri.authority().filter(|_| request.method != Method::CONNECT);
    let mut hosts = request.headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => request.version < Version::HTTP_11,
        (Some(host), None) => host.to_str().is_ok_and(|host| {
            is_host(host) && target.is_none_or(|target| target.as_str().eq_ignore_ascii_case(host))
        }),
        (Some(_), Some(_)) => false,
    }
}

fn is_host(text: &str) -> bool {
    let is_plain = |host: &Authority| {
        !host.host().is_empty() && (host.host().len() == text.len() || host.port_u16().is_some())
    };
    !text.contains('@') && text.parse::<Authority>().as_ref().is_ok_and(is_plain)
}

/// Rejects marked requests and, without a public URL, those to a name.
///
/// Another site can let its own name lead to this server (DNS rebinding). Its pages then have the
/// origin of their requests' host, so the check of origins would let them through. An address cannot
/// be redirected like that, and neither can `localhost`.
pub(crate) async fn refuse_untrusted_hosts(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Response {
    if request.extensions().get::<InvalidHost>().is_some() {
        return respond(plain(
            StatusCode::BAD_REQUEST,
            "invalid_host",
            "Invalid Host",
            "The request must have one Host header, with the host and port of this server.",
        ));
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    // Monitors may use any name, and get nothing that is worth protecting.
    let is_check = matches!(request.uri().path(), "/healthz" | "/readyz");
    let is_trusted = state.config.public_url.is_some() || host.is_none_or(is_local);
    if is_trusted || is_check {
        return next.run(request).await;
    }
    let detail = format!(
        "This server does not know its name. Set {SETTING} to the URL that browsers use, or open \
         it by its address."
    );
    let problem = plain(StatusCode::MISDIRECTED_REQUEST, "unknown_host", "Unknown host", &detail);
    respond(Problem { args: vec![SETTING.to_owned()], ..problem })
}

/// Whether a host, with or without a port, is an address or this machine.
fn is_local(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_end_matches('.');
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let name = name.to_ascii_lowercase();
    address.parse::<IpAddr>().is_ok() || name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use rstest::rstest;

    fn request(uri: &str, version: Version, hosts: &[&str]) -> Parts {
        let mut request = Request::get(uri).version(version);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        request.body(Body::empty()).unwrap().into_parts().0
    }

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
    fn one_host_is_required(#[case] hosts: &[&str], #[case] valid: bool) {
        assert_eq!(is_valid(&request("/", Version::HTTP_11, hosts)), valid);
    }

    #[rstest]
    #[case("http://A:1/documents", true)]
    #[case("http://b:1/documents", false)]
    fn a_target_with_a_host_must_agree(#[case] uri: &str, #[case] valid: bool) {
        assert_eq!(is_valid(&request(uri, Version::HTTP_11, &["a:1"])), valid);
    }

    #[test]
    fn older_clients_need_not_name_a_host() {
        assert!(is_valid(&request("/", Version::HTTP_10, &[])));
    }

    #[rstest]
    #[case("127.0.0.1", true)]
    #[case("192.0.2.1:7999", true)]
    #[case("[::1]:7999", true)]
    #[case("localhost:7999", true)]
    #[case("LOCALHOST.", true)]
    #[case("izanagi.localhost", true)]
    #[case("evil.example", false)]
    #[case("evil.example:7999", false)]
    #[case("127.0.0.1.evil.example", false)]
    #[case("localhost.evil.example", false)]
    #[case("notlocalhost", false)]
    fn only_addresses_and_this_machine_are_local(#[case] host: &str, #[case] local: bool) {
        assert_eq!(is_local(host), local);
    }
}
