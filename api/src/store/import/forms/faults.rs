//! Why a form is not recorded, in the words and at the places of its file.

use crate::{
    error::Error,
    import::{FaultCode, FormRow, Reason, Supplied as Code, quoted, reason},
    store::input::{Refused, UserError},
};

/// A line of the file, a column, and what is wrong there.
pub(super) type At = (u32, &'static str, FaultCode, Reason);
pub(super) type Found = Vec<At>;

/// Why a form is not recorded.
pub(super) enum NotRecorded {
    Faults(Found),
    Fault(Error),
}

impl<F: Into<Error>> From<F> for NotRecorded {
    fn from(fault: F) -> Self {
        Self::Fault(fault.into())
    }
}

impl FormRow {
    /// The line and the column that a field of the input came from.
    fn blamed(&self, lines: &[usize], field: &[String]) -> (u32, &'static str) {
        let mut parts = field.iter().map(String::as_str);
        let first = parts.next().unwrap_or_default();
        let line = parts.next().and_then(|number| self.lines.get(*lines.get(number.parse::<usize>().ok()?)?));
        let Some(line) = line else {
            let column = match first {
                "occurredOn" => "occurred_on",
                "place" | "from" => "place",
                "to" => "to_place",
                "transfer" => "transfer",
                "via" => "via",
                "source" => "source",
                "donor" => "donor",
                "reason" => "reason",
                "note" => "note",
                _ => "form_number",
            };
            return (self.line, column);
        };
        let column = match parts.next() {
            Some("number" | "lot") => "lot_number",
            Some("expiresOn") => "expires_on",
            Some("kitVersion") => "kit_version",
            Some("supplied") if matches!(line.supplied, Code::Item(_)) => "item",
            Some("supplied") => "kit",
            _ => "quantity",
        };
        (line.line, column)
    }
}

/// A refusal as faults of the file. `lines` says which line of the form each line of the movement comes from.
pub(super) fn fault_of(form: &FormRow, lines: &[usize], refused: Refused) -> NotRecorded {
    let faults = match refused {
        Refused::Fault(fault) => return NotRecorded::Fault(fault),
        Refused::Outdated(_) => return NotRecorded::Fault(Error::Unavailable),
        Refused::User(faults) => faults,
    };
    let faults = faults.into_iter().map(|UserError { code, field, message, day, .. }| {
        let (line, column) = form.blamed(lines, &field);
        let day = day.map(|day| day.to_string()).unwrap_or_default();
        let said = |text: &str| text.replace("{day}", &day);
        (line, column, code.into(), Reason { en: said(message.en), es: said(message.es) })
    });
    NotRecorded::Faults(faults.collect())
}

pub(super) fn one_fault(line: u32, column: &'static str, code: FaultCode, reason: Reason) -> NotRecorded {
    NotRecorded::Faults(vec![(line, column, code, reason)])
}

pub(super) fn unknown(line: u32, column: &'static str, name: &str) -> At {
    let name = quoted(name);
    let reason = reason!(
        "{name} does not exist, or is a draft or archived.",
        "{name} no existe, o es un borrador o está archivado."
    );
    (line, column, FaultCode::NotFound, reason)
}

pub(super) fn imported(number: &str) -> Reason {
    let number = quoted(number);
    reason!(
        "The form {number} was imported with another content; reverse it through the API and give it a new number.",
        "El formulario {number} ya se importó con otro contenido; reviértalo mediante la API y use otro número."
    )
}

pub(super) fn several(name: &str) -> Reason {
    let name = quoted(name);
    reason!(
        "Several go by {name}; record it through the API.",
        "Hay varios con {name}; regístrelo mediante la API."
    )
}

pub(super) fn only_transfers() -> Reason {
    reason!("Only a transfer has this.", "Solo un traslado lo lleva.")
}

pub(super) fn needed() -> Reason {
    reason!("This must be filled in.", "Este dato es obligatorio.")
}
