//! Preparing: intervals are made of a frozen snapshot and audited together with all releases before.

use disclosure::{History, Parameters, Prepared, prepare_correction, prepare_observed};
use entity::{
    release, release_data,
    value::{OrganizationKeyKind, ReleaseStatus, RiskClass},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    data::{Frozen, Part},
    draft,
};
use crate::{
    auth::Right,
    error::{Error, Result},
    sealed::{self, File},
    store::{
        Access,
        audit::heads::hex,
        input::{At, Message, Refused, UserError, UserErrorCode, Written},
        write::Trace,
    },
    vault::{DataKey, Fault},
};

/// How long a request waits for a release to be prepared.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(8);

/// What came out of a snapshot.
struct Made {
    prepared: Prepared,
    draft: File,
}

impl Access {
    /// Prepares a frozen release and sends it to review. It can take minutes: `observe` is told how many questions are
    /// done, and of how many. Preparing again gives the same draft, unless another release came between.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn prepare_release(
        &self,
        at: At,
        observe: impl FnMut(usize, usize) + Send + 'static,
    ) -> Written<()> {
        self.require(Right::ReleasePrepare)?;
        let own = self.own()?;
        self.release_at(at, &[ReleaseStatus::Draft, ReleaseStatus::InReview])?;
        let key = self.release_key().await?;
        let data = self.release_data(&self.store.pools.read, at.id).await?;
        let data = data.ok_or_else(|| UserError::not_found(&["id"]))?;
        let frozen: Frozen = Part::Snapshot.open(&key, &data)?.ok_or(Fault::Gone)?;
        let history = self.history(&self.store.pools.read, &key).await?;
        let previous = self.last_digest(own);
        let classes: Vec<(String, RiskClass)> =
            self.own_indicators().map(|row| (row.code.clone(), row.risk_class)).collect();
        let made =
            tokio::task::spawn_blocking(move || make(frozen, &history, previous, &classes, observe)).await;
        let made =
            made.map_err(|fault| Error::Internal(format!("a release was not prepared: {fault}")))??;
        // It relies on nothing in memory: that the release is as it was is in the WHERE.
        let write = self.write_by_itself().await?;
        let digest = draft_digest(&made.draft)?;
        let row = release_data::ActiveModel {
            record: Set(Some(Part::Record.seal(&key, own, at.id, &made.prepared.record)?)),
            report: Set(Some(Part::Report.seal(&key, own, at.id, &made.prepared.report)?)),
            draft: Set(Some(Part::Draft.seal(&key, own, at.id, &made.draft)?)),
            ..Default::default()
        };
        write.change_release_data(at.id, row).await?;
        write.forget_reviews(at.id).await?;
        let questions = made.prepared.report.variables.len() as i32;
        let row = release::ActiveModel {
            status: Set(ReleaseStatus::InReview),
            prepared: Set(questions),
            to_prepare: Set(questions),
            prepared_at: Set(Some(self.now)),
            draft_digest: Set(Some(digest)),
            ..Default::default()
        };
        let changed = write.change_release(at, row).await?;
        write.finish(changed, Trace::of("PREPARE", "release"), at, false).await
    }

    /// Begins to prepare a release, and waits a while for it: what takes longer goes on, and its release tells how far it is.
    ///
    /// # Errors
    /// As [`Access::prepare_release`], as far as it is known by then.
    pub async fn begin_to_prepare(&self, at: At) -> Written<()> {
        self.require(Right::ReleasePrepare)?;
        self.release_at(at, &[ReleaseStatus::Draft, ReleaseStatus::InReview])?;
        let (told, mut progress) = tokio::sync::watch::channel((0, 0));
        let access = self.clone();
        let mut task = tokio::spawn(async move {
            // Nobody may be left who listens.
            let tell = move |done, of| told.send((done, of)).unwrap_or_default();
            let done = access.prepare_release(at, tell).await;
            if let Err(Refused::Fault(fault)) = &done {
                tracing::error!(code = fault.code(), "a release was not prepared");
            }
            done
        });
        let follower = self.clone();
        tokio::spawn(async move {
            while progress.changed().await.is_ok() {
                let (done, of) = *progress.borrow_and_update();
                if follower.note_progress(at, done, of).await.is_err() {
                    break;
                }
            }
        });
        match tokio::time::timeout(PATIENCE, &mut task).await {
            Err(_) => Ok(()),
            Ok(Ok(done)) => done,
            Ok(Err(fault)) => Err(Error::Internal(format!("a release was not prepared: {fault}")).into()),
        }
    }

    /// Notes how many questions are prepared, unless the release has moved on.
    #[expect(
        clippy::disallowed_methods,
        reason = "the update repeats the organisation and the version in its WHERE"
    )]
    async fn note_progress(&self, at: At, done: usize, of: usize) -> Result<()> {
        release::Entity::update_many()
            .set(release::ActiveModel {
                prepared: Set(done as i32),
                to_prepare: Set(of as i32),
                ..Default::default()
            })
            .filter(release::Column::OrganizationId.eq(self.own()?))
            .filter(release::Column::Id.eq(at.id))
            .filter(release::Column::Version.eq(at.expected))
            .exec(&self.store.pools.write)
            .await?;
        Ok(())
    }

    /// The key of the organisation's releases.
    pub(super) async fn release_key(&self) -> Result<DataKey> {
        self.organization_key(OrganizationKeyKind::Release).await?.ok_or_else(|| Fault::Gone.into())
    }

    /// The digest of the last release that was published.
    pub(super) fn last_digest(&self, organization: Uuid) -> Option<String> {
        let published = self.catalog.releases.iter().filter(|of| of.row.organization_id == organization);
        published
            .filter(|of| of.row.number.is_some())
            .max_by_key(|of| of.row.number)
            .and_then(|of| of.row.digest.clone())
    }
}

fn make(
    frozen: Frozen,
    history: &History,
    previous: Option<String>,
    classes: &[(String, RiskClass)],
    mut observe: impl FnMut(usize, usize),
) -> Written<Made> {
    let Frozen { snapshot, registry, file, corrects } = frozen;
    let parameters = Parameters::default();
    let prepared = match corrects {
        None => prepare_observed(history, &snapshot, &registry, &parameters, &mut observe),
        Some(wrong) => prepare_correction(history, wrong, &snapshot, &registry, &parameters),
    };
    let prepared = prepared.map_err(|refusal| match refusal {
        disclosure::Refusal::AlreadyReleased(_) | disclosure::Refusal::NothingToCorrect => {
            UserError::new(UserErrorCode::Conflict, &["id"], OUTDATED).into()
        }
        other => Refused::from(Error::Internal(format!("a snapshot was refused: {other:?}"))),
    })?;
    let dangerous = |code: &str| draft::is_dangerous(classes, code);
    let draft = draft::with_tables(file, &prepared.public, previous, dangerous)?;
    Ok(Made { prepared, draft })
}

/// What reviewers approve: the file but for the moment of its publication, which is not known yet.
pub(super) fn draft_digest(draft: &File) -> Result<String> {
    let bytes = sealed::canonical(draft)?;
    Ok(hex(&Sha256::digest(bytes)))
}

impl crate::store::write::Write<'_> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the update repeats the organisation and the version in its WHERE"
    )]
    pub(super) async fn change_release(&self, at: At, row: release::ActiveModel) -> Written<u64> {
        let done = release::Entity::update_many()
            .set(release::ActiveModel { version: Set(at.expected + 1), ..row })
            .filter(release::Column::OrganizationId.eq(self.access.own()?))
            .filter(release::Column::Id.eq(at.id))
            .filter(release::Column::Version.eq(at.expected))
            .exec(&self.tx)
            .await?;
        Ok(done.rows_affected)
    }

    #[expect(clippy::disallowed_methods, reason = "the update repeats the organisation in its WHERE")]
    pub(super) async fn change_release_data(&self, id: Uuid, row: release_data::ActiveModel) -> Result<()> {
        release_data::Entity::update_many()
            .set(row)
            .filter(release_data::Column::OrganizationId.eq(self.access.own()?))
            .filter(release_data::Column::ReleaseId.eq(id))
            .exec(&self.tx)
            .await?;
        Ok(())
    }
}

const OUTDATED: Message = Message {
    en: "Another release was published since this one was frozen. Discard it and freeze again.",
    es: "Desde que se congeló esta publicación se publicó otra. Descártela y congele de nuevo.",
};
