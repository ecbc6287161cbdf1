//! The OpenAPI document, gathered from the handlers.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

/// What the document says before any handler.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Izanagi",
        description = "Documents that people write together and never lose.",
        license(name = "Apache-2.0 OR MIT")
    ),
    modifiers(&Bearer),
    security(("bearer" = []))
)]
pub(crate) struct Base;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("An access token from sign-in. Browsers send it as a cookie."))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}
