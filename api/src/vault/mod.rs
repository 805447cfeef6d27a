//! The keys of women's records. Nothing here knows the database.
//!
//! Each woman has a key of her own ([`DataKey`]); it lies in the database, wrapped by the key of her *bucket*, which a few
//! women share. Bucket keys lie in a folder outside the database, one file each, wrapped by the master key. To erase a
//! woman is to move the others of her bucket to a new one and to destroy the old one's file: after that no copy of the
//! database, however old, gives her back. The folder must therefore be mirrored and never kept in old versions.

mod bucket;
mod cipher;
mod master;

#[cfg(test)]
mod tests;

use std::{
    io,
    path::{Path, PathBuf},
};

pub use self::{
    bucket::{Bucket, Vault},
    cipher::{DataKey, Place},
    master::{Master, Source, print_new},
};
pub(crate) use self::{
    bucket::{private, private_folder, replace},
    cipher::random,
};

/// Why a key or a value cannot be had. Holds no part of either.
#[derive(Debug)]
pub enum Fault {
    /// There is no such key: it was destroyed, or the folder is another.
    Gone,
    /// It does not open: changed, moved, cut, of an older version, or under another key.
    Damaged,
    /// The key that it is wrapped by is not among the master keys.
    WrongMaster,
    /// The master keys cannot be had; why.
    NoMaster(String),
    /// Others than the owner can get at a file of keys.
    Exposed(PathBuf),
    /// The operating system refused.
    Io(PathBuf, io::ErrorKind),
    /// The system has no randomness.
    Randomness,
}

impl Fault {
    fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |fault| Self::Io(path.to_owned(), fault.kind())
    }

    /// What an operator reads. Names paths, never contents.
    pub fn text(&self) -> String {
        match self {
            Self::Gone => "a bucket key is gone".into(),
            Self::Damaged => "a ciphertext does not open".into(),
            Self::WrongMaster => "a bucket key is wrapped by another master key".into(),
            Self::NoMaster(why) => format!("the master key cannot be had: {why}"),
            Self::Exposed(path) => format!("{}: others than its owner can get at it", path.display()),
            Self::Io(path, kind) => format!("{}: {kind}", path.display()),
            Self::Randomness => "the system has no randomness".into(),
        }
    }
}

pub type Result<T> = std::result::Result<T, Fault>;
