//! How many of something each account has at one time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use uuid::Uuid;

/// Counts by account; all who have none are one.
#[derive(Clone, Default)]
pub struct Held(Arc<Mutex<HashMap<Option<Uuid>, usize>>>);

/// One that is counted for as long as this is held.
pub struct Holding {
    among: Held,
    account: Option<Uuid>,
}

impl Held {
    /// One more for an account; none when it has as many as it may.
    pub fn take(&self, account: Option<Uuid>, most: usize) -> Option<Holding> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(account).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Holding { among: self.clone(), account })
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        let mut counts = self.among.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.account) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.account);
            }
        }
    }
}
