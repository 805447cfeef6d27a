//! What staff read of programs at work. Rows about women are read as women's records: for a purpose, with a trace.

mod which;

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    attendance, enrolment, enrolment_step, legal_matter, payout, payout_policy, payout_run, product,
    production_batch, production_maker, sale, savings_withdrawal, session, skill, workshop,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, QueryFilter, QuerySelect, QueryTrait};
use serde::Deserialize;
use uuid::Uuid;

use self::which::{Which, any_of, at_days, on_days, one_of};
use crate::{
    auth::Right,
    error::{Error, Result},
    id::{self, Kind},
    store::{
        Access,
        distribution::{DateRange, among},
        keyset::{Key, Page, Place, Window},
        payout::{
            policy::Policy,
            read::{Payout, Run},
        },
    },
};

/// What a list is narrowed by: each of them to any of its members. Which of them a list has, its schema says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    #[serde(deserialize_with = "id::list::<_, {id::PARTICIPANT}>")]
    pub participant: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::PROGRAM}>")]
    pub program: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::WORKSHOP}>")]
    pub workshop: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::FACILITY}>")]
    pub facility: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::SESSION}>")]
    pub session: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::PRODUCT}>")]
    pub product: Option<Vec<Uuid>>,
    #[serde(deserialize_with = "id::list::<_, {id::PAYOUT_RUN}>")]
    pub run: Option<Vec<Uuid>>,
    pub status: Option<Vec<String>>,
    /// Of a legal matter.
    pub stage: Option<Vec<String>>,
    pub during: Option<DateRange>,
}

/// What a list hangs below.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Parent {
    Program,
    Workshop,
    Participant,
}

impl Parent {
    fn column(self) -> &'static str {
        match self {
            Self::Program => "program_id",
            Self::Workshop => "workshop_id",
            Self::Participant => "participant_id",
        }
    }
}

/// A list that is asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    pub kind: Kind,
    pub filter: Filter,
    pub window: Window,
    /// The fields that are selected, for the trace.
    pub fields: Vec<String>,
}

/// A row of any of the kinds.
#[derive(Clone, Debug)]
pub enum Row {
    Workshop(workshop::Model),
    Session(session::Model),
    /// With its steps and the code of the woman.
    Enrolment(enrolment::Model, Vec<enrolment_step::Model>, String),
    Attendance(attendance::Model, String),
    Skill(skill::Model, String),
    Product(product::Model),
    /// With the makers whom the viewer may reach, and their codes.
    Batch(production_batch::Model, Vec<(production_maker::Model, String)>),
    Sale(sale::Model),
    Policy(Policy),
    Run(Run),
    Payout(Payout),
    Withdrawal(savings_withdrawal::Model, String),
    Matter(legal_matter::Model, String),
}

impl Row {
    pub fn place(&self) -> Place {
        let day = |day: NaiveDate, id| Place { key: Key::Day(day), id };
        let moment = |at: DateTime<Utc>, id| Place { key: Key::Moment(at), id };
        match self {
            Self::Workshop(row) => day(row.starts_on, row.id),
            Self::Session(row) => moment(row.starts_at, row.id),
            Self::Enrolment(row, ..) => day(row.starts_on, row.id),
            Self::Attendance(row, _) => moment(row.recorded_at, row.id),
            Self::Skill(row, _) => day(row.attested_on, row.id),
            Self::Product(row) => moment(row.recorded_at, row.id),
            Self::Batch(row, _) => day(row.made_on, row.id),
            Self::Sale(row) => day(row.sold_on, row.id),
            Self::Policy(policy) => day(policy.row.valid_from, policy.row.id),
            Self::Run(run) => day(run.row.starts_on, run.row.id),
            Self::Payout(payout) => moment(payout.row.recorded_at, payout.row.id),
            Self::Withdrawal(row, _) => day(row.withdrawn_on, row.id),
            Self::Matter(row, _) => day(row.opened_on, row.id),
        }
    }

    /// The row that it hangs below.
    fn parent(&self, parent: Parent) -> Option<Uuid> {
        match (parent, self) {
            (Parent::Program, Self::Workshop(row)) => Some(row.program_id),
            (Parent::Program, Self::Session(row)) => Some(row.program_id),
            (Parent::Workshop, Self::Session(row)) => row.workshop_id,
            (Parent::Workshop, Self::Enrolment(row, ..)) => row.workshop_id,
            (Parent::Participant, Self::Enrolment(row, ..)) => Some(row.participant_id),
            _ => None,
        }
    }

    /// The women whom it is about.
    fn women(&self) -> Vec<Uuid> {
        match self {
            Self::Enrolment(row, ..) => vec![row.participant_id],
            Self::Attendance(row, _) => vec![row.participant_id],
            Self::Skill(row, _) => vec![row.participant_id],
            Self::Batch(_, makers) => makers.iter().map(|(maker, _)| maker.participant_id).collect(),
            Self::Payout(payout) => vec![payout.row.participant_id],
            Self::Withdrawal(row, _) => vec![row.participant_id],
            Self::Matter(row, _) => vec![row.participant_id],
            Self::Workshop(_)
            | Self::Session(_)
            | Self::Product(_)
            | Self::Sale(_)
            | Self::Policy(_)
            | Self::Run(_) => Vec::new(),
        }
    }
}

/// The right to read a kind, and the name of its table when it is about women.
fn reading_of(kind: Kind) -> Result<(Right, Option<&'static str>)> {
    Ok(match kind {
        Kind::Workshop | Kind::Session => (Right::SessionRead, None),
        Kind::Enrolment => (Right::EnrolmentRead, Some("enrolment")),
        Kind::Attendance => (Right::EnrolmentRead, Some("attendance")),
        Kind::Skill => (Right::EnrolmentRead, Some("skill")),
        Kind::Product => (Right::ProductionRead, None),
        Kind::ProductionBatch => (Right::ProductionRead, Some("production_batch")),
        Kind::Sale => (Right::SaleRead, None),
        Kind::PayoutPolicy | Kind::PayoutRun => (Right::PayoutRead, None),
        Kind::Payout => (Right::PayoutRead, Some("payout")),
        Kind::SavingsWithdrawal => (Right::PayoutRead, Some("savings_withdrawal")),
        Kind::LegalMatter => (Right::LegalRead, Some("legal_matter")),
        _ => return Err(Error::Internal("this is no kind of work".into())),
    })
}

impl Access {
    /// Whether the viewer's role reads rows of a kind.
    pub fn reads_work(&self, kind: Kind) -> bool {
        reading_of(kind).is_ok_and(|(right, _)| self.viewer.has(right))
    }

    /// A page of a list, the newest first.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded` for rows about women.
    pub async fn work(&self, asked: &Asked) -> Result<Page<Row>> {
        let which = Which::Page(&asked.filter, &asked.window);
        Ok(asked.window.cut(self.read_work(asked.kind, &which, &asked.fields).await?))
    }

    /// A page below each of some rows that the viewer has been shown, in as many statements as one page.
    ///
    /// # Errors
    /// As [`Access::work`].
    pub async fn work_below(
        &self,
        asked: &Asked,
        parent: Parent,
        parents: &[Uuid],
    ) -> Result<HashMap<Uuid, Page<Row>>> {
        let which = Which::Below(parent, parents, &asked.filter, &asked.window);
        let mut of: HashMap<Uuid, Vec<Row>> = parents.iter().map(|id| (*id, Vec::new())).collect();
        for row in self.read_work(asked.kind, &which, &asked.fields).await? {
            if let Some(list) = row.parent(parent).and_then(|id| of.get_mut(&id)) {
                list.push(row);
            }
        }
        let page = |(id, mut rows): (Uuid, Vec<Row>)| {
            rows.sort_by_cached_key(|row| {
                let Place { key, id } = row.place();
                (key, id)
            });
            if !asked.window.backwards {
                rows.reverse();
            }
            (id, asked.window.cut(rows))
        };
        Ok(of.into_iter().map(page).collect())
    }

    /// Rows of a kind by id; those that the viewer may not see are not there.
    ///
    /// # Errors
    /// As [`Access::work`].
    pub async fn work_by_id(
        &self,
        kind: Kind,
        ids: &[Uuid],
        fields: &[String],
    ) -> Result<HashMap<Uuid, Row>> {
        let rows = self.read_work(kind, &Which::Ids(ids), fields).await?;
        Ok(rows.into_iter().map(|row| (row.place().id, row)).collect())
    }

    /// All attendance of sessions that the viewer has been shown, by session.
    ///
    /// # Errors
    /// As [`Access::work`].
    pub async fn attendance_by_session(
        &self,
        sessions: &[Uuid],
        fields: &[String],
    ) -> Result<HashMap<Uuid, Vec<Row>>> {
        let rows = self.read_work(Kind::Attendance, &Which::OfSessions(sessions), fields).await?;
        let mut found: HashMap<Uuid, Vec<Row>> = HashMap::new();
        for row in rows {
            if let Row::Attendance(attendance, _) = &row {
                found.entry(attendance.session_id).or_default().push(row);
            }
        }
        for rows in found.values_mut() {
            rows.sort_by_key(|row| match row {
                Row::Attendance(row, code) => (code.clone(), row.id),
                other => (String::new(), other.place().id),
            });
        }
        Ok(found)
    }

    /// Rows of a kind. Their trace names whoever decides what the answer says: the row that says whether there are more,
    /// and women whom the list names and who have none.
    async fn read_work(&self, kind: Kind, which: &Which<'_>, fields: &[String]) -> Result<Vec<Row>> {
        let (right, about_women) = reading_of(kind)?;
        self.require(right)?;
        let Some(entity) = about_women else { return self.read_plain(self.reader(), kind, which).await };
        let reading = self.reading().await?;
        let rows = self.read_records(reading.tx(), kind, which).await?;
        let mut women: Vec<Uuid> = rows.iter().flat_map(Row::women).collect();
        match which {
            Which::Page(filter, _) => women.extend(filter.participant.iter().flatten()),
            Which::Below(Parent::Participant, parents, ..) => women.extend(*parents),
            _ => {}
        }
        reading.end(entity, fields, women, rows).await
    }

    /// Rows that are about no woman.
    async fn read_plain(&self, db: &impl ConnectionTrait, kind: Kind, which: &Which<'_>) -> Result<Vec<Row>> {
        Ok(match kind {
            Kind::Workshop => {
                use workshop::Column as C;
                let narrow = |filter: &Filter| {
                    any_of(C::ProgramId, filter.program.as_ref())
                        .add(any_of(C::FacilityId, filter.facility.as_ref()))
                        .add(on_days(C::StartsOn, filter.during))
                };
                let rows =
                    which.read(db, self.select::<workshop::Entity>(), C::StartsOn, C::Id, narrow).await?;
                rows.into_iter().map(Row::Workshop).collect()
            }
            Kind::Session => {
                use session::Column as C;
                let narrow = |filter: &Filter| {
                    any_of(C::ProgramId, filter.program.as_ref())
                        .add(any_of(C::WorkshopId, filter.workshop.as_ref()))
                        .add(any_of(C::FacilityId, filter.facility.as_ref()))
                        .add(one_of(C::Status, filter.status.as_ref()))
                        .add(at_days(C::StartsAt, filter.during))
                };
                let rows =
                    which.read(db, self.select::<session::Entity>(), C::StartsAt, C::Id, narrow).await?;
                rows.into_iter().map(Row::Session).collect()
            }
            Kind::Product => {
                use product::Column as C;
                let rows = self.select::<product::Entity>();
                let rows = which.read(db, rows, C::RecordedAt, C::Id, |_| Condition::all()).await?;
                rows.into_iter().map(Row::Product).collect()
            }
            Kind::Sale => {
                use sale::Column as C;
                let narrow = |filter: &Filter| {
                    any_of(C::ProgramId, filter.program.as_ref())
                        .add(any_of(C::ProductId, filter.product.as_ref()))
                        .add(any_of(C::PayoutRunId, filter.run.as_ref()))
                        .add(on_days(C::SoldOn, filter.during))
                };
                let rows = which.read(db, self.select::<sale::Entity>(), C::SoldOn, C::Id, narrow).await?;
                rows.into_iter().map(Row::Sale).collect()
            }
            Kind::PayoutPolicy => {
                use payout_policy::Column as C;
                let narrow = |filter: &Filter| any_of(C::ProgramId, filter.program.as_ref());
                let rows = self.select::<payout_policy::Entity>();
                let rows = which.read(db, rows, C::ValidFrom, C::Id, narrow).await?;
                self.with_terms(db, rows).await?.into_iter().map(Row::Policy).collect()
            }
            _ => {
                use payout_run::Column as C;
                let narrow = |filter: &Filter| {
                    any_of(C::ProgramId, filter.program.as_ref())
                        .add(one_of(C::Status, filter.status.as_ref()))
                        .add(on_days(C::StartsOn, filter.during))
                };
                let rows = self.select::<payout_run::Entity>();
                let rows = which.read(db, rows, C::StartsOn, C::Id, narrow).await?;
                self.with_sums(db, rows).await?.into_iter().map(Row::Run).collect()
            }
        })
    }

    /// Rows about women, within a reading.
    async fn read_records(
        &self,
        db: &impl ConnectionTrait,
        kind: Kind,
        which: &Which<'_>,
    ) -> Result<Vec<Row>> {
        Ok(match kind {
            Kind::Enrolment => {
                use enrolment::Column as C;
                let narrow = |filter: &Filter| {
                    self.of_named(C::ParticipantId, filter)
                        .add(any_of(C::ProgramId, filter.program.as_ref()))
                        .add(any_of(C::WorkshopId, filter.workshop.as_ref()))
                        .add(one_of(C::Status, filter.status.as_ref()))
                        .add(on_days(C::StartsOn, filter.during))
                };
                let rows = self.select::<enrolment::Entity>();
                let rows = which.read(db, rows, C::StartsOn, C::Id, narrow).await?;
                let codes = super::codes(self, db, rows.iter().map(|row| row.participant_id)).await?;
                let steps = self.steps_of(db, rows.iter().map(|row| row.id)).await?;
                rows.into_iter()
                    .map(|row| {
                        let of_row =
                            steps.iter().filter(|step| step.enrolment_id == row.id).cloned().collect();
                        let code = code_in(&codes, row.participant_id);
                        Row::Enrolment(row, of_row, code)
                    })
                    .collect()
            }
            Kind::Attendance => {
                use attendance::Column as C;
                let narrow = |filter: &Filter| {
                    self.of_named(C::ParticipantId, filter).add(any_of(C::SessionId, filter.session.as_ref()))
                };
                let rows = self.select::<attendance::Entity>();
                let rows = which.read(db, rows, C::RecordedAt, C::Id, narrow).await?;
                let codes = super::codes(self, db, rows.iter().map(|row| row.participant_id)).await?;
                coded(rows, &codes, |row| row.participant_id, Row::Attendance)
            }
            Kind::Skill => {
                use skill::Column as C;
                let narrow = |filter: &Filter| self.of_named(C::ParticipantId, filter);
                let rows = self.select::<skill::Entity>();
                let rows = which.read(db, rows, C::AttestedOn, C::Id, narrow).await?;
                let codes = super::codes(self, db, rows.iter().map(|row| row.participant_id)).await?;
                coded(rows, &codes, |row| row.participant_id, Row::Skill)
            }
            Kind::ProductionBatch => self.read_batches(db, which).await?,
            Kind::Payout => {
                use payout::Column as C;
                let narrow = |filter: &Filter| {
                    self.of_named(C::ParticipantId, filter).add(any_of(C::RunId, filter.run.as_ref()))
                };
                let rows = self.select::<payout::Entity>();
                let rows = which.read(db, rows, C::RecordedAt, C::Id, narrow).await?;
                let codes = super::codes(self, db, rows.iter().map(|row| row.participant_id)).await?;
                self.with_parts(db, rows, &codes).await?.into_iter().map(Row::Payout).collect()
            }
            Kind::SavingsWithdrawal => {
                use savings_withdrawal::Column as C;
                let narrow = |filter: &Filter| self.of_named(C::ParticipantId, filter);
                let rows = self.select::<savings_withdrawal::Entity>();
                let rows = which.read(db, rows, C::WithdrawnOn, C::Id, narrow).await?;
                let codes = super::codes(self, db, rows.iter().map(|row| row.participant_id)).await?;
                coded(rows, &codes, |row| row.participant_id, Row::Withdrawal)
            }
            _ => {
                use legal_matter::Column as C;
                let narrow = |filter: &Filter| {
                    self.of_named(C::ParticipantId, filter).add(one_of(C::Stage, filter.stage.as_ref()))
                };
                let rows = self.select::<legal_matter::Entity>();
                let rows = which.read(db, rows, C::OpenedOn, C::Id, narrow).await?;
                let codes = super::codes(self, db, rows.iter().map(|row| row.participant_id)).await?;
                coded(rows, &codes, |row| row.participant_id, Row::Matter)
            }
        })
    }

    /// Rows of the women whom a filter names; when it names none those that count.
    fn of_named<C: ColumnTrait>(&self, woman: C, filter: &Filter) -> Condition {
        match &filter.participant {
            Some(women) => among(woman, women.iter().copied()),
            None => self.unmerged(woman),
        }
    }

    async fn read_batches(&self, db: &impl ConnectionTrait, which: &Which<'_>) -> Result<Vec<Row>> {
        use production_batch::Column as C;
        use production_maker::Column as M;
        let narrow = |filter: &Filter| {
            let made_by = |women: &Vec<Uuid>| {
                let theirs = self.select::<production_maker::Entity>();
                let theirs = theirs.filter(among(M::ParticipantId, women.iter().copied()));
                C::Id.in_subquery(theirs.select_only().column(M::BatchId).into_query())
            };
            any_of(C::ProgramId, filter.program.as_ref())
                .add(any_of(C::ProductId, filter.product.as_ref()))
                .add(any_of(C::FacilityId, filter.facility.as_ref()))
                .add(on_days(C::MadeOn, filter.during))
                .add_option(filter.participant.as_ref().map(made_by))
        };
        let rows = self.select::<production_batch::Entity>();
        let rows = which.read(db, rows, C::MadeOn, C::Id, narrow).await?;
        let makers = self
            .select::<production_maker::Entity>()
            .filter(among(M::BatchId, rows.iter().map(|row| row.id)))
            .all(db)
            .await?;
        let codes = super::codes(self, db, makers.iter().map(|maker| maker.participant_id)).await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let of_row = makers.iter().filter(|maker| maker.batch_id == row.id);
                let mut of_row: Vec<_> =
                    of_row.map(|maker| (maker.clone(), code_in(&codes, maker.participant_id))).collect();
                of_row.sort_by(|(_, a), (_, b)| a.cmp(b));
                Row::Batch(row, of_row)
            })
            .collect())
    }
}

/// Rows with the code of the woman whom each is about.
fn coded<M>(
    rows: Vec<M>,
    codes: &HashMap<Uuid, String>,
    woman: impl Fn(&M) -> Uuid,
    make: impl Fn(M, String) -> Row,
) -> Vec<Row> {
    let row = |row: M| {
        let code = code_in(codes, woman(&row));
        make(row, code)
    };
    rows.into_iter().map(row).collect()
}

fn code_in(codes: &HashMap<Uuid, String>, woman: Uuid) -> String {
    codes.get(&woman).cloned().unwrap_or_default()
}
