//! Goods of a planned delivery leave.

use chrono::NaiveDate;
use entity::{distribution, shipment, shipment_line, value::DistributionStatus};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{Shipment, as_inputs};
use crate::{
    auth::Right,
    id,
    store::{
        Access,
        distribution::{LineInput, check_line_reach, check_no_lots, line_rows, told},
        input::{At, FUTURE, Faults, Message, UserError, UserErrorCode, Written, or_default},
        stock::ship::Ship,
        write::{Trace, Write},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DispatchDistribution {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub dispatched_on: NaiveDate,
    /// The place of stock that the goods leave; none where no stock is kept.
    #[serde(default, deserialize_with = "id::optional::<_, {id::STOCK_PLACE}>")]
    pub place: Option<Uuid>,
    /// A place in transit.
    #[serde(default, deserialize_with = "id::optional::<_, {id::STOCK_PLACE}>")]
    pub via: Option<Uuid>,
    /// What is sent, when it is not what was planned.
    pub lines: Option<Vec<LineInput>>,
}

impl Access {
    /// Records that the goods of a planned delivery have left.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn dispatch_distribution(&self, input: DispatchDistribution) -> Written<()> {
        self.require(Right::DistributionPlan)?;
        let write = self.write_operations().await?;
        let before = self.to_change(&write, input.at).await?;
        if before.status != DistributionStatus::Planned {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], NOT_PLANNED).into());
        }
        let lines_before = self.lines_now(&write, &before).await?;
        let sent =
            input.lines.clone().unwrap_or_else(|| as_inputs(&before, &lines_before, before.people_reached));
        let mut faults = Faults::default();
        let on_time = input.dispatched_on <= self.today();
        faults.check(on_time, UserErrorCode::OutOfRange, &["dispatchedOn"], FUTURE);
        let was_there = |id| lines_before.iter().any(|line| line.item_id.or(line.kit_id) == Some(id));
        let day = std::cmp::max(before.occurred_on, input.dispatched_on);
        let checked = self.check_lines(&mut faults, &sent, day, was_there);
        check_line_reach(&mut faults, &checked, before.people_reached);
        self.check_permitted(&mut faults, before.facility_id, day, &checked);
        self.check_drawing(&mut faults, input.place);
        match (input.place, input.via) {
            (Some(_), Some(via)) => self.check_transit(&mut faults, via),
            (None, None) => check_no_lots(&mut faults, &sent),
            _ => faults.add(UserErrorCode::Invalid, &["via"], BOTH),
        }
        faults.refuse()?;

        let row = distribution::ActiveModel {
            status: Set(DistributionStatus::Dispatched),
            version: Set(input.at.expected + 1),
            ..Default::default()
        };
        let changed = self.change(&write, input.at, row).await?;
        let lines = line_rows(&before, &checked, &vec![false; checked.len()]);
        if changed == 1 {
            self.replace_lines(&write, &before, lines.clone()).await?;
            self.insert_shipment(&write, &lines, input.dispatched_on).await?;
        }
        if let (1, Some(place), Some(via)) = (changed, input.place, input.via) {
            let ship = Ship {
                delivery: before.id,
                on: input.dispatched_on,
                from: place,
                via,
                lines: &lines,
                lots: &sent.iter().map(|line| line.lot).collect::<Vec<_>>(),
            };
            self.ship(&write, ship).await?;
        }
        write.tell([told(before.id, false)]).await?;
        let detail = json!({ "dispatchedOn": input.dispatched_on });
        let trace = Trace { action: "DISPATCH", entity: "distribution", detail };
        write.finish(changed, trace, input.at, input.validate_only).await
    }

    #[expect(clippy::disallowed_methods, reason = "rows of a delivery of the viewer's own organisation")]
    async fn insert_shipment(
        &self,
        write: &Write<'_>,
        lines: &[entity::distribution_line::Model],
        dispatched_on: NaiveDate,
    ) -> Written<()> {
        let recorded = (self.now, self.viewer.account());
        let Some(shipment) = Shipment::of(lines, dispatched_on, recorded) else { return Ok(()) };
        shipment::Entity::insert(shipment.row.into_active_model().reset_all())
            .exec_without_returning(&write.tx)
            .await?;
        let rows = shipment.lines.into_iter().map(|line| line.into_active_model().reset_all());
        shipment_line::Entity::insert_many(rows).exec_without_returning(&write.tx).await?;
        Ok(())
    }
}

const NOT_PLANNED: Message = Message {
    en: "Only a planned delivery can be dispatched.",
    es: "Solo se puede despachar una entrega planeada.",
};
const BOTH: Message = Message {
    en: "Goods leave one place and travel in another. Name both, or neither.",
    es: "Los artículos salen de un lugar y pasan por uno de tránsito. Indique ambos, o ninguno.",
};
