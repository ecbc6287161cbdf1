//! Leaves out of an update what the document has. A client that connects again repeats deletions.

use super::{
    command::{ClientUpdate, Receipt},
    room::Room,
};
use crate::{
    budget::SMALL,
    error::{Error, Result},
};
use izanagi_shared::crdt::Refusal;
use std::borrow::Cow;

/// What of an update is new.
pub(super) enum News {
    Some(ClientUpdate),
    /// Nothing: the document has it, and it is durable.
    None(Receipt),
}

impl Room {
    /// Checks the length of an update, and leaves out what the document has if the update `may_repeat`
    /// it. What others of its batch contain is not durable yet, so it is not left out.
    pub(super) async fn news(&mut self, update: ClientUpdate, may_repeat: bool) -> Result<News> {
        let max = self.context.settings.max_update_bytes;
        if update.delta.len() > max {
            let message = format!(
                "An update can have at most {max} bytes; this one has {}. Split it up.",
                update.delta.len()
            );
            return Err(Error::TooLarge(message));
        }
        if !may_repeat {
            return Ok(News::Some(update));
        }
        self.ready().await?;
        let takes_long = update.delta.len() > SMALL;
        let news = self.with_replica(takes_long, move |replica| {
            let news = replica.lineage.doc().checker().news(&update.delta)?;
            Ok(match news {
                Some(Cow::Borrowed(_)) => News::Some(update),
                Some(Cow::Owned(delta)) => News::Some(ClientUpdate { delta, ..update }),
                None => News::None(Receipt { seq: replica.seq, pending: false }),
            })
        });
        let refused = |refusal: Refusal| Error::BadUpdate(refusal.to_string());
        news.await?.map_err(refused)
    }
}
