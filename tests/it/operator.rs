//! What somebody who runs the program sees: what it refuses to start with, and what it logs.

use std::process::{Output, Stdio};

use serde_json::json;
use tests::{Client, DemoApp, Folder, TestApp, both, program};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Command,
};

use crate::{
    sign_in::{PASSWORD, plainly_done, signed_in, token_in_mail},
    talk::{ask, done},
    world::*,
};

/// Runs a command on a test's database as in production.
async fn in_production(
    app: &TestApp,
    folder: &Folder,
    environment: &[(&str, &str)],
    command: &[&str],
) -> Output {
    let mut run = Command::new(program());
    run.args(command)
        .env_clear()
        .env("DATABASE_URL", &app.database.url)
        .env("UMBRAL_DATA_DIR", folder.path())
        .env("UMBRAL_LISTEN", "127.0.0.1:0")
        .envs(environment.iter().copied())
        .stdin(Stdio::null());
    if let Some(url) = &app.database.outside_url {
        run.env("OUTSIDE_DATABASE_URL", url);
    }
    run.output().await.unwrap()
}

both!(
    async fn accounts_outlive_the_address(world: &World) {
        let folder = Folder::new();
        let keys = in_production(world, &folder, &[], &["keys", "generate"]).await;
        assert!(keys.status.success(), "{keys:?}");
        let token = ["token", "--role", "coordinator", "--organization", "own"];
        // Nobody has said whose tokens these are.
        for command in [&token[..], &["serve"]] {
            let refused = in_production(world, &folder, &[("UMBRAL_PUBLIC_URL", "")], command).await;
            assert!(!refused.status.success());
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(said.contains("UMBRAL_ISSUER") && said.contains("UMBRAL_PUBLIC_URL"), "{said}");
        }
        let demo = in_production(world, &folder, &[("UMBRAL_ISSUER", "umbral-demo")], &token).await;
        assert!(!demo.status.success());
        let accounts = "SELECT count(*) FROM account";
        let before = world.number(accounts).await;
        for address in ["https://one.example", "https://two.example"] {
            let environment = [("UMBRAL_ISSUER", "umbral"), ("UMBRAL_PUBLIC_URL", address)];
            let made = in_production(world, &folder, &environment, &token).await;
            assert!(made.status.success(), "{made:?}");
        }
        // The second token is the first one's account.
        assert_eq!(world.number(accounts).await, before + 1);
        assert_eq!(world.number("SELECT count(*) FROM identity WHERE issuer = 'umbral'").await, 1);
        // Without a name of its own, the issuer is the address.
        let address = [("UMBRAL_PUBLIC_URL", "https://two.example/")];
        assert!(in_production(world, &folder, &address, &token).await.status.success());
        let named = "SELECT count(*) FROM identity WHERE issuer = 'https://two.example'";
        assert_eq!(world.number(named).await, 1);
    }
);

both!(
    #[expect(
        clippy::disallowed_methods,
        reason = "commands go by the real clock, and the server here has to as well"
    )]
    /// From an empty database to a facility and the second person, by what README says and nothing else.
    async fn an_empty_database_is_put_to_use(app: &TestApp) {
        let folder = Folder::new();
        let now = chrono::Utc::now();
        app.set_now(&now.to_rfc3339());
        let create = async |slug: &str, country: &str, more: &[&str]| {
            let command = ["organization", "create", "--slug", slug, "--name", "Casa Nueva", "--country"];
            let command = [&command[..], &[country], more].concat();
            in_production(app, &folder, &[("UMBRAL_ISSUER", "umbral")], &command).await
        };
        for (slug, country, more) in [("casa", "MX", &[][..]), ("aliada", "CL", &["--kind", "partner"])] {
            let made = create(slug, country, more).await;
            assert!(made.status.success(), "{made:?}");
        }
        for (slug, country, option) in
            [("casa", "MX", "--slug"), ("Casa", "MX", "--slug"), ("otra", "mx", "--country")]
        {
            let refused = create(slug, country, &[]).await;
            let said = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(!refused.status.success() && said.contains(option), "{slug} {country}: {said}");
        }
        let seen =
            "{ organizations(first: 9) { nodes { slug name kind } } facilities(first: 1) { totalCount } }";
        let organizations = json!({ "facilities": { "totalCount": 0 }, "organizations": { "nodes": [
            { "slug": "aliada", "name": "Casa Nueva", "kind": "PARTNER" },
            { "slug": "casa", "name": "Casa Nueva", "kind": "OPERATOR" } ] } });
        let mut answer = ask(&app.anonymous(), seen).await;
        answer["organizations"]["nodes"].as_array_mut().unwrap().sort_by_key(|node| node["slug"].to_string());
        assert_eq!(answer, organizations);

        let invite =
            ["admin", "create", "--organization", "casa", "--email", "ada@casa.example", "--name", "Ada"];
        let invited = in_production(app, &folder, &[("UMBRAL_ISSUER", "umbral")], &invite).await;
        assert!(invited.status.success(), "{invited:?}");
        let token = String::from_utf8(invited.stdout).unwrap();
        let accept = |token: &str| Some(json!({ "token": token, "password": PASSWORD }));
        plainly_done(&app.anonymous(), "acceptInvitation", accept(token.trim())).await;
        let (admin, ..) = signed_in(app, "ada@casa.example", PASSWORD).await;
        let role = "{ viewer { role organization { slug } } }";
        let expected = json!({ "viewer": { "role": "ADMIN", "organization": { "slug": "casa" } } });
        assert_eq!(ask(&admin, role).await, expected);
        let invite = json!({ "idempotencyKey": "one", "email": "carla@casa.example", "name": "Carla",
            "role": "COORDINATOR" });
        done(&admin, "inviteUser", "invitation", "id", &invite).await;
        let token = token_in_mail(app, "carla@casa.example").await;
        plainly_done(&app.anonymous(), "acceptInvitation", accept(&token)).await;
        let (coordinator, ..) = signed_in(app, "carla@casa.example", PASSWORD).await;
        let coordinator = coordinator.purpose("SERVICE");
        let facility = json!({ "idempotencyKey": "one", "slug": "norte", "name": "Norte", "country": "MX",
            "region": "MX-CMX", "kind": "OTHER", "presentSince": "2024-01-01" });
        let facility = done(&coordinator, "createFacility", "facility", "id", &facility).await;
        let woman = json!({ "idempotencyKey": "two", "givenNames": "Rosa", "familyNames": "Vega",
            "facility": facility["id"],
            "startsOn": "2025-01-01" });
        let woman = done(&coordinator, "registerParticipant", "participant", "code", &woman).await;
        assert!(woman["code"].is_string(), "{woman}");
    }
);

/// What nobody may find in a log.
const PERSONAL: [&str; 3] = ["Perpetua", "Quiroga", "5551234"];

both!(
    async fn logs_hold_no_token_and_no_personal_data(app: &DemoApp) {
        let folder = Folder::new();
        let mut server = Command::new("sh")
            // Where the host lets core files be written, one would be written here.
            .args(["-c", "ulimit -c unlimited 2> /dev/null; exec \"$0\""])
            .arg(program())
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("DATABASE_URL", &app.database.url)
            .env("UMBRAL_MODE", "demo")
            // The keys that have signed the harness' tokens.
            .env("UMBRAL_DATA_DIR", app.data_dir.path())
            .env("UMBRAL_LISTEN", "127.0.0.1:0")
            .env("UMBRAL_LOG", "debug,api=trace")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = server.stderr.take().unwrap();
        let log = tokio::spawn(async move {
            let mut log = String::new();
            lines.read_to_string(&mut log).await.unwrap();
            log
        });
        let mut banner = BufReader::new(server.stdout.take().unwrap()).lines();
        let mut printed = Vec::new();
        while let Some(line) = banner.next_line().await.unwrap() {
            printed.push(line);
            if printed.last().is_some_and(|line| line.starts_with("Stop with")) {
                break;
            }
        }
        let word = |start: &str| {
            let words = printed.iter().flat_map(|line| line.split_whitespace());
            words
                .into_iter()
                .find(|word| word.starts_with(start))
                .unwrap_or_else(|| panic!("{printed:?}"))
                .to_owned()
        };
        let base = word("http://").trim_end_matches("/graphql").to_owned();
        let good = word("ey");
        let (signed, _) = good.rsplit_once('.').unwrap();
        let client = Client::anonymous(base);
        let tokens = [
            good.clone(),
            format!("{signed}.AAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            "not-a-token-at-all-1234567890".to_owned(),
        ];
        let [name, surname, number] = PERSONAL;
        for (token, status) in tokens.iter().zip([200, 401, 401]) {
            let client = client.token(token);
            client.query("{ viewer { audience } }", json!(null)).await.expect_status(status);
            let search =
                "query($text: String) { facilities(first: 1, filter: { search: $text }) { totalCount } }";
            client.query(search, json!({ "text": format!("{name} {surname}") })).await.expect_status(status);
            for document in [
                format!("{{ facility(slug: \"{name}\") {{ {surname} }} }}"),
                format!("{{ {name} {surname} {number}"),
                format!("{{ node(id: \"{number}\") {{ id }} }}"),
            ] {
                client.query(&document, json!({ "a": surname })).await;
            }
            client.organization(name).query("{ viewer { audience } }", json!(null)).await;
            client.request("GET", &format!("/{name}/{number}?token={token}&q={surname}")).send().await;
            client.request("GET", "/graphql").header("x-request-id", format!("{name} {number}")).send().await;
        }
        // Her record, by one who may.
        let line = printed.iter().find(|line| line.trim_start().starts_with("coordinator ")).unwrap();
        let coordinator = client.token(line.split_whitespace().last().unwrap()).purpose("SERVICE");
        let facilities = coordinator.query("{ facilities(first: 1) { nodes { id } } }", json!(null)).await;
        let register = "mutation($input: RegisterParticipantInput!) { registerParticipant(input: $input) { \
                        participant { identity { givenNames } } userErrors { message } } }";
        let input = json!({ "idempotencyKey": "one", "givenNames": name, "familyNames": surname, "notes": number,
            "facility": facilities.data()["facilities"]["nodes"][0]["id"], "startsOn": "2025-01-01" });
        let made = coordinator.query(register, json!({ "input": input })).await;
        assert_eq!(made.data()["registerParticipant"]["participant"]["identity"]["givenNames"], json!(name));
        let found = "query($name: String) { participants(first: 1, filter: { name: $name }) { totalCount } }";
        coordinator.query(found, json!({ "name": surname })).await.expect_status(200);
        // A scheme that is none, with a token behind it.
        client.request("POST", "/graphql").header("authorization", format!("Basic {good}")).send().await;
        // It crashes, and says nothing of what it held.
        let crash = format!("kill -ABRT {}", server.id().unwrap());
        let killed = Command::new("sh").args(["-c", &crash]).status().await.unwrap();
        assert!(killed.success());
        server.wait().await.unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a core file");
        let log = log.await.unwrap();
        assert!(log.lines().count() > 10, "it logs requests: {log}");
        for token in tokens.iter().flat_map(|token| token.split('.')).filter(|part| part.len() > 12) {
            for start in (0..token.len() - 12).step_by(4) {
                let part = &token[start..start + 12];
                let line = log.lines().find(|line| line.contains(part));
                assert_eq!(line, None, "{part}");
            }
        }
        for word in PERSONAL {
            assert_eq!(log.lines().find(|line| line.contains(word)), None, "{word}");
        }
    }
);
