//! Files of releases, as a donor checks them: with the program alone.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use api::sealed::{self, Sealed, SigningKey};
use serde_json::Value;
use tests::{Folder, program};

/// Runs `umbral release …` where there is no setting and no database.
fn umbral(folder: &Folder, environment: &[(&str, &str)], command: &[&str]) -> Output {
    let mut run = Command::new(program());
    run.arg("release").args(command).current_dir(folder.path()).env_clear();
    run.envs(environment.iter().copied()).stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn done(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What it says when it refuses. It has printed nothing else.
#[track_caller]
fn refused(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(output.stdout, b"");
    String::from_utf8(output.stderr).unwrap()
}

/// Three releases of one organisation, each of which carries all of the one before it.
fn releases(key: &SigningKey) -> [Sealed; 3] {
    let first = serde_json::from_str(include_str!("../../api/src/sealed/sample.json")).unwrap();
    let first = sealed::seal(key, first).unwrap();
    let after = |previous: &Sealed| {
        let mut release = previous.release.clone();
        release.number += 1;
        release.previous = Some(previous.digest.clone());
        sealed::seal(key, release).unwrap()
    };
    let second = after(&first);
    let third = after(&second);
    [first, second, third]
}

fn written(folder: &Folder, sealed: &Sealed) -> PathBuf {
    let path = folder.path().join(format!("{}.json", sealed.digest));
    fs::write(&path, sealed::bytes(sealed).unwrap()).unwrap();
    path
}

fn name(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn made(folder: &Folder) -> (SigningKey, String) {
    let path = folder.path().join("their.key");
    let key = SigningKey::renew(&path).unwrap_or_else(|fault| panic!("{}", fault.text()));
    let x = key.public().jwk()["x"].as_str().unwrap().to_owned();
    (key, x)
}

#[test]
fn a_donor_checks_a_chain_with_nothing_but_the_files_and_the_key() {
    let folder = Folder::new();
    let (key, x) = made(&folder);
    let [first, second, third] = releases(&key).map(|sealed| (written(&folder, &sealed), sealed));
    // In any order.
    let said =
        done(umbral(&folder, &[], &["verify", name(&third.0), name(&first.0), name(&second.0), "--key", &x]));
    let places = [&first, &second, &third].map(|(path, sealed)| {
        let place = said.find(&format!("{}: verified", name(path))).unwrap();
        assert!(said[place..].contains(&sealed.digest));
        place
    });
    assert!(places.is_sorted(), "{said}");
    for part in [
        "Organización de muestra (muestra, 018f0000-0000-7000-8000-000000000002)",
        "1, First quarter of 2026",
        "2026-01-01 to 2026-03-31",
        "2026-06-15T18:00:00Z",
        "nothing: it is the first",
        key.public().id(),
        "Releases 1 to 3 are a chain",
        "Not shown by this: that the figures are true; that no later release corrects one or retracts a cell",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = done(umbral(&folder, &[], &["verify", name(&second.0), "--key", &x]));
    assert!(said.contains("Release 1 was not looked at.") && !said.contains("are a chain"), "{said}");
}

#[test]
fn a_key_is_given_in_any_of_its_forms() {
    let folder = Folder::new();
    let (key, _) = made(&folder);
    let file = written(&folder, &releases(&key)[0]);
    let jwk = folder.path().join("key.json");
    fs::write(&jwk, key.public().jwk().to_string()).unwrap();
    let set = folder.path().join("keys.json");
    let other = SigningKey::renew(&folder.path().join("other.key"))
        .unwrap_or_else(|fault| panic!("{}", fault.text()));
    fs::write(&set, sealed::jwk_set(&[other.public(), key.public()]).to_string()).unwrap();
    let other = other.public().jwk()["x"].as_str().unwrap().to_owned();
    for keys in [&["--key", name(&jwk)][..], &["--key", name(&set)], &["--key", &other, "--key", name(&jwk)]]
    {
        done(umbral(&folder, &[], &[&["verify", name(&file)], keys].concat()));
    }
    // Its publisher needs to name none.
    let own = [("UMBRAL_RELEASE_KEY_FILE", "their.key")];
    done(umbral(&folder, &own, &["verify", name(&file)]));
    assert!(refused(umbral(&folder, &[], &["verify", name(&file)])).contains("--key KEYFILE_OR_X"));
    assert!(
        refused(umbral(&folder, &[], &["verify", name(&file), "--key", "nothing.json"]))
            .contains("nothing.json")
    );
    assert!(
        refused(umbral(&folder, &[], &["verify", name(&file), "--key", name(&file)]))
            .contains("no Ed25519 key")
    );
}

#[test]
fn what_was_changed_is_refused_with_the_reason() {
    let folder = Folder::new();
    let (key, x) = made(&folder);
    let [first, second, third] = releases(&key);
    let text = String::from_utf8(sealed::bytes(&first).unwrap()).unwrap();
    let bad = folder.path().join("bad.json");
    let against = |text: &str| {
        fs::write(&bad, text).unwrap();
        let said = refused(umbral(&folder, &[], &["verify", name(&bad), "--key", &x]));
        assert!(said.contains(name(&bad)), "{said}");
        said
    };
    for (changed, en, es) in [
        ("release".to_owned(), "this is not JSON", "esto no es JSON"),
        (
            text.replacen(r#""high":184"#, r#""high":189"#, 1),
            "the digest does not fit",
            "el resumen criptográfico no",
        ),
        (
            text.replacen(r#""number":1"#, r#""number": 1"#, 1),
            "not the canonical ones",
            "no son los canónicos",
        ),
        (text.replacen(&first.signature, &second.signature, 1), "the signature does not fit", "la firma no"),
    ] {
        let said = against(&changed);
        assert!(said.contains(en) && said.contains(es), "{said}");
    }
    let stranger = SigningKey::renew(&folder.path().join("other.key"))
        .unwrap_or_else(|fault| panic!("{}", fault.text()));
    let theirs = sealed::seal(&stranger, first.release.clone()).unwrap();
    assert!(against(&String::from_utf8(sealed::bytes(&theirs).unwrap()).unwrap()).contains("another key"));

    // A release left out, one twice, and one that follows another first release.
    let [one, two, three] = [&first, &second, &third].map(|sealed| written(&folder, sealed));
    let chain = |files: &[&Path]| {
        let files = files.iter().map(|path| name(path));
        let command: Vec<&str> = ["verify"].into_iter().chain(files).chain(["--key", x.as_str()]).collect();
        refused(umbral(&folder, &[], &command))
    };
    assert!(chain(&[&one, &three]).contains("2 was to come, this is 3"));
    assert!(chain(&[&one, &two, &two]).contains("3 was to come, this is 2"));
    let mut another = first.release.clone();
    another.notes.clear();
    let another = written(&folder, &sealed::seal(&key, another).unwrap());
    assert!(chain(&[&another, &two]).contains("it follows another release"));
    assert!(refused(umbral(&folder, &[], &["verify", "none.json", "--key", &x])).contains("none.json"));
}

/// More than 64 MiB are not read, whatever is in them.
#[test]
fn a_file_without_end_is_refused() {
    let folder = Folder::new();
    let (_, x) = made(&folder);
    let said = refused(umbral(&folder, &[], &["verify", "/dev/zero", "--key", &x]));
    assert!(said.contains("64 MiB"), "{said}");
}

#[test]
fn a_key_is_made_printed_and_replaced() {
    let folder = Folder::new();
    let data = [("UMBRAL_DATA_DIR", "data")];
    assert!(refused(umbral(&folder, &data, &["key"])).contains("umbral release key --new"));
    assert!(!folder.path().join("data").exists());
    let jwk =
        |command: &[&str]| -> Value { serde_json::from_str(&done(umbral(&folder, &data, command))).unwrap() };
    let first = jwk(&["key", "--new"]);
    assert_eq!(jwk(&["key"]), first);
    assert_eq!(first["kty"], "OKP");
    assert_eq!(first["crv"], "Ed25519");
    assert!(first.get("d").is_none());
    let file = folder.path().join("data/release.key");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let signer = SigningKey::open(&file).unwrap_or_else(|fault| panic!("{}", fault.text()));
    let before = written(&folder, &releases(&signer)[0]);

    let second = jwk(&["key", "--new"]);
    assert_ne!(second, first);
    assert_eq!(jwk(&["key"]), second);
    assert_eq!(jwk(&["key", "--all"])["keys"], Value::from(vec![second, first]));
    // What the first one signed is still verified.
    done(umbral(&folder, &data, &["verify", name(&before)]));

    fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(refused(umbral(&folder, &data, &["key"])).contains("release.key"));
}
