//! The row wall: what a viewer may not see is not there. Not in a lookup, a list, a count, a sum or a cursor.

use api::{
    demo::id_of,
    id::{self, Kind},
};
use entity::{
    distribution, distribution_line,
    value::{DistributionStatus, ReachMethod, RowClass},
};
use sea_orm::{ActiveModelTrait, DatabaseConnection, IntoActiveModel, prelude::Uuid};
use serde_json::{Value, json};
use tests::{Answer, Client, DemoApp, both};

const OWN: &str = "red-de-accion-carcelaria";

/// A delivery to write past all rules of the server.
struct Seed {
    number: u128,
    class: RowClass,
    facility: &'static str,
    day: &'static str,
    people: i32,
}

fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x5eed_0000_0000_4000_8000_0000_0000_0000 | number)
}

fn global(kind: Kind, id: Uuid) -> String {
    id::text(kind, id)
}

fn entry(kind: Kind, table: &str, key: &str) -> String {
    global(kind, id_of(table, key))
}

async fn seed(db: &DatabaseConnection, seed: &Seed) -> String {
    let at = "2026-11-01T09:00:00Z".parse().unwrap();
    let organization_id = id_of("organization", OWN);
    let row = distribution::Model {
        organization_id,
        id: uuid(seed.number),
        class: seed.class,
        facility_id: id_of("facility", seed.facility),
        program_id: id_of("program", &format!("{OWN}:kits-de-higiene")),
        occurred_on: seed.day.parse().unwrap(),
        recorded_at: at,
        status: DistributionStatus::Delivered,
        people_reached: seed.people,
        reach_method: ReachMethod::Counted,
        version: 1,
        recorded_by: None,
        import_key: None,
        client_id: None,
        form_number: None,
        verified_at: None,
        voided_at: None,
        void_reason: None,
        void_note: None,
    };
    row.into_active_model().reset_all().insert(db).await.unwrap();
    let line = distribution_line::Model {
        organization_id,
        distribution_id: uuid(seed.number),
        position: 1,
        class: seed.class,
        shown: seed.class == RowClass::Operations,
        item_id: None,
        kit_id: Some(id_of("kit", &format!("{OWN}:hygiene-kit"))),
        kit_version: Some(2),
        quantity: seed.people,
        people_reached: seed.people,
    };
    line.into_active_model().reset_all().insert(db).await.unwrap();
    global(Kind::Distribution, uuid(seed.number))
}

/// Everything of an answer that could tell something.
fn told(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id", "umbral-statements"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()))
        .collect();
    headers.sort();
    (answer.status, headers, String::from_utf8_lossy(&answer.body).into_owned())
}

/// Fails unless a document with one id is answered as with the other.
async fn assert_alike(client: &Client, document: &str, one: &str, other: &str) {
    for variable in [false, true] {
        let ask = async |id: &str| {
            if !variable {
                let document = document.replace("ID", &format!("\"{id}\""));
                return told(&client.query(&document, Value::Null).await);
            }
            let (operation, rest) = document.split_once('{').unwrap();
            let operation = if operation.is_empty() { "query " } else { operation };
            let document = format!("{operation}($id: ID!) {{{}", rest.replace("ID", "$id"));
            told(&client.query(&document, json!({ "id": id })).await)
        };
        let (status, headers, body) = ask(other).await;
        assert_eq!(ask(one).await, (status, headers, body.replace(other, one)), "{document}");
    }
}

const LOOKUPS: [&str; 5] = [
    "{ distribution(id: ID) { id status occurredOn peopleReached lines { quantity } } }",
    "{ node(id: ID) { __typename id } }",
    "{ nodes(ids: [ID, ID]) { __typename id } }",
    "{ a: node(id: ID) { ... on Distribution { id } } b: distribution(id: ID) { __typename } }",
    "mutation { voidDistribution(input: { id: ID, expectedVersion: 1, reason: ENTRY_ERROR }) { \
     distribution { id } userErrors { code field message } } }",
];

both!(
    async fn not_yours_is_not_there(app: &DemoApp) {
        let db = app.database.connect().await;
        let new = |number, class, day, people| Seed { number, class, facility: "cpf-talca", day, people };
        let shared = seed(&db, &new(1, RowClass::Operations, "2026-10-01", 40)).await;
        let older = seed(&db, &new(2, RowClass::Operations, "2022-05-05", 40)).await;
        let record = seed(&db, &new(3, RowClass::Records, "2026-10-01", 4)).await;
        let nowhere = global(Kind::Distribution, uuid(4));

        let partner = |name: &str| app.member("partner", name);
        let staff = |role: &str| app.member(role, OWN);
        // Who asks, and which of the three there are for them.
        let viewers = [
            ("partner of all", partner("demo-partner-network"), [true, true, false]),
            ("partner of other facilities", partner("demo-partner-supplies"), [false, false, false]),
            ("partner whose agreement has ended", partner("demo-partner-health"), [false, false, false]),
            ("partner of another organisation", partner("demo-partner-workshops"), [false, false, false]),
            ("donor", app.member("donor", "demo-donor-hygiene"), [false, false, false]),
            ("nobody", app.anonymous(), [false, false, false]),
            ("coordinator of another organisation", app.member("coordinator", "la-cana"), [false; 3]),
            ("field worker of other facilities", staff("field"), [false; 3]),
            ("admin", staff("admin"), [false; 3]),
            ("auditor", staff("auditor"), [false; 3]),
            ("steward", staff("steward"), [true, true, true]),
            ("coordinator", staff("coordinator"), [true, true, true]),
        ];
        for (who, client, there) in viewers {
            for (id, there) in [&shared, &older, &record].into_iter().zip(there) {
                let document = format!("{{ node(id: \"{id}\") {{ __typename id }} }}");
                let answer = client.query(&document, Value::Null).await;
                let expected =
                    if there { json!({ "__typename": "Distribution", "id": id }) } else { Value::Null };
                assert_eq!(answer.data()["node"], expected, "{who}");
                if !there {
                    for document in LOOKUPS {
                        assert_alike(&client, document, id, &nowhere).await;
                    }
                }
            }
            // What there is, is in the lists; what is not, in none.
            let document = "{ distributions(first: 100, filter: { occurredOn: { from: \"2026-10-01\", \
                to: \"2026-10-01\" } }) { totalCount nodes { id } } }";
            let answer = client.query(document, Value::Null).await;
            let body = answer.to_string();
            assert_eq!(body.contains(&shared), there[0], "{who}: {answer}");
            assert_eq!(body.contains(&record), there[2], "{who}: {answer}");
        }
    }
);

both!(
    /// Some roles read no deliveries at all, and are told so whatever there is.
    async fn who_reads_no_deliveries_is_told_so(app: &DemoApp) {
        for role in ["admin", "auditor"] {
            let client = app.member(role, OWN);
            for (document, data) in [
                ("{ distributions(first: 1) { totalCount } }", Value::Null),
                ("{ distributionStats(groupBy: [FACILITY], first: 5) { rows { deliveries } } }", Value::Null),
                (
                    "{ facility(slug: \"cpf-talca\") { distributions(first: 1) { totalCount } } }",
                    json!({ "facility": null }),
                ),
                (
                    "{ facilities(first: 5) { nodes { distributions(first: 1) { nodes { id } } } } }",
                    Value::Null,
                ),
            ] {
                let answer = client.query(document, Value::Null).await;
                answer.expect_status(200);
                for error in answer.errors() {
                    assert_eq!(error["extensions"]["code"], "NOT_PERMITTED", "{answer}");
                }
                assert_eq!(answer.json()["data"], data, "{answer}");
            }
        }
    }
);

/// All that a partner can count, in one document.
const COUNTS: &str = "{ \
    distributions(last: 5) { totalCount pageInfo { startCursor endCursor hasNextPage hasPreviousPage } \
        edges { cursor node { id } } } \
    ofDay: distributions(first: 50, filter: { occurredOn: { from: \"2026-10-01\", to: \"2026-10-31\" } }, \
        orderBy: { field: PEOPLE_REACHED, direction: ASC }) { totalCount pageInfo { endCursor } \
        edges { cursor node { id peopleReached lines { quantity items { quantity item { code } } } } } } \
    byMonth: distributionStats(groupBy: [FACILITY, MONTH], first: 100, filter: { occurredOn: \
        { from: \"2026-09-01\", to: \"2026-10-31\" } }) { truncated rows { facility { slug } period { start } \
        deliveries units kits contacts } } \
    byItem: distributionStats(groupBy: [PROGRAM, ITEM], first: 100) { truncated rows { program { slug } \
        item { code } deliveries units } } \
    byKit: distributionStats(groupBy: [KIT, REGION], first: 100) { rows { kit { code } region { iso } kits } } \
    facility(slug: \"cpf-talca\") { distributions(first: 10) { totalCount pageInfo { endCursor hasNextPage } \
        nodes { id recordedAt } } programs(first: 20) { nodes { slug distributions(first: 2) { totalCount } } } } }";

both!(
    async fn a_records_row_changes_nothing_that_a_partner_sees(app: &DemoApp) {
        let db = app.database.connect().await;
        let partners = ["demo-partner-network", "demo-partner-supplies", "demo-partner-health"];
        let all = async || {
            let mut answers = Vec::new();
            for partner in partners {
                let answer = app.member("partner", partner).query(COUNTS, Value::Null).await;
                answer.data();
                answers.push(told(&answer));
            }
            answers
        };
        let new =
            |number, class, facility, people| Seed { number, class, facility, day: "2026-10-12", people };
        let before = all().await;
        for (number, facility) in [(11, "cpf-talca"), (12, "cpf-san-joaquin")] {
            seed(&db, &new(number, RowClass::Records, facility, 4)).await;
        }
        assert_eq!(all().await, before);
        let staff = app.member("coordinator", OWN).query(COUNTS, Value::Null).await;

        // The same rows as operations rows are seen, so the document looks where it should.
        for (number, facility) in [(13, "cpf-talca"), (14, "cpf-san-joaquin")] {
            seed(&db, &new(number, RowClass::Operations, facility, 40)).await;
        }
        let after = all().await;
        assert_ne!(after[0], before[0]);
        assert_ne!(after[1], before[1]);
        assert_eq!(after[2], before[2], "the agreement has ended");
        let later = app.member("coordinator", OWN).query(COUNTS, Value::Null).await;
        let total = |answer: &Answer| answer.data()["distributions"]["totalCount"].as_i64().unwrap();
        assert_eq!(total(&later), total(&staff) + 2);
    }
);

/// The registry as lists, in one document.
const REGISTRY: &str = "{ facilities(first: 100) { totalCount pageInfo { endCursor } nodes { id slug } } \
    programs(first: 100) { totalCount pageInfo { endCursor } nodes { id slug facilities { slug } } } \
    items(first: 100) { totalCount pageInfo { endCursor } nodes { id code } } \
    kits(first: 100) { totalCount pageInfo { endCursor } nodes { id code } } \
    found: facilities(first: 10, filter: { search: \"umbral\" }) { totalCount nodes { slug } } \
    programsFound: programs(first: 10, filter: { search: \"umbral\" }) { totalCount nodes { slug } } \
    itemsFound: items(first: 10, filter: { search: \"umbral\" }) { totalCount nodes { code } } \
    facility(slug: \"umbral-nuevo\") { id } \
    program(organization: \"red-de-accion-carcelaria\", slug: \"umbral-nuevo\") { id } \
    organization(slug: \"red-de-accion-carcelaria\") { facilities(first: 100) { totalCount } \
    programs(first: 100) { totalCount } } }";

/// Makes an entry and gives its id.
async fn made(client: &Client, mutation: &str, object: &str, input: Value) -> String {
    let kind = mutation[..1].to_uppercase() + &mutation[1..];
    let document = format!(
        "mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ {object} {{ id }} \
         userErrors {{ code field message }} }} }}"
    );
    let answer = client.query(&document, json!({ "input": input })).await;
    let payload = &answer.data()[mutation];
    payload[object]["id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

both!(
    async fn drafts_are_for_their_own_organisation(app: &DemoApp) {
        let outsiders = [
            ("nobody", app.anonymous()),
            ("donor", app.member("donor", "demo-donor-hygiene")),
            ("partner", app.member("partner", "demo-partner-network")),
            ("staff of another organisation", app.member("coordinator", "la-cana")),
        ];
        let mut before = Vec::new();
        for (_, client) in &outsiders {
            before.push(told(&client.query(REGISTRY, Value::Null).await));
        }

        let own = app.member("coordinator", OWN);
        let name = json!({ "original": "es", "translations": [{ "lang": "es", "text": "Umbral nuevo" }] });
        let input = json!({ "idempotencyKey": "draft-1", "slug": "umbral-nuevo", "name": "Umbral nuevo",
            "country": "CL", "region": "CL-RM", "kind": "OTHER", "presentSince": "2026-01-01" });
        let facility = made(&own, "createFacility", "facility", input).await;
        let input = json!({ "idempotencyKey": "draft-2", "slug": "umbral-nuevo", "name": name,
            "area": "BASIC_SUPPLIES", "startsOn": "2026-01-01",
            "facilities": [entry(Kind::Facility, "facility", "cpf-talca")] });
        let program = made(&own, "createProgram", "program", input).await;
        let input = json!({ "idempotencyKey": "draft-3", "code": "umbral-nuevo", "name": name, "unit": "piece",
            "sensitivity": "GENERAL" });
        let item = made(&own, "createItem", "item", input).await;
        let input = json!({ "idempotencyKey": "draft-4", "code": "umbral-nuevo", "name": name,
            "validFrom": "2026-01-01", "contents": [{ "item": item, "quantity": 1 }] });
        let kit = made(&own, "createKit", "kit", input).await;

        let seen = own.query(REGISTRY, Value::Null).await;
        for (list, id) in
            [("facilities", &facility), ("programs", &program), ("items", &item), ("kits", &kit)]
        {
            assert!(seen.data()[list].to_string().contains(id), "{list}: {seen}");
        }
        assert_eq!(seen.data()["found"]["totalCount"], 1);

        let number = |kind| global(kind, uuid(21));
        for ((who, client), before) in outsiders.iter().zip(before) {
            assert_eq!(told(&client.query(REGISTRY, Value::Null).await), before, "{who}");
            for (kind, id) in [
                (Kind::Facility, &facility),
                (Kind::Program, &program),
                (Kind::Item, &item),
                (Kind::Kit, &kit),
            ] {
                assert_alike(client, "{ node(id: ID) { __typename id } }", id, &number(kind)).await;
                assert_alike(client, "{ nodes(ids: [ID]) { id } }", id, &number(kind)).await;
            }
            let programs = "{ programs(first: 5, filter: { facility: [ID] }) { totalCount nodes { slug } } }";
            assert_alike(client, programs, &facility, &number(Kind::Facility)).await;
            for (field, kind, id) in [
                ("facility", Kind::Facility, &facility),
                ("program", Kind::Program, &program),
                ("item", Kind::Item, &item),
                ("kit", Kind::Kit, &kit),
            ] {
                let document = format!(
                    "{{ distributions(first: 5, filter: {{ {field}: [ID] }}) {{ totalCount nodes {{ id }} }} }}"
                );
                assert_alike(client, &document, id, &number(kind)).await;
            }
            let slug = |slug: &str| {
                format!(
                    "{{ facility(slug: \"{slug}\") {{ id }} program(organization: \"{OWN}\", slug: \"{slug}\") {{ id }} }}"
                )
            };
            let one = told(&client.query(&slug("umbral-nuevo"), Value::Null).await);
            assert_eq!(one, told(&client.query(&slug("umbral-vacio"), Value::Null).await), "{who}");
        }
        // Nor can others publish or archive them.
        let other = &outsiders[3].1;
        for (mutation, object) in [
            ("publishFacility", "facility"),
            ("publishProgram", "program"),
            ("archiveItem", "item"),
            ("archiveKit", "kit"),
        ] {
            let id = match object {
                "facility" => &facility,
                "program" => &program,
                "item" => &item,
                _ => &kit,
            };
            let document = format!(
                "mutation {{ {mutation}(input: {{ id: ID, expectedVersion: 1 }}) {{ {object} {{ id }} \
                 userErrors {{ code field message }} }} }}"
            );
            let kind = id::GlobalId::parse(id).unwrap().kind;
            assert_alike(other, &document, id, &number(kind)).await;
        }
    }
);

both!(
    async fn sensitive_programs_are_nowhere_for_outsiders(app: &DemoApp) {
        let facility = entry(Kind::Facility, "facility", "cpf-san-joaquin");
        let document = format!(
            "{{ facility(slug: \"cpf-san-joaquin\") {{ programs(first: 50) {{ totalCount nodes {{ slug \
             sensitivity }} }} }} programs(first: 50, filter: {{ facility: [\"{facility}\"] }}) {{ totalCount \
             nodes {{ slug sensitivity }} }} all: programs(first: 100) {{ nodes {{ slug sensitivity \
             facilities {{ slug }} organization {{ slug }} }} }} }}"
        );
        let sensitive = |list: &Value| -> Vec<Value> {
            let nodes = list["nodes"].as_array().cloned().unwrap_or_default();
            nodes.into_iter().filter(|node| node["sensitivity"] == "SENSITIVE").collect()
        };
        for (who, client) in [
            ("nobody", app.anonymous()),
            ("donor", app.member("donor", "demo-donor-hygiene")),
            ("partner", app.member("partner", "demo-partner-network")),
            ("staff of another organisation", app.member("steward", "la-cana")),
        ] {
            let answer = client.query(&document, Value::Null).await;
            let data = answer.data();
            for list in [&data["facility"]["programs"], &data["programs"]] {
                assert_eq!(sensitive(list), Vec::<Value>::new(), "{who}");
                assert_eq!(list["totalCount"], list["nodes"].as_array().map(Vec::len).unwrap(), "{who}");
            }
            // They exist, for everyone, without a place.
            let known = sensitive(&data["all"]);
            let of_others: Vec<_> = known.iter().filter(|one| one["organization"]["slug"] == OWN).collect();
            assert_eq!(of_others.len(), 3, "{who}: {known:?}");
            assert!(of_others.iter().all(|one| one["facilities"] == json!([])), "{who}: {known:?}");
        }
        let answer = app.member("coordinator", OWN).query(&document, Value::Null).await;
        assert!(!sensitive(&answer.data()["facility"]["programs"]).is_empty(), "{answer}");
        assert!(!sensitive(&answer.data()["programs"]).is_empty(), "{answer}");
    }
);
