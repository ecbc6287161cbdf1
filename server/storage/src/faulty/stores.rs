//! Implements every storage trait for [`Faulty`]: one line per method, with its class.

use super::{Class, Faulty, argument::Argument, perform::Call};
use async_trait::async_trait;
use izanagi_domain::principal::Viewer;
use izanagi_domain::storage::{
    Accounts, AtomicCommit, AuditEvent, AuditLog, Batch, BatchOutcome, Catalog, ChangePage,
    Changes, Claim, CommitIntent, CommitIntents, CommitOutcome, CutUpdates, Data, DetailsChange,
    DocumentFilter, DocumentRow, DocumentStore, EditSegments, FeedSummary, Fence, Freshness,
    Inspect, KeyStore, KnownOp, LiveLog, LoadedLog, LogRemains, LogTail, Mend, MoveNode, MovePhase,
    MoveProgress, MovedStore, NewDocument, NewIntent, NewLineage, NewMove, NewRecord, NewSegment,
    NewSession, NewSnapshot, NewVersion, NewestSegments, OpsSummary, Outbox, OutboxItem, Owners,
    RebuiltLog, Record, RecordIndex, RecordPatch, RecordPath, RecordWatch, RefreshToken,
    RefreshUse, ResumeToken, RevocationStore, SavedText, Sealed, SealedKey, SegmentFilter,
    SegmentRow, Session, SessionStore, Settlement, ShortHash, StoreMove, StoreMoves, StoreResult,
    StoredSnapshot, Topic, Upkeep, User, UserChange, UserStore, VersionFilter, VersionRow,
    VersionStore, Viewed,
};
use izanagi_shared::{
    id::{ActorId, CommitId, DocumentId, SessionId, UserId},
    time::Timestamp,
    wire::Person,
};
use std::sync::Arc;
use uuid::Uuid;

/// Implements a trait for `Faulty`: `Class method(arguments) -> answer;`. `halved by f` names the
/// function that returns the first half of a batch; `without faults` marks methods that are passed on.
macro_rules! faulty_store {
    (
        $trait:ident as $store:literal {
            $(
                $class:ident $method:ident($($arg:ident: $type:ty),*) -> $answer:ty
                $(, halved by $halve:ident)?;
            )*
        }
        $(without faults { $($plain:ident($($plain_arg:ident: $plain_type:ty),*) -> $plain_answer:ty;)* })?
    ) => {
        #[async_trait]
        impl<T: $trait + ?Sized + 'static> $trait for Faulty<T> {
            $(
                async fn $method(&self, $($arg: $type),*) -> StoreResult<$answer> {
                    let call = Call {
                        store: $store,
                        method: stringify!($method),
                        class: Class::$class,
                        inner: Arc::clone(&self.inner),
                        args: ($(<$type as Argument<'_>>::keep($arg),)*),
                        execute: |inner: Arc<T>, args| Box::pin(async move {
                            let ($(ref $arg,)*) = args;
                            inner.$method($(<$type as Argument<'_>>::lend($arg)),*).await
                        }),
                        halve: faulty_store!(@halve $($halve)?),
                    };
                    self.injector.perform(call).await
                }
            )*
            $($(
                async fn $plain(&self, $($plain_arg: $plain_type),*) -> $plain_answer {
                    self.inner.$plain($($plain_arg),*).await
                }
            )*)?
        }
    };
    (@halve) => { |_| None };
    (@halve $halve:ident) => { $halve };
}

faulty_store! {
    DocumentStore as "records" {
        Read get(path: &RecordPath) -> Record;
        Read get_many(paths: &[RecordPath]) -> Vec<Record>;
        Read get_copies(paths: &[RecordPath]) -> Vec<Record>;
        Read get_stored(paths: &[RecordPath]) -> Vec<Record>;
        Read collections(after: Option<&str>, limit: u32) -> Vec<String>;
        Write replicate(record: &Record) -> ();
        Write create(record: &NewRecord, at: Timestamp) -> ();
        Write update(path: &RecordPath, expected: u64, data: &Data, at: Timestamp) -> u64;
        Write patch(path: &RecordPath, expected: u64, patch: &RecordPatch, at: Timestamp) -> u64;
        Write delete(path: &RecordPath, at: Timestamp) -> ();
        Write purge(path: &RecordPath) -> ();
        Write forget(now: Timestamp) -> ();
        Read query(
            index: RecordIndex,
            collection: &str,
            after: Option<&str>,
            limit: u32,
            with_deleted: bool
        ) -> Vec<Record>;
        Read paths(
            index: RecordIndex,
            collection: &str,
            after: Option<&str>,
            limit: u32,
            with_deleted: bool
        ) -> Vec<RecordPath>;
    }
    without faults {
        watch(
            collection: Option<&str>,
            after: Option<&ResumeToken>
        ) -> StoreResult<Box<dyn RecordWatch>>;
        close() -> ();
    }
}

faulty_store! {
    UserStore as "users" {
        Write create(user: &User) -> ();
        Read by_id(id: UserId) -> User;
        Read by_login(login: &str) -> User;
        Write update(id: UserId, change: &UserChange, audit: Option<&AuditEvent>) -> User;
        Write delete(id: UserId, audit: &AuditEvent) -> ();
        Read changed_since(number: u64, limit: u32) -> Vec<(u64, UserId)>;
        Read newest_change() -> u64;
        Read people(ids: &[UserId]) -> Vec<Person>;
    }
}

faulty_store! {
    SessionStore as "sessions" {
        Write create(new: &NewSession) -> ();
        Read get(id: SessionId) -> Session;
        Read list(user: UserId) -> Vec<Session>;
        Read addresses(user: UserId, limit: u32) -> Vec<String>;
        Write touch(user: UserId, id: SessionId, ip: &str, at: Timestamp) -> ();
        Write revoke(
            user: UserId, id: SessionId, at: Timestamp, audit: Option<&AuditEvent>
        ) -> ();
        Write revoke_all(user: UserId, at: Timestamp) -> Vec<SessionId>;
        Read refresh_token(hash: &[u8; 32]) -> RefreshToken;
        Write use_refresh_token(
            used: &[u8; 32], successor: &RefreshToken, at: Timestamp
        ) -> RefreshUse;
    }
}

faulty_store! {
    RevocationStore as "revocations" {
        Write revoke(session: SessionId, until: Timestamp) -> ();
        Read is_revoked(session: SessionId) -> bool;
        Write forget(before: Timestamp) -> ();
    }
}

faulty_store! {
    KeyStore as "keys" {
        Read list() -> Vec<SealedKey>;
        Write add(
            key: &SealedKey, newest: Option<Uuid>, remove: &[Uuid], audit: &AuditEvent
        ) -> bool;
    }
}

faulty_store! {
    Catalog as "catalog" {
        Write create(new: &NewDocument) -> ();
        Read by_request(key: &[u8; 32]) -> (DocumentId, [u8; 32]);
        Read get(id: DocumentId) -> DocumentRow;
        Read get_for(viewer: &Viewer, id: DocumentId) -> Viewed;
        Read list(filter: &DocumentFilter) -> (Vec<DocumentRow>, u64);
        Write change(
            id: DocumentId, by: ActorId, change: &DetailsChange, at: Timestamp
        ) -> DocumentRow;
        Write purge(id: DocumentId, at: Timestamp) -> ();
    }
}

faulty_store! {
    Owners as "owners" {
        Read list(documents: &[DocumentId]) -> Vec<(DocumentId, Person)>;
        Write add(document: DocumentId, by: ActorId, user: UserId, at: Timestamp) -> ();
        Write remove(document: DocumentId, user: UserId, at: Timestamp) -> ();
    }
}

faulty_store! {
    VersionStore as "versions" {
        Read get(freshness: Freshness, document: DocumentId, number: u64) -> VersionRow;
        Read by_commit(commit: CommitId) -> VersionRow;
        Read by_request(key: &[u8; 32]) -> VersionRow;
        Read by_content(document: DocumentId, hash: &[u8; 32]) -> VersionRow;
        Read range(document: DocumentId, from: u64, to: u64) -> Vec<VersionRow>;
        Read list(filter: &VersionFilter) -> (Vec<VersionRow>, u64);
        Write set_name(
            document: DocumentId, number: u64, name: Option<&str>, at: Timestamp
        ) -> VersionRow;
        Write set_stored(document: DocumentId, number: u64, delta: bool) -> ();
    }
}

faulty_store! {
    CommitIntents as "intents" {
        Write open(intent: &NewIntent) -> ();
        Write commit(version: &NewVersion) -> CommitOutcome;
        Write fence(commit: CommitId) -> Fence;
        Write fence_request(key: &[u8; 32]) -> ();
        Read expired(now: Timestamp, limit: u32) -> Vec<CommitIntent>;
        Write condemn(commit: CommitId, now: Timestamp) -> bool;
        Read condemned(after: Option<CommitId>, limit: u32) -> Vec<CommitIntent>;
        Write erased(commit: CommitId, at: Timestamp) -> ();
        Write forget(before: Timestamp) -> ();
        Read get(commit: CommitId) -> CommitIntent;
    }
}

faulty_store! {
    AtomicCommit as "atomic" {
        Write commit_with_content(records: &[NewRecord], version: &NewVersion) -> Option<CommitOutcome>;
    }
}

faulty_store! {
    LiveLog as "log" {
        Write append(batches: &[Batch]) -> Vec<StoreResult<BatchOutcome>>, halved by first_half;
        Read since(document: DocumentId, seq: u64) -> LogTail;
        Read load(document: DocumentId) -> LoadedLog;
        Read known_op(document: DocumentId, actor: ActorId, op_id: &str) -> KnownOp;
        Write snapshot(snapshot: &NewSnapshot) -> ();
        Read snapshots(document: DocumentId) -> Vec<StoredSnapshot>;
        Write restart(restart: &NewLineage) -> ();
        Write save_text(text: &SavedText) -> ();
        Read former_clients(document: DocumentId, clients: &[u64]) -> Vec<u64>;
        Read text(document: DocumentId) -> SavedText;
        Write quarantine(document: DocumentId, seq: u64, at: Timestamp) -> ();
        Write cut(cut: &CutUpdates) -> ();
        Write forget_ops(before: Timestamp) -> ();
    }
}

faulty_store! {
    EditSegments as "segments" {
        Read list(filter: &SegmentFilter) -> Vec<SegmentRow>;
        Read with_state(document: DocumentId, seq: u64) -> SegmentRow;
        Read newest(document: DocumentId) -> NewestSegments;
        Read expired(before: Timestamp, limit: u32) -> Vec<SegmentRow>;
        Write remove(document: DocumentId, number: u64) -> ();
        Read forgotten(document: DocumentId) -> u64;
    }
}

faulty_store! {
    Changes as "changes" {
        Read since(seq: u64, limit: u32) -> ChangePage;
        Read newest() -> u64;
        Write forget(before: Timestamp) -> ();
    }
}

faulty_store! {
    Outbox as "outbox" {
        Write ensure(topic: Topic, key: &str, run_at: Timestamp) -> ();
        Write claim(claim: &Claim) -> Vec<OutboxItem>;
        Write begin(id: Uuid, worker: Uuid) -> Option<u32>;
        Write extend(worker: Uuid, until: Timestamp) -> Vec<Uuid>;
        Write settle(id: Uuid, worker: Uuid, settlement: Settlement) -> bool;
        Write make_due(topic: Topic, now: Timestamp) -> u64;
        Read is_pending(topic: Topic, key: &str) -> bool;
        Read pending(limit: u32) -> Vec<OutboxItem>;
        Read parked(limit: u32) -> Vec<OutboxItem>;
    }
}

faulty_store! {
    AuditLog as "audit" {
        Read newest(limit: u32) -> Vec<(String, String, Timestamp)>;
    }
}

faulty_store! {
    Inspect as "inspect" {
        Read documents(after: Option<DocumentId>, limit: u32) -> Vec<DocumentId>;
        Read intents(document: DocumentId) -> Vec<CommitIntent>;
        Read abandoned(after: Option<CommitId>, limit: u32) -> Vec<CommitIntent>;
        Read ops(document: DocumentId) -> OpsSummary;
        Read accounts(document: DocumentId) -> Accounts;
        Read feed() -> FeedSummary;
        Read integrity() -> Vec<String>;
    }
}

faulty_store! {
    Mend as "mend" {
        Read remains(document: DocumentId) -> LogRemains;
        Write rebuild(rebuilt: &RebuiltLog) -> ();
        Write relist(document: DocumentId, segments: &[NewSegment]) -> ();
        Write give_up(document: DocumentId, lost: &[u64], at: Timestamp) -> ();
        Write details(row: &DocumentRow) -> ();
        Read details_hash(document: DocumentId) -> Option<ShortHash>;
        Read version_hash(version: &VersionRow) -> bool;
        Write head(document: DocumentId, number: u64, commit: Option<CommitId>) -> ();
        Write version(version: &VersionRow) -> ();
        Write reserve_clients(document: DocumentId, clients: &[u64]) -> ();
    }
}

faulty_store! {
    Upkeep as "upkeep" {
        Write forget_sessions(before: Timestamp) -> ();
        Read with_old_updates(before: Timestamp, after: Option<DocumentId>, limit: u32) -> Vec<DocumentId>;
        Write forget_audit(before: Timestamp) -> ();
        Write probe(at: Timestamp) -> ();
    }
}

faulty_store! {
    StoreMoves as "moves" {
        Read get(store: MovedStore) -> Option<StoreMove>;
        Write begin(new: &NewMove) -> bool;
        Write claim(id: Uuid, worker: Uuid, now: Timestamp, until: Timestamp) -> bool;
        Write release(id: Uuid) -> ();
        Write turn(id: Uuid, from: MovePhase, to: MovePhase, at: Timestamp) -> bool;
        Write report(id: Uuid, progress: &MoveProgress, at: Timestamp) -> ();
        Write restore(id: Uuid, target: &Sealed, at: Timestamp) -> ();
        Write reseal(id: Uuid, source: Option<&Sealed>, target: &Sealed) -> ();
        Write remove(id: Uuid) -> ();
        Write confirm(store: MovedStore, node: Uuid, at: Option<(Uuid, MovePhase)>) -> ();
        Read nodes(store: MovedStore) -> Vec<MoveNode>;
        Write leave(store: MovedStore, node: Uuid) -> ();
    }
}

/// Returns the first half of all updates, rounded down; `None` for fewer than two.
fn first_half((batches,): &(Vec<Batch>,)) -> Option<(Vec<Batch>,)> {
    let mut left = batches.iter().map(|batch| batch.updates.len()).sum::<usize>() / 2;
    if left == 0 {
        return None;
    }
    let mut half = batches.clone();
    for batch in &mut half {
        batch.updates.truncate(left);
        left -= batch.updates.len();
    }
    half.retain(|batch| !batch.updates.is_empty());
    Some((half,))
}
