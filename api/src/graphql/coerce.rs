//! Coercion of input values, before anything runs: names that the audience may not see are unknown, and a bad
//! value in a second mutation cannot follow a committed first.

use async_graphql::{Name, Value as Const};
use async_graphql_parser::types::{BaseType, Type};
use async_graphql_value::Value;
use indexmap::IndexMap;

use super::{
    audience::Audience,
    types::{Base, Kind, TypeRef, Types},
};

/// The values of a request's variables, coerced to their types. One that was not given is not there.
pub type Variables = IndexMap<Name, Const>;

/// The most members of a list in an input: what is longer is no question that a person asks.
const LONGEST_LIST: usize = 500;

/// Where a value comes from: JSON writes an enum value as a string, a document does not.
#[derive(Clone, Copy, PartialEq)]
pub enum Origin {
    Json,
    Document,
}

pub struct Coercion<'a> {
    pub types: &'a Types,
    pub audience: Audience,
    pub variables: &'a Variables,
}

impl Coercion<'_> {
    /// The value that a resolver gets; none when a variable was left out.
    ///
    /// # Errors
    /// What is wrong, in words for the client.
    pub fn value(&self, ty: &TypeRef, value: &Value, origin: Origin) -> Result<Option<Const>, String> {
        if let Value::Variable(name) = value {
            return match self.variables.get(name) {
                Some(Const::Null) | None if !ty.nullable => {
                    Err(format!("expected a value of type \"{ty}\", found null"))
                }
                given => Ok(given.cloned()),
            };
        }
        if matches!(value, Value::Null) {
            return if ty.nullable {
                Ok(Some(Const::Null))
            } else {
                Err(format!("expected a value of type \"{ty}\", found null"))
            };
        }
        match &ty.base {
            Base::List(inner) => {
                let items = match value {
                    Value::List(items) => items.as_slice(),
                    single => std::slice::from_ref(single),
                };
                if items.len() > LONGEST_LIST {
                    return Err(format!("a list may have at most {LONGEST_LIST} members"));
                }
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    list.push(self.value(inner, item, origin)?.unwrap_or(Const::Null));
                }
                Ok(Some(Const::List(list)))
            }
            Base::Named(name) => self.named(name, value, origin).map(Some),
        }
    }

    fn named(&self, name: &str, value: &Value, origin: Origin) -> Result<Const, String> {
        let expected = || format!("expected a value of type \"{name}\"");
        let def = self.types.seen(name, self.audience).ok_or_else(|| format!("Unknown type \"{name}\"."))?;
        match &def.kind {
            Kind::Scalar(valid) => {
                let value = value.clone().into_const().ok_or_else(expected)?;
                // An Int may stand where a Float or an ID is asked for.
                let value = match (name, value) {
                    ("ID", Const::Number(number)) if number.is_i64() => Const::String(number.to_string()),
                    (_, value) => value,
                };
                if valid(&value) { Ok(value) } else { Err(expected()) }
            }
            Kind::Enum(values) => {
                let word = match (value, origin) {
                    (Value::Enum(word), _) => word.as_str(),
                    (Value::String(word), Origin::Json) => word.as_str(),
                    _ => return Err(expected()),
                };
                match values.get(word).filter(|value| value.audiences.holds(self.audience)) {
                    Some(value) => Ok(Const::Enum(Name::new(&value.name))),
                    None => Err(format!("Value \"{word}\" does not exist in enum \"{name}\".")),
                }
            }
            Kind::Input { fields, one_of } => {
                let Value::Object(given) = value else { return Err(expected()) };
                for field in given.keys() {
                    if !fields.get(field.as_str()).is_some_and(|def| def.audiences.holds(self.audience)) {
                        return Err(format!("Unknown field \"{field}\" on input type \"{name}\"."));
                    }
                }
                let mut object = IndexMap::new();
                for def in fields.values().filter(|def| def.audiences.holds(self.audience)) {
                    let coerced = match given.get(def.name.as_str()) {
                        Some(value) => self
                            .value(&def.ty, value, origin)
                            .map_err(|fault| format!("at \"{}\": {fault}", def.name))?,
                        None if !def.ty.nullable => {
                            return Err(format!("field \"{}\" of type \"{}\" is required", def.name, def.ty));
                        }
                        None => None,
                    };
                    if let Some(value) = coerced {
                        object.insert(Name::new(&def.name), value);
                    }
                }
                if *one_of && (object.len() != 1 || object.values().any(|value| *value == Const::Null)) {
                    return Err(format!("give exactly one field of \"{name}\""));
                }
                Ok(Const::Object(object))
            }
            Kind::Object { .. } | Kind::Interface { .. } | Kind::Union { .. } => {
                Err(format!("\"{name}\" is not an input type"))
            }
        }
    }
}

/// A type as a document writes it.
pub fn type_ref(ty: &Type) -> TypeRef {
    let base = match &ty.base {
        BaseType::Named(name) => Base::Named(name.to_string()),
        BaseType::List(inner) => Base::List(Box::new(type_ref(inner))),
    };
    TypeRef { nullable: ty.nullable, base }
}
