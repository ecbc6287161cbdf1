//! The browser's half: taking over the page that the server rendered, and what only a browser can
//! do.

mod editing;
mod files;
mod listeners;
mod time;
mod upload;

use crate::{App, platform::Platform};
use leptos::prelude::*;

/// Makes the server's page a living one.
pub fn hydrate() {
    console_error_panic_hook::set_once();
    listeners::close_menus();
    listeners::keep_from_router();
    leptos::mount::hydrate_body(|| {
        provide_context(Platform {
            redirect,
            local_time: time::local_words,
            edit: editing::start,
            upload: upload::send_files,
            copy: files::copy,
            save_file: files::save,
            ..Platform::NOWHERE
        });
        view! { <App/> }
    });
}

/// The page that leads on does not stay in the history, or going back would lead on again.
fn redirect(path: &str) {
    // Refused only for a URL that is none.
    let _ = window().location().replace(path);
}
