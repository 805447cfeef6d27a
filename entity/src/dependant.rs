//! Somebody who depends on a woman: relation and age band, and nothing else.

use sea_orm::entity::prelude::*;

use crate::value::{AgeBand, DependantRelation};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "dependant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub participant_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    pub relation: DependantRelation,
    pub age_band: AgeBand,
}

impl ActiveModelBehavior for ActiveModel {}
