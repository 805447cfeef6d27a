//! Sealed releases, from the command line. Verifying a file needs no database, no network and no settings.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::Subcommand;

use super::Failed;
use crate::{
    config::Settings,
    sealed::{self, Fault, KeyFault, MOST_BYTES, PublicKey, SigningKey, Verified, plain, verify},
};

#[derive(Debug, Subcommand)]
pub enum ReleaseCommand {
    /// Check files of releases: that nothing in them was changed since they were signed, that figures keep to the
    /// published rules, and, of several, that each follows the one before it.
    Verify {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The organisation's public key: a file of it, or of several (JSON Web Key, or a set of them), or the "x" of it.
        /// May be given several times. This installation's own when left out.
        #[arg(long = "key", value_name = "KEYFILE_OR_X")]
        keys: Vec<String>,
    },
    /// Print the public key that releases are signed with, as a JSON Web Key.
    Key {
        /// Make a key first; the one that it replaces, if there is one, signs no more, and its public key stays listed.
        #[arg(long)]
        new: bool,
        /// Print a set with those that came before, too: what is to be published.
        #[arg(long)]
        all: bool,
    },
}

impl From<KeyFault> for Failed {
    fn from(fault: KeyFault) -> Self {
        Self(fault.text())
    }
}

pub fn run(settings: &Settings, command: ReleaseCommand) -> Result<(), Failed> {
    match command {
        ReleaseCommand::Verify { files, keys } => verify_files(&files, &public_keys(settings, &keys)?),
        ReleaseCommand::Key { new, all } => print_key(&settings.release_key(), new, all),
    }
}

fn print_key(path: &Path, new: bool, all: bool) -> Result<(), Failed> {
    if new {
        SigningKey::renew(path)?;
    }
    let keys = sealed::public_keys(path)?;
    match keys.first() {
        Some(present) if !all => println!("{}", present.jwk()),
        _ => println!("{:#}", sealed::jwk_set(&keys)),
    }
    Ok(())
}

/// The keys that were named, or those of this installation.
fn public_keys(settings: &Settings, named: &[String]) -> Result<Vec<PublicKey>, Failed> {
    if named.is_empty() {
        return sealed::public_keys(&settings.release_key()).map_err(|fault| match fault {
            KeyFault::None(_) => Failed("say by which key: --key KEYFILE_OR_X".into()),
            fault => fault.into(),
        });
    }
    let mut keys = Vec::new();
    for name in named {
        match PublicKey::parse(name) {
            Some(key) => keys.push(key),
            None => keys.extend(PublicKey::read(Path::new(name))?),
        }
    }
    Ok(keys)
}

/// Verifies files by themselves, and then as a chain.
fn verify_files(paths: &[PathBuf], keys: &[PublicKey]) -> Result<(), Failed> {
    let mut chain = Vec::new();
    for path in paths {
        let refused = |fault: Fault| refused(path, &fault);
        let bytes = read(path).map_err(|fault| Failed(format!("{}: {fault}", path.display())))?;
        chain.push((path, verify_by_any(&bytes, keys).map_err(refused)?));
    }
    chain.sort_by_key(|(_, verified)| verified.release().number);
    for (place, (path, verified)) in chain.iter().enumerate() {
        let (earlier, _) = chain.split_at(place);
        if let Some((_, previous)) = earlier.last() {
            verified.follows(previous).map_err(|fault| refused(path, &fault))?;
        }
        for (_, earlier) in earlier {
            verified.agrees_with(earlier).map_err(|fault| refused(path, &fault))?;
        }
    }
    for (path, verified) in &chain {
        print!("{}", told(path, verified));
    }
    print!("{}", shown(chain.iter().map(|(_, verified)| verified)));
    Ok(())
}

/// One byte more than is taken, so that a longer file is known to be one.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Verifies by the key that a file names, if it is among those that are given.
fn verify_by_any(bytes: &[u8], keys: &[PublicKey]) -> Result<Verified, Fault> {
    let mut by_other = None;
    for key in keys {
        match verify(bytes, key, None) {
            Err(fault @ Fault::Key { .. }) => by_other = by_other.or(Some(fault)),
            known => return known,
        }
    }
    Err(by_other.unwrap_or(Fault::Signature))
}

fn refused(path: &Path, fault: &Fault) -> Failed {
    let reason = fault.reason();
    Failed(format!("{}: {}\n{}", path.display(), reason.en, reason.es))
}

/// What a file is.
fn told(path: &Path, verified: &Verified) -> String {
    let release = verified.release();
    let publisher = &release.organization;
    let lines = [
        (
            "organisation",
            format!("{} ({}, {})", plain(&publisher.name), plain(&publisher.slug), publisher.id),
        ),
        ("release", format!("{}, {}", release.number, plain(release.title.text("en")))),
        ("period", format!("{} to {}", release.period.start, release.period.end)),
        ("published", release.published_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
        ("digest", verified.digest().to_owned()),
        ("follows", release.previous.clone().unwrap_or_else(|| "nothing: it is the first".into())),
        ("key", verified.key().to_owned()),
    ];
    let lines = lines.iter().map(|(name, value)| format!("  {name:<12}  {value}\n"));
    format!("{}: verified\n{}", path.display(), lines.collect::<String>())
}

/// What was checked of all, and what was not.
fn shown<'a>(chain: impl Iterator<Item = &'a Verified>) -> String {
    let numbers: Vec<u32> = chain.map(|verified| verified.release().number).collect();
    let mut text = String::from(
        "\nChecked: nothing was changed since it was signed by the key that is named; every cell has its place; every\n\
         figure is an interval that the rules in the file allow; it was published after its period and the delay.\n",
    );
    match numbers.as_slice() {
        [1] | [] => {}
        [first] => text += &format!("Release {} was not looked at.\n", first - 1),
        [first, .., last] => {
            text += &format!(
                "Releases {first} to {last} are a chain; what is carried forward stands as it was.\n"
            );
            if *first > 1 {
                text += &format!("Release {} was not looked at.\n", first - 1);
            }
        }
    }
    text + "Not shown by this: that the figures are true; that no later release corrects one or retracts a cell; that the\n\
            key is the organisation's, which you know from where you have the key.\n"
}
