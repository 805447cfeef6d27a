//! What is not theirs is not there: the same bytes as for nothing at all.

use api::id::Kind;
use serde_json::Value;
use tests::{Answer, Client, both};

use super::{Books, gift, item, share_stock};
use crate::world::*;

const LISTS: &str = "{ warehouseBalances(quarterEnd: \"2027-03-31\") { quantity asOf item { code } } \
    giftReceipts(quarterEnd: \"2027-03-31\") { quantity } bulkDispatches(quarterEnd: \"2027-03-31\") { quantity } }";

async fn lists(client: &Client) -> Answer {
    client.query(LISTS, Value::Null).await
}

type Headers = Vec<(String, Vec<u8>)>;

/// The status, the body, and the headers that could tell something.
fn told(answer: &Answer) -> (u16, Vec<u8>, Headers) {
    let silent = ["date", "x-request-id", "umbral-statements"];
    let headers = answer.headers.iter().filter(|(name, _)| !silent.contains(&name.as_str()));
    let mut headers: Headers =
        headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    headers.sort();
    (answer.status, answer.body.to_vec(), headers)
}

both!(
    async fn who_gave_nothing_sees_what_is_not_there(world: &World) {
        let books = Books::open(world, "2027-01-05").await;
        world.set_now("2027-04-02T09:00:00Z");
        let nothing = told(&lists(&world.member("donor", "giver2")).await);
        let nothing_shared = told(&lists(&world.partner()).await);
        assert_eq!(nothing.1, nothing_shared.1);
        // All of this is recorded in the second quarter, and shown in the third.
        let gift = gift(world, GIVER, &[(item(SOAP), 100)]).await;
        let soap = books.gave("2027-04-05", GIVER, Some(&gift), item(SOAP), 100).await;
        let pads = books.gave("2027-04-05", ALLY, None, item(PADS), 100).await;
        books.sent("2027-04-06", &soap, 20).await;
        books.sent("2027-04-06", &pads, 20).await;
        books.soap("2027-04-07", 1, 30, &soap, 30).await;
        world.set_now("2027-07-02T09:00:00Z");
        let later = LISTS.replace("2027-03-31", "2027-06-30");
        let donor = world.member("donor", "giver").query(&later, Value::Null).await;
        assert_eq!(donor.data()["warehouseBalances"][0]["quantity"], serde_json::json!(50));
        // Another donor, a stranger, a partner whose agreement shares no stock, and one whose agreement has ended.
        share_stock(world, 2, Some("2027-06-30")).await;
        for (role, organization) in [("donor", "giver2"), ("partner", "stranger"), ("partner", "ally")] {
            let client = world.member(role, organization);
            let answer = client.query(&later, Value::Null).await;
            assert_eq!(told(&answer).1, nothing.1, "{role} {organization}");
            assert_eq!(told(&answer).2, nothing.2, "{role} {organization}");
            // Of a quarter before there was anything they are told the same.
            assert_eq!(told(&lists(&client).await), nothing, "{role} {organization}");
        }
        share_stock(world, 3, None).await;
        let partner = world.partner().query(&later, Value::Null).await;
        assert_eq!(partner.data()["warehouseBalances"][0]["quantity"], serde_json::json!(80));
        // Another organisation's staff have stock of their own.
        let others = world.member("coordinator", "other").query(&later, Value::Null).await;
        assert_eq!(others.data()["warehouseBalances"], serde_json::json!([]));
        assert_eq!(others.data()["giftReceipts"], serde_json::json!([]));
        // Somebody else's gift answers like no gift.
        let asked = |gift: &str| format!("{{ giftTrace(gift: \"{gift}\") {{ until rows {{ quantity }} }} }}");
        let none = [id(Kind::Gift, 77), id(Kind::Organization, GIVER)];
        for (role, organization) in [("donor", "giver2"), ("coordinator", "other")] {
            let client = world.member(role, organization);
            let theirs = client.query(&asked(&gift), Value::Null).await;
            assert_eq!(theirs.code(), "BAD_USER_INPUT", "{theirs}");
            for none in &none {
                assert_eq!(told(&theirs), told(&client.query(&asked(none), Value::Null).await), "{role}");
            }
        }
        world.member("donor", "giver").query(&asked(&gift), Value::Null).await.data();
        // Anonymous callers know none of the names; partners know of no trace.
        for (client, fields) in [
            (world.anonymous(), &["warehouseBalances", "giftReceipts", "bulkDispatches", "giftTrace"][..]),
            (world.partner(), &["giftTrace"]),
        ] {
            for field in fields {
                let unknown = "x".repeat(field.len());
                let document = format!("{{ {field} {{ quantity }} }}");
                let hidden = client.query(&document, Value::Null).await;
                let missing = client.query(&document.replace(field, &unknown), Value::Null).await;
                let body = String::from_utf8_lossy(&missing.body).replace(&unknown, field);
                assert_eq!(String::from_utf8_lossy(&hidden.body), body, "{field}");
                assert_eq!(hidden.status, missing.status);
            }
        }
    }
);

both!(
    async fn a_donor_does_not_see_the_trace_of_a_draft(world: &World) {
        Books::open(world, "2027-01-05").await;
        let client = world.coordinator();
        let input = serde_json::json!({ "idempotencyKey": "draft", "donor": id(Kind::Organization, GIVER),
            "receivedOn": "2026-11-01", "programs": [], "lines": [{ "supplied": item(SOAP), "quantity": 10 }] });
        let draft = crate::talk::done(&client, "createGift", "gift", "id", &input).await;
        let asked = |gift: &Value| format!("{{ giftTrace(gift: {gift}) {{ until }} }}");
        let donor = world.member("donor", "giver");
        let hidden = donor.query(&asked(&draft["id"]), Value::Null).await;
        let missing = donor.query(&asked(&Value::String(id(Kind::Gift, 77))), Value::Null).await;
        assert_eq!(told(&hidden), told(&missing));
        client.query(&asked(&draft["id"]), Value::Null).await.data();
    }
);
