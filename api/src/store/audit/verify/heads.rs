//! The heads of a chain, line by line.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use chrono::TimeDelta;
use entity::audit_seal;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{AT_ONCE, Chain, Fault, Faults, Place, Source};
use crate::{
    auth::{
        keys::KeyRing,
        token::{self, Refused},
    },
    error::{Error, Result},
    id::{self, Kind},
    store::{
        Store,
        audit::{
            heads::{Head, Heads, LONGEST, Line, hex},
            seal::newest_seal,
        },
    },
};

/// How soon after its seal a head is written, if the folder can be written at all.
const WRITTEN_WITHIN: TimeDelta = TimeDelta::minutes(1);

/// A file that is read line by line.
struct Lines {
    name: String,
    reader: BufReader<File>,
    line: u64,
}

/// What was read of a line.
enum Found {
    Line(Box<Line>),
    Broken,
    End,
}

impl Lines {
    fn open(path: &Path) -> io::Result<Option<Self>> {
        match File::open(path) {
            Ok(file) => {
                Ok(Some(Self { name: path.display().to_string(), reader: BufReader::new(file), line: 0 }))
            }
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn next(&mut self) -> io::Result<Found> {
        let mut text = Vec::new();
        (&mut self.reader).take(LONGEST).read_until(b'\n', &mut text)?;
        if text.is_empty() {
            return Ok(Found::End);
        }
        self.line += 1;
        if text.last() != Some(&b'\n') {
            return Ok(Found::Broken);
        }
        Ok(serde_json::from_slice(&text).map_or(Found::Broken, Found::Line))
    }
}

impl Store {
    /// Files of a folder whose organisation is not in the database.
    pub(super) fn strangers(&self, source: &Source, slugs: &[&str]) -> Result<Vec<Chain>> {
        let (Source::Own(folder) | Source::Kept(folder)) = source;
        let mut chains = Vec::new();
        if !folder.is_dir() {
            return Ok(chains);
        }
        for entry in fs::read_dir(folder).map_err(|fault| unread(folder, &fault))? {
            let path = entry.map_err(|fault| unread(folder, &fault))?.path();
            let slug = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
            if path.extension() == Some(OsStr::new("jsonl")) && !slugs.contains(&slug) {
                let mut faults = Faults::default();
                faults.add(Fault::HeadsOfNobody { file: path.display().to_string() });
                chains.push(Chain {
                    slug: slug.to_owned(),
                    rows: 0,
                    upto: None,
                    unsealed: 0,
                    since: None,
                    heads: 0,
                    unknown_keys: 0,
                    faults,
                });
            }
        }
        Ok(chains)
    }

    pub(super) async fn verify_heads(
        &self,
        organization: Uuid,
        source: &Source,
        chain: &mut Chain,
    ) -> Result<()> {
        let ring = self.signer()?.ring();
        // Before the file: whatever it holds then, it holds the heads of these.
        let newest = newest_seal(&self.pools.read, organization).await?;
        let path = file(source, &chain.slug);
        let mut file = match Lines::open(&path).map_err(|fault| unread(&path, &fault))? {
            Some(lines) => Reading::new(lines, organization, source),
            None => {
                if let (Source::Own(_), Some(seal)) = (source, &newest)
                    && seal.sealed_at + WRITTEN_WITHIN < self.clock.now()
                {
                    let file = path.display().to_string();
                    chain.faults.add(Fault::HeadsCutOff { file, last: 0, seals: seal.number });
                }
                return Ok(());
            }
        };
        let (mut rewritten, mut cut_off) = (None, None);
        loop {
            let heads = file.some(&ring, &mut chain.faults).map_err(|fault| unread(&path, &fault))?;
            if heads.is_empty() {
                break;
            }
            let seals = self.seals(organization, heads.iter().map(|head| head.number)).await?;
            for head in heads {
                match seals.get(&head.number) {
                    Some(seal) if hex(&seal.digest) == head.digest && seal.last_row == head.count => {
                        chain.heads += 1
                    }
                    Some(seal) => {
                        rewritten.get_or_insert(Fault::Rewritten(head, Some(Place::of(seal))));
                    }
                    None if newest.as_ref().is_some_and(|newest| head.number < newest.number) => {
                        rewritten.get_or_insert(Fault::Rewritten(head, None));
                    }
                    None => cut_off = Some(head),
                }
            }
        }
        chain.unknown_keys = file.unknown_keys;
        if let Some(head) = cut_off {
            let (seals, rows) = newest.as_ref().map_or((0, 0), |seal| (seal.number, seal.last_row));
            chain.faults.add(Fault::CutOff { head, seals, rows });
        }
        rewritten.into_iter().for_each(|fault| chain.faults.add(fault));
        if file.newest_is_unknown {
            let name = file.lines.name.clone();
            chain.faults.add(Fault::HeadUnknownKey { file: name, number: file.last });
        }
        if let Some(seal) = newest.filter(|seal| file.strict && seal.number > file.last)
            && seal.sealed_at + WRITTEN_WITHIN < self.clock.now()
        {
            let name = file.lines.name.clone();
            chain.faults.add(Fault::HeadsCutOff { file: name, last: file.last, seals: seal.number });
        }
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "the chain of one organisation, for its verification")]
    async fn seals(
        &self,
        organization: Uuid,
        numbers: impl Iterator<Item = i64>,
    ) -> Result<HashMap<i64, audit_seal::Model>> {
        use audit_seal::Column::{Number, OrganizationId};
        let seals = audit_seal::Entity::find()
            .filter(OrganizationId.eq(organization))
            .filter(Number.is_in(numbers))
            .all(&self.pools.read)
            .await?;
        Ok(seals.into_iter().map(|seal| (seal.number, seal)).collect())
    }
}

/// A file of heads, and how far it was read.
struct Reading {
    lines: Lines,
    /// The global id of the organisation.
    organization: String,
    /// All heads have to be there, one after the other.
    strict: bool,
    /// The file may hold heads of others as well.
    of_all: bool,
    last: i64,
    unknown_keys: u64,
    newest_is_unknown: bool,
}

impl Reading {
    fn new(lines: Lines, organization: Uuid, source: &Source) -> Self {
        Self {
            lines,
            organization: id::text(Kind::Organization, organization),
            strict: matches!(source, Source::Own(_)),
            of_all: matches!(source, Source::Kept(path) if !path.is_dir()),
            last: 0,
            unknown_keys: 0,
            newest_is_unknown: false,
        }
    }

    /// The next heads of the organisation that can be believed, and what is wrong with the lines between them.
    fn some(&mut self, ring: &KeyRing, faults: &mut Faults) -> io::Result<Vec<Head>> {
        let mut heads = Vec::new();
        while (heads.len() as u64) < AT_ONCE {
            let read = self.lines.next()?;
            let (file, line) = (self.lines.name.clone(), self.lines.line);
            let Line { head, signature } = match read {
                Found::End => break,
                Found::Broken => {
                    faults.add(Fault::HeadBroken { file, line });
                    continue;
                }
                Found::Line(line) => *line,
            };
            if self.of_all && head.organization != self.organization {
                continue;
            }
            let unknown = match token::read_statement::<Head>(ring, &signature) {
                Ok(signed) if signed == head && head.organization == self.organization => false,
                Err(Refused::UnknownKey) if head.organization == self.organization => true,
                _ => {
                    if head.number == self.last + 1 {
                        self.last = head.number;
                    }
                    faults.add(Fault::HeadForged { file, line });
                    continue;
                }
            };
            if self.strict && head.number != self.last + 1 {
                let (first, last) = (self.last + 1, head.number - 1);
                faults.add(Fault::HeadsMissing { file, line, first, last });
            }
            self.last = self.last.max(head.number);
            self.unknown_keys += u64::from(unknown);
            self.newest_is_unknown = unknown;
            heads.push(head);
        }
        Ok(heads)
    }
}

fn file(source: &Source, slug: &str) -> PathBuf {
    match source {
        Source::Kept(file) if !file.is_dir() => file.clone(),
        Source::Own(folder) | Source::Kept(folder) => Heads::file(folder, slug),
    }
}

fn unread(path: &Path, fault: &io::Error) -> Error {
    Error::Internal(format!("{}: {fault}", path.display()))
}
