//! What was handed over: an item, or a kit of a version.

use sea_orm::entity::prelude::*;

use crate::value::RowClass;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "distribution_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub distribution_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    /// That of its distribution.
    pub class: RowClass,
    /// At least the threshold in women and in units; otherwise outsiders do not see the line.
    pub shown: bool,
    pub item_id: Option<Uuid>,
    pub kit_id: Option<Uuid>,
    pub kit_version: Option<i32>,
    pub quantity: i32,
    pub people_reached: i32,
}

impl ActiveModelBehavior for ActiveModel {}
