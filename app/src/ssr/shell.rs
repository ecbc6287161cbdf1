//! The HTML around every page.

use super::{App, shows_images, with_response};
use crate::catalogue;
use http::{HeaderName, HeaderValue, header};
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;

/// Directory of this build's static files, provided as context.
#[derive(Debug, Clone)]
pub(crate) struct Package(String);

impl Package {
    /// Returns the URL of a file of this build.
    pub(crate) fn file(&self, name: &str) -> String {
        format!("/{}/{name}", self.0)
    }
}

/// Renders the whole document, with the app as its body. Pages with islands add their scripts. Also
/// sets the response's `Content-Security-Policy`, because the nonce is known here, and names the
/// speculation rules for prefetching.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let package = Package(options.site_pkg_dir.to_string());
    let style_sheet = package.file("main.css");
    provide_context(package);
    let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
    with_response(|headers| {
        if let Ok(policy) = HeaderValue::from_str(&content_security_policy(&nonce, shows_images()))
        {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        let rules = HeaderValue::from_static("\"/speculation-rules.json\"");
        headers.insert(HeaderName::from_static("speculation-rules"), rules);
    });
    if let Some(context) = Owner::current_shared_context() {
        // Only islands are hydrated; `leptos_axum` assumes whole pages.
        context.set_is_hydrating(false);
    }
    view! {
        <!DOCTYPE html>
        <html lang=catalogue::language().tag()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href=style_sheet/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// Policy for what a page may load and run (DESIGN §7): inline content only with this nonce, no
/// `eval` except WebAssembly, and images of other hosts only if the reader asked for them.
#[must_use]
pub fn content_security_policy(nonce: &str, outside_images: bool) -> String {
    let images = if outside_images { " https:" } else { "" };
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         style-src 'self' 'nonce-{nonce}'; img-src 'self' data:{images}; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}
