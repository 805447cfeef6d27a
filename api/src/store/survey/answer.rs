//! Answers: whether they fit the questions, and their ciphertext.

use std::collections::{HashMap, HashSet};

use entity::{
    survey_response,
    value::{AskedWhen, MissingAnswer, Question, QuestionKind},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    error::Result,
    store::input::{Faults, Message, UserErrorCode, or_default},
    vault::{DataKey, Fault, Place},
};

/// An answer to a question. Which of its fields are given is for the kind of the question to say.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub question: String,
    /// Codes of options, in the order of the question's own.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yes: Option<bool>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<MissingAnswer>,
}

impl Answer {
    fn is_one_of(&self, when: &AskedWhen) -> bool {
        let chosen = |code: &String| {
            self.options.contains(code) || self.yes.is_some_and(|yes| code == if yes { "YES" } else { "NO" })
        };
        when.any_of.iter().any(chosen)
    }

    /// Whether it is an answer of the question's kind: one thing, and only that.
    fn fits(&self, question: &Question) -> bool {
        let Self { options, number, yes, missing, .. } = self;
        let count = options.len();
        if missing.is_some() {
            return count == 0 && number.is_none() && yes.is_none();
        }
        let known = options.iter().all(|code| question.options.iter().any(|option| option.code == *code));
        let within = |number: i32| {
            question.min.is_none_or(|min| min <= number) && question.max.is_none_or(|max| number <= max)
        };
        match question.kind {
            QuestionKind::Single => known && count == 1 && number.is_none() && yes.is_none(),
            QuestionKind::Multiple => {
                let once = options.iter().collect::<HashSet<_>>().len() == count;
                known && once && count > 0 && number.is_none() && yes.is_none()
            }
            QuestionKind::Scale | QuestionKind::Number => {
                count == 0 && yes.is_none() && number.is_some_and(within)
            }
            QuestionKind::YesNo => count == 0 && number.is_none() && yes.is_some(),
        }
    }
}

/// The questions that need an answer and have none.
pub(super) fn lacking<'q>(questions: &'q [Question], given: &[Answer]) -> Vec<&'q str> {
    let answer_to = |code: &str| given.iter().find(|answer| answer.question == code);
    let lacks = |question: &&Question| {
        let asked = |when: &AskedWhen| answer_to(&when.question).is_some_and(|answer| answer.is_one_of(when));
        let is_asked = question.asked_when.as_ref().is_none_or(asked);
        question.required && is_asked && answer_to(&question.code).is_none()
    };
    questions.iter().filter(lacks).map(|question| question.code.as_str()).collect()
}

/// The answers in the order of the questions, and what is wrong with them.
pub(super) fn fitting(faults: &mut Faults, questions: &[Question], given: &[Answer]) -> Vec<Answer> {
    let mut by_code: HashMap<&str, (usize, &Answer)> = HashMap::new();
    for (place, answer) in given.iter().enumerate() {
        let field = place.to_string();
        let known = questions.iter().any(|question| question.code == answer.question);
        faults.check(known, UserErrorCode::NotFound, &["answers", &field, "question"], NO_QUESTION);
        let twice = by_code.insert(&answer.question, (place, answer)).is_some();
        faults.check(!twice, UserErrorCode::Duplicate, &["answers", &field, "question"], TWICE);
    }
    let mut kept: Vec<Answer> = Vec::with_capacity(given.len());
    for question in questions {
        let is_asked = question.asked_when.as_ref().is_none_or(|when| {
            kept.iter().any(|answer| answer.question == when.question && answer.is_one_of(when))
        });
        let Some((place, answer)) = by_code.get(question.code.as_str()) else {
            let may_lack = !question.required || !is_asked;
            faults.check(may_lack, UserErrorCode::Invalid, &["answers"], REQUIRED);
            continue;
        };
        let field = place.to_string();
        faults.check(is_asked, UserErrorCode::Invalid, &["answers", &field], NOT_ASKED);
        faults.check(answer.fits(question), UserErrorCode::Invalid, &["answers", &field], NO_FIT);
        let mut answer = (*answer).clone();
        let place_of = |code: &String| question.options.iter().position(|option| option.code == *code);
        answer.options.sort_by_key(place_of);
        kept.push(answer);
    }
    kept
}

/// The ciphertext of answers, at the version that a response has then.
pub(super) fn seal(
    key: &DataKey,
    organization: Uuid,
    response: Uuid,
    version: i32,
    answers: &[Answer],
) -> Result<Vec<u8>> {
    let plain = serde_json::to_vec(answers).map_err(|_| Fault::Damaged)?;
    Ok(key.seal(place(organization, response, version), &plain)?)
}

/// The answers of a response; none when there are none.
pub(in crate::store) fn open(
    key: Option<&DataKey>,
    row: &survey_response::Model,
) -> Option<Result<Vec<Answer>>> {
    let sealed = row.answers.as_ref()?;
    let open = || {
        let key = key.ok_or(Fault::Gone)?;
        let plain = key.open(place(row.organization_id, row.id, row.version), sealed)?;
        Ok(serde_json::from_slice(&plain).map_err(|_| Fault::Damaged)?)
    };
    Some(open())
}

fn place(organization: Uuid, row: Uuid, version: i32) -> Place<'static> {
    Place { organization, table: "survey_response", column: "answers", row, version }
}

const NO_QUESTION: Message =
    Message { en: "The instrument has no such question.", es: "El instrumento no tiene esa pregunta." };
const TWICE: Message =
    Message { en: "This question is answered twice.", es: "Esta pregunta está dos veces." };
pub(super) const REQUIRED: Message = Message {
    en: "A question that needs an answer has none. Say why it is missing.",
    es: "Falta una pregunta obligatoria. Indique por qué no hay respuesta.",
};
const NOT_ASKED: Message = Message {
    en: "By an earlier answer this question is not put to her.",
    es: "Por una respuesta anterior, esta pregunta no se le hace.",
};
const NO_FIT: Message = Message {
    en: "This is no answer of the question's kind, or it is out of its bounds.",
    es: "No es una respuesta del tipo de la pregunta, o está fuera de sus límites.",
};
