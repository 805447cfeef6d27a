//! Passwords: who is let in, and what is told to who is not.

use entity::value::Role;
use serde_json::{Value, json};
use tests::{Answer, both};

use super::*;

/// Status, headers and body.
type Told = (u16, Vec<(String, Vec<u8>)>, Vec<u8>);

/// All of an answer but what differs in each.
fn told(answer: &Answer) -> Told {
    let silent = ["date", "x-request-id"];
    let headers = answer.headers.iter().filter(|(name, _)| !silent.contains(&name.as_str()));
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    headers.sort();
    (answer.status, headers, answer.body.to_vec())
}

both!(
    async fn whoever_is_not_let_in_learns_nothing(world: &World) {
        person(world, 1, "ana@casa.example", Role::Coordinator, OWN).await;
        person(world, 2, "disabled@casa.example", Role::Coordinator, OWN).await;
        person(world, 3, "former@casa.example", Role::Coordinator, OWN).await;
        world
            .sql("UPDATE account SET disabled_at = '2026-11-01T00:00:00+00:00' WHERE name = 'person 2'")
            .await;
        world.sql("UPDATE membership SET ends_on = '2026-11-01' WHERE starts_on = '2026-01-01' AND account_id IN \
                   (SELECT id FROM account WHERE name = 'person 3')").await;
        // The server has read its reference tables, so that all answers below cost the same statements.
        world.anonymous().query(WHO, Value::Null).await.data();
        let hashed = || world.running.store.passwords.hashed();
        let mut answers = Vec::new();
        for (email, password) in [
            ("nobody@casa.example", PASSWORD),
            ("ana@casa.example", "not the password at all"),
            ("disabled@casa.example", PASSWORD),
            ("former@casa.example", PASSWORD),
            ("no address", ""),
        ] {
            let before = hashed();
            let answer = try_password(&world.anonymous(), email, password).await;
            // With the header that counts statements: the same work is done.
            answers.push((email, told(&answer)));
            assert_eq!(hashed() - before, 1, "{email}");
            assert_eq!(refused(&answer.data()["signIn"]), "NOT_ACCEPTED", "{email}");
        }
        for (email, answer) in &answers {
            assert_eq!(*answer, answers[0].1, "{email}");
        }
        let before = hashed();
        signed_in(world, "ana@casa.example", PASSWORD).await;
        assert_eq!(hashed() - before, 1);
    }
);

both!(
    async fn an_address_is_the_same_however_it_is_typed(world: &World) {
        person(world, 1, "ana@casa.example", Role::Coordinator, OWN).await;
        for email in [" ANA@Casa.Example", "ａｎａ@casa.example"] {
            let (client, ..) = signed_in(world, email, PASSWORD).await;
            let viewer = client.query(WHO, Value::Null).await.data()["viewer"].clone();
            assert_eq!(viewer["role"], json!("COORDINATOR"));
            assert_eq!(viewer["account"]["name"], json!("person 1"));
        }
    }
);

both!(
    async fn a_new_password_ends_all_sessions(world: &World) {
        person(world, 1, "ana@casa.example", Role::Coordinator, OWN).await;
        let (other, _, other_refresh) = signed_in(world, "ana@casa.example", PASSWORD).await;
        let (client, _, refresh) = signed_in(world, "ana@casa.example", PASSWORD).await;
        let change = |password: &str, new: &str| Some(json!({ "password": password, "newPassword": new }));
        for (password, new, code) in [
            (PASSWORD, "short", "INVALID"),
            (PASSWORD, "ana@casa.example", "INVALID"),
            (PASSWORD, "Contraseña123", "INVALID"),
            ("not the password at all", NEW, "NOT_ACCEPTED"),
        ] {
            assert_eq!(
                refused(&plain(&client, "changePassword", change(password, new)).await),
                code,
                "{new}"
            );
        }
        let (access, new_refresh) = tokens(&plain(&client, "changePassword", change(PASSWORD, NEW)).await);
        assert_out(&client, "SESSION_ENDED").await;
        assert_out(&other, "SESSION_ENDED").await;
        for refresh in [refresh, other_refresh] {
            let input = Some(json!({ "refreshToken": refresh }));
            assert_eq!(refused(&plain(&world.anonymous(), "refreshSession", input).await), "NOT_ACCEPTED");
        }
        world.with_token(&access).query(WHO, Value::Null).await.data();
        tokens(
            &plain(&world.anonymous(), "refreshSession", Some(json!({ "refreshToken": new_refresh }))).await,
        );
        let old = try_password(&world.anonymous(), "ana@casa.example", PASSWORD).await;
        assert_eq!(refused(&old.data()["signIn"]), "NOT_ACCEPTED");
        signed_in(world, "ana@casa.example", NEW).await;
        // Nobody in particular, and a token without a session, have no password to change.
        for client in [world.anonymous(), world.coordinator()] {
            let input = json!({ "input": { "password": PASSWORD, "newPassword": NEW } });
            let document = "mutation($input: ChangePasswordInput!) { changePassword(input: $input) { \
                            userErrors { code } } }";
            assert_eq!(client.query(document, input).await.code(), "NOT_PERMITTED");
        }
    }
);
