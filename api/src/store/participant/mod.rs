//! Women who take part: who reaches their records, and what is read of them.
//!
//! A record is read in a [`Reading`](super::record), which leaves its trace. Who she is comes out of ciphertext
//! (`identity.rs`), column by column, only as far as it was asked for and the viewer may know it.

mod birth;
pub mod break_glass;
mod change;
pub mod consent;
mod erase;
mod file;
mod identity;
pub mod maternity;
pub mod merge;
pub(in crate::store) mod register;
pub(in crate::store) mod scope;
pub mod stay;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    consent as consent_row, custody_stay, dependant, maternity as maternity_row, participant,
    participant_key, participant_merge, value::BlindIndexKind,
};
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, FromQueryResult, PaginatorTrait, QueryFilter, QuerySelect,
    QueryTrait,
    sea_query::{Alias, CaseStatement, Expr, ExprTrait, JoinType, SelectStatement},
};
use serde::Deserialize;
use uuid::Uuid;

use self::scope::{at, ids, in_scope, taken};
pub use self::{
    change::{SetDependants, UpdateParticipant},
    erase::EraseParticipant,
    file::{Cell, File, RecordUse, Section},
    identity::{Document, Identity, Part},
    register::RegisterParticipant,
};
use super::{
    Access, Scoped,
    distribution::{among, among_expr},
    input::storable,
    keyset::{Direction, Key, Page, Place, SqlOrder, Window},
};
use crate::{
    auth::Right,
    error::{Error, Result},
    id,
};

/// A woman, as far as she was asked for.
#[derive(Clone, Debug)]
pub struct Participant {
    pub id: Uuid,
    pub code: String,
    pub version: i32,
    pub recorded_at: DateTime<Utc>,
    pub erased_at: Option<DateTime<Utc>>,
    /// The record that counts in place of this one.
    pub merged_into: Option<Uuid>,
    /// Who she is; an error where the viewer may not know it. None when nothing of it was asked for, and once she is
    /// erased.
    pub identity: Option<Result<Identity>>,
}

/// Which records are asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Filter {
    pub code: Option<Vec<String>>,
    /// Where they are today.
    #[serde(deserialize_with = "id::list::<_, {id::FACILITY}>")]
    pub facility: Option<Vec<Uuid>>,
    /// Given names, family names, or both, exactly; accents and case do not matter.
    pub name: Option<String>,
    /// The number of a document, exactly.
    pub document: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderField {
    Code,
    RecordedAt,
}

/// What is read of each record.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Parts of who she is.
    pub identity: Vec<Part>,
    /// The fields as the audit keeps them.
    pub fields: Vec<String>,
}

/// A page of records.
#[derive(Clone, Debug)]
pub struct Listing {
    pub filter: Filter,
    pub order: (OrderField, Direction),
    pub window: Window,
    pub with_total: bool,
    pub wanted: Wanted,
}

/// What is asked of records, for women or for none in particular.
#[derive(Clone, Debug)]
pub enum Asked {
    Page(Box<Listing>),
    /// The records themselves.
    Record(Wanted),
    Stays(Vec<String>),
    Dependants(Vec<String>),
    Maternities(Vec<String>),
    Consents(Vec<String>),
    BreakGlasses(Vec<String>),
    /// Who has used her record.
    Uses(Vec<String>),
    /// The women whom deliveries name.
    Recipients(Wanted),
    /// Records that are, or were, merged.
    Merges(Box<merge::Listing>),
    Merge(Vec<String>),
}

/// What there is, for one woman or for none in particular.
#[derive(Clone, Debug)]
pub enum Found {
    Page(Page<Participant>),
    Record(Option<Box<Participant>>),
    Stays(Vec<custody_stay::Model>),
    Dependants(Vec<dependant::Model>),
    Maternities(Vec<maternity_row::Model>),
    Consents(Vec<consent_row::Model>),
    BreakGlasses(Vec<break_glass::Taken>),
    Uses(Vec<RecordUse>),
    Recipients(Vec<Participant>),
    Merges(Page<participant_merge::Model>),
    Merge(Option<Box<participant_merge::Model>>),
}

impl Scoped for participant::Entity {
    fn visible_to(access: &Access) -> Condition {
        in_scope(access)
    }
}

/// What hangs on a woman is seen by who sees her.
macro_rules! of_women {
    ($($entity:ident),*) => {$(
        impl Scoped for $entity::Entity {
            fn visible_to(access: &Access) -> Condition {
                use $entity::Column;
                Condition::all()
                    .add(Column::OrganizationId.eq(access.viewer.organization()))
                    .add(Column::ParticipantId.in_subquery(ids(in_scope(access))))
            }
        }
    )*};
}
of_women!(custody_stay, dependant, maternity_row, consent_row, participant_key);

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    code: String,
    version: i32,
    identity_version: i32,
    recorded_at: DateTime<Utc>,
    erased_at: Option<DateTime<Utc>>,
    merged_into: Option<Uuid>,
    given_names: Option<Vec<u8>>,
    family_names: Option<Vec<u8>>,
    birth_date: Option<Vec<u8>>,
    documents: Option<Vec<u8>>,
    notes: Option<Vec<u8>>,
    bucket_id: Option<Uuid>,
    wrapped: Option<Vec<u8>>,
}

impl Access {
    /// Women's records, or what hangs on them, in a constant number of statements: by woman, or under nil.
    pub async fn records(&self, asked: &Asked, women: &[Uuid]) -> Result<HashMap<Uuid, Found>> {
        self.require(Right::ParticipantRead)?;
        match asked {
            Asked::Page(listing) => {
                let page = self.participants(listing).await?;
                Ok(HashMap::from([(Uuid::nil(), Found::Page(page))]))
            }
            Asked::Record(wanted) => self.participants_by_id(women, wanted).await,
            Asked::Recipients(wanted) => self.recipients(women, wanted).await,
            Asked::Stays(fields) => {
                let mut rows = self.hanging::<custody_stay::Entity>(women, "custody_stay", fields).await?;
                rows.sort_by_key(|row| (row.starts_on, row.recorded_at, row.id));
                Ok(gather(women, rows, |row| row.participant_id, Found::Stays))
            }
            Asked::Dependants(fields) => {
                let mut rows = self.hanging::<dependant::Entity>(women, "dependant", fields).await?;
                rows.sort_by_key(|row| row.position);
                Ok(gather(women, rows, |row| row.participant_id, Found::Dependants))
            }
            Asked::Maternities(fields) => {
                let mut rows = self.maternities(women, fields).await?;
                rows.sort_by_key(|row| (row.starts_on, row.recorded_at, row.id));
                Ok(gather(women, rows, |row| row.participant_id, Found::Maternities))
            }
            Asked::Consents(fields) => {
                let mut rows = self.hanging::<consent_row::Entity>(women, "consent", fields).await?;
                rows.sort_by_key(|row| (row.decided_on, row.recorded_at, row.id));
                Ok(gather(women, rows, |row| row.participant_id, Found::Consents))
            }
            Asked::Uses(fields) => {
                let uses = self.record_uses(women, fields).await?;
                Ok(uses.into_iter().map(|(woman, uses)| (woman, Found::Uses(uses))).collect())
            }
            Asked::BreakGlasses(fields) => {
                let rows = self.break_glasses(fields).await?;
                Ok(HashMap::from([(Uuid::nil(), Found::BreakGlasses(rows))]))
            }
            Asked::Merges(listing) => {
                let page = self.merges(listing).await?;
                Ok(HashMap::from([(Uuid::nil(), Found::Merges(page))]))
            }
            Asked::Merge(fields) => self.merges_by_id(women, fields).await,
        }
    }

    async fn participants(&self, listing: &Listing) -> Result<Page<Participant>> {
        let Filter { code, facility, name, document } = &listing.filter;
        if (name.is_some() || document.is_some()) && !self.viewer.has(Right::ParticipantIdentify) {
            return Err(Error::NotPermitted);
        }
        let order = order(listing.order);
        let mut matching = Condition::all()
            .add(participant::Column::ErasedAt.is_null())
            .add(participant::Column::MergedInto.is_null());
        if let Some(codes) = code {
            matching = matching.add(participant::Column::Code.is_in(storable(codes)));
        }
        if let Some(facilities) = facility {
            matching =
                matching.add(participant::Column::Id.in_subquery(at(self, facilities.iter().copied())));
        }
        let reading = self.reading().await?;
        for (kind, text) in [(BlindIndexKind::Name, name), (BlindIndexKind::Document, document)] {
            if let Some(text) = text {
                let women = self.found_blind(reading.tx(), kind, text).await?;
                matching = matching.add(among(participant::Column::Id, women));
            }
        }
        let mut statement =
            self.part_of(&listing.wanted, matching.clone().add(order.between(&listing.window)));
        order.sort(&mut statement, listing.window.backwards);
        statement.limit(listing.window.size as u64 + 1);
        let rows = Row::find_by_statement(self.backend().build(&statement)).all(reading.tx()).await?;
        // Whoever decides what the answer says is in its trace, the row that says whether there are more included.
        let women: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let Page { rows, has_next, has_previous, .. } = listing.window.cut(rows);
        let total = if listing.with_total {
            Some(self.select::<participant::Entity>().filter(matching).count(reading.tx()).await? as i64)
        } else {
            None
        };
        let rows = self.opened(rows, &listing.wanted).await?;
        let page = Page { rows, has_next, has_previous, total };
        reading.end("participant", &listing.wanted.fields, women, page).await
    }

    async fn participants_by_id(&self, ids: &[Uuid], wanted: &Wanted) -> Result<HashMap<Uuid, Found>> {
        let reading = self.reading().await?;
        let rows = self.participants_in(reading.tx(), ids, wanted).await?;
        let women: Vec<Uuid> = rows.keys().copied().collect();
        let mut found: HashMap<Uuid, Found> = ids.iter().map(|id| (*id, Found::Record(None))).collect();
        found.extend(rows.into_iter().map(|(id, row)| (id, Found::Record(Some(Box::new(row))))));
        reading.end("participant", &wanted.fields, women, found).await
    }

    /// Records by id, in a transaction that leaves their trace.
    pub(in crate::store) async fn participants_in(
        &self,
        tx: &DatabaseTransaction,
        ids: &[Uuid],
        wanted: &Wanted,
    ) -> Result<HashMap<Uuid, Participant>> {
        let statement = self.part_of(wanted, among(participant::Column::Id, ids.iter().copied()));
        let rows = Row::find_by_statement(self.backend().build(&statement)).all(tx).await?;
        Ok(self.opened(rows, wanted).await?.into_iter().map(|row| (row.id, row)).collect())
    }

    /// The records in scope with the columns that are wanted. What the viewer may not know is not fetched.
    fn part_of(&self, wanted: &Wanted, matching: Condition) -> SelectStatement {
        use participant::Column;
        let select = self.select::<participant::Entity>().filter(matching).select_only().columns([
            Column::Id,
            Column::Code,
            Column::Version,
            Column::IdentityVersion,
            Column::RecordedAt,
            Column::ErasedAt,
            Column::MergedInto,
        ]);
        let mut statement = select.into_query();
        let knows = self.viewer.has(Right::ParticipantIdentify);
        let shown = |expr: Expr| match knows {
            true => expr,
            false => {
                let taken = Expr::col((participant::Entity, Column::Id)).in_subquery(taken(self));
                CaseStatement::new().case(taken, expr).into()
            }
        };
        for part in Part::ALL {
            let column = part.column();
            let expr = if wanted.identity.contains(&part) {
                shown(Expr::col((participant::Entity, column)))
            } else {
                Expr::cust("NULL")
            };
            statement.expr_as(expr, Alias::new(part.name()));
        }
        if wanted.identity.is_empty() {
            for column in ["bucket_id", "wrapped"] {
                statement.expr_as(Expr::cust("NULL"), Alias::new(column));
            }
            return statement;
        }
        let key = |column| Expr::col((participant_key::Entity, column));
        let on = Condition::all()
            .add(
                key(participant_key::Column::OrganizationId)
                    .equals((participant::Entity, Column::OrganizationId)),
            )
            .add(key(participant_key::Column::ParticipantId).equals((participant::Entity, Column::Id)));
        statement.join(JoinType::LeftJoin, participant_key::Entity, on);
        statement.expr_as(shown(key(participant_key::Column::BucketId)), Alias::new("bucket_id"));
        statement.expr_as(shown(key(participant_key::Column::Wrapped)), Alias::new("wrapped"));
        statement
    }

    /// The rows with who they are, deciphered.
    async fn opened(&self, rows: Vec<Row>, wanted: &Wanted) -> Result<Vec<Participant>> {
        let buckets = self.buckets(rows.iter().filter_map(|row| row.bucket_id)).await?;
        let own = self.own()?;
        let opened = rows.into_iter().map(|row| {
            let identity = if wanted.identity.is_empty() || row.erased_at.is_some() {
                None
            } else {
                Some(identity::open(own, &row, &buckets))
            };
            let Row { id, code, version, recorded_at, erased_at, merged_into, .. } = row;
            Participant { id, code, version, recorded_at, erased_at, merged_into, identity }
        });
        Ok(opened.collect())
    }

    /// Rows that hang on women.
    async fn hanging<E: Scoped>(
        &self,
        women: &[Uuid],
        entity: &str,
        fields: &[String],
    ) -> Result<Vec<E::Model>> {
        let reading = self.reading().await?;
        let rows = self.hanging_in::<E>(reading.tx(), women).await?;
        reading.end(entity, fields, women.iter().copied(), rows).await
    }

    /// The rows of an entity with these women.
    pub(in crate::store) async fn hanging_in<E: Scoped>(
        &self,
        tx: &DatabaseTransaction,
        women: &[Uuid],
    ) -> Result<Vec<E::Model>> {
        let column = |name: &str| Expr::col((E::default(), Alias::new(name)));
        let of_women = among_expr(column("participant_id"), women.iter().copied());
        Ok(self.select::<E>().filter(of_women).all(tx).await?)
    }

    /// Where a woman stands in a list.
    pub fn participant_place(row: &Participant, field: OrderField) -> Place {
        let key = match field {
            OrderField::Code => Key::Text(row.code.clone()),
            OrderField::RecordedAt => Key::Moment(row.recorded_at),
        };
        Place { key, id: row.id }
    }
}

fn order((field, direction): (OrderField, Direction)) -> SqlOrder {
    let column = match field {
        OrderField::Code => participant::Column::Code,
        OrderField::RecordedAt => participant::Column::RecordedAt,
    };
    let key = Expr::col((participant::Entity, column));
    let id = Expr::col((participant::Entity, participant::Column::Id));
    SqlOrder { key, id, nullable: false, direction }
}

fn gather<T>(
    women: &[Uuid],
    rows: Vec<T>,
    of: impl Fn(&T) -> Uuid,
    found: impl Fn(Vec<T>) -> Found,
) -> HashMap<Uuid, Found> {
    let mut by: HashMap<Uuid, Vec<T>> = women.iter().map(|id| (*id, Vec::new())).collect();
    for row in rows {
        by.entry(of(&row)).or_default().push(row);
    }
    by.into_iter().map(|(id, rows)| (id, found(rows))).collect()
}
