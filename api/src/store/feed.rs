//! The feed: follows the outbox, so that whoever waits for news is woken and need not ask the database.
//!
//! Each server follows it from its own position. It looks when this process has committed, when another server on
//! PostgreSQL says so, and from time to time by itself: for what another process has written to a SQLite file, and for
//! what a lost connection has not told. Events are kept in memory for a while; who is further behind reads the table.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use sea_orm::DbBackend;
use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, interval_at, sleep},
};

use super::{
    Store,
    outbox::{self, Batch, CHANNEL, Event, Position},
};
use crate::error::{Error, Result};

/// How often the table is looked at when nobody says anything.
const LOOK: Duration = Duration::from_millis(500);
/// How soon again while a transaction that is still open holds events back.
const UNSETTLED: Duration = Duration::from_millis(20);
/// How long a broken connection that listens is left alone.
const RELISTEN: Duration = Duration::from_secs(1);
/// How many events are read at once, and how many are kept in memory.
const AT_ONCE: usize = 500;
const REMEMBERED: usize = 2_000;
/// How often old events are deleted.
const PRUNE: Duration = Duration::from_secs(3_600);

/// What this process knows of the outbox.
#[derive(Default)]
pub struct Feed {
    written: Notify,
    heard: Notify,
    recent: RwLock<Recent>,
    state: watch::Sender<State>,
}

/// How far the feed has come.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct State {
    pub upto: Position,
    /// The server stops: nothing more will come.
    pub ended: bool,
}

/// All events after a position.
#[derive(Default)]
struct Recent {
    after: Position,
    events: VecDeque<Event>,
}

impl Feed {
    /// This process has committed something.
    pub(super) fn wake(&self) {
        self.written.notify_one();
    }

    /// Learns when there is news. What it holds now is the place to start from.
    pub fn follow(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Tells all who follow that the server stops.
    pub fn end(&self) {
        self.state.send_modify(|state| state.ended = true);
    }

    fn start_at(&self, position: Position) {
        let recent = Recent { after: position, events: VecDeque::new() };
        *self.recent.write().unwrap_or_else(PoisonError::into_inner) = recent;
        self.state.send_modify(|state| state.upto = position);
    }

    fn add(&self, events: Vec<Event>) {
        let Some(last) = events.last().map(|event| event.at) else { return };
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        recent.events.extend(events);
        while recent.events.len() > REMEMBERED {
            if let Some(first) = recent.events.pop_front() {
                recent.after = first.at;
            }
        }
        drop(recent);
        self.state.send_modify(|state| state.upto = last);
    }

    /// The first events after a position; none when they are no longer in memory.
    fn recent(&self, after: Position, most: usize) -> Option<Vec<Event>> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        if after < recent.after {
            return None;
        }
        let first = recent.events.partition_point(|event| event.at <= after);
        Some(recent.events.range(first..).take(most).copied().collect())
    }
}

impl Store {
    /// The first events after a position.
    pub async fn events_after(&self, after: Position, most: usize) -> Result<Vec<Event>> {
        match self.feed.recent(after, most) {
            Some(events) => Ok(events),
            None => Ok(outbox::read(&self.pools.read, after, most).await?.events),
        }
    }

    /// Begins to follow the outbox: nothing that is committed after this is missed.
    ///
    /// # Errors
    /// When the database is out of reach.
    pub async fn start_feed(self: &Arc<Self>) -> Result<()> {
        self.prune_outbox(self.clock.now()).await?;
        self.feed.start_at(outbox::last(&self.pools.read).await?);
        Ok(())
    }

    /// Follows the outbox until it is dropped.
    pub async fn run_feed(self: Arc<Self>) {
        let listening = self.listen();
        tokio::pin!(listening);
        let mut unsettled = false;
        let mut prune = interval_at(Instant::now() + PRUNE, PRUNE);
        let mut look = interval_at(Instant::now() + LOOK, LOOK);
        loop {
            let own = tokio::select! {
                () = self.feed.written.notified() => true,
                () = self.feed.heard.notified() => false,
                () = sleep(UNSETTLED), if unsettled => false,
                () = &mut listening => false,
                _ = look.tick() => {
                    // For all sockets at once: on this server nobody may have asked since another one has ended a session.
                    // A database out of reach is noticed below.
                    if self.feed.state.receiver_count() > 0 {
                        drop(self.catalog().await);
                    }
                    false
                }
                _ = prune.tick() => {
                    if let Err(fault) = self.prune_outbox(self.clock.now()).await {
                        log(&fault);
                    }
                    false
                }
            };
            unsettled = match self.look(own).await {
                Ok(unsettled) => unsettled,
                Err(fault) => {
                    log(&fault);
                    false
                }
            };
        }
    }

    /// Reads what is new, and says whether something is there that has not settled. Other servers are told once for all
    /// that this process has committed meanwhile, and not in its transactions: PostgreSQL would let those that notify
    /// commit one after another only.
    async fn look(&self, own: bool) -> Result<bool> {
        if own {
            self.announce().await?;
        }
        loop {
            let after = self.feed.state.borrow().upto;
            let Batch { events, unsettled } = outbox::read(&self.pools.read, after, AT_ONCE).await?;
            let more = events.len() == AT_ONCE;
            self.feed.add(events);
            if !more {
                return Ok(unsettled);
            }
        }
    }

    /// Hears other servers, on a connection of its own. Never ends.
    async fn listen(&self) {
        if self.pools.write.get_database_backend() != DbBackend::Postgres {
            return std::future::pending().await;
        }
        loop {
            // It comes back only with a fault; meanwhile the table is looked at as often as on SQLite.
            if self.hear().await.is_err() {
                tracing::warn!("the connection that listens for other servers is lost");
            }
            sleep(RELISTEN).await;
        }
    }

    async fn hear(&self) -> Result<(), sqlx::Error> {
        let options = self.pools.write.get_postgres_connection_pool().connect_options();
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with((*options).clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(CHANNEL).await?;
        loop {
            // What was said before it listened.
            self.feed.heard.notify_one();
            listener.recv().await?;
        }
    }
}

fn log(fault: &Error) {
    match fault {
        Error::Internal(text) => tracing::error!(fault = %text, "the outbox cannot be followed"),
        _ => tracing::warn!("the outbox is out of reach"),
    }
}
