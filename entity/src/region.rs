//! A first-level administrative area.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "region")]
pub struct Model {
    /// ISO 3166-2.
    #[sea_orm(primary_key, auto_increment = false)]
    pub iso: String,
    pub country: String,
    /// COD P-code.
    pub pcode: Option<String>,
    pub name: String,
}

impl ActiveModelBehavior for ActiveModel {}
