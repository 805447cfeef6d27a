//! Two records of one woman become one, by two people, and two again.

use serde_json::{Value, json};
use tests::both;

use super::*;
use crate::talk::{act, ask, column, fault, faults};

/// What a client asks of a merge.
pub const MERGE: &str = "id version status";

/// Somebody proposes to merge one record into another.
pub async fn proposed(client: &Client, key: &str, kept: &Value, merged: &Value) -> Value {
    done(client, "proposeMerge", "participantMerge", MERGE, &proposal(key, kept, merged)).await
}

fn proposal(key: &str, kept: &Value, merged: &Value) -> Value {
    json!({ "idempotencyKey": key, "kept": kept, "merged": merged })
}

/// The input that decides on a merge.
pub fn decision(merge: &Value, decision: &str) -> Value {
    with(&at(merge), json!({ "decision": decision }))
}

/// Two people merge one record into another.
pub async fn merged(world: &World, key: &str, kept: &Value, merged: &Value) -> Value {
    let merge = proposed(&coordinator(world), key, kept, merged).await;
    done(&steward(world), "decideMerge", "participantMerge", MERGE, &decision(&merge, "MERGE")).await
}

/// The refusal to merge them.
pub async fn refused(world: &World, merge: &Value) -> Vec<(String, String)> {
    let input = decision(merge, "MERGE");
    faults(&act(&steward(world), "decideMerge", "participantMerge", "id", &input).await)
}

/// Records of women at the first facility, whose codes are their keys.
async fn records(world: &World, codes: &[&str]) -> Vec<Value> {
    let client = coordinator(world);
    let mut records = Vec::new();
    for code in codes {
        let more =
            json!({ "code": code, "documents": [{ "kind": "CURP", "number": format!("DOC-{code}") }] });
        records.push(registered(&client, code, "Ana", "Soto", more).await);
    }
    records
}

both!(
    async fn one_proposes_another_decides_and_it_can_be_undone(world: &World) {
        let (client, steward) = (coordinator(world), steward(world));
        let women = records(world, &["A-1", "B-1"]).await;
        let (kept, other) = (&women[0]["id"], &women[1]["id"]);
        let input = proposal("m", kept, other);
        let before = world.counts().await;
        let checked = with(&input, json!({ "validateOnly": true }));
        let checked = act(&client, "proposeMerge", "participantMerge", "id", &checked).await;
        assert_eq!(checked, json!({ "participantMerge": null, "userErrors": [] }));
        assert_eq!(world.counts().await, before);
        let merge = proposed(&client, "m", kept, other).await;
        assert_eq!((&merge["version"], &merge["status"]), (&json!(1), &json!("PROPOSED")));
        assert_eq!(proposed(&client, "m", kept, other).await, merge);
        let again = proposal("n", kept, other);
        let again = act(&steward, "proposeMerge", "participantMerge", "id", &again).await;
        assert_eq!(faults(&again), fault("DUPLICATE", "merged"));
        // Who has proposed it does not decide, under no role.
        let merges = decision(&merge, "MERGE");
        for role in ["COORDINATOR", "STEWARD"] {
            world.sql(&format!("UPDATE membership SET role = '{role}' WHERE role = 'COORDINATOR'")).await;
            for choice in ["MERGE", "REFUSE"] {
                let input = decision(&merge, choice);
                let own = act(&client, "decideMerge", "participantMerge", "id", &input).await;
                assert_eq!(faults(&own), fault("NOT_PERMITTED", "id"), "{role} {choice}");
            }
        }
        world.sql("UPDATE membership SET role = 'COORDINATOR' WHERE role = 'STEWARD'").await;
        let second = world.member("coordinator2", "own").purpose("SERVICE");
        let checked = with(&merges, json!({ "validateOnly": true }));
        assert_eq!(done(&second, "decideMerge", "participantMerge", MERGE, &checked).await, merge);
        assert_eq!(codes(&client, "").await, ["A-1", "B-1"]);
        let decided = done(&second, "decideMerge", "participantMerge", MERGE, &merges).await;
        assert_eq!(decided, json!({ "id": merge["id"], "version": 2, "status": "MERGED" }));
        let late = act(&second, "decideMerge", "participantMerge", MERGE, &merges).await;
        assert_eq!(
            (faults(&late), &late["participantMerge"]),
            (fault("CONFLICT", "expectedVersion"), &decided)
        );
        let late =
            act(&second, "decideMerge", "participantMerge", MERGE, &decision(&decided, "REFUSE")).await;
        assert_eq!(faults(&late), fault("INVALID", "id"));

        // She is in lists and found once; the other record says where she is.
        assert_eq!(codes(&client, "").await, ["A-1"]);
        assert_eq!(codes(&client, ", filter: { name: \"Ana Soto\" }").await, ["A-1"]);
        assert_eq!(codes(&client, ", filter: { document: \"DOC-B-1\" }").await, Vec::<String>::new());
        let document =
            format!("{{ participant(id: {other}) {{ code mergedInto version identity {{ givenNames }} }} }}");
        let shown =
            json!({ "code": "B-1", "mergedInto": kept, "version": 2, "identity": { "givenNames": "Ana" } });
        assert_eq!(ask(&client, &document).await["participant"], shown);
        let list = "{ participantMerges(first: 5, filter: { status: [MERGED] }) { totalCount nodes { status version \
            kept { code mergedInto } merged { code mergedInto } proposedBy { id } decidedBy { id } undoneBy { id } } } }";
        let found = ask(&client, list).await["participantMerges"].clone();
        let row = &found["nodes"][0];
        assert_eq!((&found["totalCount"], &row["status"]), (&json!(1), &json!("MERGED")));
        assert_eq!(row["kept"], json!({ "code": "A-1", "mergedInto": null }));
        assert_eq!(row["merged"], json!({ "code": "B-1", "mergedInto": kept }));
        assert!(row["proposedBy"]["id"].is_string() && row["decidedBy"]["id"].is_string());
        assert_ne!(row["proposedBy"], row["decidedBy"]);

        let undone = done(&second, "undoMerge", "participantMerge", MERGE, &at(&decided)).await;
        assert_eq!(undone, json!({ "id": merge["id"], "version": 3, "status": "UNDONE" }));
        let twice = act(&second, "undoMerge", "participantMerge", MERGE, &at(&undone)).await;
        assert_eq!(faults(&twice), fault("INVALID", "id"));
        assert_eq!(codes(&client, ", filter: { name: \"Ana Soto\" }").await, ["A-1", "B-1"]);
        assert_eq!(ask(&client, &document).await["participant"]["mergedInto"], Value::Null);
        // It can be proposed once more, and refused.
        let merge = proposed(&client, "o", other, kept).await;
        let no = done(&second, "decideMerge", "participantMerge", MERGE, &decision(&merge, "REFUSE")).await;
        assert_eq!(no["status"], json!("REFUSED"));
        assert_eq!(codes(&client, "").await, ["A-1", "B-1"]);
        // Each step is in the audit, and about both.
        for (action, times) in [("PROPOSE", 2), ("MERGE", 1), ("UNDO", 1), ("REFUSE", 1)] {
            let of =
                format!("FROM audit_event e WHERE e.entity = 'participant_merge' AND e.action = '{action}'");
            assert_eq!(world.number(&format!("SELECT count(*) {of}")).await, times, "{action}");
            let reached = "FROM record_reach r JOIN audit_event e ON e.organization_id = r.organization_id \
                AND e.id = r.event_id WHERE e.entity = 'participant_merge'";
            let sql = format!("SELECT count(*) {reached} AND e.action = '{action}'");
            assert_eq!(world.number(&sql).await, 2 * times, "{action}");
        }
    }
);

both!(
    async fn nothing_changes_a_record_that_was_merged(world: &World) {
        let client = coordinator(world);
        let women = records(world, &["A-1", "B-1"]).await;
        let (kept, other) = (&women[0]["id"], &women[1]["id"]);
        let stay = &women[1]["stays"][0];
        let begun = json!({ "idempotencyKey": "mat", "participant": other, "state": "PREGNANT", "startsOn": "2026-10-01" });
        let maternity = "maternity { id version }";
        let pregnant = done(&client, "recordMaternity", "participant", maternity, &begun).await;
        merged(world, "m", kept, other).await;
        let me = json!({ "id": other, "expectedVersion": 2 });
        let her = json!({ "idempotencyKey": "k", "participant": other });
        let consent = json!({ "purpose": "SERVICE", "decision": "GIVEN", "noticeVersion": "1", "language": "es",
            "method": "WRITTEN", "decidedOn": "2026-11-01" });
        let before = world.counts().await;
        for (name, input, field) in [
            ("updateParticipant", with(&me, json!({ "givenNames": "X" })), "id"),
            ("setDependants", with(&me, json!({ "dependants": [] })), "id"),
            ("endStay", with(&at(stay), json!({ "endsOn": "2026-11-01", "ending": "OTHER" })), "id"),
            ("endMaternity", with(&at(&pregnant["maternity"][0]), json!({ "endsOn": "2026-11-01" })), "id"),
            (
                "beginStay",
                with(&her, json!({ "facility": facility(2), "startsOn": "2026-11-01" })),
                "participant",
            ),
            (
                "recordMaternity",
                with(&her, json!({ "state": "BREASTFEEDING", "startsOn": "2026-11-01" })),
                "participant",
            ),
            ("recordConsent", with(&her, consent), "participant"),
        ] {
            let refused = act(&client, name, "participant", "id", &input).await;
            assert_eq!(faults(&refused), fault("NOT_FOUND", field), "{name}");
        }
        let erase = with(&me, json!({ "reason": "REQUEST" }));
        let erased = act(&steward(world), "eraseParticipant", "participant", "id", &erase).await;
        assert_eq!(faults(&erased), fault("NOT_FOUND", "id"));
        assert_eq!(world.counts().await, before);
    }
);

both!(
    async fn there_are_no_chains_and_no_loops(world: &World) {
        let client = coordinator(world);
        let women = records(world, &["A-1", "B-1", "C-1"]).await;
        let [a, b, c] = [0, 1, 2].map(|n| &women[n]["id"]);
        let propose = async |kept, merged| {
            let key = format!("{kept}{merged}");
            faults(
                &act(&client, "proposeMerge", "participantMerge", "id", &proposal(&key, kept, merged)).await,
            )
        };
        assert_eq!(propose(a, a).await, fault("INVALID", "merged"));
        // Proposed before the others, and too late after them.
        let there = proposed(&client, "there", c, a).await;
        let back = proposed(&client, "back", b, c).await;
        let merge = merged(world, "first", a, b).await;
        assert_eq!(refused(world, &there).await, fault("INVALID", "id"));
        assert_eq!(refused(world, &back).await, fault("INVALID", "id"));
        for proposal in [&there, &back] {
            let no = decision(proposal, "REFUSE");
            done(&steward(world), "decideMerge", "participantMerge", "id", &no).await;
        }
        assert_eq!(propose(c, a).await, fault("INVALID", "merged"));
        assert_eq!(propose(b, c).await, fault("INVALID", "kept"));
        assert_eq!(propose(c, b).await, fault("INVALID", "merged"));
        // The kept one takes a second one, and each goes by itself.
        let second = merged(world, "second", a, c).await;
        assert_eq!(codes(&client, "").await, ["A-1"]);
        done(&client, "undoMerge", "participantMerge", "id", &at(&merge)).await;
        assert_eq!(codes(&client, "").await, ["A-1", "B-1"]);
        done(&client, "undoMerge", "participantMerge", "id", &at(&second)).await;
        assert_eq!(codes(&client, "").await, ["A-1", "B-1", "C-1"]);
    }
);

both!(
    /// Two decide at once, and two merges that would be a loop are decided at once.
    async fn of_two_decisions_at_once_one_holds(world: &World) {
        let (client, second) = (coordinator(world), world.member("coordinator2", "own").purpose("SERVICE"));
        let women = records(world, &["A-1", "B-1", "C-1"]).await;
        let [a, b, c] = [0, 1, 2].map(|n| &women[n]["id"]);
        let merge = proposed(&client, "one", a, b).await;
        let (yes, no) = (decision(&merge, "MERGE"), decision(&merge, "REFUSE"));
        let steward = steward(world);
        let (one, other) = futures_util::join!(
            act(&second, "decideMerge", "participantMerge", MERGE, &yes),
            act(&steward, "decideMerge", "participantMerge", MERGE, &no),
        );
        let failed: Vec<_> =
            [&one, &other].into_iter().filter(|one| one["userErrors"] != json!([])).collect();
        assert_eq!(failed.len(), 1, "{one} {other}");
        assert_eq!(faults(failed[0]), fault("CONFLICT", "expectedVersion"));
        if one["userErrors"] == json!([]) {
            assert_eq!(codes(&client, "").await.len(), 2);
            done(&client, "undoMerge", "participantMerge", "id", &at(&one["participantMerge"])).await;
        }
        assert_eq!(codes(&client, "").await.len(), 3);

        let (there, back) = (proposed(&client, "two", b, c).await, proposed(&client, "three", c, b).await);
        let (there, back) = (decision(&there, "MERGE"), decision(&back, "MERGE"));
        let (one, other) = futures_util::join!(
            act(&second, "decideMerge", "participantMerge", MERGE, &there),
            act(&steward, "decideMerge", "participantMerge", MERGE, &back),
        );
        let failed: Vec<_> =
            [&one, &other].into_iter().filter(|one| one["userErrors"] != json!([])).collect();
        assert_eq!(failed.len(), 1, "{one} {other}");
        assert_eq!(faults(failed[0])[0], fault("INVALID", "id")[0]);
        let sql = "SELECT count(*) FROM participant m JOIN participant k ON k.id = m.merged_into \
            WHERE k.merged_into IS NOT NULL";
        assert_eq!(world.number(sql).await, 0);
    }
);

both!(
    /// A merge gives nobody's consent, and takes back no refusal.
    async fn the_kept_record_holds_her_last_decision(world: &World) {
        let client = coordinator(world);
        let women = records(world, &["A-1", "B-1"]).await;
        let (kept, other) = (&women[0]["id"], &women[1]["id"]);
        let mut said = 0;
        let mut decide = async |woman: &Value, purpose: &str, decision: &str, on: &str| {
            said += 1;
            let input = json!({ "idempotencyKey": format!("c{said}"), "participant": woman, "purpose": purpose,
                "decision": decision, "noticeVersion": "1", "language": "es", "method": "WRITTEN", "decidedOn": on });
            done(&coordinator(world), "recordConsent", "participant", "id", &input).await;
        };
        let merge = proposed(&client, "m", kept, other).await;
        decide(other, "STATISTICS", "GIVEN", "2026-11-10").await;
        assert_eq!(refused(world, &merge).await, fault("INVALID", "id"));
        decide(kept, "STATISTICS", "REFUSED", "2026-11-09").await;
        decide(kept, "TESTIMONY", "GIVEN", "2026-11-12").await;
        assert_eq!(refused(world, &merge).await, fault("INVALID", "id"));
        // Of two of one day that holds which was recorded later.
        decide(kept, "STATISTICS", "GIVEN", "2026-11-10").await;
        world.set_now("2026-11-20T15:00:00Z");
        decide(other, "STATISTICS", "WITHDRAWN", "2026-11-10").await;
        assert_eq!(refused(world, &merge).await, fault("INVALID", "id"));
        world.set_now("2026-11-20T16:00:00Z");
        decide(kept, "STATISTICS", "WITHDRAWN", "2026-11-10").await;
        let yes = decision(&merge, "MERGE");
        done(&steward(world), "decideMerge", "participantMerge", "id", &yes).await;
        let shown = format!("{{ participant(id: {kept}) {{ consents {{ purpose }} }} }}");
        let consents = ask(&coordinator(world), &shown).await["participant"]["consents"].clone();
        assert_eq!(column(&consents, "purpose").len(), 4);
    }
);

both!(
    async fn a_code_on_paper_leads_to_the_record_that_is_kept(world: &World) {
        let client = coordinator(world);
        let there = json!({ "facility": facility(2) });
        let kept = registered(&client, "a", "Ana", "Soto", with(&there, json!({ "code": "A-1" }))).await;
        let other = registered(&client, "b", "Eva", "Luna", with(&there, json!({ "code": "B-1" }))).await;
        merged(world, "m", &kept["id"], &other["id"]).await;
        let worker = field(world);
        assert_eq!(codes(&worker, "").await, Vec::<String>::new());
        let take = json!({ "code": "B-1", "reason": "Traslado urgente al hospital", "minutes": 30 });
        let shown = "id code identity { givenNames }";
        let taken = done(&worker, "takeRecord", "participant", shown, &take).await;
        assert_eq!(taken, json!({ "id": kept["id"], "code": "A-1", "identity": { "givenNames": "Ana" } }));
        assert_eq!(read(&worker, &other).await, Value::Null);
    }
);

both!(
    async fn who_is_erased_is_erased_in_both_records(world: &World) {
        let (client, steward) = (coordinator(world), steward(world));
        let women = records(world, &["A-1", "B-1", "C-1"]).await;
        let merge = merged(world, "m", &women[0]["id"], &women[1]["id"]).await;
        let erase = with(&at(&women[0]), json!({ "reason": "REQUEST" }));
        done(&steward, "eraseParticipant", "participant", "id", &erase).await;
        for record in [&women[0], &women[1]] {
            let left = read(&client, record).await;
            assert!(left["erasedAt"].is_string() && left["identity"].is_null(), "{left}");
            assert!(left["code"].as_str().unwrap().starts_with("ERASED-"), "{left}");
        }
        assert_eq!(read(&client, &women[2]).await["identity"]["givenNames"], json!("Ana"));
        assert_eq!(world.number("SELECT count(*) FROM participant_key").await, 1);
        let sql = "SELECT count(*) FROM record_reach r JOIN audit_event e ON e.organization_id = r.organization_id \
            AND e.id = r.event_id WHERE e.action = 'ERASE'";
        assert_eq!(world.number(sql).await, 2);
        let undo = act(&client, "undoMerge", "participantMerge", "id", &at(&merge)).await;
        assert_eq!(faults(&undo), fault("INVALID", "id"));
        let late = proposal("late", &women[2]["id"], &women[0]["id"]);
        let late = act(&client, "proposeMerge", "participantMerge", "id", &late).await;
        assert_eq!(faults(&late), [fault("INVALID", "merged"), fault("INVALID", "merged")].concat());
    }
);

both!(
    async fn who_may_merge(world: &World) {
        let client = coordinator(world);
        let women = records(world, &["A-1", "B-1"]).await;
        let (kept, other) = (&women[0]["id"], &women[1]["id"]);
        let document = crate::talk::mutation("proposeMerge", "participantMerge", "id");
        let input = json!({ "input": proposal("m", kept, other) });
        let silent = world.coordinator().query(&document, input.clone()).await;
        assert_eq!(silent.code(), "PURPOSE_NEEDED");
        let list = "{ participantMerges(first: 5) { totalCount nodes { id } } }";
        for role in ["field", "admin", "auditor"] {
            let member = world.member(role, "own").purpose("SERVICE");
            assert_eq!(member.query(&document, input.clone()).await.code(), "NOT_PERMITTED", "{role}");
            assert_eq!(refusal(&member.query(list, Value::Null).await), "NOT_PERMITTED", "{role}");
        }
        let merge = proposed(&client, "m", kept, other).await;
        let theirs = world.member("coordinator", "other").purpose("SERVICE");
        let foreign =
            act(&theirs, "proposeMerge", "participantMerge", "id", &proposal("n", kept, other)).await;
        assert_eq!(faults(&foreign), [fault("NOT_FOUND", "kept"), fault("NOT_FOUND", "merged")].concat());
        let foreign = act(&theirs, "decideMerge", "participantMerge", "id", &decision(&merge, "MERGE")).await;
        assert_eq!(faults(&foreign), fault("NOT_FOUND", "id"));
        assert_eq!(ask(&theirs, list).await["participantMerges"]["totalCount"], json!(0));
        assert_eq!(ask(&steward(world), list).await["participantMerges"]["totalCount"], json!(1));
    }
);
