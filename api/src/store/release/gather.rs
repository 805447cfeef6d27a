//! What a snapshot is made of: rows of the women who agreed to be counted, read in one transaction.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use entity::{
    attendance, consent, custody_stay, enrolment, instrument, instrument_version, participant, payout,
    payout_run, session, survey_response, survey_round, survey_round_facility,
    value::{
        AttendanceMark, ConsentDecision, ConsentPurpose, EnrolmentStatus, PayoutRunStatus, Question,
        ResponseOutcome, SessionStatus,
    },
};
use sea_orm::{
    AccessMode, ColumnTrait, DatabaseTransaction, DbBackend, EntityTrait, IsolationLevel, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, TransactionTrait,
};
use uuid::Uuid;

use crate::{
    error::Result,
    sealed::Span,
    store::{Access, record::KeyHold, survey::answer::Answer, write::Write},
};

/// The rows of a period, by woman.
#[derive(Default)]
pub(super) struct Gathered {
    /// Those who agree, today, to be counted.
    pub women: Vec<Uuid>,
    pub born: HashMap<Uuid, NaiveDate>,
    pub stays: HashMap<Uuid, Vec<custody_stay::Model>>,
    pub enrolments: HashMap<Uuid, Vec<enrolment::Model>>,
    /// The program of each session that she came to in the period.
    pub attended: HashMap<Uuid, Vec<Uuid>>,
    /// What she was paid in the period, with its currency.
    pub paid: HashMap<Uuid, Vec<(String, i64)>>,
    pub rounds: Vec<Round>,
}

/// A round whose field work was in the period, with what was said in it.
pub(super) struct Round {
    pub row: survey_round::Model,
    pub instrument: instrument::Model,
    pub questions: Vec<Question>,
    pub facilities: Vec<Uuid>,
    pub responses: Vec<Response>,
}

pub(super) struct Response {
    /// Null where nobody knows whose it is.
    pub woman: Option<Uuid>,
    pub facility: Uuid,
    pub outcome: ResponseOutcome,
    /// Taken back since: it counts as never given.
    pub is_withdrawn: bool,
    pub answers: Vec<Answer>,
}

impl Access {
    /// A transaction that sees one moment, whatever is written meanwhile, and holds up nobody.
    pub(super) async fn one_moment(&self) -> Result<Write<'_>> {
        let db = &self.store.pools.read;
        let tx = match self.backend() {
            DbBackend::Postgres => {
                db.begin_with_config(Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)).await?
            }
            _ => db.begin().await?,
        };
        let moment = Write { tx, access: self };
        moment.hold_keys(KeyHold::Stay).await?;
        Ok(moment)
    }

    /// Reads everything that the snapshot of a period could need. The caller has the right, and leaves the trace.
    pub(super) async fn gather(
        &self,
        tx: &DatabaseTransaction,
        span: Span,
        with_surveys: bool,
    ) -> Result<Gathered> {
        let women = self.who_agree(tx).await?;
        let rounds = if with_surveys { self.rounds_of(tx, span).await? } else { Vec::new() };
        Ok(Gathered {
            born: self.birth_dates(tx, &women).await?,
            stays: self.stays(tx, span).await?,
            enrolments: self.enrolled(tx, span).await?,
            attended: self.attended(tx, span).await?,
            paid: self.paid(tx, span).await?,
            rounds,
            women,
        })
    }

    /// Women whose last word on being counted is yes, and who have one record.
    #[expect(
        clippy::disallowed_methods,
        reason = "all women of the viewer's own organisation, to be counted"
    )]
    pub(super) async fn who_agree(&self, tx: &DatabaseTransaction) -> Result<Vec<Uuid>> {
        use consent::Column::{DecidedOn, Id, OrganizationId, Purpose, RecordedAt};
        let own = self.own()?;
        let there = participant::Entity::find()
            .select_only()
            .column(participant::Column::Id)
            .filter(participant::Column::OrganizationId.eq(own))
            .filter(participant::Column::ErasedAt.is_null())
            .filter(participant::Column::MergedInto.is_null());
        let there: Vec<Uuid> = there.into_tuple().all(tx).await?;
        let decisions = consent::Entity::find()
            .filter(OrganizationId.eq(own))
            .filter(Purpose.eq(ConsentPurpose::Statistics))
            .order_by_asc(DecidedOn)
            .order_by_asc(RecordedAt)
            .order_by_asc(Id)
            .all(tx)
            .await?;
        let last: HashMap<Uuid, ConsentDecision> =
            decisions.into_iter().map(|row| (row.participant_id, row.decision)).collect();
        let mut agree: Vec<Uuid> =
            there.into_iter().filter(|woman| last.get(woman) == Some(&ConsentDecision::Given)).collect();
        agree.sort_unstable();
        Ok(agree)
    }

    /// Stays that had begun by the end of the period, the last ones last.
    #[expect(
        clippy::disallowed_methods,
        reason = "all women of the viewer's own organisation, to be counted"
    )]
    async fn stays(
        &self,
        tx: &DatabaseTransaction,
        span: Span,
    ) -> Result<HashMap<Uuid, Vec<custody_stay::Model>>> {
        use custody_stay::Column::{Id, OrganizationId, StartsOn};
        let rows = custody_stay::Entity::find()
            .filter(OrganizationId.eq(self.own()?))
            .filter(StartsOn.lte(span.end))
            .order_by_asc(StartsOn)
            .order_by_asc(Id);
        Ok(by_woman(rows.all(tx).await?, |row| row.participant_id))
    }

    /// Enrolments that had begun by the end of the period and came to more than an application.
    #[expect(
        clippy::disallowed_methods,
        reason = "all women of the viewer's own organisation, to be counted"
    )]
    async fn enrolled(
        &self,
        tx: &DatabaseTransaction,
        span: Span,
    ) -> Result<HashMap<Uuid, Vec<enrolment::Model>>> {
        use enrolment::Column::{OrganizationId, StartsOn, Status};
        let rows = enrolment::Entity::find()
            .filter(OrganizationId.eq(self.own()?))
            .filter(StartsOn.lte(span.end))
            .filter(Status.is_not_in([EnrolmentStatus::Applied, EnrolmentStatus::Waitlisted]));
        Ok(by_woman(rows.all(tx).await?, |row| row.participant_id))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "all women of the viewer's own organisation, to be counted"
    )]
    async fn attended(&self, tx: &DatabaseTransaction, span: Span) -> Result<HashMap<Uuid, Vec<Uuid>>> {
        use session::Column::{Id, OrganizationId, ProgramId, StartsAt, Status};
        let own = self.own()?;
        let from = span.start.and_time(chrono::NaiveTime::MIN).and_utc();
        let before = (span.end + chrono::Days::new(1)).and_time(chrono::NaiveTime::MIN).and_utc();
        let held = session::Entity::find()
            .select_only()
            .columns([Id, ProgramId])
            .filter(OrganizationId.eq(own))
            .filter(StartsAt.gte(from))
            .filter(StartsAt.lt(before))
            .filter(Status.ne(SessionStatus::Cancelled));
        let ids = held.clone().select_only().column(Id).into_query();
        let held: Vec<(Uuid, Uuid)> = held.into_tuple().all(tx).await?;
        let program: HashMap<Uuid, Uuid> = held.into_iter().collect();
        let marks = attendance::Entity::find()
            .select_only()
            .columns([attendance::Column::ParticipantId, attendance::Column::SessionId])
            .filter(attendance::Column::OrganizationId.eq(own))
            .filter(attendance::Column::SessionId.in_subquery(ids))
            .filter(attendance::Column::Mark.eq(AttendanceMark::Present));
        let marks: Vec<(Uuid, Uuid)> = marks.into_tuple().all(tx).await?;
        let mut attended: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
        for (woman, session) in marks {
            if let Some(program) = program.get(&session) {
                attended.entry(woman).or_default().push(*program);
            }
        }
        Ok(attended)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "all women of the viewer's own organisation, to be counted"
    )]
    async fn paid(&self, tx: &DatabaseTransaction, span: Span) -> Result<HashMap<Uuid, Vec<(String, i64)>>> {
        use payout_run::Column::{OrganizationId, PaidOn, Status};
        let own = self.own()?;
        let runs = payout_run::Entity::find()
            .filter(OrganizationId.eq(own))
            .filter(Status.eq(PayoutRunStatus::Paid))
            .filter(PaidOn.between(span.start, span.end));
        let ids = runs.clone().select_only().column(payout_run::Column::Id).into_query();
        let runs = runs.all(tx).await?;
        let currency: HashMap<Uuid, String> = runs.into_iter().map(|run| (run.id, run.currency)).collect();
        let rows = payout::Entity::find()
            .filter(payout::Column::OrganizationId.eq(own))
            .filter(payout::Column::RunId.in_subquery(ids))
            .all(tx)
            .await?;
        let mut paid: HashMap<Uuid, Vec<(String, i64)>> = HashMap::new();
        for row in rows {
            if let Some(currency) = currency.get(&row.run_id) {
                paid.entry(row.participant_id).or_default().push((currency.clone(), row.net_minor));
            }
        }
        Ok(paid)
    }

    /// Closed rounds whose field work ended in the period, the last ones last, with what was said in them.
    async fn rounds_of(&self, tx: &DatabaseTransaction, span: Span) -> Result<Vec<Round>> {
        use survey_round::Column::{ClosedAt, EndsOn, Id};
        let rows = self
            .select::<survey_round::Entity>()
            .filter(EndsOn.between(span.start, span.end))
            .filter(ClosedAt.is_not_null())
            .order_by_asc(EndsOn)
            .order_by_asc(Id)
            .all(tx)
            .await?;
        let mut rounds = Vec::with_capacity(rows.len());
        for row in rows {
            let instrument =
                self.select::<instrument::Entity>().filter(instrument::Column::Id.eq(row.instrument_id));
            let version = self
                .select::<instrument_version::Entity>()
                .filter(instrument_version::Column::InstrumentId.eq(row.instrument_id))
                .filter(instrument_version::Column::Number.eq(row.instrument_version));
            let places = self
                .select::<survey_round_facility::Entity>()
                .filter(survey_round_facility::Column::RoundId.eq(row.id));
            let (Some(instrument), Some(version)) = (instrument.one(tx).await?, version.one(tx).await?)
            else {
                continue;
            };
            let facilities = places.all(tx).await?.into_iter().map(|place| place.facility_id).collect();
            let responses = self.said_in(tx, row.id).await?;
            rounds.push(Round { row, instrument, questions: version.questions.0, facilities, responses });
        }
        Ok(rounds)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "all women of the viewer's own organisation, to be counted"
    )]
    async fn said_in(&self, tx: &DatabaseTransaction, round: Uuid) -> Result<Vec<Response>> {
        use survey_response::Column::{Id, OrganizationId, RoundId};
        let rows = survey_response::Entity::find()
            .filter(OrganizationId.eq(self.own()?))
            .filter(RoundId.eq(round))
            .order_by_asc(Id)
            .all(tx)
            .await?;
        let opened = self.opened_answers(tx, rows, true).await?;
        opened
            .into_iter()
            .map(|(row, _, answers)| {
                Ok(Response {
                    woman: row.participant_id,
                    facility: row.facility_id,
                    outcome: row.outcome,
                    is_withdrawn: row.withdrawn_at.is_some(),
                    // What cannot be read must not be counted as silence.
                    answers: answers.transpose()?.unwrap_or_default(),
                })
            })
            .collect()
    }
}

impl Gathered {
    /// Where a woman was last among these days; by default among all up to their end.
    pub fn facility(&self, woman: Uuid, span: Option<Span>) -> Option<Uuid> {
        let stays = self.stays.get(&woman)?;
        let within = |stay: &&custody_stay::Model| {
            span.is_none_or(|span| stay.ends_on.is_none_or(|end| span.start <= end))
        };
        stays.iter().rev().find(within).map(|stay| stay.facility_id)
    }

    /// The programs that a woman was enrolled in on any of these days; by default on any up to their end.
    pub fn programs(&self, woman: Uuid, span: Option<Span>) -> HashSet<Uuid> {
        let goes_on = |row: &entity::enrolment::Model| {
            matches!(row.status, EnrolmentStatus::Enrolled | EnrolmentStatus::Active)
        };
        let within =
            |row: &&entity::enrolment::Model| span.is_none_or(|span| goes_on(row) || span.start <= row.since);
        self.enrolments.get(&woman).into_iter().flatten().filter(within).map(|row| row.program_id).collect()
    }
}

fn by_woman<T>(rows: Vec<T>, woman: impl Fn(&T) -> Uuid) -> HashMap<Uuid, Vec<T>> {
    let mut of: HashMap<Uuid, Vec<T>> = HashMap::new();
    for row in rows {
        of.entry(woman(&row)).or_default().push(row);
    }
    of
}
