//! What a release is made of, in ciphertext under a key of the organisation.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "release_data")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub release_id: Uuid,
    /// Numbers of women, their groups and values; null once it is published.
    pub snapshot: Option<Vec<u8>>,
    pub snapshot_digest: String,
    /// What later releases are held against; null until it is prepared.
    pub record: Option<Vec<u8>>,
    /// For those who review it.
    pub report: Option<Vec<u8>>,
    /// What would be published.
    pub draft: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
