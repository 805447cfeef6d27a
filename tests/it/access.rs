//! The access matrix: who sees which part of the schema, held against the committed table, the printed schemas,
//! introspection and the answers of the running server.
//!
//! A new field, argument, input field or enum value has no row in `access.tsv` and turns a test red. Write the
//! row by hand: it is the second person's look at who may see what.

use std::collections::{BTreeMap, BTreeSet};

use api::{
    auth::rights,
    graphql::{
        audience::{Audience, Audiences},
        sdl,
        types::{Kind, TypeRef, Types},
    },
};

mod introspection;
mod matrix;

const TABLE: &str = include_str!("access.tsv");
const RIGHTS: &str = include_str!("access/rights.txt");

/// A part of the schema that declares its audiences.
#[derive(Clone, Debug)]
pub struct Element {
    /// As a row of the table names it: `Type.field`, `Type.field(argument)`, `Input.field`, `Enum.VALUE`.
    pub name: String,
    pub owner: String,
    pub part: Part,
    pub audiences: Audiences,
    pub declared: bool,
}

#[derive(Clone, Debug)]
pub enum Part {
    Field(String),
    Argument(String, String),
    InputField(String),
    Value(String),
}

pub fn types() -> &'static Types {
    api::graphql::types().unwrap_or_else(|error| panic!("{error:?}"))
}

/// Every element of the schema.
pub fn elements() -> Vec<Element> {
    let mut all = Vec::new();
    for def in types().iter() {
        let owner = &def.name;
        let mut add = |name: String, part, audiences, declared| {
            all.push(Element { name, owner: owner.clone(), part, audiences, declared });
        };
        match &def.kind {
            // What stands in a union are objects, with rows of their own.
            Kind::Scalar(_) | Kind::Union { .. } => {}
            Kind::Object { fields, .. } | Kind::Interface { fields, .. } => {
                for field in fields.values() {
                    let name = format!("{owner}.{}", field.name);
                    add(name, Part::Field(field.name.clone()), field.audiences, field.declared);
                    for arg in field.args.values() {
                        let name = format!("{owner}.{}({})", field.name, arg.name);
                        let part = Part::Argument(field.name.clone(), arg.name.clone());
                        add(name, part, arg.audiences, arg.declared);
                    }
                }
            }
            Kind::Enum(values) => {
                for value in values.values() {
                    let name = format!("{owner}.{}", value.name);
                    add(name, Part::Value(value.name.clone()), value.audiences, value.declared);
                }
            }
            Kind::Input { fields, .. } => {
                for field in fields.values() {
                    let name = format!("{owner}.{}", field.name);
                    add(name, Part::InputField(field.name.clone()), field.audiences, field.declared);
                }
            }
        }
    }
    all
}

/// The audiences of an element as a row of the table writes them.
fn written(audiences: Audiences) -> String {
    let named = Audience::ALL.into_iter().filter(|audience| audiences.holds(*audience)).map(Audience::name);
    named.collect::<Vec<_>>().join(" ")
}

#[test]
fn every_element_says_who_it_is_for() {
    let silent: Vec<String> =
        elements().into_iter().filter(|element| !element.declared).map(|element| element.name).collect();
    assert!(silent.is_empty(), "without @public, @donor, @partner or @staff: {silent:#?}");
}

#[test]
fn every_element_has_its_row() {
    let mut rows = BTreeMap::new();
    for line in TABLE.lines() {
        let (name, audiences) =
            line.split_once('\t').unwrap_or_else(|| panic!("a row without a tab: {line}"));
        assert!(rows.insert(name, audiences).is_none(), "two rows for {name}");
    }
    let mut wrong = Vec::new();
    for element in elements() {
        let wanted = written(element.audiences);
        match rows.remove(element.name.as_str()) {
            Some(row) if row == wanted => {}
            Some(row) => wrong.push(format!("{}\tis {wanted}, and its row says {row}", element.name)),
            None => wrong.push(format!("{}\t{wanted}\thas no row", element.name)),
        }
    }
    wrong.extend(rows.keys().map(|name| format!("{name}\tis not in the schema")));
    assert!(wrong.is_empty(), "tests/it/access.tsv:\n{}", wrong.join("\n"));
}

/// The printed schema, read again line by line: what an element's directives are there.
#[test]
fn the_printed_schema_says_the_same() {
    let printed: BTreeMap<String, String> = introspection::printed(&sdl::whole(types())).directives;
    let known: BTreeMap<String, String> = elements()
        .into_iter()
        .map(|element| (element.name, element.audiences.directives().to_owned()))
        .collect();
    assert_eq!(printed, known);
}

#[test]
fn whatever_is_seen_has_a_type_that_is_seen() {
    let mut wrong = Vec::new();
    for audience in Audience::ALL {
        let hidden = |ty: &TypeRef| types().seen(ty.name(), audience).is_none();
        let of = audience.name();
        for def in types().iter() {
            match &def.kind {
                Kind::Object { fields, .. } | Kind::Interface { fields, .. } => {
                    for field in fields.values().filter(|field| field.audiences.holds(audience)) {
                        let name = format!("{}.{}", def.name, field.name);
                        if hidden(&field.ty) {
                            wrong.push(format!("{of} sees {name} and not {}", field.ty));
                        }
                        for arg in field.args.values() {
                            match arg.audiences.holds(audience) {
                                true if hidden(&arg.ty) => {
                                    wrong.push(format!("{of} sees {name}({}) and not {}", arg.name, arg.ty));
                                }
                                false if !arg.ty.nullable => {
                                    wrong.push(format!(
                                        "{of} must give {name}({}) and does not see it",
                                        arg.name
                                    ));
                                }
                                _ => {}
                            }
                        }
                    }
                }
                Kind::Input { fields, .. } if def.audiences.holds(audience) => {
                    for field in fields.values() {
                        let name = format!("{}.{}", def.name, field.name);
                        match field.audiences.holds(audience) {
                            true if hidden(&field.ty) => {
                                wrong.push(format!("{of} sees {name} and not {}", field.ty));
                            }
                            false if !field.ty.nullable => {
                                wrong.push(format!("{of} must give {name} and does not see it"));
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// An interface promises to everyone who sees it what its objects show to the same.
#[test]
fn objects_show_what_their_interfaces_promise() {
    for def in types().iter() {
        let Kind::Object { fields, implements } = &def.kind else { continue };
        for interface in implements {
            let promised = types().get(interface).and_then(|interface| interface.fields());
            for promise in promised.unwrap_or_else(|| panic!("{interface} is no interface")).values() {
                let field = fields.get(&promise.name);
                let field = field.unwrap_or_else(|| panic!("{} lacks {}", def.name, promise.name));
                for audience in Audience::ALL.into_iter().filter(|one| def.audiences.holds(*one)) {
                    assert_eq!(
                        field.audiences.holds(audience),
                        promise.audiences.holds(audience),
                        "{}.{} for {}",
                        def.name,
                        field.name,
                        audience.name()
                    );
                }
            }
        }
    }
}

#[test]
fn the_rights_of_the_roles_are_those_agreed_on() {
    assert_eq!(rights::table().trim_end(), RIGHTS.trim_end(), "tests/it/access/rights.txt");
    assert_eq!(rights::Right::ALL.into_iter().collect::<BTreeSet<_>>().len(), rights::Right::ALL.len());
}

/// `UPDATE=1` writes the files; a run without it compares.
#[test]
fn the_exported_schemas_are_current() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = vec![("schema.graphql".to_owned(), sdl::whole(types()))];
    for audience in Audience::ALL {
        let file = format!("schema/{}.graphql", audience.name().to_ascii_lowercase());
        files.push((file, sdl::of(types(), audience)));
    }
    #[expect(clippy::disallowed_methods, reason = "a person asks for it on the command line")]
    let update = std::env::var_os("UPDATE").is_some();
    for (name, text) in files {
        let path = root.join(&name);
        if update {
            let folder = path.parent().unwrap_or(&root);
            std::fs::create_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            std::fs::write(&path, &text).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        let stale = there.lines().zip(text.lines()).find(|(there, now)| there != now);
        assert!(there == text, "{name} is stale: run the tests with UPDATE=1. First difference: {stale:?}");
    }
}
