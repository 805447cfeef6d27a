//! What a file says, in a few bytes, whatever the order of its deliveries.

use std::fmt;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::Result;

/// What is of the database and not of the delivery: the moment when it learnt of it, who has confirmed it there, and
/// how often it was changed.
const OF_THE_DATABASE: [&str; 3] = ["recorded_at", "status", "version"];

/// How much a file holds, and a digest of it: the sum over all deliveries of the digest of each.
#[derive(Debug, Default)]
pub struct Digest {
    deliveries: u64,
    lines: u64,
    sum: u128,
    /// The beginning of a row whose end has not come yet.
    rest: Vec<u8>,
    /// The delivery that is being read: its key, and its lines so far.
    delivery: Option<(Value, Sha256)>,
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        let of = |digest: &Self| (digest.deliveries, digest.lines, digest.sum);
        of(self) == of(other)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} deliveries, {} lines, digest {:032x}", self.deliveries, self.lines, self.sum)
    }
}

impl Digest {
    /// Reads on in a file with a JSON object on each line. The lines of a delivery follow one another.
    pub fn add(&mut self, read: &[u8]) -> Result<()> {
        let mut parts = read.split(|byte| *byte == b'\n');
        // What comes after the last end of a line, or before the first.
        let last = parts.next_back().unwrap_or_default();
        for part in parts {
            self.rest.extend_from_slice(part);
            let row = std::mem::take(&mut self.rest);
            self.row(serde_json::from_slice(&row)?);
        }
        self.rest.extend_from_slice(last);
        Ok(())
    }

    fn row(&mut self, mut row: Map<String, Value>) {
        for name in OF_THE_DATABASE {
            row.remove(name);
        }
        let key = row.get("key").cloned().unwrap_or_default();
        if self.delivery.as_ref().is_none_or(|(last, _)| *last != key) {
            self.end();
            self.delivery = Some((key, Sha256::new()));
        }
        self.lines += 1;
        if let Some((_, digest)) = &mut self.delivery {
            digest.update(Value::Object(row).to_string());
        }
    }

    /// The delivery that was read is whole.
    pub fn end(&mut self) {
        let Some((_, digest)) = self.delivery.take() else { return };
        let digest = digest.finalize();
        let first = digest.iter().take(16).fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
        self.sum = self.sum.wrapping_add(first);
        self.deliveries += 1;
    }
}
