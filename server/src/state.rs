//! Shared state of the handlers.

use crate::{config::Config, site::Site};
use izanagi_app::ssr::{Cookies, PageContext};
use izanagi_domain::services::Services;
use leptos::config::LeptosOptions;
use std::{ops::Deref, sync::Arc};

/// The application state. It is cloned several times per request, so it is a single pointer.
#[derive(Debug, Clone)]
pub struct AppState(Arc<Parts>);

/// Contents of [`AppState`].
#[derive(Debug)]
pub struct Parts {
    /// The services.
    pub services: Arc<Services>,
    /// The settings.
    pub config: Config,
    /// The built pages.
    pub(crate) site: Site,
    /// Cookie settings.
    pub(crate) cookies: Cookies,
    /// Build information for pages.
    pub(crate) leptos: LeptosOptions,
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl AppState {
    /// Creates the state.
    #[must_use]
    pub fn new(services: Services, config: Config, site: Site) -> Self {
        let cookies = Cookies { secure: config.is_https() };
        let leptos = site.leptos_options(config.listen);
        Self(Arc::new(Parts { services: Arc::new(services), config, site, cookies, leptos }))
    }

    /// Returns the context for pages and server functions.
    pub(crate) fn page_context(&self) -> PageContext {
        PageContext { services: Arc::clone(&self.services), cookies: self.cookies }
    }
}
