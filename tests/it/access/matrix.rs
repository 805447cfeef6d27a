//! Every element of the schema, asked for by every audience of the running server. Where the audience may not
//! see it, the answer is that of a name that does not exist, byte for byte.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt::Write,
    sync::Arc,
};

use api::graphql::{
    audience::Audience,
    types::{Base, FieldDef, InputDef, Kind, TypeRef},
};
use reqwest::header::{DATE, HeaderMap};
use serde_json::{Map, Value, json};
use tests::{Answer, Client, DemoApp, both};
use tokio::task::JoinSet;

use super::{Element, Part, elements, introspection::callers, types};

/// A request that uses one element.
struct Probe {
    element: String,
    audience: Audience,
    document: String,
    variables: Value,
    /// The name that the audience must not know, and one of the same length that nobody knows; none where the
    /// audience may see the element.
    hidden: Option<(String, String)>,
    /// Where a value can only stand in an unused variable, which the library refuses for that.
    unused: bool,
}

both!(
    async fn what_is_hidden_does_not_exist(app: &DemoApp) {
        let clients: HashMap<Audience, Client> = callers(app).into_iter().collect();
        let mut probes = Vec::new();
        for audience in Audience::ALL {
            let routes = Routes::of(audience);
            for element in elements() {
                probes.extend(routes.probes(&element));
            }
        }
        assert!(probes.len() > elements().len() * Audience::ALL.len(), "{} probes", probes.len());

        let probes = Arc::new(probes);
        let mut workers = JoinSet::new();
        for worker in 0..WORKERS {
            let (probes, clients) = (probes.clone(), clients.clone());
            workers.spawn(async move {
                let mut wrong = Vec::new();
                for probe in probes.iter().skip(worker).step_by(WORKERS) {
                    if let Some(fault) = check(probe, &clients[&probe.audience]).await {
                        wrong.push(fault);
                    }
                }
                wrong
            });
        }
        let wrong = workers.join_all().await.concat();
        assert!(
            wrong.is_empty(),
            "{} of {}:\n{}",
            wrong.len(),
            probes.len(),
            wrong[..wrong.len().min(10)].join("\n")
        );
    }
);

const WORKERS: usize = 8;

/// What is wrong with the answer to a probe, if anything is.
async fn check(probe: &Probe, client: &Client) -> Option<String> {
    let answer = client.query(&probe.document, probe.variables.clone()).await;
    let at = || {
        format!("{} for {}: {}\n  {}", probe.element, probe.audience.name(), probe.document, probe.variables)
    };
    let refused = answer.json().get("errors").is_some_and(|errors| errors.to_string().contains(REFUSED));
    let Some((name, other)) = &probe.hidden else {
        let fine = if probe.unused { only_unused(&answer) } else { !refused };
        let fine = fine && matches!(answer.status, 200 | 400) && !answer.to_string().contains("\"INTERNAL\"");
        return (!fine).then(|| format!("may see {}\n  {answer}", at()));
    };
    if !refused || answer.status != 400 || answer.json().get("data").is_some() {
        return Some(format!("may not see {}\n  {answer}", at()));
    }
    let document = replaced(&probe.document, name, other);
    let variables = replaced(&probe.variables.to_string(), name, other);
    let variables: Value = serde_json::from_str(&variables).unwrap_or_else(|error| panic!("{error}"));
    let unknown = client.query(&document, variables).await;
    let body = String::from_utf8_lossy(&unknown.body).replace(other, name);
    let same = answer.status == unknown.status
        && told(&answer.headers) == told(&unknown.headers)
        && String::from_utf8_lossy(&answer.body) == body;
    (!same).then(|| format!("differs from unknown: {}\n  {answer}\n  {unknown}", at()))
}

const REFUSED: &str = "GRAPHQL_VALIDATION_FAILED";

fn only_unused(answer: &Answer) -> bool {
    let errors = answer.errors();
    errors.iter().all(|error| error["message"].as_str().is_some_and(|text| text.contains("is not used")))
}

/// The headers that could tell something.
fn told(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let mut told: Vec<(String, Vec<u8>)> = headers
        .iter()
        .filter(|(name, _)| **name != DATE && *name != "x-request-id" && *name != "umbral-statements")
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    told.sort();
    told
}

/// Replaces a whole word.
fn replaced(text: &str, name: &str, other: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let begins = !rest[..at].ends_with(letter);
        let ends = !rest[at + name.len()..].starts_with(letter);
        out.push_str(&rest[..at]);
        out.push_str(if begins && ends { other } else { name });
        rest = &rest[at + name.len()..];
    }
    out.push_str(rest);
    out
}

/// A name of the same length that is nowhere in the schema or in a message.
fn unknown(name: &str) -> String {
    let letter = if name.starts_with(|c: char| c.is_ascii_lowercase()) { "q" } else { "Q" };
    letter.repeat(name.len())
}

/// A value in a document, and the same as JSON.
struct Sample {
    literal: String,
    json: Value,
}

/// What has to be in a sample: an input field or an enum value of a type.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    owner: &'a str,
    name: &'a str,
}

/// How an audience reaches each type.
struct Routes {
    audience: Audience,
    /// The document up to the opening brace on the type, and the braces that close it.
    to: HashMap<&'static str, (String, usize)>,
}

impl Routes {
    fn of(audience: Audience) -> Self {
        let mut to = HashMap::new();
        to.insert("Query", ("query V {".to_owned(), 1));
        to.insert("Mutation", ("mutation V {".to_owned(), 1));
        to.insert("Subscription", ("subscription V {".to_owned(), 1));
        let mut queue = VecDeque::from(["Query", "Mutation", "Subscription"]);
        while let Some(name) = queue.pop_front() {
            let Some(def) = types().get(name) else { continue };
            let (start, closing) = to[name].clone();
            if let Kind::Interface { possible, .. } | Kind::Union { possible, .. } = &def.kind {
                for object in possible.iter().filter(|object| types().seen(object, audience).is_some()) {
                    if !to.contains_key(object.as_str()) {
                        to.insert(object, (format!("{start} ... on {object} {{"), closing + 1));
                        queue.push_back(object);
                    }
                }
            }
            for field in def.fields().into_iter().flat_map(|fields| fields.values()) {
                let seen = field.audiences.holds(audience);
                let Some(target) = types().seen(field.ty.name(), audience).filter(|_| seen) else { continue };
                if target.fields().is_some() && !to.contains_key(target.name.as_str()) {
                    let call = call(field, None, audience);
                    to.insert(&target.name, (format!("{start} {call} {{"), closing + 1));
                    queue.push_back(&target.name);
                }
            }
        }
        Self { audience, to }
    }

    /// The requests that use an element.
    fn probes(&self, element: &Element) -> Vec<Probe> {
        let audience = self.audience;
        let seen = element.audiences.holds(audience);
        let owner = types().get(&element.owner);
        let owner = owner.unwrap_or_else(|| panic!("no type {}", element.owner));
        // A type that the audience does not know at all hides its parts; these can still be asked.
        let known =
            owner.audiences.holds(audience) || ["Mutation", "Subscription"].contains(&owner.name.as_str());
        let name = match &element.part {
            _ if !known => &element.owner,
            Part::Field(name) | Part::Argument(_, name) | Part::InputField(name) | Part::Value(name) => name,
        };
        let hidden = (!seen).then(|| (name.clone(), unknown(name)));
        let probe = |document: String, variables: Value, unused: bool| Probe {
            element: element.name.clone(),
            audience,
            document,
            variables,
            hidden: hidden.clone(),
            unused,
        };
        match &element.part {
            Part::Field(name) | Part::Argument(name, _) => {
                let field = &owner.fields().unwrap_or_else(|| panic!("{} has no fields", owner.name))[name];
                let argument = match &element.part {
                    Part::Argument(_, argument) => Some(&field.args[argument]),
                    _ => None,
                };
                if !known {
                    let call = call(field, argument, Audience::Staff);
                    let document =
                        format!("query V {{ ... on {} {{ {call} {} }} }}", owner.name, below(field));
                    return vec![probe(document, Value::Null, false)];
                }
                // An argument of a field that is hidden itself is hidden with it.
                let hidden_field = !field.audiences.holds(audience);
                let (start, closing) = self.start(&owner.name);
                let close = " }".repeat(closing);
                let call = call(field, argument, audience);
                let mut probe = probe(format!("{start} {call} {}{close}", below(field)), Value::Null, false);
                if hidden_field {
                    probe.hidden = Some((field.name.clone(), unknown(&field.name)));
                }
                vec![probe]
            }
            Part::InputField(name) | Part::Value(name) => {
                let wanted = Wanted { owner: &owner.name, name };
                let plain = TypeRef { nullable: false, base: Base::Named(owner.name.clone()) };
                let alone = sample(&plain, Some(wanted), audience, &mut Vec::new());
                let alone = alone.unwrap_or_else(|| panic!("no sample of {}", element.name));
                let Some((start, field, argument)) = self.use_of(wanted).filter(|_| known) else {
                    let document = format!("query V($v: {}) {{ __typename }}", owner.name);
                    let default = format!("query V($v: {} = {}) {{ __typename }}", owner.name, alone.literal);
                    return vec![
                        probe(document, json!({ "v": alone.json }), true),
                        probe(default, Value::Null, true),
                    ];
                };
                let closing = " }".repeat(start.1);
                let sample = sample(&argument.ty, Some(wanted), audience, &mut Vec::new());
                let sample = sample.unwrap_or_else(|| panic!("no sample with {}", element.name));
                let with = |value: &str| {
                    format!(
                        "{} {} {}{closing}",
                        start.0,
                        call_with(field, argument, value, audience),
                        below(field)
                    )
                };
                let variable = with("$v").replacen(" V {", &format!(" V($v: {}) {{", argument.ty), 1);
                vec![
                    probe(with(&sample.literal), Value::Null, false),
                    probe(variable, json!({ "v": sample.json }), false),
                ]
            }
        }
    }

    fn start(&self, owner: &str) -> (String, usize) {
        match self.to.get(owner) {
            Some(start) => start.clone(),
            None => panic!("{} sees {owner} and cannot reach it", self.audience.name()),
        }
    }

    /// An argument that the audience sees and that can hold the input field or the enum value.
    fn use_of(&self, wanted: Wanted<'_>) -> Option<((String, usize), &'static FieldDef, &'static InputDef)> {
        let mut owners: Vec<_> = self.to.iter().collect();
        owners.sort_by_key(|(name, (start, _))| (start.len(), **name));
        for (owner, start) in owners {
            let fields = types().get(owner).and_then(|def| def.fields());
            for field in fields.into_iter().flat_map(|fields| fields.values()) {
                if !field.audiences.holds(self.audience) {
                    continue;
                }
                for argument in field.args.values().filter(|arg| arg.audiences.holds(self.audience)) {
                    if sample(&argument.ty, Some(wanted), self.audience, &mut Vec::new())
                        .is_some_and(|_| holds(&argument.ty, wanted, self.audience, &mut HashSet::new()))
                    {
                        return Some((start.clone(), field, argument));
                    }
                }
            }
        }
        None
    }
}

/// What has to stand below a field.
fn below(field: &FieldDef) -> &'static str {
    match types().get(field.ty.name()) {
        Some(def) if def.fields().is_some() => "{ __typename }",
        _ => "",
    }
}

/// A field with what it needs, and one argument more.
fn call(field: &FieldDef, argument: Option<&InputDef>, audience: Audience) -> String {
    match argument {
        Some(argument) => {
            let value = sample(&argument.ty, None, audience, &mut Vec::new());
            let value = value.unwrap_or_else(|| panic!("no sample of {}", argument.ty));
            call_with(field, argument, &value.literal, audience)
        }
        None => arguments(field, None, audience),
    }
}

fn call_with(field: &FieldDef, argument: &InputDef, value: &str, audience: Audience) -> String {
    arguments(field, Some((&argument.name, value)), audience)
}

fn arguments(field: &FieldDef, given: Option<(&str, &str)>, audience: Audience) -> String {
    let mut text = String::new();
    for arg in field.args.values() {
        let page = arg.name == "first" && !matches!(given, Some(("last", _)));
        match given {
            Some((name, value)) if name == arg.name => {
                let _ = write!(text, "{name}: {value} ");
            }
            _ if !arg.ty.nullable || page => {
                let value = sample(&arg.ty, None, audience, &mut Vec::new());
                let value = value.unwrap_or_else(|| panic!("no sample of {}", arg.ty));
                let _ = write!(text, "{}: {} ", arg.name, value.literal);
            }
            _ => {}
        }
    }
    if text.is_empty() { field.name.clone() } else { format!("{}({})", field.name, text.trim_end()) }
}

/// Whether a value of a type can hold an element, through parts that the audience sees.
fn holds(ty: &TypeRef, wanted: Wanted<'_>, audience: Audience, open: &mut HashSet<String>) -> bool {
    if ty.name() == wanted.owner {
        return true;
    }
    let Some(Kind::Input { fields, .. }) = types().get(ty.name()).map(|def| &def.kind) else { return false };
    open.insert(ty.name().to_owned())
        && fields
            .values()
            .filter(|field| field.audiences.holds(audience))
            .any(|field| holds(&field.ty, wanted, audience, open))
}

/// A plausible value: what is required, and the element that is wanted. None when a type is inside itself.
fn sample(
    ty: &TypeRef,
    wanted: Option<Wanted<'_>>,
    audience: Audience,
    open: &mut Vec<String>,
) -> Option<Sample> {
    if let Base::List(inner) = &ty.base {
        let inner = sample(inner, wanted, audience, open)?;
        return Some(Sample { literal: format!("[{}]", inner.literal), json: json!([inner.json]) });
    }
    let def = types().get(ty.name()).unwrap_or_else(|| panic!("no type {ty}"));
    let fixed = |literal: &str| {
        let json = serde_json::from_str(literal).unwrap_or_else(|_| json!(literal));
        Some(Sample { literal: literal.to_owned(), json })
    };
    match &def.kind {
        Kind::Scalar(_) => fixed(match def.name.as_str() {
            "Int" => "1",
            "Float" => "1.5",
            "Boolean" => "true",
            // The form of an id, and no row's.
            "ID" => "\"AgAAAAAAAAAAAAAAAAAAAAA\"",
            "Date" => "\"2026-03-08\"",
            "DateTime" => "\"2026-03-08T12:00:00Z\"",
            "Language" => "\"es\"",
            "UUID" => "\"5b7b1f0e-1c7e-4a3c-9d5e-000000000001\"",
            "MinorUnits" => "\"100\"",
            _ => "\"none\"",
        }),
        Kind::Enum(values) => {
            let value = match wanted.filter(|wanted| wanted.owner == def.name) {
                Some(wanted) => wanted.name,
                None => values
                    .values()
                    .find(|value| value.audiences.holds(audience))
                    .or(values.values().next())
                    .map(|value| value.name.as_str())?,
            };
            Some(Sample { literal: value.to_owned(), json: json!(value) })
        }
        Kind::Input { fields, one_of } => {
            if open.contains(&def.name) {
                return None;
            }
            open.push(def.name.clone());
            let here = wanted.filter(|wanted| wanted.owner == def.name).map(|wanted| wanted.name);
            let mut literal = Vec::new();
            let mut json = Map::new();
            let leads = |field: &InputDef| {
                wanted.is_some_and(|wanted| {
                    field.audiences.holds(audience)
                        && here.is_none()
                        && holds(&field.ty, wanted, audience, &mut HashSet::new())
                })
            };
            let led = fields.values().any(&leads);
            let mut leading = false;
            for field in fields.values() {
                let chosen = match (*one_of, here) {
                    (true, Some(name)) => field.name == name,
                    // Of one of several, the one that leads on.
                    (true, None) => !led && literal.is_empty(),
                    // Nothing is written that need not be.
                    (false, Some(name)) if field.name == name => true,
                    (false, _) => !field.ty.nullable || field.name == "validateOnly",
                };
                let leads = !leading && leads(field);
                if !chosen && !leads {
                    continue;
                }
                leading |= leads;
                let inner = sample(&field.ty, wanted.filter(|_| leads), audience, open)?;
                literal.push(format!("{}: {}", field.name, inner.literal));
                json.insert(field.name.clone(), inner.json);
            }
            open.pop();
            Some(Sample { literal: format!("{{{}}}", literal.join(", ")), json: Value::Object(json) })
        }
        Kind::Object { .. } | Kind::Interface { .. } | Kind::Union { .. } => None,
    }
}
