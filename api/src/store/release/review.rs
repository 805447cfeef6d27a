//! Reviews: two different people look at a release, one of them not of the field team.

use entity::{
    release, release_review,
    value::{ReleaseStatus, ReviewDecision, Role},
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    auth::Right,
    error::Error,
    store::{
        Access,
        input::{At, Faults, Message, UserErrorCode, Written, or_default},
        write::Trace,
    },
};

/// The longest note.
const LONGEST: usize = 2_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewRelease {
    #[serde(skip)]
    pub at: At,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub decision: ReviewDecision,
    /// What the reviewer looked at: another draft is none that this is about.
    pub draft_digest: String,
    #[serde(default)]
    pub note: Option<String>,
}

impl Access {
    /// Approves a release or rejects it. A rejected one is a draft again, and whoever had approved it has not any more.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn review_release(&self, input: ReviewRelease) -> Written<()> {
        self.require(Right::ReleaseReview)?;
        let own = self.own()?;
        // A program cannot look at anything.
        let account = self.viewer.account().ok_or(Error::NotPermitted)?;
        let role = self.viewer.role().ok_or(Error::NotPermitted)?;
        let mut faults = Faults::default();
        if let Some(note) = &input.note {
            faults.text(note, &["note"], LONGEST);
        }
        faults.refuse()?;
        let write = self.write().await?;
        let row = self.release_at(input.at, &[ReleaseStatus::InReview])?;
        let mut faults = Faults::default();
        let same = row.draft_digest.as_ref() == Some(&input.draft_digest);
        faults.check(same, UserErrorCode::Conflict, &["draftDigest"], OTHER_DRAFT);
        let before = self.release(input.at.id).map(|of| of.reviews.as_slice()).unwrap_or_default();
        let twice = before.iter().any(|of| of.account_id == account);
        faults.check(!twice, UserErrorCode::Duplicate, &["id"], TWICE);
        faults.refuse()?;
        if input.decision == ReviewDecision::Reject {
            write.forget_reviews(input.at.id).await?;
        }
        let review = release_review::ActiveModel {
            organization_id: Set(own),
            release_id: Set(input.at.id),
            account_id: Set(account),
            role: Set(role),
            decision: Set(input.decision),
            note: Set(input.note),
            draft_digest: Set(input.draft_digest),
            recorded_at: Set(self.now),
        };
        review.insert(&write.tx).await?;
        let status = match input.decision {
            ReviewDecision::Reject => ReleaseStatus::Draft,
            ReviewDecision::Approve => {
                let approvals =
                    before.iter().filter(|of| of.decision == ReviewDecision::Approve).map(|of| of.role);
                let roles: Vec<Role> = approvals.chain([role]).collect();
                let is_enough = roles.len() >= 2 && roles.iter().any(|role| is_outside_field(*role));
                if is_enough { ReleaseStatus::Approved } else { ReleaseStatus::InReview }
            }
        };
        // What was rejected has to be prepared again, and is another draft for whoever looks at it then.
        let digest = (input.decision == ReviewDecision::Approve).then(|| row.draft_digest.clone()).flatten();
        let change =
            release::ActiveModel { status: Set(status), draft_digest: Set(digest), ..Default::default() };
        let changed = write.change_release(input.at, change).await?;
        let detail = json!({ "decision": sea_orm::ActiveEnum::to_value(&input.decision) });
        write
            .finish(
                changed,
                Trace { action: "REVIEW", entity: "release", detail },
                input.at,
                input.validate_only,
            )
            .await
    }
}

impl crate::store::write::Write<'_> {
    /// Makes as if nobody had reviewed a release: its draft is another one. The audit keeps what was decided.
    #[expect(clippy::disallowed_methods, reason = "reviews of a release of the viewer's own organisation")]
    pub(super) async fn forget_reviews(&self, release: Uuid) -> Written<()> {
        release_review::Entity::delete_many()
            .filter(release_review::Column::OrganizationId.eq(self.access.own()?))
            .filter(release_review::Column::ReleaseId.eq(release))
            .exec(&self.tx)
            .await?;
        Ok(())
    }
}

/// Whether somebody with this role works apart from the programs whose outcomes are published.
fn is_outside_field(role: Role) -> bool {
    !matches!(role, Role::Field | Role::Coordinator)
}

const OTHER_DRAFT: Message = Message {
    en: "The draft is another one by now. Look at it again.",
    es: "El borrador ya es otro. Revíselo de nuevo.",
};
const TWICE: Message = Message {
    en: "You have reviewed this draft. Somebody else has to be the second.",
    es: "Usted ya revisó este borrador. La segunda revisión es de otra persona.",
};
