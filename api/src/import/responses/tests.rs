use entity::value::{Localized, QuestionOption, RiskClass};

use super::*;
use crate::import::Fault;

/// A cell that no report may repeat.
const CANARY: &str = "Zyxque";

fn question(code: &str, kind: QuestionKind, options: &[&str]) -> Question {
    let text = Localized { original: "es".to_owned(), texts: Default::default() };
    let option = |code: &&str| QuestionOption { code: (*code).to_owned(), text: text.clone() };
    Question {
        code: code.to_owned(),
        kind,
        text: text.clone(),
        risk_class: RiskClass::SelfReported,
        required: false,
        options: options.iter().map(option).collect(),
        min: None,
        max: None,
        unit: None,
        asked_when: None,
    }
}

fn questions() -> Vec<Question> {
    vec![
        question("busy", QuestionKind::YesNo, &[]),
        question("income", QuestionKind::Number, &[]),
        question("why", QuestionKind::Multiple, &["learn", "money"]),
        question("sends", QuestionKind::Single, &["mother", "nobody"]),
    ]
}

fn read_as(named: bool, text: &str, limits: &Limits) -> (Option<Vec<FoundResponse>>, Vec<Fault>) {
    let (found, faults) = read_bytes(named, text.as_bytes(), limits);
    assert!(!format!("{faults:?}").contains(CANARY), "{faults:?}");
    (found, faults)
}

fn read_bytes(named: bool, bytes: &[u8], limits: &Limits) -> (Option<Vec<FoundResponse>>, Vec<Fault>) {
    let (questions, pass_over) = (questions(), ["notes".to_owned()]);
    let asked = Asked { questions: &questions, named, pass_over: &pass_over };
    let format = Format::of(bytes);
    let names = Names::of(format, Renamed::default());
    let mut faults = Faults::default();
    let mut collector = Collector {
        asked: &asked,
        names: &names,
        format,
        known: HashMap::new(),
        found: Vec::new(),
        faults: &mut faults,
    };
    let read = match format {
        Format::Json => json::read(bytes, limits, &mut collector),
        Format::Table => table::read(bytes, Encoding::Utf8, limits, &mut collector),
    };
    let found = read.map(|()| collector.found);
    (found, faults.into_list())
}

fn read(text: &str) -> Vec<FoundResponse> {
    let (found, faults) = read_as(true, text, &RESPONSES);
    assert_eq!(faults, []);
    found.unwrap()
}

fn told(text: &str) -> Vec<(u32, String, &'static str)> {
    let (_, faults) = read_as(true, text, &RESPONSES);
    let at = |fault: Fault| (fault.line, fault.column.unwrap_or_default(), fault.code.name());
    faults.into_iter().map(at).collect()
}

fn at(wanted: &[(u32, &str, &'static str)]) -> Vec<(u32, String, &'static str)> {
    wanted.iter().map(|&(line, column, code)| (line, column.to_owned(), code)).collect()
}

const HEAD: &str =
    "client_id;participant_code;facility;answered_on;outcome;form_number;busy;income;why;sends;notes\n";
const ID: &str = "01890a5d-ac96-4b74-8cce-b302099a8057";

fn row(cells: &str) -> String {
    format!("{HEAD}{ID};W-1;neza;2026-03-08;{cells}\n")
}

#[test]
fn tables_are_read() {
    let found = read(&row("answered;E-7;sí;-3;learn | money;REFUSED;Zyxque"));
    let [response] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((response.line, response.client_id.to_string().as_str()), (2, ID));
    assert_eq!((response.participant.as_deref(), response.facility.as_str()), (Some("W-1"), "neza"));
    assert_eq!(response.form_number.as_deref(), Some("E-7"));
    assert_eq!(
        (response.outcome, response.answered_on.to_string().as_str()),
        (ResponseOutcome::Answered, "2026-03-08")
    );
    let [busy, income, why, sends] = response.answers.as_slice() else { panic!("{response:?}") };
    assert_eq!(
        (busy.yes, income.number, sends.missing),
        (Some(true), Some(-3), Some(MissingAnswer::Refused))
    );
    assert_eq!(why.options, ["learn", "money"]);
    let silent = read(&row("LEFT;;;;;;"));
    assert_eq!(
        (silent[0].outcome, silent[0].answers.len(), &silent[0].form_number),
        (ResponseOutcome::Left, 0, &None)
    );
}

#[test]
fn faults_of_tables_say_where_and_never_what() {
    assert_eq!(
        told(&format!("{HEAD}Zyxque;W-1;neza;Zyxque;Zyxque;;Zyxque;Zyxque;;;\n{ID};;;;;;1;1.5;;;\n")),
        at(&[
            (2, "client_id", "BAD_CODE"),
            (2, "answered_on", "BAD_DATE"),
            (2, "outcome", "BAD_CHOICE"),
            (2, "busy", "BAD_CHOICE"),
            (2, "income", "BAD_NUMBER"),
            (3, "answered_on", "MISSING_VALUE"),
            (3, "outcome", "MISSING_VALUE"),
            (3, "facility", "MISSING_VALUE"),
            (3, "participant_code", "MISSING_VALUE"),
            (3, "income", "BAD_NUMBER"),
        ])
    );
    let twice = row("ABSENT;;;;;;") + &format!("{ID};W-2;neza;2026-03-08;ABSENT;;;;;;\n");
    assert_eq!(told(&twice), at(&[(3, "client_id", "DUPLICATE")]));
    assert_eq!(told(&row("ABSENT;;;;;;;Zyxque")), at(&[(2, "", "RAGGED")]));
    assert_eq!(told(&row("ABSENT;;\"Zyxque;;;;;")), at(&[(2, "", "BAD_QUOTES")]));
}

#[test]
fn a_table_without_its_header_is_not_repeated() {
    let headless = format!("{ID};Zyxque;neza;2026-03-08;ANSWERED;;Zyxque\n");
    let found = told(&headless);
    assert_eq!(found.iter().filter(|(_, _, code)| *code == "UNKNOWN_HEADER").count(), 7);
    let missing: Vec<_> =
        found.iter().filter(|(_, _, code)| *code == "MISSING_HEADER").map(|(_, name, _)| name).collect();
    assert_eq!(missing, ["client_id", "participant_code", "facility", "answered_on", "outcome"]);
    let twice = told(&HEAD.replace("income", "busy"));
    assert_eq!(twice, at(&[(1, "", "DUPLICATE_HEADER")]));
}

#[test]
fn an_anonymous_round_needs_no_code() {
    let text = format!("client_id,facility,answered_on,outcome,busy\n{ID},neza,2026-03-08,ANSWERED,no\n");
    let (found, faults) = read_as(false, &text, &RESPONSES);
    assert_eq!((faults.len(), found.unwrap()[0].participant.as_deref()), (0, None));
}

/// What KoboToolbox exports of one submission.
const KOBO: &str = r#"{
    "_id": 4, "formhub/uuid": "a", "start": "2026-03-09T09:00:00", "today": "2026-03-08", "__version__": "v",
    "umbral_participant": "W-1", "where/umbral_facility": "neza",
    "about/busy": "yes", "about/income": "1500", "about/why": "money learn", "sends": null,
    "meta/instanceID": "uuid:00000000-0000-4000-8000-000000000002", "_uuid": "01890a5d-ac96-4b74-8cce-b302099a8057",
    "_submission_time": "2026-03-09T01:02:03", "_geolocation": [null, null], "_attachments": [{"id": 1}],
    "_validation_status": {"label": "Approved"}, "notes": "Zyxque"
}"#;

#[test]
fn submissions_are_read() {
    let plain = format!("[{KOBO}]");
    for text in [plain.clone(), format!("\u{feff} {{\"count\": 1, \"results\": {plain}, \"next\": null}}")] {
        let found = read(&text);
        let [response] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((response.line, response.client_id.to_string().as_str()), (1, ID));
        assert_eq!(
            (response.outcome, response.answered_on.to_string().as_str()),
            (ResponseOutcome::Answered, "2026-03-08")
        );
        assert_eq!((response.participant.as_deref(), response.facility.as_str()), (Some("W-1"), "neza"));
        let [busy, income, why] = response.answers.as_slice() else { panic!("{response:?}") };
        assert_eq!((busy.yes, income.number), (Some(true), Some(1500)));
        assert_eq!(why.options, ["money", "learn"]);
    }
}

#[test]
fn submissions_of_odk_have_groups_as_objects() {
    let text = r#"{"value": [{
        "__id": "uuid:01890a5d-ac96-4b74-8cce-b302099a8057",
        "__system": {"submissionDate": "2026-03-08T23:00:00.000Z", "submitterName": "Zyxque"},
        "meta": {"instanceName": null}, "umbral_participant": "W-1", "umbral_facility": "neza", "umbral_outcome": "refused",
        "about": {"busy": true, "income": 12, "deep": {"sends": "DOES_NOT_KNOW"}}}]}"#;
    let found = read(text);
    let [response] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((response.client_id.to_string().as_str(), response.outcome), (ID, ResponseOutcome::Refused));
    assert_eq!(response.answered_on.to_string(), "2026-03-08");
    let [busy, income, sends] = response.answers.as_slice() else { panic!("{response:?}") };
    assert_eq!(
        (busy.yes, income.number, sends.missing),
        (Some(true), Some(12), Some(MissingAnswer::DoesNotKnow))
    );
}

#[test]
fn the_root_of_an_edited_submission_is_its_id() {
    let edited =
        KOBO.replace("\"_id\": 4", "\"meta/rootUuid\": \"uuid:00000000-0000-4000-8000-000000000003\"");
    let found = read(&format!("[{edited}]"));
    assert_eq!(found[0].client_id.to_string(), "00000000-0000-4000-8000-000000000003");
}

#[test]
fn faults_of_submissions_say_where_and_never_what() {
    let other = KOBO
        .replace("\"yes\"", "\"Zyxque\"")
        .replace("\"1500\"", "12.5")
        .replace("2026-03-08", "Zyxque día de la primera visita")
        .replace("sends", "free")
        .replace("null,\n", "\"Zyxque\",\n")
        .replace("\"notes\"", "\"children\": [{\"name\": \"Zyxque\"}], \"notes\"");
    assert_eq!(
        told(&format!("[{KOBO}, {other}, {other}]")),
        at(&[
            (2, "free", "UNKNOWN_HEADER"),
            (2, "children", "UNKNOWN_HEADER"),
            (2, "_uuid", "DUPLICATE"),
            (2, "today", "BAD_DATE"),
            (2, "busy", "BAD_CHOICE"),
            (2, "income", "BAD_NUMBER"),
            (3, "_uuid", "DUPLICATE"),
            (3, "today", "BAD_DATE"),
            (3, "busy", "BAD_CHOICE"),
            (3, "income", "BAD_NUMBER"),
        ])
    );
    let both = KOBO.replace("\"sends\": null", "\"again/busy\": \"no\"");
    assert_eq!(told(&format!("[{both}]")), at(&[(1, "busy", "DUPLICATE")]));
}

#[test]
fn what_is_no_json_of_submissions_is_refused_without_being_repeated() {
    let deep = "[".repeat(100_000);
    let nested = format!("[{{\"a\": {}", "{\"a\": ".repeat(5_000));
    let wide: String = (0..3_000).map(|n| format!("\"q{n}\": 1,")).collect();
    let wide = format!("[{{{wide}\"z\": 1}}]");
    for text in [
        "[",
        "{}",
        "{\"Zyxque\": []}",
        "[\"Zyxque\"]",
        "[[]]",
        "{\"results\": \"Zyxque\"}",
        "{\"results\": {\"results\": []}}",
        "[{\"busy\": Zyxque}]",
        "[{}] Zyxque",
        "[{\"busy\": \"\\ud800Zyxque\"}]",
        "[{\"income\": 1e999}]",
        deep.as_str(),
        nested.as_str(),
        wide.as_str(),
    ] {
        let found = told(text);
        assert!(
            found.iter().any(|(_, column, code)| column.is_empty() && *code == "BAD_TEXT"),
            "{text:.40}: {found:?}"
        );
    }
    let (found, faults) = read_as(true, &format!("[{KOBO}, {KOBO}]"), &Limits { rows: 1, ..RESPONSES });
    assert!(found.is_none());
    assert_eq!((faults[0].line, faults[0].code), (2, FaultCode::TooLarge));
    let (found, faults) = read_as(true, &format!("[{KOBO}]"), &Limits { bytes: 20, ..RESPONSES });
    assert!(found.is_none());
    assert_eq!(faults[0].code, FaultCode::TooLarge);
    let (_, faults) = read_as(true, &row("LEFT;;;;;;"), &Limits { rows: 0, ..RESPONSES });
    assert_eq!(faults[0].code, FaultCode::TooLarge);
}

#[test]
fn no_bytes_make_the_reader_fail() {
    for sample in [format!("[{KOBO}]"), row("answered;E-7;sí;-3;learn | money;REFUSED;\"a\"\"b\"")] {
        for place in 0..sample.len() {
            for byte in [b'"', b'{', b'[', b']', b',', b';', b'\\', b'\n', b'9', 0, 0xC3, 0xFF] {
                let mut bytes = sample.clone().into_bytes();
                bytes[place] = byte;
                read_bytes(true, &bytes, &RESPONSES);
                read_bytes(true, &bytes[..=place], &RESPONSES);
            }
        }
    }
}

#[test]
fn a_question_cannot_be_called_as_a_column_is() {
    let questions = [question("Outcome", QuestionKind::YesNo, &[])];
    let asked = Asked { questions: &questions, named: true, pass_over: &[] };
    let mut faults = Faults::default();
    let names = Names::of(Format::Table, Renamed::default());
    assert!(read_responses(HEAD.as_bytes(), Encoding::Utf8, &asked, &names, &mut faults).is_none());
    assert_eq!(faults.into_list()[0].code, FaultCode::Duplicate);
    let renamed = Names::of(Format::Table, Renamed { outcome: Some("result"), ..Renamed::default() });
    let text = format!(
        "client_id,participant_code,facility,answered_on,result,Outcome\n{ID},W,neza,2026-03-08,ANSWERED,0\n"
    );
    let mut faults = Faults::default();
    let found = read_responses(text.as_bytes(), Encoding::Utf8, &asked, &renamed, &mut faults).unwrap();
    assert_eq!(found[0].answers[0].yes, Some(false));
}

#[test]
fn the_template_has_what_the_round_takes() {
    let questions = questions();
    let template = |named| responses_template(&Asked { questions: &questions, named, pass_over: &[] });
    assert_eq!(
        template(true),
        "client_id,participant_code,facility,answered_on,outcome,form_number,busy,income,why,sends\n"
    );
    assert_eq!(template(false), "client_id,facility,answered_on,outcome,busy,income,why,sends\n");
}
