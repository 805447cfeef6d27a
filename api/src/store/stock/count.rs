//! Counting what is there: the record follows the count, and keeps what was counted.

use entity::{stock_movement, value::StockMovementKind};
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    Head,
    draw::{MOST, pairs},
    ledger::Movement,
    record::check_lots,
};
use crate::{
    id,
    store::{
        Access,
        input::{Faults, Written},
        write::Write,
    },
};

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CountStock {
    #[serde(flatten)]
    pub head: Head,
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_PLACE}>")]
    pub place: Uuid,
    pub lines: Vec<CountLine>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct CountLine {
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_LOT}>")]
    pub lot: Uuid,
    pub counted: i32,
}

impl Access {
    /// A count at the end of a day. What differs from the record is posted; what was counted is kept whether or not it
    /// differs.
    ///
    /// # Errors
    /// User errors for what a client can mend.
    pub(super) async fn count_in(
        &self,
        write: &Write<'_>,
        id: Uuid,
        input: &CountStock,
    ) -> Written<stock_movement::Model> {
        let mut faults = Faults::default();
        self.check_head(&mut faults, &input.head);
        self.check_store(&mut faults, input.place, "place");
        check_lots(&mut faults, input.lines.iter().map(|line| (line.lot, line.counted)), 0..=MOST);
        faults.refuse()?;
        let lots = self.check_lots_exist(write, input.lines.iter().map(|line| line.lot)).await?;
        let held = self.hold(write, pairs(&[input.place], lots.keys().copied())).await?;
        let mut movement = Movement {
            row: self.movement_of(id, StockMovementKind::Count, &input.head)?,
            entries: Vec::new(),
            field: "lines",
        };
        let mut counted = Vec::new();
        for (line, count) in input.lines.iter().enumerate() {
            let closings =
                self.closings_from(write, &held, (input.place, count.lot), input.head.occurred_on).await?;
            let recorded = closings.first().map_or(0, |(_, closing)| *closing);
            counted.push(json!({ "lot": count.lot, "counted": count.counted, "recorded": recorded }));
            let change = i64::from(count.counted) - recorded;
            if change != 0 {
                movement.adjust(input.place, count.lot, change, line);
            }
        }
        movement.row.counted = Some(json!({ "place": input.place, "lots": counted }));
        if movement.entries.is_empty() {
            // What has been found as recorded moves nothing.
            movement.row.clone().into_active_model().reset_all().insert(&write.tx).await?;
        } else {
            self.post(write, &held, std::slice::from_ref(&movement)).await?;
        }
        Ok(movement.row)
    }
}
