//! Ciphertext that was moved, put back, cut or wrapped by another key is found out: a clear error at its place, no word of
//! it, and every other row as before.

use serde_json::{Value, json};
use tests::both;

use super::*;

const NAMES: &str = "{ participants(first: 9) { nodes { code identity { givenNames familyNames notes } } } }";

/// The names of each woman by code, null where they cannot be read, and the codes of all errors.
async fn names(client: &Client) -> (Value, Vec<String>) {
    let answer = client.query(NAMES, Value::Null).await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    let all = body["data"]["participants"]["nodes"].as_array().unwrap();
    let all = all.iter().map(|node| (node["code"].as_str().unwrap().to_owned(), node["identity"].clone()));
    let errors = body.get("errors").and_then(Value::as_array).cloned().unwrap_or_default();
    let codes = errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap().to_owned());
    (all.collect::<serde_json::Map<_, _>>().into(), codes.collect())
}

async fn two(world: &World) -> (Client, Value) {
    let client = coordinator(world);
    registered(&client, "a", "Ana", "Soto", json!({ "code": "A", "notes": "nota de Ana" })).await;
    registered(&client, "b", "Eva", "Luna", json!({ "code": "B", "notes": "nota de Eva" })).await;
    let (before, errors) = names(&client).await;
    assert_eq!(errors, Vec::<String>::new());
    assert_eq!(before["A"]["givenNames"], json!("Ana"));
    (client, before)
}

const UNDECIPHERABLE: &str = "UNDECIPHERABLE";

both!(
    async fn a_ciphertext_that_was_moved_is_found_out(world: &World) {
        let (client, before) = two(world).await;
        // To another row.
        world.sql("UPDATE participant SET given_names = (SELECT given_names FROM participant WHERE code = 'B') WHERE code = 'A'").await;
        let (now, errors) = names(&client).await;
        assert_eq!(errors, [UNDECIPHERABLE]);
        assert_eq!(now["A"], json!({ "givenNames": null, "familyNames": "Soto", "notes": "nota de Ana" }));
        assert_eq!(now["B"], before["B"]);
        // To another column.
        world.sql("UPDATE participant SET given_names = family_names WHERE code = 'A'").await;
        let (now, errors) = names(&client).await;
        assert_eq!((now["A"]["givenNames"].clone(), errors.len()), (Value::Null, 1));
        // With the key of another row as well.
        world.sql("UPDATE participant_key SET wrapped = (SELECT k.wrapped FROM participant_key k JOIN participant p \
            ON p.id = k.participant_id WHERE p.code = 'B') WHERE participant_id IN (SELECT id FROM participant WHERE code = 'A')").await;
        let (now, errors) = names(&client).await;
        assert_eq!((now["A"].clone(), errors), (Value::Null, vec![UNDECIPHERABLE.to_owned()]));
        assert_eq!(now["B"], before["B"]);
    }
);

both!(
    async fn an_old_or_a_cut_ciphertext_is_found_out(world: &World) {
        let (client, before) = two(world).await;
        world.sql("CREATE TABLE kept AS SELECT * FROM participant").await;
        let made = client
            .query(
                "{ participants(first: 1, filter: { code: [\"A\"] }) { nodes { id version } } }",
                Value::Null,
            )
            .await;
        let made = &made.data()["participants"]["nodes"][0];
        let change = with(&at(made), json!({ "givenNames": "Alba" }));
        done(&client, "updateParticipant", "participant", "id", &change).await;
        world.sql("UPDATE participant SET given_names = (SELECT given_names FROM kept WHERE code = 'A') WHERE code = 'A'").await;
        let (now, errors) = names(&client).await;
        assert_eq!(errors, [UNDECIPHERABLE]);
        assert_eq!(now["A"]["givenNames"], Value::Null);
        assert_eq!(now["A"]["familyNames"], json!("Soto"));
        let cut = match world.database.backend {
            tests::Backend::Sqlite => "substr(family_names, 1, 20)",
            tests::Backend::Postgres => "substring(family_names from 1 for 20)",
        };
        for cut in [cut, "NULL"] {
            world.sql(&format!("UPDATE participant SET family_names = {cut} WHERE code = 'A'")).await;
            let (now, _) = names(&client).await;
            assert_eq!(now["A"]["familyNames"], Value::Null, "{cut}");
            assert_eq!(now["B"], before["B"]);
        }
        // What cannot be read is not written over.
        let made = client
            .query(
                "{ participants(first: 1, filter: { code: [\"A\"] }) { nodes { id version } } }",
                Value::Null,
            )
            .await;
        let change = json!({ "input": with(&at(&made.data()["participants"]["nodes"][0]), json!({ "notes": "otra" })) });
        let answer =
            client.query(&crate::talk::mutation("updateParticipant", "participant", "id"), change).await;
        assert_eq!(refusal(&answer), UNDECIPHERABLE);
        world.sql("DROP TABLE kept").await;
    }
);

both!(
    async fn a_wrong_master_key_shows_nobody_and_a_new_one_everybody(world: &World) {
        let (client, before) = two(world).await;
        let master = world.data_dir.path().join("master.key");
        let right = std::fs::read(&master).unwrap();
        std::fs::remove_file(&master).unwrap();
        api::vault::Source::generate_if_missing(&master).unwrap();
        let other = world.second().await;
        let there = Client::anonymous(format!("http://{}", other.address))
            .token(&world.token("demo:coordinator:own"))
            .purpose("SERVICE");
        let (now, errors) = names(&there).await;
        assert_eq!(now, json!({ "A": null, "B": null }));
        assert_eq!(errors, [UNDECIPHERABLE; 2]);
        other.stop().await;
        // The right one back, and a new one in its place while the server runs.
        std::fs::write(&master, right).unwrap();
        assert_eq!(names(&client).await.0, before);
        let rotated = tokio::process::Command::new(tests::program())
            .args(["keys", "rotate-master"])
            .env_clear()
            .env("DATABASE_URL", &world.database.url)
            .env("UMBRAL_DATA_DIR", world.data_dir.path())
            .output()
            .await
            .unwrap();
        assert!(rotated.status.success(), "{rotated:?}");
        assert_eq!(
            String::from_utf8_lossy(&rotated.stdout),
            "1 of 1 bucket keys wrapped by the new master key.\n"
        );
        assert_eq!(names(&client).await.0, before);
        registered(&client, "c", "Luz", "Mar", json!({ "code": "C" })).await;
        assert_eq!(names(&client).await.0["C"]["givenNames"], json!("Luz"));
    }
);
