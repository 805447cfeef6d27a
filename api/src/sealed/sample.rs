//! Releases to test with. `sample.json` is one that keeps to all rules, and serves the tests of the command, too.

use chrono::Days;

use super::{File, PublicKey, Sealed, SigningKey, seal};

pub fn key() -> SigningKey {
    SigningKey::of([7; 32])
}

pub fn public() -> PublicKey {
    key().public()
}

/// A first release.
pub fn first() -> File {
    serde_json::from_str(include_str!("sample.json")).unwrap()
}

/// The release after another one, a day later: it carries all cells forward.
pub fn after(previous: &Sealed) -> File {
    let release = previous.release.clone();
    File {
        number: release.number + 1,
        previous: Some(previous.digest.clone()),
        published_at: release.published_at + Days::new(1),
        retractions: Vec::new(),
        ..release
    }
}

/// The bytes of a release, signed whatever it says.
pub fn signed(release: File) -> Vec<u8> {
    seal::bytes(&seal::sign(&key(), release).unwrap()).unwrap()
}
