//! A woman's file: everything that is held about her, for herself, and who has used it.

mod gather;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{audit_event, record_reach};
use sea_orm::{
    ActiveEnum, Condition, DatabaseTransaction, FromQueryResult,
    sea_query::{Alias, Expr, ExprTrait, JoinType, Order, Query},
};
use serde_json::{Value, json};
use uuid::Uuid;

use self::gather::Gather;
use super::{Part, Participant, Wanted};
use crate::{
    auth::Right,
    error::{Error, Result},
    store::{Access, distribution::among, payout::currency, record::Purpose},
};

/// The form of a file, so that a program that reads it knows what it has.
pub const FORM: &str = "umbral.participant.v1";

/// How many uses of her record a list shows, and how many there are in one answer.
const SHOWN: u64 = 500;
const MOST: u64 = 5_000;

/// A use of a woman's record.
#[derive(Clone, Debug, FromQueryResult)]
pub struct RecordUse {
    woman: Uuid,
    id: Uuid,
    pub recorded_at: DateTime<Utc>,
    /// Null for the system.
    pub account_id: Option<Uuid>,
    pub role: String,
    pub action: String,
    pub entity: String,
    pub purpose: Option<String>,
    pub fields: Option<Value>,
}

/// What a cell of a file holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing was recorded.
    Empty,
    Text(String),
    Number(i64),
    /// A word of a closed list, which a reader sees in words of the own language.
    Word(String),
}

/// The rows of one kind that are held about her: the names of columns, and the cells.
#[derive(Clone, Debug)]
pub struct Section {
    pub name: &'static str,
    pub columns: Vec<&'static str>,
    pub rows: Vec<Vec<Cell>>,
}

/// All that is held about a woman.
#[derive(Clone, Debug)]
pub struct File {
    pub organization: String,
    pub made_at: DateTime<Utc>,
    pub sections: Vec<Section>,
}

impl Section {
    fn new<const N: usize>(
        name: &'static str,
        columns: [&'static str; N],
        rows: impl IntoIterator<Item = [Cell; N]>,
    ) -> Self {
        Self { name, columns: columns.into(), rows: rows.into_iter().map(Vec::from).collect() }
    }
}

impl File {
    /// The file as another program reads it.
    pub fn json(&self) -> Value {
        let cell = |cell: &Cell| match cell {
            Cell::Empty => Value::Null,
            Cell::Number(number) => json!(number),
            Cell::Text(text) | Cell::Word(text) => json!(text),
        };
        let sections = self.sections.iter().map(|section| {
            let row = |row: &Vec<Cell>| -> Value {
                section.columns.iter().zip(row).map(|(name, of)| ((*name).to_owned(), cell(of))).collect()
            };
            (section.name.to_owned(), section.rows.iter().map(row).collect())
        });
        let head = [
            ("form".to_owned(), json!(FORM)),
            ("organization".to_owned(), json!(self.organization)),
            ("madeAt".to_owned(), json!(self.made_at)),
        ];
        head.into_iter().chain(sections).collect()
    }
}

fn word<E: ActiveEnum<Value = String>>(word: &E) -> Cell {
    Cell::Word(word.to_value())
}

fn maybe_word<E: ActiveEnum<Value = String>>(value: Option<&E>) -> Cell {
    value.map_or(Cell::Empty, word)
}

fn text(value: impl ToString) -> Cell {
    Cell::Text(value.to_string())
}

fn maybe(value: Option<impl ToString>) -> Cell {
    value.map_or(Cell::Empty, text)
}

/// An amount with the digits that its currency has after the point.
fn amount(minor: i64, code: &str) -> Cell {
    let digits = usize::from(currency::decimals(code).unwrap_or(0));
    if digits == 0 {
        return text(minor);
    }
    let sign = if minor < 0 { "-" } else { "" };
    let all = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, part) = all.split_at(all.len() - digits);
    Cell::Text(format!("{sign}{whole}.{part}"))
}

impl Access {
    /// Everything that is held about a woman, in a language as far as it has words. That it was taken out is in the audit
    /// before it is given. None for one whom the viewer does not reach, or who is erased.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; `Invalid` for another purpose than a request of hers; `Undecipherable`
    /// when any of it cannot be read, because a file that leaves something out would say that it is not there.
    pub async fn participant_file(&self, woman: Uuid, language: &str, format: &str) -> Result<Option<File>> {
        self.require(Right::ParticipantExport)?;
        self.require(Right::ParticipantIdentify)?;
        if self.purpose()? != Purpose::RightsRequest {
            return Err(Error::invalid("A woman's file needs Umbral-Purpose: RIGHTS_REQUEST."));
        }
        let own = self.own()?;
        let reading = self.reading().await?;
        let tx = reading.tx();
        let wanted = Wanted { identity: Part::ALL.to_vec(), fields: Vec::new() };
        let mut known = self.participants_in(tx, &[woman], &wanted).await?;
        // What is held about her is the record that counts, with those that were merged into it.
        let woman = known.get(&woman).and_then(|her| her.merged_into).unwrap_or(woman);
        if !known.contains_key(&woman) {
            known = self.participants_in(tx, &[woman], &wanted).await?;
        }
        let Some(her) = known.remove(&woman).filter(|her| her.erased_at.is_none()) else { return Ok(None) };
        let merged: Vec<Uuid> = self.merged_into(tx, woman).await?.iter().map(|row| row.id).collect();
        let mut records = vec![her];
        records.extend(self.participants_in(tx, &merged, &wanted).await?.into_values());
        records[1..].sort_by_key(|row| row.id);
        let ids = [vec![woman], merged].concat();
        let gather = Gather { access: self, tx, own, women: ids, language };
        let mut sections = identity(&records)?;
        sections.extend(gather.person().await?);
        sections.extend(gather.work().await?);
        sections.extend(gather.said().await?);
        sections.extend(gather.money().await?);
        sections.extend(gather.uses().await?);
        let organization = self.organization(own).map(|entry| entry.row.name.clone()).unwrap_or_default();
        let file = File { organization, made_at: self.now, sections };
        let women = gather.women.clone();
        reading.end_export("participant", format, women).await?;
        Ok(Some(file))
    }

    /// Who has used women's records, the newest first, by woman.
    pub(super) async fn record_uses(
        &self,
        women: &[Uuid],
        fields: &[String],
    ) -> Result<HashMap<Uuid, Vec<RecordUse>>> {
        self.require(Right::ParticipantExport)?;
        let reading = self.reading().await?;
        let seen = self.participants_in(reading.tx(), women, &Wanted::default()).await?;
        let most = Some(if women.len() == 1 { SHOWN } else { MOST + 1 });
        let rows = uses_of(self, reading.tx(), seen.keys().copied(), most).await?;
        if rows.len() as u64 > MOST {
            return Err(Error::invalid("There are too many rows. Ask for fewer women."));
        }
        let mut uses: HashMap<Uuid, Vec<RecordUse>> = women.iter().map(|id| (*id, Vec::new())).collect();
        for row in rows {
            let of = uses.entry(row.woman).or_default();
            if (of.len() as u64) < SHOWN {
                of.push(row);
            }
        }
        reading.end("record_reach", fields, women.iter().copied(), uses).await
    }
}

/// Traces about women whom the caller has found in scope, the newest first.
async fn uses_of(
    access: &Access,
    tx: &DatabaseTransaction,
    women: impl IntoIterator<Item = Uuid>,
    most: Option<u64>,
) -> Result<Vec<RecordUse>> {
    use audit_event::Column;
    let reach = |column| Expr::col((record_reach::Entity, column));
    let event = |column| Expr::col((audit_event::Entity, column));
    let on = Condition::all()
        .add(
            event(Column::OrganizationId)
                .equals((record_reach::Entity, record_reach::Column::OrganizationId)),
        )
        .add(event(Column::Id).equals((record_reach::Entity, record_reach::Column::EventId)));
    let mut uses = Query::select();
    uses.expr_as(reach(record_reach::Column::ParticipantId), Alias::new("woman"));
    for column in [
        Column::Id,
        Column::RecordedAt,
        Column::AccountId,
        Column::Role,
        Column::Action,
        Column::Entity,
        Column::Purpose,
        Column::Fields,
    ] {
        uses.column((audit_event::Entity, column));
    }
    uses.from(record_reach::Entity)
        .join(JoinType::InnerJoin, audit_event::Entity, on)
        .and_where(reach(record_reach::Column::OrganizationId).eq(access.own()?))
        .cond_where(among(record_reach::Column::ParticipantId, women))
        .order_by((audit_event::Entity, Column::RecordedAt), Order::Desc)
        .order_by((audit_event::Entity, Column::Id), Order::Desc);
    if let Some(most) = most {
        uses.limit(most);
    }
    Ok(RecordUse::find_by_statement(access.backend().build(&uses)).all(tx).await?)
}

/// Who she is.
fn identity(records: &[Participant]) -> Result<Vec<Section>> {
    let mut rows = Vec::new();
    let mut documents = Vec::new();
    for record in records {
        let known = match &record.identity {
            Some(Ok(known)) => known.clone(),
            Some(Err(fault)) => return Err(fault.clone()),
            None => continue,
        };
        rows.push([
            text(&record.code),
            maybe(known.given_names.transpose()?),
            maybe(known.family_names.transpose()?),
            maybe(known.birth_date.transpose()?),
            maybe(known.notes.transpose()?),
            text(record.recorded_at.to_rfc3339()),
        ]);
        let of = known.documents.transpose()?.unwrap_or_default();
        documents.extend(of.into_iter().map(|one| [text(one.kind), text(one.number)]));
    }
    let columns = ["code", "givenNames", "familyNames", "birthDate", "notes", "recordedAt"];
    Ok(vec![
        Section::new("identity", columns, rows),
        Section::new("documents", ["kind", "number"], documents),
    ])
}
