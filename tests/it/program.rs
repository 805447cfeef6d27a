//! Programs.

use api::id::Kind;
use serde_json::{Value, json};
use tests::{Client, both};

use crate::{
    lifecycle::{Entry, with},
    talk::{act, ask, column, done, fault, faults},
    world::*,
};

fn input(slug: &str) -> Value {
    json!({ "slug": slug, "name": words("Programa"), "description": words("Para qué"), "area": "EDUCATION",
        "areas": ["ARTS_CULTURE", "EDUCATION", "ARTS_CULTURE"], "techniques": ["weaving"], "startsOn": "2026-01-01",
        "endsOn": "2026-12-31", "facilities": [id(Kind::Facility, 1), id(Kind::Facility, 1)] })
}

both!(
    async fn lives(world: &World) {
        let entry = Entry {
            name: "Program",
            create: input("nuevo"),
            other: input("nuevo-2"),
            update: json!({ "name": words("Otro"), "description": null, "endsOn": null,
                "facilities": [id(Kind::Facility, 2)] }),
            selection: "slug areas status techniques { code } name { text } description { text } endsOn startsOn \
                        facilities { slug }",
            updated: json!({ "name": { "text": "Otro" }, "description": null, "endsOn": null, "startsOn": "2026-01-01",
                "facilities": [{ "slug": "ecatepec" }], "techniques": [{ "code": "weaving" }],
                "areas": ["EDUCATION", "ARTS_CULTURE"], "status": "ACTIVE" }),
            publishes: true,
            steward_publishes: true,
            role: "coordinator",
            role_name: "COORDINATOR",
            account: 1,
            without_right: &["field", "steward", "admin", "auditor"],
        };
        entry.live(world).await;
    }
);

both!(
    async fn what_is_wrong_is_said_at_its_field(world: &World) {
        let before = world.counts().await;
        for (change, code, field) in [
            (json!({ "slug": "supplies" }), "DUPLICATE", "slug"),
            (json!({ "endsOn": "2025-12-31" }), "OUT_OF_RANGE", "endsOn"),
            (json!({ "techniques": ["weaving", "none"] }), "NOT_FOUND", "techniques.1"),
            (json!({ "facilities": [id(Kind::Facility, 99)] }), "NOT_FOUND", "facilities.0"),
            (json!({ "facilities": [id(Kind::Program, 1)] }), "NOT_FOUND", "facilities.0"),
            (json!({ "name": { "original": "es", "translations": [] } }), "INVALID", "name.original"),
        ] {
            let input = with(&with(&input("bueno"), change), json!({ "idempotencyKey": "bad" }));
            let payload = act(&world.coordinator(), "createProgram", "program", "id", &input).await;
            assert_eq!(faults(&payload), fault(code, field), "{input}");
        }
        let at = json!({ "id": id(Kind::Program, SUPPLIES), "expectedVersion": 1, "endsOn": "2019-12-31" });
        let payload = act(&world.coordinator(), "updateProgram", "program", "id", &at).await;
        assert_eq!(faults(&payload), fault("OUT_OF_RANGE", "endsOn"));
        assert_eq!(world.counts().await, before);
    }
);

/// Everything that an outsider could learn of a program.
async fn seen(client: &Client, program: &str) -> Value {
    let list = |filter: &str| {
        format!(
            "programs(first: 50, filter: {{ {filter} }}, orderBy: {{ field: NAME, direction: ASC }}) {{ nodes {{ slug }} }}"
        )
    };
    let neza = id(Kind::Facility, 1);
    let document = format!(
        "{{ node(id: \"{program}\") {{ ... on Program {{ slug status endsOn sensitivity name {{ text }} description {{ text }} \
         techniques {{ code }} facilities {{ slug }} }} }} all: {} old: {} new: {} completed: {} here: {} \
         ends: programs(first: 50, orderBy: {{ field: ENDS_ON, direction: ASC }}) {{ nodes {{ slug endsOn }} }} \
         facility(slug: \"neza\") {{ programs(first: 50) {{ nodes {{ slug }} }} }} }}",
        list(""),
        list("search: \"maternidad\""),
        list("search: \"NUEVO NOMBRE\""),
        list("status: [COMPLETED]"),
        list(&format!("facility: [\"{neza}\"]"))
    );
    ask(client, &document).await
}

both!(
    async fn changes_of_sensitive_programs_reach_outsiders_with_the_next_quarter(world: &World) {
        let program = id(Kind::Program, MATERNITY);
        let outsiders = [world.anonymous(), world.partner(), world.member("coordinator", "other")];
        let before = seen(&outsiders[0], &program).await;
        assert_eq!(before["node"]["facilities"], json!([]), "it exists without a place");
        assert_eq!(column(&before["old"]["nodes"], "slug"), ["maternity"]);
        assert_eq!(column(&before["here"]["nodes"], "slug"), ["supplies", "workshop"]);
        assert_eq!(column(&before["facility"]["programs"]["nodes"], "slug").len(), 2);
        let change = json!({ "id": program, "expectedVersion": 1, "name": words("Nuevo nombre"), "description": null,
            "status": "COMPLETED", "techniques": ["weaving"], "endsOn": null, "facilities": [id(Kind::Facility, 2)] });
        done(&world.coordinator(), "updateProgram", "program", "id", &change).await;
        // A second change in the same quarter shows no more of it, nor does publishing it once more.
        let at = json!({ "id": program, "expectedVersion": 2, "techniques": [] });
        done(&world.coordinator(), "updateProgram", "program", "id", &at).await;
        let at = json!({ "id": program, "expectedVersion": 3 });
        done(&world.coordinator(), "publishProgram", "program", "id", &at).await;
        for now in ["2026-11-20T13:00:00Z", "2026-12-31T23:59:59Z"] {
            world.set_now(now);
            for client in
                [world.anonymous(), world.member("partner", "ally"), world.member("coordinator", "other")]
            {
                assert_eq!(seen(&client, &program).await, before, "{now}");
            }
        }
        world.set_now("2026-12-31T23:59:59Z");
        let own = seen(&world.coordinator(), &program).await;
        assert_eq!(own["node"]["status"], json!("COMPLETED"));
        assert_eq!(own["node"]["facilities"], json!([{ "slug": "ecatepec" }]));
        world.set_now("2027-01-01T00:00:00Z");
        let after = seen(&world.anonymous(), &program).await;
        let node = json!({ "slug": "maternity", "status": "COMPLETED", "endsOn": null, "sensitivity": "SENSITIVE",
            "name": { "text": "Nuevo nombre" }, "description": null, "techniques": [], "facilities": [] });
        assert_eq!(after["node"], node);
        assert_eq!(column(&after["old"]["nodes"], "slug"), Vec::<String>::new());
        assert_eq!(column(&after["new"]["nodes"], "slug"), ["maternity"]);
        assert_eq!(column(&after["completed"]["nodes"], "slug"), ["maternity"]);
        // Leaving lists is a change too.
        let at = json!({ "id": program, "expectedVersion": 4 });
        done(&world.coordinator(), "archiveProgram", "program", "id", &at).await;
        assert_eq!(seen(&world.anonymous(), &program).await, after);
        world.set_now("2027-04-01T00:00:00Z");
        let gone = seen(&world.anonymous(), &program).await;
        assert!(!column(&gone["all"]["nodes"], "slug").contains(&"maternity".to_owned()));
    }
);

both!(
    async fn a_new_sensitive_program_appears_with_the_next_quarter(world: &World) {
        let create = with(
            &input("salud"),
            json!({ "idempotencyKey": "s", "area": "MENTAL_HEALTH", "areas": [], "name": words("Nuevo nombre") }),
        );
        let made = done(&world.coordinator(), "createProgram", "program", "id sensitivity", &create).await;
        assert_eq!(made["sensitivity"], json!("SENSITIVE"));
        let program = made["id"].as_str().unwrap();
        done(
            &world.coordinator(),
            "publishProgram",
            "program",
            "id",
            &json!({ "id": program, "expectedVersion": 1 }),
        )
        .await;
        // Changed before it was ever shown.
        let change = json!({ "id": program, "expectedVersion": 2, "name": words("Nuevo nombre 2") });
        done(&world.coordinator(), "updateProgram", "program", "id", &change).await;
        for now in ["2026-11-20T13:00:00Z", "2026-12-31T23:59:59Z"] {
            world.set_now(now);
            let seen = seen(&world.anonymous(), program).await;
            assert_eq!(seen["node"], Value::Null);
            assert_eq!(seen["new"]["nodes"], json!([]));
            assert!(!column(&seen["all"]["nodes"], "slug").contains(&"salud".to_owned()));
            let by_slug = "{ program(organization: \"own\", slug: \"salud\") { id } }";
            assert_eq!(ask(&world.anonymous(), by_slug).await["program"], Value::Null);
        }
        world.set_now("2027-01-01T00:00:00Z");
        assert_eq!(seen(&world.anonymous(), program).await["node"]["name"]["text"], json!("Nuevo nombre 2"));
    }
);

both!(
    async fn texts_come_in_the_language_asked_for(world: &World) {
        let text = async |argument: &str, header: &str| {
            let document = format!(
                "{{ program(organization: \"own\", slug: \"supplies\") {{ name {{ text{argument} original translation{argument} {{ lang status }} translations {{ lang text status }} }} }} }}"
            );
            let answer = world
                .anonymous()
                .request("POST", "/graphql")
                .header("content-type", "application/json")
                .header("accept-language", header)
                .body(json!({ "query": document }).to_string())
                .send()
                .await;
            answer.data()["program"]["name"].clone()
        };
        let (es, en) = ("Artículos básicos", "Basic supplies");
        for (argument, header, expected, lang) in [
            ("", "", es, "es"),
            ("", "en", en, "en"),
            ("", "en-GB;q=0.9, es;q=0.5", en, "en"),
            ("", "fr, de", es, "es"),
            ("", "fr, en;q=0.2, es;q=0.1", en, "en"),
            ("", "en;q=0", es, "es"),
            ("(lang: \"en\")", "es", en, "en"),
            ("(lang: \"es-CL\")", "en", es, "es"),
            ("(lang: \"pt\")", "en", es, "es"),
            ("", "*;;;q=,,", es, "es"),
        ] {
            let name = text(argument, header).await;
            assert_eq!(name["text"], json!(expected), "{argument} {header}");
            assert_eq!(name["original"], json!("es"));
            let status = if lang == "es" { "ORIGINAL" } else { "MACHINE" };
            assert_eq!(name["translation"], json!({ "lang": lang, "status": status }), "{argument} {header}");
            assert_eq!(name["translations"].as_array().unwrap().len(), 2);
        }
        // Search finds a name in any language.
        for (search, expected) in
            [("ARTICULOS", vec!["supplies"]), ("basic SUPPLIES", vec!["supplies"]), ("ajeno", vec!["theirs"])]
        {
            let data = ask(
                &world.anonymous(),
                &format!(
                    "{{ programs(first: 9, filter: {{ search: \"{search}\" }}) {{ nodes {{ slug }} }} }}"
                ),
            )
            .await;
            assert_eq!(column(&data["programs"]["nodes"], "slug"), expected);
        }
    }
);
