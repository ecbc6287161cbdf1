//! Edits by the server on behalf of users: replace, merge, restore. Each is a minimal text edit
//! within the document's lineage, so that concurrent editing is preserved. Its precondition is
//! checked in the room, atomically with the edit (DESIGN §6).

use super::{
    append::too_many,
    command::{EditKind, EditOutcome, ServerEdit},
    replica::{LiveText, Replica},
    room::Room,
    submit::{Admitted, QUARANTINED},
};
use crate::{
    budget::SMALL,
    error::{Error, Result},
    storage::{BatchOutcome, ClientOwner, NewUpdate, short_hash},
};
use izanagi_shared::{
    crdt::inspect_update,
    rules::MAX_CONTENT_BYTES,
    text::{
        delta::TextDelta,
        merge::{Merge, merge},
        rebase::add_back,
    },
};
use std::sync::Arc;

/// How often an edit of the server is made again because another room has written.
const MOST_MOVES_OF_EDIT: u32 = 100;

/// The effect an edit would have on the text.
enum Plan {
    Change(TextDelta),
    Nothing,
    Stale,
}

impl Room {
    pub(super) async fn edit(&mut self, edit: ServerEdit) -> Result<EditOutcome> {
        let edit = Arc::new(edit);
        for _ in 0..=MOST_MOVES_OF_EDIT {
            if let Some(outcome) = self.edit_once(&edit).await? {
                return Ok(outcome);
            }
        }
        Err(too_many())
    }

    /// Makes an edit; returns nothing if another room has written meanwhile.
    async fn edit_once(&mut self, edit: &Arc<ServerEdit>) -> Result<Option<EditOutcome>> {
        self.ready().await?;
        if self.is_known(edit).await? {
            return Ok(Some(EditOutcome::Done(self.text().await?)));
        }
        self.check_quarantine(edit.actor, &edit.op_id).await?;
        let mut lapses = 0;
        while self.replica()?.edit_may_overflow(&edit.kind) {
            self.lapse_all(&mut lapses).await?;
        }
        let takes_long = self.replica()?.is_long() || edit.kind.bytes() > SMALL;
        let (after, given) = (self.replica()?.seq, Arc::clone(edit));
        let made = self.with_replica(takes_long, move |replica| make(&given.kind, replica));
        let (update, clients) = match made.await?? {
            Made::Update { update, clients } => (update, clients),
            // Without an append, nothing has compared the text with the log yet.
            Made::Nothing(_) | Made::Stale(_) if self.has_moved(after).await? => return Ok(None),
            Made::Nothing(text) => return Ok(Some(EditOutcome::Done(text))),
            Made::Stale(text) => return Ok(Some(EditOutcome::Stale(text))),
            Made::Broken(error) => {
                self.invalidate();
                return Err(error);
            }
        };
        // From here on the document contains an edit that may be missing from the log. Every exit
        // without a successful append invalidates the replica.
        let summary = inspect_update(&update).map_err(|refusal| {
            self.invalidate();
            Error::internal(refusal)
        })?;
        let update = NewUpdate {
            actor: edit.actor,
            op_id: edit.op_id.clone(),
            delta: update.into(),
            delta_hash: edit.request_hash,
            clients,
            client_owner: ClientOwner::Server,
            missing_clients: Vec::new(),
        };
        let admitted =
            Admitted { update, summary, waits: false, made_here: true, after, from: None };
        let BatchOutcome::Appended(appended) =
            self.append(std::slice::from_ref(&admitted), Some(after)).await?
        else {
            self.invalidate();
            return Ok(None);
        };
        let Some(appended) = appended.first().copied() else {
            self.invalidate();
            return Err(Error::internal("the log did not answer for an edit"));
        };
        self.settle(admitted, appended).await?;
        Ok(Some(EditOutcome::Done(self.text().await?)))
    }

    /// Whether other rooms have written after a seq; takes in what they have written.
    async fn has_moved(&mut self, after: u64) -> Result<bool> {
        let tail = self.context.log.since(self.document, after).await;
        let tail = tail.map_err(Error::missing("document"))?;
        if tail.live_seq <= after {
            return Ok(false);
        }
        self.take_in_or_load(tail).await;
        Ok(true)
    }

    async fn is_known(&self, edit: &ServerEdit) -> Result<bool> {
        match self.known_op(edit.actor, &edit.op_id).await? {
            Some(known) if known.hash != short_hash(&edit.request_hash) => {
                Err(Error::IdempotencyMismatch)
            }
            Some(known) if known.quarantined => Err(Error::BadUpdate(QUARANTINED.to_owned())),
            known => Ok(known.is_some()),
        }
    }
}

/// Result of making an edit in the replica.
enum Made {
    Update {
        update: Vec<u8>,
        /// The client id of the edit, if it is not yet registered in the log.
        clients: Vec<u64>,
    },
    Nothing(LiveText),
    Stale(LiveText),
    /// The replica must be discarded.
    Broken(Error),
}

/// Makes the edit in the replica.
fn make(kind: &EditKind, replica: &mut Replica) -> Result<Made> {
    let text = replica.text();
    Ok(match plan(kind, &text)? {
        Plan::Nothing => Made::Nothing(text),
        Plan::Stale => Made::Stale(text),
        Plan::Change(delta) => {
            let client = replica.lineage.doc().client_id();
            let clients = if replica.announced { Vec::new() } else { vec![client] };
            let delta = replica.within_items(&text.content, delta);
            match replica.lineage.edit_by(&text.content, &delta) {
                Ok(update) => Made::Update { update, clients },
                Err(cause) => Made::Broken(Error::internal(cause)),
            }
        }
    })
}

fn plan(kind: &EditKind, text: &LiveText) -> Result<Plan> {
    match kind {
        EditKind::Replace { content, .. } if **content == *text.content => Ok(Plan::Nothing),
        EditKind::Replace { content, expected } => {
            if expected.as_ref().is_some_and(|hashes| !hashes.contains(&text.facts.hash)) {
                return Ok(Plan::Stale);
            }
            Ok(Plan::Change(TextDelta::between(&text.content, content)))
        }
        EditKind::Merge { base, content } => {
            let Merge::Clean(merged) = merge(base, content, &text.content) else {
                return Ok(Plan::Stale);
            };
            require_room(&merged.text)?;
            if *merged.text == *text.content {
                return Ok(Plan::Nothing);
            }
            Ok(Plan::Change(merged.from_theirs))
        }
        EditKind::AddBack { saved, mine } => {
            let content = add_back(saved, mine, &text.content);
            require_room(&content)?;
            if *content == *text.content {
                return Ok(Plan::Nothing);
            }
            Ok(Plan::Change(TextDelta::between(&text.content, &content)))
        }
    }
}

fn require_room(text: &str) -> Result<()> {
    if text.len() > MAX_CONTENT_BYTES {
        let message = format!("A document can have at most {MAX_CONTENT_BYTES} bytes (10 MiB).");
        return Err(Error::TooLarge(message));
    }
    Ok(())
}
