//! Reading instruments and rounds, which are plain rows of staff, and responses, which are records.

use std::{collections::HashMap, sync::Arc};

use entity::{
    instrument, instrument_version, survey_response, survey_round, survey_round_facility,
    value::{OrganizationKeyKind, Questions, ResponseOutcome},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, PaginatorTrait, QueryFilter,
    QuerySelect, QueryTrait, Select, sea_query::Expr,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    answer::{self, Answer},
    response::merged_into,
};
use crate::{
    auth::Right,
    error::{Error, Result},
    id,
    store::{
        Access,
        distribution::among,
        input::storable,
        keyset::{Direction, Key, Page, Place, SqlOrder, Window},
        work::codes,
    },
    vault::DataKey,
};

/// Lists narrow the result to any of their members; an empty list matches nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InstrumentFilter {
    pub code: Option<Vec<String>>,
    pub archived: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RoundFilter {
    pub code: Option<Vec<String>>,
    #[serde(deserialize_with = "id::list::<_, {id::INSTRUMENT}>")]
    pub instrument: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::FACILITY}>")]
    pub facility: Option<Vec<Uuid>>,
    pub closed: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    #[serde(deserialize_with = "id::list::<_, {id::SURVEY_ROUND}>")]
    pub round: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::FACILITY}>")]
    pub facility: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::PARTICIPANT}>")]
    pub participant: Option<Vec<Uuid>>,
    pub outcome: Option<Vec<ResponseOutcome>>,
}

/// A page of a list, or one row.
#[derive(Clone, Debug)]
pub enum Rows<F> {
    Page { filter: F, window: Window, with_total: bool },
    One(Uuid),
}

/// What is asked of surveys, and what of it is wanted.
#[derive(Clone, Debug)]
pub enum Asked {
    Instruments(Rows<InstrumentFilter>, Wanted),
    Rounds(Rows<RoundFilter>, Wanted),
    Responses(Rows<Filter>, Wanted),
}

#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The versions of instruments.
    pub versions: bool,
    /// The questions of rounds.
    pub questions: bool,
    /// The answers of responses.
    pub answers: bool,
    /// The names of the fields that responses are asked for, for the trace.
    pub fields: Vec<String>,
}

pub enum Found {
    Instruments(Page<Instrument>),
    Rounds(Page<Round>),
    Responses(Page<Response>),
}

#[derive(Clone, Debug)]
pub struct Instrument {
    pub row: instrument::Model,
    /// Empty unless they are wanted.
    pub versions: Vec<instrument_version::Model>,
}

#[derive(Clone, Debug)]
pub struct Round {
    pub row: survey_round::Model,
    pub facilities: Vec<Uuid>,
    pub instrument: Instrument,
    /// Empty unless they are wanted.
    pub questions: Questions,
}

#[derive(Clone, Debug)]
pub struct Response {
    pub row: survey_response::Model,
    /// The code of the woman; none where nobody knows.
    pub code: Option<String>,
    pub round: Arc<Round>,
    /// Null when they are not wanted and when there are none.
    pub answers: Option<Result<Vec<Answer>>>,
}

impl Access {
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded` for responses.
    pub async fn surveys(&self, asked: &Asked) -> Result<Found> {
        match asked {
            Asked::Instruments(rows, wanted) => {
                self.require(Right::SurveyRead)?;
                let db = self.reader();
                let (rows, cut) = self.instrument_rows(db, rows).await?;
                let instruments = self.with_versions(db, rows, wanted.versions).await?;
                Ok(Found::Instruments(cut.of(instruments)))
            }
            Asked::Rounds(rows, wanted) => {
                self.require(Right::SurveyRead)?;
                let db = self.reader();
                let (rows, cut) = self.round_rows(db, rows).await?;
                Ok(Found::Rounds(cut.of(self.whole_rounds(db, rows, wanted).await?)))
            }
            Asked::Responses(rows, wanted) => {
                self.require(Right::ResponseRead)?;
                let reading = self.reading().await?;
                let tx = reading.tx();
                let (found, cut) = self.response_rows(tx, rows).await?;
                // Whoever decides what the answer says is in its trace: the row that says whether there are more, and a
                // woman whom the list names and of whom there is none.
                let mut women: Vec<Uuid> = found.iter().filter_map(|row| row.participant_id).collect();
                if let Rows::Page { filter, .. } = rows {
                    women.extend(filter.participant.iter().flatten());
                }
                let page = cut.of(self.whole_responses(tx, found, wanted).await?);
                reading.end("survey_response", &wanted.fields, women, Found::Responses(page)).await
            }
        }
    }

    async fn instrument_rows(
        &self,
        db: &impl ConnectionTrait,
        rows: &Rows<InstrumentFilter>,
    ) -> Result<(Vec<instrument::Model>, Cut)> {
        use instrument::Column as C;
        let narrow = |filter: &InstrumentFilter| {
            let archived =
                |yes: bool| if yes { C::ArchivedAt.is_not_null() } else { C::ArchivedAt.is_null() };
            Condition::all()
                .add_option(filter.code.as_ref().map(|codes| C::Code.is_in(storable(codes))))
                .add_option(filter.archived.map(archived))
        };
        let order = (C::Code, C::Id, Direction::Ascending);
        read(db, self.select::<instrument::Entity>(), order, rows, narrow).await
    }

    async fn round_rows(
        &self,
        db: &impl ConnectionTrait,
        rows: &Rows<RoundFilter>,
    ) -> Result<(Vec<survey_round::Model>, Cut)> {
        use survey_round::Column as C;
        let narrow = |filter: &RoundFilter| {
            let closed = |yes: bool| if yes { C::ClosedAt.is_not_null() } else { C::ClosedAt.is_null() };
            let at = |facilities: &Vec<Uuid>| {
                let places = self.select::<survey_round_facility::Entity>();
                let facility = survey_round_facility::Column::FacilityId;
                let places = places.filter(among(facility, facilities.iter().copied()));
                let places = places.select_only().column(survey_round_facility::Column::RoundId);
                C::Id.in_subquery(places.into_query())
            };
            Condition::all()
                .add_option(filter.code.as_ref().map(|codes| C::Code.is_in(storable(codes))))
                .add_option(filter.instrument.as_ref().map(|ids| among(C::InstrumentId, ids.iter().copied())))
                .add_option(filter.facility.as_ref().map(at))
                .add_option(filter.closed.map(closed))
        };
        let order = (C::StartsOn, C::Id, Direction::Descending);
        read(db, self.select::<survey_round::Entity>(), order, rows, narrow).await
    }

    async fn response_rows(
        &self,
        db: &impl ConnectionTrait,
        rows: &Rows<Filter>,
    ) -> Result<(Vec<survey_response::Model>, Cut)> {
        use survey_response::Column as C;
        let own = self.own()?;
        // What she said before her records were merged is hers.
        let hers = |women: &Vec<Uuid>| {
            let women = women.iter().copied();
            Condition::any().add(among(C::ParticipantId, women.clone())).add(merged_into(
                C::ParticipantId,
                own,
                women,
            ))
        };
        let ids =
            |column: C, ids: &Option<Vec<Uuid>>| ids.as_ref().map(|ids| among(column, ids.iter().copied()));
        let narrow = |filter: &Filter| {
            Condition::all()
                .add_option(ids(C::RoundId, &filter.round))
                .add_option(ids(C::FacilityId, &filter.facility))
                .add_option(filter.participant.as_ref().map(hers))
                .add_option(
                    filter.outcome.as_ref().map(|outcomes| C::Outcome.is_in(outcomes.iter().copied())),
                )
        };
        let order = (C::RecordedAt, C::Id, Direction::Descending);
        read(db, self.select::<survey_response::Entity>(), order, rows, narrow).await
    }

    async fn with_versions(
        &self,
        db: &impl ConnectionTrait,
        rows: Vec<instrument::Model>,
        wanted: bool,
    ) -> Result<Vec<Instrument>> {
        let mut of: HashMap<Uuid, Vec<instrument_version::Model>> = HashMap::new();
        if wanted {
            let ids = rows.iter().map(|row| row.id);
            let versions = self.select::<instrument_version::Entity>();
            let versions = versions.filter(among(instrument_version::Column::InstrumentId, ids));
            for version in versions.all(db).await? {
                of.entry(version.instrument_id).or_default().push(version);
            }
        }
        let whole = |row: instrument::Model| {
            let mut versions = of.remove(&row.id).unwrap_or_default();
            versions.sort_by_key(|version| -version.number);
            Instrument { row, versions }
        };
        Ok(rows.into_iter().map(whole).collect())
    }

    async fn whole_rounds(
        &self,
        db: &impl ConnectionTrait,
        rows: Vec<survey_round::Model>,
        wanted: &Wanted,
    ) -> Result<Vec<Round>> {
        let places = self.select::<survey_round_facility::Entity>();
        let ids = rows.iter().map(|row| row.id);
        let places = places.filter(among(survey_round_facility::Column::RoundId, ids)).all(db).await?;
        let ids = rows.iter().map(|row| row.instrument_id);
        let instruments = self.select::<instrument::Entity>().filter(among(instrument::Column::Id, ids));
        let instruments = instruments.all(db).await?;
        let instruments = self.with_versions(db, instruments, wanted.versions || wanted.questions).await?;
        let whole = |row: survey_round::Model| {
            let instrument = instruments.iter().find(|of| of.row.id == row.instrument_id).cloned()?;
            let of_round = places.iter().filter(|place| place.round_id == row.id);
            let version = instrument.versions.iter().find(|of| of.number == row.instrument_version);
            let questions = version.map(|version| version.questions.clone()).unwrap_or_default();
            let facilities = of_round.map(|place| place.facility_id).collect();
            Some(Round { row, facilities, instrument, questions })
        };
        Ok(rows.into_iter().filter_map(whole).collect())
    }

    async fn whole_responses(
        &self,
        tx: &DatabaseTransaction,
        rows: Vec<survey_response::Model>,
        wanted: &Wanted,
    ) -> Result<Vec<Response>> {
        let ids = rows.iter().map(|row| row.round_id);
        let rounds = self.select::<survey_round::Entity>().filter(among(survey_round::Column::Id, ids));
        let rounds = rounds.all(tx).await?;
        let rounds = self.whole_rounds(tx, rounds, wanted).await?;
        let rounds: HashMap<Uuid, Arc<Round>> =
            rounds.into_iter().map(|round| (round.row.id, Arc::new(round))).collect();
        let opened = self.opened_answers(tx, rows, wanted.answers).await?;
        let whole = |(row, code, answers): (survey_response::Model, Option<String>, _)| {
            let round = rounds.get(&row.round_id).cloned()?;
            Some(Response { row, code, round, answers })
        };
        Ok(opened.into_iter().filter_map(whole).collect())
    }

    /// Responses that the caller has found in scope, with the code of the woman and, where they are wanted, the answers.
    pub(in crate::store) async fn opened_answers(
        &self,
        tx: &DatabaseTransaction,
        rows: Vec<survey_response::Model>,
        wanted: bool,
    ) -> Result<Vec<(survey_response::Model, Option<String>, Option<Result<Vec<Answer>>>)>> {
        let women: Vec<Uuid> = rows.iter().filter_map(|row| row.participant_id).collect();
        let known = match wanted {
            true => self.data_keys(tx, &women).await?,
            false => {
                let codes = codes(self, tx, women).await?.into_iter();
                codes.map(|(woman, code)| (woman, (code, Ok(None)))).collect()
            }
        };
        let nobody = rows.iter().any(|row| row.participant_id.is_none());
        let nobody: Option<DataKey> = match wanted && nobody {
            true => self.organization_key(OrganizationKeyKind::Survey).await?,
            false => None,
        };
        let opened = rows.into_iter().map(|row| {
            let her = row.participant_id.and_then(|woman| known.get(&woman));
            let code = her.map(|(code, _)| code.clone());
            let answers = wanted.then(|| match (row.participant_id, her) {
                (None, _) => answer::open(nobody.as_ref(), &row),
                (Some(_), Some((_, Ok(key)))) => answer::open(key.as_ref(), &row),
                (Some(_), Some((_, Err(fault)))) => row.answers.is_some().then(|| Err(fault.clone())),
                (Some(_), None) => row.answers.is_some().then_some(Err(Error::Undecipherable)),
            });
            (row, code, answers.flatten())
        });
        Ok(opened.collect())
    }

    pub fn instrument_place(entry: &Instrument) -> Place {
        Place { key: Key::Text(entry.row.code.clone()), id: entry.row.id }
    }

    pub fn round_place(entry: &Round) -> Place {
        Place { key: Key::Day(entry.row.starts_on), id: entry.row.id }
    }

    pub fn response_place(entry: &Response) -> Place {
        Place { key: Key::Moment(entry.row.recorded_at), id: entry.row.id }
    }
}

/// How rows are cut to a page, and how many there are in all.
struct Cut {
    window: Option<Window>,
    total: Option<i64>,
}

impl Cut {
    fn of<T>(self, rows: Vec<T>) -> Page<T> {
        let whole = |rows| Page { rows, has_next: false, has_previous: false, total: None };
        let page = match &self.window {
            Some(window) => window.cut(rows),
            None => whole(rows),
        };
        Page { total: self.total, ..page }
    }
}

/// Reads a page, and one row more than is shown; or one row.
async fn read<E: EntityTrait, F>(
    db: &impl ConnectionTrait,
    rows: Select<E>,
    (key, id, direction): (E::Column, E::Column, Direction),
    which: &Rows<F>,
    narrow: impl FnOnce(&F) -> Condition,
) -> Result<(Vec<E::Model>, Cut)>
where
    E::Model: Send + Sync,
{
    let column = |column: E::Column| Expr::col((column.entity_name(), column));
    match which {
        Rows::One(one) => Ok((rows.filter(id.eq(*one)).all(db).await?, Cut { window: None, total: None })),
        Rows::Page { filter, window, with_total } => {
            let order = SqlOrder { key: column(key), id: column(id), nullable: false, direction };
            let matching = rows.filter(narrow(filter));
            let page = order.page(matching.clone(), window);
            let total = if *with_total { Some(matching.count(db).await? as i64) } else { None };
            Ok((page.all(db).await?, Cut { window: Some(window.clone()), total }))
        }
    }
}
