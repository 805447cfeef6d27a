use std::os::unix::fs::PermissionsExt;

use super::*;
use uuid::Uuid;

const ORG: Uuid = Uuid::from_u128(1);
const ROW: Uuid = Uuid::from_u128(2);
const OTHER: Uuid = Uuid::from_u128(3);

fn place(column: &'static str, row: Uuid, version: i32) -> Place<'static> {
    Place { organization: ORG, table: "participant", column, row, version }
}

fn vault(folder: &tempfile::TempDir) -> Vault {
    let master = folder.path().join("master.key");
    Source::generate_if_missing(&master).unwrap();
    Vault::open(folder.path().join("buckets"), Source::File(master)).unwrap()
}

#[test]
fn a_ciphertext_opens_only_at_its_place() {
    let key = DataKey::generate().unwrap();
    let sealed = key.seal(place("given_names", ROW, 3), "María".as_bytes()).unwrap();
    assert_eq!(key.open(place("given_names", ROW, 3), &sealed).unwrap().as_slice(), "María".as_bytes());
    for elsewhere in [
        place("family_names", ROW, 3),
        place("given_names", OTHER, 3),
        place("given_names", ROW, 2),
        Place { organization: OTHER, ..place("given_names", ROW, 3) },
        Place { table: "consent", ..place("given_names", ROW, 3) },
    ] {
        assert!(matches!(key.open(elsewhere, &sealed), Err(Fault::Damaged)), "{elsewhere:?}");
    }
    let other = DataKey::generate().unwrap();
    assert!(matches!(other.open(place("given_names", ROW, 3), &sealed), Err(Fault::Damaged)));
}

#[test]
fn no_byte_of_a_ciphertext_can_change() {
    let key = DataKey::generate().unwrap();
    let sealed = key.seal(place("notes", ROW, 1), b"x").unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(matches!(key.open(place("notes", ROW, 1), &changed), Err(Fault::Damaged)), "byte {at}");
        assert!(
            matches!(key.open(place("notes", ROW, 1), &sealed[..at]), Err(Fault::Damaged)),
            "cut at {at}"
        );
    }
}

#[test]
fn lengths_say_little() {
    let key = DataKey::generate().unwrap();
    let length = |text: &str| key.seal(place("notes", ROW, 1), text.as_bytes()).unwrap().len();
    assert_eq!(length("Ana"), length("María Guadalupe del Rocío"));
}

#[test]
fn a_destroyed_bucket_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let vault = vault(&folder);
    let bucket = vault.create(ROW).unwrap();
    let key = DataKey::generate().unwrap();
    let wrapped = bucket.wrap(ORG, ROW, &key).unwrap();
    let again = vault.bucket(ROW).unwrap();
    let sealed = key.seal(place("notes", ROW, 1), b"x").unwrap();
    let unwrapped = again.unwrap(ORG, ROW, &wrapped).unwrap();
    assert_eq!(unwrapped.open(place("notes", ROW, 1), &sealed).unwrap().as_slice(), b"x");
    // Another woman's place.
    assert!(matches!(again.unwrap(ORG, OTHER, &wrapped), Err(Fault::Damaged)));
    assert_eq!(bucket.index(ORG, "NAME", "ana"), again.index(ORG, "NAME", "ana"));
    assert_ne!(bucket.index(ORG, "NAME", "ana"), bucket.index(ORG, "DOCUMENT", "ana"));

    vault.destroy(ROW).unwrap();
    assert!(matches!(vault.bucket(ROW), Err(Fault::Gone)));
    vault.destroy(ROW).unwrap();
    // One of the same name is another.
    let new = vault.create(ROW).unwrap();
    assert!(matches!(new.unwrap(ORG, ROW, &wrapped), Err(Fault::Damaged)));
}

#[test]
fn a_new_master_key_takes_over_without_a_pause() {
    let folder = tempfile::tempdir().unwrap();
    let running = vault(&folder);
    running.create(ROW).unwrap();
    let before = running.bucket(ROW).unwrap().index(ORG, "NAME", "ana");
    let master = folder.path().join("master.key");

    Source::add(&master).unwrap();
    let command = Vault::open(folder.path().join("buckets"), Source::File(master.clone())).unwrap();
    assert_eq!(command.rewrap().unwrap(), (1, 1));
    // The server that runs learns of it by itself.
    assert_eq!(running.bucket(ROW).unwrap().index(ORG, "NAME", "ana"), before);
    Source::drop_others(&master).unwrap();
    assert_eq!(vault(&folder).bucket(ROW).unwrap().index(ORG, "NAME", "ana"), before);
    assert_eq!(command.rewrap().unwrap(), (1, 0));
}

#[test]
fn a_wrong_master_key_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    vault(&folder).create(ROW).unwrap();
    let other = folder.path().join("other.key");
    Source::generate_if_missing(&other).unwrap();
    let wrong = Vault::open(folder.path().join("buckets"), Source::File(other)).unwrap();
    assert!(matches!(wrong.bucket(ROW), Err(Fault::WrongMaster)));
}

#[test]
fn what_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let master = folder.path().join("master.key");
    Source::generate_if_missing(&master).unwrap();
    std::fs::set_permissions(&master, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Source::File(master).read(), Err(Fault::Exposed(_))));
}

#[test]
fn a_command_gives_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let master = folder.path().join("master.key");
    Source::generate_if_missing(&master).unwrap();
    let from_file = Source::File(master.clone()).read().unwrap();
    let from_command = Source::Command(format!("cat '{}'", master.display())).read().unwrap();
    assert!(from_file[0].name == from_command[0].name);
    assert!(matches!(Source::Command("exit 3".into()).read(), Err(Fault::NoMaster(_))));
    assert!(matches!(Source::Command("echo nonsense".into()).read(), Err(Fault::NoMaster(_))));
    assert!(matches!(Source::Command("true".into()).read(), Err(Fault::NoMaster(_))));
}
