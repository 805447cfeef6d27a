//! The three forms.

use super::{
    Form, Language, begin, element, escape,
    words::{
        ATTENDANCE_SHEET, DAY, DELIVERY, DELIVERY_ACT, ENTER_IT, EXPIRES, FACILITY, FORM_NUMBER, GATE, GIVES,
        GOODS, GOODS_LIST, HANDED_OVER, HOW, KEPT, LEADS, LET_IN, LOCK_AWAY, LOT, NAME, NOT_THE_NAMES, PLACE,
        PRESENT, PROGRAM, QUANTITY, REACHED, REMARKS, SESSION, SIGNATURE, TAKES, UNIT,
    },
};
use crate::store::input::Message;

/// What a form is filled with; a blank one has the organisation and the number alone.
#[derive(Clone, Debug, Default)]
pub struct Filled {
    pub number: String,
    pub organization: String,
    /// The global id of the delivery.
    pub delivery: Option<String>,
    pub facility: String,
    pub program: String,
    pub day: String,
    pub reached: String,
    pub goods: Vec<Good>,
}

/// A line of goods.
#[derive(Clone, Debug, Default)]
pub struct Good {
    pub name: String,
    pub unit: String,
    pub quantity: String,
}

/// How many empty lines a blank form has, and one that is filled.
const BLANK: usize = 12;
const MORE: usize = 2;
/// As many as fit on a sheet of Letter.
const PEOPLE: usize = 16;

/// A form as a page.
pub fn write(form: Form, language: Language, filled: &Filled) -> String {
    let say = |message: Message| language.of(message);
    let title = say(match form {
        Form::DeliveryAct => DELIVERY_ACT,
        Form::AttendanceSheet => ATTENDANCE_SHEET,
        Form::GoodsList => GOODS_LIST,
    });
    let mut out = String::with_capacity(8 * 1024);
    begin(&mut out, language, &format!("{title} {}", filled.number), title, &filled.organization);
    escape(&mut out, say(FORM_NUMBER));
    out.push_str("<br>");
    element(&mut out, "strong", &filled.number);
    out.push_str("</p>\n</header>\n<main>\n");
    let mut facts =
        vec![(FACILITY, filled.facility.as_str()), (PROGRAM, &filled.program), (DAY, &filled.day)];
    match form {
        Form::DeliveryAct => facts.push((PLACE, "")),
        Form::AttendanceSheet => facts.push((SESSION, "")),
        Form::GoodsList => {}
    }
    if let Some(delivery) = &filled.delivery {
        facts.push((DELIVERY, delivery));
    }
    list(&mut out, language, &facts);
    match form {
        Form::DeliveryAct => {
            let columns = [GOODS, UNIT, QUANTITY, HANDED_OVER, LOT];
            table(&mut out, language, &columns, goods(filled, 2));
            list(&mut out, language, &[(REACHED, &format!("{}   {}", filled.reached, say(HOW)))]);
            remarks(&mut out, language);
            signatures(&mut out, language, &[GIVES, TAKES]);
        }
        Form::AttendanceSheet => {
            let people = (1..=PEOPLE).map(|n| vec![n.to_string(), String::new(), String::new()]);
            table(&mut out, language, &[NUMBER, NAME, SIGNATURE], people.collect());
            list(&mut out, language, &[(PRESENT, "")]);
            signatures(&mut out, language, &[LEADS]);
        }
        Form::GoodsList => {
            let columns = [GOODS, UNIT, QUANTITY, LOT, EXPIRES, LET_IN, KEPT];
            table(&mut out, language, &columns, goods(filled, 4));
            remarks(&mut out, language);
            signatures(&mut out, language, &[GIVES, GATE]);
        }
    }
    out.push_str("</main>\n<footer>\n");
    element(&mut out, "p", say(if form == Form::AttendanceSheet { LOCK_AWAY } else { NOT_THE_NAMES }));
    element(&mut out, "p", say(ENTER_IT));
    out.push_str("</footer>\n</body>\n</html>\n");
    out
}

const NUMBER: Message = Message { en: "No.", es: "N.º" };

/// The goods, with cells to write in behind them, and empty lines for more.
fn goods(filled: &Filled, empty_cells: usize) -> Vec<Vec<String>> {
    let row = |good: &Good| {
        let mut row = vec![good.name.clone(), good.unit.clone(), good.quantity.clone()];
        row.resize(3 + empty_cells, String::new());
        row
    };
    let empty = if filled.goods.is_empty() { BLANK } else { MORE };
    let blank = Good::default();
    filled.goods.iter().chain(std::iter::repeat_n(&blank, empty)).map(row).collect()
}

fn list(out: &mut String, language: Language, facts: &[(Message, &str)]) {
    let facts: Vec<(&str, &str)> = facts.iter().map(|(name, value)| (language.of(*name), *value)).collect();
    super::list(out, &facts);
}

fn table(out: &mut String, language: Language, columns: &[Message], rows: Vec<Vec<String>>) {
    // What is counted stands to the right, and what is written in by hand needs room.
    let class = |place: usize| match columns.get(place).copied() {
        Some(NUMBER) => " class=\"order\"",
        Some(QUANTITY | HANDED_OVER) => " class=\"n\"",
        Some(LOT | EXPIRES | LET_IN | KEPT) => " class=\"w\"",
        _ => "",
    };
    out.push_str("<table>\n<thead><tr>");
    for (place, column) in columns.iter().enumerate() {
        out.push_str(&format!("<th scope=\"col\"{}>", class(place)));
        escape(out, language.of(*column));
        out.push_str("</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (place, cell) in row.iter().enumerate() {
            out.push_str(&format!("<td{}>", class(place)));
            escape(out, cell);
            out.push_str("</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
}

fn remarks(out: &mut String, language: Language) {
    out.push_str("<div class=\"remarks\">");
    escape(out, language.of(REMARKS));
    out.push_str("</div>\n");
}

fn signatures(out: &mut String, language: Language, who: &[Message]) {
    out.push_str("<div class=\"signatures\">\n");
    for one in who {
        element(out, "p", language.of(*one));
    }
    out.push_str("</div>\n");
}
