//! Decides the outcome of each update in an append. Pure: the surrounding statements read the known
//! state and write the result.

use izanagi_domain::storage::{
    Appended, Batch, ClientOwner, Constraint, KnownOp, NewUpdate, StoreError, StoreResult,
    short_hash,
};
use izanagi_shared::{
    id::{ActorId, DocumentId},
    time::Timestamp,
};
use std::collections::{BTreeMap, HashMap};

/// End of a document's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) live_seq: u64,
    pub(super) trashed: bool,
}

/// Identity of an op.
pub(super) type OpKey = (DocumentId, ActorId, String);

/// State before the append, extended as the append proceeds.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) heads: HashMap<DocumentId, Head>,
    pub(super) ops: HashMap<OpKey, KnownOp>,
    pub(super) clients: HashMap<(DocumentId, u64), ClientOwner>,
    pub(super) new: New,
}

/// Rows to write.
#[derive(Debug, Default)]
pub(super) struct New {
    pub(super) updates: Vec<Numbered>,
    pub(super) clients: Vec<(DocumentId, u64, ClientOwner)>,
    pub(super) heads: BTreeMap<DocumentId, (u64, ActorId, Timestamp)>,
}

/// An update with its seq.
#[derive(Debug)]
pub(super) struct Numbered {
    pub(super) document_id: DocumentId,
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) update: NewUpdate,
}

/// Decision about a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entered {
    /// One outcome per update.
    Appended(Vec<Appended>),
    /// The log does not end at the expected seq: nothing of the batch is written.
    Moved(DocumentId, u64),
}

impl Ledger {
    /// Decides about a batch. On error, nothing of it is written.
    pub(super) fn enter(&mut self, batch: Batch) -> StoreResult<Entered> {
        let head = *self.heads.get(&batch.document_id).ok_or(StoreError::NotFound)?;
        if head.trashed {
            return Err(StoreError::Conflict(Constraint::Trashed));
        }
        let Batch { document_id, updates, after, at } = batch;
        let is_known = |update: &NewUpdate| {
            self.ops.contains_key(&(document_id, update.actor, update.op_id.clone()))
        };
        if let Some(after) = after
            && after != head.live_seq
            && !updates.iter().all(is_known)
        {
            return Ok(Entered::Moved(document_id, after));
        }
        let updates = updates.into_iter();
        let entered = updates.map(|update| self.enter_update(document_id, update, at)).collect();
        Ok(Entered::Appended(entered))
    }

    fn enter_update(
        &mut self,
        document_id: DocumentId,
        update: NewUpdate,
        at: Timestamp,
    ) -> Appended {
        let key = (document_id, update.actor, update.op_id.clone());
        if let Some(known) = self.ops.get(&key) {
            return match known {
                known if known.hash != short_hash(&update.delta_hash) => Appended::OtherBytes,
                KnownOp { quarantined: true, seq, .. } => Appended::Quarantined(*seq),
                KnownOp { seq, .. } => Appended::Known(*seq),
            };
        }
        let owner = update.client_owner;
        let is_former =
            |client: &u64| self.clients.get(&(document_id, *client)) == Some(&ClientOwner::Former);
        if update.clients.iter().chain(&update.missing_clients).any(is_former) {
            return Appended::OtherLineage;
        }
        let foreign = |client: &&u64| {
            self.clients.get(&(document_id, **client)).is_some_and(|known| *known != owner)
        };
        if let Some(client) = update.clients.iter().find(foreign) {
            return Appended::ForeignClient(*client);
        }
        for client in &update.clients {
            if self.clients.insert((document_id, *client), owner).is_none() {
                self.new.clients.push((document_id, *client, owner));
            }
        }
        let seq = self.heads.get(&document_id).map_or(0, |head| head.live_seq) + 1;
        self.heads.insert(document_id, Head { live_seq: seq, trashed: false });
        let hash = short_hash(&update.delta_hash);
        self.ops.insert(key, KnownOp { seq, hash, quarantined: false });
        self.new.heads.insert(document_id, (seq, update.actor, at));
        self.new.updates.push(Numbered { document_id, seq, at, update });
        Appended::New(seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const DOCUMENT: DocumentId = DocumentId(Uuid::from_u128(1));
    const ANN: ActorId = ActorId(Uuid::from_u128(2));
    const BEN: ActorId = ActorId(Uuid::from_u128(3));

    fn ledger() -> Ledger {
        Ledger {
            heads: [(DOCUMENT, Head { live_seq: 4, trashed: false })].into(),
            ..Ledger::default()
        }
    }

    fn update(actor: ActorId, op_id: &str, clients: &[u64]) -> NewUpdate {
        NewUpdate {
            actor,
            op_id: op_id.to_owned(),
            delta: op_id.as_bytes().to_vec().into(),
            delta_hash: [op_id.len() as u8; 32],
            clients: clients.to_vec(),
            client_owner: ClientOwner::Actor(actor),
            missing_clients: Vec::new(),
        }
    }

    fn batch(updates: Vec<NewUpdate>) -> Batch {
        Batch { document_id: DOCUMENT, updates, after: None, at: Timestamp::from_micros(9) }
    }

    fn enter(ledger: &mut Ledger, updates: Vec<NewUpdate>) -> Vec<Appended> {
        match ledger.enter(batch(updates)).unwrap() {
            Entered::Appended(appended) => appended,
            moved @ Entered::Moved(..) => panic!("{moved:?}"),
        }
    }

    #[test]
    fn a_conditional_batch_is_entered_where_the_log_ends_or_not_at_all() {
        let mut ledger = ledger();
        let after =
            |after, op_id| Batch { after: Some(after), ..batch(vec![update(ANN, op_id, &[])]) };
        assert_eq!(ledger.enter(after(4, "a")), Ok(Entered::Appended(vec![Appended::New(5)])));
        for end in [3, 4, 6] {
            assert_eq!(ledger.enter(after(end, "b")), Ok(Entered::Moved(DOCUMENT, end)));
        }
        assert_eq!(ledger.enter(after(4, "a")), Ok(Entered::Appended(vec![Appended::Known(5)])));
        assert_eq!(ledger.new.updates.len(), 1);
    }

    #[test]
    fn the_same_op_twice_in_a_batch_gets_one_number() {
        let mut ledger = ledger();
        let updates = vec![update(ANN, "a", &[7]), update(ANN, "b", &[7]), update(ANN, "a", &[7])];
        let expected = [Appended::New(5), Appended::New(6), Appended::Known(5)];
        assert_eq!(enter(&mut ledger, updates), expected);
        assert_eq!(ledger.new.updates.len(), 2);
        assert_eq!(ledger.new.clients.len(), 1);
    }

    #[test]
    fn a_quarantined_op_is_reported_as_quarantined() {
        let mut ledger = ledger();
        let known = KnownOp { seq: 3, hash: [1; 16], quarantined: true };
        ledger.ops.insert((DOCUMENT, ANN, "a".to_owned()), known);
        let other = NewUpdate { delta_hash: [9; 32], ..update(ANN, "a", &[]) };
        let expected = [Appended::Quarantined(3), Appended::OtherBytes];
        assert_eq!(enter(&mut ledger, vec![update(ANN, "a", &[]), other]), expected);
        assert!(ledger.new.updates.is_empty());
    }

    #[test]
    fn an_update_of_a_former_lineage_is_refused() {
        let mut ledger = ledger();
        ledger.clients.insert((DOCUMENT, 7), ClientOwner::Former);
        let names = NewUpdate { missing_clients: vec![7], ..update(ANN, "x", &[8]) };
        let updates = vec![names, update(ANN, "y", &[7]), update(ANN, "z", &[8])];
        let expected = [Appended::OtherLineage, Appended::OtherLineage, Appended::New(5)];
        assert_eq!(enter(&mut ledger, updates), expected);
    }

    #[test]
    fn a_refused_update_claims_no_client_and_no_number() {
        let mut ledger = ledger();
        ledger.clients.insert((DOCUMENT, 7), ClientOwner::Actor(ANN));
        let updates = vec![update(BEN, "x", &[8, 7]), update(ANN, "y", &[8])];
        let expected = [Appended::ForeignClient(7), Appended::New(5)];
        assert_eq!(enter(&mut ledger, updates), expected);
        assert_eq!(ledger.new.clients, [(DOCUMENT, 8, ClientOwner::Actor(ANN))]);
    }
}
