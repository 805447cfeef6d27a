//! Lists the files under `assets`, so that the server carries them in its binary.
//!
//! `assets/graphiql` is filled by `scripts/graphiql` and may be absent: then the list has no such files, and the
//! server offers the explorer alone.

use std::{
    error::Error,
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    println!("cargo::rerun-if-changed=assets");

    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();

    let mut list = String::from("/// Path below `/assets`, media type, content; sorted by path.\n");
    list.push_str("pub static ASSETS: &[(&str, &str, &[u8])] = &[\n");
    for file in files {
        let Some(media_type) = media_type(&file) else { continue };
        let name = file.strip_prefix(&root)?.to_str().ok_or("the name of an asset is not UTF-8")?;
        writeln!(list, "    ({name:?}, {media_type:?}, include_bytes!({file:?})),")?;
    }
    list.push_str("];\n");

    #[expect(clippy::disallowed_methods, reason = "cargo tells a build script its folder in no other way")]
    let out = std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    fs::write(Path::new(&out).join("assets.rs"), list)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// None for what is not served, such as `.gitignore`.
fn media_type(file: &Path) -> Option<&'static str> {
    match file.extension()?.to_str()? {
        "css" => Some("text/css; charset=utf-8"),
        "html" => Some("text/html; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "json" => Some("application/json"),
        "svg" => Some("image/svg+xml"),
        "txt" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}
