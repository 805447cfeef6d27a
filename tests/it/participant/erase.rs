//! Erasure: what she was is nowhere any more, and no old copy brings it back.

use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::talk::{act, fault, faults};

both!(
    async fn no_old_copy_brings_her_back(world: &World) {
        let client = coordinator(world);
        // More than share a bucket.
        let mut all = Vec::new();
        for n in 0..11 {
            let more = json!({ "code": format!("W-{n:02}"), "notes": format!("nota {n}"),
                "documents": [{ "kind": "CURP", "number": format!("DOC-{n}") }] });
            all.push(registered(&client, &format!("{n}"), &format!("Ana {n}"), "Soto", more).await);
        }
        let set = with(&at(&all[3]), json!({ "dependants": [{ "relation": "SON", "ageBand": "UNDER_3" }] }));
        all[3] = done(&client, "setDependants", "participant", RECORD, &set).await;
        // A backup, with all its rows.
        for table in ["participant", "participant_key", "blind_index", "key_bucket"] {
            world.sql(&format!("CREATE TABLE old_{table} AS SELECT * FROM {table}")).await;
        }
        let input = with(&at(&all[3]), json!({ "reason": "REQUEST" }));
        let refused = client
            .query(&crate::talk::mutation("eraseParticipant", "participant", "id"), json!({ "input": input }))
            .await;
        assert_eq!(refusal(&refused), "NOT_PERMITTED");
        let erased = done(&steward(world), "eraseParticipant", "participant", RECORD, &input).await;
        assert_eq!(erased["identity"], Value::Null);
        assert!(erased["erasedAt"].is_string());
        assert_ne!(erased["code"], json!("W-03"));
        assert_eq!(erased["dependants"], json!([]));
        // The others are as they were, and are found.
        for (n, record) in all.iter().enumerate().filter(|(n, _)| *n != 3) {
            assert_eq!(read(&client, record).await, *record, "{n}");
            for filter in [format!("name: \"Ana {n}\""), format!("document: \"DOC{n}\"")] {
                let found = codes(&client, &format!(", filter: {{ {filter} }}")).await;
                assert_eq!(found, [format!("W-{n:02}")]);
            }
        }
        assert_eq!(codes(&client, "").await.len(), 10);
        for filter in ["name: \"Ana 3\"", "document: \"DOC-3\""] {
            assert_eq!(codes(&client, &format!(", filter: {{ {filter} }}")).await.len(), 0, "{filter}");
        }
        let audit = world.audit().await;
        assert!(audit.iter().any(|row| row.action == "ERASE" && row.entity == "participant"));
        // Nothing more can be done to her.
        let again = act(
            &steward(world),
            "eraseParticipant",
            "participant",
            "id",
            &with(&at(&erased), json!({ "reason": "REQUEST" })),
        )
        .await;
        assert_eq!(faults(&again), fault("NOT_FOUND", "id"));
        let stay = json!({ "idempotencyKey": "back", "participant": all[3]["id"], "facility": facility(2),
            "startsOn": "2026-11-01" });
        assert_eq!(
            faults(&act(&client, "beginStay", "participant", "id", &stay).await),
            fault("NOT_FOUND", "participant")
        );
        // Her registration sent once more makes no second record out of the old one.
        let more = json!({ "code": "W-03", "notes": "nota 3", "documents": [{ "kind": "CURP", "number": "DOC-3" }] });
        let resent = act(
            &client,
            "registerParticipant",
            "participant",
            "id",
            &with(&super::input("3", "Ana 3", "Soto"), more),
        )
        .await;
        assert_eq!(faults(&resent), fault("CONFLICT", "idempotencyKey"));

        // The whole backup put back, with the keys of today.
        for table in ["blind_index", "participant_key"] {
            world.sql(&format!("DELETE FROM {table}")).await;
        }
        world.sql("UPDATE participant SET code = code || '-new'").await;
        for column in [
            "code",
            "given_names",
            "family_names",
            "birth_date",
            "documents",
            "notes",
            "identity_version",
            "version",
            "erased_at",
        ] {
            world.sql(&format!("UPDATE participant SET {column} = (SELECT o.{column} FROM old_participant o WHERE o.id = participant.id)")).await;
        }
        world.sql("UPDATE key_bucket SET retired_at = NULL, destroyed_at = NULL").await;
        for table in ["participant_key", "blind_index"] {
            world.sql(&format!("INSERT INTO {table} SELECT * FROM old_{table}")).await;
        }
        let answer = client
            .query(
                "{ participants(first: 50) { nodes { code identity { givenNames notes } } } }",
                Value::Null,
            )
            .await;
        let body = answer.json();
        let nodes = body["data"]["participants"]["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), 11);
        // Those of her old bucket are lost with that copy, those of the other one are not; and she is among the first.
        let lost: Vec<&str> = nodes
            .iter()
            .filter(|node| node["identity"].is_null())
            .map(|node| node["code"].as_str().unwrap())
            .collect();
        assert_eq!(lost, ["W-00", "W-01", "W-02", "W-03", "W-04", "W-05", "W-06", "W-07"]);
        let text = answer.to_string();
        assert!(!text.contains("Ana 3") && !text.contains("nota 3"), "{text}");
        for table in ["participant", "participant_key", "blind_index", "key_bucket"] {
            world.sql(&format!("DROP TABLE old_{table}")).await;
        }
    }
);

both!(
    /// A server that ends between the commit and the destruction of the key.
    async fn a_key_that_was_left_is_destroyed_at_the_next_start(world: &World) {
        let client = coordinator(world);
        let made = registered(&client, "one", "Ana", "Soto", json!({})).await;
        let keys = || std::fs::read_dir(world.data_dir.path().join("record-keys")).unwrap().count();
        assert_eq!(keys(), 1);
        // As the transaction of an erasure leaves it.
        world.sql("DELETE FROM participant_key").await;
        world.sql("UPDATE key_bucket SET retired_at = '2026-11-20T12:00:00+00:00'").await;
        world.second().await.stop().await;
        assert_eq!(keys(), 0);
        assert_eq!(world.number("SELECT count(*) FROM key_bucket WHERE destroyed_at IS NULL").await, 0);
        let answer = client
            .query(
                &format!("{{ participant(id: {}) {{ code identity {{ givenNames }} }} }}", made["id"]),
                Value::Null,
            )
            .await;
        assert_eq!(answer.json()["data"]["participant"]["identity"], Value::Null);
        // A new one gets a bucket of her own.
        registered(&client, "two", "Eva", "Luna", json!({})).await;
        assert_eq!(keys(), 1);
    }
);

both!(
    /// What is written at the same time as an erasure neither comes under a destroyed key nor is lost.
    async fn others_write_while_she_is_erased(world: &World) {
        let client = coordinator(world);
        let mut all = Vec::new();
        for n in 0..6 {
            all.push(registered(&client, &format!("{n}"), &format!("Ana {n}"), "Soto", json!({})).await);
        }
        let steward = steward(world);
        let erase = async {
            let input = with(&at(&all[0]), json!({ "reason": "REQUEST" }));
            done(&steward, "eraseParticipant", "participant", "id", &input).await
        };
        let change = futures_util::future::join_all((1..6).map(|n| {
            let (client, record) = (&client, &all[n]);
            async move {
                let input = with(&at(record), json!({ "notes": format!("nota {n}") }));
                done(client, "updateParticipant", "participant", RECORD, &input).await
            }
        }));
        let register =
            futures_util::future::join_all(
                (6..12).map(|n| {
                    let client = &client;
                    async move {
                        registered(client, &format!("{n}"), &format!("Ana {n}"), "Soto", json!({})).await
                    }
                }),
            );
        let (_, changed, added) = tokio::join!(erase, change, register);
        for (n, record) in changed.iter().chain(&added).enumerate() {
            assert_eq!(read(&client, record).await, *record);
            let found = codes(&client, &format!(", filter: {{ name: \"Ana {}\" }}", n + 1)).await;
            assert_eq!(json!(found), json!([record["code"]]));
        }
    }
);
