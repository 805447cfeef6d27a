//! Grouped totals, against sums that the test makes itself from the rows it has put there.

use std::collections::{BTreeMap, BTreeSet};

use api::id::Kind;
use chrono::{Datelike, Months, NaiveDate};
use entity::value::{DistributionStatus, RowClass};
use serde_json::{Value, json};
use tests::both;

use crate::{
    talk::{ask, done},
    world::*,
};

const DIMENSIONS: [&str; 9] =
    ["ORGANIZATION", "FACILITY", "REGION", "PROGRAM", "ITEM", "KIT", "MONTH", "QUARTER", "YEAR"];
const FROM: &str = "2025-11-01";
const TO: &str = "2026-08-31";
const WINDOW: &str = r#"filter: { occurredOn: { from: "2025-11-01", to: "2026-08-31" } }"#;

/// 60 deliveries of all kinds, one or two kinds of goods each.
fn seeds() -> Vec<Seed> {
    let days = [
        "2025-11-01",
        "2025-12-31",
        "2026-01-01",
        "2026-02-28",
        "2026-05-10",
        "2026-08-31",
        "2025-10-31",
        "2026-09-01",
    ];
    (1..=60)
        .map(|n: u128| {
            let on = days[n as usize % days.len()];
            let mut seed = Seed::new(n, n % 3 + 1, n % 2 + 1, on, 10 + n as i32);
            seed.row.status = match n % 9 {
                0 => DistributionStatus::Planned,
                1 => DistributionStatus::Voided,
                2 => DistributionStatus::Verified,
                _ => DistributionStatus::Delivered,
            };
            if n.is_multiple_of(7) {
                seed = seed.records().line(Goods::Item(FORMULA), 12);
            }
            let kits = [Goods::Kit(HYGIENE, 1), Goods::Kit(HYGIENE, 2), Goods::Kit(BATH, 1)];
            match n % 4 {
                0 => seed.line(Goods::Item(SOAP), 10 + n as i32),
                1 => seed.line(kits[n as usize % 3], 20),
                2 => {
                    seed.line(Goods::Item(BOOK), 15).line(Goods::Item(SOAP), 11).line(Goods::Kit(BATH, 1), 10)
                }
                _ => seed.line(Goods::Item(PADS), 30).line(kits[n as usize % 3], 11),
            }
        })
        .collect()
}

/// A line as the items in it: item, units, and the kit that they come in.
fn exploded(line: &entity::distribution_line::Model) -> Vec<(u128, i64, Option<u128>)> {
    let item = (1..=5).find(|n| line.item_id == Some(uuid(Kind::Item, *n)));
    if let Some(item) = item {
        return vec![(item, line.quantity.into(), None)];
    }
    let (kit, _, _, lines) = CONTENTS
        .iter()
        .find(|(kit, number, ..)| {
            line.kit_id == Some(uuid(Kind::Kit, *kit)) && line.kit_version == Some(*number)
        })
        .unwrap();
    lines
        .iter()
        .map(|(item, count)| (*item, i64::from(*count) * i64::from(line.quantity), Some(*kit)))
        .collect()
}

#[derive(Default)]
struct Sum {
    deliveries: BTreeSet<String>,
    contacts: i64,
    units: i64,
    kits: i64,
    kinds: BTreeSet<&'static str>,
}

fn months_of(dimension: &str) -> u32 {
    match dimension {
        "MONTH" => 1,
        "QUARTER" => 3,
        _ => 12,
    }
}

fn start(dimension: &str, day: NaiveDate) -> NaiveDate {
    let months = months_of(dimension);
    NaiveDate::from_ymd_opt(day.year(), day.month0() / months * months + 1, 1).unwrap()
}

fn period(dimension: &str, day: NaiveDate) -> String {
    let start = start(dimension, day);
    let end = (start + Months::new(months_of(dimension))).pred_opt().unwrap();
    format!("{start}/{end}")
}

/// What the server should answer: rows by their keys, then deliveries, units, kits, contacts.
fn expected(seeds: &[Seed], group_by: &[&str], outside: bool) -> BTreeMap<Vec<String>, Value> {
    let by_item = group_by.contains(&"ITEM");
    let by_kit = group_by.contains(&"KIT");
    let mut sums: BTreeMap<Vec<String>, Sum> = BTreeMap::new();
    for seed in seeds {
        let row = &seed.row;
        let counts = matches!(row.status, DistributionStatus::Delivered | DistributionStatus::Verified);
        if !counts
            || row.occurred_on < day(FROM)
            || row.occurred_on > day(TO)
            || outside && row.class == RowClass::Records
        {
            continue;
        }
        let facility = FACILITIES[(1..=4).position(|n| row.facility_id == uuid(Kind::Facility, n)).unwrap()];
        let program = (1..=4).position(|n| row.program_id == uuid(Kind::Program, n)).unwrap();
        let key = |item: Option<u128>, kit: Option<u128>| -> Vec<String> {
            let part = |dimension: &&str| match *dimension {
                "ORGANIZATION" => "own".to_owned(),
                "FACILITY" => facility.0.to_owned(),
                "REGION" => facility.2.to_owned(),
                "PROGRAM" => ["supplies", "workshop", "maternity", "theirs"][program].to_owned(),
                "ITEM" => item.map_or("null", |n| ITEMS[n as usize - 1].0).to_owned(),
                "KIT" => kit.map_or("null", |n| ["HYGIENE", "BATH", "MATERNAL"][n as usize - 1]).to_owned(),
                other => period(other, row.occurred_on),
            };
            group_by.iter().map(part).collect()
        };
        if !by_item && !by_kit {
            let sum = sums.entry(key(None, None)).or_default();
            sum.deliveries.insert(seed.id());
            sum.contacts += i64::from(row.people_reached);
        }
        for line in &seed.lines {
            let mut first = true;
            for (item, units, kit) in exploded(line) {
                if by_kit && !by_item && kit.is_none() {
                    continue;
                }
                let sum = sums.entry(key(Some(item), kit)).or_default();
                sum.deliveries.insert(seed.id());
                sum.units += units;
                sum.kinds.insert(ITEMS[item as usize - 1].1);
                sum.kits += if kit.is_some() && first { i64::from(line.quantity) } else { 0 };
                first = false;
            }
        }
    }
    if let Some(place) = group_by.iter().position(|one| ["MONTH", "QUARTER", "YEAR"].contains(one)) {
        for key in sums.keys().cloned().collect::<Vec<_>>() {
            let mut at = start(group_by[place], day(FROM));
            while at <= day(TO) {
                let mut key = key.clone();
                key[place] = period(group_by[place], at);
                sums.entry(key).or_default();
                at = at + Months::new(1);
            }
        }
    }
    let row = |sum: Sum| {
        json!({
            "deliveries": sum.deliveries.len(),
            "units": if sum.kinds.len() > 1 { Value::Null } else { json!(sum.units) },
            "kits": if by_item { Value::Null } else { json!(sum.kits) },
            "contacts": if by_item || by_kit { Value::Null } else { json!(sum.contacts) },
        })
    };
    sums.into_iter().map(|(key, sum)| (key, row(sum))).collect()
}

const ROW: &str = "truncated rows { organization { slug } facility { slug } region { iso } program { slug } item { code } \
                   kit { code } period { start end } deliveries units kits contacts }";

/// The rows of an answer by their keys.
fn answered(stats: &Value, group_by: &[&str]) -> BTreeMap<Vec<String>, Value> {
    let name = |value: &Value, key: &str| value[key].as_str().unwrap_or("null").to_owned();
    let rows = stats["rows"].as_array().unwrap();
    let rows: BTreeMap<_, _> = rows
        .iter()
        .map(|row| {
            let part = |dimension: &&str| match *dimension {
                "ORGANIZATION" => name(&row["organization"], "slug"),
                "FACILITY" => name(&row["facility"], "slug"),
                "REGION" => name(&row["region"], "iso"),
                "PROGRAM" => name(&row["program"], "slug"),
                "ITEM" => name(&row["item"], "code"),
                "KIT" => name(&row["kit"], "code"),
                _ => format!("{}/{}", name(&row["period"], "start"), name(&row["period"], "end")),
            };
            let sums =
                ["deliveries", "units", "kits", "contacts"].map(|key| (key.to_owned(), row[key].clone()));
            (group_by.iter().map(part).collect(), Value::Object(sums.into_iter().collect()))
        })
        .collect();
    assert_eq!(rows.len(), stats["rows"].as_array().unwrap().len(), "a group came twice");
    rows
}

/// Every way to group by one to three dimensions.
fn groupings() -> Vec<Vec<&'static str>> {
    let mut all = Vec::new();
    for (a, first) in DIMENSIONS.into_iter().enumerate() {
        all.push(vec![first]);
        for (b, second) in DIMENSIONS.into_iter().enumerate().skip(a + 1) {
            all.push(vec![second, first]);
            all.extend(DIMENSIONS.into_iter().skip(b + 1).map(|third| vec![first, third, second]));
        }
    }
    let periods =
        |group: &Vec<&str>| group.iter().filter(|one| ["MONTH", "QUARTER", "YEAR"].contains(one)).count();
    all.retain(|group| periods(group) < 2);
    all
}

both!(
    async fn totals_are_those_of_the_rows(world: &World) {
        let seeds = seeds();
        world.add(&seeds).await;
        // Another organisation's rows are in no total.
        let theirs = Seed::new(900, 4, THEIRS, "2026-02-02", 500).line(Goods::Item(SOAP), 900);
        world.add(&[theirs]).await;
        for (client, outside) in [(world.coordinator(), false), (world.partner(), true)] {
            for group_by in groupings() {
                let stats = format!(
                    "{{ distributionStats(groupBy: [{}], first: 1000, {WINDOW}) {{ {ROW} }} }}",
                    group_by.join(", ")
                );
                let data = ask(&client, &stats).await;
                assert_eq!(data["distributionStats"]["truncated"], json!(false));
                let expected = expected(&seeds, &group_by, outside);
                assert_eq!(
                    answered(&data["distributionStats"], &group_by),
                    expected,
                    "{group_by:?}, outside: {outside}"
                );
            }
        }
    }
);

both!(
    async fn a_total_asked_for_alone_is_the_same(world: &World) {
        world.add(&seeds()).await;
        let client = world.coordinator();
        for group in ["FACILITY", "ITEM", "KIT", "REGION, QUARTER"] {
            let whole =
                format!("{{ distributionStats(groupBy: [{group}], first: 1000, {WINDOW}) {{ {ROW} }} }}");
            let whole = ask(&client, &whole).await["distributionStats"]["rows"].clone();
            for total in ["deliveries", "units", "kits", "contacts"] {
                let one = format!(
                    "{{ distributionStats(groupBy: [{group}], first: 1000, {WINDOW}) {{ rows {{ {total} }} }} }}"
                );
                let one = ask(&client, &one).await["distributionStats"]["rows"].clone();
                let expected: Vec<Value> =
                    whole.as_array().unwrap().iter().map(|row| json!({ total: row[total] })).collect();
                assert_eq!(one, json!(expected), "{total} by {group}");
            }
        }
    }
);

both!(
    async fn filters_apply_to_totals(world: &World) {
        world
            .add(&[
                Seed::new(1, 1, 1, "2026-02-02", 20)
                    .line(Goods::Kit(HYGIENE, 2), 30)
                    .line(Goods::Item(BOOK), 12),
                Seed::new(2, 2, 1, "2026-02-03", 20).line(Goods::Kit(BATH, 1), 10),
            ])
            .await;
        let client = world.coordinator();
        let totals = async |filter: String| {
            let stats = format!(
                "{{ distributionStats(groupBy: [ORGANIZATION], first: 9, filter: {{ {filter} }}) {{ rows {{ deliveries units kits contacts }} }} }}"
            );
            ask(&client, &stats).await["distributionStats"]["rows"].clone()
        };
        let row = |deliveries: i32, units: Option<i32>, kits: i32, contacts: i32| json!([{ "deliveries": deliveries, "units": units, "kits": kits, "contacts": contacts }]);
        // The kits that hold the item, wherever it stands in them: soap is the second of HYGIENE, pads the first.
        assert_eq!(totals(format!("item: [\"{}\"]", id(Kind::Item, SOAP))).await, row(2, Some(190), 40, 40));
        assert_eq!(totals(format!("item: [\"{}\"]", id(Kind::Item, PADS))).await, row(1, Some(30), 30, 20));
        assert_eq!(totals(format!("item: [\"{}\"]", id(Kind::Item, BOOK))).await, row(1, Some(42), 30, 20));
        let two = format!("item: [\"{}\", \"{}\"]", id(Kind::Item, SOAP), id(Kind::Item, BOOK));
        assert_eq!(totals(two).await, row(2, Some(232), 40, 40));
        assert_eq!(totals(format!("kit: [\"{}\"]", id(Kind::Kit, BATH))).await, row(1, Some(40), 10, 20));
        assert_eq!(totals(format!("kit: [\"{}\"]", id(Kind::Kit, HYGIENE))).await, row(1, None, 30, 20));
        assert_eq!(totals("region: [\"MX-CMX\"]".to_owned()).await, json!([]));
        assert_eq!(totals("facility: []".to_owned()).await, json!([]));
        assert_eq!(totals("status: [VOIDED]".to_owned()).await, json!([]));
    }
);

both!(
    async fn periods_without_any_are_there_and_the_rest_is_cut(world: &World) {
        let client = world.coordinator();
        let empty = format!("{{ distributionStats(groupBy: [QUARTER], first: 9, {WINDOW}) {{ {ROW} }} }}");
        let rows = ask(&client, &empty).await["distributionStats"]["rows"].clone();
        let starts: Vec<&Value> =
            rows.as_array().unwrap().iter().map(|row| &row["period"]["start"]).collect();
        assert_eq!(starts, ["2025-10-01", "2026-01-01", "2026-04-01", "2026-07-01"]);
        for row in rows.as_array().unwrap() {
            assert_eq!([&row["deliveries"], &row["units"], &row["kits"], &row["contacts"]], [&json!(0); 4]);
        }
        world.add(&seeds()).await;
        for (first, truncated) in [(1, true), (2, true), (3, false)] {
            let stats =
                format!("{{ distributionStats(groupBy: [FACILITY], first: {first}, {WINDOW}) {{ {ROW} }} }}");
            let stats = ask(&client, &stats).await["distributionStats"].clone();
            assert_eq!(stats["truncated"], json!(truncated));
            assert_eq!(stats["rows"].as_array().unwrap().len(), first);
        }
        for arguments in [
            "groupBy: [], first: 1",
            "groupBy: [ITEM, ITEM], first: 1",
            "groupBy: [ITEM, KIT, FACILITY, REGION], first: 1",
            "groupBy: [FACILITY], first: 0",
            "groupBy: [FACILITY], first: 1001",
            "groupBy: [FACILITY], first: -1",
            "groupBy: [MONTH], first: 1",
            r#"groupBy: [MONTH], first: 1, filter: { occurredOn: { from: "2026-01-01" } }"#,
            r#"groupBy: [MONTH, YEAR], first: 1, filter: { occurredOn: { from: "2026-01-01", to: "2026-02-01" } }"#,
            r#"groupBy: [MONTH], first: 1, filter: { occurredOn: { from: "1950-01-01", to: "2026-12-31" } }"#,
        ] {
            let document = format!("{{ distributionStats({arguments}) {{ truncated }} }}");
            assert_eq!(client.query(&document, Value::Null).await.code(), "BAD_USER_INPUT", "{arguments}");
        }
    }
);

both!(
    async fn what_a_correction_hides_is_in_no_list_and_no_total(world: &World) {
        let client = world.coordinator();
        let seed =
            Seed::new(1, 1, 1, "2026-02-02", 40).line(Goods::Item(SOAP), 60).line(Goods::Item(BOOK), 20);
        world.add(std::slice::from_ref(&seed)).await;
        let shown = async || {
            let document = format!(
                "{{ distributions(first: 9) {{ totalCount nodes {{ peopleReached lines {{ quantity }} }} }} \
                 soap: distributions(first: 9, filter: {{ item: [\"{}\"] }}) {{ totalCount nodes {{ id }} }} \
                 distributionStats(groupBy: [FACILITY], first: 9) {{ rows {{ deliveries units contacts }} }} \
                 items: distributionStats(groupBy: [ITEM], first: 9) {{ rows {{ item {{ code }} units }} }} }}",
                id(Kind::Item, SOAP)
            );
            ask(&world.partner(), &document).await
        };
        // One line falls below the threshold: it alone is hidden.
        let lines = json!([
            { "supplied": { "item": id(Kind::Item, SOAP) }, "quantity": 5 },
            { "supplied": { "item": id(Kind::Item, BOOK) }, "quantity": 20 },
        ]);
        let input = json!({ "id": seed.id(), "expectedVersion": 1, "lines": lines });
        done(&client, "updateDistribution", "distribution", "id", &input).await;
        let data = shown().await;
        assert_eq!(
            data["distributions"],
            json!({ "totalCount": 1, "nodes": [{ "peopleReached": 40, "lines": [{ "quantity": 20 }] }] })
        );
        assert_eq!(data["soap"], json!({ "totalCount": 0, "nodes": [] }));
        assert_eq!(
            data["distributionStats"]["rows"],
            json!([{ "deliveries": 1, "units": 20, "contacts": 40 }])
        );
        assert_eq!(data["items"]["rows"], json!([{ "item": { "code": "BOOK" }, "units": 20 }]));
        // Then the people: no line reaches more women than the delivery, so none is shown any more.
        let input = json!({ "id": seed.id(), "expectedVersion": 2, "peopleReached": 6 });
        done(&client, "updateDistribution", "distribution", "id", &input).await;
        let data = shown().await;
        assert_eq!(
            data["distributions"],
            json!({ "totalCount": 1, "nodes": [{ "peopleReached": null, "lines": [] }] })
        );
        assert_eq!(
            data["distributionStats"]["rows"],
            json!([{ "deliveries": 1, "units": 0, "contacts": 0 }])
        );
        assert_eq!(data["items"]["rows"], json!([]));
        // Staff see all of it, and a correction back shows it again.
        let data =
            ask(&client, "{ distributions(first: 9) { nodes { class peopleReached lines { quantity } } } }")
                .await;
        let row = json!({ "class": "OPERATIONS", "peopleReached": 6, "lines": [{ "quantity": 5 }, { "quantity": 20 }] });
        assert_eq!(data["distributions"]["nodes"], json!([row]));
        let input = json!({ "id": seed.id(), "expectedVersion": 3, "peopleReached": 30 });
        done(&client, "updateDistribution", "distribution", "id", &input).await;
        let data = shown().await;
        assert_eq!(
            data["distributions"]["nodes"],
            json!([{ "peopleReached": 30, "lines": [{ "quantity": 20 }] }])
        );
    }
);
