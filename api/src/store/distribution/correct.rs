//! Correcting, verifying and voiding deliveries.

use chrono::NaiveDate;
use entity::{
    distribution, distribution_line,
    value::{DistributionStatus, ReachMethod, RowClass, VoidReason},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, Set,
    sea_query::{Expr, ExprTrait},
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    LineInput,
    check::{When, check_line_reach, check_people, shown_in},
    record::{check_no_lots, line_rows, told},
};
use crate::{
    auth::Right,
    id,
    store::{
        Access,
        class::THRESHOLD,
        input::{At, Faults, Message, UserError, UserErrorCode, Written, or_default},
        shipment::{IS_SHIPPED, is_ahead},
        stock::deliver::Draw,
        write::{Trace, Write},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CorrectDistribution {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub occurred_on: Option<NaiveDate>,
    pub people_reached: Option<i32>,
    /// Of a delivery that has not taken place.
    pub people_expected: Option<i32>,
    pub reach_method: Option<ReachMethod>,
    #[serde(default, deserialize_with = "id::optional::<_, {id::STOCK_PLACE}>")]
    pub place: Option<Uuid>,
    pub lines: Option<Vec<LineInput>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VoidDistribution {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub reason: VoidReason,
    pub note: Option<String>,
}

impl Access {
    /// A correction. It changes no class, so that no row appears or vanishes outside because of a number.
    pub async fn correct_distribution(&self, input: CorrectDistribution) -> Written<()> {
        self.require(Right::DistributionCorrect)?;
        let write = self.write_operations().await?;
        self.correct_in(&write, &input).await?;
        write.end(input.validate_only).await
    }

    /// Corrects as a part of a transaction.
    pub(super) async fn correct_in(&self, write: &Write<'_>, input: &CorrectDistribution) -> Written<()> {
        let before = self.to_change(write, input.at).await?;
        if input.occurred_on.is_some() || input.people_reached.is_some() {
            self.check_unnamed(write, &before).await?;
        }
        let lines_before = self.lines_now(write, &before).await?;
        let mut faults = Faults::default();
        let shipment = self.shipment_of(write, before.id).await?;
        check_fitting(&mut faults, input, &before, shipment.is_some());
        let occurred_on = input.occurred_on.unwrap_or(before.occurred_on);
        if input.occurred_on.is_some()
            && let Some(program) = self.catalog.programs.get(before.program_id)
        {
            let when = if is_ahead(&before) { When::Planned } else { When::TookPlace };
            self.check_day(&mut faults, &program.row, occurred_on, when);
        }
        let (given, field) = match input.people_expected {
            Some(expected) => (Some(expected), "peopleExpected"),
            None => (input.people_reached, "peopleReached"),
        };
        let people = given.unwrap_or(before.people_reached);
        check_people(&mut faults, people, &[field]);
        let was_there = |id| lines_before.iter().any(|line| line.item_id.or(line.kit_id) == Some(id));
        let lines =
            input.lines.as_ref().map(|lines| self.check_lines(&mut faults, lines, occurred_on, was_there));
        self.check_drawing(&mut faults, input.place);
        if is_ahead(&before) {
            check_no_lots(&mut faults, input.lines.as_deref().unwrap_or_default());
        }
        if let Some(lines) = &lines {
            self.check_permitted(&mut faults, before.facility_id, occurred_on, lines);
            check_line_reach(&mut faults, lines, people);
            self.check_unmixed(&mut faults, before.class, lines, |_| false);
        }
        faults.refuse()?;

        // What was confirmed is not what is written now.
        let status_after = match before.status {
            DistributionStatus::Verified => DistributionStatus::Delivered,
            status => status,
        };
        let row = distribution::ActiveModel {
            occurred_on: Set(occurred_on),
            people_reached: Set(people),
            reach_method: Set(input.reach_method.unwrap_or(before.reach_method)),
            status: Set(status_after),
            verified_at: Set(None),
            version: Set(input.at.expected + 1),
            ..Default::default()
        };
        if self.change(write, input.at, row).await? != 1 {
            return Err(UserError::stale().into());
        }
        let after = distribution::Model {
            occurred_on,
            people_reached: people,
            reach_method: input.reach_method.unwrap_or(before.reach_method),
            status: status_after,
            ..before.clone()
        };
        if let Some(lines) = &lines {
            let shown = shown_in(before.class, lines, people);
            self.replace_lines(write, &before, line_rows(&after, lines, &shown)).await?;
        } else if people != before.people_reached {
            self.reach(write, &before, people).await?;
        }
        let lines_after = self.lines_now(write, &before).await?;
        // Stock keeps how many women each line reached, and whether outsiders see it.
        let drawn_anew = input.lines.is_some()
            || input.place.is_some()
            || occurred_on != before.occurred_on
            || people != before.people_reached;
        match &shipment {
            _ if !drawn_anew || is_ahead(&before) => {}
            Some(shipment) => self.arrive(write, (before.id, occurred_on), shipment, &lines_after).await?,
            None => self.draw_again(write, (&before, occurred_on), &lines_after, input).await?,
        }
        // How often a row has changed is not for outsiders, so they hear only of what they can see.
        let open = outside_face(&after, &lines_after) != outside_face(&before, &lines_before);
        write.tell([told(before.id, open)]).await?;
        // Who changes a plan has said nothing of what took place.
        let action = if is_ahead(&before) { "REPLAN" } else { "CORRECT" };
        let detail = traced_before(&before, &lines_before);
        let trace = Trace { action, entity: "distribution", detail };
        write.changed(1, trace, input.at).await
    }

    /// What a corrected delivery takes from stock, in the place of what it took before.
    async fn draw_again(
        &self,
        write: &Write<'_>,
        (delivery, occurred_on): (&distribution::Model, NaiveDate),
        lines: &[distribution_line::Model],
        input: &CorrectDistribution,
    ) -> Written<()> {
        let drawn = self.drawn_by(write, delivery.id).await?;
        let Some(place) = input.place.or(drawn.as_ref().map(|drawn| drawn.place)) else {
            let mut faults = Faults::default();
            check_no_lots(&mut faults, input.lines.as_deref().unwrap_or_default());
            return faults.refuse();
        };
        let mut same = None;
        let lots = match (&input.lines, &drawn) {
            (Some(lines), _) => lines.iter().map(|line| line.lot).collect(),
            (None, Some(drawn)) if drawn.place == place => {
                let known = self.lots_in(write, drawn.lots()).await?;
                same = (occurred_on == delivery.occurred_on).then(|| drawn.picked_for(lines, &known));
                drawn.lots_of(lines, &known)
            }
            (None, _) => vec![None; lines.len()],
        };
        let draw = Draw { delivery, occurred_on, lines, lots: &lots, place, same };
        self.draw(write, draw, drawn).await
    }

    /// Lines follow the delivery's number: those that had it take the new one, and none has more. What falls
    /// below the threshold is hidden from outsiders as a corrected line is.
    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    async fn reach(&self, write: &Write<'_>, before: &distribution::Model, people: i32) -> Written<()> {
        use distribution_line::Column as Of;
        let follows = Condition::any()
            .add(Of::PeopleReached.eq(before.people_reached))
            .add(Of::PeopleReached.gt(people));
        let shown: Expr = match before.class {
            RowClass::Operations if people >= THRESHOLD => Expr::col(Of::Quantity).gte(THRESHOLD),
            _ => Expr::value(false),
        };
        distribution_line::Entity::update_many()
            .col_expr(Of::PeopleReached, Expr::value(people))
            .col_expr(Of::Shown, shown)
            .filter(Of::OrganizationId.eq(before.organization_id))
            .filter(Of::DistributionId.eq(before.id))
            .filter(follows)
            .exec(&write.tx)
            .await?;
        Ok(())
    }

    /// A second person confirms what was recorded.
    pub async fn verify_distribution(&self, at: At, validate_only: bool) -> Written<()> {
        self.require(Right::DistributionVerify)?;
        let write = self.write_operations().await?;
        let before = self.to_change(&write, at).await?;
        if before.status != DistributionStatus::Delivered {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], NOT_DELIVERED).into());
        }
        if self.has_written(&write, at.id).await? {
            return Err(UserError::new(UserErrorCode::NotPermitted, &["id"], SAME_PERSON).into());
        }
        let row = distribution::ActiveModel {
            status: Set(DistributionStatus::Verified),
            verified_at: Set(Some(self.now)),
            version: Set(at.expected + 1),
            ..Default::default()
        };
        let changed = self.change(&write, at, row).await?;
        write.tell([told(before.id, before.class == RowClass::Operations)]).await?;
        let trace = Trace { action: "VERIFY", entity: "distribution", detail: serde_json::Value::Null };
        write.finish(changed, trace, at, validate_only).await
    }

    /// Whether the viewer's account has recorded or corrected a delivery: its own trace tells.
    #[expect(clippy::disallowed_methods, reason = "asks for the viewer's own trace in its own organisation")]
    async fn has_written(&self, write: &Write<'_>, id: Uuid) -> Written<bool> {
        use entity::audit_event::Column as Event;
        let own = entity::audit_event::Entity::find()
            .filter(Event::OrganizationId.eq(self.own()?))
            .filter(Event::EntityId.eq(id))
            .filter(Event::AccountId.eq(self.viewer.account()))
            .filter(Event::Action.is_in(["RECORD", "DELIVER", "CORRECT"]))
            .one(&write.tx)
            .await?;
        Ok(own.is_some())
    }

    /// The row stays, and no longer counts.
    pub async fn void_distribution(&self, input: VoidDistribution) -> Written<()> {
        self.require(Right::DistributionVoid)?;
        let write = self.write_operations().await?;
        self.void_in(&write, &input).await?;
        write.end(input.validate_only).await
    }

    /// Voids as a part of a transaction.
    pub(in crate::store) async fn void_in(&self, write: &Write<'_>, input: &VoidDistribution) -> Written<()> {
        let before = self.to_change(write, input.at).await?;
        if let Some(note) = &input.note {
            let mut faults = Faults::default();
            faults.text(note, &["note"], 500);
            faults.refuse()?;
        }
        let row = self.void_row(&before, input.at, input.reason, input.note.clone());
        let changed = self.change(write, input.at, row).await?;
        if changed == 1 {
            self.give_back(write, before.id).await?;
        }
        write.tell([told(before.id, before.class == RowClass::Operations)]).await?;
        let detail = json!({ "reason": input.reason, "statusBefore": before.status, "peopleBefore": before.people_reached });
        let trace = Trace { action: "VOID", entity: "distribution", detail };
        write.changed(changed, trace, input.at).await
    }

    /// What a delivery becomes that no longer counts. A plan that came to nothing reached nobody.
    pub(in crate::store) fn void_row(
        &self,
        before: &distribution::Model,
        at: At,
        reason: VoidReason,
        note: Option<String>,
    ) -> distribution::ActiveModel {
        distribution::ActiveModel {
            status: Set(DistributionStatus::Voided),
            voided_at: Set(Some(self.now)),
            void_reason: Set(Some(reason)),
            void_note: Set(note),
            people_reached: Set(if is_ahead(before) { 0 } else { before.people_reached }),
            version: Set(at.expected + 1),
            ..Default::default()
        }
    }

    /// The row to change, under the viewer's scope, of the viewer's own organisation and not void.
    pub(in crate::store) async fn to_change(
        &self,
        write: &Write<'_>,
        at: At,
    ) -> Written<distribution::Model> {
        let own = self.own()?;
        let row = self
            .select::<distribution::Entity>()
            .filter(distribution::Column::OrganizationId.eq(own))
            .filter(distribution::Column::Id.eq(at.id))
            .one(&write.tx)
            .await?
            .ok_or_else(|| UserError::not_found(&["id"]))?;
        if row.version != at.expected {
            return Err(UserError::stale().into());
        }
        if row.status == DistributionStatus::Voided {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], IS_VOID).into());
        }
        Ok(row)
    }

    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    pub(in crate::store) async fn change(
        &self,
        write: &Write<'_>,
        at: At,
        row: distribution::ActiveModel,
    ) -> Written<u64> {
        let changed = distribution::Entity::update_many()
            .set(row)
            .filter(distribution::Column::OrganizationId.eq(self.own()?))
            .filter(distribution::Column::Id.eq(at.id))
            .filter(distribution::Column::Version.eq(at.expected))
            .exec(&write.tx)
            .await?;
        Ok(changed.rows_affected)
    }
}

/// What of a correction fits a delivery that has not taken place, or whose goods were dispatched.
fn check_fitting(
    faults: &mut Faults,
    input: &CorrectDistribution,
    row: &distribution::Model,
    is_shipped: bool,
) {
    let ahead = is_ahead(row);
    let day = ("occurredOn", input.occurred_on.is_some());
    let people = ("peopleReached", input.people_reached.is_some());
    let method = ("reachMethod", input.reach_method.is_some());
    let expected = ("peopleExpected", input.people_expected.is_some());
    let place = ("place", input.place.is_some());
    let lines = ("lines", input.lines.is_some());
    let nothing = ![day, people, method, expected, place, lines].iter().any(|(_, given)| *given);
    faults.check(!nothing, UserErrorCode::Invalid, &["id"], NOTHING);
    let mut refuse = |fields: &[(&str, bool)], message| {
        for (field, _) in fields.iter().filter(|(_, given)| *given) {
            faults.add(UserErrorCode::Invalid, &[field], message);
        }
    };
    match (ahead, is_shipped) {
        (true, shipped) => {
            refuse(&[people, method, place], IS_AHEAD);
            if shipped {
                refuse(&[lines], IS_SHIPPED);
            }
        }
        (false, true) => refuse(&[expected, day, place, lines], IS_SHIPPED),
        (false, false) => refuse(&[expected], TOOK_PLACE),
    }
}

/// What a correction can change of what outsiders see of a row; none when they do not see it at all.
pub(in crate::store) fn outside_face<'a>(
    row: &distribution::Model,
    lines: &'a [distribution_line::Model],
) -> Option<impl PartialEq + 'a> {
    let reached = (row.people_reached >= THRESHOLD).then_some((row.people_reached, row.reach_method));
    let lines: Vec<_> = lines
        .iter()
        .filter(|line| line.shown)
        .map(|line| (line.item_id, line.kit_id, line.kit_version, line.quantity))
        .collect();
    (row.class == RowClass::Operations).then_some((row.occurred_on, row.status, reached, lines))
}

/// A delivery as the trace of its correction keeps it.
pub(in crate::store) fn traced_before(
    row: &distribution::Model,
    lines: &[distribution_line::Model],
) -> serde_json::Value {
    let line = |line: &distribution_line::Model| {
        json!({
            "item": line.item_id,
            "kit": line.kit_id,
            "kitVersion": line.kit_version,
            "quantity": line.quantity,
            "peopleReached": line.people_reached,
        })
    };
    json!({
        "before": {
            "occurredOn": row.occurred_on,
            "peopleReached": row.people_reached,
            "reachMethod": row.reach_method,
            "status": row.status,
            "formNumber": row.form_number,
        },
        "linesBefore": lines.iter().map(line).collect::<Vec<_>>(),
    })
}

const SAME_PERSON: Message = Message {
    en: "Who recorded or corrected a delivery cannot verify it.",
    es: "Quien registró o corrigió una entrega no puede verificarla.",
};
const NOT_DELIVERED: Message = Message {
    en: "Only a delivery that took place, and is not verified yet, can be verified.",
    es: "Solo se puede verificar una entrega realizada y aún no verificada.",
};
const IS_AHEAD: Message = Message {
    en: "The delivery has not taken place yet. Say with deliverDistribution when it has.",
    es: "La entrega aún no se ha realizado. Indíquelo con deliverDistribution cuando ocurra.",
};
const TOOK_PLACE: Message = Message {
    en: "The delivery took place: say whom it reached.",
    es: "La entrega ya se realizó: indique a cuántas mujeres llegó.",
};
const NOTHING: Message = Message { en: "There is nothing to correct.", es: "No hay nada que corregir." };
const IS_VOID: Message = Message { en: "The delivery is void.", es: "La entrega está anulada." };

const _: () = assert!(THRESHOLD == 10, "DISCLOSURE section 3.1");
