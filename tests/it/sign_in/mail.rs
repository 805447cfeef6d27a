//! Mails and the tokens in them, and what is kept and logged of all this.

use std::{fs, os::unix::fs::PermissionsExt, process::Stdio};

use api::chores::send_due;
use entity::value::Role;
use serde_json::{Value, json};
use tests::{Backend, Client, Folder, block_on, both, program};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

use super::*;

both!(
    async fn a_reset_is_good_once_and_ends_all_sessions(world: &World) {
        person(world, 1, "ana@casa.example", Role::Coordinator, OWN).await;
        let nobody = world.anonymous();
        let (client, ..) = signed_in(world, "ana@casa.example", PASSWORD).await;
        let ask = async |email: &str| {
            let document = "mutation($input: RequestPasswordResetInput!) { requestPasswordReset(input: $input) { \
                            done userErrors { code } } }";
            nobody.query(document, json!({ "input": { "email": email } })).await.body
        };
        assert_eq!(ask("ana@casa.example").await, ask("nobody@casa.example").await);
        let token = token_in_mail(world, "ana@casa.example").await;
        let reset = |token: &str, password: &str| Some(json!({ "token": token, "password": password }));
        assert_eq!(refused(&plain(&nobody, "resetPassword", reset(&token, "short")).await), "INVALID");
        ask("ana@casa.example").await;
        let waiting = tokens_in_mails(world, "ana@casa.example").await;
        let second = waiting.into_iter().find(|other| *other != token).unwrap();
        client.query(WHO, Value::Null).await.data();
        plainly_done(&nobody, "resetPassword", reset(&token, NEW)).await;
        assert_out(&client, "SESSION_ENDED").await;
        // Neither it nor another that was asked for before.
        for token in [&token, &second] {
            assert_eq!(
                refused(&plain(&nobody, "resetPassword", reset(token, PASSWORD)).await),
                "NOT_ACCEPTED"
            );
        }
        signed_in(world, "ana@casa.example", NEW).await;
        // After an hour it is too late.
        ask("ana@casa.example").await;
        let waiting = tokens_in_mails(world, "ana@casa.example").await;
        let last = waiting.into_iter().find(|other| *other != token && *other != second).unwrap();
        world.set_now("2026-11-20T13:00:01Z");
        assert_eq!(refused(&plain(&nobody, "resetPassword", reset(&last, PASSWORD)).await), "NOT_ACCEPTED");
        let actions: Vec<String> = world.audit().await.into_iter().map(|row| row.action).collect();
        for (action, count) in [("REQUEST_RESET", 3), ("RESET_PASSWORD", 1), ("SIGN_IN", 2)] {
            assert_eq!(actions.iter().filter(|one| *one == action).count(), count, "{action} {actions:?}");
        }
    }
);

both!(
    async fn the_hosts_command_sends_mails(world: &World) {
        person(world, 1, "ana@casa.example", Role::Coordinator, OWN).await;
        let ask = Some(json!({ "email": "ana@casa.example" }));
        plainly_done(&world.anonymous(), "requestPasswordReset", ask).await;
        let folder = Folder::new();
        let (script, sent) = (folder.path().join("send"), folder.path().join("sent.json"));
        fs::write(&script, "#!/bin/sh\ncat > \"$1\"\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
        let store = &world.running.store;
        // One that fails is tried again a minute later, and then two.
        assert_eq!(send_due(store, "false").await.unwrap(), 0);
        let works = format!("{} {}", script.display(), sent.display());
        assert_eq!(send_due(store, &works).await.unwrap(), 0);
        world.set_now("2026-11-20T12:01:00Z");
        assert_eq!(send_due(store, "/nowhere/at/all").await.unwrap(), 0);
        world.set_now("2026-11-20T12:02:59Z");
        assert_eq!(send_due(store, &works).await.unwrap(), 0);
        let token = token_in_mail(world, "ana@casa.example").await;
        world.set_now("2026-11-20T12:03:00Z");
        assert_eq!(send_due(store, &works).await.unwrap(), 1);
        let mail: Value = serde_json::from_slice(&fs::read(&sent).unwrap()).unwrap();
        assert_eq!(
            (&mail["to"], &mail["kind"], &mail["language"], &mail["token"]),
            (&json!("ana@casa.example"), &json!("PASSWORD_RESET"), &json!("es"), &json!(token))
        );
        assert_eq!(mail["subject"], json!("Contraseña nueva"));
        assert!(mail["text"].as_str().unwrap().contains(&token));
        // Once, and then it is empty.
        assert_eq!(send_due(store, &works).await.unwrap(), 0);
        assert!(store.waiting_mails().await.unwrap().is_empty());
        assert_eq!(world.number("SELECT count(*) FROM mail WHERE text IS NULL AND tries = 3").await, 1);
    }
);

/// All files of a SQLite database.
fn files(url: &str) -> Vec<u8> {
    let path = url.trim_start_matches("sqlite://").split('?').next().unwrap();
    ["", "-wal"].iter().filter_map(|end| fs::read(format!("{path}{end}")).ok()).flatten().collect()
}

#[test]
fn no_secret_is_kept_or_logged() {
    block_on(async {
        let world = World::configured(Backend::Sqlite, |_| ()).await;
        let mut server = Command::new(program())
            .env_clear()
            .env("DATABASE_URL", &world.database.url)
            .env("UMBRAL_MODE", "production")
            .env("UMBRAL_ISSUER", "umbral")
            .env("UMBRAL_DATA_DIR", world.data_dir.path())
            .env("UMBRAL_LISTEN", "127.0.0.1:0")
            .env("UMBRAL_LOG", "debug,api=trace")
            .env("UMBRAL_LOG_FORMAT", "json")
            .env("UMBRAL_MAIL_COMMAND", "false")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
        let mut log = String::new();
        let base = loop {
            let line = lines.next_line().await.unwrap().unwrap_or_else(|| panic!("{log}"));
            log += &line;
            let said: Value = serde_json::from_str(&line).unwrap_or_default();
            if said["fields"]["message"] == json!("serving") {
                break format!("http://{}", said["fields"]["address"].as_str().unwrap());
            }
        };
        let log = tokio::spawn(async move {
            while let Some(line) = lines.next_line().await.unwrap() {
                log += &line;
            }
            log
        });
        // The program's own clock is another day; it gets what the other server has made.
        let (one, made) = (Client::anonymous(base), world.member("admin", "own"));
        let invite = |email: &str, key: &str| json!({ "input": { "idempotencyKey": key, "email": email, "name": "Ana", "role": "COORDINATOR" } });
        let document =
            "mutation($input: InviteUserInput!) { inviteUser(input: $input) { userErrors { code } } }";
        made.query(document, invite("ana@casa.example", "one")).await.data();
        let invitation = token_in_mail(&world, "ana@casa.example").await;
        let accept = Some(json!({ "token": invitation, "password": PASSWORD }));
        plainly_done(&world.anonymous(), "acceptInvitation", accept).await;
        let (_, access, refresh) = signed_in(&world, "ana@casa.example", PASSWORD).await;
        plainly_done(
            &world.anonymous(),
            "requestPasswordReset",
            Some(json!({ "email": "ana@casa.example" })),
        )
        .await;
        let waiting = tokens_in_mails(&world, "ana@casa.example").await;
        let reset = waiting.into_iter().find(|token| *token != invitation).unwrap();
        try_password(&one, "stranger@nowhere.example", "a password of a stranger").await.data();
        try_password(&one, "ana@casa.example", PASSWORD).await.data();
        for token in [&access, &refresh, &reset, &invitation] {
            one.token(token).query(WHO, Value::Null).await;
            plain(&one, "refreshSession", Some(json!({ "refreshToken": token }))).await;
            plain(&one, "resetPassword", Some(json!({ "token": token, "password": NEW }))).await;
        }
        let stopping = server.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &stopping]).status().await.unwrap().success());
        server.wait().await.unwrap();
        let log = log.await.unwrap();
        assert!(log.contains("request"), "{log}");
        let secrets = [
            PASSWORD,
            NEW,
            &access,
            &refresh,
            &reset,
            &invitation,
            "a password of a stranger",
            "stranger@nowhere.example",
        ];
        let kept = files(&world.database.url);
        let holds = |secret: &str| kept.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(holds("ana@casa.example"), "the database is not what was searched");
        for secret in secrets {
            assert!(!holds(secret), "kept in clear: {secret}");
            assert!(!log.contains(secret), "logged: {secret}");
        }
        assert!(!log.contains("ana@casa.example"));
        world.0.shut_down().await;
    });
}

both!(
    async fn the_command_line_makes_the_first_administrator(world: &World) {
        let folder = Folder::new();
        let run = async |command: &[&str]| {
            let mut run = Command::new(program());
            run.args(command)
                .env_clear()
                .env("DATABASE_URL", &world.database.url)
                .env("UMBRAL_MODE", "demo")
                .env("UMBRAL_DATA_DIR", folder.path());
            let output = run.stdin(Stdio::null()).output().await.unwrap();
            (output.status.success(), String::from_utf8(output.stdout).unwrap())
        };
        let create = |organization: &'static str, email: &'static str| {
            ["admin", "create", "--organization", organization, "--email", email, "--name", "Ana"]
        };
        assert!(!run(&create("nowhere", "ana@casa.example")).await.0);
        assert!(!run(&create("own", "ana")).await.0);
        let (made, token) = run(&create("own", "ana@casa.example")).await;
        assert!(made);
        // The program's clock is not the test's, which stands still before it.
        let input = json!({ "token": token.trim(), "password": PASSWORD });
        world.sql("UPDATE invitation SET starts_on = '2026-11-20'").await;
        plainly_done(&world.anonymous(), "acceptInvitation", Some(input)).await;
        let (client, ..) = signed_in(world, "ana@casa.example", PASSWORD).await;
        let who = client.query(WHO, Value::Null).await.data()["viewer"].clone();
        assert_eq!(who["role"], json!("ADMIN"));
        // Mails that wait are handed to whoever sends them.
        plainly_done(
            &world.anonymous(),
            "requestPasswordReset",
            Some(json!({ "email": "ana@casa.example" })),
        )
        .await;
        world.sql("UPDATE mail SET expires_at = '2100-01-01T00:00:00+00:00'").await;
        let (_, list) = run(&["mail", "list"]).await;
        let id = list.split_whitespace().next().unwrap_or_else(|| panic!("{list}")).to_owned();
        let (_, shown) = run(&["mail", "show", &id]).await;
        let shown: Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["to"], json!("ana@casa.example"));
        assert!(run(&["mail", "sent", &id]).await.0);
        assert!(!run(&["mail", "show", &id]).await.0);
        assert_eq!(run(&["mail", "list"]).await.1, "");
    }
);
