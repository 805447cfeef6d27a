mod files;
mod registry;
mod rows;
mod sheets;

use super::*;

const HEAD: &str = "key,facility,program,occurred_on,people_reached,reach_method,item,kit,kit_version,quantity,line_people_reached\n";

/// The rows of a file of deliveries whose header is the full one.
fn deliveries(rows: &str) -> Result<Vec<DistributionRow>, Vec<Fault>> {
    match read(format!("{HEAD}{rows}").as_bytes(), Kind::Distributions, Encoding::Utf8)?.rows {
        Rows::Distributions(rows) => Ok(rows),
        other => panic!("{other:?}"),
    }
}

/// Line, column and code of every fault.
fn faults<T: std::fmt::Debug>(read: Result<T, Vec<Fault>>) -> Vec<(u32, String, &'static str)> {
    let list = read.unwrap_err();
    assert!(list.iter().all(|fault| !fault.reason.en.is_empty() && !fault.reason.es.is_empty()));
    list.into_iter().map(|fault| (fault.line, fault.column.unwrap_or_default(), fault.code.name())).collect()
}

/// The faults expected, as `faults` gives them.
fn at(expected: &[(u32, &str, &'static str)]) -> Vec<(u32, String, &'static str)> {
    expected.iter().map(|&(line, column, code)| (line, column.to_owned(), code)).collect()
}
