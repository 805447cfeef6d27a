//! A woman who takes part. Who she is lies in ciphertext under a key of her own.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "participant")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What staff call her by; of one organisation, and random unless they chose it.
    pub code: String,
    /// Ciphertext; null once she is erased.
    pub given_names: Option<Vec<u8>>,
    /// Ciphertext; null once she is erased.
    pub family_names: Option<Vec<u8>>,
    /// Ciphertext.
    pub birth_date: Option<Vec<u8>>,
    /// Ciphertext.
    pub documents: Option<Vec<u8>>,
    /// Ciphertext.
    pub notes: Option<Vec<u8>>,
    /// The version of the row that the ciphertexts were written with.
    pub identity_version: i32,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
    pub erased_at: Option<DateTimeUtc>,
    /// The row that stands for her, when this one was a second one.
    pub merged_into: Option<Uuid>,
}

impl ActiveModelBehavior for ActiveModel {}
