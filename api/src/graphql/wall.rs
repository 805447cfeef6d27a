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
    types::{FieldDef, InputDef, Kind, TypeDef, Types},
};

/// The deepest selection; introspection of nested types needs more.
const DEEPEST: usize = 15;
const DEEPEST_INTROSPECTION: usize = 20;
const MOST_ALIASES: usize = 100;
const MOST_DIRECTIVES: usize = 50;
/// What a list counts for where nobody says how long it may be.
const LIST_COST: u64 = 5;

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub message: String,
    pub position: Option<Pos>,
    pub code: &'static str,
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
    let operation = choose(document, operation_name).map_err(|fault| vec![fault])?;
    let mut wall = Wall {
        types,
        audience,
        fragments: &document.fragments,
        faults: Vec::new(),
        variables: Variables::new(),
        costs: HashMap::new(),
        open: Vec::new(),
        aliases: 0,
        directives: 0,
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
            cost = of_each;
        }
    }
    for (name, fragment) in &document.fragments {
        wall.fragment(name, &fragment.node, 1);
    }
    if wall.aliases > MOST_ALIASES {
        wall.limit("The document has too many aliases.");
    }
    if wall.directives > MOST_DIRECTIVES {
        wall.limit("The document has too many directives.");
    }
    if wall.faults.is_empty() {
        Ok(Checked { operation: operation.ty, cost, variables: wall.variables })
    } else {
        wall.faults.dedup();
        wall.faults.truncate(20);
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
    /// Costs of fragments that have been walked.
    costs: HashMap<&'a str, u64>,
    /// Fragments that are being walked: one inside itself is left to the library to refuse.
    open: Vec<&'a str>,
    aliases: usize,
    directives: usize,
}

impl<'a> Wall<'a> {
    fn fault(&mut self, position: Pos, message: String) {
        self.faults.push(Fault { message, position: Some(position), code: "GRAPHQL_VALIDATION_FAILED" });
    }

    fn limit(&mut self, message: &str) {
        let fault = Fault { message: message.to_owned(), position: None, code: "DOCUMENT_TOO_LARGE" };
        if !self.faults.contains(&fault) {
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

    fn operation(&mut self, operation: &'a OperationDefinition) -> u64 {
        self.directives += operation.directives.len();
        let root = match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => {
                self.faults.push(Fault {
                    message: "Subscriptions are not served here.".to_owned(),
                    position: None,
                    code: "GRAPHQL_VALIDATION_FAILED",
                });
                return 0;
            }
        };
        let Some(def) = self.types.get(root) else { return 0 };
        self.set(def, &operation.selection_set.node, 1, true)
    }

    /// The cost of a selection set, with everything in it checked. `once` says that the lists in it have been
    /// counted by the field above.
    fn set(&mut self, parent: &'a TypeDef, set: &'a SelectionSet, depth: usize, once: bool) -> u64 {
        if depth > DEEPEST {
            self.limit("The document is nested too deeply.");
            return 0;
        }
        let mut cost: u64 = 0;
        for selection in &set.items {
            cost = cost.saturating_add(match &selection.node {
                Selection::Field(field) => self.field(parent, &field.node, field.pos, depth, once),
                Selection::InlineFragment(inline) => {
                    self.directives += inline.node.directives.len();
                    let condition = inline.node.type_condition.as_ref();
                    let inside = match condition {
                        Some(condition) => self.condition(&condition.node.on.node, condition.pos),
                        None => Some(parent),
                    };
                    match inside {
                        Some(inside) => self.set(inside, &inline.node.selection_set.node, depth, once),
                        None => 0,
                    }
                }
                Selection::FragmentSpread(spread) => {
                    self.directives += spread.node.directives.len();
                    let name = &spread.node.fragment_name.node;
                    match self.fragments.get(name) {
                        Some(fragment) => self.fragment(name, &fragment.node, depth),
                        // The library says that there is no such fragment.
                        None => 0,
                    }
                }
            });
        }
        cost
    }

    fn fragment(&mut self, name: &'a str, fragment: &'a FragmentDefinition, depth: usize) -> u64 {
        if self.open.contains(&name) {
            return 0;
        }
        if depth == 1
            && let Some(cost) = self.costs.get(name)
        {
            return *cost;
        }
        // Bounded: a fragment is walked anew at every depth at most once, and depth is bounded.
        self.open.push(name);
        let condition = &fragment.type_condition;
        let cost = match self.condition(&condition.node.on.node, condition.pos) {
            Some(inside) => self.set(inside, &fragment.selection_set.node, depth, true),
            None => 0,
        };
        self.open.pop();
        self.costs.insert(name, cost);
        cost
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
    ) -> u64 {
        self.aliases += usize::from(field.alias.is_some());
        self.directives += field.directives.len();
        let name = field.name.node.as_str();
        if name == "__typename" {
            return 0;
        }
        if parent.name == "Query" && matches!(name, "__schema" | "__type") {
            return self.introspection(&field.selection_set.node, 1);
        }
        let fields = parent.fields();
        let Some(def) =
            fields.and_then(|fields| fields.get(name)).filter(|def| def.audiences.holds(self.audience))
        else {
            self.fault(position, format!("Unknown field \"{name}\" on type \"{}\".", parent.name));
            return 0;
        };
        let length = self.arguments(parent, def, field);
        let Some(inside) = self.types.seen(def.ty.name(), self.audience) else { return 1 };
        if inside.fields().is_none() || field.selection_set.node.items.is_empty() {
            return 1;
        }
        let inner = self.set(inside, &field.selection_set.node, depth + 1, length.is_some());
        let times = match length {
            Some(length) => length,
            None if def.ty.is_list() && !once => LIST_COST,
            None => 1,
        };
        1_u64.saturating_add(times.saturating_mul(inner))
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

    /// The library answers introspection with what `visible` leaves of it; here it is only counted.
    fn introspection(&mut self, set: &'a SelectionSet, depth: usize) -> u64 {
        if depth > DEEPEST_INTROSPECTION {
            self.limit("The document is nested too deeply.");
            return 0;
        }
        let mut cost: u64 = 0;
        for selection in &set.items {
            cost = cost.saturating_add(match &selection.node {
                Selection::Field(field) => {
                    self.aliases += usize::from(field.node.alias.is_some());
                    1_u64.saturating_add(self.introspection(&field.node.selection_set.node, depth + 1))
                }
                Selection::InlineFragment(inline) => {
                    self.introspection(&inline.node.selection_set.node, depth)
                }
                Selection::FragmentSpread(spread) => {
                    match self.fragments.get(&spread.node.fragment_name.node) {
                        Some(fragment) if !self.open.contains(&fragment_name(spread)) => {
                            self.open.push(fragment_name(spread));
                            let inner = self.introspection(&fragment.node.selection_set.node, depth);
                            self.open.pop();
                            inner
                        }
                        _ => 0,
                    }
                }
            });
        }
        cost
    }
}

fn fragment_name(spread: &Positioned<async_graphql_parser::types::FragmentSpread>) -> &str {
    spread.node.fragment_name.node.as_str()
}
