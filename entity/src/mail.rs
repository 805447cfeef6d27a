//! A mail that is to be sent, or was.

use sea_orm::entity::prelude::*;

use crate::value::MailKind;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "mail")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub kind: MailKind,
    pub recipient: String,
    pub language: String,
    pub subject: String,
    /// Sealed; null once it was sent or has expired.
    pub text: Option<Vec<u8>>,
    pub recorded_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub next_try_at: DateTimeUtc,
    pub sent_at: Option<DateTimeUtc>,
    pub tries: i32,
}

impl ActiveModelBehavior for ActiveModel {}
