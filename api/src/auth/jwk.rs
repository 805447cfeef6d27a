//! Public keys: the three algorithms we take, and how a JSON Web Key becomes one of them.
//!
//! Local and outside keys go through the same door, so that the checks on key material are written once.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use jsonwebtoken::DecodingKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The signature algorithms that a token may use. There is no symmetric one, and no way to say "none".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Alg {
    /// Ed25519, the default for new keys.
    #[default]
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256; 2,048 to 4,096 bits.
    #[serde(rename = "RS256")]
    Rs256,
}

impl Alg {
    /// All of them, in the order in which help texts name them.
    pub const ALL: [Alg; 3] = [Alg::EdDsa, Alg::Es256, Alg::Rs256];

    /// The name in a token's header (RFC 7518, RFC 8037).
    pub fn name(self) -> &'static str {
        match self {
            Alg::EdDsa => "EdDSA",
            Alg::Es256 => "ES256",
            Alg::Rs256 => "RS256",
        }
    }

    /// The algorithm of that name; names are case-sensitive, as in the registry.
    pub fn parse(name: &str) -> Option<Alg> {
        Alg::ALL.into_iter().find(|alg| alg.name() == name)
    }

    pub(super) fn library(self) -> jsonwebtoken::Algorithm {
        match self {
            Alg::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Alg::Es256 => jsonwebtoken::Algorithm::ES256,
            Alg::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }
}

impl fmt::Display for Alg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a JSON Web Key cannot verify tokens here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It has no `kid`, or one of unreasonable length.
    NoKid,
    /// It is a shared secret (`oct`).
    Symmetric,
    /// It carries its private half, which is therefore known to others.
    Private,
    /// Its `use` or `key_ops` is something else than verifying signatures.
    NotForSigning,
    /// Its algorithm is unknown, does not fit its type, or is not allowed to its issuer.
    Algorithm,
    /// Its numbers are missing, of the wrong size, or no point of the curve.
    Material,
}

/// A public key with the one algorithm that it verifies.
#[derive(Clone)]
pub struct PublicKey {
    kid: String,
    alg: Alg,
    key: DecodingKey,
    until: Option<DateTime<Utc>>,
}

/// Members that only a private or a symmetric key has (RFC 7518, section 6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const MAX_KID_BYTES: usize = 256;

impl PublicKey {
    /// Reads a JSON Web Key. A key that names no algorithm gets that of its type, if it is in `allowed`.
    pub fn from_jwk(jwk: &Value, allowed: &[Alg]) -> Result<PublicKey, Unusable> {
        let kid = text(jwk, "kid").filter(|kid| !kid.is_empty() && kid.len() <= MAX_KID_BYTES);
        let kid = kid.ok_or(Unusable::NoKid)?.to_owned();
        let natural = match (text(jwk, "kty"), text(jwk, "crv")) {
            (Some("oct"), _) => return Err(Unusable::Symmetric),
            (Some("OKP"), Some("Ed25519")) => Alg::EdDsa,
            (Some("EC"), Some("P-256")) => Alg::Es256,
            (Some("RSA"), _) => Alg::Rs256,
            _ => return Err(Unusable::Algorithm),
        };
        if PRIVATE_MEMBERS.iter().any(|member| jwk.get(member).is_some()) {
            return Err(Unusable::Private);
        }
        let for_signing = match (jwk.get("use"), jwk.get("key_ops")) {
            (Some(purpose), _) if purpose != "sig" => false,
            (_, Some(operations)) => {
                operations.as_array().is_some_and(|list| list.iter().any(|operation| operation == "verify"))
            }
            _ => true,
        };
        if !for_signing {
            return Err(Unusable::NotForSigning);
        }
        let named_otherwise = jwk.get("alg").is_some_and(|alg| alg != natural.name());
        if named_otherwise || !allowed.contains(&natural) {
            return Err(Unusable::Algorithm);
        }
        let key = material(jwk, natural).ok_or(Unusable::Material)?;
        Ok(PublicKey { kid, alg: natural, key, until: None })
    }

    /// The same key, of no use after `until`.
    #[must_use]
    pub fn ending(self, until: DateTime<Utc>) -> PublicKey {
        PublicKey { until: Some(until), ..self }
    }

    /// The name by which a token's header asks for this key.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm that this key is pinned to.
    pub fn alg(&self) -> Alg {
        self.alg
    }

    /// The time after which it verifies nothing any more.
    pub fn until(&self) -> Option<DateTime<Utc>> {
        self.until
    }

    /// Whether `signature` (base64url) is this key's over `message`.
    pub(super) fn accepts(&self, message: &str, signature: &str) -> bool {
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &self.key, self.alg.library())
            .unwrap_or(false)
    }
}

/// Who may speak to us: an issuer, the audience that its tokens must name, and its keys.
pub struct KeySet {
    /// The `iss` of its tokens, to the letter.
    pub issuer: String,
    /// What the `aud` of its tokens must contain.
    pub audience: String,
    /// Its keys, few enough to be searched in order.
    pub keys: Vec<PublicKey>,
}

impl KeySet {
    /// The key of that name, while it may be used.
    pub fn find(&self, kid: &str, now: DateTime<Utc>) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.kid == kid && key.until.is_none_or(|until| now <= until))
    }
}

fn text<'a>(jwk: &'a Value, member: &str) -> Option<&'a str> {
    jwk.get(member)?.as_str()
}

fn bytes(jwk: &Value, member: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text(jwk, member)?).ok()
}

/// The numbers of a key, checked here because the library slices them without looking at their length.
fn material(jwk: &Value, alg: Alg) -> Option<DecodingKey> {
    let key = match alg {
        Alg::EdDsa => {
            let x = bytes(jwk, "x").filter(|x| x.len() == 32)?;
            DecodingKey::from_ed_der(&x)
        }
        Alg::Es256 => {
            let x = bytes(jwk, "x").filter(|x| x.len() == 32)?;
            let y = bytes(jwk, "y").filter(|y| y.len() == 32)?;
            DecodingKey::from_ec_der(&[&[4], x.as_slice(), y.as_slice()].concat())
        }
        Alg::Rs256 => {
            let (n, e) = (bytes(jwk, "n")?, bytes(jwk, "e")?);
            let (n, e) = (unpadded(&n), unpadded(&e));
            let bits = (n.len() * 8).checked_sub(n.first()?.leading_zeros() as usize)?;
            // Even numbers are no RSA keys, and an exponent of 1 signs everything.
            let sound = n.last()? % 2 == 1 && e.last()? % 2 == 1 && e != [1] && e.len() <= 4;
            if !sound || !(2048..=4096).contains(&bits) {
                return None;
            }
            DecodingKey::from_rsa_raw_components(n, e)
        }
    };
    // An empty signature is never right, but asking for it makes the library build the key, points included.
    jsonwebtoken::crypto::verify("", b"", &key, alg.library()).ok().map(|_| key)
}

fn unpadded(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // The public key of RFC 8037, appendix A.2, and that of RFC 7515, appendix A.3.
    fn ed25519() -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
    }

    fn p256() -> Value {
        json!({ "kty": "EC", "crv": "P-256", "kid": "b",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" })
    }

    fn rsa(n: &[u8], e: &[u8]) -> Value {
        json!({ "kty": "RSA", "kid": "c", "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e) })
    }

    fn with(mut jwk: Value, member: &str, value: Value) -> Value {
        jwk[member] = value;
        jwk
    }

    #[track_caller]
    fn check(jwk: &Value, wanted: Result<Alg, Unusable>) {
        assert_eq!(PublicKey::from_jwk(jwk, &Alg::ALL).map(|key| key.alg), wanted, "{jwk}");
    }

    #[test]
    fn a_key_without_alg_gets_that_of_its_type() {
        check(&ed25519(), Ok(Alg::EdDsa));
        check(&p256(), Ok(Alg::Es256));
        check(&rsa(&[0xff; 256], &[1, 0, 1]), Ok(Alg::Rs256));
        let refused = PublicKey::from_jwk(&p256(), &[Alg::EdDsa]).map(|key| key.alg);
        assert_eq!(refused, Err(Unusable::Algorithm));
    }

    #[test]
    fn a_key_is_held_to_its_type() {
        check(&with(ed25519(), "alg", json!("EdDSA")), Ok(Alg::EdDsa));
        check(&with(ed25519(), "alg", json!("HS256")), Err(Unusable::Algorithm));
        check(&with(p256(), "alg", json!("EdDSA")), Err(Unusable::Algorithm));
        check(&with(p256(), "alg", json!(7)), Err(Unusable::Algorithm));
        check(&with(p256(), "crv", json!("P-384")), Err(Unusable::Algorithm));
        check(&with(p256(), "use", json!("enc")), Err(Unusable::NotForSigning));
        check(&with(p256(), "key_ops", json!(["sign"])), Err(Unusable::NotForSigning));
        check(&with(p256(), "key_ops", json!(["verify"])), Ok(Alg::Es256));
        check(&with(p256(), "d", json!("AAAA")), Err(Unusable::Private));
        check(&with(p256(), "kid", json!("")), Err(Unusable::NoKid));
        check(&with(p256(), "kid", Value::Null), Err(Unusable::NoKid));
        check(&json!({ "kty": "oct", "kid": "s", "k": "AAAA" }), Err(Unusable::Symmetric));
        check(&json!("not an object"), Err(Unusable::NoKid));
    }

    #[test]
    fn numbers_of_a_wrong_size_are_refused() {
        check(&with(ed25519(), "x", json!("AAAA")), Err(Unusable::Material));
        check(&with(ed25519(), "x", json!("***")), Err(Unusable::Material));
        check(
            &with(p256(), "y", json!("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4")),
            Err(Unusable::Material),
        );
        check(&rsa(&[0xff; 128], &[1, 0, 1]), Err(Unusable::Material));
        check(&rsa(&[&[0; 200][..], &[0xff; 128]].concat(), &[1, 0, 1]), Err(Unusable::Material));
        check(&rsa(&[0xff; 1024], &[1, 0, 1]), Err(Unusable::Material));
        check(&rsa(&[0xff; 256], &[1]), Err(Unusable::Material));
        check(&rsa(&[0xff; 256], &[]), Err(Unusable::Material));
        check(&rsa(&[], &[1, 0, 1]), Err(Unusable::Material));
    }
}
