//! The questions of a form.

use std::collections::{BTreeMap, HashMap};

use entity::value::{QuestionKind, RiskClass};
use sea_orm::ActiveEnum;

use super::{
    QuestionPlace,
    choices::List,
    logic,
    sheets::{Labels, Row, Table, given},
};
use crate::{
    import::{
        Faults, Reason,
        fault::{FaultCode, quoted, reason},
        responses::{OWN_PREFIX, yes_or_no},
    },
    store::survey::instrument::{AskedWhenInput, QuestionInput},
};

/// What puts no question to anybody.
const PASSED_OVER: [&str; 13] = [
    "note",
    "start",
    "end",
    "today",
    "deviceid",
    "calculate",
    "hidden",
    "username",
    "phonenumber",
    "email",
    "simserial",
    "subscriberid",
    "audit",
];

/// What a row of the sheet is.
enum Is<'t> {
    PassedOver,
    Begin,
    End,
    One(&'t str),
    Several(&'t str),
    Number,
    Scale,
    Other,
}

impl<'t> Is<'t> {
    fn of(type_of: &'t str) -> Self {
        let mut words = type_of.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(word), None, None) if PASSED_OVER.contains(&word) => Self::PassedOver,
            (Some("begin_group"), None, None) | (Some("begin"), Some("group"), None) => Self::Begin,
            (Some("end_group"), None, None) | (Some("end"), Some("group"), None) => Self::End,
            (Some("select_one"), Some(list), None) => Self::One(list),
            (Some("select_multiple"), Some(list), None) => Self::Several(list),
            (Some("integer" | "int"), None, None) => Self::Number,
            (Some("range"), None, None) => Self::Scale,
            _ => Self::Other,
        }
    }
}

/// A question's condition, as the form says it.
#[derive(Clone, Debug, Eq, PartialEq)]
struct When<'t> {
    question: &'t str,
    codes: Vec<&'t str>,
}

/// The questions of the sheet, and where each of them stands.
pub(super) fn read(
    table: &Table,
    labels: &Labels,
    choices: &BTreeMap<String, List>,
    faults: &mut Faults,
) -> (Vec<QuestionInput>, Vec<QuestionPlace>) {
    let mut reader = Reader { labels, choices, groups: Vec::new(), kinds: HashMap::new(), faults };
    let (mut questions, mut places) = (Vec::new(), Vec::new());
    for row in table.rows() {
        if let Some((question, place)) = reader.row(&row) {
            questions.push(question);
            places.push(place);
        }
    }
    if !reader.groups.is_empty() {
        reader.faults.add(1, Some(&table.column("type")), FaultCode::Invalid, open_group());
    }
    (questions, places)
}

struct Reader<'r, 't> {
    labels: &'r Labels,
    choices: &'r BTreeMap<String, List>,
    /// The conditions of the groups that are open, the innermost last.
    groups: Vec<Option<When<'t>>>,
    /// The questions so far.
    kinds: HashMap<&'t str, QuestionKind>,
    faults: &'r mut Faults,
}

impl<'r, 't> Reader<'r, 't> {
    fn row(&mut self, row: &Row<'t>) -> Option<(QuestionInput, QuestionPlace)> {
        let type_of = given(row, "type", self.faults)?;
        let is = Is::of(type_of);
        match is {
            Is::Begin => {
                let when = self.condition(row);
                self.groups.push(when);
                return None;
            }
            Is::End => {
                if self.groups.pop().is_none() {
                    row.fault(self.faults, "type", FaultCode::Invalid, no_group());
                }
                return None;
            }
            // Who and where she is, and whether she answered, is no question of the instrument.
            _ if row.cell("name").starts_with(OWN_PREFIX) => return None,
            Is::PassedOver => return None,
            Is::Other => {
                row.fault(self.faults, "type", FaultCode::Unsupported, unsupported(type_of));
                return None;
            }
            _ => {}
        }
        self.question(row, &is)
    }

    fn question(&mut self, row: &Row<'t>, is: &Is<'t>) -> Option<(QuestionInput, QuestionPlace)> {
        let code = given(row, "name", self.faults);
        let text = self.labels.of(row, &self.labels.original, self.faults);
        let risk_class = self.risk(row);
        let required = self.required(row);
        let asked_when = self.asked_when(row);
        if !row.cell("choice_filter").is_empty() {
            row.fault(self.faults, "choice_filter", FaultCode::Unsupported, no_filter());
        }
        let list = match is {
            Is::One(list) | Is::Several(list) => Some(self.list(row, list)?),
            _ => None,
        };
        let kind = match is {
            Is::One(_) if list.is_some_and(List::is_yes_or_no) => QuestionKind::YesNo,
            Is::One(_) => QuestionKind::Single,
            Is::Several(_) => QuestionKind::Multiple,
            Is::Scale => QuestionKind::Scale,
            _ => QuestionKind::Number,
        };
        let (min, max) = self.bounds(row, kind)?;
        let code = code?;
        self.kinds.insert(code, kind);
        let list = list.filter(|_| kind != QuestionKind::YesNo);
        let question = QuestionInput {
            code: code.to_owned(),
            kind,
            text: text?,
            risk_class: risk_class?,
            required: required?,
            options: list.map(|list| list.options.clone()).unwrap_or_default(),
            min,
            max,
            unit: None,
            asked_when: asked_when?,
        };
        let options = list.map(|list| list.lines.clone()).unwrap_or_default();
        Some((question, QuestionPlace { line: row.line(), options }))
    }

    fn risk(&mut self, row: &Row<'_>) -> Option<RiskClass> {
        let cell = row.cell("umbral_risk");
        let class = RiskClass::try_from_value(&cell.to_ascii_uppercase()).ok();
        if class.is_none() {
            let code = if cell.is_empty() { FaultCode::MissingValue } else { FaultCode::BadChoice };
            row.fault(self.faults, "umbral_risk", code, no_risk());
        }
        class
    }

    fn required(&mut self, row: &Row<'_>) -> Option<bool> {
        match row.cell("required").to_ascii_lowercase().as_str() {
            "" => Some(false),
            "true()" => Some(true),
            "false()" => Some(false),
            other => {
                let said = yes_or_no(other);
                if said.is_none() {
                    row.fault(self.faults, "required", FaultCode::Unsupported, not_required());
                }
                said
            }
        }
    }

    fn list(&mut self, row: &Row<'_>, name: &str) -> Option<&'r List> {
        let found = self.choices.get(name);
        if found.is_none() {
            row.fault(self.faults, "type", FaultCode::NotFound, no_list(name));
        }
        found.filter(|list| !list.broken)
    }

    fn bounds(&mut self, row: &Row<'_>, kind: QuestionKind) -> Option<(Option<i32>, Option<i32>)> {
        let constraint = row.cell("constraint");
        if kind == QuestionKind::Scale {
            let ends = logic::scale(row.cell("parameters"));
            if ends.is_none() {
                row.fault(self.faults, "parameters", FaultCode::Unsupported, no_scale());
            }
            if !constraint.is_empty() {
                row.fault(self.faults, "constraint", FaultCode::Unsupported, not_bounded());
            }
            return ends.map(|(start, end)| (Some(start), Some(end)));
        }
        if constraint.is_empty() {
            return Some((None, None));
        }
        let numbers = kind == QuestionKind::Number;
        let bounds = logic::bounds(constraint).filter(|_| numbers);
        if bounds.is_none() {
            let reason = if numbers { no_bounds() } else { not_bounded() };
            row.fault(self.faults, "constraint", FaultCode::Unsupported, reason);
        }
        bounds
    }

    /// The condition of a row by itself. None when there is none, or it is about who answered: a woman who did not has no
    /// answers.
    fn condition(&mut self, row: &Row<'t>) -> Option<When<'t>> {
        let text = row.cell_of(&["relevant", "relevance"]);
        if text.is_empty() {
            return None;
        }
        let Some((question, codes)) = logic::condition(text) else {
            row.fault(self.faults, "relevant", FaultCode::Unsupported, no_condition());
            return None;
        };
        (!question.starts_with(OWN_PREFIX)).then_some(When { question, codes })
    }

    /// The one condition of a question and of all groups that it is in.
    fn asked_when(&mut self, row: &Row<'t>) -> Option<Option<AskedWhenInput>> {
        let before = self.faults.len();
        let own = self.condition(row);
        if self.faults.len() > before {
            return None;
        }
        let mut whens: Vec<When<'t>> = self.groups.iter().flatten().cloned().chain(own).collect();
        whens.dedup();
        let when = whens.pop();
        if !whens.is_empty() {
            row.fault(self.faults, "relevant", FaultCode::Unsupported, several_conditions());
            return None;
        }
        let Some(When { question, codes }) = when else { return Some(None) };
        let kind = self.kinds.get(question);
        let code = |code: &str| match yes_or_no(code).filter(|_| kind == Some(&QuestionKind::YesNo)) {
            Some(true) => "YES".to_owned(),
            Some(false) => "NO".to_owned(),
            None => code.to_owned(),
        };
        let any_of = codes.into_iter().map(code).collect();
        Some(Some(AskedWhenInput { question: question.to_owned(), any_of }))
    }
}

fn unsupported(type_of: &str) -> Reason {
    let shown = quoted(type_of);
    reason!(
        "{shown} cannot be held: a question is select_one, select_multiple, integer or range, without “other”. Free text \
         names people; put it into no survey.",
        "{shown} no se puede guardar: una pregunta es select_one, select_multiple, integer o range, sin «otro». El texto \
         libre nombra personas; no va en ninguna encuesta."
    )
}

fn no_risk() -> Reason {
    reason!(
        "Say what an answer could bring upon her: MEMBERSHIP, SELF_REPORTED or RETALIATION. There is no default, because \
         a wrong class hurts.",
        "Indique qué podría acarrearle una respuesta: MEMBERSHIP, SELF_REPORTED o RETALIATION. No hay valor por defecto, \
         porque una clase equivocada hace daño."
    )
}

fn not_required() -> Reason {
    reason!(
        "This is yes, no or empty; a condition cannot be held here.",
        "Aquí va yes, no o nada; no se puede guardar una condición."
    )
}

fn no_list(name: &str) -> Reason {
    let shown = quoted(name);
    reason!("There are no choices {shown}.", "No hay opciones {shown}.")
}

fn no_filter() -> Reason {
    reason!(
        "Choices that depend on another answer cannot be held.",
        "No se pueden guardar opciones que dependen de otra respuesta."
    )
}

fn no_scale() -> Reason {
    reason!(
        "A scale goes by whole steps: start=1 end=5 step=1.",
        "Una escala va de uno en uno: start=1 end=5 step=1."
    )
}

fn no_bounds() -> Reason {
    reason!(
        "Only bounds by whole numbers can be held: . >= 0 and . <= 20.",
        "Solo se pueden guardar límites con números enteros: . >= 0 and . <= 20."
    )
}

fn not_bounded() -> Reason {
    reason!(
        "Only an integer has bounds by a constraint.",
        "Solo un entero tiene límites mediante constraint."
    )
}

fn no_condition() -> Reason {
    reason!(
        "Only answers of one earlier question can be a condition: ${{q}} = 'x' or selected(${{q}}, 'x'), joined by or.",
        "Solo pueden ser condición respuestas de una pregunta anterior: ${{q}} = 'x' o selected(${{q}}, 'x'), unidas con or."
    )
}

fn several_conditions() -> Reason {
    reason!(
        "The question and the groups that it is in have several conditions; only one can be held.",
        "La pregunta y los grupos en que está tienen varias condiciones; solo se puede guardar una."
    )
}

fn open_group() -> Reason {
    reason!("A group begins and does not end.", "Un grupo empieza y no termina.")
}

fn no_group() -> Reason {
    reason!("No group is open here.", "Aquí no hay ningún grupo abierto.")
}
