//! Once a release is published, nothing that is recorded of a woman changes what anybody outside reads: not a byte, not a
//! header, not the cost (DISCLOSURE 3.6, P12).

use serde_json::{Value, json};
use tests::{Answer, Client, OutcomesApp, both};

use super::{at, told};
use crate::talk::{ask, done};

/// Documents over everything that is released: fields, filters, pages, ids, orders and faults.
async fn documents(client: &Client) -> Vec<String> {
    let known = ask(
        client,
        "{ outcomes(filter: {}, first: 100) { nodes { id table indicator { id code } } } releases(first: 1) { nodes { id digest } } \
           facilities(first: 20) { nodes { id slug } } programs(first: 20) { nodes { id } } organizations(first: 20) { nodes { id slug } } }",
    )
    .await;
    let list = |value: &Value, key: &str| -> Vec<String> {
        let mut all: Vec<String> = value["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node[key].as_str().unwrap().to_owned())
            .collect();
        all.sort();
        all.dedup();
        all
    };
    let value = "state value { __typename ... on CountBand { low high belowThreshold label } ... on ShareBand { lowPercent highPercent label base { low high } } \
        ... on MeanBand { low high unit label } ... on SumBand { from: low to: high } }";
    let mut documents = Vec::new();
    let mut outcomes = |filter: &str, page: &str| {
        documents.push(format!("{{ outcomes(filter: {{ {filter} }}, {page}) {{ totalCount nodes {{ id table {value} }} pageInfo {{ hasNextPage hasPreviousPage endCursor }} }} }}"));
    };
    for size in [0, 1, 2, 3, 5, 7, 11, 20, 33, 50, 60, 75, 90, 100] {
        outcomes("", &format!("first: {size}"));
        outcomes("", &format!("last: {size}"));
        outcomes("totalOnly: true", &format!("first: {size}"));
    }
    for table in list(&known["outcomes"], "table") {
        outcomes(&format!("table: [\"{table}\"]"), "first: 100");
    }
    for facility in list(&known["facilities"], "id") {
        outcomes(&format!("facility: [\"{facility}\"]"), "first: 100");
    }
    for program in list(&known["programs"], "id") {
        outcomes(&format!("program: [\"{program}\"]"), "first: 100");
    }
    for age in ["AGE_18_29", "AGE_30_44", "AGE_45_PLUS", "UNKNOWN"] {
        for region in ["MX-MEX", "MX-CMX", "CL-RM", "nowhere"] {
            outcomes(&format!("ageBand: [{age}], region: [\"{region}\"]"), "first: 100");
            outcomes(&format!("ageBand: [{age}]"), "last: 3");
            outcomes(&format!("region: [\"{region}\"]"), "first: 3");
        }
    }
    for id in list(&known["outcomes"], "id") {
        documents.push(format!("{{ node(id: \"{id}\") {{ __typename ... on Outcome {{ table {value} facility {{ slug }} carriedFrom {{ number }} }} }} }}"));
    }
    for organization in list(&known["organizations"], "slug") {
        for lang in ["es", "en"] {
            documents.push(format!("{{ impact(organization: \"{organization}\") {{ headline {{ {value} }} sections {{ title {{ text(lang: \"{lang}\") }} outcomes {{ {value} }} claims {{ status }} }} }} }}"));
        }
        documents.push(format!("{{ annualReport(organization: \"{organization}\", year: 2025) {{ releases {{ digest }} headline {{ {value} }} sections {{ outcomes {{ {value} }} }} }} }}"));
        documents.push(format!("{{ organization(slug: \"{organization}\") {{ claims {{ status value }} statements {{ title {{ text }} }} facilities(first: 20) {{ nodes {{ slug }} }} }} }}"));
    }
    let release = &known["releases"]["nodes"][0];
    documents.push(format!("{{ release(id: {}) {{ digest signature number notes {{ text }} policy {{ threshold }} rounds {{ code responseRate {{ label }} }} outcomes(first: 100) {{ nodes {{ {value} }} }} }} }}", release["id"]));
    for field in ["riskClass", "definition { source }", "version", "approvedAt"] {
        documents.push(format!("{{ indicators(first: 5) {{ nodes {{ {field} }} }} }}"));
    }
    for field in ["draftDigest", "report { draft }", "reviews { note }", "frozenAt", "retractionReason"] {
        documents.push(format!("{{ releases(first: 5) {{ nodes {{ {field} }} }} }}"));
    }
    for field in [
        "participants",
        "surveyResponses",
        "surveyRounds",
        "instruments",
        "enrolments",
        "payouts",
        "attendance",
        "auditEvents",
    ] {
        documents.push(format!("{{ {field}(first: 1) {{ totalCount }} }}"));
    }
    for facility in list(&known["facilities"], "slug") {
        documents.push(format!(
            "{{ facility(slug: \"{facility}\") {{ name programs(first: 20) {{ nodes {{ slug }} }} }} }}"
        ));
    }
    documents.push("{ indicators(first: 50) { totalCount nodes { code title { text } question { text } sdgCodes iatiCodes } } }".to_owned());
    documents
}

/// All that an answer says, but for its date and its id: status, headers and body.
type Whole = (u16, Vec<(String, Vec<u8>)>, Vec<u8>);

fn whole(answer: &Answer) -> Whole {
    let kept = |name: &str| !matches!(name, "date" | "x-request-id");
    let headers = answer.headers.iter().filter(|(name, _)| kept(name.as_str()));
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    // The server keeps them in no order.
    headers.sort();
    (answer.status, headers, answer.body.to_vec())
}

async fn all(client: &Client, documents: &[String], files: &[String]) -> Vec<Whole> {
    let mut answers = Vec::with_capacity(documents.len());
    for document in documents {
        answers.push(whole(&client.query(document, Value::Null).await));
    }
    for file in files {
        answers.push(whole(&client.request("GET", file).send().await));
    }
    answers
}

both!(
    async fn what_is_recorded_later_changes_no_byte_outside(app: &OutcomesApp) {
        let anyone = app.anonymous();
        let documents = documents(&anyone).await;
        assert!(documents.len() >= 300, "{}", documents.len());
        let digest = ask(&anyone, "{ releases(first: 1) { nodes { digest } } }").await;
        let digest = digest["releases"]["nodes"][0]["digest"].as_str().unwrap().to_owned();
        let files = [format!("/releases/{digest}.json"), "/releases/keys.json".to_owned()];
        let outside =
            [anyone, app.member("donor", "demo-donor-craft"), app.member("partner", "demo-partner-network")];
        let mut before = Vec::new();
        for client in &outside {
            before.push(all(client, &documents, &files).await);
        }

        // One woman's answers go, another is erased, another leaves, one joins; a delivery for one is recorded.
        let coordinator = app.member("coordinator", "la-cana").purpose("SERVICE");
        let steward = app.member("steward", "la-cana").purpose("RIGHTS_REQUEST");
        let found = ask(
            &coordinator,
            "{ surveyResponses(first: 3) { nodes { id version participant { id version stays { id version endsOn } } facility { id } } } \
               program(organization: \"la-cana\", slug: \"salud-mental\") { id } everywhere: program(organization: \"la-cana\", slug: \"talleres-productivos\") { id } items(first: 30) { nodes { id code } } }",
        )
        .await;
        let rows = found["surveyResponses"]["nodes"].as_array().unwrap();
        done(&coordinator, "withdrawResponse", "surveyResponse", "id", &at(&rows[0], json!({}))).await;
        let gone = &rows[1]["participant"];
        let erased = json!({ "id": gone["id"], "expectedVersion": gone["version"], "reason": "REQUEST" });
        let erased = steward.query("mutation($input: EraseParticipantInput!) { eraseParticipant(input: $input) { userErrors { code field } } }", json!({ "input": erased })).await;
        assert_eq!(erased.data()["eraseParticipant"]["userErrors"], json!([]));
        let new = json!({ "idempotencyKey": "joins", "givenNames": "Participante", "familyNames": "Nueva", "facility": rows[0]["facility"]["id"], "startsOn": "2026-11-01" });
        let new = done(&coordinator, "registerParticipant", "participant", "id", &new).await;
        let consent = json!({ "idempotencyKey": "agrees", "participant": new["id"], "purpose": "STATISTICS", "decision": "GIVEN", "noticeVersion": "1",
            "language": "es", "method": "WRITTEN", "decidedOn": "2026-11-02" });
        done(&coordinator, "recordConsent", "participant", "id", &consent).await;
        let enrol = json!({ "idempotencyKey": "enrols", "participant": new["id"], "program": found["program"]["id"], "status": "ENROLLED", "since": "2026-11-03" });
        done(&coordinator, "enrol", "enrolment", "id", &enrol).await;
        let kit = found["items"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["code"] == "case-folder")
            .unwrap();
        let small = json!({ "idempotencyKey": "small", "facility": rows[0]["facility"]["id"], "program": found["everywhere"]["id"], "occurredOn": "2026-11-04",
            "peopleReached": 1, "reachMethod": "COUNTED", "lines": [{ "supplied": { "item": kit["id"] }, "quantity": 1 }] });
        let small = coordinator.query("mutation($input: RecordDistributionInput!) { recordDistribution(input: $input) { userErrors { code field } } }", json!({ "input": small })).await;
        assert_eq!(small.data()["recordDistribution"]["userErrors"], json!([]));
        // A snapshot of another period, prepared and not published.
        let frozen = json!({ "idempotencyKey": "frozen", "title": { "original": "es", "translations": [{ "lang": "es", "text": "Trimestre" }] }, "period": { "year": 2026, "quarter": 2 } });
        let frozen = told(&coordinator, "freezeRelease", frozen).await;
        told(&coordinator, "prepareRelease", at(&frozen, json!({}))).await;

        for (client, before) in outside.iter().zip(before) {
            let after = all(client, &documents, &files).await;
            for (number, (before, after)) in before.iter().zip(&after).enumerate() {
                let asked = documents.get(number).or(files.get(number.saturating_sub(documents.len())));
                assert_eq!(before, after, "{asked:?}");
            }
        }
    }
);
