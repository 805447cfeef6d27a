//! Who women are and what they do, from rows in clear. No trace is left of who has read them.

use actix_web::HttpRequest;
use api::{
    graphql::render::write_str,
    id::{Kind, write},
};
use chrono::NaiveDate;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    super::{Answer, Asked, OneBy, PoolData, SharedData, account, bad, broken, json, uuid},
    ATTENDANCE, WOMEN, date, int,
};

/// `{"givenNames":…,"familyNames":…` of a row, from a column on.
fn names(row: &Row, first: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"givenNames\":");
    write_str(out, row.get(first));
    out.extend_from_slice(b",\"familyNames\":");
    write_str(out, row.get(first + 1));
}

pub async fn women(shared: SharedData, pools: PoolData, request: HttpRequest) -> Answer {
    let account = account(&shared, &request).await?;
    if account.role != "COORDINATOR" {
        return Err(bad("not for this role"));
    }
    let taken = pools.main.shared();
    let statement = &taken.connection.statements[WOMEN];
    let rows = taken.connection.client.query(statement, &[&account.organization]).await.map_err(broken)?;
    let mut out = Vec::with_capacity(24 * 1024);
    out.extend_from_slice(b"{\"data\":{\"participants\":{\"nodes\":[");
    let mut last: Option<Uuid> = None;
    for row in &rows {
        let id: Uuid = row.get(0);
        if last != Some(id) {
            out.extend_from_slice(if last.is_some() { b"]}},{\"id\":\"" } else { b"{\"id\":\"" });
            write(Kind::Participant, id, &mut out);
            out.extend_from_slice(b"\",\"code\":");
            write_str(&mut out, row.get(1));
            out.extend_from_slice(b",\"identity\":");
            names(row, 2, &mut out);
            out.extend_from_slice(b",\"birthDate\":");
            date(&mut out, row.get::<_, NaiveDate>(4));
            out.extend_from_slice(b"},\"enrolments\":{\"nodes\":[");
        }
        if let Some(enrolment) = row.get::<_, Option<Uuid>>(5) {
            out.extend_from_slice(if last == Some(id) { b",{\"id\":\"" } else { b"{\"id\":\"" });
            write(Kind::Enrolment, enrolment, &mut out);
            out.extend_from_slice(b"\",\"status\":");
            write_str(&mut out, row.get(6));
            out.extend_from_slice(b",\"startsOn\":");
            date(&mut out, row.get(7));
            out.extend_from_slice(b",\"program\":");
            let program = shared.memory.programs.get(&row.get(8));
            out.extend_from_slice(program.map_or(b"null", |program| &program.json));
            out.push(b'}');
        }
        last = Some(id);
    }
    if last.is_some() {
        out.extend_from_slice(b"]}}");
    }
    out.extend_from_slice(b"]}}}");
    json(out)
}

pub async fn attendance(
    shared: SharedData,
    pools: PoolData,
    asked: Asked<OneBy>,
    request: HttpRequest,
) -> Answer {
    let account = account(&shared, &request).await?;
    if account.role != "COORDINATOR" {
        return Err(bad("not for this role"));
    }
    let session = uuid(&asked.id)?;
    let taken = pools.main.shared();
    let statement = &taken.connection.statements[ATTENDANCE];
    let rows = taken.connection.client.query(statement, &[&account.organization, &session]).await;
    let mut out = Vec::with_capacity(12 * 1024);
    out.extend_from_slice(b"{\"data\":{\"node\":{\"attendance\":[");
    for (place, row) in rows.map_err(broken)?.iter().enumerate() {
        out.extend_from_slice(if place > 0 { b",{\"id\":\"" } else { b"{\"id\":\"" });
        write(Kind::Attendance, row.get(0), &mut out);
        out.extend_from_slice(b"\",\"mark\":");
        write_str(&mut out, row.get(1));
        out.extend_from_slice(b",\"minutes\":");
        match row.get::<_, Option<i32>>(2) {
            Some(minutes) => int(&mut out, minutes.into()),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"participant\":{\"id\":\"");
        write(Kind::Participant, row.get(3), &mut out);
        out.extend_from_slice(b"\",\"code\":");
        write_str(&mut out, row.get(4));
        out.extend_from_slice(b",\"identity\":");
        names(row, 5, &mut out);
        out.extend_from_slice(b"}}}");
    }
    out.extend_from_slice(b"]}}}");
    json(out)
}
