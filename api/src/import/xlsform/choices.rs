//! The lists that questions choose from.

use std::collections::BTreeMap;

use super::sheets::{Labels, Row, Table, given};
use crate::{
    import::{Faults, responses},
    store::survey::instrument::OptionInput,
};

/// A list of choices.
#[derive(Default)]
pub(super) struct List {
    pub options: Vec<OptionInput>,
    /// Where in the sheet each of the options stands.
    pub lines: Vec<u32>,
    /// Whether a choice of it could not be read, which is then told there.
    pub broken: bool,
}

impl List {
    /// Whether one of the choices is yes and the other no.
    pub fn is_yes_or_no(&self) -> bool {
        let mut said: Vec<_> = self.options.iter().map(|option| responses::yes_or_no(&option.code)).collect();
        said.sort_unstable();
        said == [Some(false), Some(true)]
    }
}

/// The lists by name. That a woman refused or does not know needs no choice: every question takes it.
pub(super) fn read(
    table: &Table,
    survey: &Labels,
    default: Option<&str>,
    faults: &mut Faults,
) -> BTreeMap<String, List> {
    let mut lists: BTreeMap<String, List> = BTreeMap::new();
    let mut labels = None;
    for row in table.rows() {
        let name = row.cell_of(&["list_name", "list name"]);
        if name.is_empty() {
            // Rows that divide a long sheet into parts.
            continue;
        }
        if labels.is_none() {
            labels = Labels::find(table, default, faults);
        }
        let Some(labels) = &labels else { return lists };
        let list = lists.entry(name.to_owned()).or_default();
        match choice(&row, labels, &survey.original, faults) {
            Some(option) if responses::missing(&option.code).is_some() => {}
            Some(option) => {
                list.options.push(option);
                list.lines.push(row.line());
            }
            None => list.broken = true,
        }
    }
    lists
}

fn choice(row: &Row<'_>, labels: &Labels, original: &str, faults: &mut Faults) -> Option<OptionInput> {
    let column = if row.cell("value").is_empty() { "name" } else { "value" };
    let code = given(row, column, faults);
    let text = labels.of(row, original, faults);
    Some(OptionInput { code: code?.to_owned(), text: text? })
}
