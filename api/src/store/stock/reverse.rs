//! Undoing a movement by its opposite on the same day. Nothing in the ledger is ever changed.

use entity::{stock_entry, stock_movement, value::StockReason};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    FOR_DELIVERY, UNDONE,
    ledger::{Entry, Movement, Side},
};
use crate::{
    error::Result,
    id,
    store::{
        Access,
        input::{Faults, Message, UserError, UserErrorCode, Written, or_default},
        write::Write,
    },
};

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReverseStockMovement {
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::STOCK_MOVEMENT}>")]
    pub movement: Uuid,
    pub reason: StockReason,
    pub note: Option<String>,
}

impl Access {
    /// Undoes a movement. It occurs on the day of the movement, so that no past day keeps the mistake.
    ///
    /// # Errors
    /// User errors for what a client can mend: something that follows the movement
    /// has to be undone first, and goods that have moved on cannot be taken back.
    pub(super) async fn reverse_in(
        &self,
        write: &Write<'_>,
        id: Uuid,
        input: &ReverseStockMovement,
    ) -> Written<stock_movement::Model> {
        let mut faults = Faults::default();
        if let Some(note) = &input.note {
            faults.text(note, &["note"], 500);
        }
        faults.refuse()?;
        let row = self.movement_to_follow(write, input.movement, "movement").await?;
        let refuse = |message| UserError::new(UserErrorCode::Invalid, &["movement"], message);
        if row.reverses_id.is_some() {
            return Err(refuse(IS_REVERSAL).into());
        }
        if row.distribution_id.is_some() {
            return Err(refuse(FOR_DELIVERY).into());
        }
        if self.is_undone(write, row.id).await? {
            return Err(refuse(UNDONE).into());
        }
        if !self.followers(write, row.id).await?.is_empty() {
            return Err(refuse(FOLLOWED).into());
        }
        let entries = self.entries_of(write, [row.id]).await?;
        if entries.is_empty() {
            return Err(refuse(MOVED_NOTHING).into());
        }
        let mut movement = self.opposite(id, &row, &entries, "movement")?;
        movement.row.reason = Some(input.reason);
        movement.row.note = input.note.clone();
        let held = self.hold(write, movement.pairs().collect()).await?;
        self.post(write, &held, std::slice::from_ref(&movement)).await?;
        Ok(movement.row)
    }

    /// The movement that undoes another.
    pub(in crate::store) fn opposite(
        &self,
        id: Uuid,
        row: &stock_movement::Model,
        entries: &[stock_entry::Model],
        field: &'static str,
    ) -> Result<Movement> {
        let undone = stock_movement::Model {
            reverses_id: Some(row.id),
            follows_id: row.follows_id,
            to_place_id: row.to_place_id,
            distribution_id: row.distribution_id,
            ..self.new_movement(id, row.kind, row.occurred_on)?
        };
        let entries = entries.iter().filter(|entry| entry.movement_id == row.id).map(|entry| Entry {
            lot: entry.lot_id,
            side: entry.place_id.map_or(Side::Outside(entry.side), Side::Place),
            quantity: -entry.quantity,
            open: entry.open,
            people: entry.people_reached,
            line: None,
        });
        Ok(Movement { row: undone, entries: entries.collect(), field })
    }

    #[expect(clippy::disallowed_methods, reason = "begins from the viewer's own organisation")]
    pub(super) async fn is_undone(&self, write: &Write<'_>, movement: Uuid) -> Result<bool> {
        let undone = stock_movement::Entity::find()
            .filter(stock_movement::Column::OrganizationId.eq(self.own()?))
            .filter(stock_movement::Column::ReversesId.eq(movement))
            .one(&write.tx)
            .await?;
        Ok(undone.is_some())
    }
}

const IS_REVERSAL: Message = Message {
    en: "This undoes another movement. Record what is right anew.",
    es: "Este movimiento revierte a otro. Registre de nuevo lo correcto.",
};
const FOLLOWED: Message = Message {
    en: "Other movements follow it. Reverse those first.",
    es: "Otros movimientos dependen de él. Reviértalos primero.",
};
const MOVED_NOTHING: Message = Message { en: "It moved nothing.", es: "No movió nada." };
