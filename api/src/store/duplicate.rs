//! Deliveries that were likely entered twice: same facility, same day, same lines. A coordinator says whether they are
//! one, and all but one become void, or several, and they are not asked again.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::{distribution, duplicate_cleared, value::VoidReason};
use sea_orm::{
    ActiveModelTrait, DbBackend, EntityTrait, FromQueryResult, IntoActiveModel, Statement,
    sea_query::OnConflict,
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    Access,
    distribution::{DateRange, VoidDistribution},
    input::{At, Faults, Message, Refused, UserErrorCode, Written, or_default},
    keyset::{Direction, Key, Page, Place, Window, page_in_memory},
    write::Write,
};
use crate::{
    auth::Right,
    error::{Error, Result},
    id,
};

/// The longest time that can be asked for.
const MOST_DAYS: i64 = 366;

/// Where and when to look.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    pub occurred_on: DateRange,
    #[serde(default, deserialize_with = "id::list::<_, {id::FACILITY}>")]
    pub facility: Option<Vec<Uuid>>,
}

/// Deliveries that look alike.
#[derive(Clone, Debug)]
pub struct Alike {
    pub facility: Uuid,
    pub occurred_on: NaiveDate,
    /// Two or more, in the order of their ids.
    pub deliveries: Vec<Uuid>,
}

/// What a coordinator says of deliveries that look alike.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// One delivery, entered more than once.
    Same,
    Different,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResolveDuplicates {
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub distributions: Vec<Seen>,
    pub verdict: Verdict,
    /// The one that stays; only where they are the same.
    #[serde(default, deserialize_with = "id::optional::<_, {id::DISTRIBUTION}>")]
    pub keep: Option<Uuid>,
    #[serde(default)]
    pub note: Option<String>,
}

/// A delivery at the version that the coordinator has seen.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    #[serde(deserialize_with = "id::single::<_, {id::DISTRIBUTION}>")]
    pub id: Uuid,
    pub expected_version: i32,
}

#[derive(FromQueryResult)]
struct Said {
    facility_id: Uuid,
    occurred_on: NaiveDate,
    lines: String,
    id: Uuid,
}

impl Access {
    /// Deliveries of the viewer's organisation that look alike, those of the newest day first.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `Invalid` for an open or too long time.
    pub async fn likely_duplicates(&self, filter: &Filter, window: &Window) -> Result<Page<Alike>> {
        self.require(Right::DistributionVoid)?;
        let (Some(from), Some(to)) = (filter.occurred_on.from, filter.occurred_on.to) else {
            return Err(Error::invalid("Give both ends of \"occurredOn\"."));
        };
        if (to - from).num_days() >= MOST_DAYS {
            return Err(Error::invalid("Ask for a year at most."));
        }
        let values = [self.own()?.into(), from.into(), to.into()];
        let statement = Statement::from_sql_and_values(self.backend(), alike(self.backend()), values);
        let within = |row: &Said| {
            filter.facility.as_ref().is_none_or(|some| some.contains(&row.facility_id))
                && self.viewer.facilities().is_none_or(|cut| cut.contains(&row.facility_id))
                && !self.hides(row.facility_id)
        };
        let mut groups: BTreeMap<(NaiveDate, Uuid, String), Vec<Uuid>> = BTreeMap::new();
        for row in Said::find_by_statement(statement).all(self.reader()).await?.into_iter().filter(within) {
            groups.entry((row.occurred_on, row.facility_id, row.lines)).or_default().push(row.id);
        }
        let groups = groups.into_iter().map(|((occurred_on, facility, _), mut deliveries)| {
            deliveries.sort_unstable();
            Alike { facility, occurred_on, deliveries }
        });
        Ok(page_in_memory(groups, Self::alike_place, Direction::Descending, window))
    }

    pub fn alike_place(alike: &Alike) -> Place {
        Place { key: Key::Day(alike.occurred_on), id: alike.deliveries.first().copied().unwrap_or_default() }
    }

    /// Says of deliveries that look alike whether they are one.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn resolve_duplicates(&self, input: &ResolveDuplicates) -> Written<Vec<Uuid>> {
        self.require(Right::DistributionVoid)?;
        let mut ids: Vec<Uuid> = input.distributions.iter().map(|seen| seen.id).collect();
        let mut faults = Faults::default();
        let same = input.verdict == Verdict::Same;
        let fits = match input.keep {
            Some(keep) => same && ids.contains(&keep),
            None => !same,
        };
        faults.check(fits, UserErrorCode::Invalid, &["keep"], KEEP_ONE);
        if let Some(note) = &input.note {
            faults.text(note, &["note"], 500);
        }
        ids.sort_unstable();
        ids.dedup();
        let each_once = ids.len() == input.distributions.len() && (2..=20).contains(&ids.len());
        faults.check(each_once, UserErrorCode::Invalid, &["distributions"], SEVERAL);
        faults.refuse()?;
        let write = self.write_many_operations().await?;
        let mut rows: Vec<distribution::Model> = Vec::new();
        for (place, seen) in input.distributions.iter().enumerate() {
            let row = self.to_change(&write, seen.at()).await;
            rows.push(row.map_err(|refused| under(refused, place))?);
        }
        let alike = |row: &distribution::Model| (row.facility_id, row.occurred_on);
        let alike = rows.windows(2).all(|pair| alike(&pair[0]) == alike(&pair[1]));
        let mut faults = Faults::default();
        faults.check(alike, UserErrorCode::Invalid, &["distributions"], NOT_ALIKE);
        faults.refuse()?;
        match input.keep {
            Some(keep) => self.keep_one(&write, keep, input).await?,
            None => self.clear(&write, &ids).await?,
        }
        write.end(input.validate_only).await?;
        Ok(input.distributions.iter().map(|seen| seen.id).collect())
    }

    async fn keep_one(&self, write: &Write<'_>, keep: Uuid, input: &ResolveDuplicates) -> Written<()> {
        let mut voided = Vec::new();
        for (place, seen) in input.distributions.iter().enumerate().filter(|(_, seen)| seen.id != keep) {
            let void = VoidDistribution {
                at: seen.at(),
                validate_only: false,
                reason: VoidReason::Duplicate,
                note: input.note.clone(),
            };
            self.void_in(write, &void).await.map_err(|refused| under(refused, place))?;
            voided.push(seen.id);
        }
        Ok(write.audit("KEEP", "distribution", keep, None, json!({ "duplicates": voided })).await?)
    }

    #[expect(clippy::disallowed_methods, reason = "pairs of deliveries that the viewer may change")]
    async fn clear(&self, write: &Write<'_>, ids: &[Uuid]) -> Written<()> {
        let own = self.own()?;
        let pairs = ids.iter().flat_map(|one| ids.iter().map(move |other| (*one, *other)));
        let rows = pairs.filter(|(one, other)| one != other).map(|(one_id, other_id)| {
            let row = duplicate_cleared::Model {
                organization_id: own,
                one_id,
                other_id,
                recorded_at: self.now,
                recorded_by: self.viewer.account(),
            };
            row.into_active_model().reset_all()
        });
        duplicate_cleared::Entity::insert_many(rows)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&write.tx)
            .await?;
        for id in ids {
            write.audit("CLEAR", "distribution", *id, None, json!({ "different": ids })).await?;
        }
        Ok(())
    }
}

impl Seen {
    fn at(self) -> At {
        At { id: self.id, expected: self.expected_version }
    }
}

/// Faults of one of the deliveries, at its place in the input.
fn under(refused: Refused, place: usize) -> Refused {
    match refused {
        Refused::User(errors) => {
            Refused::User(errors.into_iter().map(|error| error.within("distributions", place)).collect())
        }
        other => other,
    }
}

/// Deliveries that are not void, of an organisation and a span of days, for which there is another at the same
/// facility, on the same day, with the same lines, and nobody has said that the two differ.
fn alike(backend: DbBackend) -> String {
    let (id, lines) = match backend {
        DbBackend::Postgres => ("CAST(COALESCE(l.item_id, l.kit_id) AS text)", "string_agg"),
        _ => ("hex(COALESCE(l.item_id, l.kit_id))", "group_concat"),
    };
    let line = format!("{id} || ' ' || COALESCE(l.kit_version, 0) || ' ' || l.quantity");
    format!(
        "WITH there AS (\
             SELECT d.organization_id, d.id, d.facility_id, d.occurred_on FROM distribution d \
             WHERE d.organization_id = $1 AND d.occurred_on BETWEEN $2 AND $3 AND d.status <> 'VOIDED' \
             AND EXISTS (SELECT 1 FROM distribution o WHERE o.organization_id = d.organization_id \
             AND o.facility_id = d.facility_id AND o.occurred_on = d.occurred_on \
             AND o.status <> 'VOIDED' AND o.id <> d.id)\
         ), said AS (\
             SELECT d.id, d.facility_id, d.occurred_on, {lines}({line}, ';' ORDER BY {line}) AS lines \
             FROM there d JOIN distribution_line l \
             ON l.organization_id = d.organization_id AND l.distribution_id = d.id \
             GROUP BY d.id, d.facility_id, d.occurred_on\
         ) \
         SELECT s.facility_id, s.occurred_on, s.lines, s.id FROM said s WHERE EXISTS (\
             SELECT 1 FROM said o WHERE o.facility_id = s.facility_id AND o.occurred_on = s.occurred_on \
             AND o.lines = s.lines AND o.id <> s.id AND NOT EXISTS (\
                 SELECT 1 FROM duplicate_cleared c \
                 WHERE c.organization_id = $1 AND c.one_id = s.id AND c.other_id = o.id))"
    )
}

const KEEP_ONE: Message = Message {
    en: "Name the one to keep when they are the same, and none when they are different.",
    es: "Indique cuál se conserva cuando son la misma, y ninguna cuando son distintas.",
};
const SEVERAL: Message = Message {
    en: "Give 2 to 20 deliveries, each once.",
    es: "Indique de 2 a 20 entregas, cada una una sola vez.",
};
const NOT_ALIKE: Message = Message {
    en: "These deliveries are not at one facility on one day.",
    es: "Estas entregas no son de un mismo centro y un mismo día.",
};
