//! Publishing: the approved draft is sealed, and its bytes are what everybody reads. Retracting and discarding.

use disclosure::Record;
use entity::{
    release, release_data, release_file,
    value::{ReleaseStatus, ReviewDecision},
};
use sea_orm::{ActiveModelTrait, Set};
use serde::Deserialize;
use serde_json::json;

use super::{data::Part, prepare::draft_digest};
use crate::{
    auth::Right,
    error::Error,
    sealed::{self, File},
    store::{
        Access,
        input::{At, Faults, Message, UserError, UserErrorCode, Written, or_default},
        write::{Trace, Write},
    },
    vault::{DataKey, Fault},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetractRelease {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub reason: String,
}

impl Access {
    /// Seals an approved release and publishes it.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn publish_release(&self, at: At, validate_only: bool) -> Written<()> {
        self.require(Right::ReleasePublish)?;
        let own = self.own()?;
        let key = self.release_key().await?;
        let write = self.write().await?;
        let row = self.release_at(at, &[ReleaseStatus::Approved])?;
        let reviews = self.release(at.id).map(|of| of.reviews.as_slice()).unwrap_or_default();
        let approved = |of: &&entity::release_review::Model| {
            of.decision == ReviewDecision::Approve && Some(&of.draft_digest) == row.draft_digest.as_ref()
        };
        if reviews.iter().filter(approved).count() < 2 {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], super::NOT_NOW).into());
        }
        let data = self.release_data(&write.tx, at.id).await?.ok_or(Fault::Gone)?;
        let draft: File = Part::Draft.open(&key, &data)?.ok_or(Fault::Gone)?;
        if Some(&draft_digest(&draft)?) != row.draft_digest.as_ref() {
            return Err(Error::Internal("a draft is not what was reviewed".into()).into());
        }
        // What was retracted since may be carried forward in it.
        let retracted = self.releases().any(|of| {
            of.row.organization_id == own && of.row.retracted_at.is_some_and(|at| row.prepared_at <= Some(at))
        });
        if retracted || draft.previous != self.last_digest(own) {
            return Err(UserError::new(UserErrorCode::Conflict, &["id"], OUTDATED).into());
        }
        if self.somebody_has_withdrawn(&write, &key, &data).await? {
            return Err(UserError::new(UserErrorCode::Conflict, &["id"], WITHDRAWN).into());
        }
        let number = draft.number.cast_signed();
        let Some(signing) = self.store.release_signing_key() else {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], NO_KEY).into());
        };
        let sealed = sealed::seal(signing, File { published_at: self.now, ..draft })?;
        let file = release_file::ActiveModel {
            organization_id: Set(own),
            digest: Set(sealed.digest.clone()),
            release_id: Set(at.id),
            bytes: Set(sealed::bytes(&sealed)?),
        };
        file.insert(&write.tx).await?;
        // The record is all that later releases need.
        let kept = release_data::ActiveModel { snapshot: Set(None), draft: Set(None), ..Default::default() };
        write.change_release_data(at.id, kept).await?;
        let detail = json!({ "digest": sealed.digest });
        let change = release::ActiveModel {
            status: Set(ReleaseStatus::Published),
            number: Set(Some(number)),
            digest: Set(Some(sealed.digest)),
            published_at: Set(Some(self.now)),
            published_by: Set(self.viewer.account()),
            ..Default::default()
        };
        let changed = write.change_release(at, change).await?;
        write.finish(changed, Trace { action: "PUBLISH", entity: "release", detail }, at, validate_only).await
    }

    /// Whether a woman whom a release counts has withdrawn since it was frozen, or was erased.
    async fn somebody_has_withdrawn(
        &self,
        write: &Write<'_>,
        key: &DataKey,
        data: &release_data::Model,
    ) -> crate::error::Result<bool> {
        let record: Record = Part::Record.open(key, data)?.ok_or(Fault::Gone)?;
        let units = write.units(&self.who_agree(&write.tx).await?).await?;
        let withdrawn = units.withdrawn();
        let linked = record.measurements.iter().filter(|of| of.linked);
        let mut cells = linked.flat_map(|of| &of.cells);
        Ok(cells.any(|cell| cell.members.intersects(&withdrawn)))
    }

    /// Takes a release back: nobody is shown it any more. What it taught stays known to the audit of later ones.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn retract_release(&self, input: RetractRelease) -> Written<()> {
        self.require(Right::ReleasePublish)?;
        let mut faults = Faults::default();
        faults.text(&input.reason, &["reason"], 1_000);
        faults.refuse()?;
        let write = self.write().await?;
        self.release_at(input.at, &[ReleaseStatus::Published])?;
        let change = release::ActiveModel {
            status: Set(ReleaseStatus::Retracted),
            retracted_at: Set(Some(self.now)),
            retracted_by: Set(self.viewer.account()),
            retraction_reason: Set(Some(input.reason)),
            ..Default::default()
        };
        let changed = write.change_release(input.at, change).await?;
        write.finish(changed, Trace::of("RETRACT", "release"), input.at, input.validate_only).await
    }

    /// Gives up a release that was not published; its snapshot goes.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn discard_release(&self, at: At, validate_only: bool) -> Written<()> {
        self.require(Right::ReleasePrepare)?;
        let write = self.write().await?;
        self.release_at(at, &[ReleaseStatus::Draft, ReleaseStatus::InReview, ReleaseStatus::Approved])?;
        let gone = release_data::ActiveModel {
            snapshot: Set(None),
            record: Set(None),
            report: Set(None),
            draft: Set(None),
            ..Default::default()
        };
        write.change_release_data(at.id, gone).await?;
        let change = release::ActiveModel { discarded_at: Set(Some(self.now)), ..Default::default() };
        let changed = write.change_release(at, change).await?;
        write.finish(changed, Trace::of("DISCARD", "release"), at, validate_only).await
    }
}

const WITHDRAWN: Message = Message {
    en: "A woman has withdrawn since this release was frozen. Discard it and freeze again.",
    es: "Una mujer retiró su consentimiento desde que se congeló esta publicación. Descártela y congele de nuevo.",
};
const NO_KEY: Message = Message {
    en: "The server has no key to sign releases with. Its operator makes one with: umbral release key --new",
    es: "El servidor no tiene clave para firmar publicaciones. Quien lo opera la crea con: umbral release key --new",
};
const OUTDATED: Message = Message {
    en: "Another release was published or retracted since this one was prepared. Discard it and freeze again.",
    es: "Desde que se preparó esta publicación se publicó o se retiró otra. Descártela y congele de nuevo.",
};
