//! GraphQL over HTTP: media types, status codes, methods, headers; and the form of an answer.

use serde_json::{Value, json};
use tests::{Answer, Client, TestApp, both, client::Request};

mod answers;
mod audits;

const GRAPHQL: &str = "application/graphql-response+json; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";

fn post(client: &Client, content_type: &str, body: &str) -> Request {
    client.request("POST", "/graphql").header("content-type", content_type).body(body.to_owned())
}

fn get(client: &Client, parameters: &str) -> Request {
    client.request("GET", &format!("/graphql?{parameters}"))
}

const TYPENAME: &str = r#"{"query":"{ __typename }"}"#;

#[track_caller]
fn assert_typename(answer: &Answer) {
    answer.expect_status(200);
    assert_eq!(answer.data(), &json!({ "__typename": "Query" }));
}

both!(
    async fn the_accept_header_chooses_the_media_type(app: &TestApp) {
        let client = app.anonymous();
        for (accept, expected) in [
            ("application/graphql-response+json", GRAPHQL),
            ("application/graphql-response+json, application/json;q=0.9", GRAPHQL),
            ("application/json;q=0.5, application/graphql-response+json", GRAPHQL),
            ("application/json", JSON),
            ("application/json; charset=utf-8", JSON),
            ("application/*", JSON),
            ("*/*", JSON),
            ("text/html, */*;q=0.1", JSON),
            ("APPLICATION/JSON", JSON),
        ] {
            let answer = post(&client, "application/json", TYPENAME).header("accept", accept).send().await;
            assert_typename(&answer);
            assert_eq!(answer.header("content-type"), Some(expected), "{accept}");
            let answer = get(&client, "query=%7B__typename%7D").header("accept", accept).send().await;
            assert_typename(&answer);
            assert_eq!(answer.header("content-type"), Some(expected), "{accept}");
        }
        for accept in ["text/html", "application/xml", "application/json;q=0", "image/*"] {
            for request in
                [post(&client, "application/json", TYPENAME), get(&client, "query=%7B__typename%7D")]
            {
                let answer = request.header("accept", accept).send().await;
                assert_eq!(answer.expect_status(406).code(), "NOT_ACCEPTABLE", "{accept}");
            }
        }
    }
);

both!(
    /// In the newer media type the status speaks of the request; in the older one of the transport.
    async fn faults_have_the_status_of_their_media_type(app: &TestApp) {
        let client = app.anonymous();
        let variables = r#"{"query":"query($slug: String!) { facility(slug: $slug) { id } }"}"#;
        for (body, code) in [
            (r#"{"query":"{ __typename"}"#, "GRAPHQL_PARSE_FAILED"),
            (r#"{"query":"{ nothing }"}"#, "GRAPHQL_VALIDATION_FAILED"),
            (variables, "GRAPHQL_VALIDATION_FAILED"),
            (r#"{"query":"{ __typename }","operationName":"Missing"}"#, "OPERATION_RESOLUTION_FAILURE"),
        ] {
            for (accept, status) in [("application/graphql-response+json", 400), ("application/json", 200)] {
                let answer = post(&client, "application/json", body).header("accept", accept).send().await;
                assert_eq!(answer.expect_status(status).code(), code, "{body}");
                assert!(answer.json().get("data").is_none(), "{answer}");
            }
        }
        // What is no GraphQL request at all is a bad request in both.
        for body in
            ["", "{", "[]", "null", "{}", r#"{"query":1}"#, r#"{"query":"{ __typename }","variables":[]}"#]
        {
            for accept in ["application/graphql-response+json", "application/json"] {
                let answer = post(&client, "application/json", body).header("accept", accept).send().await;
                answer.expect_status(400).errors();
            }
        }
        // A field's fault is an answer.
        let body = r#"{"query":"{ nodes(ids: [\"none\"]) { id } }"}"#;
        for accept in ["application/graphql-response+json", "application/json"] {
            let answer = post(&client, "application/json", body).header("accept", accept).send().await;
            assert_eq!(answer.expect_status(200).code(), "BAD_USER_INPUT");
        }
    }
);

both!(
    async fn the_content_type_must_be_json(app: &TestApp) {
        let client = app.anonymous();
        for content_type in
            ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""]
        {
            assert_typename(&post(&client, content_type, TYPENAME).send().await);
        }
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/graphql",
            "application/jsonp",
            "application/json; charset=latin1",
            "",
        ] {
            let answer = post(&client, content_type, TYPENAME).send().await;
            assert_eq!(answer.expect_status(415).code(), "UNSUPPORTED_MEDIA_TYPE", "{content_type}");
        }
        let answer = client.request("POST", "/graphql").body(TYPENAME).send().await;
        assert_eq!(answer.expect_status(415).code(), "UNSUPPORTED_MEDIA_TYPE");
    }
);

both!(
    async fn get_is_for_queries(app: &TestApp) {
        let client = app.anonymous();
        assert_typename(&get(&client, "query=%7B+__typename+%7D").send().await);
        let several = "query=query+A%7Ba%3A__typename%7D+query+B%7Bb%3A__typename%7D&operationName=B";
        assert_eq!(get(&client, several).send().await.data(), &json!({ "b": "Query" }));
        let variables = "query=query(%24s%3AString!)%7Bfacility(slug%3A%24s)%7Bid%7D%7D\
            &variables=%7B%22s%22%3A%22none%22%7D&extensions=%7B%7D&operationName=";
        assert_eq!(get(&client, variables).send().await.data(), &json!({ "facility": null }));

        // A mutation is refused by GET whoever asks, before anything runs.
        for document in
            ["mutation%7B__typename%7D", "query+A%7B__typename%7Dmutation+B%7B__typename%7D&operationName=B"]
        {
            let answer = get(&client, &format!("query={document}")).send().await;
            assert_eq!(answer.expect_status(405).code(), "METHOD_NOT_ALLOWED", "{document}");
            assert_eq!(answer.header("allow"), Some("POST"));
        }
        for parameters in [
            "",
            "document=%7B__typename%7D",
            "query=%7B__typename%7D&query=%7B__typename%7D",
            "query=%7B__typename%7D&variables=1",
            "query=%7B__typename%7D&variables=%7B",
            "query=%7B__typename%7D&extensions=1",
        ] {
            get(&client, parameters).send().await.expect_status(400).errors();
        }
    }
);

const FILES: [&str; 5] = [
    "/export/distributions",
    "/export/kits?format=xlsx",
    "/templates/movements.xlsx",
    "/templates/kits.csv",
    "/print/goods-list",
];

both!(
    async fn other_methods_and_addresses_are_refused(app: &TestApp) {
        let client = app.anonymous();
        for method in ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"] {
            let answer = client.request(method, "/graphql").send().await;
            assert_eq!(answer.expect_status(405).code(), "METHOD_NOT_ALLOWED", "{method}");
            assert_eq!(answer.header("allow"), Some("GET, POST"));
        }
        let answer = client.request("HEAD", "/graphql?query=%7B__typename%7D").send().await;
        answer.expect_status(405);
        assert!(answer.body.is_empty());
        for path in FILES {
            for method in ["POST", "PUT", "DELETE", "HEAD"] {
                let answer = client.request(method, path).send().await;
                assert_eq!(answer.expect_status(405).header("allow"), Some("GET"), "{method} {path}");
            }
        }
        for path in
            ["/nothing", "/graphql/", "/GRAPHQL", "/graphql/ws", "/.env", "/admin", "/assets/../Cargo.toml"]
        {
            let answer = client.request("GET", path).send().await;
            assert_eq!(answer.expect_status(404).code(), "NOT_FOUND", "{path}");
        }
        client.request("GET", "/health/live").send().await.expect_status(200);
        client.request("GET", "/health/ready").send().await.expect_status(200);
    }
);

both!(
    async fn only_configured_origins_may_call(app: &TestApp) {
        let client = app.anonymous();
        let preflight_of = async |path: &str, origin: &str| {
            client
                .request("OPTIONS", path)
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization, content-type")
                .send()
                .await
        };
        let preflight = async |origin: &str| preflight_of("/graphql", origin).await;
        for path in FILES {
            let answer = preflight_of(path, "https://portal.example").await;
            assert_eq!(answer.expect_status(204).header("access-control-max-age"), Some("600"), "{path}");
            let answer = preflight_of(path, "https://other.example").await;
            assert_eq!(answer.expect_status(204).header("access-control-max-age"), None, "{path}");
        }
        // Pages may read the name of a file, and what to say when something went wrong.
        for (origin, exposed) in [
            ("https://portal.example", Some("Content-Disposition, Retry-After, X-Request-Id")),
            ("https://other.example", None),
        ] {
            let answer = client.request("GET", "/templates/kits.csv").header("origin", origin).send().await;
            assert_eq!(answer.expect_status(200).header("access-control-expose-headers"), exposed);
        }
        let answer = preflight("https://portal.example").await;
        answer.expect_status(204);
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://portal.example"));
        assert_eq!(answer.header("access-control-allow-methods"), Some("GET, POST"));
        let allowed = answer.header("access-control-allow-headers").unwrap().to_ascii_lowercase();
        assert!(["authorization", "content-type"].iter().all(|name| allowed.contains(name)), "{allowed}");
        // Nothing is sent with cookies.
        assert_eq!(answer.header("access-control-allow-credentials"), None);

        for origin in
            ["https://other.example", "null", "https://portal.example.other", "http://portal.example"]
        {
            let answer = preflight(origin).await;
            answer.expect_status(204);
            assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
            assert_eq!(answer.header("access-control-allow-methods"), None, "{origin}");
        }
        for (origin, expected) in
            [("https://portal.example", Some("https://portal.example")), ("https://other.example", None)]
        {
            let answer = post(&client, "application/json", TYPENAME).header("origin", origin).send().await;
            assert_typename(&answer);
            assert_eq!(answer.header("access-control-allow-origin"), expected);
        }
    }
);

both!(
    /// Also those that nothing answers but the frame around all routes.
    async fn every_answer_has_its_headers(app: &TestApp) {
        let client = app.anonymous();
        let answers = [
            (post(&client, "application/json", TYPENAME).send().await, true),
            (post(&client, "application/json", "{").send().await, true),
            (post(&client, "text/plain", "").send().await, true),
            (app.with_token("no").query("{ __typename }", Value::Null).await, true),
            (get(&client, "query=%7B__typename%7D").send().await, true),
            (client.request("DELETE", "/graphql").send().await, true),
            (client.request("GET", "/nothing").send().await, true),
            (client.request("GET", "/health/live").send().await, false),
        ];
        for (answer, about_somebody) in answers {
            let id = answer.header("x-request-id").unwrap_or_default();
            assert_eq!(id.len(), 36, "{answer}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{answer}");
            let cached = answer.header("cache-control");
            if about_somebody {
                assert_eq!(cached, Some("private, no-store"), "{answer}");
                let vary: Vec<_> = answer.headers.get_all("vary").iter().collect();
                assert!(format!("{vary:?}").contains("Authorization"), "{answer}");
            } else {
                assert!(cached.is_some_and(|cached| cached.contains("no-store")), "{answer}");
            }
        }
    }
);

both!(
    async fn a_harmless_request_id_comes_back(app: &TestApp) {
        let client = app.anonymous();
        let send = async |id: &[u8]| {
            post(&client, "application/json", TYPENAME).header("x-request-id", id).send().await
        };
        let answer = send(b"abcdefgh-1234").await;
        assert_eq!(answer.header("x-request-id"), Some("abcdefgh-1234"));
        for id in [&b"short"[..], b"with spaces in it", b"{json}{json}", b"a\xffbcdefghi", &[b'a'; 65]] {
            let answer = send(id).await;
            let made = answer.header("x-request-id").unwrap_or_default();
            assert_eq!(made.len(), 36, "{id:?}");
            assert_ne!(made.as_bytes(), id);
        }
    }
);

both!(
    async fn one_request_at_a_time(app: &TestApp) {
        let client = app.anonymous();
        for body in ["[]", &format!("[{TYPENAME}]"), &format!("[{TYPENAME},{TYPENAME}]")] {
            let answer = post(&client, "application/json", body).send().await;
            assert_eq!(answer.expect_status(400).code(), "BATCH_NOT_OFFERED", "{body}");
        }
    }
);

both!(
    async fn who_has_a_token_may_send_more(app: &TestApp) {
        let padded = |kib: usize| format!("{{\"query\":\"{{ __typename }}\"{}}}", " ".repeat(kib * 1024));
        let (device, nobody) = (app.subject("nobody in particular"), app.anonymous());
        assert_typename(&post(&nobody, "application/json", &padded(255)).send().await);
        for (client, kib, status, code) in [
            (&nobody, 257, 413, "BODY_TOO_LARGE"),
            (&device, 2047, 403, "NO_MEMBERSHIP"),
            (&device, 2049, 413, "BODY_TOO_LARGE"),
        ] {
            let answer = post(client, "application/json", &padded(kib)).send().await;
            assert_eq!(answer.expect_status(status).code(), code, "{kib} KiB");
        }
    }
);
