//! How long data are kept.

use api::id::Kind;
use entity::{custody_stay, value::RetentionSubject};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, TransactionTrait};
use serde_json::{Value, json};
use tests::{Backend, Client, both};

use crate::{
    lifecycle::with,
    participant::{at, codes, coordinator, read, refusal, registered, steward},
    rights_request::{request_input, requested},
    talk::{act, ask, done, fault, faults},
    world::*,
};

const RULES: &str = "{ retentionRules { subject event months action version due held { reason count } } }";

async fn set(client: &Client, subject: &str, event: &str, months: i32, action: &str) -> Value {
    let input = json!({ "subject": subject, "event": event, "months": months, "action": action });
    done(client, "setRetentionRule", "retentionRule", "subject months version due", &input).await
}

/// What a rule was carried out on, and what it has held.
type Carried = (RetentionSubject, i64, Vec<(&'static str, i64)>);

/// What a run has done, by subject, with what it has held.
async fn run(world: &World, dry: bool) -> Vec<Carried> {
    let system = world.running.store.system(uuid(Kind::Organization, OWN)).await.unwrap();
    let done = system.run_retention(dry).await.unwrap();
    done.into_iter()
        .map(|of| (of.subject, of.done, of.held.iter().map(|(hold, count)| (hold.name(), *count)).collect()))
        .collect()
}

/// A woman who left on a day, when it was recorded.
async fn left(world: &World, code: &str, day: &str) -> Value {
    world.set_now(&format!("{day}T12:00:00Z"));
    let client = coordinator(world);
    let more = json!({ "code": code, "notes": format!("nota {code}") });
    let her = registered(&client, code, "Ana", "Soto", more).await;
    let end = with(&at(&her["stays"][0]), json!({ "endsOn": day, "ending": "LEFT_PRISON" }));
    let her = done(&client, "endStay", "participant", crate::participant::RECORD, &end).await;
    world.set_now("2026-11-20T12:00:00Z");
    her
}

both!(
    /// A record is erased when its time is over, not a day before, and not while something stands against it.
    async fn records_go_when_their_time_is_over(world: &World) {
        let client = coordinator(world);
        let over = left(world, "OVER", "2026-05-20").await;
        let not_yet = left(world, "NOT-YET", "2026-05-21").await;
        let asks = left(world, "ASKS", "2026-01-01").await;
        let owed = left(world, "OWED", "2026-01-01").await;
        // A day that is entered late, or made up, erases nobody who was there a short while ago.
        let late = registered(&client, "LATE", "Ana", "Soto", json!({ "code": "LATE" })).await;
        let end = with(&at(&late["stays"][0]), json!({ "endsOn": "2026-01-01", "ending": "LEFT_PRISON" }));
        done(&client, "endStay", "participant", "id", &end).await;
        let inside = registered(&client, "IN", "Ana", "Soto", json!({ "code": "IN" })).await;
        requested(&steward(world), &request_input("r", &asks, "ACCESS", "2026-11-16")).await;
        let open = json!({ "idempotencyKey": "l", "participant": owed["id"], "openedOn": "2026-10-01" });
        done(&client, "openLegalMatter", "legalMatter", "id", &open).await;

        let made = set(&steward(world), "PARTICIPANT", "LAST_STAY_ENDED", 6, "ERASE").await;
        assert_eq!((&made["version"], &made["due"]), (&json!(1), &json!(1)));
        let rules = ask(&steward(world), RULES).await;
        let held =
            json!([{ "reason": "RIGHTS_REQUEST", "count": 1 }, { "reason": "LEGAL_MATTER", "count": 1 }]);
        assert_eq!(rules["retentionRules"][0]["held"], held);
        let before = world.counts().await;
        let expected = |done| {
            vec![(RetentionSubject::Participant, done, vec![("RIGHTS_REQUEST", 1), ("LEGAL_MATTER", 1)])]
        };
        assert_eq!(run(world, true).await, expected(1));
        assert_eq!(world.counts().await, before, "a dry run writes nothing");
        assert_eq!(run(world, false).await, expected(1));
        assert_eq!(run(world, false).await, expected(0));
        let gone = read(&client, &over).await;
        assert_eq!((&gone["identity"], gone["erasedAt"].is_string()), (&Value::Null, true));
        for still in [&not_yet, &asks, &owed, &inside, &late] {
            assert_eq!(read(&client, still).await["identity"]["givenNames"], json!("Ana"), "{still}");
        }
        let erased: Vec<String> = world
            .text(
                "SELECT CAST(detail AS text) FROM audit_event WHERE action = 'ERASE' AND account_id IS NULL",
            )
            .await;
        assert_eq!(erased.len(), 1);
        assert!(erased[0].contains("RETENTION"), "{erased:?}");
        // Her bucket's key is gone for good, and the others can be read.
        assert_eq!(world.number("SELECT count(*) FROM key_bucket WHERE destroyed_at IS NOT NULL").await, 1);
        // The next day the next one goes.
        world.set_now("2026-11-21T12:00:00Z");
        assert_eq!(run(world, false).await, expected(1));
        assert_eq!(codes(&coordinator(world), "").await, ["ASKS", "IN", "LATE", "OWED"]);
    }
);

both!(
    /// Who has another stay, or is back, is kept.
    async fn the_last_stay_counts(world: &World) {
        let client = coordinator(world);
        let her = left(world, "BACK", "2026-01-01").await;
        let back = json!({ "idempotencyKey": "b", "participant": her["id"],
            "facility": crate::participant::facility(2), "startsOn": "2026-02-01" });
        done(&client, "beginStay", "participant", "id", &back).await;
        set(&steward(world), "PARTICIPANT", "LAST_STAY_ENDED", 1, "ERASE").await;
        assert_eq!(run(world, false).await, [(RetentionSubject::Participant, 0, vec![])]);
        assert_eq!(read(&client, &her).await["identity"]["givenNames"], json!("Ana"));
    }
);

/// On PostgreSQL a return that is being recorded is waited for, and then she is kept.
#[test]
#[expect(clippy::disallowed_methods, reason = "the one row of the test, to write another like it")]
fn a_return_that_is_being_recorded_holds_her() {
    tests::run(Backend::Postgres, async |world: &World| {
        let her = left(world, "BACK", "2026-01-01").await;
        set(&steward(world), "PARTICIPANT", "LAST_STAY_ENDED", 1, "ERASE").await;
        let db = world.database.connect().await;
        let stay = custody_stay::Entity::find().one(&db).await.unwrap().unwrap();
        let back = custody_stay::Model {
            id: uuid(Kind::CustodyStay, 99),
            starts_on: day("2026-11-01"),
            ends_on: None,
            ending: None,
            ..stay
        };
        let returning = db.begin().await.unwrap();
        back.into_active_model().reset_all().insert(&returning).await.unwrap();
        let system = world.running.store.system(uuid(Kind::Organization, OWN)).await.unwrap();
        let run = tokio::spawn(async move { system.run_retention(false).await.unwrap()[0].done });
        crate::tied::until_it_waits(&db, &run).await;
        returning.commit().await.unwrap();
        assert_eq!(run.await.unwrap(), 0);
        assert_eq!(read(&coordinator(world), &her).await["identity"]["givenNames"], json!("Ana"));
        db.close().await.unwrap();
    });
}

both!(
    async fn smaller_things_go_by_rules_of_their_own(world: &World) {
        let client = coordinator(world);
        let her = left(world, "GONE", "2026-09-20").await;
        let pregnant = json!({ "idempotencyKey": "m", "participant": her["id"], "state": "PREGNANT",
            "startsOn": "2026-02-01" });
        let record =
            done(&client, "recordMaternity", "participant", "maternity { id version }", &pregnant).await;
        let end = with(&at(&record["maternity"][0]), json!({ "endsOn": "2026-09-01" }));
        done(&client, "endMaternity", "participant", "id", &end).await;
        let note = json!({ "idempotencyKey": "n", "kind": "REPORT", "text": "Algo" });
        let keeper = steward(world);
        let noted = done(&keeper, "recordSafeguardingNote", "safeguardingNote", "id version", &note).await;
        let close = with(&at(&noted), json!({ "reason": "Aclarado" }));
        done(&keeper, "closeSafeguardingNote", "safeguardingNote", "id", &close).await;
        let take = json!({ "code": "GONE", "reason": "Traslado urgente al hospital", "minutes": 30 });
        done(&crate::participant::field(world), "takeRecord", "participant", "id", &take).await;
        let asked = requested(&keeper, &request_input("r", &her, "ACCESS", "2026-11-16")).await;
        let refuse = with(&at(&asked), json!({ "status": "WITHDRAWN", "answeredOn": "2026-11-18" }));
        done(&keeper, "answerRightsRequest", "rightsRequest", "id", &refuse).await;
        for (subject, event, action) in [
            ("PARTICIPANT_NOTES", "LAST_STAY_ENDED", "EMPTY"),
            ("MATERNITY", "ENDED", "DELETE"),
            ("BREAK_GLASS_REASON", "RECORDED", "EMPTY"),
            ("SAFEGUARDING_NOTE", "ENDED", "DELETE"),
            ("RIGHTS_REQUEST", "ENDED", "DELETE"),
        ] {
            set(&keeper, subject, event, 2, action).await;
        }
        use RetentionSubject::{
            BreakGlassReason, Maternity, ParticipantNotes, RightsRequest, SafeguardingNote,
        };
        let counts = |done: Vec<Carried>| {
            done.into_iter().map(|(subject, done, _)| (subject, done)).collect::<Vec<_>>()
        };
        let all = |done: [i64; 5]| {
            [ParticipantNotes, Maternity, BreakGlassReason, SafeguardingNote, RightsRequest]
                .into_iter()
                .zip(done)
                .collect::<Vec<_>>()
        };
        // Two months to the day have passed for her notes and her maternity alone.
        assert_eq!(counts(run(world, false).await), all([1, 1, 0, 0, 0]));
        assert_eq!(read(&client, &her).await["identity"]["notes"], Value::Null);
        assert_eq!(read(&client, &her).await["identity"]["givenNames"], json!("Ana"));
        assert_eq!(world.number("SELECT count(*) FROM maternity").await, 0);
        world.set_now("2027-01-21T12:00:00Z");
        // Nobody has seen why the record was taken: it stays until somebody has.
        assert_eq!(counts(run(world, false).await), all([0, 0, 0, 1, 1]));
        world.sql("UPDATE break_glass SET seen_at = recorded_at").await;
        assert_eq!(counts(run(world, false).await), all([0, 0, 1, 0, 0]));
        for (table, left) in [("safeguarding_note", 0), ("rights_request", 0), ("break_glass", 1)] {
            assert_eq!(world.number(&format!("SELECT count(*) FROM {table}")).await, left, "{table}");
        }
        assert_eq!(world.number("SELECT count(*) FROM break_glass WHERE reason IS NOT NULL").await, 0);
    }
);

both!(
    async fn rules_are_set_changed_and_removed(world: &World) {
        let client = steward(world);
        let first = json!({ "subject": "MATERNITY", "event": "ENDED", "months": 12, "action": "DELETE" });
        for (more, code, place) in [
            (json!({ "event": "RECORDED" }), "INVALID", "event"),
            (json!({ "action": "EMPTY" }), "INVALID", "action"),
            (json!({ "months": 0 }), "OUT_OF_RANGE", "months"),
            (json!({ "months": 1_201 }), "OUT_OF_RANGE", "months"),
            (json!({ "expectedVersion": 1 }), "CONFLICT", "expectedVersion"),
        ] {
            let refused =
                act(&client, "setRetentionRule", "retentionRule", "version", &with(&first, more.clone()))
                    .await;
            assert_eq!(faults(&refused), fault(code, place), "{more}");
        }
        let checked = with(&first, json!({ "validateOnly": true }));
        assert_eq!(
            act(&client, "setRetentionRule", "retentionRule", "version", &checked).await["userErrors"],
            json!([])
        );
        assert_eq!(ask(&client, RULES).await["retentionRules"], json!([]));
        set(&client, "MATERNITY", "ENDED", 12, "DELETE").await;
        let twice = act(&client, "setRetentionRule", "retentionRule", "version", &first).await;
        assert_eq!(faults(&twice), fault("DUPLICATE", "subject"));
        let longer = with(&first, json!({ "months": 24, "expectedVersion": 1 }));
        let changed = done(&client, "setRetentionRule", "retentionRule", "months version", &longer).await;
        assert_eq!(changed, json!({ "months": 24, "version": 2 }));
        let remove = json!({ "subject": "MATERNITY", "expectedVersion": 1 });
        let stale = act(&client, "removeRetentionRule", "retentionRule", "version", &remove).await;
        assert_eq!(faults(&stale), fault("CONFLICT", "expectedVersion"));
        let remove = with(&remove, json!({ "expectedVersion": 2 }));
        act(&client, "removeRetentionRule", "retentionRule", "version", &remove).await;
        assert_eq!(ask(&client, RULES).await["retentionRules"], json!([]));
        for role in ["field", "coordinator", "admin", "auditor"] {
            let answer = world.member(role, "own").purpose("SERVICE").query(RULES, Value::Null).await;
            assert_eq!(refusal(&answer), "NOT_PERMITTED", "{role}");
        }
        let mut actions: Vec<String> = world.audit().await.into_iter().map(|row| row.action).collect();
        actions.sort();
        assert_eq!(actions, ["REMOVE", "SET", "SET"]);
    }
);
