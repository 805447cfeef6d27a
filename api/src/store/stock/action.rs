//! All that can be done to stock, as one type, for those who get it in one list.

use serde::Deserialize;

use super::{
    Head,
    count::CountStock,
    kits::{AssembleKits, UnpackKits},
    record::{AdjustStock, ReceiveStock, ReturnStock, TakeStock},
    reverse::ReverseStockMovement,
    transfer::{ReceiveTransfer, TransferStock},
};
use crate::store::{
    Access,
    input::{Once, Written},
    write::Seen,
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
    /// The same under a key.
    #[must_use]
    pub fn keyed(mut self, once: Once) -> Self {
        match &mut self {
            Self::Reverse(input) => input.once = once,
            Self::Receive(ReceiveStock { head, .. })
            | Self::Transfer(TransferStock { head, .. })
            | Self::Arrive(ReceiveTransfer { head, .. })
            | Self::Issue(TakeStock { head, .. })
            | Self::Lose(TakeStock { head, .. })
            | Self::Return(ReturnStock { head, .. })
            | Self::Adjust(AdjustStock { head, .. })
            | Self::Assemble(AssembleKits { head, .. })
            | Self::Unpack(UnpackKits { head, .. })
            | Self::Count(CountStock { head, .. }) => head.once = once,
        }
        self
    }

    /// What its input says besides goods and places; a reversal says nothing of it.
    pub(super) fn head(&self) -> Option<&Head> {
        match self {
            Self::Reverse(_) => None,
            Self::Receive(ReceiveStock { head, .. })
            | Self::Transfer(TransferStock { head, .. })
            | Self::Arrive(ReceiveTransfer { head, .. })
            | Self::Issue(TakeStock { head, .. })
            | Self::Lose(TakeStock { head, .. })
            | Self::Return(ReturnStock { head, .. })
            | Self::Adjust(AdjustStock { head, .. })
            | Self::Assemble(AssembleKits { head, .. })
            | Self::Unpack(UnpackKits { head, .. })
            | Self::Count(CountStock { head, .. }) => Some(head),
        }
    }
}

impl Access {
    /// Does it, in a transaction of its own; none when it was only to be checked.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn move_stock(&self, action: Action) -> Written<Option<Seen>> {
        match action {
            Action::Receive(input) => self.receive_stock(input).await,
            Action::Transfer(input) => self.transfer_stock(input).await,
            Action::Arrive(input) => self.receive_transfer(input).await,
            Action::Issue(input) => self.issue_stock(input).await,
            Action::Lose(input) => self.lose_stock(input).await,
            Action::Return(input) => self.return_stock(input).await,
            Action::Adjust(input) => self.adjust_stock(input).await,
            Action::Assemble(input) => self.assemble_kits(input).await,
            Action::Unpack(input) => self.unpack_kits(input).await,
            Action::Count(input) => self.count_stock(input).await,
            Action::Reverse(input) => self.reverse_stock_movement(input).await,
        }
    }
}
