//! What every handler can reach.

use crate::{config::Config, site::Site};
use axum::extract::FromRef;
use izanagi_app::ssr::{Cookies, PageContext};
use izanagi_domain::services::Services;
use leptos::config::LeptosOptions;
use std::sync::Arc;

/// The state of the application. Cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The services.
    pub services: Services,
    /// The settings.
    pub config: Arc<Config>,
    /// The built pages.
    pub(crate) site: Arc<Site>,
    /// How session cookies look.
    pub(crate) cookies: Cookies,
    leptos: LeptosOptions,
}

impl AppState {
    /// Puts the state together.
    #[must_use]
    pub fn new(services: Services, config: Config, site: Site) -> Self {
        let cookies = Cookies { secure: config.is_https() };
        let leptos = site.leptos_options(config.listen);
        Self { services, config: Arc::new(config), site: Arc::new(site), cookies, leptos }
    }

    /// What pages and server functions need.
    pub(crate) fn page_context(&self) -> PageContext {
        PageContext { services: self.services.clone(), cookies: self.cookies }
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}
