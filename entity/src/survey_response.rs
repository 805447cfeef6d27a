//! What a woman said in a round, or that she said nothing.

use sea_orm::entity::prelude::*;

use crate::value::{ResponseChannel, ResponseOutcome};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "survey_response")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub round_id: Uuid,
    pub facility_id: Uuid,
    /// Null in a round that is anonymous.
    pub participant_id: Option<Uuid>,
    /// The consent that it rests on; null where nobody is named, and where nothing was answered.
    pub consent_id: Option<Uuid>,
    pub outcome: ResponseOutcome,
    pub answered_on: Date,
    pub channel: ResponseChannel,
    /// The id that a device gave it.
    pub client_id: Uuid,
    /// The paper form that it was entered from.
    pub form_number: Option<String>,
    /// The answers in ciphertext; null when there are none, and once they were taken back.
    pub answers: Option<Vec<u8>>,
    pub withdrawn_at: Option<DateTimeUtc>,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
