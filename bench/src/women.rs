//! Women with enrolments and a session that they were at: the demonstration data have none. Who they are is written once
//! more in clear, for the server by hand.

use std::net::SocketAddr;

use api::id::{GlobalId, Kind, text};
use serde_json::json;
use tokio_postgres::Client;

use crate::{
    Result,
    cases::{ORGANIZATION, Samples},
    stock::act,
};

/// More than a page, and how many of them were at the session.
const WOMEN: usize = 60;
const PRESENT: usize = 40;

/// Who women are, in clear. The server by hand names it in its statements, so it is there in every run.
pub async fn table(db: &Client) -> Result<()> {
    let sql = "CREATE TABLE bench_woman (organization_id uuid, id uuid, code text, given_names text, family_names text, \
               birth_date date, PRIMARY KEY (organization_id, id)); \
               CREATE INDEX bench_woman_code ON bench_woman (organization_id, code, id)";
    Ok(db.batch_execute(sql).await?)
}

/// Registers and enrols women, and records a session: its id.
pub async fn fill(address: SocketAddr, db: &Client, samples: &Samples) -> Result<String> {
    let program = text(Kind::Program, samples.program);
    let facility = samples.sites.first().ok_or("there is no facility")?;
    let facility = text(Kind::Facility, *facility);
    let session = json!({ "program": program, "facility": facility, "minutes": 90, "status": "HELD",
        "startsAt": format!("{}T10:00:00Z", samples.day) });
    let session = act(address, samples, "createSession", "session { id }", session).await?;
    let session = session["session"]["id"].clone();
    let mut rows = Vec::new();
    for number in 0..WOMEN {
        let (code, given, family) =
            (format!("B-{number:03}"), format!("Nombre {number}"), format!("Apellido Segundo {number}"));
        let born = chrono::NaiveDate::from_ymd_opt(1980, 1, 1).unwrap_or_default()
            + chrono::Days::new(97 * number as u64);
        let input = json!({ "code": code, "givenNames": given, "familyNames": family, "birthDate": born,
            "documents": [{ "kind": "RUN", "number": format!("DOC-{number}") }], "facility": facility,
            "startsOn": samples.day });
        let made = act(address, samples, "registerParticipant", "participant { id }", input).await?;
        let woman = made["participant"]["id"].clone();
        let input =
            json!({ "participant": woman, "program": program, "status": "ENROLLED", "since": samples.day });
        act(address, samples, "enrol", "enrolment { id }", input).await?;
        let id = woman.as_str().and_then(GlobalId::parse).ok_or("a woman without an id")?.id;
        db.execute(
            "INSERT INTO bench_woman SELECT id, $2::uuid, $3::text, $4::text, $5::text, $6::date FROM organization WHERE slug = $1",
            &[&ORGANIZATION, &id, &code, &given, &family, &born],
        )
        .await?;
        rows.push(json!({ "clientId": id, "session": session, "participant": woman, "mark": "PRESENT",
            "minutes": 60 }));
    }
    rows.truncate(PRESENT);
    let document = "mutation($rows: [AttendanceRowInput!]!) { recordAttendance(input: { rows: $rows }) { \
                    results { outcome } } }";
    let request = samples.of_women(document, &json!({ "rows": rows }));
    let done = crate::load::data(address, &request).await?;
    let results = done["recordAttendance"]["results"].as_array().map_or(&[][..], Vec::as_slice);
    if results.len() != PRESENT || results.iter().any(|result| result["outcome"] != "CREATED") {
        return Err(format!("attendance: {done}").into());
    }
    session.as_str().map(str::to_owned).ok_or_else(|| format!("a session without an id: {session}").into())
}
