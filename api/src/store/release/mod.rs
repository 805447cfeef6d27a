//! Releases of outcomes: frozen, prepared, reviewed by two people, sealed, published; corrected by another release, or
//! retracted (DISCLOSURE 3.3).
//!
//! ```text
//! freeze   one transaction reads who took part and what was said, and keeps it under numbers in place of women
//! prepare  `disclosure` makes intervals of it and looks for what they would tell, with all releases before
//! review   two people look at the draft and at what is close to a limit, one of them not of the field team
//! publish  the draft is sealed; its bytes are what everybody reads from then on
//! ```
//! Snapshots, records and reports are ciphertext under a key of the organisation. Only [`super::outcome`] is read by
//! others than staff, and it knows nothing of them.

mod data;
mod draft;
mod freeze;
mod gather;
mod measure;
mod period;
mod prepare;
mod publish;
mod report;
mod review;
mod units;

pub use freeze::{FreezeRelease, PartnerKnows};
pub use period::Quarter;
pub use publish::RetractRelease;
pub use report::{Found as FoundReport, ReleaseReport};
pub use review::ReviewRelease;

use entity::release;
use entity::value::ReleaseStatus;

use super::{
    Access,
    input::{At, Message, UserError, UserErrorCode, Written},
    outcome,
};

impl Access {
    /// A release of the viewer's organisation at a version, in one of these states.
    fn release_at(&self, at: At, states: &[ReleaseStatus]) -> Written<&release::Model> {
        let own = self.own()?;
        let row = self.release(at.id).map(|of: &outcome::Release| &of.row);
        let row = row.filter(|row| row.organization_id == own);
        let row = row.ok_or_else(|| UserError::not_found(&["id"]))?;
        at.check("id", row.version, row.discarded_at)?;
        if !states.contains(&row.status) {
            return Err(UserError::new(UserErrorCode::Invalid, &["id"], NOT_NOW).into());
        }
        Ok(row)
    }
}

const NOT_NOW: Message = Message {
    en: "The release is not in a state for this: it is frozen, prepared, reviewed and published in this order.",
    es: "La publicación no está en un estado que lo permita: se congela, se prepara, se revisa y se publica en este orden.",
};
