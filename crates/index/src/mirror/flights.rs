//! Single flight: however many ask for the same thing at once, it is fetched once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::runtime::Handle;

use crate::Error;

/// What one flight brings, for everybody who waits for it.
pub(crate) type Flight<T> = Shared<BoxFuture<'static, Result<T, Error>>>;

/// Flights under way, by what they fetch.
pub(crate) struct Flights<K, T> {
    under_way: Mutex<HashMap<K, Flight<T>>>,
}

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self {
            under_way: Mutex::default(),
        }
    }
}

impl<K, T> Flights<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// The flight for `key`: the one under way, else `work`, which runs on `runtime`
    /// whether or not anybody waits for it. It counts as under way until `work` drops
    /// its [`Landing`], also when it panics; whoever waits then hears `lost`.
    pub(crate) fn join<W>(
        self: &Arc<Self>,
        runtime: &Handle,
        key: &K,
        lost: Error,
        work: impl FnOnce(Landing<K, T>) -> W,
    ) -> Flight<T>
    where
        W: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let mut under_way = self.lock();
        if let Some(flight) = under_way.get(key) {
            return flight.clone();
        }
        let task = runtime.spawn(work(Landing {
            flights: self.clone(),
            key: key.clone(),
        }));
        let flight = async move { task.await.unwrap_or(Err(lost)) }
            .boxed()
            .shared();
        under_way.insert(key.clone(), flight.clone());
        flight
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, Flight<T>>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a flight when dropped: whoever comes after that starts another.
pub(crate) struct Landing<K: Eq + Hash, T> {
    flights: Arc<Flights<K, T>>,
    key: K,
}

impl<K: Eq + Hash, T> Drop for Landing<K, T> {
    fn drop(&mut self) {
        self.flights
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}
