//! Applies faults to calls.

use super::{
    answer::Answer,
    fault::{Class, Fault},
    injector::Injector,
    state::CallInfo,
};
use futures::future::BoxFuture;
use izanagi_domain::storage::{StoreError, StoreResult};
use std::{fmt::Debug, sync::Arc};
use tokio::sync::oneshot;

/// A call to a store that can be executed never, once, twice or later.
pub(super) struct Call<T: ?Sized, A, R> {
    /// The store's name.
    pub(super) store: &'static str,
    /// The method's name.
    pub(super) method: &'static str,
    /// Whether the method writes.
    pub(super) class: Class,
    /// The store.
    pub(super) inner: Arc<T>,
    /// The arguments, as a tuple of owned values.
    pub(super) args: A,
    /// Executes the method.
    pub(super) execute: fn(Arc<T>, A) -> BoxFuture<'static, StoreResult<R>>,
    /// Returns the arguments for the first half of a batch; `None` if it cannot be halved.
    pub(super) halve: fn(&A) -> Option<A>,
}

impl<T: ?Sized, A: Clone + Debug, R> Call<T, A, R> {
    fn execute(&self) -> BoxFuture<'static, StoreResult<R>> {
        self.execute_with(self.args.clone())
    }

    fn execute_with(&self, args: A) -> BoxFuture<'static, StoreResult<R>> {
        (self.execute)(Arc::clone(&self.inner), args)
    }

    fn key(&self) -> String {
        format!("{}.{}{:?}", self.store, self.method, self.args)
    }
}

impl Injector {
    /// Executes a call with the fault that is due.
    pub(super) async fn perform<T, A, R>(&self, call: Call<T, A, R>) -> StoreResult<R>
    where
        T: Send + Sync + ?Sized,
        A: Clone + Debug + Send + Sync,
        R: Answer,
    {
        let _running = self.run();
        self.ask_hook(call.method, &call.args).await?;
        let (info, fault) = self.begin(call.store, call.method, call.class)?;
        let answer = match fault {
            None => {
                let answer = call.execute().await;
                if call.class == Class::Read {
                    self.remember(|| call.key(), &answer);
                }
                answer
            }
            Some(fault) => self.inject(info, fault, &call).await,
        };
        self.catch_up(info).await;
        answer
    }

    async fn inject<T, A, R>(
        &self,
        info: CallInfo,
        fault: Fault,
        call: &Call<T, A, R>,
    ) -> StoreResult<R>
    where
        T: Send + Sync + ?Sized,
        A: Clone + Debug + Send + Sync,
        R: Answer,
    {
        match fault {
            Fault::ErrorBefore => {
                self.fire(info, fault);
                Err(unavailable())
            }
            Fault::LostReply | Fault::KillAfter => {
                let _lost = call.execute().await;
                self.fire(info, fault);
                Err(unknown())
            }
            Fault::KillBefore => {
                self.fire(info, fault);
                Err(if call.class == Class::Read { unavailable() } else { unknown() })
            }
            Fault::PartialBatch => {
                let args = (call.halve)(&call.args).unwrap_or_else(|| call.args.clone());
                let _lost = call.execute_with(args).await;
                self.fire(info, fault);
                Err(unknown())
            }
            Fault::Repeat => {
                let _first = call.execute().await;
                self.fire(info, fault);
                call.execute().await
            }
            Fault::LateEffect => {
                let effect = call.execute();
                self.hold(info, fault, Box::pin(async { drop(effect.await) }));
                Err(unknown())
            }
            Fault::Hang => {
                let (reply, answer) = oneshot::channel();
                let effect = call.execute();
                // The caller may be gone; the effect is the same.
                self.hold(info, fault, Box::pin(async { drop(reply.send(effect.await)) }));
                answer.await.unwrap_or_else(|_| Err(unavailable()))
            }
            Fault::StaleRead => {
                let fresh = call.execute().await;
                let stale = self.recall(&call.key()).unwrap_or_else(R::of_an_empty_store);
                // Compares the `Debug` output, because not every answer implements `PartialEq`.
                if format!("{stale:?}") != format!("{fresh:?}") {
                    self.fire(info, fault);
                }
                stale
            }
            Fault::CorruptByte => {
                let mut answer = call.execute().await;
                if answer.as_mut().is_ok_and(Answer::corrupt) {
                    self.fire(info, fault);
                }
                answer
            }
        }
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable("injected".into())
}

fn unknown() -> StoreError {
    StoreError::Unknown("injected".into())
}
