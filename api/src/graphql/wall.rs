//! The field wall: a document is held against the schema of its audience before anything else looks at it.
//!
//! For this check a name that the audience may not see does not exist, so what is hidden and what is not there
//! get the same answer by construction. The library's validation runs afterwards, on names that are all known.

use std::collections::HashMap;

use async_graphql::{Name, Pos, Value as Const};
use async_graphql_parser::{
    Positioned,
    types::{
        DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition,
        OperationType, Selection, SelectionSet,
    },
};
use async_graphql_value::Value;
use indexmap::IndexMap;

use super::{
    audience::Audience,
    coerce::{Coercion, Origin, Variables, type_ref},
    shape,
    types::{FieldDef, InputDef, Kind, TypeDef, Types},
};

/// The deepest selection; introspection of nested types needs more.
const DEEPEST: usize = 15;
const DEEPEST_INTROSPECTION: usize = 20;
/// The most selections of an operation with its fragments written out: the library walks them one by one.
const MOST_SELECTIONS: u64 = 10_000;
/// The deepest nesting of lists of fields or types in an introspection: each level multiplies its answer.
const DEEPEST_LISTS: usize = 2;
/// What the list of all types counts for, and such a list inside another.
const TYPES_COST: u64 = 500;
/// What a list counts for where nobody says how long it may be.
const LIST_COST: u64 = 5;

const MOST_FAULTS: usize = 20;

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub message: String,
    pub position: Option<Pos>,
    pub code: &'static str,
}

impl Fault {
    pub fn invalid(position: Pos, message: String) -> Self {
        Self { message, position: Some(position), code: "GRAPHQL_VALIDATION_FAILED" }
    }

    pub fn too_large(message: &str) -> Self {
        Self { message: message.to_owned(), position: None, code: "DOCUMENT_TOO_LARGE" }
    }
}

/// What a document asks for.
#[derive(Clone, Debug)]
pub struct Checked {
    pub operation: OperationType,
    pub cost: u64,
    pub variables: Variables,
}

/// Checks a document with its variables against the schema of an audience.
///
/// # Errors
/// All that is wrong, as one list.
pub fn check(
    types: &Types,
    audience: Audience,
    document: &ExecutableDocument,
    operation_name: Option<&str>,
    given: &IndexMap<Name, Const>,
) -> Result<Checked, Vec<Fault>> {
    // What spreads itself cannot be walked.
    shape::check(document)?;
    let operation = choose(document, operation_name).map_err(|fault| vec![fault])?;
    let mut wall = Wall {
        types,
        audience,
        fragments: &document.fragments,
        faults: Vec::new(),
        variables: Variables::new(),
        walked: HashMap::new(),
        introspected: HashMap::new(),
    };
    for (_, each) in document.operations.iter() {
        wall.variable_types(&each.node);
    }
    if wall.faults.is_empty() {
        wall.variables(operation, given);
    }
    let mut cost = 0;
    for (_, each) in document.operations.iter() {
        let of_each = wall.operation(&each.node);
        if std::ptr::eq(&each.node, operation) {
            cost = of_each.cost;
        }
    }
    // In an order of their own, so that the same document always gets the same answer.
    let mut fragments: Vec<_> = document.fragments.iter().collect();
    fragments.sort_unstable_by_key(|(name, _)| name.as_str());
    for (name, fragment) in fragments {
        // Introspection's own types are the library's.
        if fragment.node.type_condition.node.on.node.starts_with("__") {
            wall.introspection(&fragment.node.selection_set.node, 1, 0);
        } else {
            wall.fragment(name, &fragment.node, 1, true);
        }
    }
    if wall.faults.is_empty() {
        Ok(Checked { operation: operation.ty, cost, variables: wall.variables })
    } else {
        Err(wall.faults)
    }
}

fn choose<'d>(
    document: &'d ExecutableDocument,
    name: Option<&str>,
) -> Result<&'d OperationDefinition, Fault> {
    let fault = |message: &str| Fault {
        message: message.to_owned(),
        position: None,
        code: "OPERATION_RESOLUTION_FAILURE",
    };
    match (&document.operations, name) {
        (DocumentOperations::Single(only), None) => Ok(&only.node),
        (DocumentOperations::Single(_), Some(_)) => Err(fault("There is no operation with this name.")),
        (DocumentOperations::Multiple(all), Some(name)) => all
            .get(name)
            .map(|found| &found.node)
            .ok_or_else(|| fault("There is no operation with this name.")),
        (DocumentOperations::Multiple(all), None) => match all.values().next() {
            Some(only) if all.len() == 1 => Ok(&only.node),
            _ => Err(fault("Say which operation to run: operationName.")),
        },
    }
}

struct Wall<'a> {
    types: &'a Types,
    audience: Audience,
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    faults: Vec<Fault>,
    variables: Variables,
    /// Fragments that have been walked, by the depth at which they stand and whether lists in them have been counted:
    /// each is walked once for a place of that kind, however often it is spread.
    walked: HashMap<(&'a str, usize, bool), Weight>,
    /// The same inside introspection, where the lists around count too.
    introspected: HashMap<(&'a str, usize, usize), Weight>,
}

/// What a selection set amounts to.
#[derive(Clone, Copy, Default)]
struct Weight {
    cost: u64,
    /// Selections, with fragments written out.
    size: u64,
}

impl Weight {
    const ONE: Self = Self { cost: 1, size: 1 };

    fn and(self, other: Self) -> Self {
        Self { cost: self.cost.saturating_add(other.cost), size: self.size.saturating_add(other.size) }
    }

    fn times(self, times: u64) -> Self {
        Self { cost: self.cost.saturating_mul(times), size: self.size }
    }
}

impl<'a> Wall<'a> {
    fn fault(&mut self, position: Pos, message: String) {
        self.note(Fault::invalid(position, message));
    }

    fn limit(&mut self, message: &str) {
        self.note(Fault::too_large(message));
    }

    /// A fragment that is spread at several depths is at fault once.
    fn note(&mut self, fault: Fault) {
        if self.faults.len() < MOST_FAULTS && !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn variable_types(&mut self, operation: &'a OperationDefinition) {
        for definition in &operation.variable_definitions {
            let ty = type_ref(&definition.node.var_type.node);
            match self.types.seen(ty.name(), self.audience).map(|def| &def.kind) {
                Some(Kind::Scalar(_) | Kind::Enum(_) | Kind::Input { .. }) => {}
                Some(_) => {
                    let message = format!("Type \"{}\" cannot be used for a variable.", ty.name());
                    self.fault(definition.node.var_type.pos, message);
                }
                None => {
                    self.fault(definition.node.var_type.pos, format!("Unknown type \"{}\".", ty.name()));
                }
            }
        }
    }

    /// Coerces what the request gave for the variables of the operation that runs.
    fn variables(&mut self, operation: &'a OperationDefinition, given: &IndexMap<Name, Const>) {
        for definition in &operation.variable_definitions {
            let name = &definition.node.name.node;
            let ty = type_ref(&definition.node.var_type.node);
            let default = definition.node.default_value.as_ref();
            let (value, origin) = match (given.get(name), default) {
                (Some(value), _) => (value.clone(), Origin::Json),
                (None, Some(default)) => (default.node.clone(), Origin::Document),
                (None, None) if ty.nullable => continue,
                (None, None) => {
                    self.fault(
                        definition.pos,
                        format!("Variable \"${name}\" of type \"{ty}\" was not given."),
                    );
                    continue;
                }
            };
            let none = Variables::new();
            let coercion = Coercion { types: self.types, audience: self.audience, variables: &none };
            match coercion.value(&ty, &value.into_value(), origin) {
                Ok(Some(value)) => {
                    self.variables.insert(name.clone(), value);
                }
                Ok(None) => {}
                Err(fault) => self.fault(definition.pos, format!("Variable \"${name}\": {fault}")),
            }
        }
    }

    fn operation(&mut self, operation: &'a OperationDefinition) -> Weight {
        let root = match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        };
        let Some(def) = self.types.get(root) else { return Weight::default() };
        let weight = self.set(def, &operation.selection_set.node, 1, true);
        if weight.size > MOST_SELECTIONS {
            self.limit("The document has too many parts.");
        }
        weight
    }

    /// The weight of a selection set, with everything in it checked. `once` says that the lists in it have been
    /// counted by the field above.
    fn set(&mut self, parent: &'a TypeDef, set: &'a SelectionSet, depth: usize, once: bool) -> Weight {
        let mut weight = Weight::default();
        if depth > DEEPEST {
            self.limit("The document is nested too deeply.");
            return weight;
        }
        for selection in &set.items {
            weight = weight.and(match &selection.node {
                Selection::Field(field) => self.field(parent, &field.node, field.pos, depth, once),
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let inside = match condition {
                        Some(condition) => self.condition(&condition.node.on.node, condition.pos),
                        None => Some(parent),
                    };
                    match inside {
                        Some(inside) => self.set(inside, &inline.node.selection_set.node, depth, once),
                        None => Weight::default(),
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let inside = match self.fragments.get(name) {
                        Some(fragment) => self.fragment(name, &fragment.node, depth, once),
                        // The library says that there is no such fragment.
                        None => Weight::default(),
                    };
                    inside.and(Weight { cost: 0, size: 1 })
                }
            });
        }
        weight
    }

    fn fragment(
        &mut self,
        name: &'a str,
        fragment: &'a FragmentDefinition,
        depth: usize,
        once: bool,
    ) -> Weight {
        if let Some(weight) = self.walked.get(&(name, depth, once)) {
            return *weight;
        }
        let condition = &fragment.type_condition;
        let weight = match self.condition(&condition.node.on.node, condition.pos) {
            Some(inside) => self.set(inside, &fragment.selection_set.node, depth, once),
            None => Weight::default(),
        };
        self.walked.insert((name, depth, once), weight);
        weight
    }

    fn condition(&mut self, name: &str, position: Pos) -> Option<&'a TypeDef> {
        match self.types.seen(name, self.audience) {
            Some(def) if def.fields().is_some() => Some(def),
            Some(_) => {
                self.fault(position, format!("A fragment cannot be on type \"{name}\"."));
                None
            }
            None => {
                self.fault(position, format!("Unknown type \"{name}\"."));
                None
            }
        }
    }

    fn field(
        &mut self,
        parent: &'a TypeDef,
        field: &'a Field,
        position: Pos,
        depth: usize,
        once: bool,
    ) -> Weight {
        let nothing = Weight { cost: 0, size: 1 };
        let name = field.name.node.as_str();
        if name == "__typename" {
            return nothing;
        }
        if parent.name == "Query" && matches!(name, "__schema" | "__type") {
            return nothing.and(self.introspection(&field.selection_set.node, 1, 0));
        }
        let fields = parent.fields();
        let Some(def) =
            fields.and_then(|fields| fields.get(name)).filter(|def| def.audiences.holds(self.audience))
        else {
            self.fault(position, format!("Unknown field \"{name}\" on type \"{}\".", parent.name));
            return nothing;
        };
        let length = self.arguments(parent, def, field);
        let Some(inside) = self.types.seen(def.ty.name(), self.audience) else { return Weight::ONE };
        if inside.fields().is_none() || field.selection_set.node.items.is_empty() {
            return Weight::ONE;
        }
        let inner = self.set(inside, &field.selection_set.node, depth + 1, length.is_some());
        let times = match length {
            Some(length) => length,
            None if def.ty.is_list() && !once => LIST_COST,
            None => 1,
        };
        Weight::ONE.and(inner.times(times))
    }

    /// Checks the arguments of a field, and says how long a list it asks for.
    fn arguments(&mut self, parent: &'a TypeDef, def: &'a FieldDef, field: &'a Field) -> Option<u64> {
        let mut length = None;
        for (name, value) in &field.arguments {
            let known = def.args.get(name.node.as_str()).filter(|arg| arg.audiences.holds(self.audience));
            let Some(arg) = known else {
                let message =
                    format!("Unknown argument \"{}\" on field \"{}.{}\".", name.node, parent.name, def.name);
                self.fault(name.pos, message);
                continue;
            };
            if let Some(value) = self.argument(arg, &value.node, value.pos) {
                length = length.or(match (arg.name.as_str(), value) {
                    ("first" | "last", Const::Number(number)) => Some(number.as_u64().unwrap_or(0)),
                    ("ids", Const::List(ids)) => Some(ids.len() as u64),
                    _ => None,
                });
            }
        }
        let audience = self.audience;
        for arg in def.args.values().filter(|arg| !arg.ty.nullable && arg.audiences.holds(audience)) {
            if field.get_argument(&arg.name).is_none() {
                let message = format!("Field \"{}\" needs the argument \"{}\".", def.name, arg.name);
                self.fault(field.name.pos, message);
            }
        }
        length
    }

    fn argument(&mut self, arg: &InputDef, value: &Value, position: Pos) -> Option<Const> {
        let coercion = Coercion { types: self.types, audience: self.audience, variables: &self.variables };
        match coercion.value(&arg.ty, value, Origin::Document) {
            Ok(value) => value,
            // A variable without a value has been reported where it is declared.
            Err(_) if matches!(value, Value::Variable(_)) => None,
            Err(fault) => {
                self.fault(position, format!("Argument \"{}\": {fault}", arg.name));
                None
            }
        }
    }

    /// The library answers introspection with what `visible` leaves of it; here it is only counted. `lists` is
    /// how many lists of fields or types are around.
    fn introspection(&mut self, set: &'a SelectionSet, depth: usize, lists: usize) -> Weight {
        let mut weight = Weight::default();
        if depth > DEEPEST_INTROSPECTION || lists > DEEPEST_LISTS {
            self.limit("The document is nested too deeply.");
            return weight;
        }
        for selection in &set.items {
            weight = weight.and(match &selection.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let many = matches!(name, "fields" | "inputFields" | "interfaces" | "possibleTypes");
                    let below = &field.node.selection_set.node;
                    let inner = self.introspection(below, depth + 1, lists + usize::from(many));
                    let own = if name == "types" || (many && lists > 0) { TYPES_COST } else { 1 };
                    Weight { cost: own, size: 1 }.and(if many && lists > 0 {
                        inner.times(own)
                    } else {
                        inner
                    })
                }
                Selection::InlineFragment(inline) => {
                    self.introspection(&inline.node.selection_set.node, depth, lists)
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    let inside =
                        match (self.introspected.get(&(name, depth, lists)), self.fragments.get(name)) {
                            (Some(weight), _) => *weight,
                            (None, Some(fragment)) => {
                                let weight =
                                    self.introspection(&fragment.node.selection_set.node, depth, lists);
                                self.introspected.insert((name, depth, lists), weight);
                                weight
                            }
                            (None, None) => Weight::default(),
                        };
                    inside.and(Weight { cost: 0, size: 1 })
                }
            });
        }
        weight
    }
}
