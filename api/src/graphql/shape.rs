//! The shape of a document, before it is held against a schema: its aliases, its directives, and fragments that
//! spread themselves, which nothing could walk to the end.

use std::collections::HashMap;

use async_graphql_parser::{
    Positioned,
    types::{Directive, ExecutableDocument, FragmentSpread, Selection, SelectionSet},
};

use super::wall::Fault;

const MOST_ALIASES: usize = 100;
const MOST_DIRECTIVES: usize = 50;
/// The longest chain of fragments that spread one another.
const DEEPEST_SPREADS: usize = 50;

/// # Errors
/// What the document has too much of, and which fragments spread themselves.
pub fn check(document: &ExecutableDocument) -> Result<(), Vec<Fault>> {
    let mut all = Shape::default();
    for (_, operation) in document.operations.iter() {
        all.directives(&operation.node.directives);
        all.add(&operation.node.selection_set.node);
    }
    let mut spreads: Spreads<'_> = HashMap::new();
    let mut fragments: Vec<_> = document.fragments.iter().collect();
    fragments.sort_unstable_by_key(|(name, _)| name.as_str());
    all.spreads.clear();
    for (name, fragment) in &fragments {
        all.directives(&fragment.node.directives);
        all.add(&fragment.node.selection_set.node);
        spreads.insert(name.as_str(), std::mem::take(&mut all.spreads));
    }
    if all.aliases > MOST_ALIASES {
        return Err(vec![Fault::too_large("The document has too many aliases.")]);
    }
    if all.directives > MOST_DIRECTIVES {
        return Err(vec![Fault::too_large("The document has too many directives.")]);
    }
    if let Some(directive) = all.unknown {
        let name = &directive.node.name.node;
        let message = format!("There is no directive \"@{name}\" with these arguments.");
        return Err(vec![Fault::invalid(directive.pos, message)]);
    }
    let mut followed = HashMap::new();
    fragments
        .into_iter()
        .try_for_each(|(name, _)| follow(name, &spreads, &mut followed, 0))
        .map_err(|fault| vec![fault])
}

type Spreads<'a> = HashMap<&'a str, Vec<&'a Positioned<FragmentSpread>>>;

/// Follows what a fragment spreads. `followed` says of a fragment whether all below it has been followed.
fn follow<'a>(
    name: &'a str,
    spreads: &Spreads<'a>,
    followed: &mut HashMap<&'a str, bool>,
    depth: usize,
) -> Result<(), Fault> {
    if followed.contains_key(name) {
        return Ok(());
    }
    if depth > DEEPEST_SPREADS {
        return Err(Fault::too_large("The document is nested too deeply."));
    }
    followed.insert(name, false);
    for spread in spreads.get(name).into_iter().flatten() {
        let next = spread.node.fragment_name.node.as_str();
        if followed.get(next) == Some(&false) {
            return Err(Fault::invalid(spread.pos, format!("Fragment \"{next}\" spreads itself.")));
        }
        follow(next, spreads, followed, depth + 1)?;
    }
    followed.insert(name, true);
    Ok(())
}

/// What is counted.
#[derive(Default)]
struct Shape<'a> {
    aliases: usize,
    directives: usize,
    /// The library does not look at directives of `__typename`.
    unknown: Option<&'a Positioned<Directive>>,
    spreads: Vec<&'a Positioned<FragmentSpread>>,
}

impl<'a> Shape<'a> {
    fn directives(&mut self, directives: &'a [Positioned<Directive>]) {
        self.directives += directives.len();
        let known = |directive: &Directive| {
            matches!(directive.name.node.as_str(), "skip" | "include")
                && directive.get_argument("if").is_some()
        };
        self.unknown = self.unknown.or(directives.iter().find(|directive| !known(&directive.node)));
    }

    fn add(&mut self, set: &'a SelectionSet) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    self.aliases += usize::from(field.node.alias.is_some());
                    self.directives(&field.node.directives);
                    self.add(&field.node.selection_set.node);
                }
                Selection::InlineFragment(inline) => {
                    self.directives(&inline.node.directives);
                    self.add(&inline.node.selection_set.node);
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.node.directives);
                    self.spreads.push(spread);
                }
            }
        }
    }
}
