//! A woman's file: everything that is held about her.

use std::collections::BTreeSet;

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::{
    participant::{coordinator, registered, steward},
    talk::ask,
    world::id,
};

/// Tables that name a woman and hold nothing that her file would tell: keys, numbers that mean nothing, what she is found by, and
/// links to what it tells.
const OF_KEYS: [&str; 4] = ["blind_index", "participant_key", "record_reach", "release_unit"];

/// Where her file tells the rows of each table that names her.
const SECTIONS: [(&str, &str); 15] = [
    ("attendance", "attendance"),
    ("break_glass", "brokenGlass"),
    ("consent", "consents"),
    ("custody_stay", "stays"),
    ("dependant", "dependants"),
    ("distribution_recipient", "deliveries"),
    ("enrolment", "enrolments"),
    ("legal_matter", "legalMatters"),
    ("maternity", "maternity"),
    ("payout", "payouts"),
    ("production_maker", "production"),
    ("rights_request", "rightsRequests"),
    ("savings_withdrawal", "savingsWithdrawals"),
    ("skill", "skills"),
    ("survey_response", "surveyResponses"),
];

/// A woman about whom there is something of every kind, and one more who has the same.
async fn known(world: &World) -> Value {
    let client = coordinator(world);
    let mut women = Vec::new();
    for (code, given) in [("W-1", "Ana"), ("W-2", "Canaria")] {
        let more = json!({ "code": code, "birthDate": "1990-05-06", "notes": format!("nota de {given}"),
            "documents": [{ "kind": "CURP", "number": format!("DOC{code}") }] });
        let mut her = registered(&client, code, given, "Soto", more).await;
        let key = |name: &str| format!("{code} {name}");
        let set = json!({ "id": her["id"], "expectedVersion": 1,
            "dependants": [{ "relation": "SON", "ageBand": "FROM_3_TO_5" }] });
        her["version"] =
            done(&client, "setDependants", "participant", "version", &set).await["version"].clone();
        let pregnant = json!({ "idempotencyKey": key("m"), "participant": her["id"], "state": "PREGNANT",
            "startsOn": "2026-08-01" });
        done(&client, "recordMaternity", "participant", "id", &pregnant).await;
        let given = json!({ "idempotencyKey": key("c"), "participant": her["id"], "purpose": "STATISTICS",
            "decision": "GIVEN", "noticeVersion": "2026-1", "language": "es", "method": "WRITTEN",
            "decidedOn": "2026-03-01" });
        done(&client, "recordConsent", "participant", "id", &given).await;
        let enrol = json!({ "idempotencyKey": key("e"), "participant": her["id"],
            "program": id(Kind::Program, WORKSHOP), "status": "ENROLLED", "since": "2026-11-01" });
        done(&client, "enrol", "enrolment", "id", &enrol).await;
        let attest = json!({ "idempotencyKey": key("s"), "participant": her["id"], "technique": "weaving",
            "level": "BASIC", "attestedOn": "2026-11-10" });
        done(&client, "attestSkill", "skill", "id", &attest).await;
        let open = json!({ "idempotencyKey": key("l"), "participant": her["id"], "openedOn": "2026-10-01" });
        done(&client, "openLegalMatter", "legalMatter", "id", &open).await;
        let take = json!({ "code": code, "reason": "Traslado urgente al hospital", "minutes": 30 });
        done(&crate::participant::field(world), "takeRecord", "participant", "id", &take).await;
        requested(&steward(world), &request_input(&key("r"), &her, "ACCESS", "2026-11-16")).await;
        women.push(her);
    }
    let session = crate::work::session(&client, "session").await;
    let rows: Vec<Value> = women
        .iter()
        .enumerate()
        .map(|(n, her)| {
            json!({ "clientId": format!("01890a5d-ac96-774b-bcce-b302099a805{n}"), "session": session,
                "participant": her["id"], "mark": "PRESENT", "minutes": 75 })
        })
        .collect();
    let record = "mutation($input: RecordAttendanceInput!) { recordAttendance(input: $input) { results { outcome } } }";
    let recorded = client.query(record, json!({ "input": { "rows": rows } })).await;
    assert_eq!(recorded.data()["recordAttendance"]["results"].as_array().unwrap().len(), 2, "{recorded}");
    let product = crate::work::product(&client, "BAG").await;
    let makers: Vec<Value> =
        women.iter().map(|her| json!({ "participant": her["id"], "parts": 1 })).collect();
    let batch = with(&crate::work::batch_input("batch", &product, &[], 10), json!({ "makers": makers }));
    let batch = done(&client, "recordProduction", "productionBatch", "id", &batch).await;
    let sale = crate::work::sale_input("sale", &product, &batch["id"], 3, ("100001", "MXN"));
    done(&client, "recordSale", "sale", "id", &sale).await;
    let policy = crate::payout::policy_input("policy", "MXN", "FLOOR");
    done(&client, "createPayoutPolicy", "payoutPolicy", "id", &policy).await;
    let run =
        done(&client, "createPayoutRun", "payoutRun", "id", &crate::payout::run_input("run", json!("MXN")))
            .await;
    crate::payout::pay(&client, &steward(world).purpose("PAYMENT"), &run["id"]).await;
    let withdraw = json!({ "idempotencyKey": "w", "participant": women[0]["id"], "withdrawnOn": "2026-11-19",
        "amount": { "amount": "100", "currency": "MXN" }, "reason": "REQUESTED" });
    done(&client, "recordSavingsWithdrawal", "savingsWithdrawal", "id", &withdraw).await;
    let delivery = json!({ "idempotencyKey": "d", "facility": id(Kind::Facility, 1), "program": id(Kind::Program, SUPPLIES),
        "occurredOn": "2026-11-18", "peopleReached": 2, "reachMethod": "COUNTED",
        "lines": [crate::distribution::record::item(SOAP, 4)],
        "recipients": [women[0]["id"], women[1]["id"]] });
    done(&client, "recordDistribution", "distribution", "id", &delivery).await;
    let round = crate::survey::round(&client, "R-1").await;
    let rows: Vec<Value> = women
        .iter()
        .enumerate()
        .map(|(n, her)| {
            let answers = json!([{ "question": "busy", "yes": true }, { "question": "income", "number": 1_200 + n },
                { "question": "why", "options": ["learn", "money"] },
                { "question": "sends", "options": ["mother"] }]);
            with(&crate::survey::row(n as u128, &round, her, answers), json!({ "answeredOn": "2026-11-16" }))
        })
        .collect();
    assert_eq!(crate::survey::outcomes(&crate::survey::submit(&client, &rows).await), ["CREATED", "CREATED"]);
    women.remove(0)
}

both!(
    async fn a_file_holds_everything_and_nothing_of_others(world: &World) {
        let her = known(world).await;
        let client = steward(world);
        let answer = file(&client, &her, "format=json").await;
        answer.expect_status(200);
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"umbral.json\""));
        let json = answer.json();
        assert_eq!(json["identity"][0]["givenNames"], json!("Ana"));
        assert_eq!(json["identity"][0]["birthDate"], json!("1990-05-06"));
        assert_eq!(json["identity"][0]["notes"], json!("nota de Ana"));
        assert_eq!(json["documents"], json!([{ "kind": "CURP", "number": "DOCW-1" }]));
        assert_eq!(json["attendance"][0]["minutes"], json!(75));
        let said = json["surveyAnswers"].as_array().unwrap();
        assert_eq!(said.len(), 4);
        assert_eq!(said[1], json!({ "round": "R-1", "question": "¿Cuánto gana?", "answer": "1200 MXN" }));
        assert_eq!(said[2]["answer"], json!("Aprender; Dinero"));
        // 30,000.30 of the sales for two, a tenth for reparation and a tenth for savings.
        let paid = &json["payouts"][0];
        assert_eq!((&paid["gross"], &paid["net"]), (&json!("150.00"), &json!("120.00")), "{paid}");
        let taken_off: Vec<&Value> =
            json["deductions"].as_array().unwrap().iter().map(|one| &one["amount"]).collect();
        assert_eq!(taken_off, [&json!("15.00"), &json!("15.00")]);
        assert_eq!(json["savingsWithdrawals"][0]["amount"], json!("1.00"));
        assert_eq!(json["brokenGlass"][0]["reason"], json!("Traslado urgente al hospital"));
        let text = answer.to_string();
        for other in ["Canaria", "W-2"] {
            assert!(!text.contains(other), "{other}: {text}");
        }
        // Every table that names a woman is told, and each is.
        let tables = match world.database.url.starts_with("postgres") {
            true => {
                "SELECT table_name FROM information_schema.columns WHERE column_name = 'participant_id' \
                     AND table_schema = 'public' ORDER BY 1"
            }
            false => {
                "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                      WHERE m.type = 'table' AND c.name = 'participant_id' ORDER BY 1"
            }
        };
        let tables: BTreeSet<String> = world.text(tables).await.into_iter().collect();
        let told = SECTIONS.iter().map(|(table, _)| *table).chain(OF_KEYS);
        assert_eq!(tables, told.map(str::to_owned).collect());
        for (table, section) in SECTIONS {
            assert!(json[section].as_array().is_some_and(|rows| !rows.is_empty()), "{table}: {json}");
        }
        // Who has used it is in it, the steward's own readings too, by role.
        let uses = json["uses"].as_array().unwrap();
        assert!(uses.iter().any(|used| used["role"] == "COORDINATOR" && used["action"] == "CREATE"));
        assert!(uses.iter().any(|used| used["action"] == "BREAK_GLASS"), "{uses:?}");
        // That it was taken out is in the audit, and then in her file.
        let exports = |answer: &Value| {
            answer["uses"].as_array().unwrap().iter().filter(|used| used["action"] == "EXPORT").count()
        };
        assert_eq!(exports(json), 0);
        assert_eq!(exports(file(&client, &her, "format=json").await.json()), 1);
    }
);

both!(
    /// On paper, in both languages, with a word for everything.
    async fn a_file_can_be_read(world: &World) {
        let her = known(world).await;
        let client = steward(world);
        let json = file(&client, &her, "format=json").await;
        for (language, title, words) in [
            ("es", "Lo que guardamos sobre usted", ["Embarazo", "Responsable de datos", "Inscrita"]),
            ("en", "What we hold about you", ["Pregnant", "Data steward", "Enrolled"]),
        ] {
            let answer = file(&client, &her, &format!("lang={language}")).await;
            answer.expect_status(200);
            assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
            let page = answer.to_string();
            assert!(page.contains(&format!("lang=\"{language}\"")) && page.contains(title), "{page}");
            for word in words {
                assert!(page.contains(word), "{word}: {page}");
            }
            for outside in ["http:", "https:", "src=", "<script"] {
                assert!(!page.contains(outside), "{outside}");
            }
            for text in ["Ana", "DOCW-1", "nota de Ana", "120.00"] {
                assert!(page.contains(text), "{text}: {page}");
            }
        }
        // No name of a column and no word of a list stands there bare.
        let page = file(&client, &her, "lang=es").await.to_string();
        for (section, rows) in json.json().as_object().unwrap() {
            for row in rows.as_array().into_iter().flatten() {
                for name in row.as_object().unwrap().keys() {
                    assert!(!page.contains(&format!(">{name}<")), "{section}: {name}");
                }
            }
        }
        for bare in ["<dt></dt>", "<th scope=\"col\"></th>", "<h2></h2>"] {
            assert!(!page.contains(bare), "{bare}: {page}");
        }
        for used in json.json()["uses"].as_array().unwrap() {
            for word in ["role", "action", "entity", "purpose"].iter().filter_map(|name| used[name].as_str())
            {
                assert!(!page.contains(&format!(">{word}<")), "{word}");
            }
        }
    }
);

both!(
    async fn who_takes_a_file_out(world: &World) {
        let her = registered(&coordinator(world), "one", "Ana", "Soto", json!({})).await;
        for (role, organization) in [
            ("field", "own"),
            ("coordinator", "own"),
            ("steward", "own"),
            ("admin", "own"),
            ("auditor", "own"),
            ("coordinator", "other"),
            ("partner", "ally"),
        ] {
            let member = world.member(role, organization).purpose("RIGHTS_REQUEST");
            let answer = file(&member, &her, "format=json").await;
            let takes = role == "steward";
            assert_eq!(answer.status, if takes { 200 } else { 403 }, "{role}: {answer}");
            assert_eq!(answer.to_string().contains("Ana"), takes);
        }
        assert_eq!(file(&world.anonymous(), &her, "").await.status, 401);
        // A request of hers is the one purpose.
        for other in ["SERVICE", "SUPERVISION"] {
            let member = world.member("steward", "own").purpose(other);
            assert_eq!(file(&member, &her, "").await.code(), "BAD_USER_INPUT");
        }
        assert_eq!(file(&world.member("steward", "own"), &her, "").await.code(), "PURPOSE_NEEDED");
        let client = steward(world);
        for query in ["format=pdf", "lang=fr", "format=json&format=html", "all=1"] {
            assert_eq!(file(&client, &her, query).await.status, 400, "{query}");
        }
        // Nobody, somebody of another type, and she who is erased are not there.
        let nobody = json!({ "id": id(Kind::Participant, 77) });
        let facility = json!({ "id": id(Kind::Facility, 1) });
        let erase = json!({ "id": her["id"], "expectedVersion": 1, "reason": "REQUEST" });
        done(&client, "eraseParticipant", "participant", "id", &erase).await;
        for gone in [&nobody, &facility, &her, &json!({ "id": "x" })] {
            assert_eq!(file(&client, gone, "format=json").await.status, 404, "{gone}");
        }
    }
);

both!(
    /// The steward sees who has used a record, by name; others do not.
    async fn a_steward_sees_who_has_used_a_record(world: &World) {
        let her = registered(&coordinator(world), "one", "Ana", "Soto", json!({})).await;
        let document = format!(
            "{{ participant(id: {}) {{ accessReport {{ recordedAt account {{ name }} role action entity purpose fields }} }} }}",
            her["id"]
        );
        let report = ask(&steward(world), &document).await["participant"]["accessReport"].clone();
        let made = report.as_array().unwrap().iter().find(|used| used["action"] == "CREATE").unwrap();
        assert_eq!(
            (&made["role"], &made["entity"]),
            (&json!("COORDINATOR"), &json!("participant")),
            "{report}"
        );
        assert!(made["account"]["name"].is_string(), "{report}");
        // The newest first: a reading an hour later comes before all others.
        world.set_now("2026-11-20T13:00:00Z");
        coordinator(world)
            .query(&format!("{{ participant(id: {}) {{ code }} }}", her["id"]), Value::Null)
            .await
            .data();
        world.set_now("2026-11-20T14:00:00Z");
        let report = ask(&steward(world), &document).await["participant"]["accessReport"].clone();
        let before = report.as_array().unwrap().iter().find(|used| used["role"] == "COORDINATOR").unwrap();
        assert_eq!(before["fields"], json!(["code"]), "{report}");
        assert_eq!(report[0]["role"], json!("STEWARD"), "{report}");
        let refused = coordinator(world).query(&document, Value::Null).await;
        assert_eq!(crate::participant::refusal(&refused), "NOT_PERMITTED");
        assert_eq!(refused.json()["data"]["participant"]["accessReport"], Value::Null);
    }
);
