//! `umbral import instrument` and `umbral import responses`.

use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use tests::{Folder, both};

use super::*;
use crate::{
    export::run_import_with,
    participant::{at, canary::at_rest, coordinator},
    talk::ask,
};

/// What no report may hold: a number that is nowhere else, and a woman's code.
const CANARY: &str = "17359";
const CODE: &str = "ZYXQUE-1";

const SURVEY: &[&[&str]] = &[
    &["type", "name", "label::Español (es)", "required", "relevant", "constraint", "umbral_risk"],
    &["text", "umbral_participant", "Código"],
    &["select_one yes_no", "busy", "¿La mantienen ocupada?", "yes", "", "", "SELF_REPORTED"],
    &["integer", "income", "¿Cuánto gana?", "", "", ". >= 0 and . <= 20000", "SELF_REPORTED"],
    &["select_multiple why", "why", "¿Por qué viene?", "", "", "", "MEMBERSHIP"],
    &[
        "select_one whom",
        "sends",
        "¿A quién manda dinero?",
        "yes",
        "selected(${why}, 'money')",
        "",
        "RETALIATION",
    ],
];
const CHOICES: &[&[&str]] = &[
    &["list_name", "name", "label::Español (es)"],
    &["yes_no", "yes", "Sí"],
    &["yes_no", "no", "No"],
    &["why", "learn", "Aprender"],
    &["why", "money", "Dinero"],
    &["whom", "mother", "A su madre"],
    &["whom", "nobody", "A nadie"],
];
const SETTINGS: &[&[&str]] =
    &[&["form_title", "form_id", "default_language"], &["Impacto", "impact", "Español (es)"]];

/// A workbook of these sheets.
fn book(sheets: &[(&str, &[&[&str]])]) -> Vec<u8> {
    let mut book = Workbook::new();
    for (name, rows) in sheets {
        let sheet = book.add_worksheet().set_name(*name).unwrap();
        for (row, cells) in (0..).zip(*rows) {
            for (column, cell) in (0..).zip(*cells) {
                sheet.write(row, column, *cell).unwrap();
            }
        }
    }
    book.save_to_buffer().unwrap()
}

fn form(survey: &[&[&str]], choices: &[&[&str]]) -> Vec<u8> {
    book(&[("survey", survey), ("choices", choices), ("settings", SETTINGS)])
}

/// `umbral import` with the keys of the server: whether it succeeded, and what it said.
async fn run(world: &World, arguments: &[&str], name: &str, bytes: impl AsRef<[u8]>) -> (bool, String) {
    let folder = Folder::new();
    run_import_with(&world.database, world.data_dir.path(), folder.path(), arguments, name, bytes.as_ref())
        .await
}

/// `umbral import responses` into the round `R-1`.
async fn send(world: &World, more: &[&str], bytes: impl AsRef<[u8]>) -> (bool, String) {
    run(world, &[&["responses", "--round", "R-1"], more].concat(), "responses", bytes).await
}

/// The round `R-1` in March.
async fn march(client: &Client, linkage: &str) -> Value {
    let instrument = instrument(client, "R-1").await;
    let days = json!({ "startsOn": "2026-03-01", "endsOn": "2026-03-31", "linkage": linkage });
    let input = with(&round_input("R-1", &instrument), days);
    done(client, "createSurveyRound", "surveyRound", "id version", &input).await
}

/// A round in March of two women who consent.
async fn two(world: &World) -> Value {
    let client = coordinator(world);
    let round = march(&client, "PSEUDONYMOUS").await;
    for code in [CODE, "W-2"] {
        consenting(&client, code).await;
    }
    round
}

const HEAD: &str =
    "client_id,participant_code,facility,answered_on,outcome,form_number,busy,income,why,mood,sends\n";

fn client_id(n: u8) -> String {
    format!("01890a5d-ac96-4b74-8cce-b302099a80{n:02}")
}

fn table(rows: &[&str]) -> String {
    let line = |(n, row): (u8, &&str)| format!("{},{row}\n", client_id(n));
    HEAD.to_owned() + &(1..).zip(rows).map(line).collect::<String>()
}

/// A table of both women.
fn both_women() -> String {
    let hers = format!("{CODE},neza,2026-03-08,ANSWERED,E-7,yes,{CANARY},learn|money,REFUSED,mother");
    table(&[&hers, "W-2,ecatepec,2026-03-09,ABSENT,,,,,,"])
}

/// The same of KoboToolbox.
fn submissions() -> String {
    let first = json!({ "_id": 1, "_uuid": client_id(1), "meta/instanceID": format!("uuid:{}", client_id(1)),
        "today": "2026-03-08", "_submission_time": "2026-03-09T03:00:00", "umbral_participant": CODE,
        "umbral_facility": "neza", "umbral_form_number": "E-7", "about/busy": "yes", "about/income": CANARY,
        "about/why": "learn money", "mood": "REFUSED", "sends": "mother", "_attachments": [] });
    let second = json!({ "_id": 2, "_uuid": client_id(2), "today": "2026-03-09", "umbral_participant": "W-2",
        "umbral_facility": "ecatepec", "umbral_outcome": "absent" });
    json!({ "count": 2, "results": [first, second] }).to_string()
}

async fn responses(client: &Client) -> Value {
    let list = "{ surveyResponses(first: 9) { nodes { participantCode facility { slug } outcome answeredOn channel \
        formNumber answers { question options number yes missing } } } }";
    let mut nodes = ask(client, list).await["surveyResponses"]["nodes"].clone();
    nodes.as_array_mut().unwrap().sort_by_key(|node| node["answeredOn"].to_string());
    nodes
}

/// What both files say.
fn said() -> Value {
    let answer = |question: &str, more: Value| {
        with(
            &json!({ "question": question, "options": [], "number": null, "yes": null, "missing": null }),
            more,
        )
    };
    json!([
        { "participantCode": CODE, "facility": { "slug": "neza" }, "outcome": "ANSWERED", "answeredOn": "2026-03-08",
            "channel": "IMPORT", "formNumber": "E-7", "answers": [
                answer("busy", json!({ "yes": true })), answer("income", json!({ "number": 17_359 })),
                answer("why", json!({ "options": ["learn", "money"] })), answer("mood", json!({ "missing": "REFUSED" })),
                answer("sends", json!({ "options": ["mother"] })) ] },
        { "participantCode": "W-2", "facility": { "slug": "ecatepec" }, "outcome": "ABSENT", "answeredOn": "2026-03-09",
            "channel": "IMPORT", "formNumber": null, "answers": null },
    ])
}

/// Refused, with these at the beginnings of lines of what it said, and nothing of a woman in it.
#[track_caller]
fn refuses((done, said): &(bool, String), faults: &[&str]) {
    assert!(!done, "{said}");
    let lines: Vec<&str> =
        said.lines().filter(|line| line.contains(": ") && !line.starts_with("umbral:")).collect();
    assert_eq!(lines.len(), faults.len(), "{said}");
    for fault in faults {
        assert!(lines.iter().any(|line| line.starts_with(&format!("{fault}: "))), "{fault}: {said}");
    }
    for secret in [CANARY, CODE, "panicked"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}

both!(
    async fn a_form_becomes_an_instrument_once(world: &World) {
        let client = coordinator(world);
        let whole = "{ instruments(first: 9) { nodes { code version title { text } versions { number questions { code kind \
            riskClass required min max options { code } askedWhen { question anyOf } } } } } }";
        let file = form(SURVEY, CHOICES);
        let before = world.counts().await;
        let (done, said) = run(world, &["instrument", "--dry-run"], "form.xlsx", &file).await;
        assert!(done && said.contains("4 rows read; 1 would be created, 0 unchanged"), "{said}");
        assert_eq!(world.counts().await, before);
        let (done, said) = run(world, &["instrument"], "form.xlsx", &file).await;
        assert!(done && said.contains("4 rows read; 1 created, 0 unchanged"), "{said}");
        let made = ask(&client, whole).await["instruments"]["nodes"][0].clone();
        assert_eq!((&made["code"], &made["title"]["text"]), (&json!("impact"), &json!("Impacto")));
        assert_eq!(
            made["versions"][0]["questions"],
            json!([
                { "code": "busy", "kind": "YES_NO", "riskClass": "SELF_REPORTED", "required": true, "min": null,
                    "max": null, "options": [], "askedWhen": null },
                { "code": "income", "kind": "NUMBER", "riskClass": "SELF_REPORTED", "required": false, "min": 0,
                    "max": 20_000, "options": [], "askedWhen": null },
                { "code": "why", "kind": "MULTIPLE", "riskClass": "MEMBERSHIP", "required": false, "min": null,
                    "max": null, "options": [{ "code": "learn" }, { "code": "money" }], "askedWhen": null },
                { "code": "sends", "kind": "SINGLE", "riskClass": "RETALIATION", "required": true, "min": null,
                    "max": null, "options": [{ "code": "mother" }, { "code": "nobody" }],
                    "askedWhen": { "question": "why", "anyOf": ["money"] } },
            ])
        );
        let after = world.counts().await;
        let (done, said) = run(world, &["instrument", "--lang", "es"], "form.xlsx", &file).await;
        assert!(done && said.contains("4 filas leídas; 0 creadas, 1 sin cambios"), "{said}");
        assert_eq!(world.counts().await, after);
        // Another question is another version.
        let (done, said) = run(world, &["instrument"], "form.xlsx", form(&SURVEY[..4], CHOICES)).await;
        assert!(done && said.contains("2 rows read; 1 created"), "{said}");
        let revised = ask(&client, whole).await["instruments"]["nodes"][0].clone();
        assert_eq!(
            (&revised["version"], revised["versions"][0]["questions"].as_array().unwrap().len()),
            (&json!(2), 2)
        );
        assert_eq!(revised["versions"][1], made["versions"][0]);
        let audit = world.audit().await;
        let traces: Vec<_> =
            audit.iter().map(|row| (row.role.as_str(), row.action.as_str(), row.entity.as_str())).collect();
        assert_eq!(traces, [("SYSTEM", "IMPORT", "instrument"); 2]);
    }
);

both!(
    async fn what_an_instrument_refuses_is_told_at_its_row(world: &World) {
        let before = world.counts().await;
        let bad = |row: usize, cells: &'static [&'static str]| {
            let mut survey = SURVEY.to_vec();
            survey[row] = cells;
            survey
        };
        let text = form(&bad(3, &["text", "income", "¿Cuánto gana?"]), CHOICES);
        refuses(&run(world, &["instrument"], "form.xlsx", text).await, &["line 4, survey.type: UNSUPPORTED"]);
        let unclassed = form(&bad(3, &["integer", "income", "¿Cuánto gana?"]), CHOICES);
        let refused = run(world, &["instrument"], "form.xlsx", unclassed).await;
        refuses(&refused, &["line 4, survey.umbral_risk: MISSING_VALUE"]);
        // What only the store knows: a code that is no code, one that is there twice, and a condition without a question.
        let twice = bad(
            3,
            &["integer", "busy", "¿Cuánto gana?", "", "${later} = 'x'", ". >= 5 and . <= 4", "MEMBERSHIP"],
        );
        let mut choices = CHOICES.to_vec();
        choices[5] = &["whom", "a su madre", "A su madre"];
        let refused = run(world, &["instrument"], "form.xlsx", form(&twice, &choices)).await;
        let wanted = [
            "line 4, survey.name: DUPLICATE",
            "line 4, survey.relevant: INVALID",
            "line 4, survey.constraint: OUT_OF_RANGE",
            "line 6, choices.name: INVALID",
        ];
        refuses(&refused, &wanted);
        assert_eq!(world.counts().await, before);
    }
);

both!(
    async fn a_table_is_imported_once(world: &World) {
        two(world).await;
        let client = coordinator(world);
        let before = world.stored().await;
        let (done, told) = send(world, &["--dry-run"], both_women()).await;
        assert!(done && told.contains("2 rows read; 2 would be created, 0 unchanged"), "{told}");
        assert_eq!(world.stored().await, before);
        let (done, told) = send(world, &[], both_women()).await;
        assert!(done && told.contains("2 rows read; 2 created, 0 unchanged"), "{told}");
        assert_eq!(responses(&client).await, said());
        let after = world.stored().await;
        let (done, told) = send(world, &[], both_women()).await;
        assert!(done && told.contains("2 rows read; 0 created, 2 unchanged"), "{told}");
        // The same as a workbook is the same.
        let text = both_women();
        let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
        let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
        let (done, told) = send(world, &[], book(&[("Hoja 1", &rows)])).await;
        assert!(done && told.contains("2 rows read; 0 created, 2 unchanged"), "{told}");
        // And so are its submissions.
        let (done, told) = send(world, &[], submissions()).await;
        assert!(done && told.contains("2 rows read; 0 created, 2 unchanged"), "{told}");
        assert_eq!(world.stored().await, after);
        let audit = world.audit().await;
        let imported: Vec<_> = audit.iter().filter(|row| row.action == "IMPORT").collect();
        assert_eq!(imported.len(), 2);
        assert!(
            imported
                .iter()
                .all(|row| row.role == "SYSTEM" && row.entity == "survey_response" && row.account.is_none())
        );
        // Nothing that was only told is without its trace: the check, and three times that all is here.
        let told = audit.iter().filter(|row| row.action == "READ" && row.role == "SYSTEM").count();
        assert_eq!(told, 4);
        assert_eq!(at_rest(world, &[CANARY]).await, Vec::<String>::new());
    }
);

both!(
    async fn submissions_are_imported_once(world: &World) {
        two(world).await;
        let (done, told) = send(world, &[], submissions()).await;
        assert!(done && told.contains("2 rows read; 2 created, 0 unchanged"), "{told}");
        assert_eq!(responses(&coordinator(world)).await, said());
        let after = world.stored().await;
        for again in [submissions(), both_women()] {
            let (done, told) = send(world, &[], again).await;
            assert!(done && told.contains("2 rows read; 0 created, 2 unchanged"), "{told}");
        }
        assert_eq!(world.stored().await, after);
    }
);

both!(
    async fn a_fault_in_the_last_row_keeps_the_first_out(world: &World) {
        two(world).await;
        let before = world.stored().await;
        let late = both_women().replace("ABSENT", "ANSWERED");
        refuses(&send(world, &[], &late).await, &["line 3, busy: MISSING_VALUE"]);
        let unknown = submissions().replace("W-2", "W-3");
        refuses(&send(world, &[], &unknown).await, &["submission 2, umbral_participant: NOT_FOUND"]);
        assert_eq!(world.stored().await, before);
        // Whom something was told about has a trace of it.
        let told = world.number(
            "SELECT count(*) FROM record_reach r JOIN audit_event e ON e.id = r.event_id \
            WHERE e.action = 'READ' AND e.role = 'SYSTEM'",
        );
        assert_eq!(told.await, 3);
    }
);

both!(
    async fn the_rules_are_those_of_devices(world: &World) {
        let round = two(world).await;
        let client = coordinator(world);
        crate::participant::registered(&client, "W-9", "Eva", "Ríos", json!({ "code": "W-9" })).await;
        let bad = table(&[
            &format!("{CODE},neza,2026-04-01,ANSWERED,,yes,20001,{CANARY},,nobody"),
            &format!("{CODE},santa-martha,2026-03-08,ABSENT,,yes,,,,"),
            "W-9,neza,2026-03-08,ANSWERED,,yes,,,,",
            "W-8,nowhere,2026-03-08,ABSENT,,,,,,",
            "W-2,santa-martha,2026-03-08,ANSWERED,,,,money,9,",
        ]);
        let refused = send(world, &[], &bad).await;
        let wanted = [
            "line 2, answered_on: OUT_OF_RANGE",
            "line 2, income: INVALID",
            "line 2, why: INVALID",
            "line 2, sends: INVALID",
            "line 3, participant_code: DUPLICATE",
            "line 4, participant_code: INVALID",
            "line 5, facility: NOT_FOUND",
            "line 5, participant_code: NOT_FOUND",
            "line 6, facility: NOT_FOUND",
            "line 6, busy: MISSING_VALUE",
            "line 6, mood: INVALID",
            "line 6, sends: MISSING_VALUE",
        ];
        refuses(&refused, &wanted);
        assert_eq!(world.number("SELECT count(*) FROM survey_response").await, 0);
        assert!(send(world, &[], both_women()).await.0);
        // Neither another content, nor a second response of hers under another id; and not what was guessed.
        refuses(
            &send(world, &[], both_women().replace(CANARY, "12")).await,
            &["line 2, client_id: CONFLICT"],
        );
        let other = both_women().replace(&client_id(1), &client_id(3));
        refuses(&send(world, &[], other).await, &["line 2, client_id: CONFLICT"]);
        // Who has withdrawn her answers does not give them again, and a closed round takes nothing.
        let list = "{ surveyResponses(first: 9) { nodes { id version outcome } } }";
        let nodes = ask(&client, list).await["surveyResponses"]["nodes"].clone();
        let hers = nodes.as_array().unwrap().iter().find(|node| node["outcome"] == "ANSWERED").unwrap();
        done(&client, "withdrawResponse", "surveyResponse", "id", &at(hers)).await;
        refuses(&send(world, &[], both_women()).await, &["line 2, client_id: INVALID"]);
        done(&client, "closeSurveyRound", "surveyRound", "id", &at(&round)).await;
        refuses(&send(world, &[], both_women()).await, &["line 1: INVALID"]);
        let (done, told) = run(world, &["responses", "--round", "R-2"], "responses", both_women()).await;
        assert!(!done && told.contains("there is no round \"R-2\""), "{told}");
    }
);

both!(
    async fn an_anonymous_round_keeps_nobody(world: &World) {
        let client = coordinator(world);
        let round = march(&client, "ANONYMOUS").await;
        consenting(&client, CODE).await;
        let keys = "SELECT count(*) FROM organization_key WHERE kind = 'SURVEY'";
        let (done, head) = run(world, &["responses", "--round", "R-1", "--template"], "responses", "").await;
        assert!(done, "{head}");
        let row = |n: u8, more: &str| format!("{},neza,2026-03-08,ANSWERED,{more}\n", client_id(n));
        let file = head.clone() + &row(1, &format!("no,{CANARY},learn,3,")) + &row(2, "yes,,,,");
        let before = world.stored().await;
        refuses(&send(world, &[], file.replace("yes", "")).await, &["line 3, busy: MISSING_VALUE"]);
        let named = head.replace("facility", "participant_code,facility")
            + &row(1, "no,,,,").replace("neza", &format!("{CODE},neza"));
        refuses(&send(world, &[], named).await, &["line 2, participant_code: INVALID"]);
        assert_eq!((world.stored().await, world.number(keys).await), (before, 0));
        let (done, told) = send(world, &[], &file).await;
        assert!(done && told.contains("2 created, 0 unchanged"), "{told}");
        let after = world.counts().await;
        let (done, told) = send(world, &[], &file).await;
        assert!(done && told.contains("0 created, 2 unchanged"), "{told}");
        assert_eq!(world.counts().await, after);
        let found = responses(&client).await;
        assert_eq!(found[0]["participantCode"], Value::Null);
        let numbers: Vec<&Value> =
            found.as_array().unwrap().iter().map(|node| &node["answers"][1]["number"]).collect();
        assert!(numbers.contains(&&json!(17_359)), "{found}");
        // The trace names the round: neither the response nor the line of the file.
        let traces = world.text("SELECT CAST(detail AS text) FROM audit_event WHERE action = 'IMPORT'").await;
        assert_eq!(traces, ["null", "null"]);
        let of_round = format!(
            "SELECT count(*) FROM audit_event WHERE action = 'IMPORT' AND entity_id = {}",
            world.literal_of(round["id"].as_str().unwrap())
        );
        assert_eq!(world.number(&of_round).await, 2);
        assert_eq!(at_rest(world, &[CANARY]).await, Vec::<String>::new());
    }
);

both!(
    async fn a_broken_file_is_refused_and_not_repeated(world: &World) {
        two(world).await;
        let before = world.counts().await;
        let headless = both_women().lines().skip(1).map(|line| format!("{line}\n")).collect::<String>();
        let (done, told) = send(world, &[], &headless).await;
        assert!(
            !done && told.contains("UNKNOWN_HEADER") && !told.contains(CANARY) && !told.contains(CODE),
            "{told}"
        );
        let cut = &submissions()[..submissions().len() - 40];
        refuses(&send(world, &[], cut).await, &["submission 2: BAD_TEXT"]);
        refuses(&send(world, &[], format!("[\"{CODE}\"]")).await, &["submission 1: BAD_TEXT"]);
        refuses(
            &send(world, &["--lang", "es"], format!("[{{\"busy\": \"{CODE}\"}}]")).await,
            &[
                "envío 1, _uuid: MISSING_VALUE",
                "envío 1, today: MISSING_VALUE",
                "envío 1, umbral_facility: MISSING_VALUE",
                "envío 1, umbral_participant: MISSING_VALUE",
                "envío 1, busy: BAD_CHOICE",
            ],
        );
        refuses(&send(world, &[], "").await, &["line 1: EMPTY"]);
        refuses(&send(world, &[], "PK\u{3}\u{4}17359").await, &["line 1: BAD_WORKBOOK"]);
        assert_eq!(world.counts().await, before);
    }
);
