//! Workshops, sessions, enrolments, attendance, skills, production, sales and legal matters as objects.

use entity::{
    attendance, enrolment, enrolment_step, legal_matter, product, production_batch, production_maker, sale,
    session, skill, workshop,
};
use sea_orm::ActiveEnum;
use uuid::Uuid;

use super::{attendance as attendance_of, below, one, optional, payout};
use crate::{
    graphql::{
        award::Money,
        facility::Facility,
        node::Node,
        participant,
        program::Program,
        render::{Object, Writer, Written},
        text::LocalizedText,
    },
    id::Kind,
    store::work::read::{Parent, Row},
};

/// A row of any of the kinds.
pub struct Drawn<'a>(pub &'a Row);

impl Object for Drawn<'_> {
    fn type_name(&self) -> &str {
        match self.0 {
            Row::Workshop(_) => "Workshop",
            Row::Session(_) => "Session",
            Row::Enrolment(..) => "Enrolment",
            Row::Attendance(..) => "Attendance",
            Row::Skill(..) => "Skill",
            Row::Product(_) => "Product",
            Row::Batch(..) => "ProductionBatch",
            Row::Sale(_) => "Sale",
            Row::Policy(_) => "PayoutPolicy",
            Row::Run(_) => "PayoutRun",
            Row::Payout(_) => "Payout",
            Row::Withdrawal(..) => "SavingsWithdrawal",
            Row::Matter(..) => "LegalMatter",
        }
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match self.0 {
            Row::Workshop(row) => workshop(row, node, w),
            Row::Session(row) => session(row, node, w),
            Row::Enrolment(row, steps, code) => enrolment(row, steps, code, node, w),
            Row::Attendance(row, code) => attendance(row, code, node, w),
            Row::Skill(row, code) => skill(row, code, node, w),
            Row::Product(row) => product(row, node, w),
            Row::Batch(row, makers) => batch(row, makers, node, w),
            Row::Sale(row) => sale(row, node, w),
            Row::Policy(policy) => payout::policy(policy, node, w),
            Row::Run(run) => payout::run(run, node, w),
            Row::Payout(one) => payout::payout(one, node, w),
            Row::Withdrawal(row, code) => payout::withdrawal(row, code, node, w),
            Row::Matter(row, code) => matter(row, code, node, w),
        }
    }
}

pub(super) fn program(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    let access = w.access;
    let program = access.program(id).map(Program);
    w.optional(node, program.as_ref().map(|program| program as &dyn Object))
}

/// Also of a facility that is no longer the viewer's.
fn facility(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    let facility = w.access.catalog.facilities.get(id).map(Facility);
    w.optional(node, facility.as_ref().map(|facility| facility as &dyn Object))
}

pub(super) fn word<T: ActiveEnum<Value = String>>(w: &mut Writer<'_>, value: Option<&T>) -> Written {
    match value {
        Some(value) => w.word(value),
        None => w.null(),
    }
}

fn workshop(row: &workshop::Model, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    match node.name {
        "id" => w.id(Kind::Workshop, row.id),
        "program" => program(node, w, row.program_id),
        "facility" => facility(node, w, row.facility_id),
        "title" => w.object(node, &LocalizedText(&row.title)),
        "technique" => w.optional_str(row.technique.as_deref()),
        "level" => word(w, row.level.as_ref()),
        "hours" => w.optional_int(row.hours.map(Into::into)),
        "capacity" => w.optional_int(row.capacity.map(Into::into)),
        "startsOn" => w.date(row.starts_on),
        "endsOn" => w.optional_date(row.ends_on),
        "cancelled" => w.bool(row.cancelled_at.is_some()),
        "sessions" | "enrolments" => below(node, w, Parent::Workshop, row.id),
        "version" => w.int(row.version.into()),
        "recordedAt" => w.moment(row.recorded_at),
        _ => w.absent(node),
    }
}

fn session(row: &session::Model, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    match node.name {
        "id" => w.id(Kind::Session, row.id),
        "program" => program(node, w, row.program_id),
        "workshop" => optional(node, w, Kind::Workshop, row.workshop_id),
        "facility" => facility(node, w, row.facility_id),
        "startsAt" => w.moment(row.starts_at),
        "minutes" => w.int(row.minutes.into()),
        "status" => w.word(&row.status),
        "provider" => w.optional_str(row.provider.as_deref()),
        "attended" => w.optional_int(row.attended.map(Into::into)),
        "attendance" => attendance_of(node, w, row.id),
        "version" => w.int(row.version.into()),
        "recordedAt" => w.moment(row.recorded_at),
        _ => w.absent(node),
    }
}

fn enrolment(
    row: &enrolment::Model,
    steps: &[enrolment_step::Model],
    code: &str,
    node: &Node<'_>,
    w: &mut Writer<'_>,
) -> Written {
    match node.name {
        "id" => w.id(Kind::Enrolment, row.id),
        "participant" => participant::one(node, w, row.participant_id),
        "participantCode" => w.str(code),
        "program" => program(node, w, row.program_id),
        "workshop" => optional(node, w, Kind::Workshop, row.workshop_id),
        "status" => w.word(&row.status),
        "startsOn" => w.date(row.starts_on),
        "since" => w.date(row.since),
        "steps" => w.list(node, steps, |w, step| w.object(node, &EnrolmentStep(step))),
        "version" => w.int(row.version.into()),
        "recordedAt" => w.moment(row.recorded_at),
        _ => w.absent(node),
    }
}

struct EnrolmentStep<'a>(&'a enrolment_step::Model);

impl Object for EnrolmentStep<'_> {
    fn type_name(&self) -> &str {
        "EnrolmentStep"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "status" => w.word(&self.0.status),
            "since" => w.date(self.0.since),
            "recordedAt" => w.moment(self.0.recorded_at),
            _ => w.absent(node),
        }
    }
}

fn attendance(row: &attendance::Model, code: &str, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    match node.name {
        "id" => w.id(Kind::Attendance, row.id),
        "participant" => participant::one(node, w, row.participant_id),
        "participantCode" => w.str(code),
        "session" => one(node, w, Kind::Session, row.session_id),
        "mark" => w.word(&row.mark),
        "reason" => word(w, row.reason.as_ref()),
        "minutes" => w.optional_int(row.minutes.map(Into::into)),
        "formNumber" => w.optional_str(row.form_number.as_deref()),
        "version" => w.int(row.version.into()),
        "recordedAt" => w.moment(row.recorded_at),
        _ => w.absent(node),
    }
}

fn skill(row: &skill::Model, code: &str, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    match node.name {
        "id" => w.id(Kind::Skill, row.id),
        "participant" => participant::one(node, w, row.participant_id),
        "participantCode" => w.str(code),
        "technique" => w.str(&row.technique),
        "level" => w.word(&row.level),
        "attestedOn" => w.date(row.attested_on),
        "recordedAt" => w.moment(row.recorded_at),
        _ => w.absent(node),
    }
}

fn product(row: &product::Model, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    match node.name {
        "id" => w.id(Kind::Product, row.id),
        "code" => w.str(&row.code),
        "name" => w.object(node, &LocalizedText(&row.name)),
        "version" => w.int(row.version.into()),
        "recordedAt" => w.moment(row.recorded_at),
        _ => w.absent(node),
    }
}

fn batch(
    row: &production_batch::Model,
    makers: &[(production_maker::Model, String)],
    node: &Node<'_>,
    w: &mut Writer<'_>,
) -> Written {
    match node.name {
        "id" => w.id(Kind::ProductionBatch, row.id),
        "product" => one(node, w, Kind::Product, row.product_id),
        "program" => program(node, w, row.program_id),
        "facility" => facility(node, w, row.facility_id),
        "madeOn" => w.date(row.made_on),
        "quantity" => w.int(row.quantity.into()),
        "rejected" => w.int(row.rejected.into()),
        "makers" => w.list(node, makers, |w, (maker, code)| w.object(node, &Maker(maker, code))),
        "recordedAt" => w.moment(row.recorded_at),
        _ => w.absent(node),
    }
}

struct Maker<'a>(&'a production_maker::Model, &'a str);

impl Object for Maker<'_> {
    fn type_name(&self) -> &str {
        "ProductionMaker"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "participant" => participant::one(node, w, self.0.participant_id),
            "participantCode" => w.str(self.1),
            "parts" => w.int(self.0.parts.into()),
            _ => w.absent(node),
        }
    }
}

fn sale(row: &sale::Model, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    match node.name {
        "id" => w.id(Kind::Sale, row.id),
        "program" => program(node, w, row.program_id),
        "product" => one(node, w, Kind::Product, row.product_id),
        "batch" => optional(node, w, Kind::ProductionBatch, row.batch_id),
        "channel" => w.word(&row.channel),
        "soldOn" => w.date(row.sold_on),
        "quantity" => w.int(row.quantity.into()),
        "gross" => w.object(node, &Money { minor: row.gross_minor, currency: &row.currency }),
        "reverses" => optional(node, w, Kind::Sale, row.reverses_id),
        "run" => optional(node, w, Kind::PayoutRun, row.payout_run_id),
        "recordedAt" => w.moment(row.recorded_at),
        _ => w.absent(node),
    }
}

fn matter(row: &legal_matter::Model, code: &str, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    match node.name {
        "id" => w.id(Kind::LegalMatter, row.id),
        "participant" => participant::one(node, w, row.participant_id),
        "participantCode" => w.str(code),
        "openedOn" => w.date(row.opened_on),
        "stage" => w.word(&row.stage),
        "outcome" => w.word(&row.outcome),
        "version" => w.int(row.version.into()),
        "recordedAt" => w.moment(row.recorded_at),
        _ => w.absent(node),
    }
}
