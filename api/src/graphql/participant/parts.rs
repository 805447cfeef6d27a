//! What hangs on a woman's record.

use entity::{consent, custody_stay, dependant, maternity};
use serde_json::Value;

use crate::{
    error::Result,
    graphql::{
        audit::actor,
        facility::Facility,
        node::Node,
        render::{Object, Writer, Written},
    },
    id::Kind,
    store::participant::{self, break_glass::Taken},
};

pub(super) struct Identity<'a>(pub &'a participant::Identity);
pub(super) struct IdentityDocument<'a>(pub &'a participant::Document);
pub(super) struct CustodyStay<'a>(pub &'a custody_stay::Model);
pub(super) struct Dependant<'a>(pub &'a dependant::Model);
pub(super) struct Maternity<'a>(pub &'a maternity::Model);
pub(super) struct Consent<'a>(pub &'a consent::Model);
pub(super) struct RecordUse<'a>(pub &'a participant::RecordUse);
pub(super) struct BrokenGlass<'a>(pub &'a Taken);

impl Object for Identity<'_> {
    fn type_name(&self) -> &str {
        "Identity"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let part = |w: &mut Writer<'_>, text: &Option<Result<String>>| match text {
            Some(Ok(text)) => w.str(text),
            Some(Err(error)) => w.fail(node, error.clone()),
            None => w.null(),
        };
        match node.name {
            "givenNames" => part(w, &self.0.given_names),
            "familyNames" => part(w, &self.0.family_names),
            "notes" => part(w, &self.0.notes),
            "birthDate" => match &self.0.birth_date {
                Some(Ok(day)) => w.date(*day),
                Some(Err(error)) => w.fail(node, error.clone()),
                None => w.null(),
            },
            "documents" => match &self.0.documents {
                Some(Ok(documents)) => {
                    w.list(node, documents, |w, one| w.object(node, &IdentityDocument(one)))
                }
                Some(Err(error)) => w.fail(node, error.clone()),
                None => w.list(node, std::iter::empty::<()>(), |_, ()| Ok(())),
            },
            _ => w.absent(node),
        }
    }
}

impl Object for IdentityDocument<'_> {
    fn type_name(&self) -> &str {
        "IdentityDocument"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "kind" => w.str(&self.0.kind),
            "number" => w.str(&self.0.number),
            _ => w.absent(node),
        }
    }
}

impl Object for CustodyStay<'_> {
    fn type_name(&self) -> &str {
        "CustodyStay"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = self.0;
        match node.name {
            "id" => w.id(Kind::CustodyStay, row.id),
            "version" => w.int(row.version.into()),
            "facility" => match w.access.catalog.facilities.get(row.facility_id) {
                Some(entry) => w.object(node, &Facility(entry)),
                None => w.absent(node),
            },
            "startsOn" => w.date(row.starts_on),
            "endsOn" => w.optional_date(row.ends_on),
            "ending" => match &row.ending {
                Some(ending) => w.word(ending),
                None => w.null(),
            },
            _ => w.absent(node),
        }
    }
}

impl Object for Dependant<'_> {
    fn type_name(&self) -> &str {
        "Dependant"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "relation" => w.word(&self.0.relation),
            "ageBand" => w.word(&self.0.age_band),
            _ => w.absent(node),
        }
    }
}

impl Object for Maternity<'_> {
    fn type_name(&self) -> &str {
        "Maternity"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = self.0;
        match node.name {
            "id" => w.id(Kind::Maternity, row.id),
            "version" => w.int(row.version.into()),
            "state" => w.word(&row.state),
            "startsOn" => w.date(row.starts_on),
            "endsOn" => w.optional_date(row.ends_on),
            _ => w.absent(node),
        }
    }
}

impl Object for Consent<'_> {
    fn type_name(&self) -> &str {
        "Consent"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = self.0;
        match node.name {
            "id" => w.id(Kind::Consent, row.id),
            "purpose" => w.word(&row.purpose),
            "decision" => w.word(&row.decision),
            "noticeVersion" => w.str(&row.notice_version),
            "language" => w.str(&row.language),
            "method" => w.word(&row.method),
            "decidedOn" => w.date(row.decided_on),
            "recordedAt" => w.moment(row.recorded_at),
            _ => w.absent(node),
        }
    }
}

impl Object for RecordUse<'_> {
    fn type_name(&self) -> &str {
        "RecordUse"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = self.0;
        match node.name {
            "recordedAt" => w.moment(row.recorded_at),
            "account" => actor(node, w, row.account_id),
            "role" => w.str(&row.role),
            "action" => w.str(&row.action),
            "entity" => w.str(&row.entity),
            "purpose" => w.optional_str(row.purpose.as_deref()),
            "fields" => {
                let fields = row.fields.as_ref().and_then(Value::as_array).into_iter().flatten();
                w.list(node, fields.filter_map(Value::as_str), |w, field| w.str(field))
            }
            _ => w.absent(node),
        }
    }
}

impl Object for BrokenGlass<'_> {
    fn type_name(&self) -> &str {
        "BrokenGlass"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let Taken { row, code, reason } = self.0;
        match node.name {
            "id" => w.id(Kind::BreakGlass, row.id),
            "participantCode" => w.str(code),
            "reason" => match reason {
                Some(Ok(reason)) => w.str(reason),
                Some(Err(error)) => w.fail(node, error.clone()),
                None => w.null(),
            },
            "takenAt" => w.moment(row.recorded_at),
            "endsAt" => w.moment(row.ends_at),
            "seenAt" => w.optional_moment(row.seen_at),
            _ => w.absent(node),
        }
    }
}
