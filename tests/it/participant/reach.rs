//! Who reaches a record, and the trace that each reading leaves.

use api::{id::GlobalId, store::record::Purpose};
use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::{
    seed::MEMBERS,
    talk::{act, ask, fault, faults},
};

/// What each member of the world may see of a woman at the first facility and of one at the second: whether the record,
/// and who she is.
fn expected(role: &str, organization: u128) -> [(bool, bool); 2] {
    match (role, organization) {
        ("coordinator" | "coordinator2" | "steward", OWN) => [(true, true); 2],
        ("field", OWN) => [(true, true), (false, false)],
        _ => [(false, false); 2],
    }
}

both!(
    async fn who_reaches_a_record(world: &World) {
        let client = coordinator(world);
        let here = registered(&client, "here", "Ana", "Soto", json!({})).await;
        let there = registered(&client, "there", "Eva", "Luna", json!({ "facility": facility(2) })).await;
        let mut seen = 0;
        for (_, role, _, organization) in MEMBERS {
            let member = world.member(role, ORGANIZATIONS[organization as usize - 1]).purpose("SERVICE");
            for (record, (sees, knows)) in [&here, &there].into_iter().zip(expected(role, organization)) {
                let document = format!(
                    "{{ participant(id: {0}) {{ code identity {{ givenNames }} stays {{ startsOn }} consents {{ purpose }} }} \
                     node(id: {0}) {{ id }} }}",
                    record["id"]
                );
                let answer = member.query(&document, Value::Null).await;
                let data = answer.json().get("data").cloned().unwrap_or(Value::Null);
                let context = format!("{role} of {organization}: {answer}");
                assert_eq!(data["participant"]["code"] == record["code"], sees, "{context}");
                assert_eq!(data["participant"]["identity"]["givenNames"].is_string(), knows, "{context}");
                assert_eq!(data["node"]["id"] == record["id"], sees, "{context}");
                let body = answer.to_string();
                assert_eq!(body.contains("Ana") || body.contains("Eva"), knows, "{context}");
                seen += usize::from(sees);
            }
            // Through lists and searches neither.
            for filter in ["", ", filter: { name: \"Eva Luna\" }", ", filter: { document: \"1\" }"] {
                let document =
                    format!("{{ participants(first: 9{filter}) {{ totalCount nodes {{ code }} }} }}");
                let answer = member.query(&document, Value::Null).await.to_string();
                let [first, second] = expected(role, organization);
                let listed = |record: &Value| answer.contains(record["code"].as_str().unwrap());
                assert_eq!(listed(&here), filter.is_empty() && first.0, "{role} {filter}: {answer}");
                assert_eq!(
                    listed(&there),
                    !filter.contains("document") && second.0,
                    "{role} {filter}: {answer}"
                );
            }
        }
        assert_eq!(seen, 7);
        // She who is elsewhere answers like one who never was.
        let nobody = api::id::text(Kind::Participant, uuid(Kind::Participant, 77));
        let of = async |id: &str| {
            let document = format!("{{ participant(id: \"{id}\") {{ code identity {{ givenNames }} }} }}");
            field(world).query(&document, Value::Null).await.body
        };
        assert_eq!(of(there["id"].as_str().unwrap()).await, of(&nobody).await);
        for (name, more) in [
            ("updateParticipant", json!({ "givenNames": "X" })),
            ("setDependants", json!({ "dependants": [] })),
        ] {
            let refused = async |id: &str| {
                let input = with(&json!({ "id": id, "expectedVersion": 1 }), more.clone());
                field(world)
                    .query(&crate::talk::mutation(name, "participant", "id"), json!({ "input": input }))
                    .await
                    .body
            };
            assert_eq!(refused(there["id"].as_str().unwrap()).await, refused(&nobody).await, "{name}");
        }
    }
);

both!(
    /// A field worker sees who is there today, and whose record follows when she is moved.
    async fn a_record_leaves_a_field_worker_with_her(world: &World) {
        let client = coordinator(world);
        let made = registered(&client, "one", "Ana", "Soto", json!({})).await;
        assert_eq!(codes(&field(world), "").await.len(), 1);
        let end = with(&at(&made["stays"][0]), json!({ "endsOn": "2026-11-19", "ending": "LEFT_PRISON" }));
        done(&client, "endStay", "participant", "id", &end).await;
        assert_eq!(codes(&field(world), "").await.len(), 0);
        assert_eq!(codes(&client, "").await.len(), 1);
        // A membership that has ended reads nothing with the next request.
        world.sql("UPDATE membership SET ends_on = '2026-11-19'").await;
        let answer = client.query("{ participants(first: 1) { nodes { code } } }", Value::Null).await;
        assert_eq!(answer.status, 403);
    }
);

both!(
    async fn who_does_not_say_why_reads_and_writes_nothing(world: &World) {
        let made = registered(&coordinator(world), "one", "Ana", "Soto", json!({})).await;
        let before = world.counts().await;
        let silent = world.coordinator();
        let document = format!("{{ participant(id: {}) {{ code }} }}", made["id"]);
        for client in [silent.clone(), silent.purpose("CURIOSITY")] {
            let answer = client.query(&document, Value::Null).await;
            assert_eq!(refusal(&answer), "PURPOSE_NEEDED");
            for purpose in Purpose::names() {
                assert!(answer.to_string().contains(purpose), "{answer}");
            }
            let change = json!({ "input": with(&at(&made), json!({ "givenNames": "Eva" })) });
            let answer =
                client.query(&crate::talk::mutation("updateParticipant", "participant", "id"), change).await;
            assert_eq!(refusal(&answer), "PURPOSE_NEEDED");
        }
        assert_eq!(world.counts().await, before);
    }
);

both!(
    async fn each_reading_and_each_change_leaves_its_trace(world: &World) {
        let client = coordinator(world);
        let one = registered(&client, "one", "Ana", "Soto", json!({})).await;
        let two = registered(&client, "two", "Eva", "Luna", json!({})).await;
        let traces = async || world.audit().await.len();
        let before = traces().await;
        ask(
            &client.purpose("PAYMENT"),
            "{ participants(first: 9) { nodes { code identity { familyNames } } } }",
        )
        .await;
        assert_eq!(traces().await, before + 1);
        let newest = world.audit().await.into_iter().filter(|row| row.action == "READ").count();
        assert!(newest > 0);
        // Why, what, whose, and by which document.
        let of_list = |column: &str| {
            format!(
                "SELECT CAST({column} AS text) FROM audit_event WHERE action = 'READ' AND purpose = 'PAYMENT'"
            )
        };
        assert_eq!(world.text(&of_list("purpose")).await, ["PAYMENT"]);
        let json = async |column: &str| -> Value {
            serde_json::from_str(&world.text(&of_list(column)).await[0]).unwrap()
        };
        assert_eq!(json("fields").await, json!(["code", "identity.familyNames"]));
        assert_eq!(json("rows").await.as_array().unwrap().len(), 2);
        assert_eq!(world.text(&of_list("length(document_hash)")).await, ["32"]);
        // Each woman's traces are found by her.
        let her = |record: &Value| GlobalId::parse(record["id"].as_str().unwrap()).unwrap().id;
        for record in [&one, &two] {
            let sql = format!(
                "SELECT count(*) FROM record_reach r JOIN audit_event e ON e.id = r.event_id WHERE r.participant_id = {}",
                world.literal_of(record["id"].as_str().unwrap())
            );
            // Registered, read in the payload (record, stays, dependants, consents), and read in the list.
            assert_eq!(world.number(&sql).await, 6, "{}", her(record));
        }
        // A search that finds nobody is a reading too.
        let before = traces().await;
        assert_eq!(codes(&client, ", filter: { name: \"Nadie\" }").await.len(), 0);
        assert_eq!(traces().await, before + 1);
        let stay = with(&at(&one["stays"][0]), json!({ "endsOn": "2026-11-01", "ending": "DIED" }));
        let before = traces().await;
        done(&client, "endStay", "participant", "__typename", &stay).await;
        assert_eq!(traces().await, before + 2);
    }
);

both!(
    async fn a_record_out_of_reach_is_taken_for_a_reason_and_a_short_time(world: &World) {
        let client = coordinator(world);
        let made =
            registered(&client, "one", "Ana", "Soto", json!({ "facility": facility(2), "code": "W-9" }))
                .await;
        let record = json!({ "idempotencyKey": "m", "participant": made["id"], "state": "PREGNANT",
            "startsOn": "2026-08-01" });
        done(&client, "recordMaternity", "participant", "id", &record).await;
        let worker = field(world);
        assert_eq!(read(&worker, &made).await, Value::Null);
        for (input, code, at) in [
            (json!({ "code": "W-9", "reason": "porque", "minutes": 30 }), "INVALID", "reason"),
            (
                json!({ "code": "W-9", "reason": "Traslado urgente al hospital", "minutes": 600 }),
                "OUT_OF_RANGE",
                "minutes",
            ),
            (
                json!({ "code": "W-8", "reason": "Traslado urgente al hospital", "minutes": 30 }),
                "NOT_FOUND",
                "code",
            ),
        ] {
            assert_eq!(
                faults(&act(&worker, "takeRecord", "participant", "id", &input).await),
                fault(code, at)
            );
        }
        let take = json!({ "code": "W-9", "reason": "Traslado urgente al hospital", "minutes": 30 });
        let taken = done(
            &worker,
            "takeRecord",
            "participant",
            "id identity { givenNames } maternity { state }",
            &take,
        )
        .await;
        assert_eq!(taken["identity"]["givenNames"], json!("Ana"));
        assert_eq!(taken["maternity"][0]["state"], json!("PREGNANT"));
        assert_eq!(codes(&worker, "").await, ["W-9"]);
        // It is read and not changed.
        for (name, input) in [
            ("updateParticipant", with(&at(&made), json!({ "givenNames": "Eva" }))),
            ("setDependants", with(&at(&made), json!({ "dependants": [] }))),
            ("endStay", with(&at(&made["stays"][0]), json!({ "endsOn": "2026-11-01", "ending": "DIED" }))),
        ] {
            assert_eq!(
                faults(&act(&worker, name, "participant", "id", &input).await),
                fault("NOT_FOUND", "id"),
                "{name}"
            );
        }
        let enrol = json!({ "idempotencyKey": "e", "participant": made["id"], "program": id(Kind::Program, WORKSHOP),
            "status": "APPLIED", "since": "2026-11-01" });
        let enrolment = done(&client, "enrol", "enrolment", "id version", &enrol).await;
        let change = with(&at(&enrolment), json!({ "status": "WITHDRAWN", "since": "2026-11-02" }));
        let refused = faults(&act(&worker, "changeEnrolment", "enrolment", "id", &change).await);
        assert_eq!(refused, fault("NOT_FOUND", "id"));
        let audit = world.audit().await;
        let of = |action: &str| audit.iter().filter(|row| row.action == action).count();
        assert_eq!((of("BREAK_GLASS"), of("BREAK_GLASS_REFUSED")), (1, 1));
        // The steward sees that it was taken and why; nobody else does.
        let glass = "{ brokenGlass { id participantCode reason seenAt } }";
        let shown = ask(&steward(world), glass).await;
        assert_eq!(shown["brokenGlass"][0]["participantCode"], json!("W-9"));
        assert_eq!(shown["brokenGlass"][0]["reason"], json!("Traslado urgente al hospital"));
        for role in ["coordinator", "field", "admin", "auditor"] {
            let answer = world.member(role, "own").purpose("SERVICE").query(glass, Value::Null).await;
            assert_eq!(refusal(&answer), "NOT_PERMITTED", "{role}");
        }
        let see = json!({ "id": shown["brokenGlass"][0]["id"] });
        let seen = "mutation($input: SeeBrokenGlassInput!) { seeBrokenGlass(input: $input) { seen } }";
        let answer = steward(world).query(seen, json!({ "input": see })).await;
        assert_eq!(answer.data()["seeBrokenGlass"]["seen"], json!(true));
        assert!(ask(&steward(world), glass).await["brokenGlass"][0]["seenAt"].is_string());
        // Administrators and auditors have nothing to break.
        for role in ["admin", "auditor"] {
            let member = world.member(role, "own").purpose("SERVICE");
            let answer = member
                .query(&crate::talk::mutation("takeRecord", "participant", "id"), json!({ "input": take }))
                .await;
            assert_eq!(refusal(&answer), "NOT_PERMITTED", "{role}");
        }
        // It ends by itself.
        world.set_now("2026-11-20T12:30:01Z");
        assert_eq!(read(&field(world), &made).await, Value::Null);
    }
);
