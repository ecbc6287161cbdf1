//! Pages, their server functions, and static files.

use crate::{
    extract::{LazyBody, SignedInCaller},
    headers::NO_STORE,
    problem::{self, ApiResult},
    state::AppState,
};
use any_spawner::{CustomExecutor, Executor, PinnedFuture, PinnedLocalFuture};
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse as _, Redirect, Response},
    routing::{MethodFilter, any, get, on, post},
};
use futures::{Stream, StreamExt as _, stream::once};
use izanagi_app::{
    flash::{Flash, Notice, Outcome},
    own_path::page_path,
    ssr::{App, answer_form, plain_forms, shell, untitled, uploaded, words_file},
};
use izanagi_domain::{budget::in_task, documents::RequestKey, principal::Principal};
use leptos::{IntoView, context::provide_context, server_fn::axum::server_fn_paths};
use leptos_axum::{
    AxumRouteListing, generate_route_list, handle_response_inner, handle_server_fns_with_context,
};
use std::{collections::BTreeMap, pin::Pin, sync::LazyLock};
use tower_http::{
    services::{ServeDir, ServeFile},
    set_header::SetResponseHeaderLayer,
};

/// One year: files under `/pkg/<hash>` never change.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// What a page depends on besides its address.
const LANGUAGE_AND_USER: HeaderValue = HeaderValue::from_static("Accept-Language, Cookie");
const AN_HOUR: &str = "public, max-age=3600";

/// All page routes. Computed once: Leptos loads no resources in the whole process while it lists
/// routes, so a page that another router is rendering would never finish.
static PAGES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| {
    // An error means that it is set already.
    let _ = Executor::init_custom_executor(Tasks);
    generate_route_list(App)
});

/// Runs the tasks of Leptos, which loads resources in them, as parts of their request: with its
/// budgets.
struct Tasks;

impl CustomExecutor for Tasks {
    fn spawn(&self, work: PinnedFuture<()>) {
        tokio::spawn(in_task(work));
    }

    fn spawn_local(&self, work: PinnedLocalFuture<()>) {
        tokio::task::spawn_local(in_task(work));
    }

    fn poll_local(&self) {}
}

/// Returns the routes of all pages, `/fn/…` and static files.
pub(crate) fn routes(state: &AppState) -> Router<AppState> {
    let pages =
        PAGES.iter().fold(Router::new(), |router, page| router.route(page.path(), get(render)));
    pages
        .merge(functions(state))
        .route("/fn/{*name}", any(problem::nothing_here))
        .route("/documents/upload", post(upload))
        .fallback(no_page)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(from_fn_with_state(state.cookies, plain_forms))
        .layer(from_fn(page_policy))
        .merge(words())
        .nest_service("/pkg", package(state))
        .nest_service("/favicon.svg", file(state, "favicon.svg"))
        .nest_service("/icons.svg", file(state, "icons.svg"))
        .nest_service("/speculation-rules.json", speculation_rules(state))
}

/// Returns the routes of the server functions. Leptos alone would answer an unknown path or method
/// with 400 and a text for developers.
fn functions(state: &AppState) -> Router<AppState> {
    server_fn_paths().fold(Router::new(), |router, (path, method)| {
        let context = state.page_context();
        let call = move |mut request: Request| {
            // Leptos knows no HEAD; the router drops the body.
            if *request.method() == Method::HEAD {
                *request.method_mut() = Method::GET;
            }
            let context = context.clone();
            handle_server_fns_with_context(move || provide_context(context.clone()), request)
        };
        match MethodFilter::try_from(method) {
            Ok(method) => router.route(path, on(method, call)),
            Err(_) => router,
        }
    })
}

/// Renders a page, or the not-found page.
async fn render(State(state): State<AppState>, request: Request) -> Response {
    let (context, options) = (state.page_context(), state.leptos.clone());
    let provide = move || provide_context(context.clone());
    handle_response_inner(provide, move || shell(options), request, in_one_piece).await
}

/// Redirects from a page's path with a slash at its end; renders the not-found page.
async fn no_page(state: State<AppState>, request: Request) -> Response {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = request.uri().path();
    let shorter = path.trim_end_matches('/');
    if shorter.len() < path.len() && page_path(shorter).is_some() {
        if !is_read {
            return problem::nothing_here().await;
        }
        let query = request.uri().query().map_or_else(String::new, |query| format!("?{query}"));
        return Redirect::permanent(&format!("{shorter}{query}")).into_response();
    }
    render(state, request).await
}

type Chunks = Pin<Box<dyn Stream<Item = String> + Send>>;

/// Returns only the HTML. Leptos would append scripts that pass resources to islands; these islands
/// use none, and pages without islands have no scripts.
fn in_one_piece<V: IntoView + 'static>(
    page: V,
    _scripts: Box<dyn FnOnce() -> Chunks + Send>,
    _is_out_of_order: bool,
) -> Pin<Box<dyn Future<Output = Chunks> + Send>> {
    Box::pin(async move {
        let html = page.to_html_stream_in_order().collect::<String>().await;
        Box::pin(once(async move { html })) as Chunks
    })
}

/// Handles uploads from a form without JavaScript.
async fn upload(
    State(state): State<AppState>,
    caller: Option<SignedInCaller>,
    headers: HeaderMap,
    body: LazyBody,
) -> Response {
    let Some(SignedInCaller(caller)) = caller else {
        return Redirect::to("/login?next=/documents").into_response();
    };
    let outcome = match make_of(&state, &caller.into(), untitled(&headers), body).await {
        Ok(count) => Outcome::Done(Notice::new(uploaded(&headers, count as u64))),
        Err(error) => Outcome::Refused(error.into_problem()),
    };
    let (page, form) = ("/documents".to_owned(), "/documents/upload".to_owned());
    answer_form(state.cookies, &Flash { page, form, values: BTreeMap::new(), outcome })
}

/// Creates a document from each file; returns how many.
async fn make_of(
    state: &AppState,
    who: &Principal,
    untitled: &'static str,
    body: LazyBody,
) -> ApiResult<usize> {
    let uploads = body.uploads(state.config.body_limit).await?;
    let documents = &state.services.documents;
    Ok(documents.upload(who, uploads, untitled, RequestKey::none()).await?.len())
}

/// Serves the directory of the build.
fn package(state: &AppState) -> Router<()> {
    let folder = ServeDir::new(state.site.root().join("pkg"))
        // There is nothing to show for a directory.
        .append_index_html_on_directories(false);
    cached(
        Router::new().fallback_service(folder.precompressed_br().precompressed_gzip()),
        IMMUTABLE,
    )
}

/// Serves the texts of scripts.
fn words() -> Router<AppState> {
    let file = |uri: Uri| async move {
        let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        match words_file(uri.path()) {
            Some(text) => (json, text).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    };
    cached(Router::new().route("/words/{version}/{name}", get(file)), IMMUTABLE)
}

/// Serves a file whose name does not change between builds.
fn file(state: &AppState, name: &str) -> Router<()> {
    let file = ServeFile::new(state.site.root().join(name));
    cached(Router::new().fallback_service(file.precompressed_br().precompressed_gzip()), AN_HOUR)
}

/// Serves the speculation rules. Browsers accept them only with their own content type.
fn speculation_rules(state: &AppState) -> Router<()> {
    let rules = HeaderValue::from_static("application/speculationrules+json");
    file(state, "speculation-rules.json")
        .layer(SetResponseHeaderLayer::overriding(header::CONTENT_TYPE, rules))
}

fn cached<S>(router: Router<S>, policy: &'static str) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    router.layer(from_fn(move |request: Request, next: Next| async move {
        let mut response = next.run(request).await;
        if response.status().is_success() {
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(policy));
        }
        response
    }))
}

/// Fallback policy for responses without their own (DESIGN §7). Pages set theirs when they render,
/// because Leptos creates the nonce. No page is stored: going back must neither show what has
/// changed since nor what belongs to a user who has signed out.
async fn page_policy(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    headers.entry(HeaderName::from_static("vary")).or_insert(LANGUAGE_AND_USER);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_page_is_recognised_as_a_page() {
        assert!(PAGES.len() > 8, "{}", PAGES.len());
        for page in PAGES.iter() {
            assert!(page_path(page.path()).is_some(), "{}", page.path());
        }
    }
}
