//! The register of requests and its clocks.

use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::{
    participant::{coordinator, field, refusal, registered, steward},
    talk::{act, ask, column, fault, faults},
};

async fn woman(world: &World) -> Value {
    registered(&coordinator(world), "one", "Ana", "Soto", json!({ "code": "W-1" })).await
}

both!(
    /// Day by day by the law of the country, in time or not.
    async fn a_request_has_the_clock_of_its_country(world: &World) {
        let her = woman(world).await;
        let client = steward(world);
        for (n, (country, received, answer_by, overdue)) in [
            // The organisation's own country is Mexico: twenty working days.
            (Value::Null, "2026-10-23", "2026-11-20", false),
            (Value::Null, "2026-10-22", "2026-11-19", true),
            (json!("CL"), "2026-11-18", "2026-11-20", false),
            (json!("PE"), "2026-10-01", "2026-10-31", true),
        ]
        .into_iter()
        .enumerate()
        {
            let input = request_input(&format!("{n}"), &her, "ACCESS", received);
            let made = requested(&client, &with(&input, json!({ "country": country }))).await;
            assert_eq!((&made["answerBy"], &made["isOverdue"]), (&json!(answer_by), &json!(overdue)), "{n}");
            assert_eq!(made["participant"]["code"], json!("W-1"));
        }
        // The most urgent first, a page at a time, and those that are late.
        let list = |arguments: &str| {
            format!(
                "{{ rightsRequests({arguments}) {{ totalCount nodes {{ answerBy }} pageInfo {{ endCursor }} }} }}"
            )
        };
        let first = ask(&client, &list("first: 3")).await["rightsRequests"].clone();
        assert_eq!(column(&first["nodes"], "answerBy"), ["2026-10-31", "2026-11-19", "2026-11-20"]);
        assert_eq!(first["totalCount"], json!(4));
        let next = list(&format!("first: 3, after: {}", first["pageInfo"]["endCursor"]));
        assert_eq!(
            ask(&client, &next).await["rightsRequests"]["nodes"],
            json!([{ "answerBy": "2026-11-20" }])
        );
        for (late, count) in [(true, 2), (false, 2)] {
            let filtered = list(&format!("first: 9, filter: {{ overdue: {late} }}"));
            assert_eq!(ask(&client, &filtered).await["rightsRequests"]["totalCount"], json!(count), "{late}");
        }
        for (filter, count) in [("status: [OPEN]", 4), ("status: [REFUSED]", 0), ("kind: [ERASURE]", 0)] {
            let filtered = list(&format!("first: 9, filter: {{ {filter} }}"));
            assert_eq!(
                ask(&client, &filtered).await["rightsRequests"]["totalCount"],
                json!(count),
                "{filter}"
            );
        }
    }
);

both!(
    /// Extended once and in time, answered, and carried out when it can be seen to be.
    async fn a_request_goes_from_its_letter_to_what_was_done(world: &World) {
        let her = woman(world).await;
        let client = steward(world);
        let made = requested(&client, &request_input("one", &her, "ERASURE", "2026-11-09")).await;
        assert_eq!(made["answerBy"], json!("2026-12-07"));
        let longer = step(&client, "extendRightsRequest", &made, json!({})).await;
        assert_eq!((&longer["answerBy"], &longer["version"]), (&json!("2027-01-04"), &json!(2)));
        let at = json!({ "id": made["id"], "expectedVersion": 2 });
        let refused = async |name: &str, more: Value| {
            faults(&act(&client, name, "rightsRequest", "id", &with(&at, more)).await)
        };
        assert_eq!(refused("extendRightsRequest", json!({})).await, fault("INVALID", "id"));
        for (more, code, place) in [
            (json!({ "status": "OPEN", "answeredOn": "2026-11-12" }), "INVALID", "status"),
            (json!({ "status": "REFUSED", "answeredOn": "2026-11-12" }), "INVALID", "ground"),
            (
                json!({ "status": "GRANTED", "ground": "UNFOUNDED", "answeredOn": "2026-11-12" }),
                "INVALID",
                "ground",
            ),
            (json!({ "status": "GRANTED", "answeredOn": "2026-11-08" }), "OUT_OF_RANGE", "answeredOn"),
            (json!({ "status": "GRANTED", "answeredOn": "2026-11-21" }), "OUT_OF_RANGE", "answeredOn"),
        ] {
            assert_eq!(refused("answerRightsRequest", more.clone()).await, fault(code, place), "{more}");
        }
        let grant = json!({ "status": "GRANTED", "answeredOn": "2026-11-16" });
        let granted = step(&client, "answerRightsRequest", &longer, grant).await;
        // Fifteen working days more to carry it out.
        assert_eq!((&granted["fulfilBy"], &granted["fulfilledOn"]), (&json!("2026-12-07"), &Value::Null));
        let at = json!({ "id": made["id"], "expectedVersion": 3 });
        let fulfil = with(&at, json!({ "fulfilledOn": "2026-11-20" }));
        let early = act(&client, "fulfilRightsRequest", "rightsRequest", "id", &fulfil).await;
        assert_eq!(faults(&early), fault("INVALID", "id"));
        assert!(early["userErrors"][0]["message"].as_str().unwrap().contains("eraseParticipant"));
        let erase = json!({ "id": her["id"], "expectedVersion": her["version"], "reason": "REQUEST" });
        done(&client, "eraseParticipant", "participant", "id", &erase).await;
        let fulfilled = done(&client, "fulfilRightsRequest", "rightsRequest", REQUEST, &fulfil).await;
        assert_eq!(fulfilled["fulfilledOn"], json!("2026-11-20"));
        // The request is still there, of a woman who is not.
        assert!(fulfilled["participant"]["code"].as_str().unwrap().starts_with("ERASED-"));
        let stale = act(&client, "fulfilRightsRequest", "rightsRequest", "version", &fulfil).await;
        assert_eq!(faults(&stale), fault("CONFLICT", "expectedVersion"));
        assert_eq!(stale["rightsRequest"]["version"], json!(4));
        let mut steps: Vec<String> = world
            .audit()
            .await
            .into_iter()
            .filter(|row| row.entity == "rights_request" && row.action != "READ")
            .map(|row| row.action)
            .collect();
        steps.sort();
        assert_eq!(steps, ["ANSWER", "CREATE", "EXTEND", "FULFIL"]);
    }
);

both!(
    async fn an_opposition_is_carried_out_by_her_decision(world: &World) {
        let her = woman(world).await;
        let client = steward(world);
        let input = request_input("one", &her, "OPPOSITION", "2026-11-16");
        let without = act(&client, "recordRightsRequest", "rightsRequest", "id", &input).await;
        assert_eq!(faults(&without), fault("INVALID", "purpose"));
        let made = requested(&client, &with(&input, json!({ "purpose": "STATISTICS" }))).await;
        let grant = json!({ "status": "GRANTED", "answeredOn": "2026-11-18" });
        let granted = step(&client, "answerRightsRequest", &made, grant).await;
        let fulfil =
            json!({ "id": made["id"], "expectedVersion": granted["version"], "fulfilledOn": "2026-11-19" });
        let open = act(&client, "fulfilRightsRequest", "rightsRequest", "id", &fulfil).await;
        assert_eq!(faults(&open), fault("INVALID", "id"));
        let decide = json!({ "idempotencyKey": "no", "participant": her["id"], "purpose": "STATISTICS",
            "decision": "REFUSED", "noticeVersion": "1", "language": "es", "method": "ORAL", "decidedOn": "2026-11-18" });
        done(&client, "recordConsent", "participant", "id", &decide).await;
        done(&client, "fulfilRightsRequest", "rightsRequest", "id", &fulfil).await;
    }
);

both!(
    /// Who works with her writes down what she asks, and sees nothing of the register; administrators and others neither.
    async fn who_writes_in_the_register_and_who_reads_it(world: &World) {
        let her = woman(world).await;
        let list = "{ rightsRequests(first: 9) { totalCount nodes { id } } }";
        for (n, (role, organization)) in [
            ("field", "own"),
            ("coordinator", "own"),
            ("steward", "own"),
            ("admin", "own"),
            ("auditor", "own"),
            ("coordinator", "other"),
            ("partner", "ally"),
        ]
        .into_iter()
        .enumerate()
        {
            let member = world.member(role, organization).purpose("SERVICE");
            let input = request_input(&format!("{n}"), &her, "ACCESS", "2026-11-16");
            let document = crate::talk::mutation("recordRightsRequest", "rightsRequest", "id");
            let answer = member.query(&document, json!({ "input": input })).await;
            let payload = &answer.json()["data"]["recordRightsRequest"];
            let writes = organization == "own" && ["field", "coordinator", "steward"].contains(&role);
            assert_eq!(payload["userErrors"] == json!([]), writes, "{role}: {answer}");
            assert_eq!(payload["rightsRequest"]["id"].is_string(), role == "steward", "{role}: {answer}");
            let read = member.query(list, Value::Null).await;
            let reads = role == "steward";
            assert_eq!(read.json()["data"]["rightsRequests"].is_object(), reads, "{role}: {read}");
            if !reads && organization == "own" {
                assert_eq!(refusal(&read), "NOT_PERMITTED", "{role}");
            }
        }
        let silent = world.member("steward", "own").query(list, Value::Null).await;
        assert_eq!(refusal(&silent), "PURPOSE_NEEDED");
        assert_eq!(ask(&steward(world), list).await["rightsRequests"]["totalCount"], json!(3));
        // A field worker writes for who is there, and for nobody else.
        let there = registered(
            &coordinator(world),
            "there",
            "Eva",
            "Luna",
            json!({ "facility": crate::participant::facility(2) }),
        )
        .await;
        let refused = act(
            &field(world),
            "recordRightsRequest",
            "rightsRequest",
            "id",
            &request_input("x", &there, "ACCESS", "2026-11-16"),
        )
        .await;
        assert_eq!(faults(&refused), fault("NOT_FOUND", "participant"));
        // The same key says the same thing once.
        let again = request_input("2", &her, "ACCESS", "2026-11-16");
        requested(&steward(world), &again).await;
        assert_eq!(world.number("SELECT count(*) FROM rights_request").await, 3);
    }
);
