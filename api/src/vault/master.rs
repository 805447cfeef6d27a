//! The master key: from a file or from a command, never from the database.
//!
//! It is a line of 32 bytes in base64. There may be several lines: the first one wraps, all of them unwrap, so that a new
//! one can take over while servers run.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{
    Fault, Result,
    bucket::{private, private_folder, replace},
    cipher::{Key, keyed, random},
};

/// Where the master keys come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file that only its owner can read.
    File(PathBuf),
    /// A command of the shell that prints them, such as that of a secret store.
    Command(String),
}

/// A master key and its name, which says nothing of it.
#[derive(Clone)]
pub struct Master {
    pub(super) name: [u8; 8],
    pub(super) key: Key,
}

impl Source {
    /// The keys as they are now, the one that wraps first.
    pub fn read(&self) -> Result<Vec<Master>> {
        let text = Zeroizing::new(match self {
            Self::File(path) => {
                private(path)?;
                std::fs::read_to_string(path).map_err(Fault::io(path))?
            }
            Self::Command(command) => {
                let run = Command::new("sh").arg("-c").arg(command).output();
                let output = run.map_err(|fault| Fault::NoMaster(fault.kind().to_string()))?;
                if !output.status.success() {
                    return Err(Fault::NoMaster(format!("the command ended with {}", output.status)));
                }
                String::from_utf8(output.stdout)
                    .map_err(|_| Fault::NoMaster("the command printed no text".into()))?
            }
        });
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Vec<Master> = lines.map(Master::parse).collect::<Result<_>>()?;
        if keys.is_empty() { Err(Fault::NoMaster("there is none".into())) } else { Ok(keys) }
    }

    /// Makes a first key, and its folder, when there is no file yet; whether it did.
    pub fn generate_if_missing(path: &Path) -> Result<bool> {
        if path.exists() {
            return Ok(false);
        }
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            private_folder(folder)?;
        }
        replace(path, Master::generate()?.line().as_bytes())?;
        Ok(true)
    }

    /// Puts a new key before those that a file holds; it wraps from now on.
    pub fn add(path: &Path) -> Result<()> {
        private(path)?;
        let before = Zeroizing::new(std::fs::read_to_string(path).map_err(Fault::io(path))?);
        let mut text = Master::generate()?.line();
        text.push_str(&before);
        replace(path, text.as_bytes())
    }

    /// Leaves only the key that wraps.
    pub fn drop_others(path: &Path) -> Result<()> {
        let keys = Self::File(path.to_owned()).read()?;
        let first = keys.first().ok_or_else(|| Fault::NoMaster("there is none".into()))?;
        replace(path, first.line().as_bytes())
    }
}

impl Master {
    fn new(key: Key) -> Self {
        let digest = keyed(&key, &[b"umbral master key"]);
        let mut name = [0; 8];
        name.copy_from_slice(&digest[..8]);
        Self { name, key }
    }

    fn generate() -> Result<Self> {
        random().map(Self::new)
    }

    fn parse(line: &str) -> Result<Self> {
        let bad = || Fault::NoMaster("a line is not 32 bytes in base64".into());
        let bytes = Zeroizing::new(STANDARD.decode(line).map_err(|_| bad())?);
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return Err(bad());
        }
        key.copy_from_slice(&bytes);
        Ok(Self::new(key))
    }

    fn line(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.key.as_slice()) + "\n")
    }
}

/// Writes a key for a command's own store to standard output.
pub fn print_new(out: &mut impl Write) -> Result<()> {
    let line = Master::generate()?.line();
    out.write_all(line.as_bytes()).map_err(|fault| Fault::Io("standard output".into(), fault.kind()))
}
