//! How records are kept: registered, found, put right, and where she is.

use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::talk::{Walk, act, ask, fault, faults};

both!(
    async fn a_record_is_registered_read_and_put_right(world: &World) {
        let client = coordinator(world);
        let more = json!({ "code": "W-1", "birthDate": "1990-05-04", "notes": "Prefiere las tardes.",
            "documents": [{ "kind": "CURP", "number": "XEXX010101HNEXXXA4" }] });
        let made = registered(&client, "one", "María José", "Pérez Ruiz", more.clone()).await;
        assert_eq!(made["code"], json!("W-1"));
        assert_eq!(
            made["identity"],
            json!({ "givenNames": "María José", "familyNames": "Pérez Ruiz", "birthDate": "1990-05-04",
                "documents": [{ "kind": "CURP", "number": "XEXX010101HNEXXXA4" }], "notes": "Prefiere las tardes." })
        );
        assert_eq!(made["stays"][0]["facility"]["slug"], json!("neza"));
        // The same once more is the same; anything else under the key is a conflict.
        let again = registered(&client, "one", "María José", "Pérez Ruiz", more.clone()).await;
        assert_eq!(again, made);
        let other = with(&with(&input("one", "María José", "Pérez"), more), json!({}));
        let refused = act(&client, "registerParticipant", "participant", "id", &other).await;
        assert_eq!(faults(&refused), fault("CONFLICT", "idempotencyKey"));
        assert_eq!(world.number("SELECT count(*) FROM participant").await, 1);

        let change = with(&at(&made), json!({ "familyNames": "Ruiz Pérez", "notes": null }));
        let changed = done(&client, "updateParticipant", "participant", RECORD, &change).await;
        assert_eq!(changed["version"], json!(2));
        assert_eq!(changed["identity"]["givenNames"], json!("María José"));
        assert_eq!(changed["identity"]["familyNames"], json!("Ruiz Pérez"));
        assert_eq!(changed["identity"]["notes"], Value::Null);
        assert_eq!(read(&client, &made).await, changed);
        // Who has seen the old version is shown the new one.
        let stale = act(&client, "updateParticipant", "participant", RECORD, &change).await;
        assert_eq!(faults(&stale), fault("CONFLICT", "expectedVersion"));
        assert_eq!(stale["participant"], changed);
    }
);

both!(
    async fn she_is_found_by_exactly_her_name_or_document(world: &World) {
        let client = coordinator(world);
        for n in 0..12 {
            registered(
                &client,
                &format!("{n}"),
                "Ana",
                &format!("Gómez {n}"),
                json!({ "code": format!("A-{n:02}") }),
            )
            .await;
        }
        let more = json!({ "code": "B", "documents": [{ "kind": "RUN", "number": "12.345.678-k" }] });
        let made = registered(&client, "b", "Lucía", "Núñez", more).await;
        let by = async |filter: &str| codes(&client, &format!(", filter: {{ {filter} }}")).await;
        assert_eq!(by("name: \" lucia  NUNEZ \"").await, ["B"]);
        assert_eq!(by("name: \"Núñez Lucía\"").await, ["B"]);
        assert_eq!(by("document: \"12345678K\"").await, ["B"]);
        assert_eq!(by("name: \"Gómez 7\"").await, ["A-07"]);
        assert_eq!(by("name: \"Ana\"").await.len(), 12);
        for nobody in ["name: \"Lu\"", "name: \"\"", "document: \"12345678\"", "name: \"Gómez\"", "code: []"]
        {
            assert_eq!(by(nobody).await, Vec::<String>::new(), "{nobody}");
        }
        // An old name finds nobody any more.
        let change = with(&at(&made), json!({ "familyNames": "Soto", "documents": [] }));
        done(&client, "updateParticipant", "participant", "id", &change).await;
        assert_eq!(by("name: \"Núñez\"").await, Vec::<String>::new());
        assert_eq!(by("document: \"12345678K\"").await, Vec::<String>::new());
        assert_eq!(
            by("name: \"Soto\", facility: [\"FACILITY\"]".replace("FACILITY", &facility(1)).as_str()).await,
            ["B"]
        );
        let walk = Walk {
            client: &client,
            frame: "{ LIST }",
            field: "participants",
            arguments: "",
            size: 5,
            backwards: false,
        };
        let forwards = walk.all().await;
        assert_eq!(forwards.len(), 13);
        assert_eq!(Walk { backwards: true, ..walk }.all().await, forwards);
    }
);

both!(
    async fn she_is_at_one_facility_at_a_time(world: &World) {
        let client = coordinator(world);
        let made = registered(&client, "one", "Ana", "Soto", json!({})).await;
        let begin = json!({ "idempotencyKey": "move", "participant": made["id"], "facility": facility(2),
            "startsOn": "2026-01-10" });
        let refused = act(&client, "beginStay", "participant", "id", &begin).await;
        assert_eq!(faults(&refused), fault("CONFLICT", "startsOn"));
        let stay = &made["stays"][0];
        let end = with(&at(stay), json!({ "endsOn": "2026-01-10", "ending": "TRANSFERRED" }));
        let ended = done(&client, "endStay", "participant", RECORD, &end).await;
        assert_eq!(ended["stays"][0]["ending"], json!("TRANSFERRED"));
        let moved = done(&client, "beginStay", "participant", RECORD, &begin).await;
        assert_eq!(moved["stays"].as_array().unwrap().len(), 2);
        assert_eq!(done(&client, "beginStay", "participant", RECORD, &begin).await, moved);
        // What was before can be told later, but not across another stay.
        for (starts, ends, fits) in [("2024-01-01", "2025-03-01", true), ("2024-06-01", "2025-03-02", false)]
        {
            let past = json!({ "idempotencyKey": starts, "participant": made["id"], "facility": facility(3),
                "startsOn": starts, "endsOn": ends, "ending": "TRANSFERRED" });
            let told = act(&client, "beginStay", "participant", "id", &past).await;
            assert_eq!(told["userErrors"] == json!([]), fits, "{told}");
        }
        for (key, more, code, field) in [
            ("future", json!({ "startsOn": "2027-01-01" }), "OUT_OF_RANGE", "startsOn"),
            ("nowhere", json!({ "facility": facility(77) }), "NOT_FOUND", "facility"),
            ("no facility", json!({ "facility": id(Kind::Program, 1) }), "NOT_FOUND", "facility"),
        ] {
            let input = with(&input(key, "Eva", "Luna"), more);
            let refused = act(&client, "registerParticipant", "participant", "id", &input).await;
            assert_eq!(faults(&refused), fault(code, field), "{key}");
        }
    }
);

both!(
    async fn dependants_are_relation_and_age_and_maternity_has_its_own_right(world: &World) {
        let client = coordinator(world);
        let made = registered(&client, "one", "Ana", "Soto", json!({})).await;
        let set = with(
            &at(&made),
            json!({ "dependants": [{ "relation": "DAUGHTER", "ageBand": "FROM_6_TO_11" },
            { "relation": "MOTHER", "ageBand": "FROM_60" }] }),
        );
        let changed = done(&client, "setDependants", "participant", RECORD, &set).await;
        assert_eq!(changed["dependants"], set["dependants"]);
        let none = with(&at(&changed), json!({ "dependants": [] }));
        let changed = done(&client, "setDependants", "participant", RECORD, &none).await;
        assert_eq!(changed["dependants"], json!([]));

        let record = json!({ "idempotencyKey": "m", "participant": made["id"], "state": "PREGNANT",
            "startsOn": "2026-08-01" });
        let maternity = "maternity { id version state startsOn endsOn }";
        let told = done(&client, "recordMaternity", "participant", maternity, &record).await;
        let entry = &told["maternity"][0];
        assert_eq!(entry["state"], json!("PREGNANT"));
        let end = with(&at(entry), json!({ "endsOn": "2026-11-01" }));
        let told = done(&client, "endMaternity", "participant", maternity, &end).await;
        assert_eq!(told["maternity"][0]["endsOn"], json!("2026-11-01"));
        // A field worker reads the record and not this.
        let document = format!("{{ participant(id: {}) {{ code maternity {{ state }} }} }}", made["id"]);
        let answer = field(world).query(&document, Value::Null).await;
        assert_eq!(refusal(&answer), "NOT_PERMITTED");
        assert_eq!(answer.json()["data"]["participant"]["maternity"], Value::Null);
        assert_eq!(answer.json()["data"]["participant"]["code"], made["code"]);
        let refused = field(world)
            .query(&crate::talk::mutation("recordMaternity", "participant", "id"), json!({ "input": record }))
            .await;
        assert_eq!(refusal(&refused), "NOT_PERMITTED");
    }
);

both!(
    async fn statements_do_not_follow_the_number_of_women(world: &World) {
        let client = coordinator(world);
        let page = format!("{{ participants(first: 50) {{ nodes {{ {RECORD} }} }} }}");
        let statements = async || {
            let answer = client.query(&page, Value::Null).await;
            answer.data();
            answer.headers["umbral-statements"].to_str().unwrap().parse::<u32>().unwrap()
        };
        registered(&client, "first", "Ana", "Soto", json!({})).await;
        let one = statements().await;
        for n in 0..10 {
            registered(&client, &format!("{n}"), "Eva", "Luna", json!({})).await;
        }
        assert_eq!(statements().await, one);
        assert!(one > 4, "{one}");
        let data = ask(&client, "{ participants(first: 50) { totalCount } }").await;
        assert_eq!(data["participants"]["totalCount"], json!(11));
    }
);
