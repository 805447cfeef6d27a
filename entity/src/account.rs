//! A person or a tool that may sign in.

use sea_orm::entity::prelude::*;

use crate::value::AccountKind;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: AccountKind,
    pub name: String,
    pub recorded_at: DateTimeUtc,
    pub disabled_at: Option<DateTimeUtc>,
    /// Tokens without a session that were made before are refused.
    pub tokens_valid_from: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
