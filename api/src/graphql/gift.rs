//! What those who gave may know of stock, and where a gift went.

use chrono::NaiveDate;
use entity::{gift_trace, value::GiftFlowKind};
use uuid::Uuid;

use super::{
    award::Gift,
    distribution::Period,
    facility::Facility,
    item, kit,
    node::Node,
    organization::Organization,
    render::{Need, Object, Writer, Written},
    stock::StockLevel,
};
use crate::{
    error::Result,
    id::{GlobalId, Kind},
    store::gift::read::{Account, Asked, Balance, Flow, Found, Trace},
};

struct GiftBalance<'a>(&'a Balance);
struct GiftFlow<'a>(&'a Flow);
struct GiftTrace<'a>(&'a Trace);
struct GiftTraceRow<'a>(&'a gift_trace::Model);
struct GiftAccount<'a>(&'a Account);

/// The queries of gifts that are followed.
pub fn query(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let fetched = w.fetched;
    match fetched.gifts.get(&node.number) {
        None => match asked(node) {
            Ok(asked) => w.need(Need::Gifts(node.number, Box::new(asked))),
            Err(error) => w.fail(node, error),
        },
        Some(Err(error)) => w.fail(node, error.clone()),
        Some(Ok(Found::Levels(rows))) => w.list(node, rows, |w, row| w.object(node, &StockLevel(row))),
        Some(Ok(Found::Balances(rows))) => w.list(node, rows, |w, row| w.object(node, &GiftBalance(row))),
        Some(Ok(Found::Flows(rows))) => w.list(node, rows, |w, row| w.object(node, &GiftFlow(row))),
        Some(Ok(Found::Trace(trace))) => w.object(node, &GiftTrace(trace)),
    }
}

fn asked(node: &Node<'_>) -> Result<Asked> {
    let day = || node.required::<NaiveDate>("quarterEnd");
    Ok(match node.name {
        "warehouseBalances" => {
            Asked::Balances(Box::new(node.argument("filter")?.unwrap_or_default()), day()?)
        }
        "giftReceipts" => Asked::Flows(GiftFlowKind::Receipt, day()?),
        "bulkDispatches" => Asked::Flows(GiftFlowKind::Dispatch, day()?),
        _ => {
            let gift = node.required::<String>("gift")?;
            let GlobalId { kind, id } = GlobalId::parse(&gift).ok_or_else(super::not_an_id)?;
            Asked::Trace(if kind == Kind::Gift { id } else { Uuid::nil() })
        }
    })
}

/// The fields that name goods.
fn goods(
    node: &Node<'_>,
    w: &mut Writer<'_>,
    item: Option<Uuid>,
    kit: Option<Uuid>,
    version: Option<i32>,
) -> Written {
    match node.name {
        "item" => item::of(node, w, item),
        "kit" => kit::of(node, w, kit),
        _ => w.optional_int(version.map(Into::into)),
    }
}

fn organization(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    match w.access.catalog.organizations.get(id) {
        Some(entry) => w.object(node, &Organization(entry)),
        None => w.absent(node),
    }
}

fn facility(node: &Node<'_>, w: &mut Writer<'_>, id: Option<Uuid>) -> Written {
    let access = w.access;
    let entry = id.and_then(|id| access.facility(id)).map(Facility);
    w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
}

impl Object for GiftBalance<'_> {
    fn type_name(&self) -> &str {
        "StockLevel"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let Balance { organization_id, quarter_end, item_id, kit_id, kit_version, quantity } = self.0;
        match node.name {
            "organization" => organization(node, w, *organization_id),
            "item" | "kit" | "kitVersion" => goods(node, w, *item_id, *kit_id, *kit_version),
            "quantity" => w.count(node, *quantity),
            "asOf" => w.date(*quarter_end),
            _ => w.absent(node),
        }
    }
}

impl Object for GiftFlow<'_> {
    fn type_name(&self) -> &str {
        "GiftFlow"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let flow = self.0;
        match node.name {
            "organization" => organization(node, w, flow.organization_id),
            "donor" => organization(node, w, flow.donor_id),
            "item" | "kit" | "kitVersion" => goods(node, w, flow.item_id, flow.kit_id, flow.kit_version),
            "quantity" => w.count(node, flow.quantity),
            "occurredOn" => w.date(flow.occurred_on),
            "facility" => facility(node, w, flow.facility_id),
            "undone" => w.optional_date(flow.undone_in),
            _ => w.absent(node),
        }
    }
}

impl Object for GiftTrace<'_> {
    fn type_name(&self) -> &str {
        "GiftTrace"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let access = w.access;
        match node.name {
            "gift" => match access.gift(self.0.gift_id) {
                Some(gift) => w.object(node, &Gift(gift)),
                None => w.absent(node),
            },
            "until" => w.date(self.0.until),
            "rows" => w.list(node, &self.0.rows, |w, row| w.object(node, &GiftTraceRow(row))),
            "accountedFor" => {
                let account = self.0.account.as_ref().map(GiftAccount);
                w.optional(node, account.as_ref().map(|account| account as &dyn Object))
            }
            _ => w.absent(node),
        }
    }
}

impl Object for GiftTraceRow<'_> {
    fn type_name(&self) -> &str {
        "GiftTraceRow"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = self.0;
        match node.name {
            "quarter" => {
                let (start, end) = Trace::period(row);
                w.object(node, &Period(start, end))
            }
            "facility" => facility(node, w, Some(row.facility_id)),
            "item" => goods(node, w, Some(row.item_id), None, None),
            "quantity" => w.count(node, row.quantity),
            "inKits" => w.count(node, row.in_kits),
            _ => w.absent(node),
        }
    }
}

impl Object for GiftAccount<'_> {
    fn type_name(&self) -> &str {
        "GiftAccount"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "on" => w.date(self.0.accounted_on),
            "signature" => w.str(&self.0.signature),
            _ => w.absent(node),
        }
    }
}
