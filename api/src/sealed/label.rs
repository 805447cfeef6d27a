//! Intervals as a person would say them, in Spanish and in English (DISCLOSURE 3.7, ruling 15).

use super::{CellValue, CountBand};
use crate::print::Language;

/// One of two texts.
fn of<'a>(language: Language, es: &'a str, en: &'a str) -> &'a str {
    match language {
        Language::Es => es,
        Language::En => en,
    }
}

impl CountBand {
    /// Whether it only says that there are fewer than the threshold.
    pub fn is_below(&self) -> bool {
        self.low == 0
    }

    pub fn label(&self, language: Language) -> String {
        let Self { low, high } = self;
        match (self.is_below(), language) {
            (true, Language::Es) => format!("menos de {} mujeres, o ninguna", high + 1),
            (true, Language::En) => format!("fewer than {} women, or none", high + 1),
            (false, Language::Es) => format!("entre {low} y {high} mujeres"),
            (false, Language::En) => format!("between {low} and {high} women"),
        }
    }
}

/// A share of women, in points of a hundred.
pub fn share(low: i64, high: i64, language: Language) -> String {
    match (low, high, language) {
        (.., 100, Language::Es) => format!("al menos {low} de cada 100"),
        (.., 100, Language::En) => format!("at least {low} of 100"),
        (0, .., Language::Es) => format!("no más de {high} de cada 100"),
        (0, .., Language::En) => format!("no more than {high} of 100"),
        (.., Language::Es) => format!("entre {low} y {high} de cada 100"),
        (.., Language::En) => format!("between {low} and {high} of 100"),
    }
}

/// An amount from and to, with its unit.
pub fn amount(low: i64, high: i64, decimals: u8, unit: &str, language: Language) -> String {
    let (low, high) = (number(low, decimals, language), number(high, decimals, language));
    let unit = unit_name(unit, language);
    match language {
        Language::Es => format!("entre {low} y {high} {unit}"),
        Language::En => format!("between {low} and {high} {unit}"),
    }
}

/// A value of an indicator with this unit and so many decimals.
pub fn value(value: &CellValue, unit: &str, decimals: u8, language: Language) -> String {
    match *value {
        CellValue::Count { low, high } => CountBand { low, high }.label(language),
        CellValue::Share { low_percent, high_percent, .. } => share(low_percent, high_percent, language),
        CellValue::Mean { low, high, .. } | CellValue::Sum { low, high, .. } => {
            amount(low, high, decimals, unit, language)
        }
    }
}

/// What stands where nothing is released.
pub fn not_released(language: Language) -> &'static str {
    of(language, "no publicado", "not released")
}

/// A whole number of the last decimal, written out: 74 with one decimal is 7.4, and thousands are set apart.
fn number(value: i64, decimals: u8, language: Language) -> String {
    let digits = value.unsigned_abs().to_string();
    let decimals = usize::from(decimals);
    let digits = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, rest) = digits.split_at(digits.len() - decimals);
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        // Four digits are read as they are, in Spanish (a space) as in English (a comma).
        if place > 0 && (whole.len() - place).is_multiple_of(3) && whole.len() > 4 {
            grouped.push_str(of(language, "\u{a0}", ","));
        }
        grouped.push(digit);
    }
    let rest = rest.trim_end_matches('0');
    let sign = if value < 0 { "-" } else { "" };
    if rest.is_empty() { format!("{sign}{grouped}") } else { format!("{sign}{grouped}.{rest}") }
}

fn unit_name(unit: &str, language: Language) -> &str {
    match unit {
        "HOUR" => of(language, "horas", "hours"),
        "DAY" => of(language, "días", "days"),
        "PERSON" => of(language, "personas", "people"),
        "SESSION" => of(language, "sesiones", "sessions"),
        "PIECE" => of(language, "piezas", "pieces"),
        "PERCENT" => of(language, "por ciento", "percent"),
        currency => currency,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Language::{En as English, Es as Spanish},
        *,
    };

    #[test]
    fn intervals_are_said_as_people_say_them() {
        assert_eq!(share(95, 98, Spanish), "entre 95 y 98 de cada 100");
        assert_eq!(share(82, 100, English), "at least 82 of 100");
        assert_eq!(share(0, 6, Spanish), "no más de 6 de cada 100");
        assert_eq!(CountBand { low: 0, high: 9 }.label(English), "fewer than 10 women, or none");
        assert_eq!(CountBand { low: 340, high: 344 }.label(Spanish), "entre 340 y 344 mujeres");
        assert_eq!(amount(73, 75, 1, "HOUR", Spanish), "entre 7.3 y 7.5 horas");
        assert_eq!(amount(0, 1_250_000, 2, "MXN", English), "between 0 and 12,500 MXN");
        assert_eq!(amount(-50, 1_234_567, 0, "CLP", Spanish), "entre -50 y 1\u{a0}234\u{a0}567 CLP");
    }
}
