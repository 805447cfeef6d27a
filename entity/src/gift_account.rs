//! A steward's word that no sensitive goods of a gift are left.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "gift_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub gift_id: Uuid,
    /// The last day of the quarter in which it was said; the donor sees it once that quarter is published.
    pub accounted_on: Date,
    /// A JSON Web Signature in its compact form.
    pub signature: String,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
