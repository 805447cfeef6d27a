//! What has changed since a device asked last, in pages that can be gone on with at any time.
//!
//! Changes are ordered by a number that says when they were made. On PostgreSQL transactions that began earlier may end
//! later, so what is new at the end of a walk is not all that will ever stand there: a walk through the pages begins
//! anew from the first number whose transaction was still open when the walk began. A device may get a row twice, and
//! misses none.

use std::collections::{HashMap, HashSet};

use entity::{change, distribution, stock_movement, value::DistributionStatus};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DbBackend, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select, Statement, Value,
    sea_query::{Expr, ExprTrait, SelectStatement},
};
use uuid::Uuid;

use super::{Access, Scoped, begin, distribution::Delivery, stock::read::Movement, write::Write};
use crate::{
    auth::Right,
    error::{Error, Result},
    id::Kind,
};

/// Kinds that belong to all: a device needs the facilities and kits of other organisations too.
const REGISTRY: [Kind; 4] = [Kind::Facility, Kind::Program, Kind::Item, Kind::Kit];
const OWN: [Kind; 3] = [Kind::Distribution, Kind::StockPlace, Kind::StockMovement];

/// Where a device stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Position {
    /// Where the next walk begins; all before it is complete.
    pub safe: i64,
    /// Where this walk began.
    pub from: i64,
    /// The last row that the device has been given, while it walks.
    pub last: Option<Place>,
}

/// Where a change stands among all.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    pub changed: i64,
    pub kind: i32,
    pub row: Uuid,
}

/// An object that has changed, as the viewer may see it.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    pub kind: Kind,
    pub id: Uuid,
    /// Archived or void: a device may forget it.
    pub ended: bool,
}

/// A page of changes.
pub struct Changes {
    pub rows: Vec<Change>,
    pub next: Position,
    pub more: bool,
    pub deliveries: HashMap<Uuid, Delivery>,
    pub movements: HashMap<Uuid, Movement>,
}

impl Place {
    fn kind(&self) -> Option<Kind> {
        Kind::from_byte(self.kind.try_into().ok()?)
    }
}

impl Scoped for change::Entity {
    fn visible_to(access: &Access) -> Condition {
        use change::Column::{Kind as OfKind, OrganizationId};
        let registry = OfKind.is_in(REGISTRY.map(|kind| kind as i32));
        let own = access
            .viewer
            .organization()
            .map(|own| Condition::all().add(OrganizationId.eq(own)).add(access.own_changes()));
        Condition::any().add(registry).add_option(own)
    }
}

/// On PostgreSQL a database that was dumped and put into another cluster holds numbers of transactions that are yet to
/// come there. They are made numbers of now, and a new key of cursors lets all devices begin anew.
///
/// # Errors
/// When the database is out of reach.
pub(super) async fn after_restore(db: &DatabaseConnection, key: &[u8]) -> Result<()> {
    const NOW: &str = "UPDATE change SET changed = pg_current_xact_id()::text::bigint";
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    // One read of an index for each kind.
    let kinds: Vec<String> = REGISTRY.into_iter().chain(OWN).map(|kind| (kind as i32).to_string()).collect();
    let from_elsewhere = format!(
        "UPDATE instance SET cursor_key = $1 WHERE id = 1 AND EXISTS (\
         SELECT 1 FROM change WHERE kind IN ({}) \
         AND changed >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint)",
        kinds.join(", ")
    );
    let tx = begin(db).await?;
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, from_elsewhere, [key.into()]);
    if tx.execute_raw(statement).await?.rows_affected() == 1 {
        tx.execute_unprepared(NOW).await?;
        tracing::warn!("this database comes from another cluster; cursors begin anew");
    }
    Ok(tx.commit().await?)
}

impl Write<'_> {
    /// Notes what is at a facility, and which programs name it, as if it had just changed: a walk that passed over it
    /// while it was hidden comes to it then.
    pub(super) async fn tell_again_of(&self, facility: Uuid) -> Result<()> {
        const PLACES: &str = "SELECT p.id FROM stock_place p WHERE p.facility_id = $1";
        const DELIVERIES: &str = "SELECT d.id FROM distribution d WHERE d.facility_id = $1";
        let backend = self.tx.get_database_backend();
        let next = match backend {
            DbBackend::Postgres => "pg_current_xact_id()::text::bigint",
            _ => "(SELECT 1 + max(n.changed) FROM change n)",
        };
        let movements = format!(
            "SELECT e.movement_id FROM stock_entry e WHERE e.place_id IN ({PLACES}) \
             UNION SELECT m.id FROM stock_movement m \
             WHERE m.to_place_id IN ({PLACES}) OR m.distribution_id IN ({DELIVERIES})"
        );
        let programs = "SELECT s.program_id FROM program_site s WHERE s.facility_id = $1";
        for (kind, rows) in [
            (Kind::Distribution, DELIVERIES),
            (Kind::StockPlace, PLACES),
            (Kind::StockMovement, movements.as_str()),
            (Kind::Program, programs),
        ] {
            let kind = kind as i32;
            let sql =
                format!("UPDATE change SET changed = {next} WHERE kind = {kind} AND row_id IN ({rows})");
            self.tx.execute_raw(Statement::from_sql_and_values(backend, sql, [facility.into()])).await?;
        }
        Ok(())
    }
}

impl Access {
    /// The next changes after a position, at most `first` of them; all there is when there is no position yet. Rows
    /// that the viewer may not see do not count.
    ///
    /// # Errors
    /// `NotPermitted` when the role reads no deliveries.
    pub async fn changes(&self, since: Option<Position>, first: usize) -> Result<Changes> {
        self.require(Right::DistributionRead)?;
        let since = since.unwrap_or_default();
        let (complete, current) = self.complete_until().await?;
        if since.safe > complete {
            // The database was put back to an older state, and nobody has said so to the server.
            return Err(Error::BadCursor);
        }
        let (safe, from, after) = match since.last {
            // A walk goes on: what it began with stays.
            Some(last) => (since.safe, since.from, last),
            // Reference tables in memory that are not those of the database would pass over a change.
            None => (
                if current { complete } else { since.safe },
                since.safe,
                Place { changed: since.safe, kind: 0, row: Uuid::nil() },
            ),
        };
        let mut places = self.changed_after(from, after, first as u64 + 1).await?;
        let more = places.len() > first;
        places.truncate(first);
        let last = places.last().copied().filter(|_| more);
        let next = Position { safe, from, last };
        self.visible(&places, next, more).await
    }

    /// The first number whose transaction may still be open, and whether the reference tables in memory are those of
    /// the database at that moment.
    async fn complete_until(&self) -> Result<(i64, bool)> {
        #[derive(FromQueryResult)]
        struct Row {
            version: i64,
            complete: i64,
        }
        let complete = match self.backend() {
            DbBackend::Postgres => "pg_snapshot_xmin(pg_current_snapshot())::text::bigint",
            _ => "(SELECT COALESCE(max(changed), 0) + 1 FROM change)",
        };
        let sql = format!("SELECT version, {complete} AS complete FROM catalog_version WHERE id = 1");
        let row =
            Row::find_by_statement(Statement::from_string(self.backend(), sql)).one(self.reader()).await?;
        let row = row.ok_or_else(|| Error::Internal("catalog_version is empty".into()))?;
        let current = row.version == self.catalog.version;
        self.seen.note(current);
        Ok((row.complete, current))
    }

    /// The places after a place that the viewer may know of, in a walk that began at a number: one read of an index for
    /// the registry, and one for the viewer's organisation.
    async fn changed_after(&self, from: i64, after: Place, limit: u64) -> Result<Vec<Place>> {
        use change::Column::{Changed, Kind as OfKind, OrganizationId, RowId};
        let sorted = |select: Select<change::Entity>| {
            select.order_by_asc(Changed).order_by_asc(OfKind).order_by_asc(RowId)
        };
        // The registry is small, and much of it may be another organisation's draft.
        let registry = self
            .select::<change::Entity>()
            .filter(OfKind.is_in(REGISTRY.map(|kind| kind as i32)))
            .filter(Changed.gte(after.changed));
        // Compared as one, so that an index leads there, also into the midst of a large transaction.
        let place = Expr::tuple([Changed, OfKind, RowId].map(|column| Expr::col((change::Entity, column))));
        let last = [after.changed.into(), after.kind.into(), after.row.into()].map(Expr::value::<Value>);
        let own = self
            .select::<change::Entity>()
            .filter(OrganizationId.eq(self.own()?))
            .filter(OfKind.is_in(OWN.map(|kind| kind as i32)))
            .filter(place.gt(Expr::tuple(last)))
            .limit(limit);
        let mut places: Vec<Place> =
            self.quiet().map(|(kind, row)| Place { changed: from, kind, row }).collect();
        let quiet: HashSet<Uuid> = places.iter().map(|place| place.row).collect();
        for row in sorted(registry).all(self.reader()).await? {
            let place = Place { changed: row.changed, kind: row.kind, row: row.row_id };
            if !quiet.contains(&place.row) && self.has_ended(&place).is_some() {
                places.push(place);
            }
        }
        let own = sorted(own).all(self.reader()).await?;
        places.extend(own.into_iter().map(|row| Place {
            changed: row.changed,
            kind: row.kind,
            row: row.row_id,
        }));
        places.retain(|place| *place > after);
        places.sort_unstable();
        places.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(places)
    }

    /// Changes of the viewer's organisation that are its own. A member that is cut to facilities is not told how much
    /// happens elsewhere.
    fn own_changes(&self) -> Condition {
        use change::Column::{Kind as OfKind, OrganizationId, RowId};
        if self.viewer.facilities().is_none() {
            return Condition::all().add(OfKind.is_in(OWN.map(|kind| kind as i32)));
        }
        // Each row that has changed is looked up by its key, and what has not changed is not read: with a limit that it
        // does not know, PostgreSQL cannot read all rows beforehand.
        let of = |kind: Kind, mut rows: SelectStatement, key: [Expr; 2]| {
            let [organization, id] = key;
            rows.and_where(organization.equals((change::Entity, OrganizationId)))
                .and_where(id.equals((change::Entity, RowId)))
                .limit(1);
            Condition::all().add(OfKind.eq(kind as i32)).add(Expr::exists(rows))
        };
        let deliveries = {
            use distribution::{Column, Entity};
            let rows = self.select::<Entity>().select_only().expr(Expr::cust("1")).into_query();
            let key = [Column::OrganizationId, Column::Id].map(|column| Expr::col((Entity, column)));
            of(Kind::Distribution, rows, key)
        };
        let movements = {
            use stock_movement::{Column, Entity};
            let rows = self.select::<Entity>().select_only().expr(Expr::cust("1")).into_query();
            let key = [Column::OrganizationId, Column::Id].map(|column| Expr::col((Entity, column)));
            of(Kind::StockMovement, rows, key)
        };
        let places = self.catalog.stock_places.iter().filter(|place| self.sees_stock_place(place));
        let places = RowId.is_in(places.map(|place| place.id));
        Condition::any()
            .add(deliveries)
            .add(movements)
            .add(Condition::all().add(OfKind.eq(Kind::StockPlace as i32)).add(places))
    }

    /// Entries of other organisations whose changes are told with the next quarter only (DISCLOSURE section 5). They
    /// are in each walk, changed or not, so that when one comes says nothing.
    fn quiet(&self) -> impl Iterator<Item = (i32, Uuid)> {
        let others = |owner: Uuid| !self.viewer.reads_drafts_of(owner);
        let programs = self.catalog.programs.iter().map(|entry| (entry.row.organization_id, entry.row.id));
        let programs = programs.filter(move |(owner, id)| {
            others(*owner) && self.program(*id).is_some_and(|view| !view.is_open())
        });
        let items = self.catalog.items.iter().map(|entry| (entry.row.organization_id, entry.row.id));
        let items = items
            .filter(move |(owner, id)| others(*owner) && self.item(*id).is_some_and(|view| !view.is_open()));
        let kits = self.catalog.kits.iter().map(|entry| (entry.row.organization_id, entry.row.id));
        let kits = kits
            .filter(move |(owner, id)| others(*owner) && self.kit(*id).is_some_and(|view| !view.is_open()));
        let of = |kind: Kind| move |(_, id)| (kind as i32, id);
        programs.map(of(Kind::Program)).chain(items.map(of(Kind::Item))).chain(kits.map(of(Kind::Kit)))
    }

    /// Whether an entry of the registry, or a place, has ended for the viewer; none when the viewer does not see it.
    fn has_ended(&self, place: &Place) -> Option<bool> {
        let id = place.row;
        Some(match place.kind()? {
            Kind::Facility => self.facility(id)?.row.archived_at.is_some(),
            Kind::Program => {
                let view = self.program(id)?;
                let row = &view.entry.row;
                self.is_archived(row.organization_id, row.archived_at, view.is_open())
            }
            Kind::Item => {
                let view = self.item(id)?;
                let row = &view.entry.row;
                self.is_archived(row.organization_id, row.archived_at, view.is_open())
            }
            Kind::Kit => {
                let view = self.kit(id)?;
                let row = &view.entry.row;
                self.is_archived(row.organization_id, row.archived_at, view.is_open())
            }
            Kind::StockPlace => self.stock_place(id)?.archived_at.is_some(),
            _ => return None,
        })
    }

    /// What the viewer sees of changes.
    async fn visible(&self, places: &[Place], next: Position, more: bool) -> Result<Changes> {
        let of = |kind: Kind| -> Vec<Uuid> {
            places.iter().filter(|place| place.kind == kind as i32).map(|place| place.row).collect()
        };
        let deliveries = of(Kind::Distribution);
        let deliveries = match deliveries.is_empty() {
            true => HashMap::new(),
            false => self.distributions_by_id(&deliveries, true).await?,
        };
        let movements = of(Kind::StockMovement);
        let movements = match movements.is_empty() {
            true => HashMap::new(),
            false => self.stock_movements_by_id(&movements).await?,
        };
        let rows = places.iter().filter_map(|place| {
            let kind = place.kind()?;
            let ended = match kind {
                Kind::Distribution => deliveries.get(&place.row)?.row.status == DistributionStatus::Voided,
                Kind::StockMovement => movements.get(&place.row).map(|_| false)?,
                _ => self.has_ended(place)?,
            };
            Some(Change { kind, id: place.row, ended })
        });
        Ok(Changes { rows: rows.collect(), next, more, deliveries, movements })
    }
}
