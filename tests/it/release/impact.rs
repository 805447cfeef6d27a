//! What everybody reads: intervals of the demonstration's release, as the source page's sections.

use api::sealed::{PublicKey, verify};
use serde_json::{Value, json};
use tests::{OutcomesApp, both};

use crate::talk::{ask, column};

const IMPACT: &str = "{ impact(organization: \"la-cana\") { release { number status digest previous { id } } \
    headline { ...cell } sections { code title { text(lang: \"en\") } outcomes { ...cell } claims { status value } } claims { value status } } } \
    fragment cell on Outcome { indicator { code kind question { text } unit } state table period { start end } facility { slug } \
    round { code responseRate { lowPercent highPercent } } \
    value { __typename ... on CountBand { low high belowThreshold label(lang: \"en\") } \
      ... on ShareBand { lowPercent highPercent label(lang: \"en\") base { low high } } \
      ... on MeanBand { low high unit label(lang: \"es\") base { label(lang: \"es\") } } \
      ... on SumBand { amounts: low most: high unit label(lang: \"en\") } } }";

fn label<'a>(impact: &'a Value, code: &str) -> &'a str {
    let sections =
        impact["sections"].as_array().unwrap().iter().flat_map(|of| of["outcomes"].as_array().unwrap());
    let mut all = sections.chain(impact["headline"].as_array().unwrap());
    all.find(|of| of["indicator"]["code"] == code)
        .map_or("nothing", |of| of["value"]["label"].as_str().unwrap())
}

both!(
    async fn the_page_is_reproduced_as_intervals(app: &OutcomesApp) {
        let anyone = app.anonymous();
        let answer = ask(&anyone, IMPACT).await;
        let impact = &answer["impact"];
        assert_eq!(impact["release"]["status"], "PUBLISHED");
        assert_eq!(impact["release"]["previous"], Value::Null);
        assert_eq!(
            column(&impact["sections"], "code"),
            ["SKILLS", "WELLBEING", "OCCUPATION", "SUPPORT"],
            "the four sections of the page"
        );
        // The shares of the page (DOMAIN 6.3) lie in the intervals, which are never a point.
        for (code, share) in [
            ("NEW_SKILLS", 100.0),
            ("KEPT_BUSY", 97.0),
            ("INCOME_FOR_NEEDS", 84.4),
            ("INCOME_FOR_FAMILY", 95.0),
            ("IMPROVEMENT", 95.0),
            ("BETTER_WITH_PEERS", 63.0),
            ("BETTER_WITH_FAMILY", 69.0),
            ("MORE_MOTIVATED", 90.0),
            ("ONLY_PRODUCTION", 66.0),
            ("INCOME_GREW", 87.0),
            ("OUTSIDE_SUPPORT", 26.0),
            ("WEEKLY_SUPPORT", 26.0 * 0.44),
            ("SUPPORT_FROM_FAMILY", 26.0 * 0.46),
        ] {
            let sections = impact["sections"].as_array().unwrap();
            let of = sections.iter().flat_map(|of| of["outcomes"].as_array().unwrap());
            let of =
                of.clone().find(|of| of["indicator"]["code"] == code).unwrap_or_else(|| panic!("{code}"));
            let (low, high) =
                (of["value"]["lowPercent"].as_f64().unwrap(), of["value"]["highPercent"].as_f64().unwrap());
            // A share of 350 women is within a seventh of a point of its rounded figure.
            assert!(
                low - 0.15 <= share && share <= high + 0.15 && high - low >= 2.0,
                "{code}: {low} to {high}"
            );
            assert_eq!(of["round"]["code"], "impacto-demo-2025");
            assert_eq!(of["period"], json!({ "start": "2025-01-01", "end": "2025-12-31" }));
        }
        assert_eq!(label(impact, "KEPT_BUSY"), "between 95 and 98 of 100");
        assert_eq!(label(impact, "NEW_SKILLS"), "at least 98 of 100");
        assert_eq!(label(impact, "WOMEN_SUPPORTED"), "between 350 and 354 women");
        assert_eq!(label(impact, "HOURS_A_DAY"), "entre 7 y 7.5 horas");
        assert_eq!(label(impact, "DAYS_A_WEEK"), "entre 5.2 y 5.4 días");
        assert_eq!(label(impact, "INDIRECT_BENEFICIARIES"), "between 100 and 149 people");
    }
);

both!(
    async fn outcomes_are_cells_of_the_file_and_nothing_else(app: &OutcomesApp) {
        let anyone = app.anonymous();
        let found = ask(&anyone, "{ releases(first: 5) { totalCount nodes { id digest number outcomes(first: 0) { totalCount } } } }").await;
        let release = &found["releases"]["nodes"][0];
        assert_eq!(found["releases"]["totalCount"], 1);
        let digest = release["digest"].as_str().unwrap();
        let file = anyone.request("GET", &format!("/releases/{digest}.json")).send().await;
        file.expect_status(200);
        assert_eq!(file.header("etag"), Some(format!("\"{digest}\"").as_str()));
        let known = anyone.request("GET", &format!("/releases/{digest}.json"));
        known.header("if-none-match", format!("\"{digest}\"")).send().await.expect_status(304);
        let keys = anyone.request("GET", "/releases/keys.json").send().await;
        let key = PublicKey::parse(keys.json()["keys"][0]["x"].as_str().unwrap()).unwrap();
        let verified = verify(&file.body, &key, None);
        assert!(verified.is_ok(), "the file is what its key has signed");
        let mut other = file.body.to_vec();
        let place = other.windows(8).position(|bytes| bytes == b"\"high\":3").unwrap() + 7;
        other[place] = b'4';
        assert!(verify(&other, &key, None).is_err(), "one digit is another");

        // Every cell of the file is reached by pages, once, and by its id.
        let cells: usize = file.json()["release"]["tables"]
            .as_array()
            .unwrap()
            .iter()
            .map(|of| of["cells"].as_array().unwrap().len())
            .sum();
        assert_eq!(release["outcomes"]["totalCount"], cells);
        let mut ids = Vec::new();
        let mut after = Value::Null;
        loop {
            let page = anyone
                .query(
                    "query($after: String) { outcomes(filter: {}, first: 40, after: $after) { nodes { id state value { __typename } } \
                     pageInfo { hasNextPage endCursor } } }",
                    json!({ "after": after }),
                )
                .await;
            let page = page.data()["outcomes"].clone();
            for node in page["nodes"].as_array().unwrap() {
                assert_eq!(node["state"] == "PUBLISHED", !node["value"].is_null(), "{node}");
            }
            ids.extend(column(&page["nodes"], "id"));
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        assert_eq!(ids.len(), cells);
        let one =
            ask(&anyone, &format!("{{ node(id: \"{}\") {{ ... on Outcome {{ id table }} }} }}", ids[7]))
                .await;
        assert_eq!(one["node"]["id"], ids[7].as_str());
        // Filters are of what is published.
        let some = ask(
            &anyone,
            "{ total: outcomes(filter: { totalOnly: true, indicatorCode: [\"KEPT_BUSY\"] }, first: 9) { nodes { table } } \
               ages: outcomes(filter: { table: [\"KEPT_BUSY_BY_AGE\"], ageBand: [AGE_18_29] }, first: 9) { nodes { ageBand state } } \
               places: outcomes(filter: { table: [\"KEPT_BUSY_BY_FACILITY\"] }, first: 9) { nodes { facility { slug } } } \
               none: outcomes(filter: { region: [\"CL-RM\"] }, first: 9) { totalCount } }",
        )
        .await;
        assert_eq!(column(&some["total"]["nodes"], "table"), ["KEPT_BUSY"]);
        assert_eq!(some["ages"]["nodes"], json!([{ "ageBand": "AGE_18_29", "state": "PUBLISHED" }]));
        assert_eq!(some["places"]["nodes"].as_array().unwrap().len(), 4);
        assert_eq!(some["none"]["totalCount"], 0);
        // Reading costs one look at the version of what is in memory, whatever lies behind.
        let answer = anyone.query(IMPACT, Value::Null).await;
        assert!(answer.statements() <= 1, "{}", answer.statements());
    }
);

both!(
    async fn indicators_are_told_by_the_file_and_defined_for_staff(app: &OutcomesApp) {
        let document = "{ indicators(first: 50) { totalCount nodes { id code kind title { text } question { text } base { text } section sdgCodes } } }";
        let outside = ask(&app.anonymous(), document).await;
        let steward = ask(
            &app.member("steward", "la-cana"),
            "{ indicators(first: 50, filter: { code: [\"IMPROVEMENT\"] }) { nodes { code riskClass approvedAt definition { source instrument anyOf { question cut } breakdowns } } } }",
        )
        .await;
        assert_eq!(outside["indicators"]["totalCount"], 19);
        let improvement = &steward["indicators"]["nodes"][0];
        assert_eq!(improvement["riskClass"], "SELF_REPORTED");
        assert_eq!(improvement["definition"]["anyOf"].as_array().unwrap().len(), 3);
        assert_eq!(improvement["definition"]["breakdowns"], json!([["FACILITY"]]));
        // Which questions are dangerous is nobody's business outside.
        let asked =
            app.anonymous().query("{ indicators(first: 1) { nodes { riskClass } } }", Value::Null).await;
        assert_eq!(asked.errors()[0]["message"], "Unknown field \"riskClass\" on type \"Indicator\".");
        // Staff of others see no definition.
        let others = ask(
            &app.member("steward", "red-de-accion-carcelaria"),
            "{ indicators(first: 50) { nodes { riskClass definition { source } version } } }",
        )
        .await;
        for node in others["indicators"]["nodes"].as_array().unwrap() {
            assert_eq!(node, &json!({ "riskClass": null, "definition": null, "version": null }));
        }
    }
);
