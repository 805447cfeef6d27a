//! A session that has ended so short a time ago that access tokens of it may still be about.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "ended_session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub ended_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
