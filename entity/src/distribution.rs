//! A delivery of goods at a facility.

use sea_orm::entity::prelude::*;

use crate::value::{DistributionStatus, ReachMethod, RowClass, VoidReason};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "distribution")]
pub struct Model {
    /// The organisation that carried it out.
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    /// Random, never ordered by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Fixed when the row is made.
    pub class: RowClass,
    pub facility_id: Uuid,
    pub program_id: Uuid,
    /// In the field.
    pub occurred_on: Date,
    /// Here.
    pub recorded_at: DateTimeUtc,
    pub status: DistributionStatus,
    /// Contacts, not persons.
    pub people_reached: i32,
    pub reach_method: ReachMethod,
    pub version: i32,
    /// The account; null for imports.
    pub recorded_by: Option<Uuid>,
    /// The key of the row in the file it came from.
    pub import_key: Option<String>,
    /// The id that a device gave it; unique within the organisation.
    pub client_id: Option<Uuid>,
    /// The number of the paper form that it was entered from.
    pub form_number: Option<String>,
    pub verified_at: Option<DateTimeUtc>,
    pub voided_at: Option<DateTimeUtc>,
    pub void_reason: Option<VoidReason>,
    pub void_note: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
