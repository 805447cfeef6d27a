//! From a release to a file.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::{File, Sealed, SigningKey, canonical::canonical, file::FORMAT, verify};
use crate::error::{Error, Result};

/// The SHA-256 of a release's canonical bytes, in hexadecimal digits.
///
/// # Errors
/// When a number in it has no canonical form.
pub fn digest(release: &File) -> Result<String> {
    Ok(format!("{:x}", Sha256::digest(canonical(release)?)))
}

/// Signs a release. One that our own reader would refuse is not signed.
///
/// # Errors
/// What is wrong with it.
pub fn seal(key: &SigningKey, release: File) -> Result<Sealed> {
    verify::check(&release).map_err(|fault| Error::Internal(format!("not sealed: {}", fault.reason().en)))?;
    sign(key, release)
}

pub(super) fn sign(key: &SigningKey, release: File) -> Result<Sealed> {
    let digest = digest(&release)?;
    let signature = URL_SAFE_NO_PAD.encode(key.sign(message(&digest).as_bytes()));
    Ok(Sealed { digest, key: key.public().id().to_owned(), release, signature })
}

/// The bytes that are stored and served: canonical, and a newline.
///
/// # Errors
/// When a number in it has no canonical form.
pub fn bytes(sealed: &Sealed) -> Result<Vec<u8>> {
    let mut bytes = canonical(sealed)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// What is signed. It says what it is, so that a signature of a release is good for nothing else.
pub(super) fn message(digest: &str) -> String {
    format!("{}\n{digest}", FORMAT)
}
