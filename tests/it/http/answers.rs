//! The form of an answer: the order of its fields, merged selections, and where a fault goes.

use serde_json::{Value, json};
use tests::{Answer, DemoApp, both};

/// The bytes of `data`.
fn data(answer: &Answer) -> String {
    let body = String::from_utf8(answer.body.to_vec()).unwrap();
    let start = body.find("\"data\":").unwrap_or_else(|| panic!("{body}")) + 7;
    let end = body.find(",\"extensions\":{\"cost\"").unwrap_or_else(|| panic!("{body}"));
    body[start..end].to_owned()
}

both!(
    async fn fields_come_in_the_order_of_the_query(app: &DemoApp) {
        let client = app.anonymous();
        let cases = [
            (
                "{ viewer { audience } facility(slug: \"cpf-talca\") { name slug country } __typename }",
                r#"{"viewer":{"audience":"PUBLIC"},"facility":{"name":"CPF Talca","slug":"cpf-talca","country":"CL"},"__typename":"Query"}"#,
            ),
            (
                "{ __typename facility(slug: \"cpf-talca\") { country slug name } viewer { audience } }",
                r#"{"__typename":"Query","facility":{"country":"CL","slug":"cpf-talca","name":"CPF Talca"},"viewer":{"audience":"PUBLIC"}}"#,
            ),
            // Aliases, and fields of fragments where the fragment stands.
            (
                "{ z: facility(slug: \"cpf-talca\") { b: slug ...F a: slug } } \
                 fragment F on Facility { country ... on Node { n: __typename } slug }",
                r#"{"z":{"b":"cpf-talca","country":"CL","n":"Facility","slug":"cpf-talca","a":"cpf-talca"}}"#,
            ),
            // A key that comes again stands where it came first, and its selections are merged.
            (
                "{ facility(slug: \"cpf-talca\") { region { iso } slug } viewer { audience } \
                 facility(slug: \"cpf-talca\") { name region { name iso } slug } }",
                r#"{"facility":{"region":{"iso":"CL-ML","name":"Maule"},"slug":"cpf-talca","name":"CPF Talca"},"viewer":{"audience":"PUBLIC"}}"#,
            ),
            (
                "{ facility(slug: \"cpf-talca\") { ...A ...B ...A } } fragment A on Facility { region { iso } } \
                 fragment B on Facility { region { ... { name } } slug }",
                r#"{"facility":{"region":{"iso":"CL-ML","name":"Maule"},"slug":"cpf-talca"}}"#,
            ),
            // Left out, and kept.
            (
                "{ facility(slug: \"cpf-talca\") { slug @skip(if: true) name @include(if: true) \
                 region @include(if: false) { iso } ... on Facility @skip(if: true) { kind } ...K @include(if: false) \
                 country } } fragment K on Facility { kind }",
                r#"{"facility":{"name":"CPF Talca","country":"CL"}}"#,
            ),
            // What does not apply to the object is not there.
            (
                "{ nodes(ids: []) { id } node(id: \"AgAAAAAAAAAAAAAAAAAAAAA\") { id ... on Kit { code } } }",
                r#"{"nodes":[],"node":null}"#,
            ),
        ];
        for (document, expected) in cases {
            let answer = client.query(document, Value::Null).await;
            answer.data();
            assert_eq!(data(&answer), expected, "{document}");
        }
        // The same with variables, twice, because a known document takes another way.
        let document = "query($no: Boolean!) { facility(slug: \"cpf-talca\") { slug @skip(if: $no) name } }";
        for _ in 0..2 {
            for (no, expected) in [
                (true, r#"{"facility":{"name":"CPF Talca"}}"#),
                (false, r#"{"facility":{"slug":"cpf-talca","name":"CPF Talca"}}"#),
            ] {
                let answer = client.query(document, json!({ "no": no })).await;
                answer.data();
                assert_eq!(data(&answer), expected);
            }
        }
    }
);

both!(
    async fn errors_come_before_data(app: &DemoApp) {
        let answer = app.anonymous().query("{ nodes(ids: [\"none\"]) { id } }", Value::Null).await;
        assert!(answer.body.starts_with(b"{\"errors\":["), "{answer}");
    }
);

both!(
    async fn a_fault_goes_to_the_nearest_nullable_place(app: &DemoApp) {
        let partner = app.member("partner", "demo-partner-network");
        let facility = "AgAAAAAAAAAAAAAAAAAAAAA";
        // A member of a list that may be null.
        let document = format!("{{ nodes(ids: [\"{facility}\", \"none\", \"{facility}\"]) {{ id }} }}");
        let answer = partner.query(&document, Value::Null).await;
        answer.expect_status(200);
        assert_eq!(answer.json()["data"], json!({ "nodes": [null, null, null] }));
        assert_eq!(answer.code(), "BAD_USER_INPUT");
        assert_eq!(answer.errors()[0]["path"], json!(["nodes", 1]));
        assert_eq!(answer.errors()[0]["locations"], json!([{ "line": 1, "column": 3 }]));

        // A list that may not be null, in an object that may: the object goes, its neighbours stay.
        let document = "{ before: facility(slug: \"cpf-talca\") { slug } \
            facility(slug: \"cpf-talca\") { slug deliveries: distributions(first: 1, after: \"bad\") \
            { totalCount } name } after: facility(slug: \"cpf-temuco\") { slug } }";
        let answer = partner.query(document, Value::Null).await;
        answer.expect_status(200);
        let expected =
            json!({ "before": { "slug": "cpf-talca" }, "facility": null, "after": { "slug": "cpf-temuco" } });
        assert_eq!(answer.json()["data"], expected);
        assert_eq!(answer.code(), "BAD_CURSOR");
        assert_eq!(answer.errors()[0]["path"], json!(["facility", "deliveries"]));

        // Nothing on the way may be null: all of the data goes.
        let document = "{ viewer { audience } facilities(first: 3) { nodes { distributions(first: 1, after: \"bad\") \
            { totalCount } } } }";
        let answer = partner.query(document, Value::Null).await;
        answer.expect_status(200);
        assert_eq!(answer.json()["data"], Value::Null, "{answer}");
        assert_eq!(answer.errors()[0]["path"], json!(["facilities", "nodes", 0, "distributions"]));
        assert_eq!(answer.errors()[0]["extensions"]["code"], "BAD_CURSOR");

        // Through an interface, and through a list of it.
        let talca = partner.query("{ facility(slug: \"cpf-talca\") { id } }", Value::Null).await;
        let talca = talca.data()["facility"]["id"].as_str().unwrap().to_owned();
        let document = format!(
            "{{ nodes(ids: [\"{talca}\", \"{talca}\"]) {{ id ... on Facility {{ programs(first: 200) \
             {{ totalCount }} }} }} node(id: \"{talca}\") {{ id }} }}"
        );
        let answer = partner.query(&document, Value::Null).await;
        assert_eq!(answer.json()["data"], json!({ "nodes": [null, null], "node": { "id": talca } }));
        let paths: Vec<&Value> = answer.errors().iter().map(|error| &error["path"]).collect();
        assert_eq!(paths, [&json!(["nodes", 0, "programs"]), &json!(["nodes", 1, "programs"])]);
    }
);

both!(
    async fn several_faults_are_told_together(app: &DemoApp) {
        let partner = app.member("partner", "demo-partner-network");
        let document = "{ a: node(id: \"none\") { id } b: distribution(id: \"none\") { id } \
            c: facility(slug: \"cpf-talca\") { slug } d: nodes(ids: [\"x\", \"y\"]) { id } }";
        let answer = partner.query(document, Value::Null).await;
        let data = json!({ "a": null, "b": null, "c": { "slug": "cpf-talca" }, "d": [null, null] });
        assert_eq!(answer.json()["data"], data);
        let mut paths: Vec<String> = answer.errors().iter().map(|error| error["path"].to_string()).collect();
        paths.sort();
        assert_eq!(paths, [r#"["a"]"#, r#"["b"]"#, r#"["d",0]"#, r#"["d",1]"#]);

        // A document with several faults names them all.
        let answer = partner.query("{ no nor { x } facility(sug: \"a\") { slugg } }", Value::Null).await;
        answer.expect_status(400);
        assert!(answer.errors().len() >= 4, "{answer}");
        assert!(
            answer.errors().iter().all(|error| error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED")
        );
        // The same in every answer.
        let again = partner.query("{ no nor { x } facility(sug: \"a\") { slugg } }", Value::Null).await;
        assert_eq!(answer.body, again.body);
    }
);

both!(
    async fn mutations_run_one_after_the_other(app: &DemoApp) {
        let staff = app.member("coordinator", "red-de-accion-carcelaria");
        let input = |key: &str, code: &str| {
            format!(
                "createItem(input: {{ idempotencyKey: \"{key}\", code: \"{code}\", unit: \"piece\", \
                 sensitivity: GENERAL, name: {{ original: \"es\", translations: [{{ lang: \"es\", \
                 text: \"Jabón\" }}] }} }}) {{ item {{ code }} userErrors {{ code }} }}"
            )
        };
        // The second finds what the first has made; the third is another thing.
        let document = format!(
            "mutation {{ b: {} a: {} c: {} }}",
            input("order-1", "order-soap"),
            input("order-2", "order-soap"),
            input("order-3", "order-other")
        );
        let answer = staff.query(&document, Value::Null).await;
        answer.data();
        let expected = concat!(
            r#"{"b":{"item":{"code":"order-soap"},"userErrors":[]},"#,
            r#""a":{"item":null,"userErrors":[{"code":"DUPLICATE"}]},"#,
            r#""c":{"item":{"code":"order-other"},"userErrors":[]}}"#
        );
        assert_eq!(data(&answer), expected);
        // A fault in the last stops the first: nothing runs before all is coerced.
        let document = format!(
            "mutation {{ a: {} b: archiveItem(input: {{ id: \"x\" }}) {{ userErrors {{ code }} }} }}",
            input("order-4", "order-never")
        );
        let answer = staff.query(&document, Value::Null).await;
        assert_eq!(answer.expect_status(400).code(), "GRAPHQL_VALIDATION_FAILED");
        let found = staff
            .query("{ items(first: 5, filter: { search: \"order-never\" }) { totalCount } }", Value::Null)
            .await;
        assert_eq!(found.data()["items"]["totalCount"], 0);
    }
);
