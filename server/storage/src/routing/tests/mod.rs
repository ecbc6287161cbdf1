//! What happens to records when two nodes meet, or one ends, in the worst moment.

mod marks;
mod moving;
mod races;

use super::{Mark, Origin, Reads, Route, Routed, ShadowMarks, Truth, writes::Write};
use crate::{
    faulty::{Faulty, Hook, Injector},
    sql::{self, SqliteDb},
};
use async_trait::async_trait;
use futures::future::BoxFuture;
use izanagi_domain::storage::{
    Data, DocumentStore, Ids, NewRecord, Record, RecordPath, StoreResult, SystemIds, Value,
};
use izanagi_shared::time::Timestamp;
use parking_lot::Mutex;
use std::{fmt::Debug, sync::Arc, time::Duration};
use uuid::Uuid;

type Store = Arc<dyn DocumentStore>;

/// Two places over databases in memory, and the marks.
struct Two {
    first: Store,
    second: Store,
    marks: Arc<dyn ShadowMarks>,
}

const BY_SETTINGS: Origin = Origin { move_id: None, truth: Truth::Users };

async fn database() -> Arc<SqliteDb> {
    SqliteDb::open(None).await.unwrap()
}

async fn place() -> Store {
    sql::documents(&database().await, Duration::from_secs(60))
}

impl Two {
    async fn new() -> Self {
        let ids: Arc<dyn Ids> = Arc::new(SystemIds);
        let marks = sql::shadow_marks(&database().await, &ids);
        Self { first: place().await, second: place().await, marks }
    }

    fn routed(&self, origin: Origin) -> Arc<Routed> {
        self.over(Arc::clone(&self.first), Arc::clone(&self.second), origin)
    }

    fn over(&self, primary: Store, shadow: Store, origin: Origin) -> Arc<Routed> {
        let route = Route {
            primary,
            shadow: Some(shadow),
            mirrors: true,
            origin,
            owns_shadow: origin.truth == Truth::Source,
            reads: Reads::Primary,
            is_atomic: false,
        };
        Routed::new(route, Arc::clone(&self.marks))
    }

    async fn all(&self) -> Vec<Mark> {
        self.marks.list(None, 100).await.unwrap()
    }

    async fn both(&self) -> [Option<Record>; 2] {
        [stored(&self.first).await, stored(&self.second).await]
    }
}

fn path() -> RecordPath {
    RecordPath::from_parts("documents/7/contents", "a")
}

fn data(text: &str) -> Data {
    [("content".to_owned(), Value::from(text))].into_iter().collect()
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn new(text: &str) -> NewRecord {
    NewRecord { path: path(), data: data(text) }
}

async fn create(store: &Store, text: &str) {
    store.create(&new(text), at(1)).await.unwrap();
}

async fn stored(store: &Store) -> Option<Record> {
    store.get_stored(&[path()]).await.unwrap().pop()
}

/// Writes through a route.
async fn write(routed: &Arc<Routed>, write: Write) -> StoreResult<u64> {
    let admitted = routed.begin_write().await?;
    routed.write_to_both(admitted, write).await
}

type Act = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// Does something before the first call of a method.
struct Before {
    method: &'static str,
    act: Mutex<Option<Act>>,
}

#[async_trait]
impl Hook for Before {
    async fn before(&self, method: &'static str, _: &(dyn Debug + Sync)) -> StoreResult<()> {
        if method == self.method {
            let act = self.act.lock().take();
            if let Some(act) = act {
                act().await;
            }
        }
        Ok(())
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        let is_done = self.act.lock().is_none();
        assert!(is_done || std::thread::panicking(), "{} was never called", self.method);
    }
}

/// Wraps a place: before the first call of a method, `act` is done.
fn before(
    store: &Store,
    method: &'static str,
    act: impl Future<Output = ()> + Send + 'static,
) -> Store {
    let act: Act = Box::new(|| Box::pin(act));
    let hook = Before { method, act: Mutex::new(Some(act)) };
    Arc::new(Faulty::new(Arc::clone(store), &Injector::hooked(Arc::new(hook))))
}

fn of_move(truth: Truth) -> Origin {
    Origin { move_id: Some(Uuid::from_u128(7)), truth }
}
