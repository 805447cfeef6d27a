//! The keys that sealed releases are signed with.
//!
//! The private one lies in a file that only its owner can read, as a JSON Web Key (RFC 8037). The public keys of those that
//! came before it lie in a file beside it, so that what they signed can still be checked.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::vault::{self, private, private_folder, random, replace};

/// Signs releases.
pub struct SigningKey(ed25519_dalek::SigningKey);

/// Checks what a [`SigningKey`] has signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicKey {
    verifying: VerifyingKey,
    id: String,
}

/// What is wrong with a key or its file. Names paths, never contents.
#[derive(Debug)]
pub enum KeyFault {
    /// There is no such file.
    None(PathBuf),
    /// It cannot be read or written, or others can read it.
    File(vault::Fault),
    /// It holds no key of this kind, or a damaged one.
    Damaged(PathBuf),
}

impl KeyFault {
    /// What an operator reads.
    pub fn text(&self) -> String {
        match self {
            Self::None(path) => {
                format!("{}: there is no key; make one: umbral release key --new", path.display())
            }
            Self::File(fault) => fault.text(),
            Self::Damaged(path) => format!("{}: this is no Ed25519 key, or a damaged one", path.display()),
        }
    }
}

impl From<vault::Fault> for KeyFault {
    fn from(fault: vault::Fault) -> Self {
        Self::File(fault)
    }
}

type Result<T> = std::result::Result<T, KeyFault>;

/// A file of a private key. Borrowed, so that nothing of it is left in memory but where it was read to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile<'a> {
    kty: &'a str,
    crv: &'a str,
    d: &'a str,
    x: &'a str,
}

/// A public JSON Web Key. What else it says, as "use", does not concern us.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    kid: Option<String>,
}

/// A file of public keys.
#[derive(Deserialize)]
#[serde(untagged)]
enum PublicFile {
    Set { keys: Vec<Jwk> },
    One(Jwk),
}

impl SigningKey {
    /// The key in a file.
    ///
    /// # Errors
    /// When there is none, it is damaged, or others than its owner can get at it.
    pub fn open(path: &Path) -> Result<Self> {
        if !path.try_exists().map_err(io(path))? {
            return Err(KeyFault::None(path.to_owned()));
        }
        private(path)?;
        let text = Zeroizing::new(fs::read(path).map_err(io(path))?);
        let damaged = || KeyFault::Damaged(path.to_owned());
        let file: KeyFile<'_> = serde_json::from_slice(&text).map_err(|_| damaged())?;
        let mut seed = Zeroizing::new([0; 32]);
        let length = URL_SAFE_NO_PAD.decode_slice(file.d, seed.as_mut_slice()).map_err(|_| damaged())?;
        let key = Self(ed25519_dalek::SigningKey::from_bytes(&seed));
        let fits =
            length == seed.len() && file.kty == "OKP" && file.crv == "Ed25519" && file.x == key.public().x();
        if fits { Ok(key) } else { Err(damaged()) }
    }

    /// Makes a new key in a file. The public key of the one that it replaces, if there is one, joins those that came before.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn renew(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            private_folder(folder)?;
        }
        match public_keys(path) {
            // First of all the old one, so that nothing it signed is ever without its key.
            Ok(known) => replace(&former(path), pretty(&jwk_set(&known)).as_bytes())?,
            Err(KeyFault::None(_)) => {}
            Err(fault) => return Err(fault),
        }
        let seed = random()?;
        let key = Self(ed25519_dalek::SigningKey::from_bytes(&seed));
        let d = Zeroizing::new(URL_SAFE_NO_PAD.encode(seed.as_slice()));
        let x = key.public().x();
        let text = Zeroizing::new(format!(
            r#"{{"kty":"OKP","crv":"Ed25519","d":"{}","x":"{x}"}}{}"#,
            d.as_str(),
            '\n'
        ));
        replace(path, text.as_bytes())?;
        Ok(key)
    }

    pub fn public(&self) -> PublicKey {
        PublicKey::new(self.0.verifying_key())
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    #[cfg(test)]
    pub(super) fn of(seed: [u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }
}

impl PublicKey {
    fn new(verifying: VerifyingKey) -> Self {
        let x = URL_SAFE_NO_PAD.encode(verifying.as_bytes());
        // RFC 7638: the members that are required, in order, without spaces.
        let thumbprint = Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
        Self { verifying, id: URL_SAFE_NO_PAD.encode(thumbprint) }
    }

    /// The key whose JSON Web Key has this `x`.
    pub fn parse(x: &str) -> Option<Self> {
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(x).ok()?.try_into().ok()?;
        let verifying = VerifyingKey::from_bytes(&bytes).ok()?;
        // Under a weak key one signature fits many messages.
        (!verifying.is_weak()).then(|| Self::new(verifying))
    }

    /// The keys in a file: a JSON Web Key, private or public, or a set of them.
    ///
    /// # Errors
    /// When it cannot be read, or a key in it is another kind of key.
    pub fn read(path: &Path) -> Result<Vec<Self>> {
        let text = Zeroizing::new(fs::read(path).map_err(io(path))?);
        let damaged = || KeyFault::Damaged(path.to_owned());
        let file: PublicFile = serde_json::from_slice(&text).map_err(|_| damaged())?;
        let keys = match file {
            PublicFile::Set { keys } => keys,
            PublicFile::One(key) => vec![key],
        };
        keys.iter().map(|key| Self::from_jwk(key).ok_or_else(damaged)).collect()
    }

    fn from_jwk(jwk: &Jwk) -> Option<Self> {
        let key = Self::parse(&jwk.x).filter(|_| jwk.kty == "OKP" && jwk.crv == "Ed25519")?;
        jwk.kid.as_ref().is_none_or(|id| *id == key.id).then_some(key)
    }

    /// Its name: the thumbprint of RFC 7638.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn x(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.verifying.as_bytes())
    }

    pub fn jwk(&self) -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": self.x(), "kid": self.id })
    }

    /// Whether a signature is this key's over a message, by the strict rules: one signature has one form.
    pub(super) fn accepts(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.verifying.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

impl Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.jwk().serialize(serializer)
    }
}

/// The public key of a file, and before it in time those that it replaced, the newest first: what is to be published.
///
/// # Errors
/// As [`SigningKey::open`].
pub fn public_keys(path: &Path) -> Result<Vec<PublicKey>> {
    let present = SigningKey::open(path)?.public();
    let former = former(path);
    let mut keys =
        if former.try_exists().map_err(io(&former))? { PublicKey::read(&former)? } else { Vec::new() };
    // After a crash between the two files of `renew` the present key stands in both.
    keys.retain(|key| *key != present);
    keys.insert(0, present);
    Ok(keys)
}

/// A JSON Web Key Set (RFC 7517).
pub fn jwk_set(keys: &[PublicKey]) -> Value {
    json!({ "keys": keys })
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// The file of the public keys that a key file held before.
fn former(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".former.json");
    name.into()
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> KeyFault + '_ {
    move |fault| KeyFault::File(vault::Fault::Io(path.to_owned(), fault.kind()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// RFC 8037, appendix A.
    const D: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const THUMBPRINT: &str = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";

    fn written(path: &Path, text: &str) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
    }

    #[test]
    fn the_key_of_rfc_8037() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("release.key");
        written(&path, &json!({ "kty": "OKP", "crv": "Ed25519", "d": D, "x": X }).to_string());
        let key = SigningKey::open(&path).unwrap_or_else(|fault| panic!("{}", fault.text()));
        assert_eq!(key.public().x(), X);
        assert_eq!(key.public().id(), THUMBPRINT);
        assert_eq!(key.public(), PublicKey::parse(X).unwrap());
        let message = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature =
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert_eq!(URL_SAFE_NO_PAD.encode(key.sign(message)), signature);
        let mut signature: [u8; 64] = URL_SAFE_NO_PAD.decode(signature).unwrap().try_into().unwrap();
        assert!(key.public().accepts(message, &signature));
        assert!(!key.public().accepts(b"another", &signature));
        signature[63] ^= 0x40;
        assert!(!key.public().accepts(message, &signature));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("release.key");
        assert!(matches!(SigningKey::open(&path), Err(KeyFault::None(_))));
        let other = PublicKey::new(ed25519_dalek::SigningKey::from_bytes(&[1; 32]).verifying_key()).x();
        for key in [
            json!({ "kty": "OKP", "crv": "Ed25519", "d": D, "x": other }),
            json!({ "kty": "OKP", "crv": "X25519", "d": D, "x": X }),
            json!({ "kty": "EC", "crv": "Ed25519", "d": D, "x": X }),
            json!({ "kty": "OKP", "crv": "Ed25519", "d": &D[..42], "x": X }),
            json!({ "kty": "OKP", "crv": "Ed25519", "d": format!("{D}AA"), "x": X }),
            json!({ "kty": "OKP", "crv": "Ed25519", "x": X }),
            json!("key"),
        ] {
            written(&path, &key.to_string());
            assert!(matches!(SigningKey::open(&path), Err(KeyFault::Damaged(_))), "{key}");
        }
        // The neutral point, and a number that is no point.
        assert_eq!(PublicKey::parse(&URL_SAFE_NO_PAD.encode([&[1][..], &[0; 31]].concat())), None);
        assert_eq!(PublicKey::parse(&URL_SAFE_NO_PAD.encode([2; 32])), None);
        assert_eq!(PublicKey::parse(&X[..42]), None);
    }

    #[test]
    fn a_key_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys").join("release.key");
        let made = SigningKey::renew(&path).unwrap_or_else(|fault| panic!("{}", fault.text()));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(SigningKey::open(&path).map(|key| key.public()).ok(), Some(made.public()));
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let refused = SigningKey::open(&path).err();
            assert!(matches!(refused, Some(KeyFault::File(vault::Fault::Exposed(_)))), "{mode:o}");
        }
    }

    #[test]
    fn keys_that_were_replaced_stay_listed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("release.key");
        let keys: Vec<PublicKey> =
            (0..3).map(|_| SigningKey::renew(&path).map(|key| key.public()).ok().unwrap()).collect();
        let listed = public_keys(&path).ok().unwrap();
        assert_eq!(listed, keys.iter().rev().cloned().collect::<Vec<_>>());
        // What is published can be read again.
        let published = folder.path().join("keys.json");
        fs::write(&published, jwk_set(&listed).to_string()).unwrap();
        assert_eq!(PublicKey::read(&published).ok().unwrap(), listed);
        fs::write(&published, listed[1].jwk().to_string()).unwrap();
        assert_eq!(PublicKey::read(&published).ok().unwrap(), listed[1..2]);
        // A key under a name that is not its own.
        let mut jwk = listed[0].jwk();
        jwk["kid"] = json!(THUMBPRINT);
        fs::write(&published, jwk.to_string()).unwrap();
        assert!(matches!(PublicKey::read(&published), Err(KeyFault::Damaged(_))));
    }
}
