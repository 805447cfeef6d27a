//! What a woman has decided about her data, purpose by purpose. Rows are added and never changed: the latest decision
//! holds. A refusal changes nothing else: no other part of the program asks for consent but that which it is about.

use chrono::NaiveDate;
use entity::{
    consent, participant,
    value::{ConsentDecision, ConsentMethod, ConsentPurpose},
};
use sea_orm::{
    ActiveEnum, ActiveModelTrait, Set,
    sea_query::{Alias, Expr, ExprTrait, Order, Query, SelectStatement},
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    auth::Right,
    id,
    store::{
        Access,
        input::{FUTURE, Faults, Message, Once, UserErrorCode, Written, or_default},
        write::Trace,
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordConsent {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::PARTICIPANT}>")]
    pub participant: Uuid,
    pub purpose: ConsentPurpose,
    pub decision: ConsentDecision,
    pub notice_version: String,
    pub language: String,
    pub method: ConsentMethod,
    pub decided_on: NaiveDate,
}

impl Access {
    /// Adds a decision of hers: whose it was.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn record_consent(&self, input: RecordConsent) -> Written<Option<Uuid>> {
        self.require(Right::ConsentRecord)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        let Some(woman) = self.woman_once(&write, &input.once, input.participant).await? else {
            return Ok(Some(input.participant));
        };
        let mut faults = Faults::default();
        faults.text(&input.notice_version, &["noticeVersion"], 40);
        let tag = (2..=35).contains(&input.language.len())
            && input
                .language
                .split('-')
                .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        faults.check(tag, UserErrorCode::Invalid, &["language"], BAD_LANGUAGE);
        faults.check(input.decided_on <= self.today(), UserErrorCode::OutOfRange, &["decidedOn"], FUTURE);
        let before = self.hanging_in::<consent::Entity>(&write.tx, &[woman.id]).await?;
        let before: Vec<_> = before.iter().filter(|row| row.purpose == input.purpose).collect();
        let given = before.iter().any(|row| row.decision == ConsentDecision::Given);
        let fits = input.decision != ConsentDecision::Withdrawn || given;
        faults.check(fits, UserErrorCode::Invalid, &["decision"], NOTHING_TO_WITHDRAW);
        faults.refuse()?;
        let row = consent::ActiveModel {
            organization_id: Set(self.own()?),
            id: Set(self.new_id()),
            participant_id: Set(woman.id),
            purpose: Set(input.purpose),
            decision: Set(input.decision),
            notice_version: Set(input.notice_version),
            language: Set(input.language),
            method: Set(input.method),
            decided_on: Set(input.decided_on),
            recorded_at: Set(self.now),
            recorded_by: Set(self.viewer.account()),
        };
        let row = row.insert(&write.tx).await?;
        let detail = json!({ "purpose": row.purpose, "decision": row.decision });
        let trace = Trace { detail, ..Trace::of("CREATE", "consent") };
        write.audit_about(vec![woman.id], trace, row.id, None).await?;
        write.end(input.validate_only).await?;
        Ok((!input.validate_only).then_some(woman.id))
    }
}

/// The women of an organisation whose latest decision about a purpose, as of the end of a day, is that it may be: what every
/// statistic begins from.
pub fn consenting(organization: Uuid, purpose: ConsentPurpose, on: NaiveDate) -> SelectStatement {
    let inner = Alias::new("later");
    let col = |column: consent::Column| Expr::col((inner.clone(), column));
    let latest = Query::select()
        .column((inner.clone(), consent::Column::Decision))
        .from_as(consent::Entity, inner.clone())
        .and_where(col(consent::Column::OrganizationId).eq(organization))
        .and_where(col(consent::Column::ParticipantId).equals((participant::Entity, participant::Column::Id)))
        .and_where(col(consent::Column::Purpose).eq(purpose.to_value()))
        .and_where(col(consent::Column::DecidedOn).lte(on))
        .order_by((inner.clone(), consent::Column::DecidedOn), Order::Desc)
        .order_by((inner.clone(), consent::Column::RecordedAt), Order::Desc)
        .order_by((inner.clone(), consent::Column::Id), Order::Desc)
        .limit(1)
        .to_owned();
    Query::select()
        .column((participant::Entity, participant::Column::Id))
        .from(participant::Entity)
        .and_where(Expr::col((participant::Entity, participant::Column::OrganizationId)).eq(organization))
        .and_where(Expr::col((participant::Entity, participant::Column::ErasedAt)).is_null())
        .and_where(Expr::col((participant::Entity, participant::Column::MergedInto)).is_null())
        .and_where(
            Expr::expr(Expr::SubQuery(None, Box::new(latest.into()))).eq(ConsentDecision::Given.to_value()),
        )
        .to_owned()
}

const BAD_LANGUAGE: Message = Message {
    en: "This is not a language tag such as es or en.",
    es: "No es una etiqueta de idioma como es o en.",
};
const NOTHING_TO_WITHDRAW: Message = Message {
    en: "She has given no consent that could be withdrawn. Record a refusal.",
    es: "No ha dado un consentimiento que pueda revocarse. Registre una negativa.",
};
