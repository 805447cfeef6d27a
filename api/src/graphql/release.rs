//! Releases, their reports for those who review them, and the mutations that take one from its snapshot to its file.

use chrono::Datelike;
use disclosure::{CloseCell as Close, Outcome as Fate, Parameters, VariableReport};
use entity::{release_review, value::ReleaseStatus};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    connection::{Names, from_memory},
    distribution::Period,
    facility::Facility,
    member::ViewerAccount,
    mutation::{Done, Input, Subject},
    node::Node,
    organization::Organization,
    outcome::{self, Share, period},
    query::drawn,
    render::{Need, Object, Writer, Written},
    text::LocalizedText,
};
use crate::{
    auth::rights::role_name,
    error::Error,
    id::{self, Kind},
    sealed::{File, RoundEntry, canonical},
    store::{
        Access,
        keyset::{Direction, page_in_memory},
        outcome as published,
        release::{FreezeRelease, ReleaseReport, RetractRelease, ReviewRelease},
    },
};

pub struct Release<'a>(pub &'a published::Release);
/// A survey, as a file tells of it.
pub struct Round<'a>(pub &'a RoundEntry);
struct Policy<'a>(Option<&'a File>);
struct Review<'a>(&'a release_review::Model);
struct Preparation(i32, i32);
struct Report<'a>(&'a ReleaseReport);
struct OfQuestion<'a>(&'a VariableReport);
struct CloseCell<'a>(&'a Close);
struct Coordinate<'a>(&'a str, &'a str);

const NAMES: Names = Names { connection: "ReleaseConnection", edge: "ReleaseEdge" };

#[derive(Default, Deserialize)]
#[serde(default)]
struct Filter {
    #[serde(deserialize_with = "id::list::<_, {id::ORGANIZATION}>")]
    organization: Option<Vec<Uuid>>,
    status: Option<Vec<ReleaseStatus>>,
    year: Option<i32>,
}

/// `Query.releases`.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let filter: Filter = match node.argument("filter") {
        Ok(filter) => filter.unwrap_or_default(),
        Err(error) => return w.fail(node, error),
    };
    from_memory(
        w,
        node,
        NAMES,
        "",
        |access, window| {
            let rows = access.releases().filter(|of| {
                let row = &of.row;
                filter.organization.as_ref().is_none_or(|ids| ids.contains(&row.organization_id))
                    && filter.status.as_ref().is_none_or(|all| all.contains(&row.status))
                    && filter.year.is_none_or(|year| row.ends_on.year() == year)
            });
            Ok(page_in_memory(rows, Access::release_place, Direction::Descending, window))
        },
        Access::release_place,
        |w, node, row| w.object(node, &Release(row)),
    )
}

/// `Query.release`.
pub fn by_id(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let id = node.required::<String>("id").unwrap_or_default();
    match id::GlobalId::parse(&id) {
        Some(id::GlobalId { kind: Kind::Release, id }) => one(node, w, id),
        Some(_) => w.null(),
        None => w.fail(node, super::not_an_id()),
    }
}

/// A release by its id.
pub fn one(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    let access = w.access;
    drawn(node, w, access.release(id).map(Release))
}

impl Object for Release<'_> {
    fn type_name(&self) -> &str {
        "Release"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let published::Release { row, reviews, published, superseded_by, previous, .. } = self.0;
        let access = w.access;
        let file = published.as_ref().map(|of| &of.sealed.release);
        let sealed = published.as_ref().map(|of| &of.sealed);
        let own = access.viewer.is_staff_of(row.organization_id);
        let other = |id: Option<Uuid>| id.and_then(|id| access.release(id)).map(Release);
        match node.name {
            "id" => w.id(Kind::Release, row.id),
            "organization" => drawn(node, w, access.organization(row.organization_id).map(Organization)),
            "title" => w.object(node, &LocalizedText(&row.title)),
            "period" => w.object(node, &Period(row.starts_on, row.ends_on)),
            "status" => w.word(&row.status),
            "publishedAt" => w.optional_moment(row.published_at),
            "number" => w.optional_int(row.number.map(i64::from)),
            "digest" => w.optional_str(sealed.map(|of| of.digest.as_str())),
            "signature" => w.optional_str(sealed.map(|of| of.signature.as_str())),
            "previous" => drawn(node, w, other(*previous)),
            "corrects" => drawn(node, w, other(row.corrects_id)),
            "supersededBy" => drawn(node, w, other(*superseded_by)),
            "policy" => w.object(node, &Policy(file)),
            "notes" => {
                let notes = file.into_iter().flat_map(|of| &of.notes);
                w.list(node, notes, |w, note| w.object(node, &LocalizedText(note)))
            }
            "rounds" => {
                let rounds = file.into_iter().flat_map(|of| &of.rounds);
                w.list(node, rounds, |w, round| w.object(node, &Round(round)))
            }
            "outcomes" => outcome::list(node, w, Some(row.id)),
            "retractedAt" => w.optional_moment(row.retracted_at),
            // The rest is for the staff of its organisation.
            "reviews" => w.list(node, reviews.iter().filter(|_| own), |w, of| w.object(node, &Review(of))),
            _ if !own => w.null(),
            "version" => w.int(row.version.into()),
            "frozenAt" => w.moment(row.frozen_at),
            "preparation" => {
                let known = (row.to_prepare > 0).then_some(Preparation(row.prepared, row.to_prepare));
                drawn(node, w, known)
            }
            "draftDigest" => w.optional_str(row.draft_digest.as_deref()),
            "report" => report(node, w, row.id),
            "retractionReason" => w.optional_str(row.retraction_reason.as_deref()),
            "discardedAt" => w.optional_moment(row.discarded_at),
            _ => w.absent(node),
        }
    }
}

fn report(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    let fetched = w.fetched;
    match fetched.release_reports.get(&id) {
        Some(Ok(report)) => drawn(node, w, report.as_ref().map(Report)),
        Some(Err(error)) => w.fail(node, error.clone()),
        None => w.need(Need::ReleaseReport(id)),
    }
}

impl Object for Policy<'_> {
    fn type_name(&self) -> &str {
        "ReleasePolicy"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let default = Parameters::default();
        let of =
            |sealed: fn(&crate::sealed::Policy) -> u32, now: u32| self.0.map_or(now, |of| sealed(&of.policy));
        let number = match node.name {
            "threshold" => of(|of| of.threshold, default.threshold),
            "countWidth" => of(|of| of.count_width, default.count_width),
            "answerWidth" => of(|of| of.answer_width, default.answer_width),
            "meanThreshold" => of(|of| of.mean_threshold, default.mean_threshold),
            "leastDifference" => of(|of| of.least_difference, default.least_difference),
            "coalition" => of(|of| of.coalition, default.coalition),
            "delayDays" => of(|of| of.delay_days, default.delay_days),
            _ => return w.absent(node),
        };
        w.int(number.into())
    }
}

impl Object for Round<'_> {
    fn type_name(&self) -> &str {
        "ReleasedRound"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let access = w.access;
        match node.name {
            "code" => w.str(&self.0.code),
            "title" => w.object(node, &LocalizedText(&self.0.title)),
            "fieldWork" => w.object(node, &period(self.0.field_work)),
            "mode" => w.word(&self.0.mode),
            "facilities" => {
                let seen = self.0.facilities.iter().filter_map(|slug| access.facility_by_slug(slug));
                w.list(node, seen, |w, entry| w.object(node, &Facility(entry)))
            }
            "responseRate" => {
                let rate = self.0.response_rate.as_ref();
                let share =
                    rate.map(|of| Share { base: of.base, low: of.low_percent, high: of.high_percent });
                drawn(node, w, share)
            }
            _ => w.absent(node),
        }
    }
}

impl Object for Preparation {
    fn type_name(&self) -> &str {
        "ReleasePreparation"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "done" => w.int(self.0.into()),
            "of" => w.int(self.1.into()),
            _ => w.absent(node),
        }
    }
}

impl Object for Review<'_> {
    fn type_name(&self) -> &str {
        "ReleaseReview"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "reviewer" => {
                drawn(node, w, w.access.catalog.accounts.get(&self.0.account_id).map(ViewerAccount))
            }
            "role" => w.str(role_name(self.0.role)),
            "decision" => w.word(&self.0.decision),
            "note" => w.optional_str(self.0.note.as_deref()),
            "recordedAt" => w.moment(self.0.recorded_at),
            _ => w.absent(node),
        }
    }
}

impl Object for Report<'_> {
    fn type_name(&self) -> &str {
        "ReleaseReport"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let ReleaseReport { report, draft, .. } = self.0;
        match node.name {
            "questions" => w.list(node, &report.variables, |w, of| w.object(node, &OfQuestion(of))),
            "closest" => w.list(node, &report.closest, |w, of| w.object(node, &CloseCell(of))),
            "draft" => match draft.as_ref().map(canonical) {
                Some(Ok(bytes)) => w.str(&String::from_utf8_lossy(&bytes)),
                Some(Err(error)) => w.fail(node, error),
                None => w.null(),
            },
            _ => w.absent(node),
        }
    }
}

impl Object for OfQuestion<'_> {
    fn type_name(&self) -> &str {
        "QuestionReport"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let of = self.0;
        let (outcome, without) = match &of.outcome {
            Fate::Whole => ("WHOLE", [].as_slice()),
            Fate::Without(dimensions) => ("WITHOUT", dimensions.as_slice()),
            Fate::Dropped => ("DROPPED", [].as_slice()),
        };
        match node.name {
            "indicator" => w.str(&of.variable.0),
            "outcome" => w.str(outcome),
            "without" => w.list(node, without, |w, dimension| w.str(&dimension.0)),
            "fresh" => w.int(of.fresh as i64),
            "carried" => w.int(of.carried as i64),
            "hidden" => w.int(of.hidden as i64),
            "audited" => w.int(of.audited as i64),
            "safeAlone" => w.int(of.safe_alone as i64),
            _ => w.absent(node),
        }
    }
}

impl Object for CloseCell<'_> {
    fn type_name(&self) -> &str {
        "CloseCell"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "indicator" => w.str(&self.0.variable.0),
            "at" => w.list(node, &self.0.coordinates, |w, (dimension, category)| {
                w.object(node, &Coordinate(&dimension.0, &category.0))
            }),
            "women" => w.int(self.0.women as i64),
            "atTheEdge" => w.int(self.0.at_the_edge as i64),
            _ => w.absent(node),
        }
    }
}

impl Object for Coordinate<'_> {
    fn type_name(&self) -> &str {
        "CellCoordinate"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "dimension" => w.str(self.0),
            "category" => w.str(self.1),
            _ => w.absent(node),
        }
    }
}

/// The mutations of releases.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "freezeRelease" => {
            let mut freeze: FreezeRelease = input.read()?;
            freeze.once = input.once(name)?;
            return Ok(access.freeze_release(freeze).await?.map(Subject::Release));
        }
        "prepareRelease" => access.begin_to_prepare(input.at("id")?).await?,
        "reviewRelease" => {
            let mut review: ReviewRelease = input.read()?;
            review.at = input.at("id")?;
            access.review_release(review).await?;
        }
        "publishRelease" => access.publish_release(input.at("id")?, input.validate_only()).await?,
        "retractRelease" => {
            let mut retract: RetractRelease = input.read()?;
            retract.at = input.at("id")?;
            access.retract_release(retract).await?;
        }
        "discardRelease" => access.discard_release(input.at("id")?, input.validate_only()).await?,
        _ => return Err(Error::Internal(format!("no mutation {name}")).into()),
    }
    Ok(input.subject())
}
