//! `/export/distributions`: what is in the file.

use api::id::Kind;
use entity::value::{DistributionStatus, VoidReason};
use serde_json::{Value, json};
use tests::both;

use super::{file, text};
use crate::{
    talk::{ask, column},
    world::*,
};

/// Two deliveries that outsiders may see, one whose numbers fell below the threshold, one that is void, and one
/// that is about few women.
fn seeds() -> Vec<Seed> {
    let mut corrected = Seed::new(3, 3, WORKSHOP, "2026-02-01", 20)
        .line(Goods::Kit(HYGIENE, 2), 20)
        .recorded_at("2026-11-03T00:00:00Z");
    corrected.row.people_reached = 7;
    corrected.lines[0].people_reached = 7;
    corrected.lines[0].shown = false;
    let mut void = Seed::new(4, 1, SUPPLIES, "2026-02-02", 30)
        .status(DistributionStatus::Voided)
        .line(Goods::Item(BOOK), 30)
        .recorded_at("2026-11-04T00:00:00Z");
    void.row.voided_at = Some(moment("2026-11-05T00:00:00Z"));
    void.row.void_reason = Some(VoidReason::Duplicate);
    void.row.void_note = Some("=HYPERLINK(\"http://x\")".to_owned());
    let mut keyed = Seed::new(2, 2, SUPPLIES, "2026-01-31", 40)
        .line(Goods::Item(SOAP), 40)
        .line(Goods::Kit(HYGIENE, 1), 30)
        .recorded_at("2026-11-02T00:00:00.25Z");
    keyed.row.import_key = Some("-acta, 2".to_owned());
    keyed.lines[1].people_reached = 30;
    vec![
        Seed::new(1, 1, SUPPLIES, "2026-03-01", 20)
            .line(Goods::Item(PADS), 20)
            .recorded_at("2026-11-01T00:00:00Z"),
        keyed,
        corrected,
        void,
    ]
}

fn few() -> Seed {
    Seed::new(5, 1, MATERNITY, "2026-03-01", 3)
        .records()
        .line(Goods::Kit(MATERNAL, 1), 3)
        .recorded_at("2026-11-02T00:00:00Z")
}

both!(
    async fn a_file_holds_a_row_for_each_line(world: &World) {
        let seeds = seeds();
        world.add(&seeds).await;
        world.add(&[few()]).await;
        let ids: Vec<String> = seeds.iter().map(Seed::id).collect();
        let csv = text(&world.coordinator(), "distributions").await;
        let wanted = format!(
            "key,facility,program,occurred_on,people_reached,reach_method,item,kit,kit_version,quantity,\
             line_people_reached,status,organization,recorded_at,void_reason,class,version,void_note\n\
             #meta+id,#loc+facility+code,#activity+code,#date+occurred,#reached+f+ind,#meta+method,#item+code,\
             #item+kit+code,#item+kit+version,#output+num,#reached+f+ind+line,#status,#org+impl+code,\
             #date+reported,#status+void+reason,#meta+class,#meta+version,#meta+comment+void\n\
             {},neza,supplies,2026-03-01,20,COUNTED,PADS,,,20,20,DELIVERED,own,2026-11-01T00:00:00Z,,OPERATIONS,1,\n\
             {},neza,maternity,2026-03-01,3,COUNTED,,MATERNAL,1,3,3,DELIVERED,own,2026-11-02T00:00:00Z,,RECORDS,1,\n\
             \"'-acta, 2\",ecatepec,supplies,2026-01-31,40,COUNTED,SOAP,,,40,40,DELIVERED,own,\
             2026-11-02T00:00:00.250Z,,OPERATIONS,1,\n\
             \"'-acta, 2\",ecatepec,supplies,2026-01-31,40,COUNTED,,HYGIENE,1,30,30,DELIVERED,own,\
             2026-11-02T00:00:00.250Z,,OPERATIONS,1,\n\
             {},santa-martha,workshop,2026-02-01,7,COUNTED,,HYGIENE,2,20,7,DELIVERED,own,2026-11-03T00:00:00Z,,OPERATIONS,1,\n\
             {},neza,supplies,2026-02-02,30,COUNTED,BOOK,,,30,30,VOIDED,own,2026-11-04T00:00:00Z,DUPLICATE,\
             OPERATIONS,1,\"'=HYPERLINK(\"\"http://x\"\")\"\n",
            ids[0],
            few().id(),
            ids[2],
            ids[3]
        );
        assert_eq!(csv, wanted);

        let lines = text(&world.coordinator(), "distributions?format=jsonl").await;
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 6);
        assert_eq!(
            lines[2],
            json!({
                "key": "-acta, 2", "facility": "ecatepec", "program": "supplies", "occurred_on": "2026-01-31",
                "people_reached": 40, "reach_method": "COUNTED", "item": "SOAP", "kit": null, "kit_version": null,
                "quantity": 40, "line_people_reached": 40, "status": "DELIVERED", "organization": "own",
                "recorded_at": "2026-11-02T00:00:00.250Z", "void_reason": null, "class": "OPERATIONS",
                "version": 1, "void_note": null,
            })
        );
    }
);

both!(
    async fn outsiders_get_their_rows_and_their_columns(world: &World) {
        let seeds = seeds();
        world.add(&seeds).await;
        let ids: Vec<String> = seeds.iter().map(Seed::id).collect();
        let csv = text(&world.partner(), "distributions").await;
        let wanted = format!(
            "key,facility,program,occurred_on,people_reached,reach_method,item,kit,kit_version,quantity,status,\
             organization,recorded_at,void_reason\n\
             #meta+id,#loc+facility+code,#activity+code,#date+occurred,#reached+f+ind,#meta+method,#item+code,\
             #item+kit+code,#item+kit+version,#output+num,#status,#org+impl+code,#date+reported,#status+void+reason\n\
             {0},neza,supplies,2026-03-01,20,COUNTED,PADS,,,20,DELIVERED,own,2026-11-01T00:00:00Z,\n\
             {1},ecatepec,supplies,2026-01-31,40,COUNTED,SOAP,,,40,DELIVERED,own,2026-11-02T00:00:00.250Z,\n\
             {1},ecatepec,supplies,2026-01-31,40,COUNTED,,HYGIENE,1,30,DELIVERED,own,2026-11-02T00:00:00.250Z,\n\
             {2},santa-martha,workshop,2026-02-01,,,,,,,DELIVERED,own,2026-11-03T00:00:00Z,\n\
             {3},neza,supplies,2026-02-02,30,COUNTED,BOOK,,,30,VOIDED,own,2026-11-04T00:00:00Z,DUPLICATE\n",
            ids[0], ids[1], ids[2], ids[3]
        );
        assert_eq!(csv, wanted);

        let told = async |format: &str| {
            let answer = file(&world.partner(), &format!("distributions?format={format}")).await;
            let mut headers: Vec<(String, String)> = answer
                .headers
                .iter()
                .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect();
            headers.sort();
            (headers, answer.body)
        };
        let before = (told("csv").await, told("jsonl").await, told("xlsx").await);
        assert!(before.2.1.starts_with(b"PK"));
        world.add(&[few()]).await;
        assert_eq!((told("csv").await, told("jsonl").await, told("xlsx").await), before);
        let stranger = text(&world.member("partner", "stranger"), "distributions").await;
        assert_eq!(stranger.lines().count(), 2, "{stranger}");
    }
);

both!(
    async fn filters_are_those_of_the_list(world: &World) {
        world.add(&seeds()).await;
        world.add(&[few()]).await;
        let f = |n: u128| id(Kind::Facility, n);
        let cases = [
            (String::new(), json!({})),
            (format!("facility={}", f(1)), json!({ "facility": [f(1)] })),
            (format!("facility={}&facility={}", f(2), f(3)), json!({ "facility": [f(2), f(3)] })),
            (format!("facility={}", f(99)), json!({ "facility": [f(99)] })),
            (
                format!("program={}", id(Kind::Program, SUPPLIES)),
                json!({ "program": [id(Kind::Program, SUPPLIES)] }),
            ),
            (format!("item={}", id(Kind::Item, SOAP)), json!({ "item": [id(Kind::Item, SOAP)] })),
            (format!("kit={}", id(Kind::Kit, HYGIENE)), json!({ "kit": [id(Kind::Kit, HYGIENE)] })),
            (
                "region=MX-MEX&status=DELIVERED".into(),
                json!({ "region": ["MX-MEX"], "status": ["DELIVERED"] }),
            ),
            (
                format!("organization={}", id(Kind::Organization, OTHER)),
                json!({ "organization": [id(Kind::Organization, OTHER)] }),
            ),
            (
                "occurredOnFrom=2026-01-31&occurredOnTo=2026-02-01".into(),
                json!({ "occurredOn": { "from": "2026-01-31", "to": "2026-02-01" } }),
            ),
            (
                "recordedAtFrom=2026-11-02T00:00:00Z&recordedAtTo=2026-11-04T00:00:00Z".into(),
                json!({ "recordedAt": { "from": "2026-11-02T00:00:00Z", "to": "2026-11-04T00:00:00Z" } }),
            ),
        ];
        for client in [world.coordinator(), world.partner()] {
            for (address, filter) in &cases {
                let document = "query($filter: DistributionFilter) { distributions(first: 100, filter: $filter, \
                    orderBy: {field: RECORDED_AT, direction: ASC}) { nodes { occurredOn recordedAt } } }";
                let answer = client.query(document, json!({ "filter": filter })).await;
                let wanted = column(&answer.data()["distributions"]["nodes"], "recordedAt");
                let lines = text(&client, &format!("distributions?format=jsonl&{address}")).await;
                let mut found: Vec<String> = Vec::new();
                for line in lines.lines() {
                    let line: Value = serde_json::from_str(line).unwrap();
                    found.push(line["recorded_at"].as_str().unwrap().to_owned());
                }
                found.dedup();
                let same = |a: &String, b: &String| moment(a) == moment(b);
                assert!(
                    found.len() == wanted.len() && found.iter().zip(&wanted).all(|(a, b)| same(a, b)),
                    "{address}: {found:?}, {wanted:?}"
                );
            }
        }
    }
);

both!(
    async fn a_long_file_holds_every_delivery_once(world: &World) {
        let most = api::store::distribution::AT_ONCE as u128;
        let seeds: Vec<Seed> = (1..=2 * most + 7)
            .map(|n| {
                // Many have one moment, as those of an imported file.
                let seed = Seed::new(n, 1 + n % 3, SUPPLIES, "2026-03-01", 20).line(Goods::Item(SOAP), 20);
                if n % 10 == 0 { seed.recorded_at(&format!("2026-11-02T00:00:{:02}Z", n % 60)) } else { seed }
            })
            .collect();
        world.add(&seeds).await;
        let mut wanted: Vec<String> = seeds.iter().map(Seed::id).collect();
        wanted.sort();
        for client in [world.coordinator(), world.partner()] {
            let csv = text(&client, "distributions").await;
            let mut found: Vec<String> =
                csv.lines().skip(2).map(|line| line.split(',').next().unwrap().to_owned()).collect();
            found.sort();
            assert_eq!(found, wanted);
        }
        let total = ask(&world.coordinator(), "{ distributions(first: 0) { totalCount } }").await;
        assert_eq!(total["distributions"]["totalCount"], json!(seeds.len()));
    }
);
