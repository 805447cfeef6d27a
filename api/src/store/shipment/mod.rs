//! Deliveries before they take place: what is planned, what was sent, what became of it, and who signed for it.
//!
//! All of it is for staff of the owning organisation: what was shipped less what was handed over would tell how small
//! a hidden delivery was.

pub mod deliver;
pub mod dispatch;
pub mod plan;
pub mod proof;

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use entity::{delivery_proof, distribution, distribution_line, shipment, shipment_line};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::{
    Access, Scoped,
    distribution::{LineInput, Supplied, among},
    input::Message,
    nothing,
    stock::Goods,
    write::Write,
};
use crate::{auth::Right, error::Result};

/// What was sent for a delivery.
#[derive(Clone, Debug)]
pub struct Shipment {
    pub row: shipment::Model,
    pub lines: Vec<shipment_line::Model>,
}

impl Access {
    /// Rows that hang on a delivery, which is reached first.
    fn beside_deliveries(&self, organization: impl ColumnTrait) -> Condition {
        match self.viewer.organization().filter(|own| self.viewer.is_staff_of(*own)) {
            Some(own) if self.viewer.has(Right::DistributionRead) => {
                Condition::all().add(organization.eq(own))
            }
            _ => nothing(),
        }
    }

    /// What was sent for each of some deliveries that the viewer has been shown.
    pub async fn shipments(&self, deliveries: &[Uuid]) -> Result<HashMap<Uuid, Shipment>> {
        self.shipments_on(self.reader(), deliveries).await
    }

    /// What was sent for a delivery that is being written.
    pub(in crate::store) async fn shipment_of(
        &self,
        write: &Write<'_>,
        delivery: Uuid,
    ) -> Result<Option<Shipment>> {
        Ok(self.shipments_on(&write.tx, &[delivery]).await?.remove(&delivery))
    }

    async fn shipments_on(
        &self,
        db: &impl ConnectionTrait,
        deliveries: &[Uuid],
    ) -> Result<HashMap<Uuid, Shipment>> {
        let of = among(shipment::Column::DistributionId, deliveries.iter().copied());
        let rows = self.select::<shipment::Entity>().filter(of).all(db).await?;
        let mut found: HashMap<Uuid, Shipment> =
            rows.into_iter().map(|row| (row.distribution_id, Shipment { row, lines: Vec::new() })).collect();
        if found.is_empty() {
            return Ok(found);
        }
        let lines = self
            .select::<shipment_line::Entity>()
            .filter(among(shipment_line::Column::DistributionId, found.keys().copied()))
            .order_by_asc(shipment_line::Column::DistributionId)
            .order_by_asc(shipment_line::Column::Position)
            .all(db)
            .await?;
        for line in lines {
            if let Some(shipment) = found.get_mut(&line.distribution_id) {
                shipment.lines.push(line);
            }
        }
        Ok(found)
    }

    /// Who signed for each of some deliveries that the viewer has been shown, in the order of the record.
    pub async fn delivery_proofs(
        &self,
        deliveries: &[Uuid],
    ) -> Result<HashMap<Uuid, Vec<delivery_proof::Model>>> {
        let mut found: HashMap<Uuid, Vec<_>> = HashMap::new();
        for proof in self.proofs_on(self.reader(), deliveries).await? {
            found.entry(proof.distribution_id).or_default().push(proof);
        }
        Ok(found)
    }

    pub(in crate::store) async fn proofs_on(
        &self,
        db: &impl ConnectionTrait,
        deliveries: &[Uuid],
    ) -> Result<Vec<delivery_proof::Model>> {
        use delivery_proof::Column::{DistributionId, Id, RecordedAt};
        Ok(self
            .select::<delivery_proof::Entity>()
            .filter(among(DistributionId, deliveries.iter().copied()))
            .order_by_asc(RecordedAt)
            .order_by_asc(Id)
            .all(db)
            .await?)
    }
}

impl Scoped for shipment::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.beside_deliveries(shipment::Column::OrganizationId)
    }
}

impl Scoped for shipment_line::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.beside_deliveries(shipment_line::Column::OrganizationId)
    }
}

impl Scoped for delivery_proof::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.beside_deliveries(delivery_proof::Column::OrganizationId)
    }
}

impl Shipment {
    /// Lines of a delivery that leave, as they are; none of a delivery without lines.
    pub fn of(
        lines: &[distribution_line::Model],
        dispatched_on: NaiveDate,
        recorded: (DateTime<Utc>, Option<Uuid>),
    ) -> Option<Self> {
        let first = lines.first()?;
        let (organization_id, distribution_id) = (first.organization_id, first.distribution_id);
        let (recorded_at, recorded_by) = recorded;
        let line = |line: &distribution_line::Model| shipment_line::Model {
            organization_id,
            distribution_id,
            position: line.position,
            item_id: line.item_id,
            kit_id: line.kit_id,
            kit_version: line.kit_version,
            shipped: line.quantity,
            received: None,
            returned: None,
            lost: None,
        };
        let row = shipment::Model {
            organization_id,
            distribution_id,
            dispatched_on,
            loss_reason: None,
            recorded_at,
            recorded_by,
        };
        Some(Self { row, lines: lines.iter().map(line).collect() })
    }
}

pub(in crate::store) fn goods_of(line: &shipment_line::Model) -> Goods {
    Goods::new(line.item_id, line.kit_id, line.kit_version)
}

/// Whether a delivery has not taken place yet.
pub(in crate::store) fn is_ahead(row: &distribution::Model) -> bool {
    use entity::value::DistributionStatus::{Dispatched, Planned};
    matches!(row.status, Planned | Dispatched)
}

/// Lines of a delivery as they stand, for an input that leaves them out, when it reaches so many women.
fn as_inputs(
    before: &distribution::Model,
    lines: &[distribution_line::Model],
    people: i32,
) -> Vec<LineInput> {
    let input = |line: &distribution_line::Model| LineInput {
        supplied: Supplied { item: line.item_id, kit: line.kit_id },
        kit_version: line.kit_version,
        quantity: line.quantity,
        people_reached: meant_for(before, line, people),
        ..LineInput::default()
    };
    lines.iter().map(input).collect()
}

/// How many women a line is for, when it is not for all whom its delivery reaches.
fn meant_for(before: &distribution::Model, line: &distribution_line::Model, people: i32) -> Option<i32> {
    (line.people_reached != before.people_reached).then_some(std::cmp::min(line.people_reached, people))
}

pub(in crate::store) const IS_SHIPPED: Message = Message {
    en: "This delivery was dispatched. Say what became of the goods with deliverDistribution, or void it.",
    es: "Esta entrega fue despachada. Indique qué pasó con los artículos con deliverDistribution, o anúlela.",
};
