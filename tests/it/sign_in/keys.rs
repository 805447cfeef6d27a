//! Service accounts and their keys.

use serde_json::{Value, json};
use tests::{Client, both};

use super::*;
use crate::talk::{act, ask, done, faults};

/// A service account, and a key of it that is for this.
async fn key(admin: &Client, name: &str, role: &str, rights: Value) -> (String, String, String) {
    let input = json!({ "idempotencyKey": format!("account {name}"), "name": name, "role": role });
    let account = done(admin, "createServiceAccount", "user", "id kind", &input).await;
    assert_eq!(account["kind"], json!("SERVICE"));
    let account = account["id"].as_str().unwrap().to_owned();
    let input = json!({ "idempotencyKey": format!("key {name}"), "account": account, "name": "clave",
        "rights": rights, "lastDay": "2026-11-30" });
    let made = done(admin, "createServiceKey", "made", "secret key { id rights }", &input).await;
    assert_eq!(made["key"]["rights"], rights);
    // Shown once.
    let again = done(admin, "createServiceKey", "made", "secret key { id }", &input).await;
    assert_eq!(again, json!({ "secret": null, "key": { "id": made["key"]["id"] } }));
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    (account, text(&made["key"]["id"]), text(&made["secret"]))
}

both!(
    async fn a_key_is_for_what_it_says_and_no_more_than_the_role(world: &World) {
        let admin = world.member("admin", "own");
        let (account, _, all) = key(&admin, "all", "STEWARD", Value::Null).await;
        let rights = ask(&world.with_token(&all), WHO).await["viewer"]["rights"].clone();
        // All that a steward may, but nothing about women: administrators make keys.
        let held = ask(&world.member("steward", "own"), WHO).await["viewer"]["rights"].clone();
        let of_women = |right: &&Value| right.as_str().is_some_and(|name| name.starts_with("PARTICIPANT:"));
        assert!(held.as_array().unwrap().iter().any(|right| of_women(&right)));
        assert!(!rights.as_array().unwrap().iter().any(|right| of_women(&right)));
        assert!(rights.as_array().unwrap().contains(&json!("DISTRIBUTION:VERIFY")));
        let records = world.with_token(&all).purpose("SERVICE");
        let denied = records.query("{ participants(first: 1) { nodes { code } } }", Value::Null).await;
        assert_eq!(denied.code(), "NOT_PERMITTED");
        let (_, id, secret) = key(&admin, "reader", "COORDINATOR", json!(["DISTRIBUTION:READ"])).await;
        assert!(secret.starts_with("umbral_") && secret.len() == 50, "{} letters", secret.len());
        let client = world.with_token(&secret);
        assert_eq!(ask(&client, WHO).await["viewer"]["rights"], json!(["DISTRIBUTION:READ"]));
        ask(&client, "{ distributions(first: 1) { totalCount } }").await;
        let denied = client.query("{ agreements(first: 1) { totalCount } }", Value::Null).await;
        assert_eq!(denied.code(), "NOT_PERMITTED");
        let export = client.request("GET", "/export/distributions?format=csv").send().await;
        assert_eq!(export.status, 403);
        // The day of its use is known.
        let list =
            ask(&admin, "{ serviceAccounts(first: 9) { nodes { id keys { id lastUsedOn endedAt } } } }")
                .await;
        let nodes = list["serviceAccounts"]["nodes"].as_array().unwrap();
        let used: Vec<&Value> = nodes.iter().flat_map(|node| node["keys"].as_array().unwrap()).collect();
        assert!(used.contains(&&json!({ "id": id, "lastUsedOn": "2026-11-20", "endedAt": null })), "{list}");
        assert!(nodes.iter().any(|node| node["id"] == json!(account)));
        let other = client.organization("other").query(WHO, Value::Null).await;
        assert_eq!(other.code(), "NO_MEMBERSHIP");
    }
);

both!(
    async fn a_key_ends_at_once(world: &World) {
        let admin = world.member("admin", "own");
        let end = async |name: &str, input: Value| {
            let (ty, shown) = match name {
                "endMembership" => ("EndMembershipInput", "user { id }"),
                "endServiceKey" => ("MemberInput", "serviceKey { id }"),
                _ => ("MemberInput", "user { id }"),
            };
            let document = format!(
                "mutation($input: {ty}!) {{ {name}(input: $input) {{ {shown} userErrors {{ code }} }} }}"
            );
            let answer = admin.query(&document, json!({ "input": input })).await;
            assert_eq!(answer.data()[name]["userErrors"], json!([]), "{answer}");
        };
        for how in ["endServiceKey", "endUserSessions", "disableUser", "endMembership"] {
            let (account, id, secret) = key(&admin, how, "COORDINATOR", Value::Null).await;
            let client = world.with_token(&secret);
            ask(&client, WHO).await;
            let document =
                format!("{{ node(id: \"{account}\") {{ ... on User {{ memberships {{ id }} }} }} }}");
            let members = ask(&admin, &document).await;
            let membership = members["node"]["memberships"][0]["id"].clone();
            let mut socket = tests::Socket::of(world.address, &secret).await;
            let input = match how {
                "endServiceKey" => json!({ "id": id }),
                "endMembership" => json!({ "id": membership }),
                _ => json!({ "id": account }),
            };
            end(how, input).await;
            let code = if how == "endMembership" { "NO_MEMBERSHIP" } else { "KEY_NOT_ACCEPTED" };
            assert_out(&client, code).await;
            assert_eq!(socket.closed().await, (4403, code.to_owned()), "{how}");
        }
        // With its last day.
        let (_, _, secret) = key(&admin, "short", "COORDINATOR", Value::Null).await;
        world.set_now("2026-11-30T23:59:59Z");
        ask(&world.with_token(&secret), WHO).await;
        world.set_now("2026-12-01T00:00:00Z");
        assert_out(&world.with_token(&secret), "KEY_NOT_ACCEPTED").await;
        assert_out(
            &world.with_token("umbral_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            "KEY_NOT_ACCEPTED",
        )
        .await;
    }
);

both!(
    async fn keys_are_made_by_persons_for_what_the_role_holds(world: &World) {
        let admin = world.member("admin", "own");
        let (account, _, secret) = key(&admin, "admin", "ADMIN", Value::Null).await;
        let input = |rights: Value, day: &str| json!({ "idempotencyKey": "more", "account": account, "name": "n", "rights": rights, "lastDay": day });
        for (input, field) in [
            (input(json!(["KEY:WRITE", "DISTRIBUTION:READ"]), "2026-12-01"), "rights.1"),
            (input(json!(["NO:RIGHT"]), "2026-12-01"), "rights.0"),
            (input(json!(["PARTICIPANT:READ"]), "2026-12-01"), "rights.0"),
            (input(Value::Null, "2026-11-19"), "lastDay"),
            (input(Value::Null, "2027-11-22"), "lastDay"),
        ] {
            let payload = act(&admin, "createServiceKey", "made", "secret", &input).await;
            assert_eq!(faults(&payload)[0].1, field, "{payload}");
        }
        // A key makes no keys: they could be for more than it is.
        let document = "mutation($input: CreateServiceKeyInput!) { createServiceKey(input: $input) { userErrors { code } } }";
        let input = json!({ "input": input(Value::Null, "2026-12-01") });
        assert_eq!(world.with_token(&secret).query(document, input.clone()).await.code(), "NOT_PERMITTED");
        assert_eq!(world.coordinator().query(document, input).await.code(), "NOT_PERMITTED");
    }
);
