//! Bad values: pages, cursors, ids, days, quantities, names.

use api::id::Kind;
use serde_json::{Value, json};
use tests::Client;

use super::{Case, OWN, Who, ask, but, delivery, global, item, kit, refuse, write};

/// Entries that some of the cases need.
pub struct Prepared {
    archived: String,
    draft: String,
}

pub async fn prepare(coordinator: &Client) -> Prepared {
    let make = async |key: &str, code: &str| {
        let input = but(new_item(), json!({ "idempotencyKey": key, "code": code }));
        let document = "mutation($input: CreateItemInput!) { createItem(input: $input) { item { id } } }";
        let answer = coordinator.query(document, json!({ "input": input })).await;
        let id = answer.data()["createItem"]["item"]["id"].as_str();
        id.unwrap_or_else(|| panic!("{answer}")).to_owned()
    };
    let prepared = Prepared {
        archived: make("prepare-1", "bad-archived").await,
        draft: make("prepare-2", "bad-draft").await,
    };
    for (mutation, version) in [("publishItem", 1), ("archiveItem", 2)] {
        let input = format!("{{ id: \"{}\", expectedVersion: {version} }}", prepared.archived);
        let document = format!("mutation {{ {mutation}(input: {input}) {{ item {{ version }} }} }}");
        let answer = coordinator.query(&document, Value::Null).await;
        assert_eq!(answer.data()[mutation]["item"]["version"], version + 1, "{answer}");
    }
    prepared
}

fn name(text: &str) -> Value {
    json!({ "original": "es", "translations": [{ "lang": "es", "text": text }] })
}

fn new_item() -> Value {
    json!({ "idempotencyKey": "bad-item", "code": "bad-item", "name": name("Peine"), "unit": "piece",
        "sensitivity": "GENERAL" })
}

fn new_facility() -> Value {
    json!({ "idempotencyKey": "bad-facility", "slug": "bad-facility", "name": "Centro de prueba", "country": "CL",
        "region": "CL-RM", "kind": "OTHER", "presentSince": "2026-01-01" })
}

fn new_program() -> Value {
    json!({ "idempotencyKey": "bad-program", "slug": "bad-program", "name": name("Programa de prueba"),
        "area": "BASIC_SUPPLIES", "startsOn": "2026-01-01", "facilities": [facility("cpf-talca")] })
}

fn new_kit() -> Value {
    json!({ "idempotencyKey": "bad-kit", "code": "bad-kit", "name": name("Kit de prueba"),
        "validFrom": "2026-01-01", "contents": [{ "item": item(), "quantity": 2 }] })
}

fn new_award() -> Value {
    json!({ "idempotencyKey": "bad-award", "donor": global(Kind::Organization, "organization", "demo-donor-hygiene"),
        "title": name("Donativo de prueba"), "amount": { "amount": "100", "currency": "CLP" },
        "awardedOn": "2026-01-01", "startsOn": "2026-01-01", "programs": [program("kits-de-higiene")] })
}

/// Inputs that are good, checked and not written.
pub fn good() -> Vec<(&'static str, Value)> {
    [
        ("recordDistribution", delivery()),
        ("createItem", new_item()),
        ("createFacility", new_facility()),
        ("createProgram", new_program()),
        ("createKit", new_kit()),
        ("createAward", new_award()),
    ]
    .into_iter()
    .map(|(mutation, input)| (mutation, but(input, json!({ "validateOnly": true }))))
    .collect()
}

fn facility(slug: &str) -> String {
    global(Kind::Facility, "facility", slug)
}

fn program(slug: &str) -> String {
    global(Kind::Program, "program", &format!("{OWN}:{slug}"))
}

fn line(changes: Value) -> Value {
    json!({ "lines": [but(json!({ "supplied": { "kit": kit() }, "quantity": 40 }), changes)] })
}

pub async fn cases(partner: &Client, coordinator: &Client) -> Vec<Case> {
    let prepared = prepare(coordinator).await;
    let mut cases = pages();
    cases.extend(cursors(partner, coordinator).await);
    cases.extend(ids_and_days());
    cases.extend(statistics());
    cases.extend(deliveries(coordinator, &prepared).await);
    cases.extend(registry());
    cases
}

fn pages() -> Vec<Case> {
    let page = |name, arguments: &str| {
        ask(
            name,
            Who::Partner,
            format!("{{ distributions{arguments} {{ totalCount }} }}"),
            200,
            "BAD_USER_INPUT",
        )
    };
    vec![
        page("neither first nor last", ""),
        page("first and last", "(first: 1, last: 1)"),
        page("a negative first", "(first: -1)"),
        page("first beyond 100", "(first: 101)"),
        page("a first of 500", "(first: 500)"),
        page("a negative last", "(last: -2147483648)"),
        ask("facilities without a page", Who::Nobody, "{ facilities { totalCount } }", 200, "BAD_USER_INPUT"),
        ask(
            "a nested page of 101",
            Who::Nobody,
            "{ organization(slug: \"la-cana\") { programs(first: 101) { totalCount } } }",
            200,
            "BAD_USER_INPUT",
        ),
    ]
}

async fn cursors(partner: &Client, coordinator: &Client) -> Vec<Case> {
    let end = async |client: &Client, list: &str| {
        let answer =
            client.query(&format!("{{ a: {list} {{ pageInfo {{ endCursor }} }} }}"), Value::Null).await;
        let cursor = answer.data()["a"]["pageInfo"]["endCursor"].as_str();
        cursor.unwrap_or_else(|| panic!("{list}: {answer}")).to_owned()
    };
    let of_viewer = end(coordinator, "distributions(first: 2)").await;
    let own = end(partner, "distributions(first: 2)").await;
    let by_people =
        end(partner, "distributions(first: 2, orderBy: {field: PEOPLE_REACHED, direction: ASC})").await;
    let turned = end(partner, "distributions(first: 2, orderBy: {field: OCCURRED_ON, direction: ASC})").await;
    let filtered = end(partner, "distributions(first: 2, filter: {status: [DELIVERED]})").await;
    let of_list = end(partner, "facilities(first: 2)").await;
    let nested =
        "{ facility(slug: \"cpf-san-joaquin\") { distributions(first: 2) { pageInfo { endCursor } } } }";
    let nested = partner.query(nested, Value::Null).await;
    let nested =
        nested.data()["facility"]["distributions"]["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
    let mut flipped = own.clone().into_bytes();
    flipped[5] = if flipped[5] == b'A' { b'B' } else { b'A' };

    let after = |name, cursor: &str| {
        let document = format!("{{ distributions(first: 2, after: {}) {{ totalCount }} }}", json!(cursor));
        ask(name, Who::Partner, document, 200, "BAD_CURSOR")
    };
    vec![
        after("an empty cursor", ""),
        after("a cursor of words", "not a cursor"),
        after("a cursor of base64", "aGVsbG8gd29ybGQgaGVsbG8gd29ybGQgaGVsbG8gd29ybGQ"),
        after("a cursor with a NUL", "\0"),
        after("a long cursor", &"A".repeat(10_000)),
        after("a changed cursor", &String::from_utf8(flipped).unwrap()),
        after("half a cursor", &own[..own.len() / 2]),
        after("a cursor of another viewer", &of_viewer),
        after("a cursor of another order", &by_people),
        after("a cursor of another direction", &turned),
        after("a cursor of another filter", &filtered),
        after("a cursor of another list", &of_list),
        after("a cursor of a nested list", &nested),
        ask(
            "a bad cursor before",
            Who::Partner,
            "{ distributions(last: 2, before: \"x\") { totalCount } }",
            200,
            "BAD_CURSOR",
        ),
        ask(
            "a cursor in another parent",
            Who::Partner,
            format!(
                "{{ facility(slug: \"cpf-talca\") {{ distributions(first: 2, after: \"{nested}\") {{ totalCount }} }} }}"
            ),
            200,
            "BAD_CURSOR",
        ),
        ask(
            "a cursor in a list in memory",
            Who::Partner,
            format!("{{ programs(first: 2, after: \"{of_list}\") {{ totalCount }} }}"),
            200,
            "BAD_CURSOR",
        ),
        ask(
            "a cursor of a member for nobody",
            Who::Nobody,
            format!("{{ facilities(first: 2, after: \"{of_list}\") {{ totalCount }} }}"),
            200,
            "BAD_CURSOR",
        ),
    ]
}

fn ids_and_days() -> Vec<Case> {
    let node = |name, id: &str| {
        ask(name, Who::Nobody, format!("{{ node(id: {}) {{ id }} }}", json!(id)), 200, "BAD_USER_INPUT")
    };
    let filter = |name, filter: &str, status, code| {
        ask(
            name,
            Who::Partner,
            format!("{{ distributions(first: 2, filter: {{ {filter} }}) {{ totalCount }} }}"),
            status,
            code,
        )
    };
    let day = |name, day: &str| {
        filter(name, &format!("occurredOn: {{ from: {} }}", json!(day)), 400, "GRAPHQL_VALIDATION_FAILED")
    };
    vec![
        node("an empty id", ""),
        node("an id of words", "facility:1"),
        node("an id with a NUL", "AgAAAAAAAAAAAAAAAAAA\0AA"),
        node("an id of an unknown type", "fwAAAAAAAAAAAAAAAAAAAAA"),
        node("a plain UUID", "0b0f6a2e-5a64-4c8e-9d5c-0d4f5a1b2c3d"),
        node("an id with a padding", "AgAAAAAAAAAAAAAAAAAAAAA="),
        ask(
            "an id of 300 letters",
            Who::Nobody,
            format!("{{ node(id: \"{}\") {{ id }} }}", "A".repeat(300)),
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ask(
            "an id that is an object",
            Who::Nobody,
            "{ node(id: {a: 1}) { id } }",
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ask("a delivery by no id", Who::Partner, "{ distribution(id: \"1\") { id } }", 200, "BAD_USER_INPUT"),
        filter("no id in a filter", "facility: [\"x\"]", 200, "BAD_USER_INPUT"),
        filter(
            "no id in a list of ids",
            &format!("facility: [\"{}\", \"\"]", facility("cpf-talca")),
            200,
            "BAD_USER_INPUT",
        ),
        day("a day that is none", "2026-02-30"),
        day("a day with words", "yesterday"),
        day("a day with a time", "2026-03-08T00:00:00Z"),
        day("a day of the other order", "08-03-2026"),
        day("the year 0000", "0000-01-01"),
        day("the year 9999", "9999-12-31"),
        day("a year of five digits", "12026-01-01"),
        day("a negative year", "-2026-01-01"),
        day("a day with a NUL", "2026-03-0\0"),
        day("digits of another script", "２０２６-03-08"),
        filter(
            "a moment that is a day",
            "recordedAt: { from: \"2026-03-08\" }",
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        filter(
            "a moment in the year 9999",
            "recordedAt: { from: \"9999-12-31T23:59:59Z\" }",
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        filter(
            "a moment without an offset",
            "recordedAt: { from: \"2026-03-08T10:00:00\" }",
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        filter(
            "the 25th hour",
            "recordedAt: { from: \"2026-03-08T25:00:00Z\" }",
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ask(
            "a language that is none",
            Who::Nobody,
            "{ items(first: 1) { nodes { name { text(lang: \"es_MX!\") } } } }",
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
        ask(
            "deliveries for the public",
            Who::Nobody,
            "{ distributions(first: 1) { totalCount } }",
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ]
}

fn statistics() -> Vec<Case> {
    let stats = |name, arguments: &str| {
        ask(
            name,
            Who::Partner,
            format!("{{ distributionStats({arguments}) {{ truncated }} }}"),
            200,
            "BAD_USER_INPUT",
        )
    };
    vec![
        stats("no dimension", "groupBy: [], first: 5"),
        stats("four dimensions", "groupBy: [ORGANIZATION, FACILITY, PROGRAM, ITEM], first: 5"),
        stats("a dimension twice", "groupBy: [FACILITY, FACILITY], first: 5"),
        stats(
            "two periods",
            "groupBy: [MONTH, YEAR], first: 5, filter: {occurredOn: {from: \"2026-01-01\", to: \"2026-12-31\"}}",
        ),
        stats("a period without ends", "groupBy: [MONTH], first: 5"),
        stats(
            "a period without a last day",
            "groupBy: [MONTH], first: 5, filter: {occurredOn: {from: \"2026-01-01\"}}",
        ),
        stats(
            "a hundred years by month",
            "groupBy: [MONTH], first: 5, filter: {occurredOn: {from: \"1950-01-01\", to: \"2049-12-31\"}}",
        ),
        stats("a negative number of groups", "groupBy: [FACILITY], first: -1"),
        stats("too many groups", "groupBy: [FACILITY], first: 1001"),
    ]
}

async fn deliveries(coordinator: &Client, prepared: &Prepared) -> Vec<Case> {
    let record =
        |name, changes: Value, code| write(name, "recordDistribution", but(delivery(), changes), code);
    let bad = |name, changes: Value| refuse(name, "recordDistribution", but(delivery(), changes));
    let nothing = "BgAAAAAAAAAAAAAAAAAAAAA";
    let unknown_item = "BAAAAAAAAAAAAAAAAAAAAAA";
    let unknown_kit = "BQAAAAAAAAAAAAAAAAAAAAA";
    let change = |name, changes: Value, code| {
        write(name, "updateDistribution", but(json!({ "id": nothing, "expectedVersion": 1 }), changes), code)
    };
    let row = "{ distributions(first: 1) { nodes { id version } } }";
    let row = coordinator.query(row, Value::Null).await;
    let row = row.data()["distributions"]["nodes"][0].clone();
    let (id, version) = (row["id"].as_str().unwrap(), row["version"].as_i64().unwrap());
    let note =
        |note: &str| json!({ "id": id, "expectedVersion": version, "reason": "DUPLICATE", "note": note });
    vec![
        record("an unknown facility", json!({ "facility": "AgAAAAAAAAAAAAAAAAAAAAA" }), "NOT_FOUND"),
        record("an id of another type", json!({ "facility": kit() }), "NOT_FOUND"),
        record(
            "a program of others",
            json!({ "program": global(Kind::Program, "program", "la-cana:talleres-productivos") }),
            "NOT_FOUND",
        ),
        record(
            "a draft of others",
            json!({ "program": global(Kind::Program, "program", "la-cana:demo-borrador") }),
            "NOT_FOUND",
        ),
        record("a closed program", json!({ "program": program("demo-campana-cerrada") }), "OUT_OF_RANGE"),
        record(
            "a facility outside the program",
            json!({ "facility": facility("santa-martha-acatitla") }),
            "INVALID",
        ),
        record("a day in the future", json!({ "occurredOn": "2026-12-24" }), "OUT_OF_RANGE"),
        record("a day before the program", json!({ "occurredOn": "1900-01-01" }), "OUT_OF_RANGE"),
        record("a negative number of women", json!({ "peopleReached": -1 }), "OUT_OF_RANGE"),
        record("two thousand million women", json!({ "peopleReached": i32::MAX }), "OUT_OF_RANGE"),
        record("no lines", json!({ "lines": [] }), "OUT_OF_RANGE"),
        record(
            "101 lines",
            json!({ "lines": vec![line(json!({}))["lines"][0].clone(); 101] }),
            "OUT_OF_RANGE",
        ),
        record(
            "the same line twice",
            json!({ "lines": vec![line(json!({}))["lines"][0].clone(); 2] }),
            "DUPLICATE",
        ),
        record("a negative quantity", line(json!({ "quantity": -5 })), "OUT_OF_RANGE"),
        record("a quantity of zero", line(json!({ "quantity": 0 })), "OUT_OF_RANGE"),
        record("the largest quantity", line(json!({ "quantity": i32::MAX })), "OUT_OF_RANGE"),
        record("an unknown kit", line(json!({ "supplied": { "kit": unknown_kit } })), "NOT_FOUND"),
        record("an unknown item", line(json!({ "supplied": { "item": unknown_item } })), "NOT_FOUND"),
        record("an item in the place of a kit", line(json!({ "supplied": { "kit": item() } })), "NOT_FOUND"),
        record("an unknown version", line(json!({ "kitVersion": 99 })), "NOT_FOUND"),
        record("a negative version", line(json!({ "kitVersion": -1 })), "NOT_FOUND"),
        record(
            "a version of an item",
            line(json!({ "supplied": { "item": item() }, "kitVersion": 1 })),
            "INVALID",
        ),
        record(
            "an item that is archived",
            line(json!({ "supplied": { "item": prepared.archived } })),
            "NOT_FOUND",
        ),
        record("an item that is a draft", line(json!({ "supplied": { "item": prepared.draft } })), "INVALID"),
        record(
            "a line that reaches more women than there are",
            line(json!({ "peopleReached": 41 })),
            "OUT_OF_RANGE",
        ),
        record("a line that reaches fewer than none", line(json!({ "peopleReached": -1 })), "OUT_OF_RANGE"),
        record("an empty key", json!({ "idempotencyKey": "" }), "INVALID"),
        record("a long key", json!({ "idempotencyKey": "k".repeat(10_000) }), "INVALID"),
        record("a key with a NUL", json!({ "idempotencyKey": "a\0b" }), "INVALID"),
        bad("an item and a kit", line(json!({ "supplied": { "item": item(), "kit": kit() } }))),
        bad("neither item nor kit", line(json!({ "supplied": {} }))),
        bad("no quantity", line(json!({ "quantity": null }))),
        bad("a quantity as text", line(json!({ "quantity": "40" }))),
        bad("half a kit", line(json!({ "quantity": 0.5 }))),
        bad("a quantity beyond 32 bits", line(json!({ "quantity": 4_294_967_296_i64 }))),
        bad("an unknown method", json!({ "reachMethod": "GUESSED" })),
        bad("no key", json!({ "idempotencyKey": null })),
        bad("a field that is not there", json!({ "class": "OPERATIONS" })),
        bad("a bad day in a mutation", json!({ "occurredOn": "2026-13-01" })),
        change("a correction of nothing", json!({ "peopleReached": 20 }), "NOT_FOUND"),
        change(
            "a correction of an entry of another type",
            json!({ "id": kit(), "peopleReached": 20 }),
            "NOT_FOUND",
        ),
        change(
            "a correction of an older version",
            json!({ "id": id, "expectedVersion": version + 7, "peopleReached": 20 }),
            "CONFLICT",
        ),
        change(
            "a correction to fewer than none",
            json!({ "id": id, "expectedVersion": version, "peopleReached": -1 }),
            "OUT_OF_RANGE",
        ),
        write(
            "a verification of nothing",
            "voidDistribution",
            json!({ "id": nothing, "expectedVersion": 1, "reason": "RETURNED" }),
            "NOT_FOUND",
        ),
        write("a note of 501 letters", "voidDistribution", note(&"a".repeat(501)), "INVALID"),
        write("a note with a NUL", "voidDistribution", note("a\0b"), "INVALID"),
        write("a blank note", "voidDistribution", note("   "), "INVALID"),
        ask(
            "no id in a mutation",
            Who::Coordinator,
            "mutation { verifyDistribution(input: { id: \"x\", expectedVersion: 1 }) { userErrors { code } } }",
            200,
            "BAD_USER_INPUT",
        ),
        ask(
            "a mutation of somebody outside",
            Who::Partner,
            "mutation { verifyDistribution(input: { id: \"x\", expectedVersion: 1 }) { userErrors { code } } }",
            400,
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ]
}

fn registry() -> Vec<Case> {
    let item = |name, changes: Value, code| write(name, "createItem", but(new_item(), changes), code);
    let facility =
        |name, changes: Value, code| write(name, "createFacility", but(new_facility(), changes), code);
    let program =
        |name, changes: Value, code| write(name, "createProgram", but(new_program(), changes), code);
    let kit = |name, changes: Value, code| write(name, "createKit", but(new_kit(), changes), code);
    let award = |name, changes: Value, code| write(name, "createAward", but(new_award(), changes), code);
    let two = json!({ "original": "es", "translations": [{ "lang": "es", "text": "a" }, { "lang": "es", "text": "b" }] });
    let none = json!({ "original": "es", "translations": [] });
    vec![
        item("a blank name", json!({ "name": name("  ") }), "INVALID"),
        item("a name with a NUL", json!({ "name": name("a\0b") }), "INVALID"),
        item("a name of 10,000 letters", json!({ "name": name(&"a".repeat(10_000)) }), "INVALID"),
        item("a language twice", json!({ "name": two }), "DUPLICATE"),
        item("a text without its original", json!({ "name": none }), "INVALID"),
        item("a blank unit", json!({ "unit": "" }), "INVALID"),
        item("a code that is taken", json!({ "code": "soap" }), "DUPLICATE"),
        item("a code with blanks", json!({ "code": "two words" }), "INVALID"),
        refuse(
            "a sensitivity that is none",
            "createItem",
            but(new_item(), json!({ "sensitivity": "SECRET" })),
        ),
        facility("a blank facility", json!({ "name": "" }), "INVALID"),
        facility("a slug that is none", json!({ "slug": "Not A Slug" }), "INVALID"),
        facility("a slug with a NUL", json!({ "slug": "a\0b" }), "INVALID"),
        facility("a slug of a path", json!({ "slug": "../etc" }), "INVALID"),
        facility("a slug that is taken", json!({ "slug": "cpf-talca" }), "DUPLICATE"),
        facility("an unknown region", json!({ "region": "XX-99" }), "INVALID"),
        facility("a region of another country", json!({ "country": "MX" }), "INVALID"),
        facility("a blank alias", json!({ "aliases": [""] }), "INVALID"),
        program("a program that ends before it starts", json!({ "endsOn": "2025-01-01" }), "OUT_OF_RANGE"),
        program(
            "a program at no facility",
            json!({ "facilities": ["AgAAAAAAAAAAAAAAAAAAAAA"] }),
            "NOT_FOUND",
        ),
        program("an unknown technique", json!({ "techniques": ["levitation"] }), "NOT_FOUND"),
        program("a slug of a program that is taken", json!({ "slug": "maternidad" }), "DUPLICATE"),
        kit("an empty kit", json!({ "contents": [] }), "OUT_OF_RANGE"),
        kit(
            "a kit of unknown things",
            json!({ "contents": [{ "item": "BAAAAAAAAAAAAAAAAAAAAAA", "quantity": 1 }] }),
            "NOT_FOUND",
        ),
        kit(
            "a kit of nothing",
            json!({ "contents": [{ "item": super::item(), "quantity": 0 }] }),
            "OUT_OF_RANGE",
        ),
        award("an unknown currency", json!({ "amount": { "amount": "100", "currency": "PESO" } }), "INVALID"),
        award(
            "a negative amount",
            json!({ "amount": { "amount": "-1", "currency": "CLP" } }),
            "OUT_OF_RANGE",
        ),
        award("an amount of zero", json!({ "amount": { "amount": "0", "currency": "CLP" } }), "OUT_OF_RANGE"),
        refuse(
            "an amount beyond 64 bits",
            "createAward",
            but(new_award(), json!({ "amount": { "amount": "9223372036854775808", "currency": "CLP" } })),
        ),
        refuse(
            "an amount with a point",
            "createAward",
            but(new_award(), json!({ "amount": { "amount": "1.50", "currency": "CLP" } })),
        ),
    ]
}
