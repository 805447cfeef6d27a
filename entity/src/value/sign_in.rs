//! Values of the tables that people sign in by.

use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

/// What a mail is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, EnumIter, DeriveActiveEnum)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MailKind {
    Invitation,
    PasswordReset,
}

/// Keys of rows.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Ids(pub Vec<Uuid>);
