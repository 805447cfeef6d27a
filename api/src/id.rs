//! Global ids: opaque to clients, stable, and unique over all types.
//!
//! An id is a byte for the type and the row's UUID, in base64url. It holds nothing else.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

/// The types that have ids. The numbers are part of every id that clients have stored: never change one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum Kind {
    Organization = 1,
    Facility = 2,
    Program = 3,
    Item = 4,
    Kit = 5,
    Distribution = 6,
    Agreement = 7,
    Award = 8,
    Gift = 9,
    Statement = 10,
    Claim = 11,
    StockPlace = 20,
    StockLot = 21,
    StockMovement = 22,
    AdequacyNorm = 23,
    FacilityPopulation = 24,
    ItemPermission = 25,
    Participant = 50,
    CustodyStay = 51,
    Maternity = 52,
    Consent = 53,
    BreakGlass = 54,
    RightsRequest = 56,
    ParticipantMerge = 55,
    AuditEvent = 40,
    SafeguardingNote = 41,
    AuditActor = 42,
    /// What an audit row is about, where it is no object of another kind.
    AuditObject = 43,
    Workshop = 60,
    Session = 61,
    Enrolment = 62,
    Attendance = 63,
    Skill = 64,
    Product = 65,
    ProductionBatch = 66,
    Sale = 67,
    PayoutPolicy = 68,
    PayoutRun = 69,
    Payout = 70,
    SavingsWithdrawal = 71,
    LegalMatter = 72,
    Instrument = 80,
    SurveyRound = 81,
    SurveyResponse = 82,
    Indicator = 83,
    Release = 84,
    /// A published cell: nothing in the database has its id.
    Outcome = 85,
    User = 30,
    Membership = 31,
    ServiceKey = 32,
    Invitation = 33,
}

impl Kind {
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        use Kind::*;
        [
            Organization,
            Facility,
            Program,
            Item,
            Kit,
            Distribution,
            Agreement,
            Award,
            Gift,
            Statement,
            Claim,
            StockPlace,
            StockLot,
            StockMovement,
            AdequacyNorm,
            FacilityPopulation,
            ItemPermission,
            Participant,
            CustodyStay,
            Maternity,
            Consent,
            BreakGlass,
            RightsRequest,
            ParticipantMerge,
            AuditEvent,
            SafeguardingNote,
            AuditActor,
            AuditObject,
            Workshop,
            Session,
            Enrolment,
            Attendance,
            Skill,
            Product,
            ProductionBatch,
            Sale,
            PayoutPolicy,
            PayoutRun,
            Payout,
            SavingsWithdrawal,
            LegalMatter,
            Instrument,
            SurveyRound,
            SurveyResponse,
            Indicator,
            Release,
            Outcome,
            User,
            Membership,
            ServiceKey,
            Invitation,
        ]
        .into_iter()
        .find(|kind| *kind as u8 == byte)
    }
}

/// A row of a type.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct GlobalId {
    pub kind: Kind,
    pub id: Uuid,
}

impl GlobalId {
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 17];
        // The engine asks for room for a whole number of groups.
        let mut room = [0; 21];
        if text.len() != 23 || URL_SAFE_NO_PAD.decode_slice(text, &mut room).ok()? != 17 {
            return None;
        }
        bytes.copy_from_slice(&room[..17]);
        let kind = Kind::from_byte(bytes[0])?;
        Some(Self { kind, id: Uuid::from_slice(&bytes[1..]).ok()? })
    }
}

/// Writes an id's text to the end of a buffer.
pub fn write(kind: Kind, id: Uuid, out: &mut Vec<u8>) {
    let mut bytes = [0; 17];
    bytes[0] = kind as u8;
    bytes[1..].copy_from_slice(id.as_bytes());
    let at = out.len();
    out.resize(at + 24, 0);
    let written = URL_SAFE_NO_PAD.encode_slice(bytes, &mut out[at..]).unwrap_or_default();
    out.truncate(at + written);
}

pub fn text(kind: Kind, id: Uuid) -> String {
    let mut out = Vec::with_capacity(24);
    write(kind, id, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// The ids of a filter. One of another type stands for no row: it matches nothing.
pub fn list<'de, D: Deserializer<'de>, const KIND: u8>(source: D) -> Result<Option<Vec<Uuid>>, D::Error> {
    let Some(texts) = Option::<Vec<String>>::deserialize(source)? else { return Ok(None) };
    texts.iter().map(|text| one::<D::Error>(text, KIND)).collect::<Result<_, _>>().map(Some)
}

/// The id of an input.
pub fn single<'de, D: Deserializer<'de>, const KIND: u8>(source: D) -> Result<Uuid, D::Error> {
    one(&String::deserialize(source)?, KIND)
}

/// The id of an input that may be left out.
pub fn optional<'de, D: Deserializer<'de>, const KIND: u8>(source: D) -> Result<Option<Uuid>, D::Error> {
    Option::<String>::deserialize(source)?.map(|text| one(&text, KIND)).transpose()
}

/// Ids of an input that may be left out, all of one type.
pub fn named<'de, D: Deserializer<'de>, const KIND: u8>(source: D) -> Result<Vec<Uuid>, D::Error> {
    Ok(list::<D, KIND>(source)?.unwrap_or_default())
}

/// Ids of an input, of whatever type: rows are found by their UUID.
pub fn many<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<Uuid>, D::Error> {
    Vec::<String>::deserialize(source)?.iter().map(|text| any(text)).collect()
}

/// Ids of an input that may be left out.
pub fn some_list<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Vec<Uuid>>, D::Error> {
    let texts = Option::<Vec<String>>::deserialize(source)?;
    texts.map(|texts| texts.iter().map(|text| any(text)).collect()).transpose()
}

/// Ids of an input that may be left out (keep) or null (clear).
pub fn given_list<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Option<Vec<Uuid>>>, D::Error> {
    some_list(source).map(Some)
}

/// The id of an input that may be left out, of whatever type.
pub fn optional_any<'de, D: Deserializer<'de>>(source: D) -> Result<Option<GlobalId>, D::Error> {
    let text = Option::<String>::deserialize(source)?;
    let parse = |text: String| GlobalId::parse(&text).ok_or_else(|| serde::de::Error::custom(NOT_AN_ID));
    text.map(parse).transpose()
}

fn any<E: serde::de::Error>(text: &str) -> Result<Uuid, E> {
    GlobalId::parse(text).map(|id| id.id).ok_or_else(|| E::custom(NOT_AN_ID))
}

const NOT_AN_ID: &str = "this is not an id of this API";

fn one<E: serde::de::Error>(text: &str, kind: u8) -> Result<Uuid, E> {
    let id = GlobalId::parse(text).ok_or_else(|| E::custom(NOT_AN_ID))?;
    Ok(if id.kind as u8 == kind { id.id } else { Uuid::nil() })
}

pub const ORGANIZATION: u8 = Kind::Organization as u8;
pub const FACILITY: u8 = Kind::Facility as u8;
pub const PROGRAM: u8 = Kind::Program as u8;
pub const ITEM: u8 = Kind::Item as u8;
pub const KIT: u8 = Kind::Kit as u8;
pub const DISTRIBUTION: u8 = Kind::Distribution as u8;
pub const AWARD: u8 = Kind::Award as u8;
pub const GIFT: u8 = Kind::Gift as u8;
pub const STOCK_PLACE: u8 = Kind::StockPlace as u8;
pub const STOCK_LOT: u8 = Kind::StockLot as u8;
pub const STOCK_MOVEMENT: u8 = Kind::StockMovement as u8;
pub const PARTICIPANT: u8 = Kind::Participant as u8;
pub const RIGHTS_REQUEST: u8 = Kind::RightsRequest as u8;
pub const BREAK_GLASS: u8 = Kind::BreakGlass as u8;
pub const AUDIT_ACTOR: u8 = Kind::AuditActor as u8;
pub const WORKSHOP: u8 = Kind::Workshop as u8;
pub const SESSION: u8 = Kind::Session as u8;
pub const PRODUCT: u8 = Kind::Product as u8;
pub const PRODUCTION_BATCH: u8 = Kind::ProductionBatch as u8;
pub const SALE: u8 = Kind::Sale as u8;
pub const PAYOUT_RUN: u8 = Kind::PayoutRun as u8;
pub const INSTRUMENT: u8 = Kind::Instrument as u8;
pub const SURVEY_ROUND: u8 = Kind::SurveyRound as u8;
pub const INDICATOR: u8 = Kind::Indicator as u8;
pub const RELEASE: u8 = Kind::Release as u8;
pub const USER: u8 = Kind::User as u8;
pub const MEMBERSHIP: u8 = Kind::Membership as u8;
pub const SERVICE_KEY: u8 = Kind::ServiceKey as u8;
pub const INVITATION: u8 = Kind::Invitation as u8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_as_it_went() {
        let id = Uuid::from_u128(0x0102_0304_0506_4708_890a_0b0c_0d0e_0f10);
        let text = text(Kind::Kit, id);
        assert_eq!(text.len(), 23);
        assert_eq!(GlobalId::parse(&text), Some(GlobalId { kind: Kind::Kit, id }));
    }

    #[test]
    fn what_is_not_an_id_is_refused() {
        for text in ["", "a", "AAAAAAAAAAAAAAAAAAAAAAA", "____________________________", "ñññññññññññ"]
        {
            assert_eq!(GlobalId::parse(text), None, "{text}");
        }
    }
}
