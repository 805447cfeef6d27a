//! The server of Umbral, in reading order: who asks, what may be seen, how it is asked, how it is answered.

pub mod auth;
pub mod chores;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod error;
pub mod export;
pub mod graphql;
pub mod http;
pub mod id;
pub mod import;
pub mod print;
pub mod reference;
pub mod sealed;
pub mod serve;
pub mod store;
pub mod vault;
