//! The schema as data, read from the `.graphql` files beside this one.
//!
//! These files are the single place where a type, its documentation and its audiences are written. From here
//! come the library's registry, the check of documents, and the exported schemas.

use std::collections::HashMap;

use async_graphql::{
    Value,
    registry::{MetaEnumValue, MetaField, MetaInputValue, MetaType, Registry},
};
use async_graphql_parser::{
    Positioned,
    types::{
        BaseType, FieldDefinition, InputValueDefinition, ServiceDocument, Type, TypeDefinition, TypeKind,
        TypeSystemDefinition,
    },
};
use indexmap::IndexMap;

use super::{
    audience::{Audience, Audiences},
    scalars,
};

/// Scalars that GraphQL brings along.
pub const BUILT_IN: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];

const SOURCES: [&str; 28] = [
    include_str!("core.graphql"),
    include_str!("organization.graphql"),
    include_str!("facility.graphql"),
    include_str!("program.graphql"),
    include_str!("item.graphql"),
    include_str!("kit.graphql"),
    include_str!("agreement.graphql"),
    include_str!("award.graphql"),
    include_str!("distribution.graphql"),
    include_str!("shipment.graphql"),
    include_str!("duplicate.graphql"),
    include_str!("stock.graphql"),
    include_str!("changes.graphql"),
    include_str!("gift.graphql"),
    include_str!("audit.graphql"),
    include_str!("retention.graphql"),
    include_str!("rights_request.graphql"),
    include_str!("safeguarding.graphql"),
    include_str!("live.graphql"),
    include_str!("participant.graphql"),
    include_str!("participant_merge.graphql"),
    include_str!("work.graphql"),
    include_str!("payout.graphql"),
    include_str!("survey.graphql"),
    include_str!("indicator.graphql"),
    include_str!("release.graphql"),
    include_str!("sign_in.graphql"),
    include_str!("member.graphql"),
];

/// All types by name, in the order of the files.
pub struct Types {
    types: IndexMap<String, TypeDef>,
}

pub struct TypeDef {
    pub name: String,
    pub description: Option<String>,
    pub kind: Kind,
    /// Those who see any part of it.
    pub audiences: Audiences,
}

pub enum Kind {
    Scalar(fn(&Value) -> bool),
    Object {
        fields: IndexMap<String, FieldDef>,
        implements: Vec<String>,
    },
    Interface {
        fields: IndexMap<String, FieldDef>,
        possible: Vec<String>,
    },
    /// One of several objects, which need not have a field in common: it has none of its own.
    Union {
        fields: IndexMap<String, FieldDef>,
        possible: Vec<String>,
    },
    Enum(IndexMap<String, ValueDef>),
    Input {
        fields: IndexMap<String, InputDef>,
        one_of: bool,
    },
}

pub struct FieldDef {
    pub name: String,
    pub description: Option<String>,
    pub ty: TypeRef,
    pub args: IndexMap<String, InputDef>,
    pub audiences: Audiences,
    pub declared: bool,
}

pub struct InputDef {
    pub name: String,
    pub description: Option<String>,
    pub ty: TypeRef,
    pub audiences: Audiences,
    pub declared: bool,
}

pub struct ValueDef {
    pub name: String,
    pub description: Option<String>,
    pub audiences: Audiences,
    pub declared: bool,
}

/// A type as a field or an input has it.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeRef {
    pub nullable: bool,
    pub base: Base,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Base {
    Named(String),
    List(Box<TypeRef>),
}

impl TypeRef {
    fn new(ty: &Type) -> Self {
        let base = match &ty.base {
            BaseType::Named(name) => Base::Named(name.to_string()),
            BaseType::List(inner) => Base::List(Box::new(Self::new(inner))),
        };
        Self { nullable: ty.nullable, base }
    }

    /// The name inside all lists.
    pub fn name(&self) -> &str {
        match &self.base {
            Base::Named(name) => name,
            Base::List(inner) => inner.name(),
        }
    }

    pub fn is_list(&self) -> bool {
        matches!(self.base, Base::List(_))
    }
}

impl std::fmt::Display for TypeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.base {
            Base::Named(name) => f.write_str(name)?,
            Base::List(inner) => write!(f, "[{inner}]")?,
        }
        if self.nullable { Ok(()) } else { f.write_str("!") }
    }
}

impl Types {
    /// # Errors
    /// When a file is not a schema: what and where.
    pub fn load() -> Result<Self, String> {
        let mut types = IndexMap::new();
        for builtin in BUILT_IN {
            let kind = Kind::Scalar(scalars::validator(builtin).ok_or("a scalar has no validator")?);
            let def =
                TypeDef { name: builtin.to_owned(), description: None, kind, audiences: Audiences::NONE };
            types.insert(builtin.to_owned(), def);
        }
        for source in SOURCES {
            let document: ServiceDocument =
                async_graphql_parser::parse_schema(source).map_err(|fault| fault.to_string())?;
            for definition in document.definitions {
                if let TypeSystemDefinition::Type(definition) = definition {
                    add(&mut types, definition.node)?;
                }
            }
        }
        let mut types = Self { types };
        types.link();
        Ok(types)
    }

    pub fn get(&self, name: &str) -> Option<&TypeDef> {
        self.types.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &TypeDef> {
        self.types.values()
    }

    /// A type that an audience may know of.
    pub fn seen(&self, name: &str, audience: Audience) -> Option<&TypeDef> {
        self.get(name).filter(|def| def.audiences.holds(audience))
    }

    /// Whether an object is of a type that a fragment names: itself, an interface or a union.
    pub fn is_of(&self, object: &TypeDef, condition: &str) -> bool {
        condition == object.name
            || matches!(&object.kind, Kind::Object { implements, .. } if implements.iter().any(|name| name == condition))
            || matches!(self.get(condition).map(|def| &def.kind), Some(Kind::Union { possible, .. }) if possible.contains(&object.name))
    }

    /// Fills in what follows from the rest: who sees a type, and which types an interface stands for.
    fn link(&mut self) {
        let mut implemented: Vec<(String, String)> = Vec::new();
        let mut used: Vec<(String, Audiences)> = Vec::new();
        for def in self.types.values() {
            if let Kind::Object { implements, .. } = &def.kind {
                implemented.extend(implements.iter().map(|interface| (interface.clone(), def.name.clone())));
            }
            match &def.kind {
                Kind::Object { fields, .. } | Kind::Interface { fields, .. } => {
                    for field in fields.values() {
                        used.push((field.ty.name().to_owned(), field.audiences));
                        used.extend(field.args.values().map(|arg| (arg.ty.name().to_owned(), arg.audiences)));
                    }
                }
                Kind::Input { fields, .. } => {
                    used.extend(fields.values().map(|field| (field.ty.name().to_owned(), field.audiences)));
                }
                Kind::Scalar(_) | Kind::Enum(_) | Kind::Union { .. } => {}
            }
        }
        for def in self.types.values_mut() {
            def.audiences = match &def.kind {
                Kind::Scalar(_) if BUILT_IN.contains(&def.name.as_str()) => Audiences::ALL,
                Kind::Scalar(_) => {
                    let uses = used.iter().filter(|(name, _)| *name == def.name);
                    uses.fold(Audiences::NONE, |all, (_, audiences)| all.with(*audiences))
                }
                Kind::Object { fields, .. } | Kind::Interface { fields, .. } => {
                    fields.values().fold(Audiences::NONE, |all, field| all.with(field.audiences))
                }
                Kind::Enum(values) => {
                    values.values().fold(Audiences::NONE, |all, value| all.with(value.audiences))
                }
                Kind::Input { fields, .. } => {
                    fields.values().fold(Audiences::NONE, |all, field| all.with(field.audiences))
                }
                // Those who see one of its objects.
                Kind::Union { .. } => Audiences::NONE,
            };
        }
        let seen: HashMap<String, Audiences> =
            self.types.values().map(|def| (def.name.clone(), def.audiences)).collect();
        for def in self.types.values_mut() {
            if let Kind::Union { possible, .. } = &def.kind {
                let objects = possible.iter().filter_map(|name| seen.get(name));
                def.audiences = objects.fold(Audiences::NONE, |all, audiences| all.with(*audiences));
            }
        }
        for (interface, object) in implemented {
            if let Some(TypeDef { kind: Kind::Interface { possible, .. }, .. }) =
                self.types.get_mut(&interface)
            {
                possible.push(object);
            }
        }
    }

    /// Tells the library about every type.
    pub fn register(&self, registry: &mut Registry) {
        for def in self.types.values() {
            registry.types.insert(def.name.clone(), def.meta());
            if let Kind::Object { implements, .. } = &def.kind {
                for interface in implements {
                    registry.add_implements(&def.name, interface);
                }
            }
        }
    }
}

impl TypeDef {
    /// The fields of an object or an interface.
    pub fn fields(&self) -> Option<&IndexMap<String, FieldDef>> {
        match &self.kind {
            Kind::Object { fields, .. } | Kind::Interface { fields, .. } | Kind::Union { fields, .. } => {
                Some(fields)
            }
            _ => None,
        }
    }

    fn meta(&self) -> MetaType {
        let name = self.name.clone();
        let description = self.description.clone();
        let visible = Some(self.audiences.visible());
        match &self.kind {
            Kind::Scalar(valid) => {
                let valid = *valid;
                MetaType::Scalar {
                    name,
                    description,
                    is_valid: Some(std::sync::Arc::new(valid)),
                    visible,
                    inaccessible: false,
                    tags: Vec::new(),
                    specified_by_url: None,
                    directive_invocations: Vec::new(),
                    requires_scopes: Vec::new(),
                }
            }
            Kind::Object { fields, .. } => MetaType::Object {
                name,
                description,
                fields: meta_fields(fields),
                cache_control: Default::default(),
                extends: false,
                shareable: false,
                resolvable: true,
                keys: None,
                visible,
                inaccessible: false,
                interface_object: false,
                tags: Vec::new(),
                is_subscription: self.name == "Subscription",
                rust_typename: None,
                directive_invocations: Vec::new(),
                requires_scopes: Vec::new(),
            },
            Kind::Interface { fields, possible } => MetaType::Interface {
                name,
                description,
                fields: meta_fields(fields),
                possible_types: possible.iter().cloned().collect(),
                extends: false,
                keys: None,
                visible,
                inaccessible: false,
                tags: Vec::new(),
                rust_typename: None,
                directive_invocations: Vec::new(),
                requires_scopes: Vec::new(),
            },
            Kind::Union { possible, .. } => MetaType::Union {
                name,
                description,
                possible_types: possible.iter().cloned().collect(),
                visible,
                inaccessible: false,
                tags: Vec::new(),
                rust_typename: None,
                directive_invocations: Vec::new(),
            },
            Kind::Enum(values) => MetaType::Enum {
                name,
                description,
                enum_values: values
                    .values()
                    .map(|value| {
                        let mut meta = MetaEnumValue::new(value.name.clone());
                        meta.description = value.description.clone();
                        meta.visible = Some(value.audiences.visible());
                        (value.name.clone(), meta)
                    })
                    .collect(),
                visible,
                inaccessible: false,
                tags: Vec::new(),
                rust_typename: None,
                directive_invocations: Vec::new(),
                requires_scopes: Vec::new(),
            },
            Kind::Input { fields, one_of } => MetaType::InputObject {
                name,
                description,
                input_fields: meta_inputs(fields),
                visible,
                inaccessible: false,
                tags: Vec::new(),
                rust_typename: None,
                oneof: *one_of,
                directive_invocations: Vec::new(),
            },
        }
    }
}

fn meta_fields(fields: &IndexMap<String, FieldDef>) -> IndexMap<String, MetaField> {
    fields
        .values()
        .map(|field| {
            let mut meta = MetaField::new(field.name.clone(), field.ty.to_string());
            meta.description = field.description.clone();
            meta.args = meta_inputs(&field.args);
            meta.visible = Some(field.audiences.visible());
            (field.name.clone(), meta)
        })
        .collect()
}

fn meta_inputs(inputs: &IndexMap<String, InputDef>) -> IndexMap<String, MetaInputValue> {
    inputs
        .values()
        .map(|input| {
            let mut meta = MetaInputValue::new(input.name.clone(), input.ty.to_string());
            meta.description = input.description.clone();
            meta.visible = Some(input.audiences.visible());
            (input.name.clone(), meta)
        })
        .collect()
}

/// Adds a type, or the fields of an `extend type`.
fn add(types: &mut IndexMap<String, TypeDef>, definition: TypeDefinition) -> Result<(), String> {
    let name = definition.name.node.to_string();
    let description = text(definition.description);
    let kind = match definition.kind {
        TypeKind::Scalar => {
            Kind::Scalar(scalars::validator(&name).ok_or_else(|| format!("scalar {name} has no validator"))?)
        }
        TypeKind::Object(object) => {
            let new = fields(object.fields);
            match types.get_mut(&name) {
                Some(TypeDef { kind: Kind::Object { fields, .. }, .. }) if definition.extend => {
                    fields.extend(new);
                    return Ok(());
                }
                _ => Kind::Object {
                    fields: new,
                    implements: object.implements.iter().map(|name| name.node.to_string()).collect(),
                },
            }
        }
        TypeKind::Interface(interface) => {
            Kind::Interface { fields: fields(interface.fields), possible: Vec::new() }
        }
        TypeKind::Union(union) => Kind::Union {
            fields: IndexMap::new(),
            possible: union.members.iter().map(|name| name.node.to_string()).collect(),
        },
        TypeKind::Enum(values) => Kind::Enum(
            values
                .values
                .into_iter()
                .map(|value| {
                    let value = value.node;
                    let declared = Audiences::declared(&value.directives);
                    let name = value.value.node.to_string();
                    let def = ValueDef {
                        name: name.clone(),
                        description: text(value.description),
                        audiences: declared.unwrap_or(Audiences::STAFF),
                        declared: declared.is_some(),
                    };
                    (name, def)
                })
                .collect(),
        ),
        TypeKind::InputObject(input) => Kind::Input {
            fields: inputs(input.fields),
            one_of: definition.directives.iter().any(|directive| directive.node.name.node == "oneOf"),
        },
    };
    let def = TypeDef { name: name.clone(), description, kind, audiences: Audiences::NONE };
    match types.insert(name.clone(), def) {
        None => Ok(()),
        Some(_) => Err(format!("{name} is defined twice")),
    }
}

fn fields(definitions: Vec<Positioned<FieldDefinition>>) -> IndexMap<String, FieldDef> {
    definitions
        .into_iter()
        .map(|definition| {
            let definition = definition.node;
            let declared = Audiences::declared(&definition.directives);
            let name = definition.name.node.to_string();
            let def = FieldDef {
                name: name.clone(),
                description: text(definition.description),
                ty: TypeRef::new(&definition.ty.node),
                args: inputs(definition.arguments),
                audiences: declared.unwrap_or(Audiences::STAFF),
                declared: declared.is_some(),
            };
            (name, def)
        })
        .collect()
}

fn inputs(definitions: Vec<Positioned<InputValueDefinition>>) -> IndexMap<String, InputDef> {
    definitions
        .into_iter()
        .map(|definition| {
            let definition = definition.node;
            let declared = Audiences::declared(&definition.directives);
            let name = definition.name.node.to_string();
            let def = InputDef {
                name: name.clone(),
                description: text(definition.description),
                ty: TypeRef::new(&definition.ty.node),
                audiences: declared.unwrap_or(Audiences::STAFF),
                declared: declared.is_some(),
            };
            (name, def)
        })
        .collect()
}

fn text(description: Option<Positioned<String>>) -> Option<String> {
    description.map(|text| text.node)
}
