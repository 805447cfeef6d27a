use entity::value::{QuestionKind, RiskClass};
use rust_xlsxwriter::Workbook;

use super::*;
use crate::import::Fault;

const SURVEY: &str =
    "type|name|label::Español (es)|label::English (en)|required|relevant|constraint|parameters|umbral_risk
start|start
today|today
text|umbral_participant|Código
select_one places|umbral_facility|Centro
begin_group|about|Sobre el taller
note|hello|Hola
select_one yes_no|busy|¿La mantienen ocupada?|Do they keep you busy?|yes||||SELF_REPORTED
integer|income|¿Cuánto gana?||no||. >= 0 and . <= 20000||SELF_REPORTED
select_multiple why|why|¿Por qué viene?|Why do you come?|||||membership
range|mood|¿Cómo se siente?|||||start=1 end=5 step=1|SELF_REPORTED
end_group
begin group|money|||||
select_one whom|sends|¿A quién manda dinero?||true()|selected(${why}, 'money') or ${why}='learn'|||RETALIATION
end group
select_one whom|calm|¿Con quién está tranquila?|||${busy} = 'si'|||SELF_REPORTED
calculate|total";

const CHOICES: &str = "list_name|name|label::Español (es)|label::English (en)
yes_no|si|Sí|Yes
yes_no|no|No|No
yes_no|does_not_know|No sabe|Does not know

why|learn|Aprender|To learn
why|money|Dinero|
whom|mother|A su madre|
whom|nobody|A nadie|
whom|REFUSED|No quiere decirlo|";

const SETTINGS: &str = "form_title|form_id|default_language
Impacto 2026|impact_2026|Español (es)";

/// A workbook of these sheets, cell by cell.
fn book(sheets: &[(&str, &str)]) -> Vec<u8> {
    let mut book = Workbook::new();
    for (name, text) in sheets {
        let sheet = book.add_worksheet().set_name(*name).unwrap();
        for (row, line) in (0..).zip(text.lines()) {
            for (column, cell) in (0..).zip(line.split('|')) {
                sheet.write(row, column, cell).unwrap();
            }
        }
    }
    book.save_to_buffer().unwrap()
}

fn form_of(survey: &str, choices: &str, settings: &str) -> Result<Form, Vec<Fault>> {
    let bytes = book(&[("survey", survey), ("choices", choices), ("settings", settings)]);
    let mut faults = Faults::default();
    let form = read_form(&bytes, &mut faults);
    // Either a form or what is wrong with it.
    assert_eq!(form.is_some(), faults.is_empty());
    form.ok_or_else(|| faults.into_list())
}

fn told(faults: &[Fault]) -> Vec<(u32, &str, &str)> {
    faults
        .iter()
        .map(|fault| (fault.line, fault.column.as_deref().unwrap_or_default(), fault.code.name()))
        .collect()
}

#[track_caller]
fn refused(survey: &str, choices: &str, settings: &str, wanted: &[(u32, &str, &str)]) {
    let faults = form_of(survey, choices, settings).unwrap_err();
    assert_eq!(told(&faults), wanted);
}

/// The form with one row of its survey changed, and what is wrong then.
#[track_caller]
fn changed(from: &str, to: &str, wanted: &[(u32, &str, &str)]) {
    assert_eq!(SURVEY.matches(from).count(), 1, "{from}");
    refused(&SURVEY.replace(from, to), CHOICES, SETTINGS, wanted);
}

#[test]
fn a_form_becomes_an_instrument() {
    let form = form_of(SURVEY, CHOICES, SETTINGS).unwrap();
    assert_eq!((form.code.as_str(), form.title.original.as_str()), ("impact_2026", "es"));
    assert_eq!(form.title.translations[0].text, "Impacto 2026");
    let kinds: Vec<_> = form
        .questions
        .iter()
        .map(|question| (question.code.as_str(), question.kind, question.required))
        .collect();
    assert_eq!(
        kinds,
        [
            ("busy", QuestionKind::YesNo, true),
            ("income", QuestionKind::Number, false),
            ("why", QuestionKind::Multiple, false),
            ("mood", QuestionKind::Scale, false),
            ("sends", QuestionKind::Single, true),
            ("calm", QuestionKind::Single, false),
        ]
    );
    let [busy, income, why, mood, sends, calm] = form.questions.as_slice() else { panic!("{form:?}") };
    let texts: Vec<_> =
        busy.text.translations.iter().map(|text| (text.lang.as_str(), text.text.as_str())).collect();
    assert_eq!(texts, [("es", "¿La mantienen ocupada?"), ("en", "Do they keep you busy?")]);
    assert!(busy.options.is_empty() && busy.asked_when.is_none());
    assert_eq!((income.min, income.max, income.text.translations.len()), (Some(0), Some(20_000), 1));
    assert_eq!((mood.min, mood.max), (Some(1), Some(5)));
    let codes = |question: &QuestionInput| -> Vec<String> {
        question.options.iter().map(|option| option.code.clone()).collect()
    };
    assert_eq!((codes(why), why.risk_class), (vec!["learn".into(), "money".into()], RiskClass::Membership));
    // That she does not want to say it is no option: every question takes it.
    assert_eq!(
        (codes(sends), sends.risk_class),
        (vec!["mother".into(), "nobody".into()], RiskClass::Retaliation)
    );
    let when = sends.asked_when.as_ref().unwrap();
    assert_eq!(
        (when.question.as_str(), &when.any_of),
        ("why", &vec!["money".to_owned(), "learn".to_owned()])
    );
    let when = calm.asked_when.as_ref().unwrap();
    assert_eq!((when.question.as_str(), &when.any_of), ("busy", &vec!["YES".to_owned()]));
    // Rows as the spreadsheet shows them.
    assert_eq!((form.places[0].line, form.places[4].line), (8, 14));
    assert_eq!(form.places[4].options, [8, 9]);
}

#[test]
fn a_plain_label_is_in_the_default_language() {
    let survey = "type|name|label|umbral_risk\ninteger|age_left|¿Cuánto falta?|MEMBERSHIP";
    let form =
        form_of(survey, "list_name|name|label", "form_title|form_id|default_language\nA|a|es").unwrap();
    assert_eq!(form.questions[0].text.original, "es");
    let settings = "form_title|form_id\nA|a";
    refused(survey, "list_name|name|label", settings, &[(1, "survey.label", "UNKNOWN_HEADER")]);
    let settings = "form_title|form_id|default_language\nA|a|Español";
    let both = [(1, "survey.label", "UNKNOWN_HEADER"), (2, "settings.default_language", "BAD_CHOICE")];
    refused(survey, "list_name|name|label", settings, &both);
}

#[test]
fn a_class_of_risk_is_never_guessed() {
    let survey: String =
        SURVEY.lines().map(|line| format!("{}\n", line.replace("umbral_risk", "other"))).collect();
    let rows = [8, 9, 10, 11, 14, 16].map(|line| (line, "survey.umbral_risk", "MISSING_VALUE"));
    refused(&survey, CHOICES, SETTINGS, &rows);
    changed("membership", "low", &[(10, "survey.umbral_risk", "BAD_CHOICE")]);
}

#[test]
fn what_an_instrument_does_not_hold_is_refused_by_row() {
    for type_of in [
        "text",
        "decimal",
        "select_one whom or_other",
        "select_one_from_file a.csv",
        "geopoint",
        "begin_repeat",
    ] {
        changed("integer|income", &format!("{type_of}|income"), &[(9, "survey.type", "UNSUPPORTED")]);
    }
    changed("select_one whom|calm", "select_one nothing|calm", &[(16, "survey.type", "NOT_FOUND")]);
    changed(". >= 0 and . <= 20000", ". mod 5 = 0", &[(9, "survey.constraint", "UNSUPPORTED")]);
    changed("Why do you come?||||", "Why do you come?|||. > 1|", &[(10, "survey.constraint", "UNSUPPORTED")]);
    changed("start=1 end=5 step=1", "start=0 end=1 step=0.1", &[(11, "survey.parameters", "UNSUPPORTED")]);
    changed("${busy} = 'si'", "not(${busy} = 'si')", &[(16, "survey.relevant", "UNSUPPORTED")]);
    changed("true()", "${busy} = 'si'", &[(14, "survey.required", "UNSUPPORTED")]);
    changed("¿Cuánto gana?", "", &[(9, "survey.label::Español (es)", "MISSING_VALUE")]);
    changed("integer|income", "integer|", &[(9, "survey.name", "MISSING_VALUE")]);
    changed("integer|income", "|income", &[(9, "survey.type", "MISSING_VALUE")]);
    changed("end group", "note", &[(1, "survey.type", "INVALID")]);
    changed(
        "begin_group|about",
        "end_group|about",
        &[(6, "survey.type", "INVALID"), (12, "survey.type", "INVALID")],
    );
}

#[test]
fn the_condition_of_a_group_is_that_of_its_questions() {
    let group = |when: &str| SURVEY.replace("begin group|money||||", &format!("begin group|money||||{when}"));
    let same = group("selected(${why}, 'money') or ${why}='learn'");
    refused(&group("${busy} = 'si'"), CHOICES, SETTINGS, &[(14, "survey.relevant", "UNSUPPORTED")]);
    let when = |survey: &str| form_of(survey, CHOICES, SETTINGS).unwrap().questions[4].asked_when.clone();
    assert_eq!(when(&same).unwrap().question, "why");
    let alone = group("${busy} = 'no'").replace("selected(${why}, 'money') or ${why}='learn'", "");
    let when_alone = when(&alone).unwrap();
    assert_eq!((when_alone.question.as_str(), when_alone.any_of), ("busy", vec!["NO".to_owned()]));
    // Whether she answered at all is no condition: who did not has no answers.
    let outcome = alone.replace("${busy} = 'no'", "${umbral_outcome} = 'answered'");
    assert_eq!(when(&outcome).map(|when| when.question), None);
}

#[test]
fn a_workbook_that_is_no_form_is_refused() {
    let mut faults = Faults::default();
    assert!(read_form(b"type,name,label", &mut faults).is_none());
    assert!(read_form(b"PK\x03\x04 and nothing else", &mut faults).is_none());
    assert!(read_form(&book(&[("Sheet1", "a|b")]), &mut faults).is_none());
    assert!(read_form(&book(&[("survey", SURVEY), ("settings", "form_id")]), &mut faults).is_none());
    let codes: Vec<_> = faults.into_list().iter().map(|fault| fault.code.name()).collect();
    assert_eq!(codes, ["BAD_WORKBOOK", "BAD_WORKBOOK", "EMPTY"]);
    refused(SURVEY, CHOICES, "form_title\nA", &[(2, "settings.form_id", "MISSING_VALUE")]);
    let nothing = "type|name|label::es\nnote|a|b";
    refused(nothing, CHOICES, SETTINGS, &[(1, "survey", "EMPTY")]);
    let choices = "list_name|name|label::es\nyes_no|si|\nwhy|a|b\nwhom|c|d";
    refused(SURVEY, choices, SETTINGS, &[(2, "choices.label::es", "MISSING_VALUE")]);
}

#[test]
fn no_bytes_make_the_reader_fail() {
    let whole = book(&[("survey", "type|name\nrange|a"), ("settings", SETTINGS)]);
    // As many places as there is time for, spread over all of the file.
    for place in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x55;
        read_form(&bytes, &mut Faults::default());
        read_form(&bytes[..place], &mut Faults::default());
    }
}
