//! The HTML around every page.

use super::{context, flash, with_response};
use crate::{App, platform::Platform};
use http::{HeaderValue, header};
use izanagi_shared::markdown::escape_text;
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;

/// The whole document: head, scripts, and the app as the body. Also sets the response's
/// `Content-Security-Policy`, for the nonce is known here.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    provide_context(Platform {
        set_status: context::set_status,
        redirect: context::redirect,
        take_flash: flash::take,
        title: |title| escape_text(&title),
        markup: RenderHtml::to_html,
        ..Platform::NOWHERE
    });
    let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
    with_response(|headers| {
        if let Ok(policy) = HeaderValue::from_str(&content_security_policy(&nonce)) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
    });
    let package = format!("/{}", options.site_pkg_dir);
    let (script, wasm) = (format!("{package}/izanagi.js"), format!("{package}/izanagi.wasm"));
    let start = format!(
        "import init,{{hydrate}} from \"{script}\";await init({{module_or_path:\"{wasm}\"}});hydrate();"
    );
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href=format!("{package}/main.css")/>
                <link rel="modulepreload" href=script/>
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="anonymous"/>
                <MetaTags/>
                <script type="module" nonce=nonce inner_html=start></script>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// What a page may load and run (DESIGN §7): nothing inline but what carries this nonce, no
/// `eval` but WebAssembly. Pictures in documents may come from anywhere.
#[must_use]
pub fn content_security_policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; \
         style-src 'self' 'nonce-{nonce}'; img-src 'self' https: http:; font-src 'self'; \
         connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}
