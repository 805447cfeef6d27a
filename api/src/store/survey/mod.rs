//! Surveys: instruments with their questions, rounds in which they are put to women, and what each woman said.
//!
//! Answers are ciphertext: under a woman's own key where a round knows whose they are, so that erasing her takes them with
//! it, and under a key of the organisation where nobody does. Nothing can be searched or counted by an answer; what is
//! published of them is made by releases alone.

pub mod answer;
mod fit;
pub mod import;
pub mod instrument;
mod read;
pub mod response;
pub mod round;

pub use self::read::{
    Asked, Filter, Found, Instrument, InstrumentFilter, Response, Round, RoundFilter, Rows, Wanted,
};
use crate::store::input::Message;

const NO_INSTRUMENT: Message = Message {
    en: "There is no such version of an instrument.",
    es: "No existe esa versión del instrumento.",
};
const NO_ROUND: Message = Message { en: "There is no such round.", es: "No existe esa ronda." };
const IS_CLOSED: Message = Message { en: "The round is closed.", es: "La ronda está cerrada." };
