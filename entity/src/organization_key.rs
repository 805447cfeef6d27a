//! A key of a whole organisation, wrapped by that of a bucket which holds nothing else.

use sea_orm::entity::prelude::*;

use crate::value::OrganizationKeyKind;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "organization_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: OrganizationKeyKind,
    /// The name of its file outside the database.
    pub bucket_id: Uuid,
    pub wrapped: Vec<u8>,
    pub recorded_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
