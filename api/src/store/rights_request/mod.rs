//! What women ask about their data: the register of requests, each with the last day to answer it.

mod clock;
mod fulfil;

use chrono::NaiveDate;
use entity::{
    rights_request::{self, Column, Model},
    value::{ConsentPurpose, RefusalGround, RightsRequestChannel, RightsRequestKind, RightsRequestStatus},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, Set,
    sea_query::{Expr, LockType},
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

pub use self::{
    clock::{Clock, Clocks},
    fulfil::FulfilRightsRequest,
};
use super::{
    Access, Scoped,
    distribution::among,
    input::{At, FUTURE, Faults, Message, Once, UserError, UserErrorCode, Written, or_default},
    keyset::{Direction, Key, Page, Place, SqlOrder, Window},
    write::{Seen, Trace, Write},
};
use crate::{
    auth::Right,
    error::{Error, Result},
    id,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordRightsRequest {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::PARTICIPANT}>")]
    pub participant: Uuid,
    pub kind: RightsRequestKind,
    #[serde(default)]
    pub purpose: Option<ConsentPurpose>,
    pub channel: RightsRequestChannel,
    pub received_on: NaiveDate,
    /// Where it is not that of the organisation.
    #[serde(default)]
    pub country: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnswerRightsRequest {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub status: RightsRequestStatus,
    #[serde(default)]
    pub ground: Option<RefusalGround>,
    pub answered_on: NaiveDate,
}

/// Lists narrow the result to any of their members; an empty list matches nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    #[serde(deserialize_with = "id::list::<_, {id::PARTICIPANT}>")]
    pub participant: Option<Vec<Uuid>>,
    pub kind: Option<Vec<RightsRequestKind>>,
    pub status: Option<Vec<RightsRequestStatus>>,
    pub overdue: Option<bool>,
}

/// What is asked of the register.
#[derive(Clone, Debug)]
pub enum Asked {
    Page { filter: Filter, window: Window, with_total: bool, fields: Vec<String> },
    One(Uuid, Vec<String>),
}

impl Scoped for rights_request::Entity {
    fn visible_to(access: &Access) -> Condition {
        access
            .own_rows(Column::OrganizationId, Right::RightsRequestAnswer)
            .add(access.of_women(Column::ParticipantId))
    }
}

impl Access {
    /// The clock of a request that came in on a day.
    fn clock(&self, country: &str, received_on: NaiveDate) -> Result<&Clock> {
        let clock = self.store.clocks().of(country, received_on);
        clock.ok_or_else(|| Error::Internal("there is no clock for requests".into()))
    }

    /// Writes down what a woman asks, and by when she has to be answered.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    pub async fn record_rights_request(&self, input: RecordRightsRequest) -> Written<Option<Uuid>> {
        self.require(Right::RightsRequestRecord)?;
        self.purpose()?;
        let own = self.own()?;
        let write = self.write_relying().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let woman = self.participant_in(&write, input.participant, LockType::Share).await?;
        let woman = woman.ok_or_else(|| UserError::not_found(&["participant"]))?;
        let country = match &input.country {
            Some(country) => country.clone(),
            None => self.organization(own).map(|entry| entry.row.country.clone()).unwrap_or_default(),
        };
        let mut faults = Faults::default();
        let opposes = (input.kind == RightsRequestKind::Opposition) == input.purpose.is_some();
        faults.check(opposes, UserErrorCode::Invalid, &["purpose"], PURPOSE_OF_OPPOSITION);
        let past = input.received_on <= self.today();
        faults.check(past, UserErrorCode::OutOfRange, &["receivedOn"], FUTURE);
        faults.country(&country, &["country"]);
        faults.refuse()?;
        let clock = self.clock(&country, input.received_on)?;
        let row = Model {
            organization_id: own,
            id,
            participant_id: woman.id,
            kind: input.kind,
            purpose: input.purpose,
            channel: input.channel,
            received_on: input.received_on,
            answer_by: clock.answer.after(input.received_on),
            country,
            extended_at: None,
            status: RightsRequestStatus::Open,
            ground: None,
            answered_on: None,
            answered_by: None,
            fulfil_by: None,
            fulfilled_on: None,
            version: 1,
            recorded_at: self.now,
            recorded_by: self.viewer.account(),
        };
        let detail = json!({ "kind": row.kind, "answerBy": row.answer_by });
        write.put::<rights_request::Entity>(vec![row]).await?;
        let trace = Trace { detail, ..Trace::of("CREATE", "rights_request") };
        write.finish_about(vec![woman.id], trace, (id, 1), input.validate_only).await
    }

    /// Takes longer to answer, once, as long as the country's law allows.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    pub async fn extend_rights_request(&self, at: At, validate_only: bool) -> Written<()> {
        let (write, before) = self.rights_request_to_change(at).await?;
        let more = self.clock(&before.country, before.received_on)?.extension;
        let mut faults = Faults::default();
        let open = before.status == RightsRequestStatus::Open;
        faults.check(open, UserErrorCode::Invalid, &["id"], IS_ANSWERED);
        let first = before.extended_at.is_none() && more.is_some();
        faults.check(first, UserErrorCode::Invalid, &["id"], NO_MORE_TIME);
        faults.check(self.today() <= before.answer_by, UserErrorCode::Invalid, &["id"], TOO_LATE);
        faults.refuse()?;
        let answer_by = more.map_or(before.answer_by, |more| more.after(before.answer_by));
        let row = rights_request::ActiveModel {
            answer_by: Set(answer_by),
            extended_at: Set(Some(self.now)),
            ..Default::default()
        };
        let trace =
            Trace { detail: json!({ "answerBy": answer_by }), ..Trace::of("EXTEND", "rights_request") };
        write.change_rights_request(&before, row, trace, validate_only).await
    }

    /// Says what becomes of a request.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    pub async fn answer_rights_request(&self, input: AnswerRightsRequest) -> Written<()> {
        use RightsRequestStatus::{Granted, Open, PartlyGranted, Refused};
        let (write, before) = self.rights_request_to_change(input.at).await?;
        let mut faults = Faults::default();
        faults.check(before.status == Open, UserErrorCode::Invalid, &["id"], IS_ANSWERED);
        faults.check(input.status != Open, UserErrorCode::Invalid, &["status"], NO_ANSWER);
        let reasoned = matches!(input.status, Refused | PartlyGranted) == input.ground.is_some();
        faults.check(reasoned, UserErrorCode::Invalid, &["ground"], GROUND_OF_REFUSAL);
        let since = before.received_on <= input.answered_on;
        faults.check(since, UserErrorCode::OutOfRange, &["answeredOn"], BEFORE_IT_CAME);
        let past = input.answered_on <= self.today();
        faults.check(past, UserErrorCode::OutOfRange, &["answeredOn"], FUTURE);
        faults.refuse()?;
        let fulfil_by = match (input.status, self.clock(&before.country, before.received_on)?.fulfil) {
            (Granted | PartlyGranted, Some(time)) => Some(time.after(input.answered_on)),
            (Granted | PartlyGranted, None) => Some(before.answer_by.max(input.answered_on)),
            _ => None,
        };
        let row = rights_request::ActiveModel {
            status: Set(input.status),
            ground: Set(input.ground),
            answered_on: Set(Some(input.answered_on)),
            answered_by: Set(self.viewer.account()),
            fulfil_by: Set(fulfil_by),
            ..Default::default()
        };
        let trace =
            Trace { detail: json!({ "status": input.status }), ..Trace::of("ANSWER", "rights_request") };
        write.change_rights_request(&before, row, trace, input.validate_only).await
    }

    async fn rights_request_to_change(&self, at: At) -> Written<(Write<'_>, Model)> {
        self.require(Right::RightsRequestAnswer)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        let select = self.select::<rights_request::Entity>().filter(Column::Id.eq(at.id));
        let row = select.lock_exclusive().one(&write.tx).await?;
        let row = row.ok_or_else(|| UserError::not_found(&["id"]))?;
        at.check("id", row.version, None)?;
        Ok((write, row))
    }

    /// A page of the register, the most urgent first, or one request of it.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`.
    pub async fn rights_requests(&self, asked: &Asked) -> Result<Page<Model>> {
        self.require(Right::RightsRequestAnswer)?;
        let reading = self.reading().await?;
        let column = |column: Column| Expr::col((rights_request::Entity, column));
        // Whoever decides what the answer says is in its trace: the row that says whether there are more, and a woman whom
        // the list names and who has asked for nothing.
        let of = |rows: &[Model]| rows.iter().map(|row| row.participant_id).collect::<Vec<_>>();
        let (page, women, fields) = match asked {
            Asked::One(id, fields) => {
                let rows = self.select::<rights_request::Entity>().filter(Column::Id.eq(*id));
                let rows = rows.all(reading.tx()).await?;
                let women = of(&rows);
                (Page { rows, has_next: false, has_previous: false, total: None }, women, fields)
            }
            Asked::Page { filter, window, with_total, fields } => {
                let order = SqlOrder {
                    key: column(Column::AnswerBy),
                    id: column(Column::Id),
                    nullable: false,
                    direction: Direction::Ascending,
                };
                let matching = self.select::<rights_request::Entity>().filter(self.asked_for(filter));
                let rows = order.page(matching.clone(), window).all(reading.tx()).await?;
                let mut women = of(&rows);
                women.extend(filter.participant.iter().flatten());
                let mut page = window.cut(rows);
                if *with_total {
                    page.total = Some(matching.count(reading.tx()).await? as i64);
                }
                (page, women, fields)
            }
        };
        reading.end("rights_request", fields, women, page).await
    }

    fn asked_for(&self, filter: &Filter) -> Condition {
        let mut matching = Condition::all();
        if let Some(women) = &filter.participant {
            matching = matching.add(among(Column::ParticipantId, women.iter().copied()));
        }
        if let Some(kinds) = &filter.kind {
            matching = matching.add(Column::Kind.is_in(kinds.iter().copied()));
        }
        if let Some(statuses) = &filter.status {
            matching = matching.add(Column::Status.is_in(statuses.iter().copied()));
        }
        let today = self.today();
        let unanswered = Condition::all()
            .add(Column::Status.eq(RightsRequestStatus::Open))
            .add(Column::AnswerBy.lt(today));
        let undone = Condition::all().add(Column::FulfilledOn.is_null()).add(Column::FulfilBy.lt(today));
        let overdue = Condition::any().add(unanswered).add(undone.add(Column::FulfilBy.is_not_null()));
        match filter.overdue {
            None => matching,
            Some(true) => matching.add(overdue),
            Some(false) => matching.add(overdue.not()),
        }
    }

    /// Whether the last day to answer a request, or to carry it out, is over.
    pub fn is_overdue(&self, request: &Model) -> bool {
        let today = self.today();
        let unanswered = request.status == RightsRequestStatus::Open && request.answer_by < today;
        let undone = request.fulfilled_on.is_none() && request.fulfil_by.is_some_and(|last| last < today);
        unanswered || undone
    }

    pub fn rights_request_place(row: &Model) -> Place {
        Place { key: Key::Day(row.answer_by), id: row.id }
    }
}

impl Write<'_> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the row was found in scope; organisation and version are in the WHERE"
    )]
    async fn change_rights_request(
        self,
        before: &Model,
        row: rights_request::ActiveModel,
        trace: Trace<'_>,
        validate_only: bool,
    ) -> Written<()> {
        let changed = rights_request::Entity::update_many()
            .set(rights_request::ActiveModel { version: Set(before.version + 1), ..row })
            .filter(Column::OrganizationId.eq(before.organization_id))
            .filter(Column::Id.eq(before.id))
            .filter(Column::Version.eq(before.version))
            .exec(&self.tx)
            .await?
            .rows_affected;
        if changed != 1 {
            return Err(UserError::stale().into());
        }
        let row = (before.id, before.version + 1);
        self.finish_about(vec![before.participant_id], trace, row, validate_only).await?;
        Ok(())
    }
}

const PURPOSE_OF_OPPOSITION: Message = Message {
    en: "An opposition names the purpose that she opposes; no other request does.",
    es: "Una oposición indica la finalidad a la que ella se opone; ninguna otra solicitud la indica.",
};
const IS_ANSWERED: Message =
    Message { en: "The request is answered already.", es: "La solicitud ya está respondida." };
const NO_MORE_TIME: Message = Message {
    en: "The time to answer was extended already, or the country's law allows no extension.",
    es: "El plazo para responder ya se amplió, o la ley del país no permite ampliarlo.",
};
const TOO_LATE: Message = Message {
    en: "The last day to answer is over. It can no longer be extended.",
    es: "El último día para responder ya pasó. El plazo ya no se puede ampliar.",
};
const NO_ANSWER: Message =
    Message { en: "Say what becomes of the request.", es: "Indique qué resulta de la solicitud." };
const GROUND_OF_REFUSAL: Message = Message {
    en: "What is refused, as a whole or in part, needs a ground; nothing else has one.",
    es: "Una negativa, total o parcial, necesita un motivo; ninguna otra respuesta lo lleva.",
};
const BEFORE_IT_CAME: Message = Message {
    en: "The answer is before the day on which the request came in.",
    es: "La respuesta es anterior al día en que llegó la solicitud.",
};
