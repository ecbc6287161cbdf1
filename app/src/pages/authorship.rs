//! Words for what the server itself writes into a version: its author and its message.

use crate::{catalogue::history as t, words::grouped};
use izanagi_shared::{
    id::ActorId,
    wire::{Person, ServerMessage},
};

/// Returns the message of a version as this page shows it.
pub(super) fn shown_message(message: String) -> String {
    match ServerMessage::recognise(&message) {
        Some(ServerMessage::Restored(number)) => t::restored(&number.to_string()),
        Some(ServerMessage::BeforeRestoring(number)) => t::before_restoring(&number.to_string()),
        Some(ServerMessage::RestoredEdit(seq)) => t::restored_edit(&grouped(seq)),
        Some(ServerMessage::BeforeRestoringEdit(seq)) => t::before_restoring_edit(&grouped(seq)),
        None => message,
    }
}

/// Returns the name of an author as this page shows it. An actor without an account has no
/// username.
pub(super) fn shown_author(author: Person) -> String {
    match author {
        Person { username, display_name, .. } if !username.is_empty() => display_name,
        Person { id, .. } if id.0 == ActorId::SERVER.0 => t::server().to_owned(),
        Person { .. } => t::guest().to_owned(),
    }
}
