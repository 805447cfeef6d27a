//! That all three answer the same, before any of them is measured.

use std::net::SocketAddr;

use serde_json::Value;
use tokio_postgres::Client;

use crate::{
    Result,
    cases::{Asked, Name, Samples},
    load,
    run::Contender,
};

/// What an answer says, the new id of a recording aside.
fn said(name: Name, body: &[u8]) -> Result<Value> {
    let mut answer: Value = serde_json::from_slice(body)?;
    let mut data = answer["data"].take();
    if name == Name::Record {
        data["recordDistribution"]["distribution"]["id"].take();
    }
    if data.is_null() {
        return Err(format!("{}: {}", name.text(), String::from_utf8_lossy(body)).into());
    }
    Ok(data)
}

async fn answer(address: SocketAddr, samples: &Samples, name: Name, asked: Asked) -> Result<Vec<Value>> {
    let mut answers = Vec::new();
    for request in samples.requests(name, asked).texts.iter().take(8) {
        let (status, body) = load::ask(address, request).await?;
        if status != 200 {
            return Err(format!("{}: {status} {}", name.text(), String::from_utf8_lossy(&body)).into());
        }
        answers.push(said(name, &body)?);
    }
    Ok(answers)
}

/// # Errors
/// Where two answers differ.
pub async fn same(contenders: &[Contender; 3], samples: &Samples, name: Name) -> Result<()> {
    let [ours, others @ ..] = contenders;
    let expected = answer(ours.server.address, samples, name, ours.asked).await?;
    for other in others {
        let found = answer(other.server.address, samples, name, other.asked).await?;
        for (expected, found) in expected.iter().zip(&found) {
            if let Some(difference) = difference(expected, found, "data") {
                return Err(format!("{}, {}: {difference}", name.text(), other.name).into());
            }
        }
    }
    Ok(())
}

/// The first place where two answers differ, cursors included: all three seal with one key.
fn difference(expected: &Value, found: &Value, place: &str) -> Option<String> {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => a.iter().find_map(|(key, value)| {
            difference(value, b.get(key).unwrap_or(&Value::Null), &format!("{place}.{key}"))
        }),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(index, (a, b))| difference(a, b, &format!("{place}[{index}]"))),
        _ => (expected != found).then(|| format!("{place}: {expected} is not {found}")),
    }
}

/// That each of the three has written the same rows: the last deliveries in the database, without what is new in
/// each (ids, times, keys and digests).
///
/// # Errors
/// When they differ.
pub async fn same_rows(db: &Client, contenders: &[Contender; 3], samples: &Samples) -> Result<()> {
    let mut written: Vec<String> = Vec::new();
    for contender in contenders {
        let requests = samples.requests(Name::Record, contender.asked);
        let (_, body) = load::ask(contender.server.address, &requests.texts[0]).await?;
        let answer: Value = serde_json::from_slice(&body)?;
        let id = answer["data"]["recordDistribution"]["distribution"]["id"].as_str().unwrap_or_default();
        let id = api::id::GlobalId::parse(id).ok_or("a recording without an id")?.id;
        let row = db.query_one(ROWS, &[&id]).await?;
        written.push(row.get(0));
    }
    if written.iter().any(|rows| *rows != written[0]) {
        return Err(format!("rows of a recording differ:\n{}", written.join("\n")).into());
    }
    Ok(())
}

const ROWS: &str = "SELECT jsonb_build_object(
    'row', (SELECT to_jsonb(d) - '{id,recorded_at}'::text[] FROM distribution d WHERE d.id = $1),
    'lines', (SELECT jsonb_agg(to_jsonb(l) - '{distribution_id}'::text[] ORDER BY position)
      FROM distribution_line l WHERE l.distribution_id = $1),
    'key', (SELECT to_jsonb(i) - '{key,input_hash,object_id,recorded_at}'::text[]
        || jsonb_build_object('digest', length(i.input_hash))
      FROM idempotency i WHERE i.object_id = $1),
    'trace', (SELECT to_jsonb(a) - '{id,entity_id,recorded_at}'::text[]
      FROM audit_event a WHERE a.entity_id = $1))::text";
