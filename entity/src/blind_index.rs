//! A keyed digest by which a woman is found who has exactly this name or document.

use sea_orm::entity::prelude::*;

use crate::value::BlindIndexKind;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "blind_index")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub participant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: BlindIndexKind,
    /// 16 bytes, under the key of her bucket.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
