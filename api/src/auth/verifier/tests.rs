use std::{
    fs,
    path::Path,
    sync::{Mutex, atomic::AtomicUsize, mpsc},
    time::Duration,
};

use serde_json::json;

use super::{
    super::{
        issuers::{Fetcher, IssuerConfig, REFRESH_AFTER, Source, TRUSTED_FOR},
        jwk::Alg,
        keys::{
            self,
            tests::{Scratch, at, ring},
        },
        token::tests::{AUDIENCE, ISSUER, claims, forged, header_of, issued, with},
    },
    *,
};

const PROVIDER: &str = "https://provider.example";

fn verifier(ring: KeyRing, issuers: Issuers) -> Verifier {
    Verifier::new(ring, ISSUER, AUDIENCE, issuers).unwrap()
}

fn provider(jwks: &str) -> IssuerConfig {
    let algorithms = Alg::ALL.to_vec();
    IssuerConfig { issuer: PROVIDER.into(), audience: AUDIENCE.into(), jwks: jwks.into(), algorithms }
}

fn issuers(fetcher: Fetcher) -> Issuers {
    Issuers::new(vec![provider("https://provider.example/keys")], Path::new("."), fetcher).unwrap()
}

/// A token of the provider for `subject`, good until the end of the century.
fn foreign(ring: &KeyRing, subject: &str) -> String {
    let claims = with(with(claims(), "iss", PROVIDER), "exp", 4_000_000_000_i64);
    forged(ring, &header_of(ring), &with(claims, "sub", subject))
}

/// An issuer whose published keys a test sets, and that counts how often it is asked. `None`: it is down.
#[derive(Clone, Default)]
struct Provider {
    keys: Arc<Mutex<Option<Value>>>,
    asked: Arc<AtomicUsize>,
}

impl Provider {
    fn publish(&self, ring: Option<&KeyRing>) {
        *self.keys.lock().unwrap() = ring.map(|ring| ring.jwks(at(0)));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn issuers(&self) -> Issuers {
        let this = self.clone();
        issuers(Arc::new(move |source| {
            assert_eq!(source, &Source::Url("https://provider.example/keys".into()));
            this.asked.fetch_add(1, Ordering::Relaxed);
            this.keys.lock().unwrap().as_ref().map(|keys| keys.to_string().into_bytes()).ok_or("down".into())
        }))
    }
}

async fn subject(verifier: &Verifier, token: &str, seconds: i64) -> Result<String, Refused> {
    verifier.verify(token, at(seconds)).await.map(|verified| verified.subject)
}

fn is_send_and_sync(_: &(impl Send + Sync)) {}
fn is_send(_: &impl Send) {}

#[tokio::test]
async fn a_token_names_its_subject_until_it_ends() {
    let dir = Scratch::new();
    let verifier = verifier(ring(&dir, Alg::EdDsa), Issuers::none());
    is_send_and_sync(&verifier);
    is_send(&verifier.verify("", at(0)));
    let token = issued(&verifier.ring(), "ada", 100, 600);
    let wanted = Verified {
        issuer: ISSUER.into(),
        subject: "ada".into(),
        session: None,
        made: Some(at(100).timestamp()),
        expires: at(700),
    };
    assert_eq!(verifier.verify(&token, at(100)).await, Ok(wanted.clone()));
    // Remembered now; the times count all the same, in both directions.
    assert_eq!(verifier.verify(&token, at(729)).await, Ok(wanted));
    assert_eq!(subject(&verifier, &token, 730).await, Err(Refused::Expired));
    assert_eq!(subject(&verifier, &token, 69).await, Err(Refused::NotYetValid));
    assert_eq!(subject(&verifier, &format!("{token}A"), 100).await, Err(Refused::BadSignature));
    assert_eq!(subject(&verifier, "", 100).await, Err(Refused::Malformed));
    assert_eq!(subject(&verifier, &"x".repeat(MAX_TOKEN_BYTES + 1), 100).await, Err(Refused::Malformed));
    let debug = format!("{:?}", verifier.verify(&token, at(100)).await);
    assert!(!debug.contains("ada") && !debug.contains(&token), "{debug}");
}

#[tokio::test]
async fn keys_of_another_process_are_noticed() {
    let dir = Scratch::new();
    let first = ring(&dir, Alg::EdDsa).active().unwrap().info().kid.clone();
    let verifier = verifier(KeyRing::load(&dir).unwrap(), Issuers::none());
    let old = issued(&verifier.ring(), "old", 0, 600);
    assert_eq!(subject(&verifier, &old, 0).await, Ok("old".into()));
    // Within the same second: nobody looks at the folder, but an unknown key makes us look at once.
    keys::rotate(&dir, Alg::EdDsa, at(0)).unwrap();
    let new = issued(&KeyRing::load(&dir).unwrap(), "new", 0, 600);
    assert!(!verifier.reload_if_stale(at(0)));
    assert_eq!(subject(&verifier, &new, 0).await, Ok("new".into()));
    assert_eq!(subject(&verifier, &old, 0).await, Ok("old".into()));
    assert_eq!(verifier.jwks(at(0))["keys"].as_array().unwrap().len(), 2);
    // A key destroyed by hand: what was remembered of it is forgotten within a second.
    fs::remove_file(dir.0.join(format!("{first}.json"))).unwrap();
    assert_eq!(subject(&verifier, &old, 0).await, Ok("old".into()));
    assert_eq!(subject(&verifier, &old, 1).await, Err(Refused::UnknownKey));
    assert_eq!(subject(&verifier, &new, 1).await, Ok("new".into()));
}

#[tokio::test]
async fn a_remembered_token_ends_with_its_retired_key() {
    let dir = Scratch::new();
    let old = issued(&ring(&dir, Alg::EdDsa), "old", 0, 5000);
    keys::rotate_keeping(&dir, Alg::EdDsa, at(0), TimeDelta::seconds(100)).unwrap();
    let verifier = verifier(KeyRing::load(&dir).unwrap(), Issuers::none());
    assert_eq!(verifier.verify(&old, at(1)).await.unwrap().expires, at(100));
    assert_eq!(subject(&verifier, &old, 100).await, Ok("old".into()));
    assert_eq!(subject(&verifier, &old, 101).await, Err(Refused::UnknownKey));
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_leaves_the_old_keys_in_use() {
    let dir = Scratch::new();
    let verifier = verifier(ring(&dir, Alg::EdDsa), Issuers::none());
    let token = issued(&verifier.ring(), "ada", 0, 600);
    let broken = dir.0.join("broken.json");
    fs::write(&broken, "{}").unwrap();
    assert!(!verifier.reload_if_stale(at(1)));
    assert_eq!(subject(&verifier, &token, 1).await, Ok("ada".into()));
    fs::remove_file(&broken).unwrap();
    assert!(verifier.reload_if_stale(at(2)));
    assert_eq!(subject(&verifier, &token, 2).await, Ok("ada".into()));
}

#[tokio::test]
async fn nobody_outside_may_speak_in_our_name() {
    let dir = Scratch::new();
    let as_us = IssuerConfig { issuer: ISSUER.into(), ..provider("keys.json") };
    let outside = Issuers::new(vec![as_us], &dir.0, Arc::new(|_| Err("never asked".into()))).unwrap();
    let error = Verifier::new(ring(&dir, Alg::EdDsa), ISSUER, AUDIENCE, outside).err().unwrap();
    assert!(matches!(error, IssuerError::Invalid { .. }));
}

#[tokio::test]
async fn an_outside_issuer_by_file_is_read_again_at_the_bounded_rate() {
    let (local, first, second) = (Scratch::new(), Scratch::new(), Scratch::new());
    let (first, second) = (ring(&first, Alg::Es256), ring(&second, Alg::Rs256));
    let keys = local.0.join("provider.keys");
    fs::write(&keys, first.jwks(at(0)).to_string()).unwrap();
    let file = local.0.join("issuers.conf");
    let entry = json!({ "issuer": PROVIDER, "audience": AUDIENCE, "jwks": "provider.keys", "algorithms": ["ES256", "RS256"] });
    fs::write(&file, json!({ "issuers": [entry] }).to_string()).unwrap();

    let verifier = verifier(ring(&local, Alg::EdDsa), Issuers::load(&file).unwrap());
    let (one, two) = (foreign(&first, "one"), foreign(&second, "two"));
    let verified = verifier.verify(&one, at(0)).await.unwrap();
    assert_eq!((verified.issuer.as_str(), verified.subject.as_str()), (PROVIDER, "one"));
    fs::write(&keys, second.jwks(at(0)).to_string()).unwrap();
    assert_eq!(subject(&verifier, &two, 59).await, Err(Refused::UnknownKey));
    assert_eq!(subject(&verifier, &one, 59).await, Ok("one".into()));
    assert_eq!(subject(&verifier, &two, 60).await, Ok("two".into()));
    // The first key is gone from the file, and so is what was remembered of it.
    assert_eq!(subject(&verifier, &one, 60).await, Err(Refused::UnknownKey));
    // Our own key says nothing in the provider's name, nor theirs in ours.
    assert_eq!(subject(&verifier, &foreign(&verifier.ring(), "x"), 61).await, Err(Refused::UnknownKey));
    let as_us = forged(&second, &header_of(&second), &claims());
    assert_eq!(subject(&verifier, &as_us, 61).await, Err(Refused::UnknownKey));
}

#[tokio::test]
async fn unknown_keys_ask_the_issuer_once_a_minute() {
    let (local, theirs, other) = (Scratch::new(), Scratch::new(), Scratch::new());
    let (theirs, other) = (ring(&theirs, Alg::EdDsa), ring(&other, Alg::EdDsa));
    let provider = Provider::default();
    let verifier = verifier(ring(&local, Alg::EdDsa), provider.issuers());
    let (good, bad) = (foreign(&theirs, "ada"), foreign(&other, "eve"));
    // Down at first: an answer is tried again after a minute and not before.
    for seconds in 0..60 {
        assert_eq!(subject(&verifier, &good, seconds).await, Err(Refused::UnknownKey));
    }
    assert_eq!(provider.asked(), 1);
    provider.publish(Some(&theirs));
    assert_eq!(subject(&verifier, &good, 60).await, Ok("ada".into()));
    for seconds in 61..=600 {
        assert_eq!(subject(&verifier, &bad, seconds).await, Err(Refused::UnknownKey));
        assert_eq!(subject(&verifier, &good, seconds).await, Ok("ada".into()));
    }
    assert_eq!(provider.asked(), 2 + 9);
    // Neither other faults nor strangers' names make us ask.
    let claims = with(claims(), "iss", "https://stranger.example");
    assert_eq!(
        subject(&verifier, &forged(&other, &header_of(&other), &claims), 900).await,
        Err(Refused::WrongIssuer)
    );
    assert_eq!(subject(&verifier, &format!("{good}A"), 900).await, Err(Refused::BadSignature));
    let unsigned = with(header_of(&other), "alg", "none");
    assert_eq!(
        subject(&verifier, &forged(&other, &unsigned, &claims), 900).await,
        Err(Refused::WrongAlgorithm)
    );
    assert_eq!(provider.asked(), 11);
}

#[tokio::test]
async fn aged_keys_are_looked_at_again_and_end_when_the_issuer_stays_away() {
    let (local, theirs) = (Scratch::new(), Scratch::new());
    let theirs = ring(&theirs, Alg::EdDsa);
    let provider = Provider::default();
    provider.publish(Some(&theirs));
    let verifier = verifier(ring(&local, Alg::EdDsa), provider.issuers());
    verifier.preload(at(0)).await;
    let token = foreign(&theirs, "ada");
    let (hour, day) = (REFRESH_AFTER.num_seconds(), TRUSTED_FOR.num_seconds());
    assert_eq!(subject(&verifier, &token, hour - 1).await, Ok("ada".into()));
    assert_eq!(provider.asked(), 1);
    // Nobody waits for the issuer now, and it is down.
    provider.publish(None);
    assert_eq!(subject(&verifier, &token, hour + 60).await, Ok("ada".into()));
    verifier.preload(at(hour + 60)).await;
    assert_eq!(provider.asked(), 2);
    let verified = verifier.verify(&token, at(day)).await.unwrap();
    assert_eq!((verified.subject.as_str(), verified.expires), ("ada", at(day)));
    assert_eq!(subject(&verifier, &token, day + 1).await, Err(Refused::UnknownKey));
    // It is back, without the key.
    provider.publish(Some(&verifier.ring()));
    assert_eq!(subject(&verifier, &token, day + 100).await, Err(Refused::UnknownKey));
}

#[tokio::test]
async fn a_fetch_is_shared_and_outlives_whoever_asked_first() {
    let (local, theirs) = (Scratch::new(), Scratch::new());
    let theirs = ring(&theirs, Alg::EdDsa);
    let set = theirs.jwks(at(0)).to_string().into_bytes();
    let asked = Arc::new(AtomicUsize::new(0));
    let (release, released) = mpsc::channel::<()>();
    let (count, released) = (asked.clone(), Mutex::new(released));
    let slow: Fetcher = Arc::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        released.lock().unwrap().recv().map_err(|_| "gone")?;
        Ok(set.clone())
    });
    let verifier = Arc::new(verifier(ring(&local, Alg::EdDsa), issuers(slow)));
    let token = foreign(&theirs, "ada");
    let left = tokio::time::timeout(Duration::ZERO, verifier.verify(&token, at(0))).await;
    assert!(left.is_err());
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let (verifier, token) = (verifier.clone(), token.clone());
            tokio::spawn(async move { subject(&verifier, &token, 1).await })
        })
        .collect();
    tokio::task::yield_now().await;
    release.send(()).unwrap();
    for one in waiting {
        assert_eq!(one.await.unwrap(), Ok("ada".into()));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[test]
fn the_memory_is_bounded_and_keeps_what_is_in_use() {
    let cache = Cache::default();
    let entry = || {
        let verified = Verified {
            issuer: ISSUER.into(),
            subject: "ada".into(),
            session: None,
            made: None,
            expires: at(0),
        };
        Entry { verified, exp: 0, nbf: None, fresh_until: at(0), epoch: 7 }
    };
    let digest = |number: usize| -> TokenDigest { Sha256::digest(number.to_be_bytes()).into() };
    for number in 0..3 * CACHE_CAPACITY {
        cache.put(digest(number), entry());
        assert!(cache.get(&digest(0), 7).is_some(), "after {number}");
        let halves = cache.0.read().unwrap();
        assert!(halves.young.len() + halves.old.len() <= CACHE_CAPACITY);
    }
    assert!(cache.get(&digest(1), 7).is_none());
    assert!(cache.get(&digest(0), 8).is_none());
}
