//! Somebody who can write to the database changes the past: verification names the place.

use api::id::Kind;
use tests::{Backend, both};

use super::*;
use crate::talk::ask;

/// The columns of an audit row besides its own key.
const COLUMNS: [&str; 13] = [
    "organization_id",
    "recorded_at",
    "account_id",
    "role",
    "action",
    "entity",
    "entity_id",
    "entity_version",
    "detail",
    "purpose",
    "fields",
    "rows",
    "document_hash",
];

/// Three rows of different content, each with a seal of its own.
async fn three(world: &World) -> Vec<Uuid> {
    seal_each(world, &["one", "two"]).await;
    ask(&world.member("auditor", "own"), "{ auditEvents(first: 1) { nodes { id } } }").await;
    assert_eq!(seal(world).await, 1);
    assert_eq!(wrong(world, "own").await, [] as [String; 0]);
    let ids = chained(world).await;
    assert_eq!(ids.len(), 3);
    ids
}

/// Keeps the rows as they are, to be put back.
async fn keep(world: &World) {
    unguarded(world).await;
    unnoticed(world).await;
    world.sql("CREATE TABLE kept AS SELECT * FROM audit_event").await;
}

async fn put_back(world: &World) {
    world.sql("DELETE FROM audit_event").await;
    world.sql("INSERT INTO audit_event SELECT * FROM kept").await;
    assert_eq!(wrong(world, "own").await, [] as [String; 0]);
}

#[track_caller]
fn one_fault(faults: &[String], parts: &[&str]) {
    let [fault] = faults else { panic!("one fault expected: {faults:#?}") };
    for part in parts {
        assert!(fault.contains(part), "{part}: {fault}");
    }
}

both!(
    async fn the_database_refuses_to_change_the_audit(world: &World) {
        three(world).await;
        for table in ["audit_event", "audit_link", "audit_seal"] {
            for change in ["UPDATE TABLE SET organization_id = organization_id", "DELETE FROM TABLE"] {
                let said = world.try_sql(&change.replace("TABLE", table)).await.unwrap_err();
                assert!(said.contains("rows are added to the audit and nothing else"), "{said}");
            }
            if world.database.backend == Backend::Postgres {
                world.try_sql(&format!("TRUNCATE {table}")).await.unwrap_err();
            }
        }
    }
);

both!(
    async fn every_column_of_a_sealed_row_counts(world: &World) {
        let ids = three(world).await;
        keep(world).await;
        let row = literal(world, ids[2]);
        let (sqlite, other) = (world.database.backend == Backend::Sqlite, literal(world, Uuid::from_u128(7)));
        for column in COLUMNS {
            let change = match (column, sqlite) {
                ("organization_id", _) => world.literal(Kind::Organization, OTHER),
                // The same moment in other bytes.
                ("recorded_at", true) => "replace(recorded_at, '+00:00', 'Z')".to_owned(),
                ("recorded_at", false) => "recorded_at + interval '1 microsecond'".to_owned(),
                ("account_id", _) => "NULL".to_owned(),
                ("role" | "action" | "entity", _) => format!("{column} || ' '"),
                ("entity_id", _) => other.clone(),
                ("entity_version", _) => "7".to_owned(),
                ("detail", true) => "detail || ' '".to_owned(),
                ("detail", false) => "'1.0'".to_owned(),
                ("purpose", _) => "''".to_owned(),
                ("fields", true) => "replace(fields, 'id', 'at')".to_owned(),
                ("fields", false) => "'[\"at\"]'".to_owned(),
                ("rows", _) => "'[]'".to_owned(),
                ("document_hash", true) => "CAST(document_hash AS TEXT)".to_owned(),
                (_, _) => "set_byte(document_hash, 31, get_byte(document_hash, 31) # 1)".to_owned(),
            };
            world.sql(&format!("UPDATE audit_event SET {column} = {change} WHERE id = {row}")).await;
            let faults = wrong(world, "own").await;
            let id = ids[2].to_string();
            if column == "organization_id" {
                one_fault(&faults, &["row 3 is missing", &id]);
                one_fault(&wrong(world, "other").await, &["a row was inserted past the sealer", &id]);
            } else {
                one_fault(&faults, &["row 3 was changed", &id, "recorded 2026-11-20"]);
            }
            put_back(world).await;
        }
        world.sql(&format!("UPDATE audit_event SET id = {other} WHERE id = {row}")).await;
        let faults = wrong(world, "own").await;
        assert_eq!(faults.len(), 2, "{faults:#?}");
        one_fault(&faults[..1], &["row 3 is missing", &ids[2].to_string(), &ids[1].to_string()]);
        one_fault(&faults[1..], &["inserted past the sealer", &Uuid::from_u128(7).to_string()]);
    }
);

both!(
    async fn a_row_that_was_taken_away_is_missed(world: &World) {
        let ids = three(world).await;
        keep(world).await;
        for (number, id) in (1..).zip(&ids) {
            world.sql(&format!("DELETE FROM audit_event WHERE id = {}", literal(world, *id))).await;
            one_fault(&wrong(world, "own").await, &[&format!("row {number} is missing"), &id.to_string()]);
            put_back(world).await;
        }
        // With its place.
        world.sql("CREATE TABLE places AS SELECT * FROM audit_link").await;
        for (number, id) in (1..).zip(&ids) {
            let id = literal(world, *id);
            world.sql(&format!("DELETE FROM audit_event WHERE id = {id}")).await;
            world.sql(&format!("DELETE FROM audit_link WHERE event_id = {id}")).await;
            let faults = wrong(world, "own").await;
            let named =
                faults.iter().any(|fault| fault == &format!("row {number} is missing, place and all"));
            assert!(named, "{faults:#?}");
            world.sql("DELETE FROM audit_link").await;
            world.sql("INSERT INTO audit_link SELECT * FROM places").await;
            put_back(world).await;
        }
        // Before it was sealed.
        let sql = format!(
            "INSERT INTO audit_pending (organization_id, sequence, event_id) VALUES ({}, 1000000, {})",
            world.literal(Kind::Organization, OWN),
            literal(world, Uuid::from_u128(9))
        );
        world.sql(&sql).await;
        let gone = Uuid::from_u128(9).to_string();
        one_fault(&wrong(world, "own").await, &["a row that was not sealed yet is missing", &gone]);
        assert_eq!(seal(world).await, 0);
    }
);

both!(
    async fn without_its_end_a_chain_does_not_reach_its_head(world: &World) {
        let ids = three(world).await;
        keep(world).await;
        world.sql(&format!("DELETE FROM audit_event WHERE id = {}", literal(world, ids[2]))).await;
        world.sql("DELETE FROM audit_link WHERE number = 3").await;
        world.sql("DELETE FROM audit_seal WHERE number = 3").await;
        let end = ["the end is cut off", "head 3", "3 rows", "seal 2 at row 2"];
        one_fault(&wrong(world, "own").await, &end);
        // What is sealed from now on takes the place of what is gone, and is not that.
        let written = crate::live::recorded(&world.coordinator(), "late").await;
        assert!(!written.is_empty());
        let own = world.literal(Kind::Organization, OWN);
        world
            .sql(&format!(
                "INSERT INTO audit_pending (organization_id, sequence, event_id) SELECT {own}, 9, id FROM audit_event \
                 WHERE id NOT IN (SELECT id FROM kept)"
            ))
            .await;
        assert_eq!(seal(world).await, 1);
        one_fault(&wrong(world, "own").await, &["the chain was written anew", "seal 3 over rows 3 to 3"]);
    }
);

both!(
    async fn rows_that_changed_places_are_named(world: &World) {
        let ids = three(world).await;
        keep(world).await;
        let columns = COLUMNS.join(", ");
        for (one, other) in [(ids[0], ids[2]), (ids[2], ids[0])] {
            let (one, other) = (literal(world, one), literal(world, other));
            world
                .sql(&format!(
                    "UPDATE audit_event SET ({columns}) = (SELECT {columns} FROM kept WHERE kept.id = {other}) \
                     WHERE id = {one}"
                ))
                .await;
        }
        let (first, last) = (ids[0].to_string(), ids[2].to_string());
        one_fault(&wrong(world, "own").await, &["rows 1 and 3 were swapped", &first, &last]);
        put_back(world).await;
        // Or their places.
        let [one, other] = [ids[0], ids[1]].map(|id| literal(world, id));
        let none = literal(world, Uuid::nil());
        for (number, event) in [(1, &none), (2, &one), (1, &other)] {
            world.sql(&format!("UPDATE audit_link SET event_id = {event} WHERE number = {number}")).await;
        }
        let second = ids[1].to_string();
        one_fault(&wrong(world, "own").await, &["rows 1 and 2 were swapped", &first, &second]);
    }
);

both!(
    async fn a_row_that_was_put_in_is_named(world: &World) {
        let ids = three(world).await;
        let insert = async |id: u128, at: &str| {
            let columns =
                "organization_id, account_id, role, action, entity, entity_id, entity_version, detail";
            world
                .sql(&format!(
                    "INSERT INTO audit_event (id, recorded_at, {columns}) SELECT {}, '{at}', {columns} \
                     FROM audit_event WHERE id = {}",
                    literal(world, Uuid::from_u128(id)),
                    literal(world, ids[0]),
                ))
                .await;
        };
        // By the common way, with a time of its own.
        insert(70, "2026-11-19T08:00:00+00:00").await;
        assert_eq!(verified(world, "own", Source::Own(folder(world))).await.unsealed, 1);
        assert_eq!(seal(world).await, 1);
        let id = Uuid::from_u128(70).to_string();
        let said = ["row 4 was inserted later than it says", &id, "at the seal of 2026-11-20T12:00:00Z"];
        one_fault(&wrong(world, "own").await, &said);
        // Past the sealer.
        unnoticed(world).await;
        insert(71, "2026-11-20T12:00:00+00:00").await;
        assert_eq!(seal(world).await, 0);
        let faults = wrong(world, "own").await;
        let id = Uuid::from_u128(71).to_string();
        one_fault(&faults[1..], &["a row was inserted past the sealer", &id, "RECORD distribution"]);
    }
);

both!(
    async fn the_chain_itself_is_part_of_what_is_checked(world: &World) {
        let ids = three(world).await;
        unguarded(world).await;
        world.sql("CREATE TABLE seals AS SELECT * FROM audit_seal").await;
        world.sql("CREATE TABLE places AS SELECT * FROM audit_link").await;
        let bytes = if world.database.backend == Backend::Sqlite { "x'00'" } else { "'\\x00'" };
        for (number, id) in (1..).zip(&ids) {
            world.sql(&format!("UPDATE audit_link SET digest = {bytes} WHERE number = {number}")).await;
            let faults = wrong(world, "own").await;
            assert!(
                faults[0].contains(&format!("row {number} was changed"))
                    || faults[0].starts_with(&format!(
                        "the digest of row {number} was changed; the row itself is as it was: {id}"
                    )),
                "{faults:#?}"
            );
            world.sql("DELETE FROM audit_link").await;
            world.sql("INSERT INTO audit_link SELECT * FROM places").await;
            assert_eq!(wrong(world, "own").await, [] as [String; 0]);
        }
        for (change, said) in [
            (format!("UPDATE audit_seal SET digest = {bytes} WHERE number = 2"), "seal 2 over rows 2 to 2"),
            (
                "UPDATE audit_seal SET drained = NOT drained WHERE number = 2".to_owned(),
                "seal 2 over rows 2 to 2",
            ),
            ("UPDATE audit_seal SET last_row = 3 WHERE number = 2".to_owned(), "seal 2 over rows 2 to 3"),
            ("UPDATE audit_seal SET first_row = 1 WHERE number = 2".to_owned(), "seal 2 over rows 1 to 2"),
            ("UPDATE audit_seal SET form = 2 WHERE number = 2".to_owned(), "seal 2 over rows 2 to 2"),
            ("DELETE FROM audit_seal WHERE number = 2".to_owned(), "seal 2 is missing"),
            ("DELETE FROM audit_seal WHERE number = 3".to_owned(), "rows 3 to 3 have places behind seal 2"),
        ] {
            world.sql(&change).await;
            let faults = wrong(world, "own").await;
            assert!(faults[0].starts_with(said), "{change}: {faults:#?}");
            world.sql("DELETE FROM audit_seal").await;
            world.sql("INSERT INTO audit_seal SELECT * FROM seals").await;
            assert_eq!(wrong(world, "own").await, [] as [String; 0]);
        }
    }
);

both!(
    /// Who can write to the database can also run the sealer. The heads tell.
    async fn a_chain_that_was_made_anew_does_not_fit_the_heads(world: &World) {
        let ids = three(world).await;
        unguarded(world).await;
        world.sql(&format!("DELETE FROM audit_event WHERE id = {}", literal(world, ids[1]))).await;
        world.sql("DELETE FROM audit_link").await;
        world.sql("DELETE FROM audit_seal").await;
        for (sequence, id) in [(1, ids[0]), (2, ids[2])] {
            world
                .sql(&format!(
                    "INSERT INTO audit_pending (organization_id, sequence, event_id) VALUES ({}, {sequence}, {})",
                    world.literal(Kind::Organization, OWN),
                    literal(world, id)
                ))
                .await;
        }
        assert_eq!(seal(world).await, 2);
        let faults = wrong(world, "own").await;
        assert_eq!(faults.len(), 2, "{faults:#?}");
        one_fault(&faults[..1], &["the end is cut off: head 3", "seal 1 at row 2"]);
        one_fault(&faults[1..], &["the chain was written anew: seal 1 over rows 1 to 2 is not head 1"]);
    }
);
