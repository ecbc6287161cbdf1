//! What every handler can reach.

use crate::{config::Config, site::Site};
use izanagi_app::ssr::{Cookies, PageContext};
use izanagi_domain::services::Services;
use leptos::config::LeptosOptions;
use std::{ops::Deref, sync::Arc};

/// The state of the application. It is cloned many times a request, and so is one pointer.
#[derive(Debug, Clone)]
pub struct AppState(Arc<Parts>);

/// What [`AppState`] holds.
#[derive(Debug)]
pub struct Parts {
    /// The services.
    pub services: Arc<Services>,
    /// The settings.
    pub config: Config,
    /// The built pages.
    pub(crate) site: Site,
    /// How session cookies look.
    pub(crate) cookies: Cookies,
    /// What pages know of the build.
    pub(crate) leptos: LeptosOptions,
}

impl Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl AppState {
    /// Puts the state together.
    #[must_use]
    pub fn new(services: Services, config: Config, site: Site) -> Self {
        let cookies = Cookies { secure: config.is_https() };
        let leptos = site.leptos_options(config.listen);
        Self(Arc::new(Parts { services: Arc::new(services), config, site, cookies, leptos }))
    }

    /// What pages and server functions need.
    pub(crate) fn page_context(&self) -> PageContext {
        PageContext { services: Arc::clone(&self.services), cookies: self.cookies }
    }
}
