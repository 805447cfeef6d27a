//! How much PostgreSQL reads for a request: the plans of its statements as they were run, from the cluster's log.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use serde_json::{Value, from_str};

use crate::postgres::Log;

/// What is read from a moment on.
pub struct Watch {
    log: Log,
    from: u64,
}

/// What statements have read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Rows of tables and entries of indexes, those included that were looked at and left out.
    pub rows: u64,
    /// Pages, as often as they were looked at.
    pub pages: u64,
    /// The scans of each statement, for people.
    pub scans: String,
}

impl Watch {
    pub(crate) fn new(log: Log) -> Self {
        let from = log.file.metadata().unwrap_or_else(fail).len();
        Self { log, from }
    }

    /// What so many statements have read, which have been answered. The server's own look at its outbox does not
    /// count.
    pub async fn reading(self, statements: u64) -> Reading {
        loop {
            // The end of a statement is in the log soon after its answer.
            let plans = self.plans();
            if plans.len() as u64 >= statements {
                assert_eq!(plans.len() as u64, statements, "{plans:#?}");
                let mut reading = Reading::default();
                for plan in &plans {
                    reading.pages += number(plan, "Shared Hit Blocks") + number(plan, "Shared Read Blocks");
                    reading.add(plan);
                    reading.scans.push('\n');
                }
                return reading;
            }
            tokio::task::yield_now().await;
        }
    }

    fn plans(&self) -> Vec<Value> {
        let mut file = File::open(&self.log.file).unwrap_or_else(fail);
        file.seek(SeekFrom::Start(self.from)).unwrap_or_else(fail);
        let mut text = Vec::new();
        file.read_to_end(&mut text).unwrap_or_else(fail);
        let text = String::from_utf8_lossy(&text);
        let begin = format!("{} LOG:  duration: ", self.log.database);
        let mut lines = text.lines().peekable();
        let mut plans = Vec::new();
        while let Some(line) = lines.next() {
            if !line.starts_with(&begin) {
                continue;
            }
            let mut json = String::new();
            // An entry goes on in lines that are indented by a tab.
            while let Some(more) = lines.next_if(|line| line.starts_with('\t')) {
                json.push_str(more);
            }
            // What is not whole yet is read the next time.
            let Ok(entry) = from_str::<Value>(&json) else { continue };
            if !entry["Query Text"].as_str().is_some_and(|text| text.contains("FROM outbox")) {
                plans.push(entry["Plan"].clone());
            }
        }
        plans
    }
}

impl Reading {
    /// Adds what the scans of a plan have looked at.
    fn add(&mut self, plan: &Value) {
        const SCANS: [&str; 5] =
            ["Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Bitmap Index Scan"];
        if plan["Node Type"].as_str().is_some_and(|scan| SCANS.contains(&scan)) {
            let once = number(plan, "Actual Rows")
                + number(plan, "Rows Removed by Filter")
                + number(plan, "Rows Removed by Index Recheck");
            let rows = once * number(plan, "Actual Loops");
            self.rows += rows;
            self.scans.push_str(&format!("{rows:>7} rows:"));
            for name in ["Node Type", "Relation Name", "Index Name", "Index Cond", "Filter"] {
                if let Some(text) = plan[name].as_str() {
                    self.scans.push_str(&format!(" {text};"));
                }
            }
            self.scans.push('\n');
        }
        for inner in plan["Plans"].as_array().into_iter().flatten() {
            self.add(inner);
        }
    }
}

fn number(plan: &Value, name: &str) -> u64 {
    plan[name].as_f64().unwrap_or_default() as u64
}

fn fail<E: std::fmt::Display, T>(error: E) -> T {
    panic!("the log of the cluster: {error}")
}
