//! Bucket keys: one file each, in one folder.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use uuid::Uuid;

use super::{
    Fault, Result,
    cipher::{DataKey, Key, keyed, open, random, seal},
    master::{Master, Source},
};

/// How long a bucket file is: a format, the name of the master key, a nonce, a key and its tag.
const LENGTH: u64 = 1 + 8 + 12 + 32 + 16;
const FORMAT: u8 = 1;

/// The folder of bucket keys, and the master keys that open them.
pub struct Vault {
    folder: PathBuf,
    source: Source,
    masters: RwLock<Vec<Master>>,
}

/// A bucket's key, ready for use.
pub struct Bucket {
    id: Uuid,
    key: Key,
}

impl Vault {
    /// Opens the folder, and makes it where there is none.
    ///
    /// # Errors
    /// When others can get at the folder or the master key, or there is no master key.
    pub fn open(folder: PathBuf, source: Source) -> Result<Self> {
        private_folder(&folder)?;
        private(&folder)?;
        let masters = RwLock::new(source.read()?);
        Ok(Self { folder, source, masters })
    }

    fn path(&self, id: Uuid) -> PathBuf {
        self.folder.join(format!("{id}.key"))
    }

    /// Makes a key. It is on the disk when this returns.
    pub fn create(&self, id: Uuid) -> Result<Bucket> {
        let bucket = Bucket { id, key: random()? };
        // A new master key may be taking over at this moment: the file must be wrapped by the one that is first after it
        // was written, or whoever wraps all keys anew might have passed by before.
        let mut used = None;
        loop {
            let now = self.masters_now()?;
            if used == Some(now) {
                return Ok(bucket);
            }
            self.keep(&bucket)?;
            used = Some(now);
        }
    }

    /// Reads the master keys anew: the name of the first one.
    fn masters_now(&self) -> Result<[u8; 8]> {
        let fresh = self.source.read()?;
        let first = fresh.first().ok_or_else(|| Fault::NoMaster("there is none".into()))?.name;
        *self.masters.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(first)
    }

    /// The key of a bucket.
    ///
    /// # Errors
    /// `Gone` when it was destroyed.
    pub fn bucket(&self, id: Uuid) -> Result<Bucket> {
        let sealed = read(&self.path(id))?;
        match self.unwrap(id, &sealed) {
            // The master key may have been replaced since it was read.
            Err(Fault::WrongMaster) => {
                self.masters_now()?;
                self.unwrap(id, &sealed)
            }
            known => known,
        }
    }

    fn unwrap(&self, id: Uuid, sealed: &[u8]) -> Result<Bucket> {
        let (head, sealed) = sealed.split_first_chunk::<9>().ok_or(Fault::Damaged)?;
        let [FORMAT, name @ ..] = head else { return Err(Fault::Damaged) };
        let masters = self.masters.read().unwrap_or_else(PoisonError::into_inner);
        let master = masters.iter().find(|master| master.name == *name).ok_or(Fault::WrongMaster)?;
        let plain = open(&master.key, &place(id), sealed)?;
        let mut key = Key::default();
        if plain.len() != key.len() {
            return Err(Fault::Damaged);
        }
        key.copy_from_slice(&plain);
        Ok(Bucket { id, key })
    }

    /// Writes a key's file, wrapped by the first master key.
    fn keep(&self, bucket: &Bucket) -> Result<()> {
        let master = {
            let masters = self.masters.read().unwrap_or_else(PoisonError::into_inner);
            masters.first().cloned().ok_or_else(|| Fault::NoMaster("there is none".into()))?
        };
        let sealed = seal(&master.key, &place(bucket.id), bucket.key.as_slice())?;
        replace(&self.path(bucket.id), &[&[FORMAT], &master.name[..], &sealed].concat())
    }

    /// Destroys a key: overwrites its file and takes it away. What it has wrapped is lost for good. Nothing happens
    /// when it is gone already.
    pub fn destroy(&self, id: Uuid) -> Result<()> {
        let path = self.path(id);
        let mut file = match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(fault) => return Err(Fault::Io(path, fault.kind())),
        };
        file.rewind().and_then(|()| file.write_all(&[0; LENGTH as usize])).map_err(Fault::io(&path))?;
        file.sync_all().map_err(Fault::io(&path))?;
        match fs::remove_file(&path) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => {
                return Err(Fault::Io(path, fault.kind()));
            }
            _ => {}
        }
        sync_folder(&self.folder)
    }

    /// Wraps every key by the first master key: how many there are, and how many were wrapped by another one.
    pub fn rewrap(&self) -> Result<(usize, usize)> {
        let first = self.masters_now()?;
        let (mut all, mut changed) = (0, 0);
        for entry in fs::read_dir(&self.folder).map_err(Fault::io(&self.folder))? {
            let path = entry.map_err(Fault::io(&self.folder))?.path();
            let name =
                path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".key"));
            let Some(id) = name.and_then(|name| name.parse::<Uuid>().ok()) else { continue };
            let sealed = match read(&path) {
                // Destroyed since the folder was listed.
                Err(Fault::Gone) => continue,
                sealed => sealed?,
            };
            all += 1;
            if sealed.get(1..9) != Some(&first[..]) {
                self.keep(&self.unwrap(id, &sealed)?)?;
                changed += 1;
            }
        }
        Ok((all, changed))
    }
}

impl Bucket {
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// A woman's key, wrapped for the database.
    pub fn wrap(&self, organization: Uuid, participant: Uuid, key: &DataKey) -> Result<Vec<u8>> {
        seal(&self.key, &self.place(organization, participant), key.0.as_slice())
    }

    /// A woman's key out of the database.
    pub fn unwrap(&self, organization: Uuid, participant: Uuid, wrapped: &[u8]) -> Result<DataKey> {
        let plain = open(&self.key, &self.place(organization, participant), wrapped)?;
        let mut key = Key::default();
        if plain.len() != key.len() {
            return Err(Fault::Damaged);
        }
        key.copy_from_slice(&plain);
        Ok(DataKey(key))
    }

    fn place(&self, organization: Uuid, participant: Uuid) -> Vec<u8> {
        let ids = [organization, participant, self.id];
        let mut place = b"umbral woman 1".to_vec();
        place.extend(ids.iter().flat_map(|id| id.as_bytes()));
        place
    }

    /// The blind index of a text: 16 bytes. Without the bucket's key nobody can try texts against it.
    pub fn index(&self, organization: Uuid, kind: &str, text: &str) -> Vec<u8> {
        let digest = keyed(
            &self.key,
            &[b"umbral blind index", organization.as_bytes(), kind.as_bytes(), text.as_bytes()],
        );
        digest[..16].to_vec()
    }
}

fn place(bucket: Uuid) -> Vec<u8> {
    [&b"umbral bucket 1"[..], bucket.as_bytes()].concat()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Err(Fault::Gone),
        Err(fault) => return Err(Fault::Io(path.to_owned(), fault.kind())),
    };
    let mut bytes = Vec::with_capacity(LENGTH as usize);
    file.take(LENGTH + 1).read_to_end(&mut bytes).map_err(Fault::io(path))?;
    if bytes.len() as u64 == LENGTH { Ok(bytes) } else { Err(Fault::Damaged) }
}

/// Puts a file in place, whole or not at all, for its owner alone. It is on the disk when this returns.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .tempfile_in(folder)
        .map_err(Fault::io(folder))?;
    new.write_all(bytes).and_then(|()| new.as_file().sync_all()).map_err(Fault::io(path))?;
    new.persist(path).map_err(|fault| Fault::Io(path.to_owned(), fault.error.kind()))?;
    sync_folder(folder)
}

fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Fault::io(folder))
}

/// Makes a folder for its owner alone, where there is none.
pub(crate) fn private_folder(folder: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(Fault::io(folder))
}

/// Refuses what others than its owner can get at.
pub(crate) fn private(path: &Path) -> Result<()> {
    let mode = fs::metadata(path).map_err(Fault::io(path))?.mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(Fault::Exposed(path.to_owned())) }
}
