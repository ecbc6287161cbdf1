//! Server-only code: request context, cookies, the HTML shell, and form submissions.

mod comparison;
mod context;
mod cookies;
mod failure;
mod flash;
mod plain_forms;
mod shell;
mod visit;

pub use crate::{
    app::App,
    catalogue::{DownloadWords, download_words, untitled, uploaded, words_file},
};
pub use context::PageContext;
pub use cookies::{Cookies, SessionCookies};
pub use failure::{Failure, failure};
pub use flash::answer_form;
pub use plain_forms::plain_forms;
pub use shell::{content_security_policy, shell};

pub(crate) use comparison::page_of;
pub(crate) use context::{
    after_sign_in, caller, device, lead_to, page_context, redirect, set_status, shows_images,
    signed_in, with_response,
};
pub(crate) use shell::Package;
pub(crate) use visit::{Me, UPLOAD_PATH, Visit};
