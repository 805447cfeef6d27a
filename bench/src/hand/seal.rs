//! The same sealing of cursors as Umbral's: the place of a row, under the key of the database, bound to the list
//! and to who asks.

use aes_gcm_siv::{
    Aes256GcmSiv, KeyInit,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::NaiveDate;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::memory::Account;

pub fn cursor(key: &[u8], account: &Account, list: [&str; 4], day: NaiveDate, id: Uuid) -> String {
    let mut digest = Sha256::new();
    for part in list {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.update("PARTNER");
    digest.update(account.organization);
    digest.update(account.id);
    let mut plain = id.as_bytes().to_vec();
    plain.push(3);
    plain.extend(day.to_epoch_days().to_be_bytes());
    let list = digest.finalize();
    let sealed = Aes256GcmSiv::new_from_slice(key)
        .ok()
        .and_then(|cipher| cipher.encrypt(&[0; 12].into(), Payload { msg: &plain, aad: &list }).ok());
    URL_SAFE_NO_PAD.encode(sealed.unwrap_or_default())
}
