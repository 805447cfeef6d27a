//! A facility that is hidden is, for all but the staff of its organisation, one that never was; and is shown again as
//! it was.

use std::collections::BTreeSet;

use api::id::Kind;
use serde_json::{Value, json};
use tests::{Client, both};

use crate::{
    gift::{Books, gift, share_stock},
    lifecycle::with,
    live::{IDS, made, recorded, socket, told},
    not_there::{Bytes, bytes, everything, nothing_by_id},
    stock::receipt,
    talk::{act, ask, done, fault, faults},
    world::*,
};

/// What names facilities, or counts them.
const NAMED: [&str; 7] = [
    "{ facilities(first: 99) { totalCount edges { cursor node { id slug programs(first: 9) { totalCount } } } } }",
    "{ a: facilities(first: 9, filter: { search: \"nueva\" }) { totalCount } b: facilities(first: 9, filter: { region: \
     [\"MX-CMX\"] }) { totalCount nodes { slug } } c: facility(slug: \"nueva\") { id } }",
    "{ organizations(first: 9) { nodes { slug facilities(first: 9) { totalCount nodes { slug } } } } }",
    "{ programs(first: 9) { nodes { slug facilities { slug } } } }",
    "{ agreements(first: 9) { nodes { id facilities { slug } } } }",
    "{ distributions(first: 9, filter: { region: [\"MX-CMX\"] }) { totalCount } distributionStats(groupBy: [REGION], \
     first: 9) { rows { deliveries } } }",
    "{ stockPlaces { name } stockLots(first: 9) { nodes { id } } }",
];

const OUTSIDERS: [(&str, &str); 4] =
    [("partner", "ally"), ("donor", "giver"), ("coordinator", "other"), ("field", "other")];

async fn seen(client: &Client) -> Vec<Bytes> {
    let mut all = everything(client).await;
    for document in NAMED {
        all.push(bytes(&client.query(document, Value::Null).await));
    }
    all
}

async fn seen_by_outsiders(world: &World) -> Vec<Vec<Bytes>> {
    let mut all = vec![seen(&world.anonymous()).await];
    for (role, organization) in OUTSIDERS {
        all.push(seen(&world.member(role, organization)).await);
    }
    all
}

async fn hide(world: &World, facility: &str, version: i64) {
    let input = json!({ "id": facility, "expectedVersion": version, "reason": "INCIDENT" });
    let hidden = done(&world.member("admin", "own"), "hideFacility", "facility", "hiddenAt", &input).await;
    assert!(hidden["hiddenAt"].is_string());
}

async fn show(world: &World, facility: &str, version: i64) {
    let input = json!({ "id": facility, "expectedVersion": version });
    let shown = done(&world.member("steward", "own"), "showFacility", "facility", "hiddenAt", &input).await;
    assert_eq!(shown["hiddenAt"], Value::Null);
}

/// A facility of the organisation's, of version 2, that its own programs and those of another name.
async fn new_facility(world: &World, agreement: &str) -> String {
    let client = world.coordinator();
    let input = json!({ "idempotencyKey": "n", "slug": "nueva", "name": "La Nueva", "country": "MX",
        "region": "MX-CMX", "kind": "OTHER", "presentSince": "2024-01-01" });
    let facility = done(&client, "createFacility", "facility", "id", &input).await["id"].clone();
    let at = json!({ "id": facility, "expectedVersion": 1 });
    done(&client, "publishFacility", "facility", "id", &at).await;
    for (organization, program, sites) in [("own", SUPPLIES, &[1, 2, 3][..]), ("other", THEIRS, &[4])] {
        let mut sites: Vec<Value> = sites.iter().map(|n| json!(id(Kind::Facility, *n))).collect();
        sites.push(facility.clone());
        let input = json!({ "id": id(Kind::Program, program), "expectedVersion": 1, "facilities": sites });
        done(&world.member("coordinator", organization), "updateProgram", "program", "id", &input).await;
    }
    let facilities = json!([id(Kind::Facility, 2), facility]);
    let scope = json!({ "id": agreement, "expectedVersion": 1, "facilities": facilities });
    done(&world.member("admin", "own"), "updateAgreement", "agreement", "id", &scope).await;
    facility.as_str().unwrap().to_owned()
}

/// What takes place and lies there: two deliveries of the organisation's, and what another one has there. As ids.
async fn life_at(world: &World, facility: &str) -> Vec<(Kind, String)> {
    let details = json!({ "facility": facility, "peopleReached": 55 });
    let shared = made(&world.coordinator(), "there", details).await;
    let other = world.member("coordinator", "other");
    let towels = json!([{ "supplied": { "item": id(Kind::Item, TOWEL) }, "quantity": 60 }]);
    let details = json!({ "facility": facility, "program": id(Kind::Program, THEIRS), "lines": towels });
    let theirs = made(&other, "theirs", details).await;
    let place =
        json!({ "idempotencyKey": "p", "kind": "FACILITY_STORE", "name": "Ajeno", "facility": facility });
    let place = done(&other, "createStockPlace", "stockPlace", "id", &place).await["id"].clone();
    let place = place.as_str().unwrap();
    let received = with(&receipt(place, TOWEL, 9, "2026-11-02", None), json!({ "idempotencyKey": "r" }));
    let movement = "id entries { lot { id } }";
    let movement = done(&other, "receiveStock", "stockMovement", movement, &received).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    vec![
        (Kind::Facility, facility.to_owned()),
        (Kind::Distribution, shared),
        (Kind::Distribution, theirs),
        (Kind::StockPlace, place.to_owned()),
        (Kind::StockMovement, text(&movement["id"])),
        (Kind::StockLot, text(&movement["entries"][0]["lot"]["id"])),
    ]
}

/// An agreement that names facilities.
async fn cut_agreement(world: &World) -> String {
    let input = json!({ "idempotencyKey": "a", "title": "Convenio", "partners": [id(Kind::Organization, ALLY)],
        "startsOn": "2026-01-01", "timeZone": "America/Mexico_City", "facilities": [id(Kind::Facility, 2)],
        "shares": ["DISTRIBUTIONS"] });
    let made = done(&world.member("admin", "own"), "createAgreement", "agreement", "id", &input).await;
    made["id"].as_str().unwrap().to_owned()
}

both!(
    async fn a_hidden_facility_never_was(world: &World) {
        recorded(&world.coordinator(), "elsewhere").await;
        let agreement = cut_agreement(world).await;
        let second = world.second().await;
        let never = seen_by_outsiders(world).await;
        let facility = new_facility(world, &agreement).await;
        let ids = life_at(world, &facility).await;
        let there = seen_by_outsiders(world).await;
        for (number, (never, there)) in never.iter().zip(&there).enumerate() {
            assert_ne!(never, there, "{number}");
        }
        let staff = ["coordinator", "steward", "field"].map(|role| world.member(role, "own"));
        let mut before = Vec::new();
        for client in &staff {
            before.push(seen(client).await);
        }

        hide(world, &facility, 2).await;
        assert_eq!(seen_by_outsiders(world).await, never);
        for (role, organization) in OUTSIDERS {
            nothing_by_id(&world.member(role, organization), &ids, role).await;
        }
        // On another server too.
        let elsewhere = Client::anonymous(format!("http://{}", second.address));
        let document = format!("{{ node(id: \"{facility}\") {{ id }} }}");
        assert_eq!(ask(&elsewhere, &document).await["node"], Value::Null);
        for (client, before) in staff.iter().zip(&before) {
            assert_eq!(seen(client).await, *before);
        }

        show(world, &facility, 3).await;
        assert_eq!(seen_by_outsiders(world).await, there);
        assert!(!ask(&elsewhere, &document).await["node"].is_null());
        second.stop().await;
    }
);

both!(
    async fn who_does_not_see_it_does_nothing_there(world: &World) {
        let agreement = cut_agreement(world).await;
        let facility = new_facility(world, &agreement).await;
        let ids = life_at(world, &facility).await;
        hide(world, &facility, 2).await;
        let other = world.member("coordinator", "other");
        let never = id(Kind::Facility, 9_999);
        let answers = async |facility: &str| {
            let delivery = with(
                &crate::distribution::record::input("d"),
                json!({ "facility": facility,
                "program": id(Kind::Program, THEIRS) }),
            );
            let place = json!({ "idempotencyKey": "q", "kind": "FACILITY_STORE", "name": "Q",
                "facility": facility });
            let hiding = json!({ "id": facility, "expectedVersion": 3, "reason": "THREAT" });
            [
                act(&other, "recordDistribution", "distribution", "id", &delivery).await,
                act(&other, "createStockPlace", "stockPlace", "id", &place).await,
                act(&other, "hideFacility", "facility", "id", &hiding).await,
                act(
                    &other,
                    "showFacility",
                    "facility",
                    "id",
                    &json!({ "id": facility, "expectedVersion": 3 }),
                )
                .await,
                ask(&other, &format!("{{ stockCover(facility: \"{facility}\") {{ quantity }} }}")).await,
            ]
        };
        assert_eq!(answers(&facility).await, answers(&never).await);
        let void = json!({ "id": ids[2].1, "expectedVersion": 1, "reason": "ENTRY_ERROR" });
        let refused = act(&other, "voidDistribution", "distribution", "id", &void).await;
        assert_eq!(faults(&refused), fault("NOT_FOUND", "id"));
    }
);

both!(
    async fn a_right_of_its_own_hides_and_shows(world: &World) {
        let facility = id(Kind::Facility, 1);
        let hiding = json!({ "id": facility, "expectedVersion": 1, "reason": "REQUEST" });
        let mutation = crate::talk::mutation("hideFacility", "facility", "id");
        for role in ["field", "auditor"] {
            let answer = world.member(role, "own").query(&mutation, json!({ "input": hiding })).await;
            assert_eq!(answer.code(), "NOT_PERMITTED", "{role}");
        }
        let client = world.coordinator();
        let before = world.counts().await;
        let tried = with(&hiding, json!({ "validateOnly": true }));
        assert_eq!(
            act(&client, "hideFacility", "facility", "hiddenAt", &tried).await["userErrors"],
            json!([])
        );
        assert_eq!(world.counts().await, before);
        let at = json!({ "id": facility, "expectedVersion": 1 });
        assert_eq!(
            faults(&act(&client, "showFacility", "facility", "id", &at).await),
            fault("INVALID", "id")
        );
        let hidden = done(&client, "hideFacility", "facility", "version hiddenAt", &hiding).await;
        assert_eq!(hidden, json!({ "version": 2, "hiddenAt": "2026-11-20T12:00:00.000000Z" }));
        let again = act(&client, "hideFacility", "facility", "id", &hiding).await;
        assert_eq!(faults(&again), fault("CONFLICT", "expectedVersion"));
        let again = with(&hiding, json!({ "expectedVersion": 2 }));
        let again = act(&client, "hideFacility", "facility", "id", &again).await;
        assert_eq!(faults(&again), fault("INVALID", "id"));
        show(world, &facility, 2).await;
        let audit = world.audit().await;
        let told: Vec<_> =
            audit.iter().map(|row| (row.role.as_str(), row.action.as_str(), row.version)).collect();
        assert_eq!(told, [("COORDINATOR", "HIDE", Some(2)), ("STEWARD", "SHOW", Some(3))]);
        let detail = world.text("SELECT CAST(detail AS text) FROM audit_event WHERE action = 'HIDE'").await;
        assert_eq!(serde_json::from_str::<Value>(&detail[0]).unwrap(), json!({ "reason": "REQUEST" }));
    }
);

both!(
    async fn an_open_subscription_hears_nothing_of_it(world: &World) {
        let facility = id(Kind::Facility, 1);
        let client = world.coordinator();
        let elsewhere = json!({ "facility": id(Kind::Facility, 2) });
        let mut partner = socket(world, "partner", "ally").await;
        partner.subscribe("s", IDS, Value::Null).await;
        let first = recorded(&client, "before").await;
        assert_eq!(told(&mut partner, "s").await.0, first);
        hide(world, &facility, 1).await;
        recorded(&client, "meanwhile").await;
        let marker = made(&client, "elsewhere", elsewhere).await;
        assert_eq!(told(&mut partner, "s").await.0, marker);
        show(world, &facility, 2).await;
        let after = recorded(&client, "after").await;
        assert_eq!(told(&mut partner, "s").await.0, after);
    }
);

both!(
    async fn a_device_that_came_meanwhile_gets_it_when_it_is_shown(world: &World) {
        let agreement = cut_agreement(world).await;
        let facility = new_facility(world, &agreement).await;
        let ids = life_at(world, &facility).await;
        hide(world, &facility, 2).await;
        let device = world.member("coordinator", "other");
        let walk = async |since: Value| {
            let document =
                "query($since: String) { changes(since: $since, first: 200) { next more changes { id } } }";
            let answer = device.query(document, json!({ "since": since })).await;
            let page = answer.data()["changes"].clone();
            assert_eq!(page["more"], json!(false));
            let changed: BTreeSet<String> = crate::talk::column(&page["changes"], "id").into_iter().collect();
            (changed, page["next"].clone())
        };
        let (held, next) = walk(Value::Null).await;
        // The organisation's own delivery is no business of the other's, hidden or not, and lots are in movements.
        let theirs =
            ids.iter().enumerate().filter(|(place, (kind, _))| *place != 1 && *kind != Kind::StockLot);
        let theirs: Vec<&String> = theirs.map(|(_, (_, id))| id).collect();
        assert!(theirs.iter().all(|id| !held.contains(*id)));
        show(world, &facility, 3).await;
        let (changed, _) = walk(next).await;
        assert!(theirs.iter().all(|id| changed.contains(*id)), "{changed:?}");
        for program in [SUPPLIES, THEIRS] {
            assert!(changed.contains(&id(Kind::Program, program)));
        }
    }
);

both!(
    /// The donor knows what went there before it was hidden; of what goes there meanwhile no balance tells.
    async fn no_figure_tells_what_goes_there_meanwhile(world: &World) {
        let soap = || json!({ "item": id(Kind::Item, SOAP) });
        let books = Books::open(world, "2027-02-01").await;
        let gift = gift(world, GIVER, &[(soap(), 1_000)]).await;
        let lot = books.gave("2027-02-02", GIVER, Some(&gift), soap(), 1_000).await;
        share_stock(world, 2, None).await;
        books.sent("2027-02-10", &lot, 100).await;
        books.soap("2027-02-11", 1, 20, &lot, 20).await;
        let donor = async |now: &str, quarter: &str| {
            world.set_now(&format!("{now}T09:00:00Z"));
            let document = format!(
                "{{ warehouseBalances(quarterEnd: \"{quarter}\") {{ quantity }} \
                 bulkDispatches(quarterEnd: \"{quarter}\") {{ quantity facility {{ slug }} }} \
                 giftTrace(gift: \"{gift}\") {{ rows {{ facility {{ slug }} quantity }} }} }}"
            );
            let told = ask(&world.member("donor", "giver"), &document).await;
            let sent = told["bulkDispatches"].as_array().unwrap().len();
            let traced = told["giftTrace"]["rows"].as_array().unwrap().len();
            (told["warehouseBalances"][0]["quantity"].as_i64().unwrap(), sent, traced)
        };
        assert_eq!(donor("2027-04-02", "2027-03-31").await, (880, 1, 1));
        world.set_now("2027-04-05T09:00:00Z");
        let facility = id(Kind::Facility, 1);
        hide(world, &facility, 1).await;
        // What was told of the quarter stays; what named the facility is gone.
        assert_eq!(donor("2027-04-06", "2027-03-31").await, (880, 0, 0));
        books.sent("2027-04-10", &lot, 200).await;
        books.soap("2027-04-11", 1, 30, &lot, 60).await;
        // Of small deliveries those elsewhere are enough to be told of together; the one there is not among them.
        books.soap("2027-04-12", 1, 3, &lot, 3).await;
        books.soap("2027-04-13", 2, 5, &lot, 5).await;
        books.soap("2027-04-14", 3, 7, &lot, 7).await;
        assert_eq!(donor("2027-07-02", "2027-06-30").await, (868, 0, 0));
        world.set_now("2027-07-10T09:00:00Z");
        show(world, &facility, 2).await;
        assert_eq!(donor("2027-07-11", "2027-03-31").await, (880, 1, 2));
        assert_eq!(donor("2027-07-11", "2027-06-30").await.0, 868);
        // Three women are as few as ever they were.
        assert_eq!(donor("2027-10-02", "2027-09-30").await, (868 - 200 - 60, 1, 2));
    }
);
