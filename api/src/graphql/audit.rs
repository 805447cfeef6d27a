//! The audit, for stewards and auditors.

use uuid::Uuid;

use super::{
    connection::{Connection, Names, counted, cursors, selected, window},
    node::Node,
    organization::Organization,
    render::{Need, Object, Writer, Written},
};
use crate::{
    error::Result,
    id::Kind,
    store::{
        Access,
        audit::{
            Asked, Event,
            heads::{Line, hex},
        },
    },
};

const NAMES: Names = Names { connection: "AuditEventConnection", edge: "AuditEventEdge" };

struct AuditEvent<'a>(&'a Event);
struct AuditActor<'a>(&'a entity::account::Model);
struct AuditHead<'a>(&'a Line);

/// `Query.auditEvents`.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let fetched = w.fetched;
    match fetched.audit_events.get(&node.number) {
        Some(Ok(page)) => {
            let connection = Connection {
                names: NAMES,
                page,
                cursors: cursors(w.access, node, NAMES.connection, ""),
                draw: |w: &mut Writer<'_>, node: &Node<'_>, row: &Event| w.object(node, &AuditEvent(row)),
                place: Access::audit_place,
            };
            w.object(node, &connection)
        }
        Some(Err(error)) => w.fail(node, error.clone()),
        None => match asked(node, w.access) {
            Ok(asked) => w.need(Need::AuditEvents(node.number, Box::new(asked))),
            Err(error) => w.fail(node, error),
        },
    }
}

fn asked(node: &Node<'_>, access: &Access) -> Result<Asked> {
    Ok(Asked {
        filter: node.argument("filter")?.unwrap_or_default(),
        window: window(node, &cursors(access, node, NAMES.connection, ""))?,
        fields: selected(node, NAMES, "AuditEvent"),
        with_total: counted(node, NAMES),
    })
}

/// `Query.auditHead`.
pub fn head(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let fetched = w.fetched;
    match fetched.audit_heads.get(&node.number) {
        Some(Ok(Some(line))) => w.object(node, &AuditHead(line)),
        Some(Ok(None)) => w.null(),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => w.need(Need::AuditHead(node.number)),
    }
}

/// Who has done something, as far as the viewer's organisation knows.
pub fn actor(node: &Node<'_>, w: &mut Writer<'_>, account: Option<Uuid>) -> Written {
    match account.and_then(|account| w.access.audit_actor(account)) {
        Some(account) => w.object(node, &AuditActor(account)),
        None => w.null(),
    }
}

/// The type of the objects of a table.
fn kind_of(table: &str) -> Kind {
    match table {
        "organization" => Kind::Organization,
        "facility" => Kind::Facility,
        "program" => Kind::Program,
        "item" => Kind::Item,
        "kit" => Kind::Kit,
        "distribution" => Kind::Distribution,
        "agreement" => Kind::Agreement,
        "award" => Kind::Award,
        "gift" => Kind::Gift,
        "statement" => Kind::Statement,
        "claim" => Kind::Claim,
        "stock_place" => Kind::StockPlace,
        "stock_lot" => Kind::StockLot,
        "stock_movement" => Kind::StockMovement,
        "adequacy_norm" => Kind::AdequacyNorm,
        "facility_population" => Kind::FacilityPopulation,
        "item_permission" => Kind::ItemPermission,
        "safeguarding_note" => Kind::SafeguardingNote,
        "account" => Kind::AuditActor,
        _ => Kind::AuditObject,
    }
}

impl Object for AuditEvent<'_> {
    fn type_name(&self) -> &str {
        "AuditEvent"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let event = self.0;
        match node.name {
            "id" => w.id(Kind::AuditEvent, event.id),
            "organization" => match w.access.catalog.organizations.get(event.organization_id) {
                Some(entry) => w.object(node, &Organization(entry)),
                None => w.absent(node),
            },
            "at" => w.moment(event.recorded_at),
            "account" => actor(node, w, event.account_id),
            "role" => w.str(&event.role),
            "action" => w.str(&event.action),
            "entity" => w.str(&event.entity),
            "object" => w.id(kind_of(&event.entity), event.entity_id),
            "version" => w.optional_int(event.entity_version.map(Into::into)),
            "purpose" => w.optional_str(event.purpose.as_deref()),
            "fields" => match event.fields.as_ref().and_then(|fields| fields.as_array()) {
                Some(names) => {
                    w.list(node, names.iter().filter_map(|name| name.as_str()), |w, name| w.str(name))
                }
                None => w.null(),
            },
            "rowCount" => match event.row_count() {
                Some(count) => w.count(node, count),
                None => w.null(),
            },
            "reason" => match event.reason() {
                Some(reason) => w.word(&reason),
                None => w.null(),
            },
            "documentHash" => w.optional_str(event.document_hash.as_deref().map(hex).as_deref()),
            _ => w.absent(node),
        }
    }
}

impl Object for AuditActor<'_> {
    fn type_name(&self) -> &str {
        "AuditActor"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "id" => w.id(Kind::AuditActor, self.0.id),
            "name" => w.str(&self.0.name),
            _ => w.absent(node),
        }
    }
}

impl Object for AuditHead<'_> {
    fn type_name(&self) -> &str {
        "AuditHead"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let Line { head, signature } = self.0;
        match node.name {
            "number" => w.count(node, head.number),
            "count" => w.count(node, head.count),
            "digest" => w.str(&head.digest),
            "sealedAt" => w.moment(head.sealed_at),
            "signature" => w.str(signature),
            _ => w.absent(node),
        }
    }
}
