//! A sealed release, byte for byte as it is served. The only table that the released plane reads.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "release_file")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: String,
    pub release_id: Uuid,
    pub bytes: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
