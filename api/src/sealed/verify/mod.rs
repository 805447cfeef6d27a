//! Whether a file is what was sealed, and keeps to its own rules.
//!
//! Nothing in a file is believed before its bytes are the canonical ones, its digest fits and its key has signed it. What
//! cannot be seen in a file: that its figures are true, and that no later release retracts one.

mod chain;
mod content;
mod fault;
mod values;

#[cfg(test)]
mod tests;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

pub use self::{
    content::check,
    fault::{Fault, Flaw, plain},
};
use super::{File, PublicKey, Sealed, seal};

/// A longer file is not read.
pub const MOST_BYTES: u64 = 64 << 20;

/// A file that was verified. Only [`verify`] makes one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified(Sealed);

impl Verified {
    pub fn release(&self) -> &File {
        &self.0.release
    }

    pub fn digest(&self) -> &str {
        &self.0.digest
    }

    /// The id of the key that signed it.
    pub fn key(&self) -> &str {
        &self.0.key
    }

    /// Whether it continues the chain after the release before it.
    ///
    /// # Errors
    /// The first reason why it does not.
    pub fn follows(&self, previous: &Self) -> Result<(), Fault> {
        chain::follows(self.release(), previous.release(), previous.digest())
    }

    /// Whether the cells that it carries forward stand as they are in an earlier release of its chain.
    ///
    /// # Errors
    /// The first cell that does not.
    pub fn agrees_with(&self, earlier: &Self) -> Result<(), Fault> {
        chain::agrees(self.release(), earlier.release())
    }
}

/// Verifies a file, and that it follows the one before it, where that is given. That one may be signed by another key, and
/// is not verified by itself.
///
/// # Errors
/// The first reason to refuse it.
pub fn verify(bytes: &[u8], key: &PublicKey, previous: Option<&[u8]>) -> Result<Verified, Fault> {
    let sealed = read(bytes)?;
    if sealed.key != key.id() {
        return Err(Fault::Key { signed: sealed.key, given: key.id().to_owned() });
    }
    let signature = URL_SAFE_NO_PAD.decode(&sealed.signature).ok().and_then(|bytes| bytes.try_into().ok());
    let message = seal::message(&sealed.digest);
    if !signature.is_some_and(|signature| key.accepts(message.as_bytes(), &signature)) {
        return Err(Fault::Signature);
    }
    check(&sealed.release)?;
    if let Some(previous) = previous {
        let previous = read(previous).map_err(|fault| Fault::PreviousUnreadable(Box::new(fault)))?;
        chain::follows(&sealed.release, &previous.release, &previous.digest)?;
        chain::agrees(&sealed.release, &previous.release)?;
    }
    Ok(Verified(sealed))
}

/// Reads a file and holds its digest against its content. Nobody has signed for it yet.
fn read(bytes: &[u8]) -> Result<Sealed, Fault> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Fault::TooLarge);
    }
    let sealed: Sealed = serde_json::from_slice(bytes).map_err(Fault::of_json)?;
    if sealed.release.format != super::FORMAT {
        return Err(Fault::Format(format!("format: {}", sealed.release.format)));
    }
    // One text only has the meaning of each file: spaces, another order of keys, and keys that stand twice end here.
    if seal::bytes(&sealed).ok().as_deref() != Some(bytes) {
        return Err(Fault::NotCanonical);
    }
    match seal::digest(&sealed.release) {
        Ok(digest) if digest == sealed.digest => Ok(sealed),
        _ => Err(Fault::Digest),
    }
}
