//! The selection of a request, made ready for rendering: fragments folded in, equal keys merged, arguments
//! coerced.

use std::collections::HashMap;

use async_graphql::{Name, Pos, Value as Const};
use async_graphql_parser::{
    Positioned,
    types::{Field, FragmentDefinition, Selection, SelectionSet},
};
use serde::de::DeserializeOwned;

use super::{
    audience::Audience,
    coerce::{Coercion, Origin, Variables},
    types::{FieldDef, Kind, TypeDef, Types},
};
use crate::error::{Error, Result};

/// A selected field.
pub struct Node<'a> {
    /// Tells selected fields apart within one root field.
    pub number: usize,
    /// The key in the answer.
    pub key: &'a str,
    pub name: &'a str,
    pub position: Pos,
    /// None for `__typename`.
    pub def: Option<&'a FieldDef>,
    arguments: indexmap::IndexMap<Name, Const>,
    /// The fields below, by the type of the object; objects have one entry, interfaces one for each type.
    below: Vec<(&'a str, Vec<Node<'a>>)>,
}

impl<'a> Node<'a> {
    pub fn nullable(&self) -> bool {
        self.def.is_some_and(|def| def.ty.nullable)
    }

    /// The fields selected on an object of a type.
    pub fn fields(&self, type_name: &str) -> &[Node<'a>] {
        self.below.iter().find(|(name, _)| *name == type_name).map_or(&[], |(_, fields)| fields)
    }

    /// Whether a field of this name is selected anywhere below.
    pub fn reaches(&self, name: &str) -> bool {
        self.below
            .iter()
            .any(|(_, fields)| fields.iter().any(|field| field.name == name || field.reaches(name)))
    }

    /// An argument as a type of ours; none when it was left out or null.
    ///
    /// # Errors
    /// `Invalid` for what only the type can tell, such as a text that is not an id.
    pub fn argument<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        match self.arguments.get(name) {
            None | Some(Const::Null) => Ok(None),
            Some(value) => from_const(name, value.clone()).map(Some),
        }
    }

    /// An argument that the schema demands.
    ///
    /// # Errors
    /// As [`Node::argument`].
    pub fn required<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        self.argument(name)?.ok_or_else(|| Error::invalid(format!("Argument \"{name}\" is needed.")))
    }

    /// An argument as it was coerced.
    pub fn raw(&self, name: &str) -> Option<&Const> {
        self.arguments.get(name)
    }
}

/// Reads a coerced value as a type of ours.
pub fn from_const<T: DeserializeOwned>(name: &str, value: Const) -> Result<T> {
    async_graphql::from_value(value).map_err(|fault| Error::invalid(format!("\"{name}\": {fault}.")))
}

/// What compiling needs to know.
pub struct Compiler<'a> {
    pub types: &'a Types,
    pub audience: Audience,
    pub variables: &'a Variables,
    pub fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    next: std::cell::Cell<usize>,
}

impl<'a> Compiler<'a> {
    pub fn new(
        types: &'a Types,
        audience: Audience,
        variables: &'a Variables,
        fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    ) -> Self {
        Self { types, audience, variables, fragments, next: std::cell::Cell::new(0) }
    }

    /// A root field, merged with all others of its key in the operation.
    pub fn root(&self, root: &'a TypeDef, operation: &'a SelectionSet, key: &str) -> Option<Node<'a>> {
        let mut found = Vec::new();
        self.collect(root, operation, &mut found);
        let (key, fields) = found.into_iter().find(|(other, _)| *other == key)?;
        Some(self.node(root, key, &fields))
    }

    fn fields(&self, parent: &'a TypeDef, sets: &[&'a SelectionSet]) -> Vec<Node<'a>> {
        let mut found: Vec<(&'a str, Vec<&'a Positioned<Field>>)> = Vec::new();
        for set in sets {
            self.collect(parent, set, &mut found);
        }
        found.into_iter().map(|(key, fields)| self.node(parent, key, &fields)).collect()
    }

    fn collect(
        &self,
        parent: &TypeDef,
        set: &'a SelectionSet,
        found: &mut Vec<(&'a str, Vec<&'a Positioned<Field>>)>,
    ) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.as_str();
                    match found.iter_mut().find(|(other, _)| *other == key) {
                        Some((_, fields)) => fields.push(field),
                        None => found.push((key, vec![field])),
                    }
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    if condition.is_none_or(|condition| self.types.is_of(parent, &condition.node.on.node)) {
                        self.collect(parent, &inline.node.selection_set.node, found);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(&spread.node.fragment_name.node)
                        && self.types.is_of(parent, &fragment.node.type_condition.node.on.node)
                    {
                        self.collect(parent, &fragment.node.selection_set.node, found);
                    }
                }
            }
        }
    }

    fn node(&self, parent: &'a TypeDef, key: &'a str, fields: &[&'a Positioned<Field>]) -> Node<'a> {
        let number = self.next.get();
        self.next.set(number + 1);
        let first = fields[0];
        let name = first.node.name.node.as_str();
        let def = parent.fields().and_then(|fields| fields.get(name));
        let mut arguments = indexmap::IndexMap::new();
        let mut below = Vec::new();
        if let Some(def) = def {
            let coercion = Coercion { types: self.types, audience: self.audience, variables: self.variables };
            for (name, value) in &first.node.arguments {
                // All values have passed the wall; one that fails here was a variable without a value.
                let Some(arg) = def.args.get(name.node.as_str()) else { continue };
                if let Ok(Some(value)) = coercion.value(&arg.ty, &value.node, Origin::Document) {
                    arguments.insert(name.node.clone(), value);
                }
            }
            let sets: Vec<&SelectionSet> =
                fields.iter().map(|field| &field.node.selection_set.node).collect();
            match self.types.get(def.ty.name()) {
                Some(object @ TypeDef { kind: Kind::Object { .. }, .. }) => {
                    below.push((object.name.as_str(), self.fields(object, &sets)));
                }
                Some(TypeDef {
                    kind: Kind::Interface { possible, .. } | Kind::Union { possible, .. },
                    ..
                }) => {
                    for object in possible.iter().filter_map(|name| self.types.get(name)) {
                        below.push((object.name.as_str(), self.fields(object, &sets)));
                    }
                }
                _ => {}
            }
        }
        Node { number, key, name, position: first.pos, def, arguments, below }
    }
}
