//! The fields of `Query`, and who is asking.

use entity::value::AccountKind;

use super::{
    agreement::{self, Agreement},
    audit,
    award::{self, Award, Gift},
    changes, distribution, duplicate,
    facility::{self, Facility},
    gift, impact, indicator,
    item::{self, Item},
    kit::{self, Kit},
    member::{self, User, ViewerAccount},
    node::Node,
    organization::{self, Claim, Organization, Statement},
    outcome, participant, participant_merge,
    program::{self, Program},
    release,
    render::{Object, Writer, Written},
    retention, rights_request, safeguarding,
    stock::{self, AdequacyNorm, FacilityPopulation, ItemPermission, StockPlace},
    survey, work,
};
use crate::{
    auth::{Right, rights},
    error::{Error, Result},
    id::{GlobalId, Kind},
};

/// The root of all queries.
pub struct Query;

impl Object for Query {
    fn type_name(&self) -> &str {
        "Query"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let access = w.access;
        match node.name {
            "node" => match node.required::<String>("id") {
                Ok(id) => by_id(node, w, &id),
                Err(error) => w.fail(node, error),
            },
            "nodes" => match ids(node) {
                Ok(ids) => w.list(node, &ids, |w, id| by_id(node, w, id)),
                Err(error) => w.fail(node, error),
            },
            "viewer" => w.object(node, &Viewer),
            "organization" => {
                let slug = node.required::<String>("slug").unwrap_or_default();
                let entry = access.organization_by_slug(&slug).map(Organization);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            "organizations" => organization::list(node, w),
            "facility" => {
                let slug = node.required::<String>("slug").unwrap_or_default();
                let entry = access.facility_by_slug(&slug).map(Facility);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            "facilities" => facility::list(node, w),
            "program" => {
                let organization = node.required::<String>("organization").unwrap_or_default();
                let slug = node.required::<String>("slug").unwrap_or_default();
                let entry = access.program_by_slug(&organization, &slug).map(Program);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            "programs" => program::list(node, w),
            "items" => item::list(node, w),
            "kits" => kit::list(node, w),
            "agreements" => agreement::list(node, w),
            "users" => member::users(node, w, AccountKind::Person),
            "serviceAccounts" => member::users(node, w, AccountKind::Service),
            "invitations" => member::invitations(node, w),
            "awards" => award::list(node, w),
            "gifts" => award::gifts(node, w),
            "distribution" => distribution::by_id(node, w),
            "distributions" => distribution::list(node, w, None),
            "distributionStats" => distribution::stats(node, w),
            "changes" => changes::list(node, w),
            "likelyDuplicates" => duplicate::list(node, w),
            "auditEvents" => audit::list(node, w),
            "auditHead" => audit::head(node, w),
            "rightsRequests" => rights_request::list(node, w),
            "retentionRules" => retention::list(node, w),
            "safeguardingNotes" => safeguarding::list(node, w),
            "stockOnHand" | "stockCover" | "stockMovements" | "lots" | "stockPlaces" => stock::query(node, w),
            "participants" => participant::list(node, w),
            "participant" => participant::by_id(node, w),
            "brokenGlass" => participant::broken_glass(node, w),
            "participantMerges" => participant_merge::list(node, w),
            "workshops" | "sessions" | "enrolments" | "attendance" | "skills" | "products"
            | "productionBatches" | "sales" | "legalMatters" | "payoutPolicies" | "payoutRuns"
            | "payoutRun" | "payouts" | "savingsWithdrawals" | "savings" => work::query(node, w),
            "instruments" | "surveyRounds" | "surveyResponses" => survey::query(node, w),
            "indicators" => indicator::list(node, w),
            "release" => release::by_id(node, w),
            "releases" => release::list(node, w),
            "outcomes" => outcome::list(node, w, None),
            "impact" => impact::impact(node, w),
            "annualReport" => impact::annual_report(node, w),
            "warehouseBalances" | "giftReceipts" | "bulkDispatches" | "giftTrace" => gift::query(node, w),
            _ => w.absent(node),
        }
    }
}

fn ids(node: &Node<'_>) -> Result<Vec<String>> {
    let ids: Vec<String> = node.required("ids")?;
    if ids.len() > 100 {
        return Err(Error::invalid("Ask for at most 100 ids."));
    }
    Ok(ids)
}

/// The object with a global id, of any type, under the same scope as every other way to it.
pub(super) fn by_id(node: &Node<'_>, w: &mut Writer<'_>, id: &str) -> Written {
    let Some(GlobalId { kind, id }) = GlobalId::parse(id) else { return w.fail(node, super::not_an_id()) };
    let access = w.access;
    match kind {
        Kind::Organization => drawn(node, w, access.organization(id).map(Organization)),
        Kind::Statement => drawn(node, w, access.statement(id).map(Statement)),
        Kind::Claim => drawn(node, w, access.claim(id).map(Claim)),
        Kind::Facility => drawn(node, w, access.facility(id).map(Facility)),
        Kind::Program => drawn(node, w, access.program(id).map(Program)),
        Kind::Item => drawn(node, w, access.item(id).map(Item)),
        Kind::Kit => drawn(node, w, access.kit(id).map(Kit)),
        Kind::Agreement => drawn(node, w, access.agreement(id).map(Agreement)),
        Kind::Award => drawn(node, w, access.award(id).map(Award)),
        Kind::Gift => drawn(node, w, access.gift(id).map(Gift)),
        Kind::Distribution if access.viewer.has(Right::DistributionRead) => distribution::one(node, w, id),
        Kind::Distribution => w.null(),
        Kind::StockPlace => drawn(node, w, access.stock_place(id).map(StockPlace)),
        Kind::AdequacyNorm => drawn(node, w, access.adequacy_norm(id).map(AdequacyNorm)),
        Kind::FacilityPopulation => drawn(node, w, access.facility_population(id).map(FacilityPopulation)),
        Kind::ItemPermission => drawn(node, w, access.item_permission(id).map(ItemPermission)),
        Kind::StockLot | Kind::StockMovement if !access.viewer.has(Right::StockRead) => w.null(),
        Kind::StockLot => stock::lot(node, w, id),
        Kind::User => drawn(node, w, access.user(id).map(User)),
        // These are no objects that can be looked up alone.
        Kind::Membership | Kind::ServiceKey | Kind::Invitation => w.null(),
        Kind::StockMovement => stock::movement(node, w, id),
        Kind::Participant if access.viewer.has(Right::ParticipantRead) => participant::one(node, w, id),
        Kind::Workshop
        | Kind::Session
        | Kind::Enrolment
        | Kind::Attendance
        | Kind::Skill
        | Kind::Product
        | Kind::ProductionBatch
        | Kind::Sale
        | Kind::PayoutPolicy
        | Kind::PayoutRun
        | Kind::Payout
        | Kind::SavingsWithdrawal
        | Kind::LegalMatter => work::one(node, w, kind, id),
        Kind::Participant
        | Kind::CustodyStay
        | Kind::Maternity
        | Kind::Consent
        | Kind::BreakGlass
        | Kind::ParticipantMerge => w.null(),
        // Lists alone give these out, and leave a trace of it.
        Kind::AuditEvent | Kind::AuditActor | Kind::AuditObject | Kind::SafeguardingNote => w.null(),
        Kind::RightsRequest => rights_request::one(node, w, id),
        Kind::Indicator => indicator::one(node, w, id),
        Kind::Release => release::one(node, w, id),
        Kind::Outcome => outcome::one(node, w, id),
        Kind::Instrument | Kind::SurveyRound | Kind::SurveyResponse => survey::one(node, w, kind, id),
    }
}

pub(super) fn drawn(node: &Node<'_>, w: &mut Writer<'_>, object: Option<impl Object>) -> Written {
    match object {
        Some(object) => w.object(node, &object),
        None => w.null(),
    }
}

struct Viewer;

impl Object for Viewer {
    fn type_name(&self) -> &str {
        "Viewer"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let access = w.access;
        let viewer = &access.viewer;
        match node.name {
            "audience" => w.str(viewer.audience().name()),
            "role" => w.optional_str(viewer.role().map(rights::role_name)),
            "organization" => {
                drawn(node, w, viewer.organization().and_then(|id| access.organization(id)).map(Organization))
            }
            "account" => {
                let account = viewer.account().and_then(|id| access.catalog.accounts.get(&id));
                drawn(node, w, account.map(ViewerAccount))
            }
            "facilities" => match viewer.facilities() {
                None => w.null(),
                Some(cut) => {
                    let mut cut: Vec<_> = cut.iter().filter_map(|id| access.facility(*id)).collect();
                    cut.sort_by(|a, b| a.row.slug.cmp(&b.row.slug));
                    w.list(node, cut, |w, entry| w.object(node, &Facility(entry)))
                }
            },
            "rights" => {
                let rights = Right::ALL.into_iter().filter(|right| viewer.has(*right));
                w.list(node, rights, |w, right| w.str(right.name()))
            }
            "costLimit" => w.int(w.cost_limit as i64),
            _ => w.absent(node),
        }
    }
}
