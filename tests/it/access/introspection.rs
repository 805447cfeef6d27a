//! What introspection says of the schema, held against the printed schema of the same audience.

use std::collections::{BTreeMap, BTreeSet};

use api::graphql::{
    audience::Audience,
    sdl,
    types::{BUILT_IN, Kind},
};
use serde_json::{Value, json};
use tests::{Client, DemoApp, both};

use super::types;

/// A schema as lines, each an element with its type.
#[derive(Debug, Default, PartialEq)]
pub struct Printed {
    pub lines: BTreeSet<String>,
    /// The directives of elements, where the schema is printed with them.
    pub directives: BTreeMap<String, String>,
}

/// Reads a schema as `sdl` prints it: an element on each line.
pub fn printed(text: &str) -> Printed {
    let mut found = Printed::default();
    let mut owner = String::new();
    let mut in_description = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed == "\"\"\"" {
            in_description = !in_description;
        }
        if in_description || trimmed.is_empty() || trimmed.starts_with(['"', '#', '}']) {
            continue;
        }
        if line.starts_with("directive") {
            continue;
        }
        if !line.starts_with(' ') {
            let head = trimmed.trim_end_matches('{').trim_end();
            owner = head.split(' ').nth(1).unwrap_or_default().to_owned();
            found.lines.insert(head.to_owned());
            continue;
        }
        let (plain, directives) = without_directives(trimmed);
        match plain.find(['(', ':']) {
            Some(at) if plain.as_bytes()[at] == b'(' => {
                let close = plain.rfind("): ").unwrap_or_else(|| panic!("{line}"));
                let field = &plain[..at];
                found.lines.insert(format!("{owner}.{field}: {}", &plain[close + 3..]));
                found.directives.insert(format!("{owner}.{field}"), directives);
                let close = trimmed.rfind("): ").unwrap_or_else(|| panic!("{line}"));
                for arg in trimmed[at + 1..close].split(", ") {
                    let (arg, directives) = without_directives(arg);
                    let (name, ty) = arg.split_once(": ").unwrap_or_else(|| panic!("{line}"));
                    found.lines.insert(format!("{owner}.{field}({name}): {ty}"));
                    found.directives.insert(format!("{owner}.{field}({name})"), directives);
                }
            }
            Some(at) => {
                found.lines.insert(format!("{owner}.{plain}"));
                found.directives.insert(format!("{owner}.{}", &plain[..at]), directives);
            }
            None => {
                found.lines.insert(format!("{owner}.{plain}"));
                found.directives.insert(format!("{owner}.{plain}"), directives);
            }
        }
    }
    found
}

/// A line, and the directives at its end.
fn without_directives(line: &str) -> (String, String) {
    let close = line.rfind(')').unwrap_or(0);
    match line[close..].find(" @") {
        Some(at) => (line[..close + at].to_owned(), line[close + at + 1..].to_owned()),
        None => (line.to_owned(), String::new()),
    }
}

const TYPE: &str = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name \
     ofType { kind name ofType { name } } } } } }";

fn everything() -> String {
    format!(
        "{{ __schema {{ queryType {{ name }} mutationType {{ name }} subscriptionType {{ name }} \
         directives {{ name args {{ name }} }} types {{ kind name isOneOf interfaces {{ name }} \
         possibleTypes {{ name }} \
         fields(includeDeprecated: true) {{ name args {{ name type {{ {TYPE} }} }} type {{ {TYPE} }} }} \
         inputFields {{ name type {{ {TYPE} }} }} enumValues(includeDeprecated: true) {{ name }} }} }} }}"
    )
}

/// The same schema from introspection.
fn introspected(schema: &Value) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for ty in list(&schema["types"]) {
        let name = text(&ty["name"]);
        if name.starts_with("__") || BUILT_IN.contains(&name) {
            continue;
        }
        let implements: Vec<&str> =
            list(&ty["interfaces"]).iter().map(|interface| text(&interface["name"])).collect();
        lines.insert(match text(&ty["kind"]) {
            "SCALAR" => format!("scalar {name}"),
            "OBJECT" if implements.is_empty() => format!("type {name}"),
            "OBJECT" => format!("type {name} implements {}", implements.join(" & ")),
            "INTERFACE" => format!("interface {name}"),
            "UNION" => {
                let objects: Vec<&str> =
                    list(&ty["possibleTypes"]).iter().map(|object| text(&object["name"])).collect();
                format!("union {name} = {}", objects.join(" | "))
            }
            "ENUM" => format!("enum {name}"),
            "INPUT_OBJECT" if ty["isOneOf"] == json!(true) => format!("input {name} @oneOf"),
            "INPUT_OBJECT" => format!("input {name}"),
            other => panic!("{name} is a {other}"),
        });
        for field in list(&ty["fields"]) {
            let field_name = text(&field["name"]);
            lines.insert(format!("{name}.{field_name}: {}", reference(&field["type"])));
            for arg in list(&field["args"]) {
                let line =
                    format!("{name}.{field_name}({}): {}", text(&arg["name"]), reference(&arg["type"]));
                lines.insert(line);
            }
        }
        for field in list(&ty["inputFields"]) {
            lines.insert(format!("{name}.{}: {}", text(&field["name"]), reference(&field["type"])));
        }
        for value in list(&ty["enumValues"]) {
            lines.insert(format!("{name}.{}", text(&value["name"])));
        }
    }
    lines
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn reference(ty: &Value) -> String {
    match text(&ty["kind"]) {
        "NON_NULL" => format!("{}!", reference(&ty["ofType"])),
        "LIST" => format!("[{}]", reference(&ty["ofType"])),
        _ => text(&ty["name"]).to_owned(),
    }
}

/// Somebody of each audience.
pub fn callers(app: &DemoApp) -> [(Audience, Client); 4] {
    [
        (Audience::Public, app.anonymous()),
        (Audience::Donor, app.member("donor", "demo-donor-hygiene")),
        (Audience::Partner, app.member("partner", "demo-partner-network")),
        (Audience::Staff, app.member("coordinator", "red-de-accion-carcelaria")),
    ]
}

both!(
    async fn introspection_is_the_printed_schema(app: &DemoApp) {
        let mut directives = Vec::new();
        for (audience, client) in callers(app) {
            let answer = client.query(&everything(), Value::Null).await;
            let schema = &answer.data()["__schema"];
            let shown = introspected(schema);
            let printed = printed(&sdl::of(types(), audience)).lines;
            let more: Vec<_> = shown.difference(&printed).collect();
            let less: Vec<_> = printed.difference(&shown).collect();
            assert!(more.is_empty() && less.is_empty(), "{}: {more:#?} {less:#?}", audience.name());

            let mutations = types().seen("Mutation", audience).is_some();
            let expected = if mutations { json!({ "name": "Mutation" }) } else { Value::Null };
            assert_eq!(schema["mutationType"], expected, "{}", audience.name());
            assert_eq!(schema["queryType"], json!({ "name": "Query" }));
            let subscriptions = types().seen("Subscription", audience).is_some();
            let expected = if subscriptions { json!({ "name": "Subscription" }) } else { Value::Null };
            assert_eq!(schema["subscriptionType"], expected, "{}", audience.name());

            for ty in
                list(&schema["types"]).iter().filter(|ty| ty["kind"] == "INTERFACE" || ty["kind"] == "UNION")
            {
                let name = text(&ty["name"]);
                let shown: BTreeSet<&str> =
                    list(&ty["possibleTypes"]).iter().map(|ty| text(&ty["name"])).collect();
                let Some(Kind::Interface { possible, .. } | Kind::Union { possible, .. }) =
                    types().get(name).map(|def| &def.kind)
                else {
                    panic!("{name} is no interface of ours");
                };
                let known = possible.iter().filter(|name| types().seen(name, audience).is_some());
                assert_eq!(shown, known.map(String::as_str).collect(), "{name} for {}", audience.name());
            }
            directives.push(schema["directives"].clone());
        }
        assert!(directives.windows(2).all(|pair| pair[0] == pair[1]), "{directives:#?}");
    }
);

both!(
    async fn a_hidden_type_is_a_missing_type(app: &DemoApp) {
        for (audience, client) in callers(app) {
            for def in types().iter() {
                let ask = async |name: &str| {
                    let document = format!(
                        "{{ __type(name: \"{name}\") {{ name kind description fields {{ name }} \
                         inputFields {{ name }} enumValues {{ name }} possibleTypes {{ name }} }} }}"
                    );
                    client.query(&document, Value::Null).await
                };
                let answer = ask(&def.name).await;
                if def.audiences.holds(audience) {
                    assert_eq!(answer.data()["__type"]["name"], json!(def.name), "{answer}");
                } else {
                    let missing = ask(&"Z".repeat(def.name.len())).await;
                    assert_eq!(answer.data(), &json!({ "__type": null }), "{} {answer}", def.name);
                    assert_eq!((answer.status, &answer.body), (missing.status, &missing.body));
                }
            }
        }
    }
);

both!(
    /// The query that GraphiQL and most tools send, with its fragments on introspection's own types.
    async fn tools_read_the_schema(app: &DemoApp) {
        let document = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } \
            subscriptionType { name } types { ...FullType } directives { name description locations \
            args(includeDeprecated: true) { ...InputValue } } } } \
            fragment FullType on __Type { kind name description specifiedByURL \
            fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue } \
            type { ...TypeRef } isDeprecated deprecationReason } \
            inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef } \
            enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } \
            possibleTypes { ...TypeRef } } \
            fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue \
            isDeprecated deprecationReason } \
            fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name \
            ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";
        for (audience, client) in callers(app) {
            let answer = client.query(document, Value::Null).await;
            let types = list(&answer.data()["__schema"]["types"]);
            assert!(types.len() > 20, "{}", audience.name());
        }
    }
);
