//! A try to sign in, or to use a one-time token, that has not succeeded.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_try")]
pub struct Model {
    /// A keyed digest of what is counted: an account, an address, or both.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tried_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
