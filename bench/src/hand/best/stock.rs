//! What lies at the store of a facility.

use actix_web::HttpRequest;
use api::{
    graphql::render::write_str,
    id::{Kind, write},
};
use chrono::NaiveDate;
use uuid::Uuid;

use super::{
    super::{Answer, Asked, PageOf, PoolData, SharedData, account, bad, broken, json, now, uuid},
    STOCK, date, int,
};

pub async fn stock(
    shared: SharedData,
    pools: PoolData,
    asked: Asked<PageOf>,
    request: HttpRequest,
) -> Answer {
    let account = account(&shared, &request).await?;
    if account.role != "COORDINATOR" {
        return Err(bad("not for this role"));
    }
    let memory = &shared.memory;
    let facility = uuid(&asked.facility)?;
    let places: Vec<Uuid> = memory
        .stores
        .iter()
        .filter(|(_, store)| store.facility == facility && store.organization == account.organization)
        .map(|(id, _)| *id)
        .collect();
    let taken = pools.main.shared();
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 2] = [&account.organization, &places];
    let found = taken.connection.client.query(&taken.connection.statements[STOCK], &parameters).await;
    let today = now().date_naive();
    let mut out = Vec::with_capacity(16 * 1024);
    out.extend_from_slice(b"{\"data\":{\"stockOnHand\":[");
    for (place, row) in found.map_err(broken)?.iter().enumerate() {
        out.extend_from_slice(if place > 0 { b",{\"quantity\":" } else { b"{\"quantity\":" });
        int(&mut out, row.get(1));
        out.extend_from_slice(b",\"asOf\":");
        date(&mut out, today);
        out.extend_from_slice(b",\"place\":");
        out.extend_from_slice(memory.stores.get(&row.get(0)).map_or(b"null", |store| &store.json));
        out.extend_from_slice(b",\"lot\":{\"id\":\"");
        write(Kind::StockLot, row.get(2), &mut out);
        out.extend_from_slice(b"\",\"number\":");
        match row.get::<_, Option<&str>>(3) {
            Some(number) => write_str(&mut out, number),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"expiresOn\":");
        match row.get::<_, Option<NaiveDate>>(4) {
            Some(day) => date(&mut out, day),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"item\":");
        let item = row.get::<_, Option<Uuid>>(5).and_then(|id| memory.items.get(&id));
        out.extend_from_slice(item.map_or(b"null", |item| &item.json));
        out.extend_from_slice(b",\"kit\":");
        let kit = row.get::<_, Option<Uuid>>(6).and_then(|id| memory.kits.get(&id));
        out.extend_from_slice(kit.map_or(b"null", |kit| &kit.code_json));
        out.extend_from_slice(b"}}");
    }
    out.extend_from_slice(b"]}}");
    json(out)
}
