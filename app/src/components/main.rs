use crate::{
    api::documents::RestoreDocument,
    ssr::{Package, Visit},
    toasts::Toasts,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::{Link, Script};

/// The scripts of a page: one WebAssembly module with its islands, and what starts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bundle {
    /// None: everything on the page is there to be read.
    None,
    /// The islands of all pages but the editor's.
    Pages,
    /// That of the editor.
    Editor,
}

/// The landmark of a page.
#[component]
pub(crate) fn Main(
    /// Its class, after which style sheets know the kind of page.
    #[prop(default = "page")]
    class: &'static str,
    /// `narrow` for a single column.
    #[prop(optional)]
    width: Option<&'static str>,
    /// What makes the page more than something to read.
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

/// Loads a bundle, and has the place where its islands say what came of a write. A page for reading
/// has neither, unless it has something to say.
#[component]
pub(crate) fn Scripts(bundle: Bundle) -> impl IntoView {
    let first = Visit::here().message();
    let name = match bundle {
        Bundle::None if first.is_none() => return ().into_any(),
        Bundle::None | Bundle::Pages => "wasm-pages",
        Bundle::Editor => "wasm-editor",
    };
    let package = expect_context::<Package>();
    let (script, wasm) =
        (package.file(&format!("{name}.js")), package.file(&format!("{name}.wasm")));
    view! {
        <Link rel="preload" href=wasm as_="fetch" type_="application/wasm" crossorigin="anonymous"/>
        <Script type_="module" src=script/>
        <Toasts first undo=RestoreDocument::PATH.to_owned()/>
    }
    .into_any()
}
