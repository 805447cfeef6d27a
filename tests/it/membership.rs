//! What is changed by hand in the database holds from the next request on.

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use crate::{
    seed::account,
    talk::{act, ask, fault, faults},
    world::*,
};

const WHO: &str = "{ viewer { audience role organization { slug } } }";

/// A condition on a member's rows, as both systems write it.
fn of(world: &World, column: &str, n: u128) -> String {
    let id = account(n).simple().to_string();
    match world.database.backend {
        tests::Backend::Sqlite => format!("hex({column}) = '{}'", id.to_uppercase()),
        tests::Backend::Postgres => format!("{column} = '{id}'"),
    }
}

both!(
    async fn a_role_that_is_taken_away_stops_at_once(world: &World) {
        let client = world.coordinator();
        assert_eq!(ask(&client, WHO).await["viewer"]["role"], json!("COORDINATOR"));
        let coordinator = of(world, "account_id", 1);
        world.sql(&format!("UPDATE membership SET role = 'AUDITOR' WHERE {coordinator}")).await;
        assert_eq!(ask(&client, WHO).await["viewer"]["role"], json!("AUDITOR"));
        assert_eq!(
            client.query("{ distributions(first: 1) { totalCount } }", Value::Null).await.code(),
            "NOT_PERMITTED"
        );
        world
            .sql(&format!(
                "UPDATE membership SET role = 'COORDINATOR', ends_on = '2026-11-19' WHERE {coordinator}"
            ))
            .await;
        assert_eq!(client.query(WHO, Value::Null).await.status, 403);
        world.sql(&format!("UPDATE membership SET ends_on = '2026-11-20' WHERE {coordinator}")).await;
        ask(&client, WHO).await;
        world.sql(&format!("UPDATE membership SET starts_on = '2026-11-21' WHERE {coordinator}")).await;
        assert_eq!(client.query(WHO, Value::Null).await.status, 403);
        world.sql(&format!("UPDATE membership SET starts_on = '2026-11-20' WHERE {coordinator}")).await;
        ask(&client, WHO).await;
        world.sql(&format!("DELETE FROM membership WHERE {coordinator}")).await;
        assert_eq!(client.query(WHO, Value::Null).await.status, 403);
        // An account that is disabled, whatever its memberships.
        let second = world.member("coordinator2", "own");
        ask(&second, WHO).await;
        world
            .sql(&format!(
                "UPDATE account SET disabled_at = '2026-11-20T12:00:00+00:00' WHERE {}",
                of(world, "id", 2)
            ))
            .await;
        assert_eq!(second.query(WHO, Value::Null).await.status, 403);
    }
);

both!(
    async fn the_facilities_of_a_field_worker_are_those_of_now(world: &World) {
        world
            .add(&[Seed::new(1, 1, SUPPLIES, "2026-11-01", 20), Seed::new(2, 2, SUPPLIES, "2026-11-01", 20)])
            .await;
        let field = world.member("field", "own");
        let document =
            "{ distributions(first: 9) { nodes { facility { slug } } } viewer { facilities { slug } } }";
        let of_one = |slug: &str| json!({ "distributions": { "nodes": [{ "facility": { "slug": slug } }] }, "viewer": { "facilities": [{ "slug": slug }] } });
        assert_eq!(ask(&field, document).await, of_one("neza"));
        let member = of(world, "membership_id", 3);
        world
            .sql(&format!(
                "UPDATE membership_facility SET facility_id = {} WHERE {member}",
                world.literal(Kind::Facility, 2)
            ))
            .await;
        assert_eq!(ask(&field, document).await, of_one("ecatepec"));
        // Assigned to none, a field worker sees none.
        world.sql(&format!("DELETE FROM membership_facility WHERE {member}")).await;
        let none = json!({ "distributions": { "nodes": [] }, "viewer": { "facilities": [] } });
        assert_eq!(ask(&field, document).await, none);
    }
);

both!(
    async fn agreements_programs_and_kits_are_those_of_now(world: &World) {
        world.add(&[Seed::new(1, 1, SUPPLIES, "2026-11-01", 20).line(Goods::Kit(BATH, 1), 20)]).await;
        let partner = world.partner();
        let count = async || {
            ask(&partner, "{ distributions(first: 1) { totalCount } }").await["distributions"]["totalCount"]
                .clone()
        };
        assert_eq!(count().await, json!(1));
        for (change, expected) in [
            ("UPDATE agreement SET ends_on = '2026-11-19'", 0),
            ("UPDATE agreement SET ends_on = NULL", 1),
            ("UPDATE agreement SET archived_at = '2026-11-20T12:00:00+00:00'", 0),
            ("UPDATE agreement SET archived_at = NULL", 1),
            ("UPDATE agreement SET all_programs = FALSE", 0),
            ("UPDATE agreement SET all_programs = TRUE, shares = '[]'", 0),
            ("UPDATE agreement SET shares = '[\"DISTRIBUTIONS\"]'", 1),
            ("DELETE FROM agreement_party", 0),
        ] {
            world.sql(change).await;
            assert_eq!(count().await, json!(expected), "{change}");
        }
        let kit = "{ kits(first: 1) { nodes { code versions { contents { quantity } } } } facility(slug: \"neza\") { name } }";
        world
            .sql(&format!(
                "UPDATE kit_line SET quantity = 7 WHERE kit_id = {}",
                world.literal(Kind::Kit, BATH)
            ))
            .await;
        world.sql("UPDATE facility SET name = 'Otro' WHERE slug = 'neza'").await;
        let data = ask(&world.anonymous(), kit).await;
        assert_eq!(
            data["kits"]["nodes"][0],
            json!({ "code": "BATH", "versions": [{ "contents": [{ "quantity": 7 }] }] })
        );
        assert_eq!(data["facility"]["name"], json!("Otro"));
        assert_eq!(world.number("SELECT count(*) FROM audit_event").await, 0);
    }
);

both!(
    async fn one_of_several_memberships_is_chosen_by_request(world: &World) {
        world
            .insert::<entity::membership::Entity>(vec![entity::membership::Model {
                organization_id: uuid(Kind::Organization, OTHER),
                id: account(50),
                account_id: account(1),
                role: entity::value::Role::Admin,
                starts_on: day("2020-01-01"),
                ends_on: None,
                recorded_at: moment("2020-01-01T00:00:00Z"),
            }])
            .await;
        let client = world.coordinator();
        assert_eq!(client.query(WHO, Value::Null).await.status, 400);
        for (slug, role) in [("own", "COORDINATOR"), ("other", "ADMIN")] {
            let viewer = ask(&client.organization(slug), WHO).await["viewer"].clone();
            assert_eq!(
                viewer,
                json!({ "audience": "STAFF", "role": role, "organization": { "slug": slug } })
            );
        }
        assert_eq!(client.organization("ally").query(WHO, Value::Null).await.status, 403);
        // As a member of the other, one's own program is not there.
        let update = json!({ "id": id(Kind::Agreement, 1), "expectedVersion": 1 });
        let payload = act(&client.organization("other"), "updateAgreement", "agreement", "id", &update).await;
        assert_eq!(faults(&payload), fault("NOT_FOUND", "id"));
    }
);
