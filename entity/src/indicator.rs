//! What is measured and published, defined before anybody looks at data.

use sea_orm::entity::prelude::*;

use crate::value::{Definition, ImpactSection, IndicatorKind, Localized, Mappings, RiskClass};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "indicator")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub organization_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Unique in its organisation; it stands in sealed files.
    pub code: String,
    pub kind: IndicatorKind,
    pub title: Localized,
    /// Which women it is of, in words.
    pub base_text: Option<Localized>,
    pub definition: Definition,
    /// What the value of one woman could bring upon her; for staff.
    pub risk_class: RiskClass,
    /// Where an impact page shows it; null where it does not.
    pub section: Option<ImpactSection>,
    /// Order within its section.
    pub position: i32,
    pub mappings: Mappings,
    pub version: i32,
    pub recorded_at: DateTimeUtc,
    pub recorded_by: Option<Uuid>,
    /// Null until somebody else has approved its definition. Only then is it released.
    pub approved_at: Option<DateTimeUtc>,
    pub approved_by: Option<Uuid>,
    pub archived_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
