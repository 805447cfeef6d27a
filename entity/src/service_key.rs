//! A key of a service account.

use sea_orm::entity::prelude::*;

use crate::value::Names;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "service_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Uuid,
    pub name: String,
    /// SHA-256 of the key.
    pub hash: Vec<u8>,
    /// Rights as RESOURCE:ACTION; null for all of the role.
    pub scopes: Option<Names>,
    pub made_by: Option<Uuid>,
    pub recorded_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
    /// The last day on which it was used.
    pub used_on: Option<Date>,
}

impl ActiveModelBehavior for ActiveModel {}
