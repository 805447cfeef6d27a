use serde_json::{Value, json};

use super::super::keys::{
    self,
    tests::{Scratch, at, ring},
};
use super::*;

pub const ISSUER: &str = "https://umbral.example";
pub const AUDIENCE: &str = "umbral";

pub fn issued(ring: &KeyRing, subject: &str, made: i64, lifetime: i64) -> String {
    let lifetime = TimeDelta::seconds(lifetime);
    issue(ring, IssueOptions { issuer: ISSUER, audience: AUDIENCE, subject, lifetime, now: at(made) })
        .unwrap()
}

pub fn set_of(ring: &KeyRing) -> KeySet {
    KeySet { issuer: ISSUER.into(), audience: AUDIENCE.into(), keys: ring.public_keys() }
}

/// A token with any header and claims, rightly signed by the ring's active key.
pub fn forged(ring: &KeyRing, header: &Value, claims: &Value) -> String {
    let key = ring.active().unwrap();
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let alg = key.info().alg.library();
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key.signing(), alg).unwrap();
    format!("{message}.{signature}")
}

pub fn header_of(ring: &KeyRing) -> Value {
    let info = ring.active().unwrap().info();
    json!({ "typ": "JWT", "alg": info.alg, "kid": info.kid })
}

pub fn claims() -> Value {
    json!({ "iss": ISSUER, "sub": "ada", "aud": AUDIENCE, "exp": at(600).timestamp(), "nbf": at(0).timestamp() })
}

pub fn with(mut value: Value, member: &str, new: impl Into<Value>) -> Value {
    value[member] = new.into();
    value
}

fn without(mut value: Value, member: &str) -> Value {
    value.as_object_mut().unwrap().remove(member);
    value
}

fn encoded(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

fn checked(ring: &KeyRing, token: &str, seconds: i64) -> Result<String, Refused> {
    verify(token, &[&set_of(ring)], at(seconds)).map(|claims| claims.sub)
}

#[track_caller]
fn check_claims(ring: &KeyRing, claims: &Value, wanted: Result<(), Refused>) {
    let token = forged(ring, &header_of(ring), claims);
    assert_eq!(checked(ring, &token, 1).map(|_| ()), wanted, "{claims}");
}

#[track_caller]
fn check_header(ring: &KeyRing, header: &Value, wanted: Result<(), Refused>) {
    let token = forged(ring, header, &claims());
    assert_eq!(checked(ring, &token, 1).map(|_| ()), wanted, "{header}");
}

#[test]
fn every_algorithm_makes_tokens_that_verify() {
    for alg in Alg::ALL {
        let dir = Scratch::new();
        let ring = ring(&dir, alg);
        let token = issued(&ring, "ada", 0, 600);
        let Ok(claims) = verify(&token, &[&set_of(&ring)], at(1)) else { panic!("{alg} refused") };
        assert_eq!((claims.iss.as_str(), claims.sub.as_str()), (ISSUER, "ada"));
        assert_eq!(
            (claims.aud, claims.exp, claims.nbf),
            (vec![AUDIENCE.into()], at(600).timestamp(), Some(at(0).timestamp()))
        );
        assert_eq!(claims.iat, claims.nbf);
        assert_ne!(
            claims.jti,
            verify(&issued(&ring, "ada", 0, 600), &[&set_of(&ring)], at(1)).ok().unwrap().jti
        );
    }
}

#[test]
fn every_changed_character_is_noticed() {
    let dir = Scratch::new();
    let ring = ring(&dir, Alg::EdDsa);
    let token = issued(&ring, "ada", 0, 600);
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        assert!(checked(&ring, &String::from_utf8(bytes).unwrap(), 1).is_err(), "character {at}");
        assert!(checked(&ring, &token[..at], 1).is_err(), "cut at {at}");
    }
    assert_eq!(checked(&ring, &format!("{token}A"), 1), Err(Refused::BadSignature));
    assert_eq!(checked(&ring, &format!("{token}="), 1), Err(Refused::BadSignature));
}

#[test]
fn times_are_checked_with_the_leeway_and_no_more() {
    let dir = Scratch::new();
    let ring = ring(&dir, Alg::EdDsa);
    let token = issued(&ring, "ada", 100, 600);
    let ok = Ok("ada".to_owned());
    assert_eq!(checked(&ring, &token, 69), Err(Refused::NotYetValid));
    assert_eq!(checked(&ring, &token, 70), ok);
    assert_eq!(checked(&ring, &token, 729), ok);
    assert_eq!(checked(&ring, &token, 730), Err(Refused::Expired));
    let just_before = at(730) - TimeDelta::nanoseconds(1);
    assert!(verify(&token, &[&set_of(&ring)], just_before).is_ok());
    check_claims(&ring, &without(claims(), "nbf"), Ok(()));
    check_claims(&ring, &with(claims(), "nbf", at(3600).timestamp()), Err(Refused::NotYetValid));
    check_claims(&ring, &with(claims(), "exp", at(-3600).timestamp()), Err(Refused::Expired));
    check_claims(&ring, &with(claims(), "exp", at(600).timestamp() as f64 + 0.5), Ok(()));
}

#[test]
fn claims_that_are_missing_or_absurd_are_malformed() {
    let dir = Scratch::new();
    let ring = ring(&dir, Alg::EdDsa);
    for member in ["iss", "sub", "aud", "exp"] {
        check_claims(&ring, &without(claims(), member), Err(Refused::Malformed));
        check_claims(&ring, &with(claims(), member, Value::Null), Err(Refused::Malformed));
        check_claims(&ring, &with(claims(), member, json!({})), Err(Refused::Malformed));
    }
    for exp in [json!("600"), json!(-1), json!(i64::MAX), json!(u64::MAX), json!(1e300), json!(true)] {
        check_claims(&ring, &with(claims(), "exp", exp.clone()), Err(Refused::Malformed));
        check_claims(&ring, &with(claims(), "nbf", exp), Err(Refused::Malformed));
    }
    check_claims(&ring, &with(claims(), "nbf", Value::Null), Err(Refused::Malformed));
    check_claims(&ring, &with(claims(), "sub", ""), Err(Refused::Malformed));
    check_claims(&ring, &with(claims(), "sub", "a\0b"), Err(Refused::Malformed));
    check_claims(&ring, &json!([1]), Err(Refused::Malformed));
}

#[test]
fn audience_and_issuer_must_be_ours() {
    let dir = Scratch::new();
    let ring = ring(&dir, Alg::EdDsa);
    check_claims(&ring, &with(claims(), "aud", "other"), Err(Refused::WrongAudience));
    check_claims(&ring, &with(claims(), "aud", json!([])), Err(Refused::WrongAudience));
    check_claims(&ring, &with(claims(), "aud", "UMBRAL"), Err(Refused::WrongAudience));
    check_claims(&ring, &with(claims(), "aud", json!(["other", AUDIENCE])), Ok(()));
    check_claims(&ring, &with(claims(), "iss", "https://other.example"), Err(Refused::WrongIssuer));
    check_claims(&ring, &with(claims(), "iss", format!("{ISSUER}/")), Err(Refused::WrongIssuer));
}

#[test]
fn the_key_must_be_named_and_known() {
    let dir = Scratch::new();
    let ring = ring(&dir, Alg::EdDsa);
    let header = header_of(&ring);
    check_header(&ring, &header, Ok(()));
    check_header(&ring, &without(header.clone(), "kid"), Err(Refused::UnknownKey));
    check_header(&ring, &with(header.clone(), "kid", ""), Err(Refused::UnknownKey));
    check_header(&ring, &with(header.clone(), "kid", "../../etc"), Err(Refused::UnknownKey));
    check_header(&ring, &with(header.clone(), "kid", 7), Err(Refused::Malformed));
    // The kid of another key of the same ring: known, but it did not sign.
    let other = keys::generate(&dir, Alg::EdDsa, at(-10)).unwrap();
    let both = KeyRing::load(&dir).unwrap();
    check_header(&both, &with(header, "kid", other.kid), Err(Refused::BadSignature));
}

#[test]
fn a_key_speaks_for_its_own_issuer_only() {
    let (ours, theirs) = (Scratch::new(), Scratch::new());
    let (ours, theirs) = (ring(&ours, Alg::EdDsa), ring(&theirs, Alg::EdDsa));
    let other = "https://provider.example";
    let sets = [set_of(&ours), KeySet { issuer: other.into(), ..set_of(&theirs) }];
    let refused = |token: &str| verify(token, &[&sets[0], &sets[1]], at(1)).map(|claims| claims.iss);
    // Their key, our name; their key, their name; our key, their name.
    assert_eq!(refused(&forged(&theirs, &header_of(&theirs), &claims())), Err(Refused::UnknownKey));
    let theirs_rightly = forged(&theirs, &header_of(&theirs), &with(claims(), "iss", other));
    assert_eq!(refused(&theirs_rightly), Ok(other.into()));
    assert_eq!(
        refused(&forged(&ours, &header_of(&ours), &with(claims(), "iss", other))),
        Err(Refused::UnknownKey)
    );
    // Their key under the kid of ours.
    assert_eq!(refused(&forged(&theirs, &header_of(&ours), &claims())), Err(Refused::BadSignature));
}

#[test]
fn no_other_algorithm_than_the_pinned_one_is_tried() {
    let dir = Scratch::new();
    let ring = ring(&dir, Alg::Rs256);
    let header = header_of(&ring);
    for alg in ["none", "None", "NONE", "", "HS256", "RS384", "PS256", "EdDSA", "ES256", "rs256", "RS256 "] {
        check_header(&ring, &with(header.clone(), "alg", alg), Err(Refused::WrongAlgorithm));
        let unsigned = format!("{}.{}.", encoded(&with(header.clone(), "alg", alg)), encoded(&claims()));
        assert_eq!(checked(&ring, &unsigned, 1), Err(Refused::WrongAlgorithm), "{alg}");
    }
    check_header(&ring, &without(header.clone(), "alg"), Err(Refused::Malformed));
    let unsigned = format!("{}.{}.", encoded(&header), encoded(&claims()));
    assert_eq!(checked(&ring, &unsigned, 1), Err(Refused::BadSignature));
}

#[test]
fn a_public_key_is_no_shared_secret() {
    let dir = Scratch::new();
    let ring = ring(&dir, Alg::Rs256);
    let set = ring.jwks(at(1));
    let jwk = &set["keys"][0];
    let n = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let message = format!("{}.{}", encoded(&with(header_of(&ring), "alg", "HS256")), encoded(&claims()));
    for secret in [n, jwk["n"].as_str().unwrap().into(), jwk.to_string().into_bytes()] {
        let secret = jsonwebtoken::EncodingKey::from_secret(&secret);
        let hs256 = jsonwebtoken::Algorithm::HS256;
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &secret, hs256).unwrap();
        let token = format!("{message}.{signature}");
        assert_eq!(checked(&ring, &token, 1), Err(Refused::WrongAlgorithm));
    }
}

#[test]
fn header_extensions_and_offered_keys_are_not_taken_up() {
    let (ours, theirs) = (Scratch::new(), Scratch::new());
    let (ours, theirs) = (ring(&ours, Alg::EdDsa), ring(&theirs, Alg::EdDsa));
    let header = header_of(&ours);
    for crit in [json!(["exp"]), json!(["b64"]), json!([]), Value::Null, json!("x")] {
        check_header(&ours, &with(header.clone(), "crit", crit), Err(Refused::Malformed));
    }
    for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt"] {
        check_header(&ours, &with(header.clone(), "typ", typ), Ok(()));
    }
    check_header(&ours, &without(header.clone(), "typ"), Ok(()));
    for typ in ["logout+jwt", "dpop+jwt", "JOSE", ""] {
        check_header(&ours, &with(header.clone(), "typ", typ), Err(Refused::Malformed));
    }
    let offered = with(header, "jwk", theirs.jwks(at(0))["keys"][0].clone());
    let token = forged(&theirs, &with(offered, "jku", "https://theirs.example/keys"), &claims());
    assert_eq!(checked(&ours, &token, 1), Err(Refused::BadSignature));
}

#[test]
fn what_is_no_token_is_malformed() {
    let dir = Scratch::new();
    let ring = ring(&dir, Alg::EdDsa);
    let good = issued(&ring, "ada", 0, 600);
    let long = "x".repeat(MAX_TOKEN_BYTES);
    let huge = forged(&ring, &header_of(&ring), &with(claims(), "more", long.clone()));
    let deep = format!("{}.{}.c", encoded(&header_of(&ring)), URL_SAFE_NO_PAD.encode("[".repeat(5000)));
    let (header, rest) = good.split_once('.').unwrap();
    let twice = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","alg":"none","kid":"a"}"#);
    let garbage = [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "Bearer x",
        "ñ.ñ.ñ",
        "\0",
        &long,
        &huge,
        &deep,
        header,
        rest,
        &format!("{good}.{good}"),
        &format!("{good}."),
        &format!(".{good}"),
        &format!(" {good}"),
        &format!("{header}=.{rest}"),
        &format!("{twice}.{rest}"),
    ];
    for token in garbage {
        assert_eq!(checked(&ring, token, 1), Err(Refused::Malformed), "{token:.40}");
    }
}

#[test]
fn a_rotated_key_verifies_until_its_end_and_signs_no_more() {
    let dir = Scratch::new();
    let old = issued(&ring(&dir, Alg::EdDsa), "ada", 0, 90 * 86_400);
    keys::rotate_keeping(&dir, Alg::Es256, at(100), TimeDelta::seconds(1000)).unwrap();
    let ring = KeyRing::load(&dir).unwrap();
    assert_eq!(checked(&ring, &old, 1100), Ok("ada".into()));
    assert_eq!(checked(&ring, &old, 1101), Err(Refused::UnknownKey));
    let new = issued(&ring, "ada", 100, 600);
    assert!(Unverified::read(&new).is_ok_and(|token| token.alg == Alg::Es256));
}

#[test]
fn tokens_that_could_never_verify_are_not_made() {
    let dir = Scratch::new();
    let empty = KeyRing::load(&dir).unwrap();
    let full = Scratch::new();
    let ring = ring(&full, Alg::EdDsa);
    let options = |subject, lifetime| IssueOptions {
        issuer: ISSUER,
        audience: AUDIENCE,
        subject,
        lifetime,
        now: at(0),
    };
    let hour = TimeDelta::hours(1);
    assert_eq!(issue(&empty, options("ada", hour)), Err(IssueError::NoActiveKey));
    assert_eq!(issue(&ring, options("", hour)), Err(IssueError::BadSubject));
    for lifetime in [TimeDelta::zero(), -hour, TimeDelta::MAX, TimeDelta::days(365 * 9000)] {
        assert_eq!(issue(&ring, options("ada", lifetime)), Err(IssueError::BadLifetime));
    }
}

#[test]
fn codes_are_stable() {
    let all = [
        (Refused::Malformed, "TOKEN_MALFORMED"),
        (Refused::UnknownKey, "TOKEN_UNKNOWN_KEY"),
        (Refused::WrongAlgorithm, "TOKEN_WRONG_ALGORITHM"),
        (Refused::WrongIssuer, "TOKEN_WRONG_ISSUER"),
        (Refused::WrongAudience, "TOKEN_WRONG_AUDIENCE"),
        (Refused::Expired, "TOKEN_EXPIRED"),
        (Refused::NotYetValid, "TOKEN_NOT_YET_VALID"),
        (Refused::BadSignature, "TOKEN_BAD_SIGNATURE"),
    ];
    for (refused, code) in all {
        assert_eq!((refused.code(), refused.to_string().as_str()), (code, code));
    }
}
