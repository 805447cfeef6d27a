//! Work that devices send which were without a network: each row is what one of the mutations takes, and its key is the
//! device's id. Nothing is done here that the mutation by itself would not do.

use uuid::Uuid;

use super::mutate::make;
use crate::{
    error::{Error, Result},
    graphql::{
        mutation::{Input, UserErrorObject},
        node::Node,
        render::{Object, Writer, Written},
    },
    id::Kind,
    store::{
        Access,
        input::{Message, Refused, UserError, UserErrorCode},
        sync::Outcome,
    },
};

/// What became of a row.
pub struct Answer {
    key: String,
    outcome: Outcome,
    /// What it made, when there is something.
    made: Option<(Kind, Uuid)>,
    errors: Vec<UserError>,
}

/// Runs the rows one by one, each under the device's key, whoever sends it. The viewer has the reference tables of the last one then.
///
/// # Errors
/// `Invalid` for a row that holds none or several; when the database is lost half-way there is no answer at all: what was
/// written is then answered as repeated.
pub async fn sync(access: &mut Access, input: &Input) -> Result<Vec<Answer>> {
    let rows = input.members("A row holds one of its members.")?;
    let mut answers = Vec::with_capacity(rows.len());
    for (place, (name, row)) in rows.into_iter().enumerate() {
        let once = row.once(&name)?;
        let before = access.made_with(&once).await?;
        let mut done = make(access, &name, &row).await;
        if let Err(Refused::Outdated(outdated)) = done {
            let again = access.again(outdated).await?;
            done = make(&again, &name, &row).await;
            *access = again.released();
        }
        let answer = |outcome, made, errors| Answer { key: once.key.clone(), outcome, made, errors };
        answers.push(match done {
            Ok(Some((kind, made))) => {
                let outcome = if before.is_some() { Outcome::Repeated } else { Outcome::Created };
                answer(outcome, made.map(|id| (kind, id)), Vec::new())
            }
            Ok(None) => return Err(Error::Internal(format!("no mutation {name}"))),
            Err(Refused::User(mut errors)) => {
                let other = errors.iter().any(|error| error.field == ["idempotencyKey"]) && before.is_some();
                for error in &mut errors {
                    error.field.splice(0..0, ["rows".to_owned(), place.to_string(), name.clone()]);
                }
                answer(if other { Outcome::Conflict } else { Outcome::Refused }, None, errors)
            }
            Err(Refused::Fault(Error::NotPermitted)) => {
                let place = place.to_string();
                let error = UserError::new(UserErrorCode::NotPermitted, &["rows", &place, &name], NOT_YOURS);
                answer(Outcome::Refused, None, vec![error])
            }
            // Rows before this one are written: it alone is at fault.
            Err(Refused::Fault(Error::Invalid(_))) => {
                let place = place.to_string();
                let error = UserError::new(UserErrorCode::Invalid, &["rows", &place, &name], NO_ROW);
                answer(Outcome::Refused, None, vec![error])
            }
            Err(Refused::Fault(fault)) => return Err(fault),
            Err(Refused::Outdated(_)) => return Err(Error::Unavailable),
        });
    }
    Ok(answers)
}

impl Object for Answer {
    fn type_name(&self) -> &str {
        "WorkSyncResult"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "clientId" => w.str(&self.key),
            "outcome" => w.str(self.outcome.name()),
            "id" => match self.made {
                Some((kind, id)) => w.id(kind, id),
                None => w.null(),
            },
            "userErrors" => w.list(node, &self.errors, |w, error| w.object(node, &UserErrorObject(error))),
            _ => w.absent(node),
        }
    }
}

const NO_ROW: Message = Message {
    en: "This is not what the mutation takes: an id in it is none.",
    es: "Esto no es lo que la mutación recibe: un identificador no lo es.",
};
const NOT_YOURS: Message =
    Message { en: "Your role does not allow this.", es: "Su función no permite esto." };
