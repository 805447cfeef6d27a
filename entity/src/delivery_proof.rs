//! Who signed that a delivery arrived.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery_proof")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub distribution_id: Uuid,
    /// The officer or member of staff who received the goods, never a participant.
    pub signed_by: String,
    pub signed_on: Date,
    /// The SHA-256 digest of the signed document, in hexadecimal digits.
    pub document_sha256: Option<String>,
    pub recorded_at: DateTimeUtc,
    /// The account.
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
