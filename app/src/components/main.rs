use super::LocalTimes;
use crate::{
    api::documents::RestoreDocument,
    catalogue::{self, site},
    ssr::{Package, Visit},
    toasts::Toasts,
    words,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::{Link, Script};

/// Scripts of a page: a WebAssembly module with its islands, and the loader that starts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bundle {
    /// No scripts: the page is static.
    None,
    /// The islands of all pages except the editor.
    Pages,
    /// The island of the editor.
    Editor,
    /// The island of the timeline.
    Timeline,
}

/// Files that the editor's script imports (`scripts/site.mjs`).
const EDITOR_FILES: [&str; 4] =
    ["editor-part-1.js", "editor-part-2.js", "editor.js", "wasm-editor.js"];

/// `main` landmark of a page.
#[component]
pub(crate) fn Main(
    /// CSS class that names the kind of page.
    #[prop(default = "page")]
    class: &'static str,
    /// `narrow` for a single column.
    #[prop(optional)]
    width: Option<&'static str>,
    /// Scripts of the page.
    #[prop(default = Bundle::Pages)]
    bundle: Bundle,
    children: Children,
) -> impl IntoView {
    view! {
        <main id="main" class=class data-width=width tabindex="-1">
            {children()}
        </main>
        <Scripts bundle/>
    }
}

/// Loads a bundle and adds the toasts. A static page has neither, unless it has a message to show.
#[component]
pub(crate) fn Scripts(bundle: Bundle) -> impl IntoView {
    let first = Visit::here().message();
    let name = match bundle {
        Bundle::None if first.is_none() => return ().into_any(),
        Bundle::None | Bundle::Pages => "wasm-pages",
        Bundle::Editor => "wasm-editor",
        Bundle::Timeline => "wasm-timeline",
    };
    let package = expect_context::<Package>();
    let (script, wasm) =
        (package.file(&format!("{name}.js")), package.file(&format!("{name}.wasm")));
    // Keys are taken as soon as the editor's own files are there.
    let (files, priority): (&[&str], _) = match bundle {
        Bundle::Editor => (&EDITOR_FILES, "low"),
        Bundle::None | Bundle::Pages | Bundle::Timeline => (&[], "auto"),
    };
    let files = files.iter().map(|name| package.file(name));
    let files = files.map(|href| view! { <Link rel="modulepreload" href/> }).collect_view();
    view! {
        {files}
        <Link
            rel="preload"
            href=wasm
            as_="fetch"
            type_="application/wasm"
            crossorigin="anonymous"
            fetchpriority=priority
        />
        <Link
            id=words::LINK
            rel="preload"
            href=catalogue::words_path(bundle)
            as_="fetch"
            type_="application/json"
            crossorigin="anonymous"
        />
        <Script type_="module" src=script/>
        // Shown by the loader if it fails.
        <div id="load-failed" role="alert" hidden="">
            <div class="toasts"><div class="toast" data-variant="danger"><p>{site::load_failed()}</p></div></div>
        </div>
        {(bundle != Bundle::Editor).then(|| view! { <LocalTimes/> })}
        <Toasts first undo=RestoreDocument::PATH.to_owned()/>
    }
    .into_any()
}
