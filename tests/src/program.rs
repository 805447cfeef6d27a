//! The program itself, as an operator runs it.

use std::path::PathBuf;

/// Where it is. Other packages' tests do not build it.
///
/// # Panics
/// When nobody has built it.
pub fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap_or_else(|error| panic!("{error}"));
    let target = tests.parent().and_then(|deps| deps.parent()).map(PathBuf::from).unwrap_or_default();
    let program = target.join("umbral");
    assert!(program.is_file(), "{}: build it first, with `cargo build -p api`", program.display());
    program
}
