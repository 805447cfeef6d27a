//! Passwords: which are good enough, and how they are kept.
//!
//! Argon2id with the parameters that OWASP's cheat sheet asks for. Hashing takes memory and time, so it is done on
//! threads that may block, a few at a time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};
use rand::TryRngCore;
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use crate::error::{Error, Result};

/// Kilobytes, passes and lanes.
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);

/// How long somebody waits for others' passwords to be hashed.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is compared with when there is no account: made with the same parameters, of no password.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$dW1icmFsLW5vYm9keS4uLg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes passwords, a few at a time.
pub struct Passwords {
    places: Arc<Semaphore>,
    hashed: AtomicU64,
}

/// Why a new password is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Weak {
    /// Not 12 to 200 characters.
    Length,
    /// It is the e-mail address, or the name in it.
    Email,
    /// It is one of the commonest.
    Common,
}

impl Default for Passwords {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self { places: Arc::new(Semaphore::new(processors)), hashed: AtomicU64::new(0) }
    }
}

impl Passwords {
    /// How many passwords have been hashed, to keep them or to compare them.
    pub fn hashed(&self) -> u64 {
        self.hashed.load(Ordering::Relaxed)
    }

    /// Whether it is the password that the hash was made of. Without a hash the same work is done, for nothing.
    ///
    /// # Errors
    /// `Unavailable` when too many wait.
    pub async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool> {
        let password = normal(password);
        self.run(move |argon| {
            let parsed = PasswordHash::new(hash.as_deref().unwrap_or(NOBODY));
            let fits = parsed.is_ok_and(|parsed| argon.verify_password(password.as_bytes(), &parsed).is_ok());
            Ok(fits && hash.is_some())
        })
        .await
    }

    /// The hash that a password is kept as.
    ///
    /// # Errors
    /// `Unavailable` when too many wait.
    pub async fn hash(&self, password: &str) -> Result<String> {
        let password = normal(password);
        self.run(move |argon| {
            let mut salt = [0; 16];
            rand::rngs::OsRng
                .try_fill_bytes(&mut salt)
                .map_err(|_| Error::Internal("the system gives no randomness".into()))?;
            let fault = |_| Error::Internal("a password was not hashed".into());
            let salt = SaltString::encode_b64(&salt).map_err(fault)?;
            Ok(argon.hash_password(password.as_bytes(), &salt).map_err(fault)?.to_string())
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(Argon2<'static>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let place = tokio::time::timeout(PATIENCE, self.places.clone().acquire_owned()).await;
        let place = place.ok().and_then(std::result::Result::ok).ok_or(Error::Unavailable)?;
        self.hashed.fetch_add(1, Ordering::Relaxed);
        let hashing = tokio::task::spawn_blocking(move || {
            // Kept to the end, also when nobody waits for the answer any more.
            let _place = place;
            let (memory, passes, lanes) = COST;
            let params = Params::new(memory, passes, lanes, None)
                .map_err(|_| Error::Internal("argon2 refuses its parameters".into()))?;
            work(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
        });
        hashing.await.map_err(|_| Error::Internal("hashing a password broke off".into()))?
    }
}

/// The form in which a password is hashed: two keyboards that write a letter differently write the same password.
fn normal(password: &str) -> String {
    password.nfkc().collect()
}

/// Refuses a new password that is easily guessed.
///
/// # Errors
/// Why.
pub fn check(password: &str, email: &str) -> std::result::Result<(), Weak> {
    let password = normal(password);
    if !(12..=200).contains(&password.chars().count()) {
        return Err(Weak::Length);
    }
    let folded = super::email::folded(&password);
    let name = email.rsplit_once('@').map_or(email, |(name, _)| name);
    if folded == email || folded == name {
        return Err(Weak::Email);
    }
    let mut letters = folded.chars().filter(|letter| !letter.is_whitespace());
    let bare: String = letters.by_ref().collect();
    let first = bare.chars().next();
    if COMMON.contains(&bare.as_str()) || bare.chars().all(|letter| Some(letter) == first) {
        return Err(Weak::Common);
    }
    Ok(())
}

/// A hundred that people choose when they are asked for twelve characters, in Spanish and English: written for this
/// program by habit and keyboard, not taken from any list of stolen passwords.
const COMMON: [&str; 100] = [
    "123456789012",
    "1234567890123",
    "12345678901234",
    "123456789012345",
    "1234567890123456",
    "1234567891011",
    "123456789101112",
    "098765432109",
    "987654321098",
    "987654321012",
    "112233445566",
    "111222333444",
    "123123123123",
    "121212121212",
    "123412341234",
    "123456123456",
    "654321654321",
    "102030405060",
    "147258369147",
    "159753159753",
    "abcdefghijkl",
    "abcdefghijklm",
    "abcdefghijklmn",
    "abcdefghijklmnop",
    "abc123abc123",
    "abcabcabcabc",
    "abcd1234abcd",
    "abcd12345678",
    "a1b2c3d4e5f6",
    "1a2b3c4d5e6f",
    "qwertyuiopas",
    "qwertyuiopasdf",
    "qwertyuiop123",
    "qwertyuiop12",
    "qwertyqwerty",
    "qwerty123456",
    "qwerty12345678",
    "qwerty123qwerty",
    "asdfghjklzxc",
    "asdfghjkl123",
    "asdfasdfasdf",
    "zxcvbnmasdfg",
    "zxcvbnm12345",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "qazwsxedcrfv",
    "poiuytrewqas",
    "mnbvcxzlkjhg",
    "password1234",
    "password12345",
    "password123456",
    "password2024",
    "password2025",
    "password2026",
    "passwordpassword",
    "mypassword123",
    "mypassword12",
    "newpassword1",
    "newpassword123",
    "changeme1234",
    "changemenow1",
    "welcome12345",
    "welcome123456",
    "letmein12345",
    "letmeinplease",
    "iloveyou1234",
    "iloveyouforever",
    "administrator",
    "administrator1",
    "adminadminadmin",
    "admin1234567",
    "admin12345678",
    "administrador",
    "administrador1",
    "coordinadora",
    "coordinadora1",
    "coordinadora123",
    "contraseña12",
    "contraseña123",
    "contraseña1234",
    "contraseña2025",
    "contraseña2026",
    "contrasena12",
    "contrasena123",
    "contrasena1234",
    "contrasena2026",
    "micontraseña",
    "micontraseña1",
    "micontrasena",
    "nuevacontraseña",
    "clave1234567",
    "clave12345678",
    "miclave12345",
    "bienvenida123",
    "bienvenido123",
    "teamoteamoteamo",
    "teamomucho12",
    "umbralumbral",
    "umbral123456",
    "organizacion",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easily_guessed_passwords_are_refused() {
        let check = |password: &str| check(password, "coordinacion.central@casa.example");
        for (password, why) in [
            ("doce-menos1", Weak::Length),
            (&"x".repeat(201), Weak::Length),
            ("Coordinacion.Central@casa.example", Weak::Email),
            ("coordinacion.central", Weak::Email),
            ("Contraseña123", Weak::Common),
            ("contrasen\u{303}a 123", Weak::Common),
            ("aaaaaaaaaaaaaaaa", Weak::Common),
        ] {
            assert_eq!(check(password), Err(why), "{password}");
        }
        assert_eq!(check("doce justos1"), Ok(()));
        assert_eq!(check(&"clave larga ".repeat(16)), Ok(()));
        let mut common = COMMON.to_vec();
        common.sort_unstable();
        common.dedup();
        assert_eq!(common.len(), COMMON.len(), "one stands twice");
        assert!(COMMON.iter().all(|word| word.chars().count() >= 12), "shorter ones are refused as they are");
    }

    #[tokio::test]
    async fn a_password_is_known_again_however_it_is_typed() {
        let passwords = Passwords::default();
        let hash = passwords.hash("contrasen\u{303}a de Ana").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("contraseña de Ana", Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("contraseña de ana", Some(hash)).await.unwrap());
        assert!(PasswordHash::new(NOBODY).is_ok());
        assert!(!passwords.verify("", None).await.unwrap());
        assert_eq!(passwords.hashed(), 4);
    }
}
