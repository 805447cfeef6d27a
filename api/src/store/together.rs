//! One read for all who ask at the same time.

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
};

use tokio::sync::{Mutex, watch};

use crate::error::Result;

/// A value that is read from the database whenever somebody asks, and at most once at a time: who asks while a read
/// is under way shares the next one. So nobody gets a value that was read before the question.
pub struct Together<T> {
    asked: AtomicU64,
    reading: Mutex<()>,
    /// The last value, and the last question that it answers.
    read: watch::Sender<(u64, Option<T>)>,
}

impl<T> Default for Together<T> {
    fn default() -> Self {
        Self { asked: AtomicU64::new(0), reading: Mutex::default(), read: watch::Sender::new((0, None)) }
    }
}

impl<T: Copy> Together<T> {
    /// The value as it is at some moment after this call.
    pub async fn read<F: Future<Output = Result<T>>>(&self, read: impl Fn() -> F) -> Result<T> {
        let question = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut seen = self.read.subscribe();
        loop {
            if let (answered, Some(value)) = *seen.borrow_and_update()
                && answered >= question
            {
                return Ok(value);
            }
            if let Ok(reading) = self.reading.try_lock() {
                // Also when the read fails, or is given up, those who wait must look again.
                let _wakes = Wakes(self);
                let _until_then = reading;
                let upto = self.asked.load(Ordering::SeqCst);
                let value = read().await?;
                self.read.send_modify(|last| *last = (upto, Some(value)));
                return Ok(value);
            }
            // The sender lives as long as `self`.
            let _ = seen.changed().await;
        }
    }
}

/// Wakes all who wait, when it goes.
struct Wakes<'a, T>(&'a Together<T>);

impl<T> Drop for Wakes<'_, T> {
    fn drop(&mut self) {
        self.0.read.send_modify(|_| ());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use futures_util::future::join_all;
    use tokio::sync::Semaphore;

    use super::Together;
    use crate::error::{Error, Result};

    /// A value in a database that answers only when it is let.
    #[derive(Default)]
    struct Slow {
        value: AtomicU64,
        reads: AtomicU64,
        gate: Option<Semaphore>,
    }

    impl Slow {
        async fn read(&self) -> Result<u64> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            let value = self.value.load(Ordering::SeqCst);
            if let Some(gate) = &self.gate {
                gate.acquire().await.map_err(|_| Error::Unavailable)?.forget();
            }
            Ok(value)
        }
    }

    fn slow() -> Arc<Slow> {
        Arc::new(Slow { gate: Some(Semaphore::new(0)), ..Slow::default() })
    }

    #[tokio::test]
    async fn who_asks_during_a_read_shares_the_next_one_and_never_gets_an_older_value() {
        let (together, slow) = (Arc::new(Together::default()), slow());
        let ask = || {
            let (together, slow) = (together.clone(), slow.clone());
            tokio::spawn(async move { together.read(|| slow.read()).await })
        };
        let first = ask();
        while slow.reads.load(Ordering::SeqCst) < 1 {
            tokio::task::yield_now().await;
        }
        slow.value.store(7, Ordering::SeqCst);
        let later: Vec<_> = (0..50).map(|_| ask()).collect();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        if let Some(gate) = &slow.gate {
            gate.add_permits(2);
        }
        assert_eq!(first.await.unwrap().unwrap(), 0);
        for answer in join_all(later).await {
            assert_eq!(answer.unwrap().unwrap(), 7);
        }
        assert_eq!(slow.reads.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_read_that_is_given_up_leaves_nobody_waiting() {
        let (together, slow) = (Arc::new(Together::default()), slow());
        let ask = || {
            let (together, slow) = (together.clone(), slow.clone());
            tokio::spawn(async move { together.read(|| slow.read()).await })
        };
        let first = ask();
        while slow.reads.load(Ordering::SeqCst) < 1 {
            tokio::task::yield_now().await;
        }
        let second = ask();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        first.abort();
        if let Some(gate) = &slow.gate {
            gate.add_permits(1);
        }
        assert_eq!(second.await.unwrap().unwrap(), 0);
    }

    #[tokio::test]
    async fn a_read_that_fails_is_tried_again_by_those_who_wait() {
        let together: Together<u64> = Together::default();
        assert!(together.read(async || Err(Error::Unavailable)).await.is_err());
        assert_eq!(together.read(async || Ok(3)).await.unwrap(), 3);
    }
}
