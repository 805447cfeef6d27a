//! Examples of other people with answers that are known. They are not ours to redistribute, so that they are read where
//! they lie beside this repository; two small examples of our own say the same of the main points.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use disclosure::audit::{Constraint, Measured, Move, System, world_with};
use disclosure::*;
use serde_json::Value;

use crate::attacker::{Attacker, Found};
use crate::support::{BUSY, cells};

/// A table in which some cells are hidden and all margins are exact, as a system: each hidden cell is a unit whose
/// amount is its frequency.
struct Suppressed {
    names: Vec<String>,
    frequencies: Vec<i64>,
    /// The hidden cells of each row, column or group whose total can be read.
    margins: Vec<Vec<usize>>,
}

impl Suppressed {
    fn bounds(&self, cell: &str) -> (i64, i64) {
        let numbered = || self.frequencies.iter().enumerate().map(|(at, n)| (Unit(at as u32), *n));
        let most = 10_000;
        let measured = Measured {
            values: Values::Amounts(numbered().collect()),
            range: Some(Interval { at_least: 0, at_most: most }),
        };
        let margins = self.margins.iter().filter(|margin| !margin.is_empty()).map(|margin| {
            let sum = margin.iter().map(|&at| self.frequencies[at]).sum();
            let members = margin.iter().map(|&at| Unit(at as u32)).collect();
            Constraint { measure: 0, members, sum: Interval { at_least: sum, at_most: sum } }
        });
        let system = System::new(vec![measured], margins.collect(), UnitSet::new()).unwrap();
        let search = SearchLimits { helpers: 16, breadth: 16, steps: 100_000, walks: 0 };
        let parameters = Parameters { search, ..Parameters::default() };
        let at = self.names.iter().position(|name| name == cell).unwrap();
        let unit = Unit(at as u32);
        let furthest = |direction: i64| {
            let can =
                |by: &i64| world_with(&system, Move { unit, by: direction * by }, &parameters).is_some();
            // The worlds between two worlds are worlds, too: halve the distance.
            let (mut reached, mut beyond) = (0, 2 * most);
            while beyond - reached > 1 {
                let middle = (reached + beyond) / 2;
                if can(&middle) { reached = middle } else { beyond = middle }
            }
            reached
        };
        (self.frequencies[at] - furthest(-1), self.frequencies[at] + furthest(1))
    }

    fn two_way(cells: &[(String, String, i64)], hidden: impl Fn(&str, &str) -> bool) -> Self {
        let hidden: Vec<_> = cells.iter().filter(|(row, column, _)| hidden(row, column)).collect();
        let of = |place: fn(&(String, String, i64)) -> &String| {
            let mut margins: BTreeMap<&String, Vec<usize>> = BTreeMap::new();
            hidden.iter().enumerate().for_each(|(at, cell)| margins.entry(place(cell)).or_default().push(at));
            margins.into_values().collect::<Vec<_>>()
        };
        let margins = [of(|cell| &cell.0), of(|cell| &cell.1)].concat();
        Self {
            names: hidden.iter().map(|(row, column, _)| format!("{row}|{column}")).collect(),
            frequencies: hidden.iter().map(|(_, _, n)| *n).collect(),
            margins,
        }
    }
}

fn data(file: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/disclosure-data").join(file);
    let text = std::fs::read_to_string(path).ok();
    if text.is_none() {
        println!("skipped: ../shared/disclosure-data/{file} is not beside the repository");
    }
    text
}

fn json(file: &str) -> Option<Value> {
    data(file).map(|text| serde_json::from_str(&text).unwrap())
}

fn expect(table: &Suppressed, bounds: &Value, separator: char) {
    for (cell, bound) in bounds.as_object().unwrap() {
        let bound = (bound[0].as_f64().unwrap() as i64, bound[1].as_f64().unwrap() as i64);
        assert_eq!(table.bounds(&cell.replace(separator, "|")), bound, "{cell}");
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn two_hidden_cells_in_each_row_and_column_are_not_enough() {
    // Rows A-D and columns a-d: A|a, A|b, B|a, B|b form one loop and C|c, C|d, D|c, D|d another; the cell that joins
    // them, A|c, belongs to no loop. Its column and its row have three hidden cells, and yet it can be read.
    let cells = |hidden: &[&str]| {
        Suppressed::two_way(&grid(), |row, column| hidden.contains(&&*format!("{row}{column}")))
    };
    let loops = ["Aa", "Ab", "Ba", "Bb", "Cc", "Cd", "Dc", "Dd", "Ac"];
    assert_eq!(cells(&loops).bounds("A|c"), (7, 7));
    let joined = [loops.as_slice(), &["Ca"]].concat();
    let (low, high) = cells(&joined).bounds("A|c");
    assert!(low < 7 && high > 7, "{low} {high}");
}

fn grid() -> Vec<(String, String, i64)> {
    let numbers = [[4, 9, 7, 30], [12, 5, 21, 16], [8, 14, 6, 11], [25, 13, 10, 3]];
    let rows = numbers.iter().zip(["A", "B", "C", "D"]);
    rows.flat_map(|(row, r)| row.iter().zip(["a", "b", "c", "d"]).map(|(n, c)| (r.into(), c.into(), *n)))
        .collect()
}

#[test]
fn a_pattern_of_others_that_leaks_has_the_bounds_that_are_known() {
    let Some(known) = json("sdcTable/hidden_leak_4x4.json") else { return };
    let inner = known["inner"].as_array().unwrap().iter();
    let cells: Vec<_> =
        inner.map(|c| (text(&c["row"]), text(&c["col"]), c["freq"].as_i64().unwrap())).collect();
    let suppressed = known["suppressed"].as_array().unwrap();
    let hidden = |row: &str, column: &str| suppressed.iter().any(|s| s[0] == row && s[1] == column);
    expect(&Suppressed::two_way(&cells, hidden), &known["bounds_before"], '|');
    let repaired = |row: &str, column: &str| hidden(row, column) || (row, column) == ("x", "b");
    expect(&Suppressed::two_way(&cells, repaired), &known["bounds_after"], '|');
}

#[test]
fn a_small_primary_cell_has_the_bounds_that_are_known() {
    let Some(known) = json("sdcTable/microdata1_suppression_check.json") else { return };
    let table = known["table"].as_array().unwrap();
    let cell = |c: &Value| (text(&c["cell"][0]), text(&c["cell"][1]), c["freq"].as_i64().unwrap());
    let numbers =
        |key: &str| known[key].as_array().unwrap().iter().map(|i| i.as_i64().unwrap()).collect::<Vec<_>>();
    let inner: Vec<_> =
        table.iter().map(cell).filter(|(row, column, _)| row != "total" && column != "total").collect();
    let pattern = |indices: Vec<i64>| {
        let hidden: Vec<_> =
            table.iter().filter(|c| indices.contains(&c["index1"].as_i64().unwrap())).map(cell).collect();
        Suppressed::two_way(&inner, |row, column| {
            hidden.iter().any(|(r, c, _)| (&**r, &**c) == (row, column))
        })
    };
    let optimal = pattern(numbers("expected_suppressed_index1_OPT_HYPERCUBE_HITAS_SIMPLEHEURISTIC"));
    expect(&optimal, &known["attacker_bounds_OPT"], '/');
    expect(&pattern(numbers("expected_GAUSS")), &known["attacker_bounds_GAUSS"], '/');
    expect(&pattern(vec![6]), &known["attacker_bounds_primary_only"], '/');
}

#[test]
fn two_tables_are_safe_and_together_they_are_not() {
    let Some(known) = json("sdcTable/linked_tables.json") else { return };
    let frequency = |name: &str| known["n"][name].as_i64().unwrap();
    let suppressed: Vec<String> = known["suppressed"].as_array().unwrap().iter().map(text).collect();
    let table = |hidden: &[String], tables: &[&str]| {
        let groups = tables.iter().flat_map(|table| known[*table].as_object().unwrap().values());
        let within = |group: &Value| {
            let group = text(group);
            hidden.iter().enumerate().filter(|(_, name)| group.contains(&***name)).map(|(at, _)| at).collect()
        };
        Suppressed {
            margins: groups.map(within).collect(),
            names: hidden.to_vec(),
            frequencies: hidden.iter().map(|name| frequency(name)).collect(),
        }
    };
    let (one, other) = (["table1_groups"], ["table2_groups"]);
    let both = ["table1_groups", "table2_groups"];
    expect(&table(&suppressed, &one), &known["bounds"]["table1_alone"], '|');
    expect(&table(&suppressed, &other), &known["bounds"]["table2_alone"], '|');
    expect(&table(&suppressed, &both), &known["bounds"]["linked"], '|');
    let more = [suppressed, vec!["N".to_owned()]].concat();
    expect(&table(&more, &both), &known["bounds"]["linked_plus_N"], '|');
}

/// Two classifications of the same hundred people: whether they are women is the answer.
#[test]
fn linked_classifications_of_other_peoples_microdata_stay_unknown() {
    let Some(text) = data("sdcTable/microdata2.csv") else { return };
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let names = ["region", "ecoOld", "ecoNew"];
    let column = [0, 2, 3];
    let mut groups: BTreeMap<DimensionCode, BTreeMap<CategoryCode, UnitSet>> = BTreeMap::new();
    let mut yes = UnitSet::new();
    for (at, row) in rows.iter().enumerate() {
        let unit = Unit(at as u32);
        for (name, column) in names.iter().zip(column) {
            groups.entry((*name).into()).or_default().entry(row[column].into()).or_default().insert(unit);
        }
        if row[1] == "f" {
            yes.insert(unit);
        }
    }
    let tables = [vec![], vec![0], vec![1], vec![2], vec![0, 1], vec![0, 2]];
    let registry = Registry {
        variables: vec![crate::support::variable("female", BUSY)],
        dimensions: groups
            .iter()
            .map(|(code, groups)| Dimension {
                code: code.clone(),
                role: Role::Other,
                sensitive: BTreeSet::new(),
                categories: groups.keys().cloned().collect(),
            })
            .collect(),
        tables: tables
            .iter()
            .map(|dimensions| TableSpec {
                code: TableCode(format!("{dimensions:?}")),
                variable: "female".into(),
                dimensions: dimensions.iter().map(|&at| names[at].into()).collect(),
            })
            .collect(),
        drop_order: names.map(Into::into).to_vec(),
    };
    let everybody: UnitSet = (0..rows.len() as u32).map(Unit).collect();
    let round = Round {
        code: "R".into(),
        kind: RoundKind::Survey,
        eligible: everybody.clone(),
        respondents: everybody,
        groups,
        measures: vec![Measure { variable: "female".into(), values: Values::Yes(yes.clone()) }],
    };
    let snapshot = Snapshot {
        period: Period::Year { year: 2024 },
        rounds: vec![round],
        withdrawn: UnitSet::new(),
        known: BTreeMap::new(),
    };
    let mut history = History::default();
    history.publish(prepare(&history, &snapshot, &registry, &Parameters::default()).unwrap().record);
    let published: Vec<_> = cells(&history).into_iter().map(|(_, c)| (c.members.clone(), c.sum)).collect();
    println!("microdata2: {} cells of {} people", published.len(), rows.len());
    assert!(published.len() >= 5);
    assert_eq!(Attacker::new(&published, &yes).attack(&UnitSet::new()), Found::default());
}

#[test]
fn the_public_rounding_rule_is_the_one_that_the_attack_is_made_on() {
    let Some(text) = data("ons/ons_10_5_rule_pcv_1_60.csv") else { return };
    for line in text.lines().skip(1) {
        let row: Vec<&str> = line.split(',').collect();
        let count: i64 = row[0].parse().unwrap();
        assert_eq!(row[3].parse::<i64>().ok(), crate::scenario::rounded(count), "{count}");
    }
}
