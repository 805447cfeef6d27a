//! How often somebody may try.

use entity::value::Role;
use serde_json::{Value, json};
use tests::{Backend, Client, block_on, both};

use super::*;

/// Tries to sign in from an address, as a trusted proxy says.
async fn from(client: &Client, address: &str, email: &str, password: &str) -> Value {
    let body =
        json!({ "query": SIGN_IN, "variables": { "input": { "email": email, "password": password } } });
    let answer = client.question(&body).header("x-forwarded-for", address).send().await;
    answer.data()["signIn"].clone()
}

async fn behind_a_proxy(backend: Backend) -> World {
    World::configured(backend, |config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await
}

both!(
    async fn a_caller_cannot_vary_the_bound_away(world: &World) {
        person(world, 1, "ana@casa.example", Role::Coordinator, OWN).await;
        let client = world.anonymous();
        for email in ["ana@casa.example", "nobody@casa.example"] {
            let hashed = world.running.store.passwords.hashed();
            let (name, _) = email.split_once('@').unwrap();
            let typed = [
                email.to_owned(),
                email.to_uppercase(),
                format!("  {email} "),
                format!("{name}＠casa.example"),
                format!("{name}@CASA.example"),
            ];
            // Nobody has said that this proxy is trusted, so its header counts for nothing.
            for (n, typed) in typed.iter().enumerate() {
                let payload = from(&client, &format!("203.0.113.{n}"), typed, "wrong, and wrong again").await;
                assert_eq!(refused(&payload), "NOT_ACCEPTED", "{typed}");
            }
            for (n, typed) in typed.iter().enumerate() {
                let payload = from(&client, &format!("198.51.100.{n}"), typed, PASSWORD).await;
                assert_eq!(refused(&payload), "TOO_MANY_TRIES", "{typed}");
                assert_eq!(payload["userErrors"][0]["retryAfter"], json!(900), "{typed}");
            }
            assert_eq!(world.running.store.passwords.hashed() - hashed, 5, "who is refused costs nothing");
        }
        // The window slides: what was tried later counts longer.
        world.set_now("2026-11-20T12:15:00Z");
        signed_in(world, "ana@casa.example", PASSWORD).await;
    }
);

both!(
    async fn success_takes_back_what_it_cost(world: &World) {
        person(world, 1, "ana@casa.example", Role::Coordinator, OWN).await;
        for _ in 0..3 {
            for _ in 0..4 {
                let answer =
                    try_password(&world.anonymous(), "ana@casa.example", "wrong, and wrong again").await;
                assert_eq!(refused(&answer.data()["signIn"]), "NOT_ACCEPTED");
            }
            signed_in(world, "ana@casa.example", PASSWORD).await;
        }
    }
);

both!(
    async fn two_servers_count_together(world: &World) {
        let second = world.second().await;
        let there = Client::anonymous(format!("http://{}", second.address));
        let here = world.anonymous();
        for client in [&here, &there, &here, &there, &here] {
            let answer = try_password(client, "nobody@casa.example", "wrong, and wrong again").await;
            assert_eq!(refused(&answer.data()["signIn"]), "NOT_ACCEPTED");
        }
        for client in [&here, &there] {
            let answer = try_password(client, "nobody@casa.example", "wrong, and wrong again").await;
            assert_eq!(refused(&answer.data()["signIn"]), "TOO_MANY_TRIES");
        }
        second.stop().await;
    }
);

both!(
    async fn tries_at_one_moment_see_each_other(world: &World) {
        let client = world.anonymous();
        let tries = (0..12).map(|_| try_password(&client, "nobody@casa.example", "wrong, and wrong again"));
        let answers = futures_util::future::join_all(tries).await;
        let codes = answers.iter().map(|answer| refused(&answer.data()["signIn"]));
        assert_eq!(codes.filter(|code| code == "NOT_ACCEPTED").count(), 5);
    }
);

fn strangers_do_not_lock_the_owner_out_on(backend: Backend) {
    block_on(async {
        let world = behind_a_proxy(backend).await;
        let client = world.anonymous();
        let email = "ana@casa.example";
        person(&world, 1, email, Role::Coordinator, OWN).await;
        tokens(&from(&client, "192.0.2.1", email, PASSWORD).await);
        // The caller's own header stands left of what the proxy wrote; IPv6 networks are one address.
        for n in 0..5 {
            let address = format!("203.0.113.{n}, 2001:db8:0:1::{n}");
            assert_eq!(
                refused(&from(&client, &address, email, "wrong, and wrong again").await),
                "NOT_ACCEPTED"
            );
        }
        let payload = from(&client, "2001:db8:0:1:ffff::1", email, PASSWORD).await;
        assert_eq!(refused(&payload), "TOO_MANY_TRIES");
        // From ever other networks, until the account's own bound is reached.
        for n in 0..45 {
            let address = format!("2001:db8:1:{n}::1");
            assert_eq!(
                refused(&from(&client, &address, email, "wrong, and wrong again").await),
                "NOT_ACCEPTED"
            );
        }
        let payload = from(&client, "198.51.100.1", email, PASSWORD).await;
        assert_eq!(refused(&payload), "TOO_MANY_TRIES");
        assert_eq!(payload["userErrors"][0]["retryAfter"], json!(3600));
        // Where she has signed in before she still does.
        tokens(&from(&client, "192.0.2.1", email, PASSWORD).await);
        // And one network may not try ever other accounts.
        for n in 0..60 {
            let payload =
                from(&client, "198.51.100.9", &format!("{n}@casa.example"), "wrong, wrong, wrong").await;
            assert_eq!(refused(&payload), "NOT_ACCEPTED", "{n}");
        }
        let payload = from(&client, "198.51.100.9", "last@casa.example", "wrong, wrong, wrong").await;
        assert_eq!(refused(&payload), "TOO_MANY_TRIES");
        world.0.shut_down().await;
    });
}

#[test]
fn strangers_do_not_lock_the_owner_out_sqlite() {
    strangers_do_not_lock_the_owner_out_on(Backend::Sqlite);
}

#[test]
fn strangers_do_not_lock_the_owner_out_postgres() {
    strangers_do_not_lock_the_owner_out_on(Backend::Postgres);
}

both!(
    async fn one_time_tokens_are_not_guessed_without_bound(world: &World) {
        let client = world.anonymous();
        for (name, most) in [("acceptInvitation", 15), ("resetPassword", 15)] {
            for n in 0..most {
                let input = json!({ "token": format!("guess {n} {name}"), "password": PASSWORD });
                assert_eq!(refused(&plain(&client, name, Some(input)).await), "NOT_ACCEPTED", "{name} {n}");
            }
        }
        let input = json!({ "token": "guess", "password": PASSWORD });
        for name in ["acceptInvitation", "resetPassword"] {
            assert_eq!(refused(&plain(&client, name, Some(input.clone())).await), "TOO_MANY_TRIES", "{name}");
        }
        // Asking for mails is bounded by itself, for known and unknown addresses alike.
        person(world, 1, "ana@casa.example", Role::Coordinator, OWN).await;
        for email in ["ana@casa.example", "nobody@casa.example"] {
            let ask = Some(json!({ "email": email }));
            for _ in 0..3 {
                plainly_done(&client, "requestPasswordReset", ask.clone()).await;
            }
            assert_eq!(refused(&plain(&client, "requestPasswordReset", ask).await), "TOO_MANY_TRIES");
        }
        // No address of a stranger is kept.
        assert_eq!(world.number("SELECT count(*) FROM mail WHERE recipient <> 'ana@casa.example'").await, 0);
    }
);
