//! Files that people take away.

mod deliveries;
mod door;
mod round_trip;

use std::{fs, path::Path, process::Command};

use tests::{Answer, Client, TestDatabase, program};

/// The file at an address under `/export/`.
async fn file(client: &Client, address: &str) -> Answer {
    let answer = client.request("GET", &format!("/export/{address}")).send().await;
    answer.expect_status(200);
    answer
}

/// The same, as text.
async fn text(client: &Client, address: &str) -> String {
    String::from_utf8(file(client, address).await.body.to_vec()).unwrap()
}

/// `umbral import` with a file of this name and content, for the organisation of tests: what it said, and whether it
/// succeeded.
pub async fn run_import(
    database: &TestDatabase,
    folder: &Path,
    arguments: &[&str],
    name: &str,
    bytes: &[u8],
) -> (bool, String) {
    run_import_with(database, folder, folder, arguments, name, bytes).await
}

/// As [`run_import`], with the keys of a data folder.
pub async fn run_import_with(
    database: &TestDatabase,
    data_dir: &Path,
    folder: &Path,
    arguments: &[&str],
    name: &str,
    bytes: &[u8],
) -> (bool, String) {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    let mut command = Command::new(program());
    command
        .arg("import")
        .args(arguments)
        .args(["--organization", "own"])
        .arg(path)
        .env_clear()
        .env("DATABASE_URL", &database.url)
        .env("UMBRAL_MODE", "demo")
        .env("UMBRAL_DATA_DIR", data_dir);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// As [`run_import`], of a file that has to be taken.
async fn import(
    database: &TestDatabase,
    folder: &Path,
    arguments: &[&str],
    name: &str,
    bytes: &[u8],
) -> String {
    let (done, said) = run_import(database, folder, arguments, name, bytes).await;
    assert!(done, "{arguments:?} {name}: {said}");
    said
}
