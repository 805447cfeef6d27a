use std::{fs::Permissions, os::unix::fs::PermissionsExt, sync::OnceLock};

use super::*;

/// A folder that goes away with the test.
pub struct Scratch(pub PathBuf);

impl Scratch {
    #[expect(clippy::disallowed_methods, reason = "the name of a folder")]
    pub fn new() -> Scratch {
        let dir = std::env::temp_dir().join(format!("umbral-keys-{}", uuid::Uuid::new_v4()));
        DirBuilder::new().mode(0o700).create(&dir).unwrap();
        Scratch(dir)
    }
}

impl AsRef<Path> for Scratch {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_750_000_000 + seconds, 0).unwrap()
}

/// A ring with one key. RSA keys take long to make, so that one is made per run and copied.
pub fn ring(dir: &Scratch, alg: Alg) -> KeyRing {
    static RSA: OnceLock<(String, Vec<u8>)> = OnceLock::new();
    if alg == Alg::Rs256 {
        let (name, text) = RSA.get_or_init(|| {
            let dir = Scratch::new();
            let name = file_name(&generate(&dir, alg, at(0)).unwrap().kid);
            let text = fs::read(dir.0.join(&name)).unwrap();
            (name, text)
        });
        fs::write(dir.0.join(name), text).unwrap();
        set_mode(&dir.0.join(name), 0o600);
    } else {
        generate(dir, alg, at(0)).unwrap();
    }
    KeyRing::load(dir).unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

fn key_path(dir: &Scratch, kid: &str) -> PathBuf {
    dir.0.join(file_name(kid))
}

#[test]
fn a_new_folder_gets_one_key_that_only_the_owner_reads() {
    let dir = Scratch::new();
    let keys = dir.0.join("a/keys");
    let ring = KeyRing::open_or_generate(&keys, at(0)).unwrap();
    let [info] = &ring.list()[..] else { panic!("one key") };
    assert_eq!((info.alg, info.state, info.created), (Alg::EdDsa, KeyState::Active, at(0)));
    assert_eq!((mode(&keys), mode(&keys.join(file_name(&info.kid)))), (0o700, 0o600));
    let again = KeyRing::open_or_generate(&keys, at(9)).unwrap();
    assert_eq!(again.list(), ring.list());
}

#[test]
fn keys_that_others_can_reach_are_refused() {
    let dir = Scratch::new();
    let info = generate(&dir, Alg::EdDsa, at(0)).unwrap();
    for open in [0o640, 0o604, 0o620] {
        set_mode(&key_path(&dir, &info.kid), open);
        let Err(error) = KeyRing::load(&dir) else { panic!("loaded with mode {open:o}") };
        assert!(matches!(error, KeyError::Exposed { mode, .. } if mode == open));
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    set_mode(&key_path(&dir, &info.kid), 0o400);
    assert!(KeyRing::load(&dir).is_ok());
    set_mode(&dir.0, 0o770);
    let Err(error) = KeyRing::load(&dir) else { panic!("loaded from an open folder") };
    assert!(error.to_string().contains("chmod 700"), "{error}");
}

#[test]
fn rotation_retires_and_later_destroys() {
    let dir = Scratch::new();
    let first = generate(&dir, Alg::EdDsa, at(0)).unwrap();
    let second = rotate(&dir, Alg::Es256, at(10)).unwrap();
    let ring = KeyRing::load(&dir).unwrap();
    assert_eq!(ring.active().unwrap().info(), &second);
    let old = ring.list().pop().unwrap();
    assert_eq!((&old.kid, old.state), (&first.kid, KeyState::Retired));
    assert_eq!(old.retired_until, Some(at(10) + RETIRED_FOR));
    let kids = |seconds| ring.jwks(at(seconds))["keys"].as_array().unwrap().len();
    let month = RETIRED_FOR.num_seconds();
    assert_eq!((kids(10), kids(10 + month), kids(11 + month)), (2, 2, 1));

    rotate(&dir, Alg::EdDsa, at(11 + month)).unwrap();
    let left: Vec<_> = KeyRing::load(&dir).unwrap().list().into_iter().map(|info| info.kid).collect();
    assert!(left.len() == 2 && !left.contains(&first.kid), "{left:?}");
}

#[test]
fn a_ring_notices_every_change_of_its_folder() {
    let dir = Scratch::new();
    let first = generate(&dir, Alg::EdDsa, at(0)).unwrap();
    for _ in 0..50 {
        let ring = KeyRing::load(&dir).unwrap();
        assert!(!ring.stale());
        rotate(&dir, Alg::EdDsa, at(1)).unwrap();
        assert!(ring.stale());
    }
    let ring = KeyRing::load(&dir).unwrap();
    fs::remove_file(key_path(&dir, &first.kid)).unwrap();
    assert!(ring.stale());
}

#[test]
fn the_published_set_has_no_private_member() {
    let dir = Scratch::new();
    ring(&dir, Alg::EdDsa);
    ring(&dir, Alg::Es256);
    let ring = ring(&dir, Alg::Rs256);
    let set = ring.jwks(at(1));
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 3);
    for key in keys {
        let mut members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        let wanted = match key["alg"].as_str().unwrap() {
            "EdDSA" => "alg crv kid kty use x",
            "ES256" => "alg crv kid kty use x y",
            _ => "alg e kid kty n use",
        };
        assert_eq!(members.join(" "), wanted);
        assert_eq!(key["use"], "sig");
    }
    for info in ring.list() {
        let text = fs::read_to_string(key_path(&dir, &info.kid)).unwrap();
        let file: KeyFile = serde_json::from_str(&text).unwrap();
        assert!(!set.to_string().contains(&file.private_key));
    }
}

#[test]
fn damaged_files_are_named_without_their_contents() {
    let dir = Scratch::new();
    let info = generate(&dir, Alg::EdDsa, at(0)).unwrap();
    let path = key_path(&dir, &info.kid);
    let good = fs::read_to_string(&path).unwrap();
    let cut = &good[..good.len() / 2];
    let renamed = good.replace(&info.kid, "another");
    let retired_without_end = good.replace("ACTIVE", "RETIRED");
    let other_alg = good.replace("EdDSA", "ES256");
    for bad in ["", "{}", cut, &renamed, &retired_without_end, &other_alg] {
        fs::write(&path, bad).unwrap();
        let Err(error) = KeyRing::load(&dir) else { panic!("loaded {bad}") };
        assert!(matches!(error, KeyError::Damaged { .. }), "{error}");
        assert_eq!(error.to_string(), format!("{}: not a key file, or a damaged one", path.display()));
    }
}

#[test]
fn leftovers_of_a_dead_command_are_swept_and_never_read() {
    let dir = Scratch::new();
    generate(&dir, Alg::EdDsa, at(0)).unwrap();
    let leftover = dir.0.join(format!("{TEMPORARY_PREFIX}dead"));
    fs::write(&leftover, "half a key").unwrap();
    assert_eq!(KeyRing::load(&dir).unwrap().list().len(), 1);
    generate(&dir, Alg::EdDsa, at(1)).unwrap();
    assert!(!leftover.exists());
}
