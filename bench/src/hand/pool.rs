//! Connections of one worker. Statements of several requests follow one another on a connection without
//! waiting for answers; a transaction has a connection to itself.

use std::{cell::Cell, rc::Rc};

use tokio_postgres::{Client, NoTls, Statement};

use super::{Way, best, usual};
use crate::Result;

pub struct Pool {
    connections: Vec<Rc<Connection>>,
    alone: tokio::sync::Semaphore,
}

pub struct Connection {
    pub client: Client,
    pub statements: Vec<Statement>,
    waiting: Cell<usize>,
}

/// A connection in use.
pub struct Taken<'a> {
    pub connection: &'a Connection,
    _permit: Option<tokio::sync::SemaphorePermit<'a>>,
}

impl Pool {
    pub async fn connect(url: &str, size: usize, way: Way) -> Result<Self> {
        let mut connections = Vec::new();
        for _ in 0..size {
            let client = client(url).await?;
            let mut statements = Vec::new();
            let texts = match way {
                Way::Best => &best::STATEMENTS[..],
                Way::Usual => &usual::STATEMENTS[..],
            };
            for text in texts {
                statements.push(client.prepare(text).await?);
            }
            connections.push(Rc::new(Connection { client, statements, waiting: Cell::new(0) }));
        }
        Ok(Self { connections, alone: tokio::sync::Semaphore::new(size) })
    }

    /// The connection with the fewest requests on it.
    pub fn shared(&self) -> Taken<'_> {
        self.take(None)
    }

    /// A connection without any other request on it.
    pub async fn alone(&self) -> Result<Taken<'_>> {
        Ok(self.take(Some(self.alone.acquire().await?)))
    }

    fn take<'a>(&'a self, permit: Option<tokio::sync::SemaphorePermit<'a>>) -> Taken<'a> {
        let least = self.connections.iter().min_by_key(|connection| connection.waiting.get());
        // A pool is never empty.
        let connection = least.unwrap_or(&self.connections[0]);
        connection.waiting.set(connection.waiting.get() + 1);
        Taken { connection, _permit: permit }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.connection.waiting.set(self.connection.waiting.get() - 1);
    }
}

/// A connection whose other end runs in this thread.
pub async fn client(url: &str) -> Result<Client> {
    let mut config: tokio_postgres::Config = url.parse()?;
    // As Umbral does: each statement is planned once for a connection, which saves a tenth of a page.
    config.options("-c plan_cache_mode=force_generic_plan");
    let (client, connection) = config.connect(NoTls).await?;
    tokio::task::spawn_local(async move {
        if let Err(fault) = connection.await {
            eprintln!("bench: {fault}");
        }
    });
    Ok(client)
}
