//! Who signed that a delivery arrived. Proofs are never changed.

use chrono::NaiveDate;
use entity::{delivery_proof, distribution};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, Set};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::is_ahead;
use crate::{
    auth::Right,
    store::{
        Access,
        input::{At, FUTURE, Faults, Message, UserError, UserErrorCode, Written, or_default},
        write::{Trace, Write},
    },
};

/// The most proofs of a delivery.
const MOST: usize = 50;

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofInput {
    pub signed_by: String,
    pub signed_on: NaiveDate,
    /// As hexadecimal digits.
    #[serde(default)]
    pub document_sha256: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordDeliveryProof {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub proof: ProofInput,
}

impl Access {
    /// Adds a proof to a delivery that took place.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn record_delivery_proof(&self, input: RecordDeliveryProof) -> Written<()> {
        self.require(Right::DistributionRecord)?;
        let write = self.write_operations().await?;
        self.prove_in(&write, input.at, &input.proof).await?;
        write.end(input.validate_only).await
    }

    /// Adds a proof as a part of a transaction. It is a new version of the delivery, so that devices get it.
    pub(in crate::store) async fn prove_in(
        &self,
        write: &Write<'_>,
        at: At,
        proof: &ProofInput,
    ) -> Written<()> {
        let before = self.to_change(write, at).await?;
        if is_ahead(&before) {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], NOT_YET).into());
        }
        let mut faults = Faults::default();
        self.check_proof(&mut faults, proof, before.occurred_on);
        let room = self.proofs_on(&write.tx, &[before.id]).await?.len() < MOST;
        faults.check(room, UserErrorCode::OutOfRange, &["id"], TOO_MANY);
        faults.refuse()?;
        let row = distribution::ActiveModel { version: Set(at.expected + 1), ..Default::default() };
        let changed = self.change(write, at, row).await?;
        if changed == 1 {
            self.insert_proof(write, before.id, proof).await?;
        }
        write
            .changed(changed, Trace { action: "PROVE", entity: "distribution", detail: Value::Null }, at)
            .await
    }

    pub(in crate::store) fn check_proof(
        &self,
        faults: &mut Faults,
        proof: &ProofInput,
        delivered: NaiveDate,
    ) {
        faults.text(&proof.signed_by, &["proof", "signedBy"], 200);
        let field = ["proof", "signedOn"];
        faults.check(delivered <= proof.signed_on, UserErrorCode::OutOfRange, &field, BEFORE_IT);
        faults.check(proof.signed_on <= self.today(), UserErrorCode::OutOfRange, &field, FUTURE);
        let hex = |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let fits = proof.document_sha256.as_ref().is_none_or(hex);
        faults.check(fits, UserErrorCode::Invalid, &["proof", "documentSha256"], NO_DIGEST);
    }

    pub(in crate::store) async fn insert_proof(
        &self,
        write: &Write<'_>,
        delivery: Uuid,
        proof: &ProofInput,
    ) -> Written<()> {
        let row = delivery_proof::Model {
            organization_id: self.own()?,
            id: self.new_id(),
            distribution_id: delivery,
            signed_by: proof.signed_by.trim().to_owned(),
            signed_on: proof.signed_on,
            document_sha256: proof.document_sha256.as_ref().map(|digest| digest.to_ascii_lowercase()),
            recorded_at: self.now,
            recorded_by: self.viewer.account(),
        };
        delivery_proof::Entity::insert(row.into_active_model().reset_all())
            .exec_without_returning(&write.tx)
            .await?;
        Ok(())
    }
}

impl ProofInput {
    /// Whether it is what a proof says already.
    pub(in crate::store) fn is(&self, proof: &delivery_proof::Model) -> bool {
        let digest = self.document_sha256.as_ref().map(|digest| digest.to_ascii_lowercase());
        self.signed_by.trim() == proof.signed_by
            && self.signed_on == proof.signed_on
            && digest == proof.document_sha256
    }
}

const TOO_MANY: Message = Message {
    en: "A delivery has fifty proofs at most.",
    es: "Una entrega tiene cincuenta comprobantes como máximo.",
};
const NOT_YET: Message = Message {
    en: "The delivery has not taken place yet. Send the proof with deliverDistribution.",
    es: "La entrega aún no se ha realizado. Envíe el comprobante con deliverDistribution.",
};
const BEFORE_IT: Message =
    Message { en: "It was signed before the delivery.", es: "Se firmó antes de la entrega." };
const NO_DIGEST: Message = Message {
    en: "This is not a SHA-256 digest of 64 hexadecimal digits.",
    es: "No es un resumen SHA-256 de 64 dígitos hexadecimales.",
};
