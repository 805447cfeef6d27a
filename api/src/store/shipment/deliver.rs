//! A planned delivery takes place, and what became of what was sent.

use chrono::NaiveDate;
use entity::{
    distribution, distribution_line, shipment, shipment_line,
    value::{DistributionStatus, ReachMethod, StockReason, VoidReason},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set, sea_query::OnConflict,
};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Shipment, as_inputs, is_ahead, meant_for, proof::ProofInput};
use crate::{
    auth::Right,
    id,
    store::{
        Access,
        distribution::{
            CheckedLine, LineInput, MOST_OF_A_LINE, Supplied, When, check_line_reach, check_no_lots,
            check_people, line_rows, outside_face, shown_in, told, traced_before,
        },
        input::{At, FUTURE, Faults, Message, UserError, UserErrorCode, Written, or_default},
        stock::{BAD_REASON, Goods, deliver::Draw, transfer::check_why},
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
    /// When left out everything was handed over the first time, and what became of it stays afterwards.
    #[serde(default)]
    pub lines: Option<Vec<LineInput>>,
    #[serde(default)]
    pub loss_reason: Option<StockReason>,
    #[serde(default)]
    pub proof: Option<ProofInput>,
}

/// What was handed over: lines, and for each its place in the client's list.
type HandedOver = (Vec<usize>, Vec<LineInput>);

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
        let settled_before = shipment.as_ref().filter(|_| !first).map(Shipment::traced);
        let (places, handed_over) = self.check_deliver(input, &before, &lines_before, shipment.as_mut())?;
        let trace = |action, class| {
            let mut detail = traced_before(&before, &lines_before);
            detail["class"] = class;
            detail["shipmentBefore"] = json!(settled_before);
            Trace { action, entity: "distribution", detail }
        };
        if let (Some(shipment), true) = (&shipment, handed_over.is_empty()) {
            self.came_to_nothing(write, input, &before, shipment).await?;
            return write.changed(1, trace("VOID", Value::Null), input.at).await;
        }

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
            // What outsiders have seen there stays, also when it is sensitive by now.
            let goods = |item: Option<Uuid>, kit: Option<Uuid>| item.or(kit);
            let was_there = |line: &CheckedLine| {
                lines_before
                    .iter()
                    .any(|before| goods(before.item_id, before.kit_id) == goods(line.item_id, line.kit_id))
            };
            self.check_unmixed(&mut faults, before.class, &checked, was_there);
            (before.class, shown_in(before.class, &checked, input.people_reached))
        };
        faults.renumber("lines", &places);
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
        let mut row = distribution::ActiveModel {
            occurred_on: Set(after.occurred_on),
            people_reached: Set(after.people_reached),
            reach_method: Set(after.reach_method),
            status: Set(after.status),
            form_number: Set(after.form_number.clone()),
            verified_at: Set(None),
            version: Set(input.at.expected + 1),
            ..Default::default()
        };
        if first {
            // It is recorded now, for all that outsiders can tell.
            row.class = Set(class);
            row.recorded_at = Set(self.now);
            row.recorded_by = Set(self.viewer.account());
        }
        if self.change(write, input.at, row).await? != 1 {
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
        write.changed(1, trace(if first { "DELIVER" } else { "CORRECT" }, json!(class)), input.at).await
    }

    /// Checks all but the lines as lines, settles a shipment, and answers what was handed over.
    fn check_deliver(
        &self,
        input: &DeliverDistribution,
        before: &distribution::Model,
        lines_before: &[distribution_line::Model],
        shipment: Option<&mut Shipment>,
    ) -> Written<HandedOver> {
        let mut faults = Faults::default();
        check_people(&mut faults, input.people_reached, &["peopleReached"]);
        self.check_drawing(&mut faults, input.place);
        if let Some(number) = &input.form_number {
            faults.text(number, &["formNumber"], 100);
        }
        if let Some(proof) = &input.proof {
            self.check_proof(&mut faults, proof, input.occurred_on);
        }
        let handed_over = match shipment {
            Some(shipment) => {
                // Whatever has ended since, what was sent has become of it something.
                let past = input.occurred_on <= self.today();
                faults.check(past, UserErrorCode::OutOfRange, &["occurredOn"], FUTURE);
                let in_order = shipment.row.dispatched_on <= input.occurred_on;
                faults.check(in_order, UserErrorCode::OutOfRange, &["occurredOn"], BEFORE_IT_LEFT);
                faults.check(input.place.is_none(), UserErrorCode::Invalid, &["place"], IS_SENT);
                let planned = |line: &shipment_line::Model| {
                    let goods = (line.item_id, line.kit_id, line.kit_version);
                    let of_goods = |line: &&distribution_line::Model| {
                        (line.item_id, line.kit_id, line.kit_version) == goods
                    };
                    let line = lines_before.iter().find(of_goods)?;
                    meant_for(before, line, input.people_reached)
                };
                shipment.settle(&mut faults, input, is_ahead(before), planned)
            }
            None => {
                let mut of_place = Faults::default();
                let day = input.occurred_on;
                self.check_place(&mut of_place, before.facility_id, before.program_id, day, When::TookPlace);
                // Facility and program are the delivery's, and no fields of this input.
                of_place.rename(&["facility", "program"], "id");
                faults.extend(of_place);
                let no_loss = input.loss_reason.is_none();
                faults.check(no_loss, UserErrorCode::Invalid, &["lossReason"], BAD_REASON);
                let lines = || as_inputs(before, lines_before, input.people_reached);
                input.lines.clone().unwrap_or_else(lines).into_iter().enumerate().unzip()
            }
        };
        faults.refuse()?;
        Ok(handed_over)
    }

    /// Nothing of what was sent was handed over: the delivery is void, and its goods are where they are.
    async fn came_to_nothing(
        &self,
        write: &Write<'_>,
        input: &DeliverDistribution,
        before: &distribution::Model,
        shipment: &Shipment,
    ) -> Written<()> {
        let mut faults = Faults::default();
        let field = ["peopleReached"];
        faults.check(input.people_reached == 0, UserErrorCode::OutOfRange, &field, NOTHING_ARRIVED);
        faults.check(input.proof.is_none(), UserErrorCode::Invalid, &["proof"], NOTHING_ARRIVED);
        faults.refuse()?;
        let reason = match input.loss_reason {
            Some(_) => VoidReason::NotDelivered,
            None => VoidReason::Returned,
        };
        let row = self.void_row(before, input.at, reason, None);
        if self.change(write, input.at, row).await? != 1 {
            return Err(UserError::stale().into());
        }
        self.keep_settled(write, shipment).await?;
        self.arrive(write, (before.id, input.occurred_on), shipment, &[]).await?;
        let open = before.class == entity::value::RowClass::Operations;
        Ok(write.tell([told(before.id, open)]).await?)
    }

    #[expect(clippy::disallowed_methods, reason = "the writes repeat the scope in their WHERE")]
    async fn keep_settled(&self, write: &Write<'_>, shipment: &Shipment) -> Written<()> {
        use shipment_line::Column::{DistributionId, Lost, OrganizationId, Position, Received, Returned};
        shipment::Entity::update_many()
            .set(shipment::ActiveModel { loss_reason: Set(shipment.row.loss_reason), ..Default::default() })
            .filter(shipment::Column::OrganizationId.eq(shipment.row.organization_id))
            .filter(shipment::Column::DistributionId.eq(shipment.row.distribution_id))
            .exec(&write.tx)
            .await?;
        let rows = shipment.lines.iter().map(|line| line.clone().into_active_model().reset_all());
        let settled = OnConflict::columns([OrganizationId, DistributionId, Position])
            .update_columns([Received, Returned, Lost])
            .to_owned();
        shipment_line::Entity::insert_many(rows)
            .on_conflict(settled)
            .exec_without_returning(&write.tx)
            .await?;
        Ok(())
    }
}

impl Shipment {
    /// As a trace keeps it.
    fn traced(&self) -> Value {
        let line = |line: &shipment_line::Model| {
            json!({ "position": line.position, "received": line.received, "returned": line.returned,
                "lost": line.lost })
        };
        let lines: Vec<Value> = self.lines.iter().map(line).collect();
        json!({ "lossReason": self.row.loss_reason, "lines": lines })
    }

    /// Writes down what became of each line, and answers what was handed over. Each line of the shipment is named once, and received, returned and lost come to what was shipped. Without lines all was
    /// received the first time, by those whom it was `planned` for, and later it stays as it was.
    fn settle(
        &mut self,
        faults: &mut Faults,
        input: &DeliverDistribution,
        first: bool,
        planned: impl Fn(&shipment_line::Model) -> Option<i32>,
    ) -> HandedOver {
        let mut handed_over: Vec<(usize, LineInput)> = Vec::new();
        for (place, line) in self.lines.iter_mut().enumerate() {
            if first || input.lines.is_some() {
                (line.received, line.returned, line.lost) = (None, None, None);
            }
            if input.lines.is_none() {
                if first {
                    (line.received, line.returned, line.lost) = (Some(line.shipped), Some(0), Some(0));
                }
                if line.received.is_some_and(|received| received > 0) {
                    handed_over.push((place, of_line(line, planned(line))));
                }
            }
        }
        for (place, sent) in input.lines.iter().flatten().enumerate() {
            let field = ["lines", &place.to_string()];
            let of_goods = self.lines.iter_mut().find(|line| is_of(sent, line) && line.received.is_none());
            let Some(line) = of_goods else {
                faults.add(UserErrorCode::Invalid, &field, NOT_SENT);
                continue;
            };
            let parts = [sent.quantity, sent.returned.unwrap_or(0), sent.lost.unwrap_or(0)];
            let all: i64 = parts.into_iter().map(i64::from).sum();
            let fits = parts.iter().all(|part| (0..=MOST_OF_A_LINE).contains(part))
                && all == i64::from(line.shipped);
            faults.check(fits, UserErrorCode::OutOfRange, &field, NOT_THE_SUM);
            faults.check(sent.lot.is_none(), UserErrorCode::Invalid, &field, IS_SENT);
            if let Some(people) = sent.people_reached {
                check_people(faults, people, &["lines", &place.to_string(), "peopleReached"]);
            }
            (line.received, line.returned, line.lost) = (Some(parts[0]), Some(parts[1]), Some(parts[2]));
            if parts[0] > 0 {
                handed_over.push((place, of_line(line, sent.people_reached)));
            }
        }
        let all_named = self.lines.iter().all(|line| line.received.is_some());
        faults.check(all_named, UserErrorCode::Invalid, &["lines"], NOT_ALL);
        let lost = self.lines.iter().any(|line| line.lost.is_some_and(|lost| lost > 0));
        let kept = self.row.loss_reason.filter(|_| input.lines.is_none());
        self.row.loss_reason = input.loss_reason.or(kept);
        check_why(faults, "lossReason", lost, self.row.loss_reason);
        handed_over.into_iter().unzip()
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

const NOT_AHEAD: Message = Message {
    en: "This delivery took place. Correct it with updateDistribution.",
    es: "Esta entrega ya se realizó. Corríjala con updateDistribution.",
};
const NOT_YOURS: Message =
    Message { en: "Your role does not correct this.", es: "Su función no permite corregir esto." };
const BEFORE_IT_LEFT: Message = Message {
    en: "The goods had not been dispatched by this day.",
    es: "Los artículos aún no se habían despachado ese día.",
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
    en: "Nothing was handed over, so nobody was reached and nobody signed.",
    es: "No se entregó nada; entonces no se alcanzó a nadie y nadie firmó.",
};
