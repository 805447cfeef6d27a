//! What a viewer may not see answers byte for byte like what never was: by its id, in lists, counts and sums, in files,
//! in events and in what devices send and get.

use api::id::Kind;
use entity::value::AgreementShare;
use serde_json::{Value, json};
use tests::{Answer, Client, both};

use crate::{
    distribution::record::item,
    lifecycle::with,
    live::{IDS, recorded, small, socket, told},
    stock::{Places, lot, places, receipt},
    talk::done,
    world::*,
};

pub type Bytes = (u16, Vec<(String, Vec<u8>)>, Vec<u8>);

/// Status, headers and body, without what differs in each answer.
pub fn bytes(answer: &Answer) -> Bytes {
    let silent = ["date", "x-request-id", "umbral-statements"];
    let headers = answer.headers.iter().filter(|(name, _)| !silent.contains(&name.as_str()));
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    headers.sort();
    (answer.status, headers, answer.body.to_vec())
}

/// What asks for one object by its id.
const BY_ID: [&str; 7] = [
    "{ distribution(id: ID) { id status occurredOn peopleReached lines { quantity } voided { reason } } }",
    "{ node(id: ID) { __typename id } }",
    "{ nodes(ids: [ID]) { __typename id } }",
    "{ giftTrace(gift: ID) { until rows { quantity } } }",
    "{ distributions(first: 5, filter: { facility: [ID] }) { totalCount nodes { id } } }",
    "mutation { voidDistribution(input: { id: ID, expectedVersion: 1, reason: ENTRY_ERROR }) { \
     distribution { id } userErrors { code field message } } }",
    "mutation { syncDistributions(input: { rows: [{ id: ID, clientId: \"5b7b1f0e-1c7e-4a3c-9d5e-000000000001\", \
     expectedVersion: 1, facility: FACILITY, program: PROGRAM, occurredOn: \"2026-11-19\", peopleReached: 41, \
     reachMethod: COUNTED, lines: [{ supplied: { item: ITEM }, quantity: 41 }] }] }) { results { outcome \
     distribution { id } differences { field here } userErrors { code field message } } } }",
];

/// What asks for everything there is.
const ALL: [&str; 6] = [
    "{ distributions(first: 9) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { id } } } }",
    "{ distributions(first: 9, filter: { occurredOn: { from: \"2026-11-01\" } }, orderBy: { field: PEOPLE_REACHED, \
     direction: ASC }) { totalCount nodes { id } } facilities(first: 9) { nodes { distributions(first: 9) { \
     totalCount } } } }",
    "{ a: distributionStats(groupBy: [FACILITY, ITEM, MONTH], first: 99) { truncated rows { deliveries units } } \
     b: distributionStats(groupBy: [PROGRAM, KIT, YEAR], first: 99) { truncated rows { deliveries units kits } } }",
    "{ warehouseBalances(quarterEnd: \"2026-09-30\") { quantity } giftReceipts(quarterEnd: \"2026-09-30\") { \
     quantity } bulkDispatches(quarterEnd: \"2026-09-30\") { quantity } }",
    "{ stockOnHand { quantity } stockMovements(first: 9) { totalCount } }",
    "{ agreements(first: 9) { totalCount nodes { id } } }",
];

const FILES: [&str; 3] =
    ["distributions", "distributions?format=jsonl", "distributions?format=xlsx&occurredOnFrom=2026-11-01"];

/// Fails unless each id is answered as one that never was.
pub async fn nothing_by_id(client: &Client, ids: &[(Kind, String)], who: &str) {
    for document in BY_ID {
        let document = document
            .replace("FACILITY", &json!(id(Kind::Facility, 4)).to_string())
            .replace("PROGRAM", &json!(id(Kind::Program, THEIRS)).to_string())
            .replace("ITEM", &json!(id(Kind::Item, TOWEL)).to_string());
        for (kind, known) in ids {
            let never = id(*kind, 9_999_999);
            let ask = async |id: &str| {
                bytes(&client.query(&document.replace("ID", &json!(id).to_string()), Value::Null).await)
            };
            let (status, headers, body) = ask(&never).await;
            let body = String::from_utf8(body).unwrap().replace(&never, known).into_bytes();
            assert_eq!(ask(known).await, (status, headers, body), "{who}: {document} {known}");
        }
    }
}

/// All that a client reads that asks for everything.
pub async fn everything(client: &Client) -> Vec<Bytes> {
    let mut all = Vec::new();
    for document in ALL {
        all.push(bytes(&client.query(document, Value::Null).await));
    }
    for file in FILES {
        all.push(bytes(&client.request("GET", &format!("/export/{file}")).send().await));
    }
    all
}

/// Stock of the organisation, as ids.
async fn stock(world: &World) -> (Places, Vec<(Kind, String)>) {
    let client = world.coordinator();
    let places = places(&client).await;
    let soap = lot(&client, &places.warehouse, SOAP, 500, "2026-10-01", None).await;
    let input =
        with(&receipt(&places.warehouse, SOAP, 9, "2026-10-02", None), json!({ "idempotencyKey": "r" }));
    let movement = done(&client, "receiveStock", "stockMovement", "id", &input).await;
    let ids = vec![
        (Kind::StockPlace, places.warehouse.clone()),
        (Kind::StockLot, soap),
        (Kind::StockMovement, movement["id"].as_str().unwrap().to_owned()),
    ];
    (places, ids)
}

both!(
    async fn who_is_out_of_scope_gets_the_bytes_of_nothing(world: &World) {
        let viewers =
            [("partner", "stranger"), ("donor", "giver"), ("coordinator", "other"), ("field", "other")];
        let client = |(role, organization): (&str, &str)| world.member(role, organization);
        let mut before = Vec::new();
        for viewer in viewers {
            before.push(everything(&client(viewer)).await);
        }
        let (places, mut ids) = stock(world).await;
        let shared = recorded(&world.coordinator(), "shared").await;
        let details = json!({ "place": places.warehouse, "peopleReached": 3, "lines": [item(SOAP, 3)] });
        let record = crate::live::made(&world.coordinator(), "record", details).await;
        ids.extend([(Kind::Distribution, shared), (Kind::Distribution, record)]);
        for (viewer, before) in viewers.into_iter().zip(before) {
            nothing_by_id(&client(viewer), &ids, &format!("{viewer:?}")).await;
            assert_eq!(everything(&client(viewer)).await, before, "{viewer:?}");
        }
    }
);

both!(
    async fn a_records_row_gives_a_partner_in_scope_the_bytes_of_nothing(world: &World) {
        let (places, mut ids) = stock(world).await;
        let shared = recorded(&world.coordinator(), "shared").await;
        let partner = world.partner();
        let before = everything(&partner).await;
        assert!(String::from_utf8_lossy(&before[0].2).contains(&shared));
        let mut socket = socket(world, "partner", "ally").await;
        socket.subscribe("s", IDS, Value::Null).await;
        for (key, program, people) in [("few", SUPPLIES, 4), ("sensitive", MATERNITY, 40)] {
            let details = json!({ "program": id(Kind::Program, program), "place": places.warehouse,
                "peopleReached": people, "lines": [item(SOAP, people)] });
            let record = crate::live::made(&world.coordinator(), key, details).await;
            ids.push((Kind::Distribution, record));
        }
        nothing_by_id(&partner, &ids, "partner in scope").await;
        assert_eq!(everything(&partner).await, before);
        // What the partner hears first is what comes after.
        let marker = recorded(&world.coordinator(), "marker").await;
        assert_eq!(told(&mut socket, "s").await.0, marker);
        assert_ne!(everything(&partner).await, before);
    }
);

both!(
    async fn an_agreement_that_has_ended_leaves_the_bytes_of_nothing(world: &World) {
        let shares = serde_json::to_string(&[AgreementShare::Distributions, AgreementShare::Stock]).unwrap();
        world.sql(&format!("UPDATE agreement SET ends_on = '2026-11-20', shares = '{shares}'")).await;
        let (_, mut ids) = stock(world).await;
        ids.push((Kind::Distribution, recorded(&world.coordinator(), "shared").await));
        ids.push((Kind::Distribution, small(&world.coordinator(), "small").await));
        // The agreement itself stays known to its party, so it is asked for by nobody here.
        let all = async |client: &Client| {
            let mut all = everything(client).await;
            all.remove(5);
            all
        };
        // Midnight in Mexico City, where it says.
        for (now, ended) in
            [("2026-11-21T05:59:59Z", false), ("2026-11-21T06:00:00Z", true), ("2026-11-21T06:00:01Z", true)]
        {
            world.set_now(now);
            let (partner, stranger) = (world.partner(), world.member("partner", "stranger"));
            let nothing = all(&stranger).await;
            assert_eq!(all(&partner).await == nothing, ended, "{now}");
            if ended {
                nothing_by_id(&partner, &ids, now).await;
            }
            let shared = ids.iter().rev().nth(1).unwrap().1.clone();
            let document = format!("{{ distribution(id: \"{shared}\") {{ id }} }}");
            let found = partner.query(&document, Value::Null).await.data()["distribution"].clone();
            assert_eq!(found.is_null(), ended, "{now}");
        }
    }
);

both!(
    async fn devices_get_and_change_nothing_of_others(world: &World) {
        const CHANGES: &str =
            "query($since: String) { changes(since: $since, first: 50) { next more changes { id } } }";
        let device = world.member("field", "other");
        let mut since = Value::Null;
        loop {
            let answer = device.query(CHANGES, json!({ "since": since })).await;
            since = answer.data()["changes"]["next"].clone();
            if answer.data()["changes"]["more"] == json!(false) {
                break;
            }
        }
        let rest = async || {
            let answer = device.query(CHANGES, json!({ "since": since })).await;
            // Where a walk goes on is sealed anew in each answer.
            let next = answer.data()["changes"]["next"].to_string();
            let (status, headers, body) = bytes(&answer);
            let without: Vec<_> = headers.into_iter().filter(|(name, _)| name != "content-length").collect();
            (status, without, String::from_utf8(body).unwrap().replace(&next, "NEXT"))
        };
        let before = rest().await;
        let (_, ids) = stock(world).await;
        recorded(&world.coordinator(), "shared").await;
        small(&world.coordinator(), "small").await;
        assert_eq!(rest().await, before);
        // A movement that follows somebody else's, and goods of somebody else's lot.
        let sync = "mutation($rows: [SyncStockMovementRow!]!) { syncStockMovements(input: { rows: $rows }) { results { \
                    outcome stockMovement { id } differences { field } userErrors { code field message } } } }";
        let ask = async |ids: &[(Kind, String)]| {
            let [place, lot, movement] = [0, 1, 2].map(|n| ids[n].1.clone());
            let rows = json!([
                { "issue": { "idempotencyKey": "i", "place": place, "occurredOn": "2026-11-19",
                    "lines": [{ "lot": lot, "quantity": 1 }] } },
                { "reverse": { "idempotencyKey": "r", "movement": movement, "reason": "ENTRY_ERROR" } }]);
            bytes(&world.member("coordinator", "other").query(sync, json!({ "rows": rows })).await)
        };
        let never: Vec<(Kind, String)> = ids.iter().map(|(kind, _)| (*kind, id(*kind, 9_999_999))).collect();
        assert_eq!(ask(&ids).await, ask(&never).await);
    }
);
