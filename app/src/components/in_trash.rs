use crate::{
    api::documents::RestoreDocument,
    parts::{Alert, Icon},
    words,
};
use izanagi_shared::{
    permission::{Action, Standing, Verdict, decide},
    wire::DocumentView,
};
use leptos::{prelude::*, server_fn::ServerFn};

/// Says on a page of a document that it is in the trash, with a button for those who may restore it.
#[component]
pub(crate) fn InTrash<'a>(document: &'a DocumentView, standing: Standing) -> impl IntoView {
    let restore = (decide(standing, Action::Trash) == Verdict::Allowed).then(|| {
        view! {
            <form method="post" action=RestoreDocument::url() data-send="">
                <input type="hidden" name="id" value=document.id.to_string()/>
                <button class="button">
                    <Icon name="restore"/>
                    {words::restore()}
                </button>
            </form>
        }
    });
    document.deleted_at.map(|_| {
        view! {
            <Alert variant="warning">
                <p>{words::in_trash()}</p>
                {restore}
            </Alert>
        }
    })
}
