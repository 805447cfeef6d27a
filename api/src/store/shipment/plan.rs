//! Planning deliveries.

use chrono::NaiveDate;
use entity::{
    distribution,
    value::{DistributionStatus, ReachMethod},
};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    auth::Right,
    id,
    store::{
        Access,
        distribution::{
            LineInput, When, check_line_reach, check_no_lots, check_people, insert_lines, insert_row,
            line_rows, told,
        },
        input::{Faults, Once, Written, or_default},
        write::Seen,
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanDistribution {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::FACILITY}>")]
    pub facility: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::PROGRAM}>")]
    pub program: Uuid,
    /// The day that it is meant for.
    pub occurred_on: NaiveDate,
    pub people_expected: i32,
    pub lines: Vec<LineInput>,
}

impl Access {
    /// Plans a delivery. It is a records row until it has taken place.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn plan_distribution(&self, input: PlanDistribution) -> Written<Option<Uuid>> {
        self.require(Right::DistributionPlan)?;
        let mut faults = Faults::default();
        let day = input.occurred_on;
        self.check_place(&mut faults, input.facility, input.program, day, When::Planned);
        check_people(&mut faults, input.people_expected, &["peopleExpected"]);
        let lines = self.check_lines(&mut faults, &input.lines, day, |_| false);
        check_line_reach(&mut faults, &lines, input.people_expected);
        self.check_permitted(&mut faults, input.facility, day, &lines);
        check_no_lots(&mut faults, &input.lines);
        let row = distribution::Model {
            status: DistributionStatus::Planned,
            ..self.new_row(
                (input.facility, input.program),
                day,
                (input.people_expected, ReachMethod::EstimatedOther),
            )?
        };
        let write = self.write_operations().await?;
        if let Seen::Again(id) = write.once(&input.once, row.id).await? {
            return Ok(Some(id));
        }
        faults.refuse()?;
        insert_row(&write, &row).await?;
        insert_lines(&write, line_rows(&row, &lines, &vec![false; lines.len()])).await?;
        write.tell([told(row.id, false)]).await?;
        write.audit("PLAN", "distribution", row.id, Some(1), Value::Null).await?;
        write.end(input.validate_only).await?;
        Ok((!input.validate_only).then_some(row.id))
    }
}
