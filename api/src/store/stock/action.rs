//! All that can be done to stock, as one type: the mutations, the rows of a device and the forms of an import are the
//! same movements.

use entity::{stock_movement, value::StockMovementKind};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    count::CountStock,
    kits::{AssembleKits, UnpackKits},
    record::{AdjustStock, ReceiveStock, ReturnStock, TakeStock},
    reverse::ReverseStockMovement,
    transfer::{ReceiveTransfer, TransferStock},
};
use crate::{
    auth::Right,
    store::{
        Access,
        input::{Once, Written},
        write::{Seen, Write},
    },
};

/// A movement that is asked for. Its names are those of the fields of `SyncStockMovementRow`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    Receive(ReceiveStock),
    Transfer(TransferStock),
    Arrive(ReceiveTransfer),
    Issue(TakeStock),
    Lose(TakeStock),
    Return(ReturnStock),
    Adjust(AdjustStock),
    Assemble(AssembleKits),
    Unpack(UnpackKits),
    Count(CountStock),
    Reverse(ReverseStockMovement),
}

impl Action {
    fn right(&self) -> Right {
        match self {
            Self::Adjust(_) | Self::Reverse(_) => Right::StockCorrect,
            _ => Right::StockRecord,
        }
    }

    /// Whether it is only to be checked.
    pub fn validate_only(&self) -> bool {
        match self {
            Self::Reverse(input) => input.validate_only,
            Self::Receive(ReceiveStock { head, .. })
            | Self::Transfer(TransferStock { head, .. })
            | Self::Arrive(ReceiveTransfer { head, .. })
            | Self::Issue(TakeStock { head, .. })
            | Self::Lose(TakeStock { head, .. })
            | Self::Return(ReturnStock { head, .. })
            | Self::Adjust(AdjustStock { head, .. })
            | Self::Assemble(AssembleKits { head, .. })
            | Self::Unpack(UnpackKits { head, .. })
            | Self::Count(CountStock { head, .. }) => head.validate_only,
        }
    }
}

impl Access {
    /// Does it once, in a transaction of its own; none when it was only to be checked.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn move_stock(&self, once: &Once, action: &Action) -> Written<Option<Seen>> {
        self.require(action.right())?;
        let write = self.write_operations().await?;
        let seen = self.move_in(&write, once, action).await?;
        let checked = action.validate_only() && matches!(seen, Seen::First(_));
        write.end(checked).await?;
        Ok((!checked).then_some(seen))
    }

    /// Does it once as a part of a transaction.
    pub(super) async fn move_in(&self, write: &Write<'_>, once: &Once, action: &Action) -> Written<Seen> {
        self.require(action.right())?;
        let seen = write.once(once, self.new_id()).await?;
        if let Seen::First(id) = seen {
            let row = self.act(write, id, action).await?;
            let done = if row.reverses_id.is_some() { "REVERSE" } else { "RECORD" };
            write.audit(done, "stock_movement", id, None, json!({ "kind": row.kind })).await?;
        }
        Ok(seen)
    }

    /// Does it as a part of a transaction.
    pub(in crate::store) async fn act(
        &self,
        write: &Write<'_>,
        id: Uuid,
        action: &Action,
    ) -> Written<stock_movement::Model> {
        match action {
            Action::Receive(input) => self.receive_in(write, id, input).await,
            Action::Transfer(input) => self.transfer_in(write, id, input).await,
            Action::Arrive(input) => self.arrive_in(write, id, input).await,
            Action::Issue(input) => self.take_in(write, id, input, StockMovementKind::Issue).await,
            Action::Lose(input) => self.take_in(write, id, input, StockMovementKind::Loss).await,
            Action::Return(input) => self.return_in(write, id, input).await,
            Action::Adjust(input) => self.adjust_in(write, id, input).await,
            Action::Assemble(input) => self.assemble_in(write, id, input).await,
            Action::Unpack(input) => self.unpack_in(write, id, input).await,
            Action::Count(input) => self.count_in(write, id, input).await,
            Action::Reverse(input) => self.reverse_in(write, id, input).await,
        }
    }
}
