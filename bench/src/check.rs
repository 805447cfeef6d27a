//! That all answer the same, before any of them is measured.

use std::net::SocketAddr;

use serde_json::Value;
use tokio_postgres::Client;

use crate::{
    Result,
    cases::{Asked, Name, Samples},
    load,
    setup::Contender,
};

/// What an answer says, new ids of a recording aside.
fn said(name: Name, body: &[u8]) -> Result<Value> {
    let mut answer: Value = serde_json::from_slice(body)?;
    let mut data = answer["data"].take();
    if data.is_null() {
        return Err(format!("{}: {}", name.text(), String::from_utf8_lossy(body)).into());
    }
    for made in made(name, &mut data) {
        made["id"].take();
    }
    for result in synced(&mut data) {
        result["clientId"].take();
    }
    Ok(data)
}

/// The deliveries that an answer says were made.
fn made(name: Name, data: &mut Value) -> Vec<&mut Value> {
    match name {
        Name::Record => vec![&mut data["recordDistribution"]["distribution"]],
        Name::Sync => synced(data).map(|result| &mut result["distribution"]).collect(),
        _ => Vec::new(),
    }
}

/// The answers to the rows that a device sent.
fn synced(data: &mut Value) -> impl Iterator<Item = &mut Value> {
    data.pointer_mut("/syncDistributions/results").and_then(Value::as_array_mut).into_iter().flatten()
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
    let Some((ours, others)) = contenders[..name.servers()].split_first() else { return Ok(()) };
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

/// That each has written the same rows: the first and the last delivery of an answer as they are in the database,
/// without what is new in each (ids, times, keys and digests).
///
/// # Errors
/// When they differ.
pub async fn same_rows(
    db: &Client,
    contenders: &[Contender; 3],
    samples: &Samples,
    name: Name,
) -> Result<()> {
    let mut written: Vec<Vec<String>> = Vec::new();
    for contender in &contenders[..name.servers()] {
        let requests = samples.requests(name, contender.asked);
        let mut data = load::data(contender.server.address, &requests.texts[0]).await?;
        let made = made(name, &mut data);
        if made.len() != name.rows() {
            return Err(format!("{}: {} rows answered", name.text(), made.len()).into());
        }
        let mut rows = Vec::new();
        for delivery in made.first().into_iter().chain(made.last()) {
            let id = delivery["id"].as_str().and_then(api::id::GlobalId::parse);
            let id = id.ok_or("a recording without an id")?.id;
            rows.push(db.query_one(ROWS, &[&id]).await?.get(0));
        }
        written.push(rows);
    }
    if written.iter().any(|rows| *rows != written[0]) {
        return Err(format!("{}: the rows differ:\n{written:#?}", name.text()).into());
    }
    Ok(())
}

const ROWS: &str = "SELECT jsonb_build_object(
    'row', (SELECT to_jsonb(d) - '{id,recorded_at,client_id}'::text[]
        || jsonb_build_object('of_a_device', client_id IS NOT NULL)
      FROM distribution d WHERE d.id = $1),
    'lines', (SELECT jsonb_agg(to_jsonb(l) - '{distribution_id}'::text[] ORDER BY position)
      FROM distribution_line l WHERE l.distribution_id = $1),
    'key', (SELECT to_jsonb(i) - '{key,input_hash,object_id,recorded_at}'::text[]
        || jsonb_build_object('key', length(i.key), 'digest', length(i.input_hash))
      FROM idempotency i WHERE i.object_id = $1),
    'trace', (SELECT to_jsonb(a) - '{id,entity_id,recorded_at}'::text[]
      FROM audit_event a WHERE a.entity_id = $1),
    'event', (SELECT to_jsonb(o) - '{id,row_id,recorded_at,transaction_id,sequence}'::text[]
      FROM outbox o WHERE o.row_id = $1),
    'change', (SELECT to_jsonb(c) - '{row_id,changed}'::text[]
        || jsonb_build_object('one_transaction', c.changed = (SELECT transaction_id FROM outbox WHERE row_id = $1))
      FROM change c WHERE c.row_id = $1))::text";
