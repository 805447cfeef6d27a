//! What holds for every kind of entry that can be made, changed, published and archived.

use std::collections::BTreeMap;

use api::id::Kind;
use serde_json::{Value, json};
use tests::both;

use crate::{
    seed::account,
    talk::{act, ask, done, fault, faults, mutation},
    world::*,
};

/// One kind of entry, and the mutations that it has.
pub struct Entry {
    /// As mutations name it, such as `Item` in `createItem`.
    pub name: &'static str,
    /// An input that makes one, without its key.
    pub create: Value,
    /// The same, for a second one beside it.
    pub other: Value,
    /// What an update changes. Null when there is none.
    pub update: Value,
    /// What the changed fields are after it, by the path of a selection.
    pub selection: &'static str,
    pub updated: Value,
    pub publishes: bool,
    pub steward_publishes: bool,
    /// Who makes it; the administrator makes agreements.
    pub role: &'static str,
    pub role_name: &'static str,
    pub account: u128,
    /// Staff who may not.
    pub without_right: &'static [&'static str],
}

impl Entry {
    fn subject(&self) -> String {
        self.name[..1].to_lowercase() + &self.name[1..]
    }

    fn mutation(&self, verb: &str) -> String {
        format!("{verb}{}", self.name)
    }

    /// The whole life of an entry of this kind.
    pub async fn live(&self, world: &World) {
        let id = self.is_made_once(world).await;
        self.validates_without_writing(world, &id).await;
        self.is_refused_to_others(world, &id).await;
        self.changes_at_a_version(world, &id).await;
        self.stays_as_it_is_once_archived(world, &id).await;
        self.is_made_once_under_load(world).await;
        self.leaves_nothing_without_its_trace(world).await;
    }

    async fn is_made_once(&self, world: &World) -> String {
        let client = world.member(self.role, "own");
        let (create, subject) = (self.mutation("create"), self.subject());
        let selection = format!("id version {}", self.selection);
        let input = with(&self.create, json!({ "idempotencyKey": "once" }));
        let before = world.counts().await;
        let first = done(&client, &create, &subject, &selection, &input).await;
        assert_eq!(first["version"], json!(1));
        let after = world.counts().await;
        assert_eq!(after["audit_event"], before["audit_event"] + 1);
        assert_eq!(after["idempotency"], before["idempotency"] + 1);
        // The same again is the same object, and writes nothing.
        assert_eq!(done(&client, &create, &subject, &selection, &input).await, first);
        assert_eq!(world.counts().await, after);
        // The same key with another input.
        let changed = with(&self.other, json!({ "idempotencyKey": "once" }));
        let payload = act(&client, &create, &subject, "id", &changed).await;
        assert_eq!(faults(&payload), fault("CONFLICT", "idempotencyKey"));
        assert_eq!(payload[&subject], Value::Null);
        assert_eq!(world.counts().await, after);
        // The trace.
        let audit = world.audit().await;
        let trace = audit.iter().find(|row| row.action == "CREATE").unwrap();
        assert_eq!((trace.role.as_str(), trace.version), (self.role_name, Some(1)));
        assert_eq!(trace.entity, subject);
        assert_eq!(trace.account, Some(account(self.account)));
        assert_eq!(trace.organization, uuid(api::id::Kind::Organization, OWN));
        // A field that stands twice under one key runs once.
        let twice = format!(
            "mutation($input: Create{0}Input!) {{ a: create{0}(input: $input) {{ {subject} {{ id }} }} \
             a: create{0}(input: $input) {{ userErrors {{ code }} }} }}",
            self.name
        );
        let input = with(&self.other, json!({ "idempotencyKey": "twice" }));
        let answer = client.query(&twice, json!({ "input": input })).await;
        assert_eq!(answer.data()["a"]["userErrors"], json!([]));
        assert_eq!(world.counts().await["audit_event"], after["audit_event"] + 1);
        for key in ["", &"k".repeat(201)] {
            let input = with(&self.other, json!({ "idempotencyKey": key }));
            let payload = act(&client, &create, &subject, "id", &input).await;
            assert_eq!(faults(&payload), fault("INVALID", "idempotencyKey"));
        }
        first["id"].as_str().unwrap().to_owned()
    }

    async fn validates_without_writing(&self, world: &World, id: &str) {
        let client = world.member(self.role, "own");
        let subject = self.subject();
        let before = world.counts().await;
        let input = with(&self.fresh("v"), json!({ "idempotencyKey": "check", "validateOnly": true }));
        let payload = act(&client, &self.mutation("create"), &subject, "id", &input).await;
        assert_eq!(payload, json!({ &subject: null, "userErrors": [] }), "{}", self.name);
        for (verb, input) in self.changes(id, 1) {
            let input = with(&input, json!({ "validateOnly": true }));
            let object = done(&client, &self.mutation(verb), &subject, "id version", &input).await;
            assert_eq!(object["version"], json!(1), "{verb} {}", self.name);
        }
        assert_eq!(world.counts().await, before, "{}", self.name);
    }

    async fn is_refused_to_others(&self, world: &World, id: &str) {
        let subject = self.subject();
        let before = world.counts().await;
        let mut inputs = vec![("create", with(&self.fresh("x"), json!({ "idempotencyKey": "other" })))];
        inputs.extend(self.changes(id, 1));
        for (verb, input) in &inputs {
            let name = self.mutation(verb);
            for role in self.without_right {
                if *verb == "publish" && *role == "steward" && self.steward_publishes {
                    continue;
                }
                let document = mutation(&name, &subject, "id");
                let answer = world.member(role, "own").query(&document, json!({ "input": input })).await;
                assert_eq!(answer.code(), "NOT_PERMITTED", "{name} as {role}");
                assert_eq!(answer.json()["data"], json!({ name.as_str(): null }));
            }
            // Another organisation's rows are not there.
            if *verb != "create" {
                let payload = act(&world.member(self.role, "other"), &name, &subject, "id", input).await;
                assert_eq!(faults(&payload), fault("NOT_FOUND", "id"), "{name}");
                assert_eq!(payload[&subject], Value::Null, "{name}");
            }
            // For outsiders there are no mutations at all.
            for outsider in [world.partner(), world.member("donor", "giver"), world.anonymous()] {
                let answer =
                    outsider.query(&mutation(&name, &subject, "id"), json!({ "input": input })).await;
                answer.errors();
                assert!(answer.json().get("data").is_none(), "{answer}");
            }
        }
        assert_eq!(world.counts().await, before);
    }

    async fn changes_at_a_version(&self, world: &World, id: &str) {
        let client = world.member(self.role, "own");
        let subject = self.subject();
        let selection = format!("id version {}", self.selection);
        let mut version = 1;
        for (verb, _) in self.changes(id, 1) {
            let input = |version: i64| {
                self.changes(id, version).into_iter().find(|(other, _)| *other == verb).unwrap().1
            };
            let name = self.mutation(verb);
            for wrong in [version + 1, version - 1, i64::from(i32::MAX), i64::from(i32::MIN)] {
                let payload = act(&client, &name, &subject, "id version", &input(wrong)).await;
                assert_eq!(faults(&payload), fault("CONFLICT", "expectedVersion"), "{name} at {wrong}");
                assert_eq!(payload[&subject], json!({ "id": id, "version": version }), "{name} at {wrong}");
            }
            // Two at once: one wins.
            let before = world.counts().await["audit_event"];
            let input = input(version);
            let (a, b) = tokio::join!(
                act(&client, &name, &subject, &selection, &input),
                act(&client, &name, &subject, &selection, &input)
            );
            let won: Vec<&Value> =
                [&a, &b].into_iter().filter(|payload| faults(payload).is_empty()).collect();
            assert_eq!(won.len(), 1, "{name}: {a} {b}");
            assert!([&a, &b].iter().any(|payload| faults(payload) == fault("CONFLICT", "expectedVersion")));
            version += 1;
            assert_eq!(won[0][&subject]["version"], json!(version));
            if verb == "update" {
                for (key, value) in self.updated.as_object().unwrap() {
                    assert_eq!(&won[0][&subject][key], value, "{name}");
                }
            }
            assert_eq!(world.counts().await["audit_event"], before + 1);
            let trace = world.audit().await;
            let action = verb.to_uppercase();
            let trace: Vec<_> = trace.iter().filter(|row| row.action == action).collect();
            assert_eq!(trace.len(), 1, "{name}");
            assert_eq!(
                (trace[0].version, trace[0].account),
                (Some(version as i32), Some(account(self.account)))
            );
        }
    }

    async fn stays_as_it_is_once_archived(&self, world: &World, id: &str) {
        let client = world.member(self.role, "own");
        let before = world.counts().await;
        let version = self.changes(id, 1).len() as i64 + 1;
        for (verb, input) in self.changes(id, version) {
            let payload = act(&client, &self.mutation(verb), &self.subject(), "id", &input).await;
            assert_eq!(faults(&payload), fault("INVALID", "id"), "{verb} {}", self.name);
        }
        assert_eq!(world.counts().await, before, "{}", self.name);
        // The request that made it is still answered with it.
        let input = with(&self.create, json!({ "idempotencyKey": "once" }));
        let again = done(&client, &self.mutation("create"), &self.subject(), "id", &input).await;
        assert_eq!(again["id"], json!(id), "{}", self.name);
    }

    async fn is_made_once_under_load(&self, world: &World) {
        let client = world.member(self.role, "own");
        let before = world.counts().await;
        let input = with(&self.fresh("l"), json!({ "idempotencyKey": "load" }));
        let (name, subject) = (self.mutation("create"), self.subject());
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (client, input, name, subject) =
                (client.clone(), input.clone(), name.clone(), subject.clone());
            tasks.spawn(async move { done(&client, &name, &subject, "id", &input).await["id"].to_string() });
        }
        let mut ids = tasks.join_all().await;
        ids.dedup();
        assert_eq!(ids.len(), 1, "{name}");
        let after = world.counts().await;
        assert_eq!(after["audit_event"], before["audit_event"] + 1);
        assert_eq!(after["idempotency"], before["idempotency"] + 1);
        assert_eq!(after[&subject], before[&subject] + 1);
    }

    /// When the audit row cannot be written, nothing is.
    async fn leaves_nothing_without_its_trace(&self, world: &World) {
        stop_audit(world).await;
        let before = world.counts().await;
        let input = with(&self.fresh("t"), json!({ "idempotencyKey": "trace" }));
        let name = self.mutation("create");
        let document = mutation(&name, &self.subject(), "id");
        let answer = world.member(self.role, "own").query(&document, json!({ "input": input })).await;
        assert_eq!(answer.code(), "INTERNAL");
        assert_eq!(world.counts().await, before);
    }

    /// An input whose unique name, if it has one, is not taken.
    fn fresh(&self, mark: &str) -> Value {
        let mut input = self.other.clone();
        for name in ["slug", "code"] {
            if let Some(text) = input.get(name).and_then(Value::as_str) {
                input[name] = json!(format!("{text}-{mark}"));
            }
        }
        input
    }

    /// The inputs that change an entry, in the order of its life.
    fn changes(&self, id: &str, version: i64) -> Vec<(&'static str, Value)> {
        let at = json!({ "id": id, "expectedVersion": version });
        let mut changes = Vec::new();
        if !self.update.is_null() {
            changes.push(("update", with(&self.update, at.clone())));
        }
        if self.publishes {
            changes.push(("publish", at.clone()));
        }
        changes.push(("archive", at));
        changes
    }
}

/// Makes every write of an audit row fail.
pub async fn stop_audit(world: &World) {
    world
        .sql(match world.database.backend {
            tests::Backend::Sqlite => {
                "CREATE TRIGGER no_audit BEFORE INSERT ON audit_event BEGIN SELECT RAISE(ABORT, 'no'); END"
            }
            tests::Backend::Postgres => {
                "CREATE FUNCTION no_audit() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE EXCEPTION 'no'; END $$; \
                 CREATE TRIGGER no_audit BEFORE INSERT ON audit_event EXECUTE FUNCTION no_audit()"
            }
        })
        .await;
}

/// An object with the fields of another added.
pub fn with(object: &Value, more: Value) -> Value {
    let mut fields: BTreeMap<String, Value> = BTreeMap::new();
    for part in [object, &more] {
        for (key, value) in part.as_object().unwrap() {
            fields.insert(key.clone(), value.clone());
        }
    }
    json!(fields)
}

both!(
    async fn others_learn_with_the_next_quarter_that_something_sensitive_is_archived(world: &World) {
        let archived = async |organization: &str, name: &str, entry: &str| {
            let client = world.member("coordinator", organization);
            let document = format!("{{ node(id: \"{entry}\") {{ ... on {name} {{ archived }} }} }}");
            ask(&client, &document).await["node"]["archived"] == json!(true)
        };
        let archive = async |name: &str, entry: &str, version: i32| {
            let at = json!({ "id": entry, "expectedVersion": version });
            let subject = name.to_lowercase();
            done(&world.coordinator(), &format!("archive{name}"), &subject, "id", &at).await;
            assert!(archived("own", name, entry).await);
        };
        let sensitive = [
            ("Program", id(Kind::Program, MATERNITY)),
            ("Item", id(Kind::Item, FORMULA)),
            ("Kit", id(Kind::Kit, MATERNAL)),
        ];
        let general = [
            ("Program", id(Kind::Program, WORKSHOP)),
            ("Item", id(Kind::Item, BOOK)),
            ("Kit", id(Kind::Kit, BATH)),
        ];
        for (name, entry) in sensitive.iter().chain(&general) {
            archive(name, entry, 1).await;
        }
        // General for others until the next quarter, and general again from that day on.
        let pads = id(Kind::Item, PADS);
        let becomes = async |sensitivity: &str, version: i32| {
            let change = json!({ "id": pads, "expectedVersion": version, "sensitivity": sensitivity });
            done(&world.coordinator(), "updateItem", "item", "id", &change).await;
        };
        becomes("SENSITIVE", 1).await;
        for (now, known) in
            [("2026-11-20T12:00:00Z", false), ("2026-12-31T23:59:59Z", false), ("2027-01-01T00:00:00Z", true)]
        {
            world.set_now(now);
            for (name, entry) in &general {
                assert!(archived("other", name, entry).await, "{name} {now}");
            }
            for (name, entry) in &sensitive {
                assert_eq!(archived("other", name, entry).await, known, "{name} {now}");
            }
        }
        becomes("GENERAL", 2).await;
        archive("Item", &pads, 3).await;
        assert!(!archived("other", "Item", &pads).await, "others still know it as sensitive");
        world.set_now("2027-04-01T00:00:00Z");
        assert!(archived("other", "Item", &pads).await);
    }
);
