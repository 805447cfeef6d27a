//! A planned delivery takes place, and what became of what was sent.

use chrono::NaiveDate;
use entity::{
    distribution, shipment, shipment_line,
    value::{DistributionStatus, ReachMethod, RowClass, StockReason},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{NOT_AHEAD, Shipment, as_inputs, is_ahead, proof::ProofInput};
use crate::{
    auth::Right,
    id,
    store::{
        Access,
        class::line_is_shown,
        distribution::{
            CheckedLine, LineInput, MOST, Supplied, When, check_line_reach, check_no_lots, check_people,
            line_rows, outside_face, told, traced,
        },
        input::{At, Faults, Message, UserError, UserErrorCode, Written, or_default},
        stock::{BAD_REASON, Goods, deliver::Draw, transfer::says_why},
        write::{Trace, Write},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliverDistribution {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub occurred_on: NaiveDate,
    pub people_reached: i32,
    pub reach_method: ReachMethod,
    /// The place of stock that it draws from, when it was not dispatched.
    #[serde(default, deserialize_with = "id::optional::<_, {id::STOCK_PLACE}>")]
    pub place: Option<Uuid>,
    #[serde(default)]
    pub form_number: Option<String>,
    /// Everything was handed over, when left out.
    #[serde(default)]
    pub lines: Option<Vec<LineInput>>,
    #[serde(default)]
    pub loss_reason: Option<StockReason>,
    #[serde(default)]
    pub proof: Option<ProofInput>,
}

impl Access {
    /// Records that a planned delivery took place, or corrects what became of one that was dispatched.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn deliver_distribution(&self, input: DeliverDistribution) -> Written<()> {
        self.require(Right::DistributionRecord)?;
        let write = self.write_operations().await?;
        self.deliver_in(&write, &input).await?;
        write.end(input.validate_only).await
    }

    /// Delivers as a part of a transaction.
    pub(in crate::store) async fn deliver_in(
        &self,
        write: &Write<'_>,
        input: &DeliverDistribution,
    ) -> Written<()> {
        let before = self.to_change(write, input.at).await?;
        let mut shipment = self.shipment_of(write, before.id).await?;
        let first = is_ahead(&before);
        let refuse = |code, message| UserError::new(code, &["id"], message);
        if !first && shipment.is_none() {
            return Err(refuse(UserErrorCode::Invalid, NOT_AHEAD).into());
        }
        if !first && !self.viewer.has(Right::DistributionCorrect) {
            return Err(refuse(UserErrorCode::NotPermitted, NOT_YOURS).into());
        }
        let lines_before = self.lines_now(write, &before).await?;
        let mut faults = Faults::default();
        self.check_deliver(&mut faults, input, &before, shipment.as_ref());
        let handed_over = match &mut shipment {
            Some(shipment) => shipment.settle(&mut faults, input),
            None => {
                faults.check(
                    input.loss_reason.is_none(),
                    UserErrorCode::Invalid,
                    &["lossReason"],
                    BAD_REASON,
                );
                input.lines.clone().unwrap_or_else(|| as_inputs(&lines_before))
            }
        };
        // With a fault in what became of the goods, their other checks would name the wrong lines.
        faults.refuse()?;
        let mut faults = Faults::default();
        let checked = self.check_lines(&mut faults, &handed_over, input.occurred_on, |_| true);
        check_line_reach(&mut faults, &checked, input.people_reached);
        if shipment.is_none() {
            // What was let in when it was sent has been handed over.
            self.check_permitted(&mut faults, before.facility_id, input.occurred_on, &checked);
        }
        if input.place.is_none() {
            check_no_lots(&mut faults, &handed_over);
        }
        let (class, shown) = if first {
            self.class_of(before.program_id, input.people_reached, &checked)
        } else {
            self.check_unmixed(&mut faults, before.class, &checked);
            (before.class, shown_in(before.class, &checked, input.people_reached))
        };
        faults.refuse()?;

        let after = distribution::Model {
            class,
            occurred_on: input.occurred_on,
            people_reached: input.people_reached,
            reach_method: input.reach_method,
            status: DistributionStatus::Delivered,
            form_number: input.form_number.clone().or_else(|| before.form_number.clone()),
            ..before.clone()
        };
        let row = distribution::ActiveModel {
            occurred_on: Set(after.occurred_on),
            people_reached: Set(after.people_reached),
            reach_method: Set(after.reach_method),
            status: Set(after.status),
            form_number: Set(after.form_number.clone()),
            verified_at: Set(None),
            version: Set(input.at.expected + 1),
            ..Default::default()
        };
        let row = if first {
            // It is recorded now, for all that outsiders can tell.
            distribution::ActiveModel {
                class: Set(class),
                recorded_at: Set(self.now),
                recorded_by: Set(self.viewer.account()),
                ..row
            }
        } else {
            row
        };
        let changed = self.change(write, input.at, row).await?;
        if changed != 1 {
            return Err(UserError::stale().into());
        }
        let lines = line_rows(&after, &checked, &shown);
        self.replace_lines(write, &before, lines.clone()).await?;
        if let Some(shipment) = &shipment {
            self.keep_settled(write, shipment).await?;
            self.arrive(write, (before.id, input.occurred_on), shipment, &lines).await?;
        } else if let Some(place) = input.place {
            let lots: Vec<_> = handed_over.iter().map(|line| line.lot).collect();
            let occurred_on = input.occurred_on;
            let draw = Draw { delivery: &after, occurred_on, lines: &lines, lots: &lots, place, same: None };
            self.draw(write, draw, None).await?;
        }
        if let Some(proof) = &input.proof {
            self.insert_proof(write, before.id, proof).await?;
        }
        let face = (!first).then(|| outside_face(&before, &lines_before)).flatten();
        write.tell([told(before.id, outside_face(&after, &lines) != face)]).await?;
        let trace = if first {
            Trace { action: "DELIVER", entity: "distribution", detail: json!({ "class": class }) }
        } else {
            let detail = json!({ "linesBefore": traced(&lines_before), "occurredOnBefore": before.occurred_on,
                "peopleReachedBefore": before.people_reached });
            Trace { action: "CORRECT", entity: "distribution", detail }
        };
        write.changed(changed, trace, input.at).await
    }

    /// Where, when and how many, and what else has nothing to do with the lines.
    fn check_deliver(
        &self,
        faults: &mut Faults,
        input: &DeliverDistribution,
        before: &distribution::Model,
        shipment: Option<&Shipment>,
    ) {
        if is_ahead(before) {
            let day = input.occurred_on;
            self.check_place(faults, before.facility_id, before.program_id, day, When::TookPlace);
        } else if let Some(program) = self.catalog.programs.get(before.program_id) {
            self.check_day(faults, &program.row, input.occurred_on, When::TookPlace);
        }
        if let Some(shipment) = shipment {
            let in_order = shipment.row.dispatched_on <= input.occurred_on;
            faults.check(in_order, UserErrorCode::OutOfRange, &["occurredOn"], BEFORE_IT_LEFT);
            faults.check(input.place.is_none(), UserErrorCode::Invalid, &["place"], IS_SENT);
        }
        check_people(faults, input.people_reached, &["peopleReached"]);
        self.check_drawing(faults, input.place);
        if let Some(number) = &input.form_number {
            faults.text(number, &["formNumber"], 100);
        }
        if let Some(proof) = &input.proof {
            self.check_proof(faults, proof, input.occurred_on);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the writes repeat the scope in their WHERE")]
    async fn keep_settled(&self, write: &Write<'_>, shipment: &Shipment) -> Written<()> {
        use shipment_line::Column::{DistributionId, OrganizationId, Position};
        let (organization, delivery) = (shipment.row.organization_id, shipment.row.distribution_id);
        shipment::Entity::update_many()
            .set(shipment::ActiveModel { loss_reason: Set(shipment.row.loss_reason), ..Default::default() })
            .filter(shipment::Column::OrganizationId.eq(organization))
            .filter(shipment::Column::DistributionId.eq(delivery))
            .exec(&write.tx)
            .await?;
        for line in &shipment.lines {
            let settled = shipment_line::ActiveModel {
                received: Set(line.received),
                returned: Set(line.returned),
                lost: Set(line.lost),
                ..Default::default()
            };
            shipment_line::Entity::update_many()
                .set(settled)
                .filter(OrganizationId.eq(organization))
                .filter(DistributionId.eq(delivery))
                .filter(Position.eq(line.position))
                .exec(&write.tx)
                .await?;
        }
        Ok(())
    }
}

impl Shipment {
    /// Writes down what became of each line, and answers what was handed over. Each line of the shipment is named
    /// once, and received, returned and lost come to what was shipped; without lines, all was received.
    fn settle(&mut self, faults: &mut Faults, input: &DeliverDistribution) -> Vec<LineInput> {
        let mut handed_over = Vec::new();
        for line in &mut self.lines {
            (line.received, line.returned, line.lost) = (None, None, None);
            if input.lines.is_none() {
                (line.received, line.returned, line.lost) = (Some(line.shipped), Some(0), Some(0));
                handed_over.push(of_line(line, None));
            }
        }
        for (place, sent) in input.lines.iter().flatten().enumerate() {
            let field = ["lines", &place.to_string()];
            let place = self.lines.iter_mut().find(|line| is_of(sent, line));
            let Some(line) = place.filter(|line| line.received.is_none()) else {
                faults.add(UserErrorCode::Invalid, &field, NOT_SENT);
                continue;
            };
            let parts = [sent.quantity, sent.returned.unwrap_or(0), sent.lost.unwrap_or(0)];
            let all: i64 = parts.into_iter().map(i64::from).sum();
            let fits = parts.iter().all(|part| (0..=MOST).contains(part)) && all == i64::from(line.shipped);
            faults.check(fits, UserErrorCode::OutOfRange, &field, NOT_THE_SUM);
            faults.check(sent.lot.is_none(), UserErrorCode::Invalid, &field, IS_SENT);
            (line.received, line.returned, line.lost) = (Some(parts[0]), Some(parts[1]), Some(parts[2]));
            if parts[0] > 0 {
                handed_over.push(of_line(line, sent.people_reached));
            }
        }
        let all_named = self.lines.iter().all(|line| line.received.is_some());
        faults.check(all_named, UserErrorCode::Invalid, &["lines"], NOT_ALL);
        faults.check(!handed_over.is_empty(), UserErrorCode::Invalid, &["lines"], NOTHING_ARRIVED);
        let lost = self.lines.iter().any(|line| line.lost.is_some_and(|lost| lost > 0));
        let fits = says_why(lost, input.loss_reason);
        faults.check(fits, UserErrorCode::Invalid, &["lossReason"], BAD_REASON);
        self.row.loss_reason = input.loss_reason;
        handed_over
    }
}

fn of_line(line: &shipment_line::Model, people_reached: Option<i32>) -> LineInput {
    LineInput {
        supplied: Supplied { item: line.item_id, kit: line.kit_id },
        kit_version: line.kit_version,
        quantity: line.received.unwrap_or(0),
        people_reached,
        ..LineInput::default()
    }
}

/// Whether an input's line is of what a shipment's line is; a kit without a version is whichever was sent.
fn is_of(sent: &LineInput, line: &shipment_line::Model) -> bool {
    Goods::new(sent.supplied.item, sent.supplied.kit, sent.kit_version.or(line.kit_version))
        == super::goods_of(line)
}

/// Which lines of a delivery outsiders see once its class is fixed.
pub(in crate::store) fn shown_in(class: RowClass, lines: &[CheckedLine], people: i32) -> Vec<bool> {
    let shown = |line: &CheckedLine| line_is_shown(line.quantity, line.people_reached.unwrap_or(people));
    lines.iter().map(|line| class == RowClass::Operations && shown(line)).collect()
}

const NOT_YOURS: Message =
    Message { en: "Your role does not correct this.", es: "Su función no corrige esto." };
const BEFORE_IT_LEFT: Message = Message {
    en: "The goods had not been dispatched by this day.",
    es: "Los artículos aún no se habían despachado en ese día.",
};
const IS_SENT: Message = Message {
    en: "The goods were dispatched: which lots they are of is known.",
    es: "Los artículos fueron despachados: ya se sabe de qué lotes son.",
};
const NOT_SENT: Message = Message {
    en: "This was not dispatched, or is on another line already.",
    es: "Esto no fue despachado, o ya aparece en otro renglón.",
};
const NOT_THE_SUM: Message = Message {
    en: "What was handed over, came back and was lost must come to what was dispatched.",
    es: "Lo entregado, lo devuelto y lo perdido deben sumar lo despachado.",
};
const NOT_ALL: Message = Message {
    en: "Say of each dispatched line what became of it.",
    es: "Indique qué pasó con cada renglón despachado.",
};
const NOTHING_ARRIVED: Message = Message {
    en: "Nothing was handed over. Void the delivery instead.",
    es: "No se entregó nada. Anule la entrega.",
};
