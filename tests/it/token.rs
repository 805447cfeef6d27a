//! Credentials: which tokens make a viewer, with which code the others are refused, and how soon a right ends.

use std::{fs, path::PathBuf};

use api::{
    auth::{
        jwk::Alg,
        keys::{self, KeyRing},
        token::{IssueOptions, issue},
    },
    config::Config,
    demo::id_of,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    account, identity, membership, organization,
    value::{AccountKind, OrganizationKind, Role},
};
use jsonwebtoken::{Algorithm, EncodingKey, crypto::sign};
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait,
    IntoActiveModel, QueryFilter, Set, prelude::Uuid,
};
use serde_json::{Value, json};
use tests::{Answer, Backend, Client, DemoApp, Folder, TODAY, TestApp, TestDatabase, block_on, both};

const OWN: &str = "red-de-accion-carcelaria";
const SUBJECT: &str = "demo:coordinator:red-de-accion-carcelaria";
const WHO: &str = "{ viewer { audience role organization { slug } } }";

fn today() -> DateTime<Utc> {
    TODAY.parse().unwrap()
}

/// The private key of the server's ring that signs now, read as an attacker could not.
struct Signer {
    kid: String,
    alg: Algorithm,
    key: EncodingKey,
    public: Value,
}

impl Signer {
    fn of(app: &TestApp) -> Self {
        let ring = app.running.verifier.ring();
        let info = ring.active().unwrap().info().clone();
        let file = fs::read_dir(ring.dir())
            .unwrap()
            .filter_map(|entry| serde_json::from_slice::<Value>(&fs::read(entry.unwrap().path()).ok()?).ok())
            .find(|file| file["kid"] == json!(info.kid))
            .unwrap();
        let der = STANDARD.decode(file["private_key"].as_str().unwrap()).unwrap();
        let (alg, key) = match info.alg {
            Alg::EdDsa => (Algorithm::EdDSA, EncodingKey::from_ed_der(&der)),
            Alg::Es256 => (Algorithm::ES256, EncodingKey::from_ec_der(&der)),
            Alg::Rs256 => (Algorithm::RS256, EncodingKey::from_rsa_der(&der)),
        };
        let set = ring.jwks(today());
        let mut public = set["keys"].as_array().unwrap().iter();
        let public = public.find(|key| key["kid"] == json!(info.kid)).unwrap().clone();
        Self { kid: info.kid, alg, key, public }
    }

    fn header(&self) -> Value {
        json!({ "typ": "JWT", "alg": self.public["alg"], "kid": self.kid })
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", part(header), part(claims));
        let signature = sign(message.as_bytes(), &self.key, self.alg).unwrap();
        format!("{message}.{signature}")
    }
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn claims() -> Value {
    let now = today().timestamp();
    json!({ "iss": "umbral-demo", "aud": "umbral", "sub": SUBJECT, "nbf": now - 60, "iat": now - 60, "exp": now + 600 })
}

fn with(mut value: Value, member: &str, new: impl Into<Value>) -> Value {
    value[member] = new.into();
    value
}

fn without(mut value: Value, member: &str) -> Value {
    value.as_object_mut().unwrap().remove(member);
    value
}

async fn who(client: &Client) -> Answer {
    client.query(WHO, Value::Null).await
}

#[track_caller]
fn assert_coordinator(answer: &Answer) {
    let viewer = json!({ "audience": "STAFF", "role": "COORDINATOR", "organization": { "slug": OWN } });
    assert_eq!(answer.data()["viewer"], viewer);
}

#[track_caller]
fn assert_refused(answer: &Answer, status: u16, code: &str, case: &str) {
    assert_eq!((answer.status, answer.code()), (status, code), "{case}: {answer}");
    assert!(answer.json().get("data").is_none(), "{case}: {answer}");
    assert_eq!(answer.header("www-authenticate"), (status == 401).then_some("Bearer"), "{case}");
    assert_eq!(answer.header("cache-control"), Some("private, no-store"), "{case}");
}

both!(
    async fn good_tokens_of_every_algorithm_work(app: &DemoApp) {
        assert_coordinator(&who(&app.subject(SUBJECT)).await);
        let dir = app.running.verifier.ring().dir().to_owned();
        for (second, alg) in [(2, Alg::Es256), (4, Alg::Rs256), (6, Alg::EdDsa)] {
            let now = today() + TimeDelta::seconds(second);
            keys::generate(&dir, alg, now).unwrap();
            app.set_now(&now.to_rfc3339());
            app.running.verifier.reload_if_stale(now);
            let signer = Signer::of(app);
            assert_eq!(signer.public["alg"], json!(alg));
            assert_coordinator(&who(&app.subject(SUBJECT)).await);
            assert_coordinator(&who(&app.with_token(&signer.token(&signer.header(), &claims()))).await);
            // Several audiences, and the media type of RFC 9068.
            let several = with(claims(), "aud", json!(["other", "umbral"]));
            let header = with(signer.header(), "typ", "at+JWT");
            assert_coordinator(&who(&app.with_token(&signer.token(&header, &several))).await);
        }
    }
);

both!(
    async fn every_other_token_is_refused_with_its_code(app: &DemoApp) {
        let signer = Signer::of(app);
        let header = signer.header();
        let now = today().timestamp();
        let good = signer.token(&header, &claims());
        assert_coordinator(&who(&app.with_token(&good)).await);

        let of = |claims: Value| signer.token(&header, &claims);
        let headed = |header: Value| signer.token(&header, &claims());
        let (message, signature) = good.rsplit_once('.').unwrap();
        let forged = with(claims(), "sub", "demo:admin:red-de-accion-carcelaria");
        let other = part(&forged);
        let unsigned =
            |alg: &str| format!("{}.{}.", part(&with(header.clone(), "alg", alg)), part(&claims()));
        // The public key as the secret of a symmetric algorithm, in all forms that are at hand.
        let x = URL_SAFE_NO_PAD.decode(signer.public["x"].as_str().unwrap()).unwrap();
        let symmetric = |secret: &[u8]| {
            let message = format!("{}.{}", part(&with(header.clone(), "alg", "HS256")), part(&claims()));
            let signature = sign(message.as_bytes(), &EncodingKey::from_secret(secret), Algorithm::HS256);
            format!("{message}.{}", signature.unwrap())
        };

        let cases = [
            ("expired", of(with(claims(), "exp", now - 31)), "TOKEN_EXPIRED"),
            ("not yet valid", of(with(claims(), "nbf", now + 31)), "TOKEN_NOT_YET_VALID"),
            ("without an end", of(without(claims(), "exp")), "TOKEN_MALFORMED"),
            ("an end in milliseconds", of(with(claims(), "exp", (now + 600) * 1000)), "TOKEN_MALFORMED"),
            ("another audience", of(with(claims(), "aud", "other")), "TOKEN_WRONG_AUDIENCE"),
            ("no audience", of(with(claims(), "aud", json!([]))), "TOKEN_WRONG_AUDIENCE"),
            ("another issuer", of(with(claims(), "iss", "https://id.example")), "TOKEN_WRONG_ISSUER"),
            ("no issuer", of(without(claims(), "iss")), "TOKEN_MALFORMED"),
            ("no subject", of(without(claims(), "sub")), "TOKEN_MALFORMED"),
            ("an empty subject", of(with(claims(), "sub", "")), "TOKEN_MALFORMED"),
            ("a subject with a line break", of(with(claims(), "sub", "a\nb")), "TOKEN_MALFORMED"),
            ("algorithm none", unsigned("none"), "TOKEN_WRONG_ALGORITHM"),
            ("algorithm None", unsigned("None"), "TOKEN_WRONG_ALGORITHM"),
            ("no signature", unsigned("EdDSA"), "TOKEN_BAD_SIGNATURE"),
            ("the public key as a secret", symmetric(&x), "TOKEN_WRONG_ALGORITHM"),
            (
                "the public JWK as a secret",
                symmetric(signer.public.to_string().as_bytes()),
                "TOKEN_WRONG_ALGORITHM",
            ),
            ("another algorithm", headed(with(header.clone(), "alg", "RS256")), "TOKEN_WRONG_ALGORITHM"),
            ("an unknown algorithm", headed(with(header.clone(), "alg", "eddsa")), "TOKEN_WRONG_ALGORITHM"),
            ("an unknown key", headed(with(header.clone(), "kid", "other")), "TOKEN_UNKNOWN_KEY"),
            ("a key by path", headed(with(header.clone(), "kid", "../../etc/passwd")), "TOKEN_UNKNOWN_KEY"),
            ("no key", headed(without(header.clone(), "kid")), "TOKEN_UNKNOWN_KEY"),
            ("a critical extension", headed(with(header.clone(), "crit", json!(["b64"]))), "TOKEN_MALFORMED"),
            ("another type", headed(with(header.clone(), "typ", "dpop+jwt")), "TOKEN_MALFORMED"),
            ("another payload", format!("{}.{other}.{signature}", part(&header)), "TOKEN_BAD_SIGNATURE"),
            ("half a signature", good[..good.len() - 40].to_owned(), "TOKEN_BAD_SIGNATURE"),
            ("no third part", message.to_owned(), "TOKEN_MALFORMED"),
            ("cut in the payload", good[..good.len() / 2].to_owned(), "TOKEN_MALFORMED"),
            ("four parts", format!("{good}.AAAA"), "TOKEN_MALFORMED"),
            ("garbage", "garbage".to_owned(), "TOKEN_MALFORMED"),
            ("points", "..".to_owned(), "TOKEN_MALFORMED"),
            ("ten kilobytes", format!("{message}.{}", "A".repeat(10_000)), "TOKEN_MALFORMED"),
        ];
        for (case, token, code) in cases {
            // Twice: nothing of a refused token is remembered as good.
            for _ in 0..2 {
                assert_refused(&who(&app.with_token(&token)).await, 401, code, case);
            }
        }
        // A key in the header is an offer by whoever wrote the token.
        let stranger = Folder::new();
        let ring = KeyRing::open_or_generate(stranger.path().join("keys"), today()).unwrap();
        let options = IssueOptions {
            issuer: "umbral-demo",
            audience: "umbral",
            subject: SUBJECT,
            lifetime: TimeDelta::days(1),
            now: today(),
        };
        let token = issue(&ring, options).unwrap();
        assert_refused(
            &who(&app.with_token(&token)).await,
            401,
            "TOKEN_UNKNOWN_KEY",
            "the key of a stranger",
        );

        for (header, code) in [
            (format!("Basic {}", STANDARD.encode("admin:admin")), "TOKEN_MALFORMED"),
            (format!("Token {good}"), "TOKEN_MALFORMED"),
            (good.clone(), "TOKEN_MALFORMED"),
            ("Bearer".to_owned(), "TOKEN_MALFORMED"),
            ("Bearer ".to_owned(), "TOKEN_MALFORMED"),
            (String::new(), "TOKEN_MALFORMED"),
        ] {
            let request = app.anonymous().request("POST", "/graphql").header("authorization", &header);
            let answer =
                request.header("content-type", "application/json").body(json!({ "query": WHO }).to_string());
            assert_refused(&answer.send().await, 401, code, &header);
        }
        // The name of the scheme is written in any case.
        let request =
            app.anonymous().request("POST", "/graphql").header("authorization", format!("bEARER {good}"));
        let request =
            request.header("content-type", "application/json").body(json!({ "query": WHO }).to_string());
        assert_coordinator(&request.send().await);

        // The small leeway for clocks.
        for claims in [with(claims(), "exp", now - 29), with(claims(), "nbf", now + 29)] {
            assert_coordinator(&who(&app.with_token(&of(claims))).await);
        }
    }
);

both!(
    async fn a_good_token_ends_with_its_time(app: &DemoApp) {
        let signer = Signer::of(app);
        let client = app.with_token(&signer.token(&signer.header(), &claims()));
        assert_coordinator(&who(&client).await);
        app.set_now("2026-11-20T12:10:31Z");
        assert_refused(&who(&client).await, 401, "TOKEN_EXPIRED", "later");
    }
);

/// The membership of the demonstration's coordinator.
async fn coordinator(db: &DatabaseConnection) -> membership::Model {
    let account = id_of("account", SUBJECT);
    #[expect(clippy::disallowed_methods, reason = "the test looks past all rules")]
    let found = membership::Entity::find().filter(membership::Column::AccountId.eq(account)).one(db).await;
    found.unwrap().unwrap()
}

/// Changes a row as an administrator of the database would.
#[expect(clippy::disallowed_methods, reason = "the test writes past all rules")]
async fn change<A>(row: A, db: &DatabaseConnection)
where
    A: ActiveModelTrait + ActiveModelBehavior + Send,
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
{
    row.update(db).await.unwrap();
}

both!(
    async fn a_membership_ends_on_its_day(app: &DemoApp) {
        let db = app.database.connect().await;
        let mut row = coordinator(&db).await.into_active_model();
        row.ends_on = Set(Some("2026-11-21".parse().unwrap()));
        change(row, &db).await;
        app.set_now("2026-11-21T09:00:00Z");
        let client = app.subject(SUBJECT);
        assert_coordinator(&who(&client).await);
        app.set_now("2026-11-22T08:00:00Z");
        assert_refused(&who(&client).await, 403, "NO_MEMBERSHIP", "the day after");
    }
);

both!(
    async fn a_role_taken_away_stops_at_once(app: &DemoApp) {
        let db = app.database.connect().await;
        let client = app.subject(SUBJECT);
        assert_coordinator(&who(&client).await);
        let row = coordinator(&db).await;

        let mut changed = row.clone().into_active_model();
        changed.role = Set(Role::Auditor);
        change(changed, &db).await;
        assert_eq!(who(&client).await.data()["viewer"]["role"], "AUDITOR");

        // As an administrator of the database would.
        let delete = "DELETE FROM membership_facility; DELETE FROM membership WHERE role = 'AUDITOR'";
        db.execute_unprepared(delete).await.unwrap();
        assert_refused(&who(&client).await, 403, "NO_MEMBERSHIP", "the membership is gone");

        row.into_active_model().reset_all().insert(&db).await.unwrap();
        assert_coordinator(&who(&client).await);
    }
);

both!(
    async fn a_disabled_account_is_nobody(app: &DemoApp) {
        let db = app.database.connect().await;
        let client = app.subject(SUBJECT);
        assert_coordinator(&who(&client).await);
        let disabled = account::ActiveModel {
            id: Set(id_of("account", SUBJECT)),
            disabled_at: Set(Some(today())),
            ..Default::default()
        };
        change(disabled, &db).await;
        let answer = who(&client).await;
        assert_refused(&answer, 403, "NO_MEMBERSHIP", "disabled");
        // As if the token named nobody at all.
        let stranger = who(&app.subject("demo:coordinator:nowhere")).await;
        assert_eq!((answer.status, answer.body), (stranger.status, stranger.body));
    }
);

both!(
    async fn who_has_several_memberships_chooses_one(app: &DemoApp) {
        let db = app.database.connect().await;
        let row = membership::Model {
            organization_id: id_of("organization", "la-cana"),
            id: Uuid::from_u128(0x5eed_0000_0000_4000_8000_0000_0000_0001),
            role: Role::Steward,
            ..coordinator(&db).await
        };
        row.into_active_model().reset_all().insert(&db).await.unwrap();
        let client = app.subject(SUBJECT);
        assert_refused(&who(&client).await, 400, "ORGANIZATION_NEEDED", "no choice");
        assert_coordinator(&who(&client.organization(OWN)).await);
        let other = who(&client.organization("la-cana")).await;
        assert_eq!(other.data()["viewer"]["role"], "STEWARD");

        // An organisation of others is told apart from none at all by nothing.
        let foreign = who(&client.organization("demo-donor-craft")).await;
        assert_refused(&foreign, 403, "NO_MEMBERSHIP", "an organisation of others");
        let missing = who(&client.organization("demo-donor-crafx")).await;
        assert_eq!((foreign.status, &foreign.body), (missing.status, &missing.body));
        // One membership, and the header that does not fit it.
        let partner = app.member("partner", "demo-partner-network").organization("la-cana");
        assert_refused(&who(&partner).await, 403, "NO_MEMBERSHIP", "not of la-cana");
        // Nobody may name any organisation, and stays nobody.
        let nobody = who(&app.anonymous().organization("la-cana")).await;
        assert_eq!(
            nobody.data()["viewer"],
            json!({ "audience": "PUBLIC", "role": null, "organization": null })
        );
    }
);

both!(
    async fn rotation_keeps_old_tokens_for_a_while(app: &DemoApp) {
        let old = app.subject(SUBJECT);
        let dir = app.running.verifier.ring().dir().to_owned();
        let before = app.running.verifier.ring().active().unwrap().info().kid.clone();
        let now = today() + TimeDelta::seconds(2);
        keys::rotate_keeping(&dir, Alg::Es256, now, TimeDelta::hours(1)).unwrap();
        app.set_now(&now.to_rfc3339());
        assert_coordinator(&who(&old).await);
        let active = app.running.verifier.ring().active().unwrap().info().clone();
        assert_ne!(active.kid, before);
        assert_coordinator(&who(&app.subject(SUBJECT)).await);
        let published = async || {
            let answer = app.anonymous().request("GET", "/.well-known/jwks.json").send().await;
            answer.json()["keys"].as_array().unwrap().len()
        };
        assert_eq!(published().await, 2);

        app.set_now(&(now + TimeDelta::hours(2)).to_rfc3339());
        assert_refused(&who(&old).await, 401, "TOKEN_UNKNOWN_KEY", "the old key has ended");
        assert_eq!(published().await, 1);
        assert_coordinator(&who(&app.subject(SUBJECT)).await);
        // A key whose file is gone is out of use at once.
        let client = app.subject(SUBJECT);
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.to_string_lossy().contains(&active.kid) {
                fs::remove_file(path).unwrap();
            }
        }
        app.set_now(&(now + TimeDelta::hours(2) + TimeDelta::seconds(2)).to_rfc3339());
        assert_refused(&who(&client).await, 401, "TOKEN_UNKNOWN_KEY", "the key is gone");
    }
);

both!(
    async fn the_key_set_is_public_and_nothing_more(app: &DemoApp) {
        let dir = app.running.verifier.ring().dir().to_owned();
        let now = today() + TimeDelta::seconds(2);
        keys::generate(&dir, Alg::Rs256, now).unwrap();
        keys::generate(&dir, Alg::Es256, now).unwrap();
        app.set_now(&now.to_rfc3339());
        let answer = app.anonymous().request("GET", "/.well-known/jwks.json").send().await;
        answer.expect_status(200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let keys = answer.json()["keys"].as_array().unwrap();
        let mut kinds: Vec<&str> = keys.iter().filter_map(|key| key["alg"].as_str()).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["ES256", "EdDSA", "RS256"]);
        for key in keys {
            for (member, _) in key.as_object().unwrap() {
                let public = ["kty", "crv", "x", "y", "n", "e", "alg", "kid", "use"];
                assert!(public.contains(&member.as_str()), "{member} in {key}");
            }
        }
    }
);

/// A server that also trusts an outside issuer, whose keys are in a file.
async fn with_outside_issuer(backend: Backend) {
    let database = TestDatabase::new(backend).await;
    let folder = Folder::new();
    let theirs = KeyRing::open_or_generate(folder.path().join("theirs"), today()).unwrap();
    let write = |name: &str, value: Value| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, value.to_string()).unwrap();
        path
    };
    write("theirs.json", theirs.jwks(today()));
    let issuers = json!({ "issuers": [{ "issuer": "https://id.example", "audience": "umbral-client",
        "jwks": "theirs.json", "algorithms": ["EdDSA"] }] });
    let mut config = Config::for_tests(folder.path(), &database.url, database.outside_url.as_deref());
    config.issuers = Some(write("issuers.json", issuers));
    config.clock = api::clock::Clock::fixed(today());

    // Who the provider's subject is, is for us to say.
    let db = database.connect().await;
    let organization = Uuid::from_u128(0x5eed_0000_0000_4000_8000_0000_0000_0010);
    let account = Uuid::from_u128(0x5eed_0000_0000_4000_8000_0000_0000_0011);
    let row = organization::Model {
        id: organization,
        slug: "umbral-prueba".into(),
        name: "Umbral prueba".into(),
        country: "CL".into(),
        kind: OrganizationKind::Operator,
        active_since: None,
        version: 1,
        recorded_at: today(),
        published_at: Some(today()),
        archived_at: None,
    };
    row.into_active_model().reset_all().insert(&db).await.unwrap();
    let row = account::Model {
        id: account,
        kind: AccountKind::Person,
        name: "Prueba".into(),
        recorded_at: today(),
        disabled_at: None,
        tokens_valid_from: None,
    };
    row.into_active_model().reset_all().insert(&db).await.unwrap();
    let row = identity::Model {
        issuer: "https://id.example".into(),
        subject: "subject-1".into(),
        account_id: account,
    };
    row.into_active_model().reset_all().insert(&db).await.unwrap();
    let row = membership::Model {
        organization_id: organization,
        id: Uuid::from_u128(0x5eed_0000_0000_4000_8000_0000_0000_0012),
        account_id: account,
        role: Role::Steward,
        starts_on: "2026-01-01".parse().unwrap(),
        ends_on: None,
        recorded_at: today(),
    };
    row.into_active_model().reset_all().insert(&db).await.unwrap();

    let running = api::serve::start(config).await.unwrap_or_else(|error| panic!("{error:?}"));
    let anonymous = Client::anonymous(format!("http://{}", running.address));
    let token = |ring: &KeyRing, issuer: &str, audience: &str, subject: &str| {
        let lifetime = TimeDelta::hours(1);
        let token = issue(ring, IssueOptions { issuer, audience, subject, lifetime, now: today() });
        anonymous.token(&token.unwrap())
    };
    let good = token(&theirs, "https://id.example", "umbral-client", "subject-1");
    let answer = who(&good).await;
    let expected =
        json!({ "audience": "STAFF", "role": "STEWARD", "organization": { "slug": "umbral-prueba" } });
    assert_eq!(answer.data()["viewer"], expected);
    let ours = running.verifier.ring();
    for (client, status, code, case) in [
        (
            token(&theirs, "https://id.example", "umbral", "subject-1"),
            401,
            "TOKEN_WRONG_AUDIENCE",
            "our audience",
        ),
        (
            token(&theirs, "https://id.example", "umbral-client", "subject-2"),
            403,
            "NO_MEMBERSHIP",
            "a stranger",
        ),
        (
            token(&theirs, "https://id.example/", "umbral-client", "subject-1"),
            401,
            "TOKEN_WRONG_ISSUER",
            "a slash",
        ),
        // Neither speaks for the other.
        (
            token(&theirs, "umbral-demo", "umbral", "subject-1"),
            401,
            "TOKEN_UNKNOWN_KEY",
            "their key, our name",
        ),
        (
            token(&ours, "https://id.example", "umbral-client", "subject-1"),
            401,
            "TOKEN_UNKNOWN_KEY",
            "our key",
        ),
        // The same subject of another issuer is somebody else.
        (
            token(&ours, "umbral-demo", "umbral", "subject-1"),
            403,
            "NO_MEMBERSHIP",
            "our subject of that name",
        ),
    ] {
        assert_refused(&who(&client).await, status, code, case);
    }
    // Their keys are not among those that we publish.
    let published = anonymous.request("GET", "/.well-known/jwks.json").send().await;
    assert!(!published.to_string().contains(&theirs.active().unwrap().info().kid), "{published}");
    running.stop().await;
}

#[test]
fn an_outside_issuer_is_trusted_on_sqlite() {
    block_on(with_outside_issuer(Backend::Sqlite));
}

#[test]
fn an_outside_issuer_is_trusted_on_postgres() {
    block_on(with_outside_issuer(Backend::Postgres));
}
