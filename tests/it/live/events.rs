//! Who is told of what. That somebody is not told of something is shown by what they are told next.

use api::id::Kind;
use entity::{
    agreement, agreement_party,
    value::{AgreementShare, Shares},
};
use serde_json::{Value, json};
use tests::both;

use super::{IDS, RECORDED, made, recorded, small, socket, told};
use crate::{
    distribution::record::{input, item},
    talk::{act, done},
    world::*,
};

both!(
    async fn staff_and_partners_are_told_of_what_they_may_see(world: &World) {
        let (mut staff, mut partner) =
            (socket(world, "coordinator", "own").await, socket(world, "partner", "ally").await);
        staff.subscribe("all", RECORDED, Value::Null).await;
        partner.subscribe("all", RECORDED, Value::Null).await;
        let client = world.coordinator();
        let one = recorded(&client, "one").await;
        let hidden = small(&client, "hidden").await;
        let two = recorded(&client, "two").await;
        for id in [&one, &hidden, &two] {
            assert_eq!(told(&mut staff, "all").await.0, *id);
        }
        let event = partner.event("all").await["distributionRecorded"].clone();
        let expected = json!({ "id": one, "status": "DELIVERED", "peopleReached": 40,
            "facility": { "slug": "neza" }, "lines": [{ "quantity": 40 }] });
        assert_eq!(event["distribution"], expected);
        assert_eq!(told(&mut partner, "all").await.0, two);
    }
);

both!(
    async fn others_are_told_nothing(world: &World) {
        let mut sockets = Vec::new();
        for (role, organization) in [("partner", "stranger"), ("coordinator", "other"), ("field", "other")] {
            let mut socket = socket(world, role, organization).await;
            socket.subscribe("s", IDS, Value::Null).await;
            sockets.push(socket);
        }
        recorded(&world.coordinator(), "one").await;
        small(&world.coordinator(), "two").await;
        // A delivery of the other organisation is the first thing that its own people hear.
        let theirs = theirs(world, "theirs").await;
        assert_eq!(told(&mut sockets[1], "s").await.0, theirs);
        assert_eq!(told(&mut sockets[2], "s").await.0, theirs);
        // From now on the stranger may see what there is; it hears of this first.
        let stranger = world.literal(Kind::Organization, STRANGER);
        world.sql(&format!("UPDATE agreement_party SET partner_id = {stranger}")).await;
        let details = json!({ "occurredOn": "2026-11-18" });
        let shared = made(&world.coordinator(), "shared", details).await;
        while told(&mut sockets[0], "s").await.0 != shared {}
    }
);

/// A delivery of the other organisation.
async fn theirs(world: &World, key: &str) -> String {
    let details = json!({ "facility": id(Kind::Facility, 4), "program": id(Kind::Program, THEIRS),
        "lines": [item(TOWEL, 40)] });
    made(&world.member("coordinator", "other"), key, details).await
}

both!(
    async fn an_agreement_that_ends_ends_its_events(world: &World) {
        // What the other organisation shares shows how far the partner has been told.
        let model = agreement::Model {
            organization_id: uuid(Kind::Organization, OTHER),
            id: uuid(Kind::Agreement, 2),
            title: "Otra".to_owned(),
            starts_on: day("2024-01-01"),
            ends_on: None,
            time_zone: "America/Santiago".to_owned(),
            all_facilities: true,
            all_programs: true,
            shares: Shares(vec![AgreementShare::Distributions]),
            version: 1,
            recorded_at: moment("2024-01-01T00:00:00Z"),
            published_at: Some(moment("2024-01-01T00:00:00Z")),
            archived_at: None,
        };
        world.insert::<agreement::Entity>(vec![model]).await;
        let party = agreement_party::Model {
            organization_id: uuid(Kind::Organization, OTHER),
            agreement_id: uuid(Kind::Agreement, 2),
            partner_id: uuid(Kind::Organization, ALLY),
        };
        world.insert::<agreement_party::Entity>(vec![party]).await;
        let mut partner = socket(world, "partner", "ally").await;
        partner.subscribe("s", IDS, Value::Null).await;
        let own = world.literal(Kind::Organization, OWN);
        for change in [
            "ends_on = '2026-11-18'",
            "starts_on = '2026-11-21'",
            "archived_at = '2026-11-20T12:00:00+00:00'",
            "all_facilities = FALSE",
            "all_programs = FALSE",
            "shares = '[]'",
        ] {
            let one = recorded(&world.coordinator(), &format!("before {change}")).await;
            assert_eq!(told(&mut partner, "s").await.0, one, "{change}");
            world.sql(&format!("UPDATE agreement SET {change} WHERE organization_id = {own}")).await;
            recorded(&world.coordinator(), change).await;
            let marker = theirs(world, change).await;
            assert_eq!(told(&mut partner, "s").await.0, marker, "{change}");
            world
                .sql(
                    "UPDATE agreement SET starts_on = '2024-01-01', ends_on = NULL, archived_at = NULL, \
                     all_facilities = TRUE, all_programs = TRUE, shares = '[\"DISTRIBUTIONS\"]'",
                )
                .await;
        }
    }
);

both!(
    async fn what_an_agreement_does_not_cover_is_not_told(world: &World) {
        let mut partner = socket(world, "partner", "ally").await;
        partner.subscribe("s", IDS, Value::Null).await;
        world.sql("UPDATE agreement SET starts_on = '2026-11-19'").await;
        let client = world.coordinator();
        // The day before its first, and a day within it.
        made(&client, "before", json!({ "occurredOn": "2026-11-18" })).await;
        let within = recorded(&client, "within").await;
        assert_eq!(told(&mut partner, "s").await.0, within);
        world.sql("UPDATE agreement SET all_facilities = FALSE").await;
        let (own, agreement) = (world.literal(Kind::Organization, OWN), world.literal(Kind::Agreement, 1));
        let facility = world.literal(Kind::Facility, 2);
        world
            .sql(&format!(
                "INSERT INTO agreement_facility (organization_id, agreement_id, facility_id) \
                 VALUES ({own}, {agreement}, {facility})"
            ))
            .await;
        recorded(&client, "elsewhere").await;
        let there = made(&client, "there", json!({ "facility": id(Kind::Facility, 2) })).await;
        assert_eq!(told(&mut partner, "s").await.0, there);
    }
);

both!(
    async fn a_field_worker_is_told_of_their_facilities(world: &World) {
        let mut field = socket(world, "field", "own").await;
        field.subscribe("s", IDS, Value::Null).await;
        let client = world.coordinator();
        made(&client, "elsewhere", json!({ "facility": id(Kind::Facility, 2) })).await;
        let here = small(&client, "here").await;
        assert_eq!(told(&mut field, "s").await.0, here);
    }
);

both!(
    async fn a_subscription_to_facilities_is_told_of_these(world: &World) {
        let mut staff = socket(world, "coordinator", "own").await;
        let document =
            "subscription($at: [ID!]) { distributionRecorded(facility: $at) { id distribution { id } } }";
        staff.subscribe("two", document, json!({ "at": [id(Kind::Facility, 2)] })).await;
        staff.subscribe("none", document, json!({ "at": [] })).await;
        staff.subscribe("other", document, json!({ "at": [id(Kind::Program, 2)] })).await;
        let client = world.coordinator();
        recorded(&client, "one").await;
        let two = made(&client, "two", json!({ "facility": id(Kind::Facility, 2) })).await;
        assert_eq!(told(&mut staff, "two").await.0, two);
        staff.round_trip().await;
    }
);

both!(
    async fn outsiders_hear_of_a_correction_that_they_can_see(world: &World) {
        let (mut staff, mut partner) =
            (socket(world, "coordinator", "own").await, socket(world, "partner", "ally").await);
        staff.subscribe("s", RECORDED, Value::Null).await;
        partner.subscribe("s", RECORDED, Value::Null).await;
        let client = world.coordinator();
        let one = recorded(&client, "one").await;
        let update = async |version: i32, change: Value| {
            let entry = json!({ "id": one, "expectedVersion": version });
            let input = crate::lifecycle::with(&entry, change);
            done(&client, "updateDistribution", "distribution", "id", &input).await;
        };
        // Down to nine: the number goes. From nine to eight, and to another way of counting: nothing that they see.
        update(1, json!({ "peopleReached": 9 })).await;
        update(2, json!({ "peopleReached": 8 })).await;
        update(3, json!({ "reachMethod": "ESTIMATED_OTHER" })).await;
        update(4, json!({ "peopleReached": 30, "lines": [item(SOAP, 50)] })).await;
        let of = |event: &Value| {
            let delivery = &event["distributionRecorded"]["distribution"];
            assert_eq!(delivery["id"], json!(one));
            delivery["peopleReached"].clone()
        };
        for _ in 0..5 {
            of(&staff.event("s").await);
        }
        for _ in 0..3 {
            of(&partner.event("s").await);
        }
        // A second person confirms it, and it is made void: both can see that.
        let entry = json!({ "id": one, "expectedVersion": 5 });
        let second = world.member("coordinator2", "own");
        done(&second, "verifyDistribution", "distribution", "id", &entry).await;
        let void = json!({ "id": one, "expectedVersion": 6, "reason": "DUPLICATE" });
        done(&client, "voidDistribution", "distribution", "id", &void).await;
        for socket in [&mut staff, &mut partner] {
            socket.event("s").await;
            let last = socket.event("s").await;
            assert_eq!(last["distributionRecorded"]["distribution"]["status"], json!("VOIDED"));
        }
    }
);

both!(
    async fn what_is_not_written_is_not_told(world: &World) {
        let mut staff = socket(world, "coordinator", "own").await;
        staff.subscribe("s", IDS, Value::Null).await;
        let client = world.coordinator();
        let before = world.number("SELECT count(*) FROM outbox").await;
        let mut dry = input("dry");
        dry["validateOnly"] = json!(true);
        act(&client, "recordDistribution", "distribution", "id", &dry).await;
        let mut bad = input("bad");
        bad["peopleReached"] = json!(-1);
        act(&client, "recordDistribution", "distribution", "id", &bad).await;
        assert_eq!(world.number("SELECT count(*) FROM outbox").await, before);
        let one = recorded(&client, "one").await;
        // The same key again makes nothing new.
        assert_eq!(recorded(&client, "one").await, one);
        assert_eq!(world.number("SELECT count(*) FROM outbox").await, before + 1);
        assert_eq!(told(&mut staff, "s").await.0, one);
    }
);

both!(
    async fn event_ids_say_nothing(world: &World) {
        let (mut staff, mut partner) =
            (socket(world, "coordinator", "own").await, socket(world, "partner", "ally").await);
        staff.subscribe("s", IDS, Value::Null).await;
        partner.subscribe("s", IDS, Value::Null).await;
        let client = world.coordinator();
        let mut ids = Vec::new();
        for key in ["one", "two"] {
            recorded(&client, key).await;
            small(&client, &format!("small {key}")).await;
            ids.push(told(&mut partner, "s").await.1);
            ids.push(told(&mut staff, "s").await.1);
            told(&mut staff, "s").await;
        }
        let lengths: Vec<usize> = ids.iter().map(String::len).collect();
        assert!(lengths.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
        // Nobody else can use one: neither another viewer, nor for another list.
        let mut second = socket(world, "coordinator2", "own").await;
        for id in [&ids[0], &ids[1], &"AAAA".to_owned()] {
            let document = format!("subscription {{ distributionRecorded(after: \"{id}\") {{ id }} }}");
            let fault = second.refused(&document).await;
            assert_eq!(fault[0]["extensions"]["code"], json!("BAD_USER_INPUT"), "{fault}");
        }
        let list = format!("{{ distributions(first: 1, after: \"{}\") {{ totalCount }} }}", ids[1]);
        assert_eq!(client.query(&list, Value::Null).await.code(), "BAD_CURSOR");
    }
);
