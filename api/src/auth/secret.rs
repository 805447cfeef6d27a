//! Secrets that are shown once: refresh tokens, one-time tokens, keys of service accounts. The database holds digests.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::TryRngCore;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// What keys of service accounts begin with, so that a scanner of leaked secrets knows them.
pub const KEY_PREFIX: &str = "umbral_";

/// A secret of 256 random bits, as text. It has no `Display`, and its `Debug` says nothing.
pub struct Secret(String);

impl Secret {
    /// # Errors
    /// When the system has no randomness.
    pub fn new(prefix: &str) -> Result<Self> {
        let mut bytes = [0; 32];
        rand::rngs::OsRng
            .try_fill_bytes(&mut bytes)
            .map_err(|_| Error::Internal("the system gives no randomness".into()))?;
        Ok(Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// For the one who is to have it.
    pub fn shown(&self) -> &str {
        &self.0
    }

    /// For the database.
    pub fn digest(&self) -> Vec<u8> {
        digest(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What the database knows a secret by. It has 256 random bits, so that one round of a fast function is enough.
pub fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
