//! A craft that a woman has been seen to master.

use sea_orm::entity::prelude::*;

use crate::value::SkillLevel;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "skill")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub participant_id: Uuid,
    /// The code of a technique.
    pub technique: String,
    pub level: SkillLevel,
    pub attested_on: Date,
    /// The account.
    pub attested_by: Option<Uuid>,
    pub recorded_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
