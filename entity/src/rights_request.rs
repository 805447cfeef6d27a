//! What a woman asked about her data, and by when she has to be answered.

use sea_orm::entity::prelude::*;

use crate::value::{
    ConsentPurpose, RefusalGround, RightsRequestChannel, RightsRequestKind, RightsRequestStatus,
};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "rights_request")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub participant_id: Uuid,
    pub kind: RightsRequestKind,
    /// Of an opposition, the purpose.
    pub purpose: Option<ConsentPurpose>,
    pub channel: RightsRequestChannel,
    pub received_on: Date,
    /// The country whose clock it goes by: ISO 3166-1 alpha-2.
    pub country: String,
    /// The last day to answer.
    pub answer_by: Date,
    pub extended_at: Option<DateTimeUtc>,
    pub status: RightsRequestStatus,
    pub ground: Option<RefusalGround>,
    pub answered_on: Option<Date>,
    pub answered_by: Option<Uuid>,
    /// Of what is granted, the last day to carry it out.
    pub fulfil_by: Option<Date>,
    pub fulfilled_on: Option<Date>,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
