//! The register of what women ask about their data, for stewards; who else works at it only writes.

use entity::rights_request::Model;
use uuid::Uuid;

use super::{
    connection::{Connection, Names, counted, cursors, selected, window},
    mutation::{Done, Input, Subject},
    node::Node,
    participant,
    render::{Need, Object, Writer, Written},
};
use crate::{
    auth::Right,
    error::{Error, Result},
    id::Kind,
    store::{
        Access,
        rights_request::{AnswerRightsRequest, Asked, FulfilRightsRequest, RecordRightsRequest},
    },
};

const NAMES: Names = Names { connection: "RightsRequestConnection", edge: "RightsRequestEdge" };

struct RightsRequest<'a>(&'a Model);

/// `Query.rightsRequests`.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let fetched = w.fetched;
    match fetched.rights_requests.get(&(node.number, Uuid::nil())) {
        Some(Ok(page)) => {
            let connection = Connection {
                names: NAMES,
                page,
                cursors: cursors(w.access, node, NAMES.connection, ""),
                draw: |w: &mut Writer<'_>, node: &Node<'_>, row: &Model| w.object(node, &RightsRequest(row)),
                place: Access::rights_request_place,
            };
            w.object(node, &connection)
        }
        Some(Err(error)) => w.fail(node, error.clone()),
        None => match asked(node, w.access) {
            Ok(asked) => w.need(Need::RightsRequests(node.number, Uuid::nil(), Box::new(asked))),
            Err(error) => w.fail(node, error),
        },
    }
}

fn asked(node: &Node<'_>, access: &Access) -> Result<Asked> {
    Ok(Asked::Page {
        filter: node.argument("filter")?.unwrap_or_default(),
        window: window(node, &cursors(access, node, NAMES.connection, ""))?,
        fields: selected(node, NAMES, "RightsRequest"),
        with_total: counted(node, NAMES),
    })
}

/// A request by its id; null for who may not see the register.
pub fn one(node: &Node<'_>, w: &mut Writer<'_>, id: Uuid) -> Written {
    if !w.access.viewer.has(Right::RightsRequestAnswer) {
        return w.null();
    }
    let fetched = w.fetched;
    match fetched.rights_requests.get(&(node.number, id)) {
        Some(Ok(page)) => match page.rows.first() {
            Some(row) => w.object(node, &RightsRequest(row)),
            None => w.null(),
        },
        Some(Err(error)) => w.fail(node, error.clone()),
        None => {
            let fields = node.fields("RightsRequest").iter().map(|field| field.name.to_owned()).collect();
            w.need(Need::RightsRequests(node.number, id, Box::new(Asked::One(id, fields))))
        }
    }
}

impl Object for RightsRequest<'_> {
    fn type_name(&self) -> &str {
        "RightsRequest"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = self.0;
        match node.name {
            "id" => w.id(Kind::RightsRequest, row.id),
            "version" => w.int(row.version.into()),
            "participant" => participant::one(node, w, row.participant_id),
            "kind" => w.word(&row.kind),
            "purpose" => match &row.purpose {
                Some(purpose) => w.word(purpose),
                None => w.null(),
            },
            "channel" => w.word(&row.channel),
            "receivedOn" => w.date(row.received_on),
            "country" => w.str(&row.country),
            "answerBy" => w.date(row.answer_by),
            "extendedAt" => w.optional_moment(row.extended_at),
            "isOverdue" => w.bool(w.access.is_overdue(row)),
            "status" => w.word(&row.status),
            "ground" => match &row.ground {
                Some(ground) => w.word(ground),
                None => w.null(),
            },
            "answeredOn" => w.optional_date(row.answered_on),
            "fulfilBy" => w.optional_date(row.fulfil_by),
            "fulfilledOn" => w.optional_date(row.fulfilled_on),
            "recordedAt" => w.moment(row.recorded_at),
            _ => w.absent(node),
        }
    }
}

/// The mutations of the register.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "recordRightsRequest" => {
            let mut record: RecordRightsRequest = input.read()?;
            record.once = input.once(name)?;
            return Ok(access.record_rights_request(record).await?.map(Subject::RightsRequest));
        }
        "extendRightsRequest" => {
            access.extend_rights_request(input.at("id")?, input.validate_only()).await?;
        }
        "answerRightsRequest" => {
            let mut answer: AnswerRightsRequest = input.read()?;
            answer.at = input.at("id")?;
            access.answer_rights_request(answer).await?;
        }
        "fulfilRightsRequest" => {
            let mut fulfil: FulfilRightsRequest = input.read()?;
            fulfil.at = input.at("id")?;
            access.fulfil_rights_request(fulfil).await?;
        }
        _ => return Err(Error::Internal(format!("no mutation {name}")).into()),
    }
    Ok(input.subject())
}
