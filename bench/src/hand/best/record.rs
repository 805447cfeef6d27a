//! Recording deliveries: one statement for each, which is a transaction by itself.

use actix_web::HttpRequest;
use api::{
    graphql::render::write_str,
    id::{Kind, write},
};
use futures_util::future::join_all;

use super::{
    super::{
        Answer, Body, PoolData, Shared, SharedData, account, bad, broken, json,
        memory::Account,
        pool::Connection,
        record::{self, Recording, Rows},
    },
    RECORD, date, int,
};

pub async fn record(shared: SharedData, pools: PoolData, body: Body, request: HttpRequest) -> Answer {
    let account = account(&shared, &request).await?;
    let new = record::check(&shared.memory, account, &body).ok_or_else(|| bad("the input breaks a rule"))?;
    if !insert(pools.main.shared().connection, account, &new).await? {
        return Err(actix_web::error::ErrorConflict("the key was used"));
    }
    json(recorded(&shared, &new))
}

/// What a device sends: all statements follow one another on one connection, in the order of the rows, without
/// waiting for answers.
pub async fn sync(shared: SharedData, pools: PoolData, body: Body, request: HttpRequest) -> Answer {
    let account = account(&shared, &request).await?;
    let sent: Rows = serde_json::from_slice(&body).map_err(|_| bad("not what a device sends"))?;
    let checked = sent.rows.iter().map(|row| record::check_row(&shared.memory, account, row));
    let new: Option<Vec<Recording>> = checked.collect();
    let new = new.ok_or_else(|| bad("a row breaks a rule"))?;
    let taken = pools.main.shared();
    let inserted = join_all(new.iter().map(|new| insert(taken.connection, account, new))).await;
    let mut out = Vec::with_capacity(200 * new.len());
    out.extend_from_slice(b"{\"data\":{\"syncDistributions\":{\"results\":[");
    for (place, (new, inserted)) in new.iter().zip(inserted).enumerate() {
        if !inserted? {
            return Err(actix_web::error::ErrorConflict("a key was used"));
        }
        out.extend_from_slice(if place > 0 { b",{\"clientId\":" } else { b"{\"clientId\":" });
        write_str(&mut out, &new.client_id.unwrap_or_default().to_string());
        out.extend_from_slice(b",\"outcome\":\"CREATED\",\"distribution\":{\"id\":\"");
        write(Kind::Distribution, new.id, &mut out);
        out.extend_from_slice(b"\",\"version\":1},\"differences\":[],\"userErrors\":[]}");
    }
    out.extend_from_slice(b"]}}}");
    json(out)
}

/// False when the key was used before.
async fn insert(
    connection: &Connection,
    account: &Account,
    new: &Recording,
) -> std::result::Result<bool, actix_web::Error> {
    let made = connection
        .client
        .query_opt(
            &connection.statements[RECORD],
            &[
                &account.organization,
                &account.id,
                &new.key,
                &new.hash,
                &new.id,
                &new.now,
                &new.class,
                &new.facility,
                &new.program,
                &new.occurred_on,
                &new.people_reached,
                &new.reach_method,
                &new.shown,
                &new.items,
                &new.kits,
                &new.versions,
                &new.quantities,
                &new.reached,
                &new.audit_id,
                &account.role,
                &new.operation,
                &new.of,
                &new.client_id,
                &new.event_id,
            ],
        )
        .await
        .map_err(broken)?;
    Ok(made.is_some())
}

fn recorded(shared: &Shared, new: &Recording) -> Vec<u8> {
    let memory = &shared.memory;
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(b"{\"data\":{\"recordDistribution\":{\"distribution\":{\"id\":\"");
    write(Kind::Distribution, new.id, &mut out);
    out.extend_from_slice(b"\",\"version\":1,\"class\":");
    write_str(&mut out, new.class);
    out.extend_from_slice(b",\"occurredOn\":");
    date(&mut out, new.occurred_on);
    out.extend_from_slice(b",\"lines\":[");
    for (place, quantity) in new.quantities.iter().enumerate() {
        out.extend_from_slice(if place > 0 { b",{\"quantity\":" } else { b"{\"quantity\":" });
        int(&mut out, (*quantity).into());
        out.extend_from_slice(b",\"item\":");
        let item = new.items[place].and_then(|id| memory.items.get(&id));
        out.extend_from_slice(item.map_or(b"null", |item| &item.code_json));
        out.extend_from_slice(b",\"kit\":");
        let kit = new.kits[place].and_then(|id| memory.kits.get(&id));
        out.extend_from_slice(kit.map_or(b"null", |kit| &kit.code_json));
        out.push(b'}');
    }
    out.extend_from_slice(b"]},\"userErrors\":[]}}}");
    out
}
