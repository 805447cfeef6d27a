//! A steward's word that the sensitive goods of a gift are accounted for.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tests::both;

use super::{Books, Handed, gift, item};
use crate::{
    talk::{act, ask, done, fault, faults, mutation},
    world::*,
};

async fn confirm(world: &World, gift: &str, key: &str) -> Value {
    let input = json!({ "idempotencyKey": key, "gift": gift });
    act(&world.member("steward", "own"), "confirmGiftAccounted", "gift", "id", &input).await
}

async fn accounted(world: &World, who: (&str, &str), gift: &str) -> Value {
    let document = format!(
        "{{ giftTrace(gift: \"{gift}\") {{ rows {{ quantity }} accountedFor {{ on signature }} }} }}"
    );
    ask(&world.member(who.0, who.1), &document).await["giftTrace"]["accountedFor"].clone()
}

both!(
    async fn a_steward_signs_when_nothing_sensitive_is_left(world: &World) {
        let books = Books::open(world, "2027-01-05").await;
        let gift = gift(world, GIVER, &[(item(FORMULA), 8), (item(SOAP), 50)]).await;
        let refused = fault("INVALID", "gift");
        assert_eq!(faults(&confirm(world, &gift, "not here").await), refused);
        let formula = books.gave("2027-01-05", GIVER, Some(&gift), item(FORMULA), 5).await;
        books.gave("2027-01-05", GIVER, Some(&gift), item(SOAP), 50).await;
        assert_eq!(faults(&confirm(world, &gift, "not all").await), refused);
        let rest = books.gave("2027-01-06", GIVER, Some(&gift), item(FORMULA), 3).await;
        assert_eq!(faults(&confirm(world, &gift, "all here").await), refused);
        let lines = [(item(FORMULA), Some(formula.as_str()), 5)];
        let mother = Handed { facility: 1, program: MATERNITY, women: 1, lines: &lines };
        books.delivered("2027-01-20", "2027-01-20", mother).await;
        let transfer = books.sent("2027-01-21", &rest, 3).await;
        assert_eq!(faults(&confirm(world, &gift, "on its way").await), refused);
        let arrival = json!({ "transfer": transfer["id"], "lines": [{ "lot": rest, "received": 3 }] });
        books.moved("receiveTransfer", "2027-01-22", arrival).await;
        assert_eq!(faults(&confirm(world, &gift, "in the store").await), refused);
        let loss = json!({ "place": books.places.store, "reason": "DAMAGED", "lines": [{ "lot": rest, "quantity": 3 }] });
        books.moved("loseStock", "2027-02-01", loss).await;
        // Only a steward says so, and checking says nothing yet. Soap is still there, and has a trace of its own.
        for role in ["coordinator", "field", "admin", "auditor"] {
            let document = mutation("confirmGiftAccounted", "gift", "id");
            let input = json!({ "input": { "idempotencyKey": "x", "gift": gift } });
            assert_eq!(
                world.member(role, "own").query(&document, input).await.code(),
                "NOT_PERMITTED",
                "{role}"
            );
        }
        let dry = json!({ "idempotencyKey": "dry", "gift": gift, "validateOnly": true });
        let steward = world.member("steward", "own");
        assert_eq!(done(&steward, "confirmGiftAccounted", "gift", "id", &dry).await, Value::Null);
        assert_eq!(accounted(world, ("steward", "own"), &gift).await, Value::Null);
        let said = confirm(world, &gift, "now").await;
        assert_eq!(said, json!({ "gift": { "id": gift }, "userErrors": [] }));
        assert_eq!(confirm(world, &gift, "now").await, said);
        assert_eq!(faults(&confirm(world, &gift, "again").await), fault("DUPLICATE", "gift"));
        // Its donor reads it when the quarter is over.
        let signed = accounted(world, ("steward", "own"), &gift).await;
        assert_eq!(signed["on"], json!("2027-03-31"));
        assert_eq!(accounted(world, ("donor", "giver"), &gift).await, Value::Null);
        world.set_now("2027-03-31T23:59:59Z");
        assert_eq!(accounted(world, ("donor", "giver"), &gift).await, Value::Null);
        world.set_now("2027-04-01T00:00:00Z");
        assert_eq!(accounted(world, ("donor", "giver"), &gift).await, signed);
        verify(world, signed["signature"].as_str().unwrap(), &json!({ "gift": gift, "on": "2027-03-31" }))
            .await;
        // It opens nothing.
        let token = world.with_token(signed["signature"].as_str().unwrap());
        token.query("{ __typename }", Value::Null).await.expect_status(401);
    }
);

both!(
    async fn a_gift_without_sensitive_goods_has_its_trace(world: &World) {
        let books = Books::open(world, "2027-01-05").await;
        let gift = gift(world, GIVER, &[(item(SOAP), 50)]).await;
        let soap = books.gave("2027-01-05", GIVER, Some(&gift), item(SOAP), 50).await;
        books.lost("2027-01-06", &soap, 50).await;
        assert_eq!(faults(&confirm(world, &gift, "a").await), fault("INVALID", "gift"));
        assert_eq!(
            faults(&confirm(world, &id(api::id::Kind::Gift, 99), "b").await),
            fault("NOT_FOUND", "gift")
        );
    }
);

/// Checks a signature as whoever has the public keys can.
async fn verify(world: &World, signature: &str, statement: &Value) {
    let keys = world.anonymous().request("GET", "/.well-known/jwks.json").send().await;
    let parts: Vec<&str> = signature.split('.').collect();
    let part =
        |n: usize| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[n]).unwrap()).unwrap() };
    assert_eq!(&part(1), statement);
    assert_eq!(part(0)["alg"], json!("EdDSA"));
    let keys = keys.json()["keys"].as_array().unwrap().clone();
    let key = keys.iter().find(|key| key["kid"] == part(0)["kid"]).unwrap();
    let key = jsonwebtoken::DecodingKey::from_ed_components(key["x"].as_str().unwrap()).unwrap();
    let message = format!("{}.{}", parts[0], parts[1]);
    let algorithm = jsonwebtoken::Algorithm::EdDSA;
    assert!(jsonwebtoken::crypto::verify(parts[2], message.as_bytes(), &key, algorithm).unwrap());
}
