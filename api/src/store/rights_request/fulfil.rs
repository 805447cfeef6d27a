//! Whether what a woman was granted is done.

use chrono::NaiveDate;
use entity::{
    participant,
    rights_request::{self, Model},
    value::{ConsentDecision, RightsRequestKind, RightsRequestStatus},
};
use sea_orm::{ConnectionTrait, EntityTrait, Set, Statement};
use serde::Deserialize;

use crate::{
    error::Result,
    store::{
        Access,
        input::{At, FUTURE, Faults, Message, UserErrorCode, Written, or_default},
        write::{Trace, Write},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FulfilRightsRequest {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub fulfilled_on: NaiveDate,
}

impl Access {
    /// Says that what was granted is done, once it can be seen to be: she is erased, her data were taken out for her, the
    /// purpose that she opposes is one that she no longer consents to.
    ///
    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    pub async fn fulfil_rights_request(&self, input: FulfilRightsRequest) -> Written<()> {
        use RightsRequestStatus::{Granted, PartlyGranted};
        let (write, before) = self.rights_request_to_change(input.at).await?;
        let mut faults = Faults::default();
        let granted = matches!(before.status, Granted | PartlyGranted) && before.fulfilled_on.is_none();
        faults.check(granted, UserErrorCode::Invalid, &["id"], NOTHING_TO_DO);
        let since = before.answered_on.is_some_and(|answered| answered <= input.fulfilled_on);
        faults.check(since, UserErrorCode::OutOfRange, &["fulfilledOn"], BEFORE_THE_ANSWER);
        let past = input.fulfilled_on <= self.today();
        faults.check(past, UserErrorCode::OutOfRange, &["fulfilledOn"], FUTURE);
        if let Some(left) = write.left_to_do(&before).await? {
            faults.check(before.status == PartlyGranted, UserErrorCode::Invalid, &["id"], left);
        }
        faults.refuse()?;
        let row =
            rights_request::ActiveModel { fulfilled_on: Set(Some(input.fulfilled_on)), ..Default::default() };
        let trace = Trace::of("FULFIL", "rights_request");
        write.change_rights_request(&before, row, trace, input.validate_only).await
    }
}

impl Write<'_> {
    /// What a request that is granted still waits for; none when it can be seen to be carried out. A rectification cannot
    /// be seen: what was put right is in the audit.
    #[expect(clippy::disallowed_methods, reason = "of a woman whose request was found in scope")]
    async fn left_to_do(&self, request: &Model) -> Result<Option<Message>> {
        let key = (request.organization_id, request.participant_id);
        let woman = participant::Entity::find_by_id(key).one(&self.tx).await?;
        Ok(match request.kind {
            RightsRequestKind::Rectification => None,
            RightsRequestKind::Erasure => {
                let erased = woman.is_some_and(|woman| woman.erased_at.is_some());
                (!erased).then_some(NOT_ERASED)
            }
            RightsRequestKind::Opposition => {
                // Her decisions since a merge are in the record that is kept, and are the newer ones.
                let kept = woman.and_then(|woman| woman.merged_into).unwrap_or(key.1);
                let rows = self.access.hanging_in::<entity::consent::Entity>(&self.tx, &[kept]).await?;
                let last = rows
                    .into_iter()
                    .filter(|row| Some(row.purpose) == request.purpose)
                    .max_by_key(|row| (row.decided_on, row.recorded_at, row.id));
                let consents = last.is_none_or(|row| row.decision == ConsentDecision::Given);
                consents.then_some(STILL_CONSENTS)
            }
            RightsRequestKind::Access | RightsRequestKind::Portability => {
                (!self.was_exported(request).await?).then_some(NOT_EXPORTED)
            }
        })
    }

    /// Whether her data were taken out since a request was recorded.
    async fn was_exported(&self, request: &Model) -> Result<bool> {
        let backend = self.access.backend();
        let sql = "SELECT e.id FROM record_reach r JOIN audit_event e ON e.organization_id = r.organization_id \
                   AND e.id = r.event_id WHERE r.organization_id = $1 AND r.participant_id = $2 \
                   AND e.action = 'EXPORT' AND e.entity = 'participant' AND e.recorded_at >= $3 LIMIT 1";
        let values =
            [request.organization_id.into(), request.participant_id.into(), request.recorded_at.into()];
        let found = self.tx.query_one_raw(Statement::from_sql_and_values(backend, sql, values)).await?;
        Ok(found.is_some())
    }
}

const NOTHING_TO_DO: Message = Message {
    en: "Only a request that is granted and not yet carried out can be.",
    es: "Solo puede cumplirse una solicitud concedida y aún no cumplida.",
};
const BEFORE_THE_ANSWER: Message =
    Message { en: "This is before the answer.", es: "Es anterior a la respuesta." };
const NOT_ERASED: Message = Message {
    en: "She is not erased yet. Use eraseParticipant first.",
    es: "Su expediente todavía no se ha suprimido. Use antes eraseParticipant.",
};
const STILL_CONSENTS: Message = Message {
    en: "Her last decision about this purpose is no refusal or withdrawal. Use recordConsent first.",
    es: "Su última decisión sobre esta finalidad no es una negativa ni una revocación. Use antes recordConsent.",
};
const NOT_EXPORTED: Message = Message {
    en: "Her data were not taken out for her since the request. Use /export/participants/{id} first.",
    es: "Desde que se registró la solicitud no se ha extraído su expediente para ella. Use antes /export/participants/{id}.",
};
