//! Why a file is refused, in words.

use serde_json::error::Category;

use crate::import::{Reason, reason};

/// Why a file is refused. Where a place is named, it is one in the file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Fault {
    TooLarge,
    NotJson,
    /// What does not fit the format.
    Format(String),
    UnknownField(String),
    /// Not the one text that this content has: spaces, another order, a key that stands twice.
    NotCanonical,
    Digest,
    Key {
        signed: String,
        given: String,
    },
    Signature,
    /// The file before it is none.
    PreviousUnreadable(Box<Fault>),
    /// The file before it is of another organisation.
    Publisher,
    /// The chain is broken: another number was to come.
    Number {
        wanted: u32,
        found: u32,
    },
    PreviousDigest,
    BeforePrevious,
    /// Its rules are weaker than those of the method, or do not go together.
    Policy,
    /// What it says does not keep to the format or to its own rules.
    Content {
        place: String,
        flaw: Flaw,
    },
}

/// What is wrong at a place of a release.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flaw {
    /// It names an indicator, a round, a dimension that it does not describe.
    NotThere,
    /// Something stands twice.
    Twice,
    /// More dimensions than the rules allow, or any in a survey that was anonymous.
    Breakdown,
    /// A table has a coordinate that no category has.
    UnknownCoordinate,
    CellTwice,
    CellMissing,
    CellOrder,
    /// A value of another kind than its indicator, a value without release and period, or these without a value.
    Cell,
    /// A count that is no band of the rules.
    Count,
    /// The base of a figure is no band, or is too small for the figure.
    Base,
    /// A share whose ends do not lie in order between 0 and 100.
    ShareEnds,
    /// A share that no base of its band has, by the rules: its interval is too narrow, or lies elsewhere.
    ShareBand,
    /// A mean or a sum whose ends are not in order.
    Amount,
    /// A period that ends before it begins.
    Span,
    /// Published before the period or the field work, and the delay after it, were over.
    Early,
    /// It carries forward from, corrects or retracts a release that is not an earlier one.
    NotEarlier,
    /// A cell that is carried forward is another one in the release that it is from.
    CarriedOtherwise,
    /// It shows a cell that was retracted.
    Retracted,
}

impl Fault {
    pub(super) fn of_json(fault: serde_json::Error) -> Self {
        if fault.classify() != Category::Data {
            return Self::NotJson;
        }
        // The library tells these apart by their text alone.
        match fault.to_string() {
            text if text.starts_with("unknown field") => Self::UnknownField(text),
            text if text.starts_with("duplicate field") => Self::NotCanonical,
            text => Self::Format(text),
        }
    }

    /// The reason as a person reads it.
    pub fn reason(&self) -> Reason {
        match self {
            Self::TooLarge => reason!("the file is larger than 64 MiB", "el archivo pesa más de 64 MiB"),
            Self::NotJson => reason!("this is not JSON", "esto no es JSON"),
            Self::Format(what) => {
                let what = plain(what);
                reason!(
                    "this is not a release in the format umbral-release-1 ({what})",
                    "esto no es una publicación en el formato umbral-release-1 ({what})"
                )
            }
            Self::UnknownField(what) => {
                let what = plain(what);
                reason!(
                    "it has a field that the format does not have ({what})",
                    "tiene un campo que el formato no tiene ({what})"
                )
            }
            Self::NotCanonical => reason!(
                "its bytes are not the canonical ones: something was added, moved, written in another way, or stands twice",
                "sus bytes no son los canónicos: algo se agregó, se movió, se escribió de otra manera o está dos veces"
            ),
            Self::Digest => reason!(
                "the digest does not fit: the release was changed after it was sealed",
                "el resumen criptográfico no corresponde: la publicación se cambió después de sellarla"
            ),
            Self::Key { signed, given } => {
                let (signed, given) = (plain(signed), plain(given));
                reason!(
                    "it says that it was signed by another key: {signed}, not {given}",
                    "dice que la firmó otra clave: {signed}, no {given}"
                )
            }
            Self::Signature => reason!(
                "the signature does not fit: whoever made this file does not have the key",
                "la firma no corresponde: quien hizo este archivo no tiene la clave"
            ),
            Self::PreviousUnreadable(fault) => {
                let Reason { en, es } = fault.reason();
                reason!("the release before it: {en}", "la publicación anterior: {es}")
            }
            Self::Publisher => reason!(
                "the release before it is of another organisation",
                "la publicación anterior es de otra organización"
            ),
            Self::Number { wanted, found } => reason!(
                "its number does not follow: {wanted} was to come, this is {found}",
                "su número no es el que sigue: tocaba el {wanted}, este es el {found}"
            ),
            Self::PreviousDigest => reason!(
                "it follows another release: the digest of the release before it is not the one that it names",
                "sigue a otra publicación: el resumen criptográfico de la anterior no es el que nombra"
            ),
            Self::BeforePrevious => reason!(
                "it was published before the release that it follows",
                "se publicó antes que la publicación a la que sigue"
            ),
            Self::Policy => reason!(
                "its rules are weaker than those of the method, or do not go together",
                "sus reglas son más débiles que las del método, o no son compatibles entre sí"
            ),
            Self::Content { place, flaw } => {
                let (place, (en, es)) = (plain(place), flaw.words());
                reason!("{place}: {en}", "{place}: {es}")
            }
        }
    }
}

impl Flaw {
    /// In English and in Spanish.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NotThere => ("it is named and not described", "se nombra y no se describe"),
            Self::Twice => ("it stands twice", "está dos veces"),
            Self::Breakdown => (
                "it is broken down further than the rules allow",
                "se desglosa más de lo que permiten las reglas",
            ),
            Self::UnknownCoordinate => {
                ("there is no such place in the table", "no existe ese lugar en la tabla")
            }
            Self::CellTwice => ("the cell stands twice", "la celda está dos veces"),
            Self::CellMissing => ("a cell is missing", "falta una celda"),
            Self::CellOrder => (
                "its cells are not in the order of the categories",
                "sus celdas no están en el orden de las categorías",
            ),
            Self::Cell => (
                "its value, its release and its period do not go together, or do not fit the indicator",
                "su valor, su publicación y su período no concuerdan, o no corresponden al indicador",
            ),
            Self::Count => {
                ("the count is no band of the rules", "el conteo no es un intervalo de las reglas")
            }
            Self::Base => (
                "the base is no band of the rules, or too small for this figure",
                "la base no es un intervalo de las reglas, o es muy pequeña para esta cifra",
            ),
            Self::ShareEnds => (
                "a share is an interval between 0 and 100, never a point",
                "un porcentaje es un intervalo entre 0 y 100, nunca un punto",
            ),
            Self::ShareBand => (
                "no base in its band has this interval by the rules; it may be too narrow",
                "según las reglas ninguna base de su intervalo tiene este porcentaje; puede ser muy estrecho",
            ),
            Self::Amount => (
                "the lower end is not below the upper one",
                "el extremo inferior no es menor que el superior",
            ),
            Self::Span => ("it ends before it begins", "termina antes de empezar"),
            Self::Early => (
                "it was published before the period and the delay after it were over",
                "se publicó antes de que terminaran el período y el plazo de espera",
            ),
            Self::NotEarlier => (
                "the release that it refers to is not an earlier one",
                "la publicación a la que se refiere no es anterior",
            ),
            Self::CarriedOtherwise => (
                "the release that it was carried forward from shows another value",
                "la publicación de la que se tomó muestra otro valor",
            ),
            Self::Retracted => ("it is shown although it was retracted", "se muestra aunque se retiró"),
        }
    }

    pub(super) fn at(self, place: impl Into<String>) -> Fault {
        Fault::Content { place: place.into(), flaw: self }
    }
}

/// Texts of a file may be anybody's: they are shown without what steers a terminal or turns the direction of writing.
pub fn plain(text: &str) -> String {
    let steers = |character: char| {
        character.is_control()
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(|character| !steers(*character)).take(300).collect()
}
