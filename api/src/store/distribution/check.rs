//! What a delivery must be before it is written: where, when, what, and in which class.

use std::collections::HashSet;

use chrono::NaiveDate;
use entity::{
    program,
    value::{ProgramStatus, RowClass, Sensitivity},
};
use uuid::Uuid;

use super::LineInput;
use crate::store::{
    Access,
    class::{ClassInput, LineClassInput, classify, line_is_shown},
    facility::NO_FACILITY,
    input::{FUTURE, Faults, Message, UserErrorCode},
    kit::BAD_QUANTITY,
    program::NO_PROGRAM,
};

/// Women reached and quantities that are larger than any real delivery are typing errors.
pub(in crate::store) const MOST_OF_A_LINE: i32 = 1_000_000;

/// A line that has been checked: what is supplied exists, and the kit has a version.
#[derive(Clone, Debug)]
pub struct CheckedLine {
    pub item_id: Option<Uuid>,
    pub kit_id: Option<Uuid>,
    pub kit_version: Option<i32>,
    pub quantity: i32,
    pub people_reached: Option<i32>,
    pub sensitive: bool,
}

/// Whether a delivery took place, or is meant to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) enum When {
    TookPlace,
    Planned,
}

impl Access {
    /// A delivery happens at a facility that the viewer may write for, in an open program of the viewer's
    /// organisation that takes place there, on a day of it; one that took place on none in the future.
    pub(in crate::store) fn check_place(
        &self,
        faults: &mut Faults,
        facility: Uuid,
        program: Uuid,
        day: NaiveDate,
        when: When,
    ) {
        let open = self.facility(facility).filter(|entry| entry.row.archived_at.is_none());
        let assigned = self.viewer.facilities().is_none_or(|cut| cut.contains(&facility));
        match open.filter(|_| assigned) {
            None => faults.add(UserErrorCode::NotFound, &["facility"], NO_FACILITY),
            Some(entry) => {
                faults.check(entry.row.published_at.is_some(), UserErrorCode::Invalid, &["facility"], DRAFT)
            }
        }
        let own = self.viewer.organization();
        let Some(view) = self.program(program).filter(|view| Some(view.entry.row.organization_id) == own)
        else {
            let past = when == When::Planned || day <= self.today();
            faults.check(past, UserErrorCode::OutOfRange, &["occurredOn"], FUTURE);
            return faults.add(UserErrorCode::NotFound, &["program"], NO_PROGRAM);
        };
        let row = &view.entry.row;
        faults.check(row.published_at.is_some(), UserErrorCode::Invalid, &["program"], DRAFT);
        faults.check(row.archived_at.is_none(), UserErrorCode::Invalid, &["program"], ENDED);
        match row.status {
            ProgramStatus::Active | ProgramStatus::Completed => self.check_day(faults, row, day, when),
            ProgramStatus::Planned if when == When::Planned => self.check_day(faults, row, day, when),
            // A plan is not a program: somebody says when it has begun.
            ProgramStatus::Planned => faults.add(UserErrorCode::Invalid, &["program"], PLANNED),
            ProgramStatus::Cancelled => faults.add(UserErrorCode::Invalid, &["program"], ENDED),
        }
        let is_site = self.program_facilities(view).any(|site| site.row.id == facility);
        faults.check(is_site, UserErrorCode::Invalid, &["facility"], NOT_A_SITE);
    }

    /// A day of a program; of what took place, none in the future.
    pub(in crate::store) fn check_day(
        &self,
        faults: &mut Faults,
        program: &program::Model,
        day: NaiveDate,
        when: When,
    ) {
        let past = when == When::Planned || day <= self.today();
        faults.check(past, UserErrorCode::OutOfRange, &["occurredOn"], FUTURE);
        let in_time = program.starts_on <= day && program.ends_on.is_none_or(|last| day <= last);
        faults.check(in_time, UserErrorCode::OutOfRange, &["occurredOn"], CLOSED);
    }

    /// Checks lines of a delivery or a gift on a day; the same thing stands on one line. What is archived may stay
    /// where it was.
    pub(in crate::store) fn check_lines(
        &self,
        faults: &mut Faults,
        lines: &[LineInput],
        day: NaiveDate,
        was_there: impl Fn(Uuid) -> bool,
    ) -> Vec<CheckedLine> {
        let checked = self.check_lines_of_any(faults, lines, day, was_there);
        let mut seen = HashSet::new();
        for (place, line) in checked.iter().enumerate() {
            let what = (line.item_id.or(line.kit_id), line.kit_version);
            let field = ["lines", &place.to_string(), "supplied"];
            // With a line missing among the checked ones, there is another fault to mend first.
            let new = checked.len() < lines.len() || seen.insert(what);
            faults.check(new, UserErrorCode::Duplicate, &field, TWICE);
        }
        checked
    }

    /// As [`Access::check_lines`], where the same thing may stand on several lines, such as lots that came in.
    pub(in crate::store) fn check_lines_of_any(
        &self,
        faults: &mut Faults,
        lines: &[LineInput],
        day: NaiveDate,
        was_there: impl Fn(Uuid) -> bool,
    ) -> Vec<CheckedLine> {
        faults.check((1..=100).contains(&lines.len()), UserErrorCode::OutOfRange, &["lines"], BAD_LINES);
        let mut checked = Vec::new();
        for (place, line) in lines.iter().enumerate() {
            let number = place.to_string();
            let at = |field: &'static str| ["lines".to_owned(), number.clone(), field.to_owned()];
            let path = at("quantity");
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            faults.check(
                (1..=MOST_OF_A_LINE).contains(&line.quantity),
                UserErrorCode::OutOfRange,
                &path,
                BAD_QUANTITY,
            );
            for (part, field) in [(line.returned, "returned"), (line.lost, "lost")] {
                let path = ["lines", &number, field];
                faults.check(part.is_none(), UserErrorCode::Invalid, &path, NOT_DISPATCHED);
            }
            if let Some(people) = line.people_reached {
                let path = at("peopleReached");
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                check_people(faults, people, &path);
            }
            let path = at("supplied");
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let Some(line) = self.check_supplied(faults, line, day, &path, &was_there) else { continue };
            checked.push(line);
        }
        checked
    }

    fn check_supplied(
        &self,
        faults: &mut Faults,
        line: &LineInput,
        day: NaiveDate,
        path: &[&str],
        was_there: impl Fn(Uuid) -> bool,
    ) -> Option<CheckedLine> {
        let (kit_version, sensitive) = match (line.supplied.item, line.supplied.kit) {
            (Some(id), None) => {
                let open = |archived: &Option<_>| archived.is_none() || was_there(id);
                let Some(view) = self.item(id).filter(|view| open(&view.entry.row.archived_at)) else {
                    faults.add(UserErrorCode::NotFound, path, NOT_SUPPLIED);
                    return None;
                };
                faults.check(view.entry.row.published_at.is_some(), UserErrorCode::Invalid, path, DRAFT);
                faults.check(line.kit_version.is_none(), UserErrorCode::Invalid, path, VERSION_OF_ITEM);
                (None, view.entry.row.sensitivity == Sensitivity::Sensitive)
            }
            (None, Some(id)) => {
                let open = |archived: &Option<_>| archived.is_none() || was_there(id);
                let Some(view) = self.kit(id).filter(|view| open(&view.entry.row.archived_at)) else {
                    faults.add(UserErrorCode::NotFound, path, NOT_SUPPLIED);
                    return None;
                };
                faults.check(view.entry.row.published_at.is_some(), UserErrorCode::Invalid, path, DRAFT);
                let version = match line.kit_version {
                    Some(number) => view.versions().iter().find(|version| version.number == number),
                    None => Some(view.version_on(day)),
                };
                let Some(version) = version else {
                    faults.add(UserErrorCode::NotFound, path, NO_VERSION);
                    return None;
                };
                let fits = version.lines.iter().all(|inside| {
                    i64::from(inside.quantity) * i64::from(line.quantity) <= i64::from(i32::MAX)
                });
                faults.check(fits, UserErrorCode::OutOfRange, path, TOO_MANY);
                let holds_sensitive = version.lines.iter().any(|line| {
                    self.catalog
                        .items
                        .get(line.item_id)
                        .is_none_or(|item| item.row.sensitivity == Sensitivity::Sensitive)
                });
                (
                    Some(version.number),
                    holds_sensitive || view.entry.row.sensitivity == Sensitivity::Sensitive,
                )
            }
            _ => {
                faults.add(UserErrorCode::Invalid, path, ONE_OF);
                return None;
            }
        };
        Some(CheckedLine {
            item_id: line.supplied.item,
            kit_id: line.supplied.kit,
            kit_version,
            quantity: line.quantity,
            people_reached: line.people_reached,
            sensitive,
        })
    }

    /// Sensitive goods do not come onto a delivery that outsiders see, unless they were there before.
    pub(in crate::store) fn check_unmixed(
        &self,
        faults: &mut Faults,
        class: RowClass,
        lines: &[CheckedLine],
        was_there: impl Fn(&CheckedLine) -> bool,
    ) {
        for (place, line) in lines.iter().enumerate() {
            let mixed = line.sensitive && class == RowClass::Operations && !was_there(line);
            faults.check(!mixed, UserErrorCode::NotPermitted, &["lines", &place.to_string()], MIXED);
        }
    }

    /// The class of a delivery that took place, and which of its lines outsiders see.
    pub(in crate::store) fn class_of(
        &self,
        program: Uuid,
        people: i32,
        lines: &[CheckedLine],
    ) -> (RowClass, Vec<bool>) {
        let program = self.catalog.programs.get(program);
        classify(&ClassInput {
            people_reached: people,
            program: program.map_or(Sensitivity::Sensitive, |entry| entry.row.sensitivity),
            lines: lines
                .iter()
                .map(|line| LineClassInput {
                    quantity: line.quantity,
                    people_reached: line.people_reached.unwrap_or(people),
                    sensitivity: if line.sensitive { Sensitivity::Sensitive } else { Sensitivity::General },
                })
                .collect(),
        })
    }
}

/// Which lines of a delivery outsiders see once its class is fixed.
pub(in crate::store) fn shown_in(class: RowClass, lines: &[CheckedLine], people: i32) -> Vec<bool> {
    let shown = |line: &CheckedLine| line_is_shown(line.quantity, line.people_reached.unwrap_or(people));
    lines.iter().map(|line| class == RowClass::Operations && shown(line)).collect()
}

pub(in crate::store) fn check_people(faults: &mut Faults, people: i32, field: &[&str]) {
    faults.check((0..=MOST_OF_A_LINE).contains(&people), UserErrorCode::OutOfRange, field, BAD_PEOPLE);
}

pub(in crate::store) fn check_line_reach(faults: &mut Faults, lines: &[CheckedLine], people: i32) {
    for (place, line) in lines.iter().enumerate() {
        let fits = line.people_reached.is_none_or(|reached| reached <= people);
        let field = ["lines", &place.to_string(), "peopleReached"];
        faults.check(fits, UserErrorCode::OutOfRange, &field, MORE_THAN_ALL);
    }
}

const MIXED: Message = Message {
    en: "Sensitive goods go on a delivery of their own.",
    es: "Los artículos sensibles van en una entrega aparte.",
};
const NOT_DISPATCHED: Message = Message {
    en: "Only what was dispatched comes back or is lost.",
    es: "Solo se devuelve o se pierde lo que fue despachado.",
};
const DRAFT: Message =
    Message { en: "This is a draft. Publish it first.", es: "Es un borrador. Publíquelo primero." };
const CLOSED: Message =
    Message { en: "The program is not open on this day.", es: "El programa no está abierto en ese día." };
const PLANNED: Message = Message {
    en: "The program is only planned. Once it has begun, set its status to ACTIVE.",
    es: "El programa solo está planeado. Cuando haya comenzado, cambie su estado a ACTIVE.",
};
const ENDED: Message = Message {
    en: "The program is cancelled or archived. It takes no new deliveries.",
    es: "El programa está cancelado o archivado. No admite entregas nuevas.",
};
const NOT_A_SITE: Message = Message {
    en: "The program does not take place at this facility.",
    es: "El programa no se realiza en ese centro.",
};
const BAD_LINES: Message = Message { en: "Give 1 to 100 lines.", es: "Indique de 1 a 100 renglones." };
const TWICE: Message =
    Message { en: "The same thing is on two lines.", es: "Lo mismo aparece en dos renglones." };
const NOT_SUPPLIED: Message =
    Message { en: "There is no such item or kit.", es: "No existe ese artículo o kit." };
const NO_VERSION: Message =
    Message { en: "The kit has no such version.", es: "El kit no tiene esa versión." };
const VERSION_OF_ITEM: Message =
    Message { en: "Only a kit has versions.", es: "Solo un kit tiene versiones." };
const ONE_OF: Message = Message {
    en: "Give an item or a kit, exactly one.",
    es: "Indique un artículo o un kit, exactamente uno.",
};
const BAD_PEOPLE: Message = Message {
    en: "The number of women reached is out of range.",
    es: "El número de mujeres alcanzadas está fuera de rango.",
};
const MORE_THAN_ALL: Message = Message {
    en: "A line cannot reach more women than the delivery.",
    es: "Un renglón no puede alcanzar a más mujeres que la entrega.",
};
const TOO_MANY: Message = Message {
    en: "These kits hold more units than one line can.",
    es: "Estos kits contienen más unidades de las que caben en un renglón.",
};
