//! A woman's key, wrapped by that of her bucket.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "participant_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub participant_id: Uuid,
    pub bucket_id: Uuid,
    pub wrapped: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
