//! How a person signs in: by e-mail and password.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "credential")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    /// Normalised: see `auth::email` in `api`.
    pub email: String,
    /// Argon2id, as a PHC string.
    pub password_hash: String,
    /// `es` or `en`: what mails to this person are written in.
    pub language: String,
    pub changed_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
