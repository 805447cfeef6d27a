//! The words of the forms, in Spanish and English.

use crate::store::input::Message;

/// The language of a form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Language {
    Es,
    En,
}

impl Language {
    pub fn tag(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::En => "en",
        }
    }

    pub fn parse(tag: &str) -> Option<Self> {
        [Self::Es, Self::En].into_iter().find(|language| language.tag() == tag)
    }

    pub(super) fn of(self, message: Message) -> &'static str {
        match self {
            Self::Es => message.es,
            Self::En => message.en,
        }
    }
}

pub(super) const fn words(es: &'static str, en: &'static str) -> Message {
    Message { en, es }
}

pub(super) const DELIVERY_ACT: Message = words("Acta de entrega", "Delivery act");
pub(super) const ATTENDANCE_SHEET: Message = words("Lista de asistencia", "Attendance sheet");
pub(super) const GOODS_LIST: Message =
    words("Lista de artículos para el ingreso", "List of goods for the gate");
pub(super) const FORM_NUMBER: Message = words("Formulario n.º", "Form no.");
pub(super) const FACILITY: Message = words("Centro", "Facility");
pub(super) const PROGRAM: Message = words("Programa", "Program");
pub(super) const DAY: Message = words("Fecha", "Date");
pub(super) const DELIVERY: Message = words("Entrega", "Delivery");
pub(super) const PLACE: Message = words("Lugar", "Place");
pub(super) const SESSION: Message = words("Sesión o tema", "Session or topic");
pub(super) const GOODS: Message = words("Artículo o kit", "Item or kit");
pub(super) const UNIT: Message = words("Unidad", "Unit");
pub(super) const QUANTITY: Message = words("Cantidad", "Quantity");
pub(super) const HANDED_OVER: Message = words("Entregado", "Handed over");
pub(super) const LOT: Message = words("Lote", "Lot");
pub(super) const EXPIRES: Message = words("Vence", "Expires");
pub(super) const LET_IN: Message = words("Ingresa", "Let in");
pub(super) const KEPT: Message = words("Retenido", "Held back");
pub(super) const NAME: Message = words("Nombre o clave", "Name or key");
pub(super) const SIGNATURE: Message = words("Firma o huella", "Signature or thumbprint");
pub(super) const REACHED: Message = words("Mujeres alcanzadas", "Women reached");
pub(super) const HOW: Message = words("☐ contadas  ☐ estimadas", "☐ counted  ☐ estimated");
pub(super) const REMARKS: Message = words("Observaciones", "Remarks");
pub(super) const GIVES: Message =
    words("Entrega: nombre, cargo y firma", "Handed over by: name, office, signature");
pub(super) const TAKES: Message =
    words("Recibe: nombre, cargo y firma", "Received by: name, office, signature");
pub(super) const GATE: Message =
    words("Guardia de ingreso: nombre y firma", "Officer at the gate: name, signature");
pub(super) const LEADS: Message =
    words("Responsable de la sesión: nombre y firma", "Led by: name, signature");
pub(super) const PRESENT: Message = words("Total de presentes", "Total present");
pub(super) const NOT_THE_NAMES: Message = words(
    "No anote aquí nombres de mujeres privadas de libertad ni su estado de salud o jurídico.",
    "Write no names of women in prison here, nor anything of their health or legal situation.",
);
pub(super) const LOCK_AWAY: Message = words(
    "Guarde esta hoja bajo llave y no la fotografíe. Participar es voluntario; negarse no cambia ningún derecho.",
    "Keep this sheet locked away and take no picture of it. Taking part is voluntary; to refuse changes no entitlement.",
);
pub(super) const ENTER_IT: Message = words(
    "Al registrar esta hoja, indique el número de formulario.",
    "When you enter this sheet, give its form number.",
);
