//! Recording deliveries.

use chrono::NaiveDate;
use entity::{
    distribution, distribution_line,
    value::{DistributionStatus, OutboxKind, ReachMethod, RowClass},
};
use sea_orm::{ColumnTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    Delivery, Inside, Line, Row,
    check::{CheckedLine, When, check_line_reach, check_people},
};
use crate::{
    auth::Right,
    error::Result,
    id,
    store::{
        Access,
        input::{Faults, Message, Once, Refused, UserErrorCode, Written, or_default},
        outbox::Change,
        shipment::proof::ProofInput,
        stock::deliver::Draw,
        write::{Seen, Write},
    },
};

/// An item or a kit, exactly one.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Supplied {
    #[serde(deserialize_with = "id::optional::<_, {id::ITEM}>")]
    pub item: Option<Uuid>,
    #[serde(deserialize_with = "id::optional::<_, {id::KIT}>")]
    pub kit: Option<Uuid>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineInput {
    pub supplied: Supplied,
    #[serde(default)]
    pub kit_version: Option<i32>,
    pub quantity: i32,
    #[serde(default)]
    pub people_reached: Option<i32>,
    /// The lot that the goods are taken from.
    #[serde(default, deserialize_with = "id::optional::<_, {id::STOCK_LOT}>")]
    pub lot: Option<Uuid>,
    /// Of what was dispatched.
    #[serde(default)]
    pub returned: Option<i32>,
    #[serde(default)]
    pub lost: Option<i32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordDistribution {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::FACILITY}>")]
    pub facility: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::PROGRAM}>")]
    pub program: Uuid,
    pub occurred_on: NaiveDate,
    pub people_reached: i32,
    pub reach_method: ReachMethod,
    /// The place of stock that it draws from; none where no stock is kept.
    #[serde(default, deserialize_with = "id::optional::<_, {id::STOCK_PLACE}>")]
    pub place: Option<Uuid>,
    /// The id that a device gave it.
    #[serde(skip)]
    pub client_id: Option<Uuid>,
    #[serde(default)]
    pub form_number: Option<String>,
    pub lines: Vec<LineInput>,
    #[serde(default)]
    pub proof: Option<ProofInput>,
    /// The women who were handed it, when they are named.
    #[serde(default, deserialize_with = "id::named::<_, {id::PARTICIPANT}>")]
    pub recipients: Vec<Uuid>,
}

/// What a recording made: a new row, one that the same key made before, or nothing with `validateOnly`.
pub enum Recorded {
    New(Box<Delivery>),
    Before(Uuid),
    Nothing,
}

/// A new delivery that has been checked.
pub(super) struct Draft {
    pub row: distribution::Model,
    pub lines: Vec<distribution_line::Model>,
    /// What is wrong with it, which does not matter when it was recorded before.
    checked: Written<()>,
}

impl Access {
    /// Records a delivery that took place. Its class is decided here and never changes.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn record_distribution(&self, input: RecordDistribution) -> Written<Recorded> {
        self.require(Right::DistributionRecord)?;
        let draft = self.draft(&input)?;
        if !input.validate_only && self.record_alone(&input, &draft).await? {
            return Ok(Recorded::New(Box::new(Delivery::for_staff(draft.row, draft.lines))));
        }
        let write = self.write_operations().await?;
        let recorded = self.record_in(&write, &input, draft).await?;
        let made = matches!(recorded, Recorded::New(_)) && !input.validate_only;
        write.end(!made).await?;
        let nothing = !made && matches!(recorded, Recorded::New(_));
        Ok(if nothing { Recorded::Nothing } else { recorded })
    }

    /// Checks a new delivery, and decides its class.
    pub(super) fn draft(&self, input: &RecordDistribution) -> Result<Draft> {
        let mut faults = Faults::default();
        self.check_place(&mut faults, input.facility, input.program, input.occurred_on, When::TookPlace);
        check_people(&mut faults, input.people_reached, &["peopleReached"]);
        let lines = self.check_lines(&mut faults, &input.lines, input.occurred_on, |_| false);
        check_line_reach(&mut faults, &lines, input.people_reached);
        self.check_permitted(&mut faults, input.facility, input.occurred_on, &lines);
        self.check_drawing(&mut faults, input.place);
        if input.place.is_none() {
            check_no_lots(&mut faults, &input.lines);
        }
        if let Some(number) = &input.form_number {
            faults.text(number, &["formNumber"], 100);
        }
        if let Some(proof) = &input.proof {
            self.check_proof(&mut faults, proof, input.occurred_on);
        }
        self.check_named(&mut faults, input)?;
        let (mut class, mut shown) = self.class_of(input.program, input.people_reached, &lines);
        if !input.recipients.is_empty() {
            (class, shown) = (RowClass::Records, vec![false; lines.len()]);
        }
        let row = distribution::Model {
            class,
            client_id: input.client_id,
            form_number: input.form_number.clone(),
            ..self.new_row(
                (input.facility, input.program),
                input.occurred_on,
                (input.people_reached, input.reach_method),
            )?
        };
        let lines = line_rows(&row, &lines, &shown);
        Ok(Draft { row, lines, checked: faults.refuse() })
    }

    /// A delivery of the viewer's organisation as its row, which was made now and is a records row until somebody
    /// decides otherwise.
    pub(in crate::store) fn new_row(
        &self,
        (facility_id, program_id): (Uuid, Uuid),
        occurred_on: NaiveDate,
        (people_reached, reach_method): (i32, ReachMethod),
    ) -> Result<distribution::Model> {
        Ok(distribution::Model {
            organization_id: self.own()?,
            id: self.new_id(),
            class: RowClass::Records,
            facility_id,
            program_id,
            occurred_on,
            recorded_at: self.now,
            status: DistributionStatus::Delivered,
            people_reached,
            reach_method,
            version: 1,
            recorded_by: self.viewer.account(),
            import_key: None,
            client_id: None,
            form_number: None,
            verified_at: None,
            voided_at: None,
            void_reason: None,
            void_note: None,
        })
    }

    /// Records in one statement where that can be done; false when nothing was written.
    pub(super) async fn record_alone(&self, input: &RecordDistribution, draft: &Draft) -> Written<bool> {
        let can = draft.checked.is_ok()
            && self.held.is_none()
            && self.backend() == DbBackend::Postgres
            && input.once.is_usable()
            // What draws from stock or is proved takes more than one statement.
            && input.place.is_none()
            && input.proof.is_none()
            && input.recipients.is_empty();
        if can { self.record_at_once(&input.once, &draft.row, &draft.lines).await } else { Ok(false) }
    }

    /// Records as a part of a transaction.
    pub(super) async fn record_in(
        &self,
        write: &Write<'_>,
        input: &RecordDistribution,
        draft: Draft,
    ) -> Written<Recorded> {
        let Draft { row, lines, checked } = draft;
        if let Seen::Again(id) = write.once(&input.once, row.id).await? {
            return Ok(Recorded::Before(id));
        }
        // A repeated request has been answered as the first one was, even when a program has ended since.
        checked?;
        insert_row(write, &row).await?;
        insert_lines(write, lines.clone()).await?;
        if let Some(place) = input.place {
            let lots: Vec<_> = input.lines.iter().map(|line| line.lot).collect();
            let occurred_on = row.occurred_on;
            let draw = Draw { delivery: &row, occurred_on, lines: &lines, lots: &lots, place, same: None };
            self.draw(write, draw, None).await?;
        }
        if let Some(proof) = &input.proof {
            self.insert_proof(write, row.id, proof).await?;
        }
        if !input.recipients.is_empty() {
            self.name(write, &row, &input.recipients).await?;
        }
        write.tell([told(row.id, row.class == RowClass::Operations)]).await?;
        write.audit("RECORD", "distribution", row.id, Some(1), json!({ "class": row.class })).await?;
        Ok(Recorded::New(Box::new(Delivery::for_staff(row, lines))))
    }

    /// A delivery draws from a place that keeps stock.
    pub(in crate::store) fn check_drawing(&self, faults: &mut Faults, place: Option<Uuid>) {
        if let Some(place) = place {
            faults.check(
                self.viewer.has(Right::StockRecord),
                UserErrorCode::NotPermitted,
                &["place"],
                NO_DRAWING,
            );
            self.check_store(faults, place, "place");
        }
    }

    /// Puts lines in the place of those of a delivery.
    #[expect(clippy::disallowed_methods, reason = "the delete repeats the scope in its WHERE")]
    pub(in crate::store) async fn replace_lines(
        &self,
        write: &Write<'_>,
        of: &distribution::Model,
        lines: Vec<distribution_line::Model>,
    ) -> Written<()> {
        distribution_line::Entity::delete_many()
            .filter(distribution_line::Column::OrganizationId.eq(of.organization_id))
            .filter(distribution_line::Column::DistributionId.eq(of.id))
            .exec(&write.tx)
            .await?;
        insert_lines(write, lines).await
    }

    /// The lines as they are.
    pub(in crate::store) async fn lines_now(
        &self,
        write: &Write<'_>,
        of: &distribution::Model,
    ) -> Written<Vec<distribution_line::Model>> {
        Ok(self
            .select::<distribution_line::Entity>()
            .filter(distribution_line::Column::OrganizationId.eq(of.organization_id))
            .filter(distribution_line::Column::DistributionId.eq(of.id))
            .order_by_asc(distribution_line::Column::Position)
            .all(&write.tx)
            .await?)
    }
}

impl Delivery {
    /// A delivery that staff have just written, as a read would give it.
    fn for_staff(row: distribution::Model, lines: Vec<distribution_line::Model>) -> Self {
        let lines = lines
            .into_iter()
            .map(|line| Line {
                item_id: line.item_id,
                kit_id: line.kit_id,
                kit_version: line.kit_version,
                quantity: line.quantity,
            })
            .collect();
        let row = Row {
            organization_id: row.organization_id,
            id: row.id,
            facility_id: row.facility_id,
            program_id: row.program_id,
            occurred_on: row.occurred_on,
            recorded_at: row.recorded_at,
            status: row.status,
            people_reached: Some(row.people_reached),
            reach_method: row.reach_method,
            voided_at: row.voided_at,
            void_reason: row.void_reason,
            inside: Some(Inside {
                void_note: row.void_note,
                version: row.version,
                class: row.class,
                client_id: row.client_id,
                form_number: row.form_number,
                recorded_by: row.recorded_by,
                people_expected: None,
            }),
        };
        Self { row, lines }
    }
}

pub(in crate::store) async fn insert_row(
    write: &Write<'_>,
    row: &distribution::Model,
) -> Result<(), Refused> {
    let row = sea_orm::IntoActiveModel::into_active_model(row.clone());
    distribution::Entity::insert(sea_orm::ActiveModelTrait::reset_all(row))
        .exec_without_returning(&write.tx)
        .await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "lines of a row of the viewer's own organisation")]
pub(in crate::store) async fn insert_lines(
    write: &Write<'_>,
    lines: Vec<distribution_line::Model>,
) -> Result<(), Refused> {
    let rows = lines
        .into_iter()
        .map(|line| sea_orm::ActiveModelTrait::reset_all(sea_orm::IntoActiveModel::into_active_model(line)));
    distribution_line::Entity::insert_many(rows).exec_without_returning(&write.tx).await?;
    Ok(())
}

/// That a delivery has changed, and whether outsiders may learn of that.
pub(in crate::store) fn told(id: Uuid, open: bool) -> Change {
    Change { kind: OutboxKind::Distribution, row_id: id, open }
}

/// The lines of a delivery as rows.
pub(in crate::store) fn line_rows(
    row: &distribution::Model,
    lines: &[CheckedLine],
    shown: &[bool],
) -> Vec<distribution_line::Model> {
    lines
        .iter()
        .zip(shown)
        .zip(1..)
        .map(|((line, shown), position)| distribution_line::Model {
            organization_id: row.organization_id,
            distribution_id: row.id,
            position,
            class: row.class,
            shown: *shown,
            item_id: line.item_id,
            kit_id: line.kit_id,
            kit_version: line.kit_version,
            quantity: line.quantity,
            people_reached: line.people_reached.unwrap_or(row.people_reached),
        })
        .collect()
}

/// A lot is named only where a delivery draws from a place.
pub(in crate::store) fn check_no_lots(faults: &mut Faults, lines: &[LineInput]) {
    for (place, line) in lines.iter().enumerate() {
        let field = ["lines", &place.to_string(), "lot"];
        faults.check(line.lot.is_none(), UserErrorCode::Invalid, &field, NO_PLACE_TO_DRAW);
    }
}

const NO_PLACE_TO_DRAW: Message = Message {
    en: "A lot is taken from a place. Name the place.",
    es: "Un lote se toma de un lugar. Indique el lugar.",
};
const NO_DRAWING: Message =
    Message { en: "Your role does not record stock.", es: "Su función no registra existencias." };
