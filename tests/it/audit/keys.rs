//! What the audit keeps of keys: who made one, the days on which it was used, its end, and what became of the keys of
//! records.

use serde_json::{Value, json};
use tests::{Client, both};

use super::*;
use crate::{
    lifecycle::with,
    participant::{at, coordinator, registered, steward},
    talk::{ask, done},
};

const WHO: &str = "{ viewer { role } }";

/// The traces of an action, as role and organisation, with what each is about.
async fn traces(world: &World, action: &str) -> Vec<Audit> {
    world.audit().await.into_iter().filter(|row| row.action == action).collect()
}

/// A service account of the own organisation and a key of it, with the key's secret.
async fn service_key(admin: &Client, name: &str) -> (Value, Value, String) {
    let input = json!({ "idempotencyKey": format!("account {name}"), "name": name, "role": "COORDINATOR" });
    let account = done(admin, "createServiceAccount", "user", "id", &input).await["id"].clone();
    let input = json!({ "idempotencyKey": format!("key {name}"), "account": account, "name": name,
        "lastDay": "2026-12-31" });
    let made = done(admin, "createServiceKey", "made", "secret key { id }", &input).await;
    (account, made["key"]["id"].clone(), made["secret"].as_str().unwrap().to_owned())
}

/// Runs the program on a world's database.
async fn umbral(world: &World, arguments: &[&str]) -> std::process::Output {
    let output = tokio::process::Command::new(tests::program())
        .args(arguments)
        .env_clear()
        .env("DATABASE_URL", &world.database.url)
        .env("UMBRAL_DATA_DIR", world.data_dir.path())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

both!(
    async fn a_key_leaves_a_trace_on_each_day_of_its_use_and_at_its_end(world: &World) {
        let admin = world.member("admin", "own");
        let (account, key, secret) = service_key(&admin, "one").await;
        assert!(traces(world, "KEY_USE").await.is_empty());
        let client = world.with_token(&secret);
        // Several at once are one first use.
        let asked = (0..6).map(|_| ask(&client, WHO));
        for answer in futures_util::future::join_all(asked).await {
            assert_eq!(answer["viewer"]["role"], json!("COORDINATOR"));
        }
        let counts = world.counts().await;
        ask(&client, WHO).await;
        assert_eq!(world.counts().await, counts);
        world.set_now("2026-11-21T08:00:00Z");
        ask(&client, WHO).await;
        let used = traces(world, "KEY_USE").await;
        assert_eq!(used.len(), 2, "{used:?}");
        let id = api::id::GlobalId::parse(key.as_str().unwrap()).unwrap().id;
        for row in &used {
            assert_eq!((row.role.as_str(), row.entity.as_str()), ("COORDINATOR", "service_key"));
            assert_eq!((row.entity_id, row.organization), (id, uuid(Kind::Organization, OWN)));
        }
        // It ends with all that its account has.
        let document =
            "mutation($input: MemberInput!) { endUserSessions(input: $input) { userErrors { code } } }";
        for _ in 0..2 {
            admin.query(document, json!({ "input": { "id": account } })).await.data();
        }
        let ended: Vec<Audit> =
            traces(world, "END").await.into_iter().filter(|row| row.entity == "service_key").collect();
        assert_eq!(ended.len(), 1, "{ended:?}");
        assert_eq!((ended[0].role.as_str(), ended[0].entity_id), ("ADMIN", id));
        seal(world).await;
        assert_eq!(wrong(world, "own").await, [] as [String; 0]);
    }
);

both!(
    async fn the_end_of_a_bucket_key_is_in_the_audit_of_its_organisation(world: &World) {
        let record = registered(&coordinator(world), "one", "Ana", "Soto", json!({})).await;
        let input = with(&at(&record), json!({ "reason": "REQUEST" }));
        done(&steward(world), "eraseParticipant", "participant", "id", &input).await;
        let destroyed = traces(world, "KEY_DESTROY").await;
        assert_eq!(destroyed.len(), 1, "{destroyed:?}");
        assert_eq!((destroyed[0].role.as_str(), destroyed[0].entity.as_str()), ("SYSTEM", "key_bucket"));
        assert_eq!(destroyed[0].organization, uuid(Kind::Organization, OWN));
        // There is nothing left to destroy.
        world.running.store.destroy_retired().await.unwrap();
        assert_eq!(traces(world, "KEY_DESTROY").await.len(), 1);
        seal(world).await;
        assert_eq!(wrong(world, "own").await, [] as [String; 0]);
    }
);

both!(
    async fn a_use_of_the_master_key_is_in_the_audit_of_everybody(world: &World) {
        registered(&coordinator(world), "one", "Ana", "Soto", json!({})).await;
        umbral(world, &["keys", "rotate-master"]).await;
        let printed = umbral(world, &["keys", "new-master"]).await.stdout;
        assert_eq!(printed.len(), 45, "a line of 32 bytes in base64");
        for action in ["KEY_ROTATE_MASTER", "KEY_NEW_MASTER"] {
            let rows = traces(world, action).await;
            let of: std::collections::BTreeSet<Uuid> = rows.iter().map(|row| row.organization).collect();
            assert_eq!((rows.len(), of.len()), (ORGANIZATIONS.len(), ORGANIZATIONS.len()), "{action}");
            assert!(rows.iter().all(|row| row.role == "SYSTEM" && row.entity == "master_key"));
        }
        seal(world).await;
        for slug in ORGANIZATIONS {
            assert_eq!(wrong(world, slug).await, [] as [String; 0], "{slug}");
        }
    }
);
