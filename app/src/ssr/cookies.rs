//! Session cookies (API.md): httpOnly, so scripts cannot read them; `SameSite=Lax`, so other sites
//! cannot use them for writes.

use crate::catalogue::{COOKIE as LANGUAGE, Language};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use http::{HeaderMap, HeaderValue, header};
use izanagi_domain::accounts::{ACCESS_LIFETIME, REFRESH_LIFETIME, SignedIn};
use time::Duration;

/// Cookie settings. If `secure`, names have the prefix `__Host-` (RFC 6265bis §4.1.3.2) and
/// browsers send them only over https.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cookies {
    /// Whether the public URL is https.
    pub secure: bool,
}

/// Cookies from a request.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SessionCookies {
    /// The access token.
    pub access: Option<String>,
    /// The refresh token.
    pub refresh: Option<String>,
}

const ACCESS: &str = "izanagi_access";
const REFRESH: &str = "izanagi_refresh";

impl Cookies {
    /// Reads the session cookies.
    #[must_use]
    pub fn read(self, headers: &HeaderMap) -> SessionCookies {
        SessionCookies { access: self.get(headers, ACCESS), refresh: self.get(headers, REFRESH) }
    }

    /// Sets both cookies.
    pub fn set(self, headers: &mut HeaderMap, signed_in: &SignedIn) {
        self.put(headers, ACCESS, signed_in.access.expose(), seconds(ACCESS_LIFETIME));
        self.put(headers, REFRESH, signed_in.refresh.expose(), seconds(REFRESH_LIFETIME));
    }

    /// Deletes both cookies.
    pub fn clear(self, headers: &mut HeaderMap) {
        self.put(headers, ACCESS, "", 0);
        self.put(headers, REFRESH, "", 0);
    }

    /// Returns whether a response sets or deletes the session cookies.
    #[must_use]
    pub fn decided(self, headers: &HeaderMap) -> bool {
        let start = format!("{}=", self.name(ACCESS));
        headers
            .get_all(header::SET_COOKIE)
            .iter()
            .any(|value| value.as_bytes().starts_with(start.as_bytes()))
    }

    /// Returns the value of a session cookie.
    pub(super) fn get(self, headers: &HeaderMap, name: &str) -> Option<String> {
        let jar = CookieJar::from_headers(headers);
        let value = jar.get(&self.name(name))?.value();
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Appends a `Set-Cookie` header; `max_age` is in seconds, 0 deletes the cookie.
    pub(super) fn put(self, headers: &mut HeaderMap, name: &str, value: &str, max_age: i64) {
        let cookie = Cookie::build((self.name(name), value))
            .path("/")
            .max_age(Duration::seconds(max_age))
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure);
        // Tokens and base64 are ASCII; skip any other value.
        if let Ok(cookie) = HeaderValue::from_str(&cookie.to_string()) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }

    /// Sets the language of the pages, for a year. Its cookie has no prefix `__Host-`: it is no
    /// secret, and another origin can only change the language.
    pub(crate) fn put_language(self, headers: &mut HeaderMap, language: Language) {
        let cookie = Cookie::build((LANGUAGE, language.code()))
            .path("/")
            .max_age(Duration::days(365))
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.secure);
        // The code is ASCII.
        if let Ok(cookie) = HeaderValue::from_str(&cookie.to_string()) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }

    fn name(self, name: &str) -> String {
        if self.secure { format!("__Host-{name}") } else { name.to_owned() }
    }
}

const fn seconds(lifetime: std::time::Duration) -> i64 {
    lifetime.as_secs().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Cookies = Cookies { secure: false };
    const SECURE: Cookies = Cookies { secure: true };

    fn sent(line: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(line))])
    }

    #[test]
    fn finds_its_own_cookies_among_others() {
        let headers = sent("a=b; izanagi_access=x.y.z; izanagi_refresh=r; c=");
        let cookies = PLAIN.read(&headers);
        assert_eq!(cookies.access.as_deref(), Some("x.y.z"));
        assert_eq!(cookies.refresh.as_deref(), Some("r"));
    }

    #[test]
    fn over_https_only_the_prefixed_cookie_is_read() {
        assert!(SECURE.read(&sent("izanagi_access=planted")).access.is_none());
        let headers = sent("__Host-izanagi_access=ours");
        assert_eq!(SECURE.read(&headers).access.as_deref(), Some("ours"));
    }

    #[test]
    fn a_cleared_cookie_expires_at_once_and_counts_as_decided() {
        let mut headers = HeaderMap::new();
        assert!(!SECURE.decided(&headers));
        SECURE.clear(&mut headers);
        let first = headers.get(header::SET_COOKIE).unwrap().to_str().unwrap();
        assert_eq!(
            first,
            "__Host-izanagi_access=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0"
        );
        assert!(SECURE.decided(&headers));
    }
}
