use std::{io::Write, net::TcpListener, thread};

use serde_json::json;

use super::{super::keys::tests::Scratch, *};

fn config(jwks: &str) -> IssuerConfig {
    IssuerConfig {
        issuer: "https://provider.example".into(),
        audience: "umbral".into(),
        jwks: jwks.into(),
        algorithms: vec![Alg::EdDsa],
    }
}

fn read(configs: Vec<IssuerConfig>) -> Result<Issuers, String> {
    Issuers::new(configs, Path::new("/etc/umbral"), Arc::new(fetch)).map_err(|error| error.to_string())
}

#[test]
fn key_sets_come_over_https_from_this_machine_or_from_a_file() {
    for good in [
        "https://provider.example/keys",
        "http://127.0.0.1:8090/keys",
        "http://[::1]/keys",
        "http://localhost/k",
    ] {
        assert_eq!(read(vec![config(good)]).unwrap().list[0].source, Source::Url(good.into()));
    }
    for (name, path) in [("keys.json", "/etc/umbral/keys.json"), ("/srv/keys.json", "/srv/keys.json")] {
        assert_eq!(read(vec![config(name)]).unwrap().list[0].source, Source::File(path.into()));
    }
    let bad = [
        "http://provider.example/keys",
        "http://127.0.0.1.evil.example/keys",
        "http://localhost@evil.example/",
        "https://user:word@provider.example/",
        "https://",
        "ftp://provider.example/keys",
        "file:///etc/passwd",
        "",
    ];
    for address in bad {
        assert!(read(vec![config(address)]).is_err(), "{address}");
    }
}

#[test]
fn entries_that_make_no_sense_are_refused() {
    let fine = || config("keys.json");
    assert!(read(vec![IssuerConfig { issuer: String::new(), ..fine() }]).is_err());
    assert!(read(vec![IssuerConfig { audience: String::new(), ..fine() }]).is_err());
    assert!(read(vec![IssuerConfig { algorithms: vec![], ..fine() }]).is_err());
    let error = read(vec![fine(), fine()]).err().unwrap();
    assert_eq!(error, "issuer 'https://provider.example': it is named twice");
    let with_secret = json!({ "issuer": "a", "audience": "b", "jwks": "c", "algorithms": ["HS256"] });
    assert!(serde_json::from_value::<IssuerConfig>(with_secret).is_err());
}

#[test]
fn the_file_of_issuers_is_read_strictly() {
    let dir = Scratch::new();
    let path = dir.0.join("issuers.json");
    let mut entry =
        json!({ "issuer": "a", "audience": "b", "jwks": "keys.json", "algorithms": ["EdDSA", "RS256"] });
    fs::write(&path, json!({ "issuers": [entry] }).to_string()).unwrap();
    let issuers = Issuers::load(&path).unwrap();
    assert_eq!(issuers.find("a").unwrap().source, Source::File(dir.0.join("keys.json")));
    assert!(issuers.find("b").is_none());
    entry["audiense"] = json!("b");
    for text in [json!({ "issuers": [entry] }).to_string(), "[]".into(), "{}".into(), "nonsense".into()] {
        fs::write(&path, text).unwrap();
        assert!(matches!(Issuers::load(&path), Err(IssuerError::Json { .. })));
    }
    assert!(matches!(Issuers::load(dir.0.join("none.json")), Err(IssuerError::Io { .. })));
}

/// Answers one request with the given head and body.
fn serve(head: String, body: Vec<u8>) -> Source {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/keys", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request);
        let length = body.len();
        let _ = write!(stream, "HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
        let _ = stream.write_all(&body);
    });
    Source::Url(address)
}

#[test]
fn answers_are_bounded() {
    let limit = MAX_SET_BYTES as usize;
    assert_eq!(fetch(&serve("200 OK".into(), b"{}".into())).unwrap(), b"{}");
    assert_eq!(fetch(&serve("200 OK".into(), vec![b' '; limit - 1])).unwrap().len(), limit - 1);
    assert!(fetch(&serve("200 OK".into(), vec![b' '; limit + 1])).is_err());
    assert!(fetch(&serve("500 Oh".into(), b"{}".into())).is_err());

    let dir = Scratch::new();
    let path = dir.0.join("keys.json");
    fs::write(&path, vec![b' '; limit]).unwrap();
    assert_eq!(fetch(&Source::File(path.clone())).unwrap().len(), limit);
    fs::write(&path, vec![b' '; limit + 1]).unwrap();
    assert!(fetch(&Source::File(path)).is_err());
    assert!(fetch(&Source::File(dir.0.join("none.json"))).is_err());
}

#[test]
fn a_redirect_of_this_machine_is_not_followed() {
    let elsewhere = serve("200 OK".into(), br#"{"keys":[]}"#.into());
    let Source::Url(elsewhere) = elsewhere else { panic!("an address") };
    let answer = fetch(&serve(format!("302 Found\r\nlocation: {elsewhere}"), b"moved".into()));
    assert_ne!(answer.ok().as_deref(), Some(&br#"{"keys":[]}"#[..]));
}

#[test]
fn unusable_keys_are_passed_over_and_broken_sets_refused() {
    let issuers = read(vec![config("keys.json")]).unwrap();
    let outside = &issuers.list[0];
    let now = super::super::keys::tests::at(0);
    let kids = |set: serde_json::Value| {
        let keys = outside.read(set.to_string().as_bytes(), now);
        keys.map(|keys| keys.iter().map(|key| key.kid().to_owned()).collect::<Vec<_>>().join(" "))
    };
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let key = |kid: &str| json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x });
    let mut set = json!({ "keys": [
        key("a"), { "kty": "oct", "kid": "s", "k": "AAAA" }, key("b"), { "kty": "EC", "kid": "c" }, 7, key("a"),
        { "kty": "OKP", "crv": "Ed25519", "kid": "short", "x": "AAAA" },
    ] });
    assert_eq!(kids(set.clone()), Ok("a b".into()));
    let until = outside.read(set.to_string().as_bytes(), now).unwrap()[0].until();
    assert_eq!(until, Some(now + TRUSTED_FOR));
    set["keys"] = (0..=MAX_KEYS).map(|n| key(&n.to_string())).collect();
    assert!(kids(set).is_err());
    assert!(kids(json!({ "keys": {} })).is_err());
    assert!(kids(json!([])).is_err());
    assert!(outside.read(b"<html>", now).is_err());
}
