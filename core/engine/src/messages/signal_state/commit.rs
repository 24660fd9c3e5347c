//! How a unit of work is done and made durable.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;
use tokio::runtime::Handle;
use tokio::sync::OwnedMutexGuard;

use super::{SignalState, Unit};
use crate::client::Inner;
use crate::error::Error;
use crate::store::StoreError;

impl Inner {
    /// Does a unit of work and commits it. What `work` returns is handed on only when the unit
    /// is durable. Dropping the future ends the waiting; nobody else gets at the state before the
    /// commit is over.
    pub(crate) async fn unit<T>(
        &self,
        work: impl FnOnce(&mut Unit<'_>) -> Result<T, StoreError> + Send,
    ) -> Result<T, Error>
    where
        T: Send,
    {
        let mut state = Arc::clone(&self.signal).lock_owned().await;
        let account = self.linked_account()?;
        let worked = {
            let seed = || ChaCha20Rng::from_rng(&mut *self.rng());
            let mut unit = Unit::begin(&*self.store, &account, &mut state, seed);
            work(&mut unit).map(|value| {
                let name = unit.push_name.take().filter(|name| account.push_name.as_ref() != Some(name));
                (value, name, unit.finish())
            })
        };
        match worked {
            Ok((value, None, changes)) if changes.is_empty() => Ok(value),
            Ok((value, name, changes)) => {
                let outcome: Outcome = match name {
                    Some(name) => {
                        Box::pin(self.commit_account(changes, |account| account.push_name = Some(name)))
                    }
                    None => Box::pin(self.commit.commit(changes)),
                };
                let runtime = self.engine.handle.clone();
                Committing { waiting: Some((state, outcome)), runtime }.await.map(|()| value)
            }
            Err(error) => {
                state.reset();
                Err(error.into())
            }
        }
    }
}

type Outcome = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A commit under way, with the lock on the state that it is made from. Dropped, it goes on by
/// itself: the lock is held until the store is up to date.
struct Committing {
    waiting: Option<(OwnedMutexGuard<SignalState>, Outcome)>,
    runtime: Handle,
}

impl Future for Committing {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some((_, outcome)) = &mut self.waiting else { return Poll::Pending };
        let result = std::task::ready!(outcome.as_mut().poll(cx));
        if let Some((mut state, _)) = self.waiting.take()
            && result.is_err()
        {
            state.reset();
        }
        Poll::Ready(result)
    }
}

impl Drop for Committing {
    fn drop(&mut self) {
        if let Some((mut state, outcome)) = self.waiting.take() {
            self.runtime.spawn(async move {
                if outcome.await.is_err() {
                    state.reset();
                }
            });
        }
    }
}
