//! The checks of a recording, against memory, and the rows that it writes.

use api::store::class::{ClassInput, LineClassInput, classify};
use chrono::NaiveDate;
use entity::value::{RowClass, Sensitivity};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    memory::{Account, Memory},
    now, uuid,
};

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// Of a delivery that is recorded by itself.
    idempotency_key: Option<String>,
    /// Of one that a device sends with others.
    client_id: Option<Uuid>,
    facility: String,
    program: String,
    occurred_on: NaiveDate,
    people_reached: i32,
    reach_method: String,
    lines: Vec<LineInput>,
}

/// What a device sends.
#[derive(Deserialize)]
pub struct Rows {
    pub rows: Vec<Input>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct LineInput {
    supplied: Supplied,
    kit_version: Option<i32>,
    quantity: i32,
    people_reached: Option<i32>,
}

#[derive(Deserialize, Serialize)]
struct Supplied {
    item: Option<String>,
    kit: Option<String>,
}

/// What will be written; one entry of each list is a line.
pub struct Recording {
    pub operation: &'static str,
    /// Whose key it is.
    pub of: Uuid,
    pub key: String,
    pub hash: Vec<u8>,
    pub client_id: Option<Uuid>,
    pub id: Uuid,
    pub audit_id: Uuid,
    pub event_id: Uuid,
    pub now: chrono::DateTime<chrono::Utc>,
    pub facility: Uuid,
    pub program: Uuid,
    pub occurred_on: NaiveDate,
    pub people_reached: i32,
    pub reach_method: String,
    pub class: &'static str,
    pub shown: Vec<bool>,
    pub items: Vec<Option<Uuid>>,
    pub kits: Vec<Option<Uuid>>,
    pub versions: Vec<Option<i32>>,
    pub quantities: Vec<i32>,
    pub reached: Vec<i32>,
}

/// All devices of an organisation have their keys under one number.
const DEVICES: Uuid = Uuid::from_u128(1);

/// Nothing when the input breaks a rule; which one, these servers do not say.
pub fn check(memory: &Memory, account: &Account, body: &[u8]) -> Option<Recording> {
    let input: Input = serde_json::from_slice(body).ok()?;
    check_input(memory, account, &input, Sha256::digest(body).to_vec())
}

/// As [`check`], for one of the rows that a device sends.
pub fn check_row(memory: &Memory, account: &Account, input: &Input) -> Option<Recording> {
    input.client_id?;
    check_input(memory, account, input, Sha256::digest(serde_json::to_vec(input).ok()?).to_vec())
}

#[expect(clippy::disallowed_methods, reason = "written by hand, beside Umbral's own code")]
fn check_input(memory: &Memory, account: &Account, input: &Input, hash: Vec<u8>) -> Option<Recording> {
    let (operation, of, key) = match (&input.idempotency_key, input.client_id) {
        (Some(key), None) => ("recordDistribution", account.id, key.clone()),
        (None, Some(id)) => ("syncDistributions", DEVICES, format!("{id}/0")),
        _ => return None,
    };
    let now = now();
    let (facility, program_id) = (uuid(&input.facility).ok()?, uuid(&input.program).ok()?);
    let program = memory.programs.get(&program_id)?;
    let day = input.occurred_on;
    let fine = account.role == "COORDINATOR"
        && (1..=200).contains(&key.len())
        && memory.facilities.get(&facility)?.open
        && program.open
        && program.organization == account.organization
        && program.starts_on <= day
        && program.ends_on.is_none_or(|last| day <= last)
        && program.sites.contains(&facility)
        && day <= now.date_naive()
        && (0..=1_000_000).contains(&input.people_reached)
        && ["COUNTED", "ESTIMATED_PER_KIT", "ESTIMATED_OTHER"].contains(&input.reach_method.as_str())
        && (1..=100).contains(&input.lines.len());
    if !fine {
        return None;
    }
    let mut recording = Recording {
        operation,
        of,
        key,
        hash,
        client_id: input.client_id,
        id: Uuid::new_v4(),
        audit_id: Uuid::new_v4(),
        event_id: Uuid::new_v4(),
        now,
        facility,
        program: program_id,
        occurred_on: day,
        people_reached: input.people_reached,
        reach_method: input.reach_method.clone(),
        class: "",
        shown: Vec::new(),
        items: Vec::new(),
        kits: Vec::new(),
        versions: Vec::new(),
        quantities: Vec::new(),
        reached: Vec::new(),
    };
    let mut sensitivities = Vec::new();
    for line in &input.lines {
        let reached = line.people_reached.unwrap_or(input.people_reached);
        if !(1..=1_000_000).contains(&line.quantity) || !(0..=input.people_reached).contains(&reached) {
            return None;
        }
        let (item, kit, version, sensitive) = supplied(memory, line, day)?;
        let twice = recording
            .items
            .iter()
            .zip(&recording.kits)
            .zip(&recording.versions)
            .any(|((a, b), c)| (*a, *b, *c) == (item, kit, version));
        if twice {
            return None;
        }
        sensitivities.push(if sensitive { Sensitivity::Sensitive } else { Sensitivity::General });
        recording.items.push(item);
        recording.kits.push(kit);
        recording.versions.push(version);
        recording.quantities.push(line.quantity);
        recording.reached.push(reached);
    }
    let lines = recording.quantities.iter().zip(&recording.reached).zip(sensitivities);
    let (class, shown) = classify(&ClassInput {
        people_reached: input.people_reached,
        program: if program.sensitive { Sensitivity::Sensitive } else { Sensitivity::General },
        lines: lines
            .map(|((quantity, reached), sensitivity)| LineClassInput {
                quantity: *quantity,
                people_reached: *reached,
                sensitivity,
            })
            .collect(),
    });
    recording.class = if class == RowClass::Operations { "OPERATIONS" } else { "RECORDS" };
    recording.shown = shown;
    Some(recording)
}

type Checked = (Option<Uuid>, Option<Uuid>, Option<i32>, bool);

fn supplied(memory: &Memory, line: &LineInput, day: NaiveDate) -> Option<Checked> {
    match (&line.supplied.item, &line.supplied.kit) {
        (Some(item), None) if line.kit_version.is_none() => {
            let id = uuid(item).ok()?;
            let item = memory.items.get(&id)?;
            item.open.then_some((Some(id), None, None, item.sensitive))
        }
        (None, Some(kit)) => {
            let id = uuid(kit).ok()?;
            let kit = memory.kits.get(&id)?;
            let version = match line.kit_version {
                Some(number) => kit.versions.iter().find(|version| version.number == number)?,
                None => {
                    kit.versions.iter().rfind(|version| version.valid_from <= day).or(kit.versions.first())?
                }
            };
            let inside = version
                .lines
                .iter()
                .any(|(item, _)| memory.items.get(item).is_none_or(|item| item.sensitive));
            kit.open.then_some((None, Some(id), Some(version.number), kit.sensitive || inside))
        }
        _ => None,
    }
}
