//! Cursors: opaque, bound to their list and to who may see it, and holding nothing that can be read.
//!
//! A cursor is the sort key and the id of a row, sealed with AES-GCM-SIV under the key that all servers on one
//! database share. The list, its order, its filter and the viewer's scope are the associated data, so a cursor
//! of another list or of another viewer does not open. The nonce is fixed: equal places give equal cursors, and
//! SIV keeps that safe.

use aes_gcm_siv::{
    Aes256GcmSiv, KeyInit,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, NaiveDate};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    error::{Error, Result},
    store::{
        Access,
        keyset::{Key, Place},
    },
};

/// Seals and opens the cursors of one list for one viewer.
pub struct Cursors {
    cipher: Option<Aes256GcmSiv>,
    list: [u8; 32],
}

impl Cursors {
    /// `list` tells the list apart from all others: the field, its order, its filter and its parent.
    pub fn new(access: &Access, list: &[&str]) -> Self {
        let mut digest = Sha256::new();
        for part in list {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.update(access.viewer.audience().name());
        digest.update(access.viewer.organization().unwrap_or_default());
        digest.update(access.viewer.account().unwrap_or_default());
        Self {
            cipher: Aes256GcmSiv::new_from_slice(access.cursor_key()).ok(),
            list: digest.finalize().into(),
        }
    }

    pub fn seal(&self, place: &Place) -> String {
        let mut plain = place.id.as_bytes().to_vec();
        match &place.key {
            Key::Null => plain.push(0),
            Key::Int(value) => {
                plain.push(1);
                plain.extend(value.to_be_bytes());
            }
            Key::Text(value) => {
                plain.push(2);
                plain.extend(value.as_bytes());
            }
            Key::Day(value) => {
                plain.push(3);
                plain.extend(value.to_epoch_days().to_be_bytes());
            }
            Key::Moment(value) => {
                plain.push(4);
                plain.extend(value.timestamp_micros().to_be_bytes());
            }
        }
        let sealed = self
            .cipher
            .as_ref()
            .and_then(|cipher| cipher.encrypt(&NONCE.into(), Payload { msg: &plain, aad: &self.list }).ok());
        URL_SAFE_NO_PAD.encode(sealed.unwrap_or_default())
    }

    /// # Errors
    /// `BadCursor` for anything that this server has not sealed for this list and viewer.
    pub fn open(&self, cursor: &str) -> Result<Place> {
        if cursor.len() > 8_192 {
            return Err(Error::BadCursor);
        }
        let sealed = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| Error::BadCursor)?;
        let cipher = self.cipher.as_ref().ok_or(Error::BadCursor)?;
        let plain = cipher
            .decrypt(&NONCE.into(), Payload { msg: &sealed, aad: &self.list })
            .map_err(|_| Error::BadCursor)?;
        place(&plain).ok_or(Error::BadCursor)
    }
}

const NONCE: [u8; 12] = [0; 12];

fn place(plain: &[u8]) -> Option<Place> {
    let (id, key) = plain.split_at_checked(16)?;
    let (tag, value) = key.split_first()?;
    let key = match tag {
        0 => Key::Null,
        1 => Key::Int(i64::from_be_bytes(value.try_into().ok()?)),
        2 => Key::Text(String::from_utf8(value.to_vec()).ok()?),
        3 => Key::Day(NaiveDate::from_epoch_days(i32::from_be_bytes(value.try_into().ok()?))?),
        4 => Key::Moment(DateTime::from_timestamp_micros(i64::from_be_bytes(value.try_into().ok()?))?),
        _ => return None,
    };
    Some(Place { key, id: Uuid::from_slice(id).ok()? })
}
