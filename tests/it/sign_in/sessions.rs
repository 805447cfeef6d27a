//! Sessions: how they go on, and what ends them at once.

use entity::value::Role;
use serde_json::{Value, json};
use tests::{Client, Socket, both};

use super::*;
use crate::live::IDS;

async fn refresh(client: &Client, token: &str) -> Value {
    plain(client, "refreshSession", Some(json!({ "refreshToken": token }))).await
}

async fn audited(world: &World, action: &str) -> usize {
    world.audit().await.iter().filter(|row| row.action == action).count()
}

both!(
    async fn a_refresh_token_is_good_once(world: &World) {
        person(world, 1, "ana@casa.example", Role::Coordinator, OWN).await;
        let nobody = world.anonymous();
        let (client, _, first) = signed_in(world, "ana@casa.example", PASSWORD).await;
        let (second_client, second) = tokens(&refresh(&nobody, &first).await);
        let second_client = world.with_token(&second_client);
        for client in [&client, &second_client] {
            client.query(WHO, Value::Null).await.data();
        }
        assert_eq!(audited(world, "REFRESH_TOKEN_REUSED").await, 0);
        // The thief comes second, or the owner: nobody can tell, and both are out.
        assert_eq!(refused(&refresh(&nobody, &first).await), "NOT_ACCEPTED");
        assert_eq!(audited(world, "REFRESH_TOKEN_REUSED").await, 1);
        assert_eq!(refused(&refresh(&nobody, &second).await), "NOT_ACCEPTED");
        for client in [&client, &second_client] {
            assert_out(client, "SESSION_ENDED").await;
        }
        // Once is enough to say it.
        refresh(&nobody, &first).await;
        assert_eq!(audited(world, "REFRESH_TOKEN_REUSED").await, 1);
        for token in ["", "never was", "umbral_x"] {
            assert_eq!(refused(&refresh(&nobody, token).await), "NOT_ACCEPTED");
        }
    }
);

both!(
    async fn a_session_ends_with_its_time(world: &World) {
        person(world, 1, "ana@casa.example", Role::Coordinator, OWN).await;
        let nobody = world.anonymous();
        let (client, _, token) = signed_in(world, "ana@casa.example", PASSWORD).await;
        world.set_now("2026-11-20T12:10:29Z");
        client.query(WHO, Value::Null).await.data();
        world.set_now("2026-11-20T12:10:31Z");
        assert_out(&client, "TOKEN_EXPIRED").await;
        // Thirty days without use are too long.
        world.set_now("2026-12-20T12:00:00Z");
        assert_eq!(refused(&refresh(&nobody, &token).await), "NOT_ACCEPTED");
        assert_eq!(audited(world, "REFRESH_TOKEN_REUSED").await, 0);
        let (_, _, mut token) = signed_in(world, "ana@casa.example", PASSWORD).await;
        for day in ["2027-01-15", "2027-02-10", "2027-03-10"] {
            world.set_now(&format!("{day}T00:00:00Z"));
            token = tokens(&refresh(&nobody, &token).await).1;
        }
        // Ninety days are the end, however often it is used.
        world.set_now("2027-03-20T12:00:00Z");
        assert_eq!(refused(&refresh(&nobody, &token).await), "NOT_ACCEPTED");
    }
);

both!(
    async fn whatever_ends_a_session_ends_its_requests_and_sockets(world: &World) {
        let mut numbers = 1..;
        let admin = world.member("admin", "own");
        for end in ["signOut", "signOutEverywhere", "endUserSessions", "disableUser", "endMembership"] {
            let n = numbers.next().unwrap();
            let email = format!("{}@casa.example", end.to_lowercase());
            person(world, n, &email, Role::Coordinator, OWN).await;
            let (client, access, token) = signed_in(world, &email, PASSWORD).await;
            let (other, ..) = signed_in(world, &email, PASSWORD).await;
            let mut socket = Socket::of(world.address, &access).await;
            socket.subscribe("s", IDS, Value::Null).await;
            let user = api::id::text(Kind::User, person_key(n));
            match end {
                "signOut" | "signOutEverywhere" => plainly_done(&client, end, None).await,
                _ => {
                    let (ty, id) = match end {
                        "endMembership" => ("EndMembership", api::id::text(Kind::Membership, person_key(n))),
                        _ => ("Member", user),
                    };
                    let document = format!(
                        "mutation($input: {ty}Input!) {{ {end}(input: $input) {{ user {{ id }} userErrors {{ code }} }} }}"
                    );
                    let answer = admin.query(&document, json!({ "input": { "id": id } })).await;
                    assert_eq!(answer.data()[end]["userErrors"], json!([]), "{answer}");
                }
            }
            let code = match end {
                "disableUser" | "endMembership" => "NO_MEMBERSHIP",
                _ => "SESSION_ENDED",
            };
            assert_out(&client, code).await;
            assert_eq!(socket.closed().await, (4403, code.to_owned()), "{end}");
            assert_eq!(refused(&refresh(&world.anonymous(), &token).await), "NOT_ACCEPTED", "{end}");
            match end {
                "signOut" => drop(other.query(WHO, Value::Null).await.data()),
                _ => assert_out(&other, code).await,
            }
        }
    }
);

both!(
    async fn tokens_without_a_session_are_ended_too(world: &World) {
        let client = world.coordinator();
        client.query(WHO, Value::Null).await.data();
        for name in ["signOut", "signOutEverywhere"] {
            let out = client.query(&format!("mutation {{ {name} {{ done }} }}"), Value::Null).await;
            assert_eq!(out.code(), "NOT_PERMITTED", "{name}");
        }
        let document =
            "mutation($input: MemberInput!) { endUserSessions(input: $input) { userErrors { code } } }";
        let input = json!({ "input": { "id": api::id::text(Kind::User, crate::seed::account(1)) } });
        let ended = world.member("admin", "own").query(document, input).await;
        assert_eq!(ended.data()["endUserSessions"], json!({ "userErrors": [] }));
        assert_out(&client, "SESSION_ENDED").await;
        // Those made later are good.
        world.set_now("2026-11-20T12:00:01Z");
        world.coordinator().query(WHO, Value::Null).await.data();
        let out = world.anonymous().query("mutation { signOut { done } }", Value::Null).await;
        assert_eq!(out.code(), "NOT_PERMITTED");
    }
);

both!(
    async fn a_session_ends_on_every_server(world: &World) {
        person(world, 1, "ana@casa.example", Role::Coordinator, OWN).await;
        let (client, access, _) = signed_in(world, "ana@casa.example", PASSWORD).await;
        let second = world.second().await;
        let there = Client::anonymous(format!("http://{}", second.address)).token(&access);
        there.query(WHO, Value::Null).await.data();
        let mut socket = Socket::of(second.address, &access).await;
        plainly_done(&client, "signOut", None).await;
        // Nobody asks there; the socket looks by itself.
        assert_eq!(socket.closed().await, (4403, "SESSION_ENDED".to_owned()));
        assert_out(&there, "SESSION_ENDED").await;
        second.stop().await;
    }
);
