//! Authenticated ciphertext, bound to the place where it stands.
//!
//! AES-256-GCM-SIV (RFC 8452): a nonce that came twice would show equal plaintexts and nothing more.

use aes_gcm_siv::{
    Aes256GcmSiv, KeyInit, Nonce,
    aead::{Aead, Payload},
};
use rand::{TryRngCore, rngs::OsRng};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{Fault, Result};

const NONCE: usize = 12;
/// Plaintexts are filled up to a multiple of this, so that their lengths say little.
const STEP: usize = 32;

/// 256 bits.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// The key of one woman.
pub struct DataKey(pub(super) Key);

/// Where a ciphertext stands. It opens nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub organization: Uuid,
    pub table: &'a str,
    pub column: &'a str,
    pub row: Uuid,
    /// The version of the row that it was written with.
    pub version: i32,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"umbral record 1".to_vec();
        bytes.extend(self.organization.as_bytes());
        for name in [self.table, self.column] {
            bytes.extend((name.len() as u32).to_be_bytes());
            bytes.extend(name.as_bytes());
        }
        bytes.extend(self.row.as_bytes());
        bytes.extend(self.version.to_be_bytes());
        bytes
    }
}

impl DataKey {
    pub fn generate() -> Result<Self> {
        Ok(Self(random()?))
    }

    /// The ciphertext of a text at its place.
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>> {
        let length = u32::try_from(plain.len()).map_err(|_| Fault::Damaged)?;
        let mut padded = Zeroizing::new(length.to_be_bytes().to_vec());
        padded.extend_from_slice(plain);
        let length = padded.len().next_multiple_of(STEP);
        padded.resize(length, 0);
        seal(&self.0, &place.bytes(), &padded)
    }

    /// The text of a ciphertext that was written at this place, with this version.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let padded = open(&self.0, &place.bytes(), sealed)?;
        let (length, rest) = padded.split_first_chunk().ok_or(Fault::Damaged)?;
        let plain = rest.get(..u32::from_be_bytes(*length) as usize).ok_or(Fault::Damaged)?;
        Ok(Zeroizing::new(plain.to_vec()))
    }

    /// A keyed digest, for what must be compared later by who has the key, and by nobody else.
    pub fn digest(&self, text: &[u8]) -> Vec<u8> {
        keyed(&self.0, &[b"umbral input", text]).to_vec()
    }
}

pub(crate) fn random() -> Result<Key> {
    let mut key = Zeroizing::new([0; 32]);
    OsRng.try_fill_bytes(key.as_mut_slice()).map_err(|_| Fault::Randomness)?;
    Ok(key)
}

pub(super) fn seal(key: &Key, place: &[u8], plain: &[u8]) -> Result<Vec<u8>> {
    let mut nonce = [0; NONCE];
    OsRng.try_fill_bytes(&mut nonce).map_err(|_| Fault::Randomness)?;
    let payload = Payload { msg: plain, aad: place };
    let sealed = cipher(key).encrypt(&Nonce::from(nonce), payload).map_err(|_| Fault::Damaged)?;
    Ok([&nonce[..], &sealed].concat())
}

pub(super) fn open(key: &Key, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(Fault::Damaged)?;
    let payload = Payload { msg: sealed, aad: place };
    cipher(key).decrypt(&Nonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| Fault::Damaged)
}

fn cipher(key: &Key) -> Aes256GcmSiv {
    Aes256GcmSiv::new(key.as_slice().into())
}

/// HMAC-SHA-256 over parts, each after its length.
pub(super) fn keyed(key: &Key, parts: &[&[u8]]) -> [u8; 32] {
    use hmac::{Hmac, Mac};
    // A key of 32 bytes is one that it takes.
    let Ok(mut mac) = <Hmac<sha2::Sha256> as Mac>::new_from_slice(key.as_slice()) else { return [0; 32] };
    for part in parts {
        mac.update(&(part.len() as u32).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
