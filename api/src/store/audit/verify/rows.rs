//! The rows of a chain, place by place.

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use sea_orm::{QueryResult, Statement};
use uuid::Uuid;

use super::{AT_ONCE, Fault, Faults, OPEN};
use crate::{
    error::Result,
    store::{
        Store,
        audit::chain::{self, Raw},
    },
};

/// How far a chain has been walked.
pub struct Walk {
    organization: Uuid,
    /// The place that comes next.
    pub next: i64,
    /// Places that were read and come later.
    ahead: VecDeque<Link>,
    /// The digest of the place before, as it is there.
    stored: Vec<u8>,
    /// The same as it should be, where that is something else.
    wanted: Option<Vec<u8>>,
    /// Rows that are not what was sealed.
    changed: Vec<Suspect>,
    last: Option<Raw>,
    /// When all that was committed had been sealed.
    pub drained_at: Option<DateTime<Utc>>,
    pub faults: Faults,
}

/// A row that does not fit in its place.
struct Suspect {
    number: i64,
    before: Vec<u8>,
    digest: Vec<u8>,
    row: Raw,
    /// The place behind it follows on the row and not on the digest that is there.
    digest_changed: bool,
}

/// A place of the chain.
struct Link {
    number: i64,
    event_id: Uuid,
    digest: Vec<u8>,
    row: Option<Raw>,
}

impl Walk {
    pub fn new(organization: Uuid) -> Self {
        Self {
            organization,
            next: 1,
            ahead: VecDeque::new(),
            stored: chain::beginning(organization),
            wanted: None,
            changed: Vec::new(),
            last: None,
            drained_at: None,
            faults: Faults::default(),
        }
    }

    /// What a seal may follow on here.
    pub fn ends(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.stored.as_slice()).chain(self.wanted.as_deref())
    }

    fn step(&mut self, link: Link) {
        let Link { number, event_id, digest, row } = link;
        if number > self.next {
            self.faults.add(Fault::PlacesGone { first: self.next, last: number - 1 });
        }
        let behind_gap = number > self.next;
        self.next = number + 1;
        let mut wanted = None;
        match row {
            None => self.faults.add(Fault::Gone { number, id: event_id, before: self.last.take() }),
            // Behind places that are gone there is nothing to follow on.
            Some(row) if behind_gap => self.last = Some(row),
            Some(row) => {
                let computed = chain::link(&self.stored, number, &row);
                if computed != digest {
                    let repaired = self.wanted.as_ref().map(|before| chain::link(before, number, &row));
                    if repaired.as_ref() == Some(&digest) {
                        if let Some(suspect) = self.changed.last_mut() {
                            suspect.digest_changed = true;
                        }
                    } else {
                        wanted = Some(computed);
                        self.suspect(Suspect {
                            number,
                            before: self.stored.clone(),
                            digest: digest.clone(),
                            row: row.clone(),
                            digest_changed: false,
                        });
                    }
                } else if let Some(drained_at) = self.came_late(&row) {
                    self.faults.add(Fault::Late(number, row.clone(), drained_at));
                }
                self.last = Some(row);
            }
        }
        self.stored = digest;
        self.wanted = wanted;
    }

    /// When it was shown that a row was not there, which says that it was recorded long before.
    fn came_late(&self, row: &Raw) -> Option<DateTime<Utc>> {
        let drained_at = self.drained_at?;
        (row.recorded_at()? + OPEN < drained_at).then_some(drained_at)
    }

    fn suspect(&mut self, suspect: Suspect) {
        if self.changed.len() < Faults::LISTED {
            self.changed.push(suspect);
        } else {
            self.faults.more += 1;
        }
    }

    /// What was found, the changed rows with what became of them.
    pub fn finish(self) -> Faults {
        let mut faults = Faults { more: self.faults.more, ..Faults::default() };
        let mut changed: Vec<Option<Suspect>> = self.changed.into_iter().map(Some).collect();
        for place in 0..changed.len() {
            let Some(one) = changed.get_mut(place).and_then(Option::take) else { continue };
            let other =
                changed.iter_mut().find(|other| other.as_ref().is_some_and(|other| swapped(&one, other)));
            faults.add(match other.and_then(Option::take) {
                Some(other) => Fault::Swapped((one.number, one.row), (other.number, other.row)),
                None if one.digest_changed => Fault::DigestChanged(one.number, one.row),
                None => Fault::Changed(one.number, one.row),
            });
        }
        for fault in self.faults.listed {
            faults.add(fault);
        }
        faults
    }
}

/// Whether each of two rows fits in the other's place: as it is, or under the other's key.
fn swapped(one: &Suspect, other: &Suspect) -> bool {
    let fits = |place: &Suspect, row: &Suspect| {
        [row.row.clone(), row.row.under_key_of(&place.row)]
            .iter()
            .any(|row| chain::link(&place.before, place.number, row) == place.digest)
    };
    fits(one, other) && fits(other, one)
}

impl Store {
    /// Walks on to a place.
    pub(super) async fn walk_to(&self, walk: &mut Walk, last: i64) -> Result<()> {
        while walk.next <= last {
            if walk.ahead.is_empty() {
                walk.ahead = self.links(walk.organization, walk.next).await?;
            }
            match walk.ahead.pop_front() {
                Some(link) if link.number <= last => walk.step(link),
                behind => {
                    if let Some(link) = behind {
                        walk.ahead.push_front(link);
                    }
                    walk.faults.add(Fault::PlacesGone { first: walk.next, last });
                    walk.next = last.saturating_add(1);
                }
            }
        }
        Ok(())
    }

    async fn links(&self, organization: Uuid, first: i64) -> Result<VecDeque<Link>> {
        let backend = self.pools.read.get_database_backend();
        let sql = format!(
            "SELECT l.number, l.event_id, l.digest, {} FROM (SELECT * FROM audit_link \
             WHERE organization_id = $1 AND number >= $2 ORDER BY number LIMIT {AT_ONCE}) l \
             LEFT JOIN audit_event e ON e.organization_id = l.organization_id AND e.id = l.event_id \
             ORDER BY l.number",
            Raw::selection(backend)
        );
        let values = [organization.into(), first.into()];
        let rows = self.raw(Statement::from_sql_and_values(backend, sql, values)).await?;
        let link = |row: &QueryResult| {
            Ok(Link {
                number: row.try_get_by_index(0)?,
                event_id: row.try_get_by_index(1)?,
                digest: row.try_get_by_index(2)?,
                row: Raw::read(row, backend, 3)?,
            })
        };
        Ok(rows.iter().map(link).collect::<Result<_, sea_orm::DbErr>>()?)
    }
}
