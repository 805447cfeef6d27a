//! One slice of load on one server, and what it took.

use std::time::Duration;

use serde::Serialize;

use crate::{
    Result,
    load::{self, Requests},
    process::{Server, cpu_ms, family_cpu_ms, memory_mb},
};

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Slice {
    pub requests: usize,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// CPU milliseconds for a request, or for a row where requests are about many.
    pub server_ms: f64,
    pub database_ms: f64,
    pub resident_mb: f64,
    pub peak_mb: f64,
}

impl Slice {
    pub fn cpu_ms(&self) -> f64 {
        self.server_ms + self.database_ms
    }
}

/// Slices of different servers do not overlap, so all that the cluster does meanwhile is for this one.
pub async fn slice(
    server: &Server,
    cluster: u32,
    requests: &Requests,
    connections: usize,
    time: Duration,
) -> Result<Slice> {
    let (server_before, database_before) = (cpu_ms(server.pid()), family_cpu_ms(cluster));
    let seen = load::send(server.address, requests, connections, time).await?;
    let (server_after, database_after) = (cpu_ms(server.pid()), family_cpu_ms(cluster));
    let count = (seen.requests.max(1) * requests.rows) as f64;
    let (resident_mb, peak_mb) = memory_mb(server.pid());
    Ok(Slice {
        requests: seen.requests,
        per_second: seen.per_second() * requests.rows as f64,
        p50_ms: quantile(&seen.latencies, 0.5),
        p99_ms: quantile(&seen.latencies, 0.99),
        server_ms: (server_after - server_before) / count,
        database_ms: (database_after - database_before) / count,
        resident_mb,
        peak_mb,
    })
}

pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => (values[count / 2 - 1] + values[count / 2]) / 2.0,
    }
}

/// Of sorted values: the one below which this part of them lies.
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = (sorted.len() as f64 * part) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0)
}
