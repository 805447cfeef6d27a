//! Bad bodies and bad documents.

use std::fmt::Write;

use serde_json::json;

use super::{Body, Case, Who, ask};

fn raw(name: &'static str, bytes: impl Into<Vec<u8>>, status: u16, code: &'static str) -> Case {
    Case { name, who: Who::Nobody, body: Body::Raw(bytes.into()), status, code }
}

/// Fragments of which each spreads the next twice: written out they are 2^levels selections.
fn bomb(levels: usize, on: &str, around: (&str, &str), last: &str) -> String {
    let mut text = format!("{{ {} ...F0 {} }}", around.0, around.1);
    for level in 0..levels {
        let _ = write!(text, " fragment F{level} on {on} {{ ...F{0} ...F{0} }}", level + 1);
    }
    let _ = write!(text, " fragment F{levels} on {on} {{ {last} }}");
    text
}

fn many(count: usize, one: impl Fn(usize) -> String) -> String {
    (0..count).map(one).collect::<Vec<_>>().join(" ")
}

pub fn cases() -> Vec<Case> {
    let mut cases = bodies();
    cases.extend(documents());
    cases.extend(floods());
    cases
}

fn bodies() -> Vec<Case> {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_variables = format!(
        "{{\"query\":\"{{ __typename }}\",\"variables\":{{\"a\":{}1{}}}}}",
        "[".repeat(200),
        "]".repeat(200)
    );
    let long = json!({ "query": "{ __typename }", "extensions": { "x": "a".repeat(300 * 1024) } });
    vec![
        raw("empty body", "", 400, "BAD_JSON"),
        raw("malformed JSON", "{\"query\": \"{ __typename }\"", 400, "BAD_JSON"),
        raw("two JSON values", "{\"query\":\"{ __typename }\"}{}", 400, "BAD_JSON"),
        raw("JSON with a comment", "{/**/\"query\":\"{ __typename }\"}", 400, "BAD_JSON"),
        raw("a byte order mark", "\u{feff}{\"query\":\"{ __typename }\"}", 400, "BAD_JSON"),
        raw("invalid UTF-8", b"{\"query\":\"{ __typename }\xff\"}".to_vec(), 400, "BAD_JSON"),
        raw(
            "Latin-1",
            b"{\"query\":\"{ facility(slug: \\\"ma\xf1ana\\\") { id } }\"}".to_vec(),
            400,
            "BAD_JSON",
        ),
        raw("UTF-16", b"{\0\"\0q\0\"\0:\x001\0}\0".to_vec(), 400, "BAD_JSON"),
        raw("half a surrogate pair", r#"{"query":"{ facility(slug: \"\ud800\") { id } }"}"#, 400, "BAD_JSON"),
        raw(
            "a huge number in JSON",
            format!("{{\"query\":\"{{ __typename }}\",\"variables\":{{\"a\":1{}}}}}", "0".repeat(400)),
            400,
            "BAD_JSON",
        ),
        raw("JSON nested 100,000 times", deep, 400, "BAD_JSON"),
        raw("variables nested 200 times", deep_variables, 400, "BAD_JSON"),
        raw("a batch", "[{\"query\":\"{ __typename }\"}]", 400, "BATCH_NOT_OFFERED"),
        raw("a string", "\"{ __typename }\"", 400, "BAD_REQUEST"),
        raw("no query", "{\"variables\":{}}", 400, "BAD_REQUEST"),
        raw("a query that is null", "{\"query\":null}", 400, "BAD_REQUEST"),
        raw("a query that is a number", "{\"query\":1}", 400, "BAD_REQUEST"),
        raw("variables as a list", "{\"query\":\"{ __typename }\",\"variables\":[]}", 400, "BAD_REQUEST"),
        raw("variables as text", "{\"query\":\"{ __typename }\",\"variables\":\"{}\"}", 400, "BAD_REQUEST"),
        raw(
            "a name that is a number",
            "{\"query\":\"{ __typename }\",\"operationName\":1}",
            400,
            "BAD_REQUEST",
        ),
        raw("extensions as text", "{\"query\":\"{ __typename }\",\"extensions\":\"\"}", 400, "BAD_REQUEST"),
        raw("300 KB", long.to_string(), 413, "BODY_TOO_LARGE"),
        raw("300 KB that are no JSON", vec![b'a'; 300 * 1024], 413, "BODY_TOO_LARGE"),
    ]
}

fn documents() -> Vec<Case> {
    let invalid = |name, document: &str| ask(name, Who::Nobody, document, 400, "GRAPHQL_VALIDATION_FAILED");
    let unparsed = |name, document: &str| ask(name, Who::Nobody, document, 400, "GRAPHQL_PARSE_FAILED");
    let unresolved =
        |name, document: &str| ask(name, Who::Nobody, document, 400, "OPERATION_RESOLUTION_FAILURE");
    let mut cases = vec![
        unparsed("an empty document", ""),
        unparsed("a document of blanks", " \n\t, # comment"),
        unparsed("no braces", "facilities"),
        unparsed("an open brace", "{ __typename "),
        unparsed("an empty selection", "{ facility(slug: \"a\") { } }"),
        unparsed("a NUL in the document", "{ __typename \0 }"),
        unparsed("an open string", "{ facility(slug: \"a) { id } }"),
        unparsed("a bad escape", "{ facility(slug: \"\\q\") { id } }"),
        unparsed("a type definition", "type Query { a: Int }"),
        unparsed("only a fragment", "fragment F on Query { __typename }"),
        invalid("an unknown field", "{ participants { id } }"),
        invalid("an unknown argument", "{ facility(slug: \"a\", secret: 1) { id } }"),
        invalid("a missing argument", "{ facility { id } }"),
        invalid("a number for a text", "{ facility(slug: 1) { id } }"),
        invalid("a text for a number", "{ facilities(first: \"1\") { totalCount } }"),
        invalid("an object for a text", "{ facility(slug: {a: 1}) { id } }"),
        invalid("null for what must be", "{ facility(slug: null) { id } }"),
        invalid("a number of 64 bits", "{ facilities(first: 9223372036854775807) { totalCount } }"),
        invalid("a number beyond 64 bits", "{ facilities(first: 99999999999999999999999) { totalCount } }"),
        invalid("a fraction", "{ facilities(first: 1.5) { totalCount } }"),
        unparsed("an exponent", "{ facilities(first: 1e400) { totalCount } }"),
        invalid("no selection", "{ facilities(first: 1) }"),
        invalid("a selection on a scalar", "{ facility(slug: \"a\") { slug { x } } }"),
        invalid("two things under one key", "{ a: facility(slug: \"a\") { id } a: viewer { audience } }"),
        invalid(
            "two arguments under one key",
            "{ facility(slug: \"a\") { id } facility(slug: \"b\") { id } }",
        ),
        invalid("an argument twice", "{ facility(slug: \"a\", slug: \"b\") { id } }"),
        invalid("an unknown fragment", "{ ...F }"),
        invalid("an unused fragment", "{ __typename } fragment F on Facility { id }"),
        invalid("a fragment on a scalar", "{ ... on String { a } }"),
        invalid("a fragment on an unknown type", "{ ... on Participant { id } }"),
        invalid("a fragment that cannot apply", "{ viewer { ... on Facility { id } } }"),
        invalid("a fragment that spreads itself", "{ ...F } fragment F on Query { ...F ...F }"),
        invalid(
            "two that spread each other",
            "{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }",
        ),
        invalid("a circle that nobody uses", "{ __typename } fragment A on Query { ...A }"),
        invalid(
            "a circle below a field",
            "{ viewer { ...A } } fragment A on Viewer { organization { ...B } } fragment B on Organization { programs(first: 1) { nodes { organization { ...B } } } }",
        ),
        invalid("a variable that is not declared", "{ facility(slug: $slug) { id } }"),
        invalid("a variable without a value", "query($slug: String!) { facility(slug: $slug) { id } }"),
        invalid("an unused variable", "query($slug: String) { __typename }"),
        invalid("a variable of an output type", "query($a: Facility) { __typename }"),
        invalid("a variable of an unknown type", "query($a: Participant) { __typename }"),
        invalid("a variable of another type", "query($a: Int = 1) { facility(slug: $a) { id } }"),
        invalid("an unknown directive", "{ __typename @export(as: \"a\") }"),
        invalid("a directive without its argument", "{ __typename @skip }"),
        ask(
            "a subscription",
            Who::Nobody,
            "subscription { __typename }".to_owned(),
            400,
            "OPERATION_NOT_SERVED",
        ),
        invalid("a subscription that is hidden", "subscription { distributionRecorded { id } }"),
        invalid(
            "an enum value as text",
            "{ facilities(first: 1, orderBy: {field: \"NAME\", direction: ASC}) { totalCount } }",
        ),
        invalid(
            "an unknown enum value",
            "{ facilities(first: 1, orderBy: {field: SECRET, direction: ASC}) { totalCount } }",
        ),
        invalid("an unknown input field", "{ facilities(first: 1, filter: {secret: true}) { totalCount } }"),
        invalid(
            "an input field that is hidden",
            "mutation { createItem(input: {}) { userErrors { code } } }",
        ),
        unresolved("several operations and no name", "query A { __typename } query B { __typename }"),
        Case {
            name: "an unknown operation",
            who: Who::Nobody,
            body: Body::Raw(
                json!({ "query": "query A { __typename }", "operationName": "B" }).to_string().into(),
            ),
            status: 400,
            code: "OPERATION_RESOLUTION_FAILURE",
        },
    ];
    for (name, variables) in [
        ("a number for a text variable", json!({ "slug": 1 })),
        ("a list for a text variable", json!({ "slug": ["a"] })),
        ("null for a variable that must be", json!({ "slug": null })),
    ] {
        let document = "query($slug: String!) { facility(slug: $slug) { id } }".to_owned();
        let body = Body::Query(document, variables);
        cases.push(Case { name, who: Who::Nobody, body, status: 400, code: "GRAPHQL_VALIDATION_FAILED" });
    }
    cases
}

/// Documents that are too much, each refused before anything is executed.
fn floods() -> Vec<Case> {
    let large = |name, document: String| ask(name, Who::Nobody, document, 400, "DOCUMENT_TOO_LARGE");
    let costly = |name, document: String| ask(name, Who::Nobody, document, 400, "COST_LIMIT_EXCEEDED");
    let nested = |levels| {
        let open = "programs(first: 1) { nodes { organization { ".repeat(levels);
        format!("{{ organization(slug: \"a\") {{ {open} id {} }} }}", "} } } ".repeat(levels))
    };
    let fields = |levels| {
        format!(
            "{{ __schema {{ types {{ {} name {} }} }} }}",
            "fields { type { ".repeat(levels),
            "} } ".repeat(levels)
        )
    };
    let bomb_at_root = bomb(30, "Query", ("", ""), "__typename");
    let other = format!("query A {{ __typename }} {}", bomb_at_root.replacen('{', "query B {", 1));
    let around = ("facilities(first: 1) { nodes {", "} }");
    vec![
        large("a document of 70 KB", format!("{{ __typename #{}\n }}", "a".repeat(70 * 1024))),
        large("6,000 fields", format!("{{ {} }}", "__typename ".repeat(6_000))),
        large("a thousand aliases", format!("{{ {} }}", many(1_000, |n| format!("a{n}: __typename")))),
        large("aliases in fragments", format!("{{ ...F }} fragment F on Query {{ {} }}", many(200, |n| format!("a{n}: __typename")))),
        large("a flood of directives", format!("{{ __typename {} }}", "@skip(if: false) ".repeat(500))),
        large("a flood of unknown directives", format!("{{ __typename {} }}", "@aa ".repeat(2_000))),
        large("nested 5 lists deep", nested(5)),
        large("1,000 braces", "{ a ".repeat(1_000)),
        large("1,000 brackets", format!("{{ facilities(first: 1, filter: {{ country: {}{} }}) {{ totalCount }} }}", "[".repeat(1_000), "]".repeat(1_000))),
        large("1,000 list types", format!("query($a: {}Int{}) {{ __typename }}", "[".repeat(1_000), "]".repeat(1_000))),
        large("inline fragments 100 deep", format!("{{ {} __typename {} }}", "... { ".repeat(100), "} ".repeat(100))),
        large("a chain of 100 fragments", format!("{{ ...F0 }} {} fragment F100 on Query {{ __typename }}", many(100, |n| format!("fragment F{n} on Query {{ ...F{} }}", n + 1)))),
        large("a bomb of fragments", bomb_at_root),
        large("a bomb below a list", bomb(30, "Facility", around, "__typename")),
        large("a bomb with fields", bomb(30, "Facility", around, "slug")),
        Case {
            name: "a bomb in an operation that does not run",
            who: Who::Nobody,
            body: Body::Raw(json!({ "query": other, "operationName": "A" }).to_string().into()),
            status: 400,
            code: "DOCUMENT_TOO_LARGE",
        },
        large("a bomb in introspection", bomb(30, "__Type", ("__schema { types {", "} }"), "name")),
        large("introspection in circles", fields(5)),
        large("introspection of fields of fields", fields(3)),
        costly("introspection a hundred times", format!("{{ {} }}", many(100, |n| format!("a{n}: __schema {{ types {{ name fields {{ name type {{ name }} args {{ name }} }} {} }} }}", "inputFields { name type { name } } enumValues { name } possibleTypes { name }")))),
        costly("lists of lists", "{ facilities(first: 100) { nodes { programs(first: 100) { nodes { facilities { programs(first: 100) { nodes { id } } } } } } } }".to_owned()),
        Case {
            name: "more than a partner may ask",
            who: Who::Partner,
            body: Body::Query("{ facilities(first: 100) { nodes { distributions(first: 100) { nodes { lines { items { item { code name { text } } } } } } } } }".into(), json!(null)),
            status: 400,
            code: "COST_LIMIT_EXCEEDED",
        },
        ask("101 ids", Who::Nobody, format!("{{ nodes(ids: [{}]) {{ id }} }}", "\"AgAAAAAAAAAAAAAAAAAAAAA\" ".repeat(101)), 200, "BAD_USER_INPUT"),
    ]
}
