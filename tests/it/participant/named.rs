//! Deliveries to women who are named.

use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::{
    distribution::record::item,
    talk::{act, ask, fault, faults},
};

fn delivery(key: &str, women: &[&Value], quantity: i64) -> Value {
    let recipients: Vec<&Value> = women.iter().map(|woman| &woman["id"]).collect();
    json!({ "idempotencyKey": key, "facility": facility(1), "program": id(Kind::Program, SUPPLIES),
        "occurredOn": "2026-11-18", "peopleReached": women.len(), "reachMethod": "COUNTED",
        "lines": [item(SOAP, quantity as i32)], "recipients": recipients })
}

both!(
    async fn a_delivery_that_names_women_is_a_records_row(world: &World) {
        let client = coordinator(world);
        let mut women = Vec::new();
        for n in 0..12 {
            women.push(
                registered(&client, &format!("{n}"), "Ana", "Soto", json!({ "code": format!("W-{n:02}") }))
                    .await,
            );
        }
        let all: Vec<&Value> = women.iter().collect();
        let input = delivery("one", &all, 24);
        let shown = "id version class recipients { code identity { givenNames } }";
        let made = done(&client, "recordDistribution", "distribution", shown, &input).await;
        // Large and general as it is, it names women.
        assert_eq!(made["class"], json!("RECORDS"));
        assert_eq!(made["recipients"].as_array().unwrap().len(), 12);
        assert_eq!(made["recipients"][3], json!({ "code": "W-03", "identity": { "givenNames": "Ana" } }));
        assert_eq!(done(&client, "recordDistribution", "distribution", shown, &input).await, made);
        let list = "{ distributions(first: 9) { totalCount nodes { id } } }";
        assert_eq!(ask(&world.partner(), list).await["distributions"]["totalCount"], json!(0));
        // Who reads deliveries and says no purpose reads it without its women.
        let document =
            format!("{{ distribution(id: {}) {{ peopleReached recipients {{ code }} }} }}", made["id"]);
        let answer = world.coordinator().query(&document, Value::Null).await;
        assert_eq!(refusal(&answer), "PURPOSE_NEEDED");
        assert_eq!(answer.json()["data"]["distribution"]["peopleReached"], json!(12));
        // A delivery that names nobody has none.
        let more = json!({ "idempotencyKey": "two", "recipients": [], "peopleReached": 40 });
        let made_two = done(&client, "recordDistribution", "distribution", shown, &with(&input, more)).await;
        assert_eq!((&made_two["class"], &made_two["recipients"]), (&json!("OPERATIONS"), &json!([])));

        // What would make its women others is refused; the rest is corrected.
        let correct = with(&at(&made), json!({ "peopleReached": 11 }));
        assert_eq!(
            faults(&act(&client, "updateDistribution", "distribution", "id", &correct).await),
            fault("INVALID", "id")
        );
        let correct = with(&at(&made), json!({ "lines": [item(SOAP, 12)] }));
        let corrected =
            done(&client, "updateDistribution", "distribution", "class recipients { code }", &correct).await;
        assert_eq!(corrected["recipients"].as_array().unwrap().len(), 12);
        assert_eq!(corrected["class"], json!("RECORDS"));
        // The database itself puts no name on an operations row.
        let named = format!(
            "INSERT INTO distribution_recipient SELECT organization_id, {}, {} FROM organization o \
             JOIN distribution d ON d.organization_id = o.id LIMIT 1",
            world.literal_of(made_two["id"].as_str().unwrap()),
            world.literal_of(women[0]["id"].as_str().unwrap()),
        );
        assert!(world.try_sql(&named).await.unwrap_err().contains("an operations row names nobody"));
    }
);

both!(
    async fn who_is_named_was_there(world: &World) {
        let client = coordinator(world);
        let here = registered(&client, "here", "Ana", "Soto", json!({})).await;
        let there = registered(&client, "there", "Eva", "Luna", json!({ "facility": facility(2) })).await;
        let late = registered(&client, "late", "Luz", "Mar", json!({ "startsOn": "2026-11-19" })).await;
        let nobody = json!({ "id": api::id::text(Kind::Participant, uuid(Kind::Participant, 77)) });
        let before = world.counts().await;
        for (women, field) in [
            (vec![&here, &there], "recipients.1"),
            (vec![&late], "recipients.0"),
            (vec![&here, &nobody], "recipients.1"),
        ] {
            let refused =
                act(&client, "recordDistribution", "distribution", "id", &delivery(field, &women, 9)).await;
            assert_eq!(faults(&refused), fault("NOT_FOUND", field), "{refused}");
        }
        for (more, at) in [
            (json!({ "peopleReached": 2 }), "peopleReached"),
            (json!({ "recipients": [here["id"], here["id"]], "peopleReached": 2 }), "recipients"),
        ] {
            let input = with(&delivery("x", &[&here], 9), more);
            assert_eq!(
                faults(&act(&client, "recordDistribution", "distribution", "id", &input).await),
                fault("INVALID", at)
            );
        }
        assert_eq!(world.counts().await, before);
        // A field worker names and reads the women of the own facility.
        let worker = field(world);
        let made = done(
            &worker,
            "recordDistribution",
            "distribution",
            "id recipients { code }",
            &delivery("f", &[&here], 9),
        )
        .await;
        assert_eq!(made["recipients"], json!([{ "code": here["code"] }]));
        let end =
            with(&super::at(&here["stays"][0]), json!({ "endsOn": "2026-11-19", "ending": "LEFT_PRISON" }));
        done(&client, "endStay", "participant", "id", &end).await;
        let document = format!("{{ distribution(id: {}) {{ recipients {{ code }} }} }}", made["id"]);
        assert_eq!(ask(&worker, &document).await["distribution"]["recipients"], json!([]));
        assert_eq!(
            ask(&client, &document).await["distribution"]["recipients"],
            json!([{ "code": here["code"] }])
        );
    }
);
