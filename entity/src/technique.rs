//! A craft that workshops teach.

use sea_orm::entity::prelude::*;

use crate::value::Localized;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "technique")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    pub name: Localized,
}

impl ActiveModelBehavior for ActiveModel {}
