//! Planned deliveries, what was sent for them, and who signed.

use std::collections::BTreeSet;

use entity::{delivery_proof, shipment_line};
use uuid::Uuid;

use super::{
    item, kit,
    mutation::{Done, Input, Subject},
    node::Node,
    render::{Fetched, Need, Object, Writer, Written},
};
use crate::{
    error::Error,
    store::{
        Access,
        shipment::{
            self, deliver::DeliverDistribution, dispatch::DispatchDistribution, plan::PlanDistribution,
            proof::RecordDeliveryProof,
        },
    },
};

struct Shipment<'a>(&'a shipment::Shipment);
struct ShipmentLine<'a>(&'a shipment_line::Model);
struct DeliveryProof<'a>(&'a delivery_proof::Model);

/// `Distribution.shipment`.
pub fn of(node: &Node<'_>, w: &mut Writer<'_>, delivery: Uuid) -> Written {
    let fetched = w.fetched;
    match fetched.shipments.get(&delivery) {
        Some(Ok(Some(shipment))) => w.object(node, &Shipment(shipment)),
        Some(Ok(None)) => w.null(),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => w.need(Need::Shipment(delivery)),
    }
}

/// `Distribution.proofs`.
pub fn proofs(node: &Node<'_>, w: &mut Writer<'_>, delivery: Uuid) -> Written {
    let fetched = w.fetched;
    match fetched.proofs.get(&delivery) {
        Some(Ok(proofs)) => w.list(node, proofs, |w, proof| w.object(node, &DeliveryProof(proof))),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => w.need(Need::Proofs(delivery)),
    }
}

/// Fetches what hangs on deliveries, each kind together.
pub async fn fetch(
    access: &Access,
    shipments: BTreeSet<Uuid>,
    proofs: BTreeSet<Uuid>,
    fetched: &mut Fetched,
) {
    if !shipments.is_empty() {
        let shipments: Vec<Uuid> = shipments.into_iter().collect();
        let mut found = access.shipments(&shipments).await;
        fetched.shipments.extend(shipments.into_iter().map(|id| {
            let of = found.as_mut().map(|found| found.remove(&id)).map_err(|error| error.clone());
            (id, of)
        }));
    }
    if !proofs.is_empty() {
        let proofs: Vec<Uuid> = proofs.into_iter().collect();
        let mut found = access.delivery_proofs(&proofs).await;
        fetched.proofs.extend(proofs.into_iter().map(|id| {
            let of = found.as_mut().map(|found| found.remove(&id).unwrap_or_default());
            (id, of.map_err(|error| error.clone()))
        }));
    }
}

impl Object for Shipment<'_> {
    fn type_name(&self) -> &str {
        "Shipment"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "dispatchedOn" => w.date(self.0.row.dispatched_on),
            "lines" => w.list(node, &self.0.lines, |w, line| w.object(node, &ShipmentLine(line))),
            "lossReason" => match &self.0.row.loss_reason {
                Some(reason) => w.word(reason),
                None => w.null(),
            },
            _ => w.absent(node),
        }
    }
}

impl Object for ShipmentLine<'_> {
    fn type_name(&self) -> &str {
        "ShipmentLine"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let line = self.0;
        match node.name {
            "item" => item::of(node, w, line.item_id),
            "kit" => kit::of(node, w, line.kit_id),
            "kitVersion" => w.optional_int(line.kit_version.map(Into::into)),
            "shipped" => w.int(line.shipped.into()),
            "received" => w.optional_int(line.received.map(Into::into)),
            "returned" => w.optional_int(line.returned.map(Into::into)),
            "lost" => w.optional_int(line.lost.map(Into::into)),
            _ => w.absent(node),
        }
    }
}

impl Object for DeliveryProof<'_> {
    fn type_name(&self) -> &str {
        "DeliveryProof"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "signedBy" => w.str(&self.0.signed_by),
            "signedOn" => w.date(self.0.signed_on),
            "documentSha256" => w.optional_str(self.0.document_sha256.as_deref()),
            "recordedAt" => w.moment(self.0.recorded_at),
            _ => w.absent(node),
        }
    }
}

/// The mutations of planned deliveries and of proofs.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "planDistribution" => {
            let mut plan: PlanDistribution = input.read()?;
            plan.once = input.once(name)?;
            Ok(access.plan_distribution(plan).await?.map(Subject::Distribution))
        }
        "dispatchDistribution" => {
            let mut dispatch: DispatchDistribution = input.read()?;
            dispatch.at = input.at("id")?;
            access.dispatch_distribution(dispatch).await?;
            Ok(input.subject())
        }
        "deliverDistribution" => {
            let mut delivery: DeliverDistribution = input.read()?;
            delivery.at = input.at("id")?;
            access.deliver_distribution(delivery).await?;
            Ok(input.subject())
        }
        "recordDeliveryProof" => {
            let mut proof: RecordDeliveryProof = input.read()?;
            proof.at = input.at("id")?;
            access.record_delivery_proof(proof).await?;
            Ok(input.subject())
        }
        _ => Err(Error::Internal(format!("no mutation {name}")).into()),
    }
}
