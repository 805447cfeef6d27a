//! Members, as administrators see and change them, and invitations.

use entity::value::Role;
use serde_json::{Value, json};
use tests::{Client, both};

use super::*;
use crate::talk::{act, ask, done, fault, faults};

/// Two administrators of the own organisation and one of the other, who are persons.
async fn admins(world: &World) {
    person(world, 1, "ada@casa.example", Role::Admin, OWN).await;
    person(world, 2, "eva@casa.example", Role::Admin, OWN).await;
    person(world, 3, "other@casa.example", Role::Admin, OTHER).await;
}

fn user(n: u128) -> String {
    api::id::text(Kind::User, person_key(n))
}

fn membership(n: u128) -> String {
    api::id::text(Kind::Membership, person_key(n))
}

/// Runs a mutation whose input has a name of its own: its payload.
async fn run(client: &Client, name: &str, ty: &str, shown: &str, input: Value) -> Value {
    let document = format!(
        "mutation($input: {ty}!) {{ {name}(input: $input) {{ {shown} userErrors {{ code field message }} }} }}"
    );
    client.query(&document, json!({ "input": input })).await.data()[name].clone()
}

fn invitation(key: &str, email: &str) -> Value {
    json!({ "idempotencyKey": key, "email": email, "name": "Inés", "role": "FIELD",
        "facilities": [id(Kind::Facility, 1)], "endsOn": "2026-12-31" })
}

const INVITED: &str = "id email name role startsOn endsOn expiresAt accepted";

both!(
    async fn an_invitation_is_good_once(world: &World) {
        let admin = world.member("admin", "own");
        let nobody = world.anonymous();
        let input = invitation("one", " INES@casa.example");
        let made = done(&admin, "inviteUser", "invitation", INVITED, &input).await;
        assert_eq!(made["email"], json!("ines@casa.example"));
        assert_eq!(made["expiresAt"], json!("2026-11-23T12:00:00.000000Z"));
        // The same again is the same, and sends no second mail.
        assert_eq!(done(&admin, "inviteUser", "invitation", INVITED, &input).await, made);
        assert_eq!(world.number("SELECT count(*) FROM mail").await, 1);
        let list = "{ invitations(first: 9) { totalCount nodes { id } } users(first: 9) { totalCount } }";
        assert_eq!(
            ask(&admin, list).await["invitations"],
            json!({ "totalCount": 1, "nodes": [{ "id": made["id"] }] })
        );

        let token = token_in_mail(world, "ines@casa.example").await;
        let accept = |password: &str| Some(json!({ "token": token, "password": password }));
        assert_eq!(refused(&plain(&nobody, "acceptInvitation", accept("short")).await), "INVALID");
        plainly_done(&nobody, "acceptInvitation", accept(PASSWORD)).await;
        assert_eq!(refused(&plain(&nobody, "acceptInvitation", accept(PASSWORD)).await), "NOT_ACCEPTED");
        let (client, ..) = signed_in(world, "ines@casa.example", PASSWORD).await;
        let who = ask(&client, "{ viewer { role account { name } facilities { slug } } }").await;
        assert_eq!(
            who["viewer"],
            json!({ "role": "FIELD", "account": { "name": "Inés" }, "facilities": [{ "slug": "neza" }] })
        );
        let list = ask(
            &admin,
            "{ invitations(first: 9) { totalCount } users(first: 9) { nodes { name email kind \
                                disabled memberships { role startsOn endsOn facilities { slug } } } } }",
        )
        .await;
        assert_eq!(list["invitations"]["totalCount"], json!(0));
        assert_eq!(
            list["users"]["nodes"],
            json!([{ "name": "Inés", "email": "ines@casa.example", "kind": "PERSON", "disabled": false,
                "memberships": [{ "role": "FIELD", "startsOn": "2026-11-20", "endsOn": "2026-12-31",
                    "facilities": [{ "slug": "neza" }] }] }])
        );
        let told = "SELECT count(*) FROM audit_event WHERE CAST(detail AS text) LIKE '%@%'";
        assert_eq!(world.number(told).await, 0, "an address in the audit");
        // Who has gone is asked again, for another first day.
        let member = ask(&admin, "{ users(first: 1) { nodes { memberships { id } } } }").await;
        let end = json!({ "id": member["users"]["nodes"][0]["memberships"][0]["id"] });
        let twice =
            act(&admin, "inviteUser", "invitation", "id", &invitation("two", "ines@casa.example")).await;
        assert_eq!(faults(&twice), fault("DUPLICATE", "email"));
        let payload = run(&admin, "endMembership", "EndMembershipInput", "user { id }", end).await;
        assert_eq!(faults(&payload), []);
        assert_out(&client, "NO_MEMBERSHIP").await;
        let again =
            act(&admin, "inviteUser", "invitation", "id", &invitation("two", "ines@casa.example")).await;
        assert_eq!(faults(&again), fault("DUPLICATE", "startsOn"));
        let later = crate::lifecycle::with(
            &invitation("two", "ines@casa.example"),
            json!({ "startsOn": "2026-11-21" }),
        );
        done(&admin, "inviteUser", "invitation", "id", &later).await;
        let waiting = tokens_in_mails(world, "ines@casa.example").await;
        let token = waiting.into_iter().find(|other| *other != token).unwrap();
        plainly_done(&nobody, "acceptInvitation", Some(json!({ "token": token, "password": PASSWORD })))
            .await;
        world.set_now("2026-11-21T00:00:00Z");
        signed_in(world, "ines@casa.example", PASSWORD).await;
        // After the last day she is nobody.
        world.set_now("2027-01-01T00:00:00Z");
        let late = try_password(&nobody, "ines@casa.example", PASSWORD).await;
        assert_eq!(refused(&late.data()["signIn"]), "NOT_ACCEPTED");
    }
);

both!(
    async fn invitations_end(world: &World) {
        let admin = world.member("admin", "own");
        let nobody = world.anonymous();
        let invite = async |key: &str, email: &str| {
            let made = done(&admin, "inviteUser", "invitation", "id", &invitation(key, email)).await;
            (made["id"].clone(), token_in_mail(world, email).await)
        };
        let accept = async |token: &str| {
            plain(&nobody, "acceptInvitation", Some(json!({ "token": token, "password": PASSWORD }))).await
        };
        // Withdrawn.
        let (id, token) = invite("one", "one@casa.example").await;
        let payload =
            run(&admin, "endInvitation", "MemberInput", "invitation { id }", json!({ "id": id })).await;
        assert_eq!(payload["invitation"]["id"], id);
        assert_eq!(refused(&accept(&token).await), "NOT_ACCEPTED");
        // Followed by another.
        let (_, token) = invite("two", "two@casa.example").await;
        world.set_now("2026-11-20T12:00:01Z");
        let (_, second) = invite("three", "two@casa.example").await;
        assert_eq!(refused(&accept(&token).await), "NOT_ACCEPTED");
        // Too old.
        world.set_now("2026-11-23T12:00:01Z");
        assert_eq!(refused(&accept(&second).await), "NOT_ACCEPTED");
        assert_eq!(world.number("SELECT count(*) FROM membership WHERE starts_on > '2026-01-01'").await, 0);
    }
);

both!(
    async fn whoever_has_an_account_elsewhere_keeps_it(world: &World) {
        admins(world).await;
        let admin = world.member("admin", "own");
        let nobody = world.anonymous();
        let input = json!({ "idempotencyKey": "one", "email": "other@casa.example", "name": "Another name",
            "role": "AUDITOR", "language": "EN" });
        done(&admin, "inviteUser", "invitation", "id", &input).await;
        let mails = world.running.store.waiting_mails().await.unwrap();
        let mail = world.running.store.waiting_mail(mails[0].id).await.unwrap().unwrap();
        assert!(
            mail.subject.starts_with("Invitation to ") && mail.text.contains(&mail.token),
            "{}",
            mail.subject
        );
        let accept = |password: &str| Some(json!({ "token": mail.token, "password": password }));
        // By the password that there is, and no other.
        assert_eq!(refused(&plain(&nobody, "acceptInvitation", accept(NEW)).await), "NOT_ACCEPTED");
        plainly_done(&nobody, "acceptInvitation", accept(PASSWORD)).await;
        let (client, ..) = signed_in(world, "other@casa.example", PASSWORD).await;
        for (slug, role) in [("own", "AUDITOR"), ("other", "ADMIN")] {
            let viewer = ask(&client.organization(slug), WHO).await["viewer"].clone();
            assert_eq!((&viewer["role"], &viewer["account"]["name"]), (&json!(role), &json!("person 3")));
        }
        // Both organisations see that somebody has signed in, and their own membership only.
        let signed = world.audit().await.iter().filter(|row| row.action == "SIGN_IN").count();
        assert_eq!(signed, 2);
        let seen = ask(&admin, "{ users(first: 9) { nodes { name memberships { role } } } }").await;
        let shared = json!({ "name": "person 3", "memberships": [{ "role": "AUDITOR" }] });
        assert!(seen["users"]["nodes"].as_array().unwrap().contains(&shared), "{seen}");
        // Neither may disable what is the other's as well.
        for name in ["disableUser", "enableUser"] {
            let payload = run(&admin, name, "MemberInput", "user { id }", json!({ "id": user(3) })).await;
            assert_eq!(faults(&payload), fault("NOT_PERMITTED", "id"));
        }
    }
);

both!(
    async fn memberships_change_from_a_day_on(world: &World) {
        admins(world).await;
        person(world, 4, "ines@casa.example", Role::Field, OWN).await;
        let admin = world.member("admin", "own");
        let (client, ..) = signed_in(world, "ines@casa.example", PASSWORD).await;
        let change = json!({ "id": membership(4), "role": "STEWARD", "startsOn": "2026-11-22", "endsOn": "2026-11-30" });
        let shown = "user { memberships { id role startsOn endsOn } }";
        let payload = run(&admin, "changeMembership", "ChangeMembershipInput", shown, change).await;
        let members = payload["user"]["memberships"].as_array().unwrap_or_else(|| panic!("{payload}"));
        let dates: Vec<Value> =
            members.iter().map(|one| json!([one["role"], one["startsOn"], one["endsOn"]])).collect();
        assert_eq!(
            json!(dates),
            json!([["FIELD", "2026-01-01", "2026-11-21"], ["STEWARD", "2026-11-22", "2026-11-30"]])
        );
        assert_eq!(ask(&client, WHO).await["viewer"]["role"], json!("FIELD"));
        world.set_now("2026-11-22T00:00:00Z");
        let admin = world.member("admin", "own");
        let (client, ..) = signed_in(world, "ines@casa.example", PASSWORD).await;
        assert_eq!(ask(&client, WHO).await["viewer"]["role"], json!("STEWARD"));
        // One that begins today is changed as it is.
        let second = members[1]["id"].clone();
        let change = json!({ "id": second, "role": "AUDITOR", "endsOn": null });
        let payload = run(&admin, "changeMembership", "ChangeMembershipInput", shown, change).await;
        assert_eq!(
            payload["user"]["memberships"][1],
            json!({ "id": second, "role": "AUDITOR",
            "startsOn": "2026-11-22", "endsOn": null })
        );
        assert_eq!(ask(&client, WHO).await["viewer"]["role"], json!("AUDITOR"));
        for (change, fault) in [
            (json!({ "id": membership(4), "role": "STEWARD" }), fault("INVALID", "id")),
            (json!({ "id": second, "startsOn": "2026-11-21" }), fault("OUT_OF_RANGE", "startsOn")),
            (json!({ "id": second, "endsOn": "2026-11-01" }), fault("OUT_OF_RANGE", "endsOn")),
            (json!({ "id": second, "role": "FIELD" }), fault("INVALID", "facilities")),
            (json!({ "id": second, "facilities": [id(Kind::Facility, 1)] }), fault("INVALID", "facilities")),
        ] {
            let payload =
                run(&admin, "changeMembership", "ChangeMembershipInput", shown, change.clone()).await;
            assert_eq!(faults(&payload), fault, "{change}");
        }
        let actions: Vec<String> = world.audit().await.into_iter().map(|row| row.action).collect();
        assert_eq!(actions.iter().filter(|action| *action == "CHANGE_MEMBERSHIP").count(), 2, "{actions:?}");
    }
);

both!(
    async fn nobody_raises_themselves_or_leaves_the_house_without_an_administrator(world: &World) {
        admins(world).await;
        let (ada, ..) = signed_in(world, "ada@casa.example", PASSWORD).await;
        let change = json!({ "id": membership(1), "role": "COORDINATOR" });
        let shown = "user { id }";
        let payload = run(&ada, "changeMembership", "ChangeMembershipInput", shown, change).await;
        assert_eq!(faults(&payload), fault("NOT_PERMITTED", "role"));
        let invite = json!({ "idempotencyKey": "me", "email": "ada@casa.example", "name": "Ada", "role": "COORDINATOR" });
        let payload = act(&ada, "inviteUser", "invitation", "id", &invite).await;
        assert_eq!(faults(&payload), fault("NOT_PERMITTED", "email"));
        let payload = run(&ada, "disableUser", "MemberInput", shown, json!({ "id": user(1) })).await;
        assert_eq!(faults(&payload), fault("NOT_PERMITTED", "id"));
        // The second of two may go, the last may not.
        let end = async |n: u128| {
            let input = json!({ "id": membership(n) });
            faults(&run(&ada, "endMembership", "EndMembershipInput", shown, input).await)
        };
        assert_eq!(end(2).await, []);
        assert_eq!(end(1).await, fault("INVALID", "id"));
        let change = json!({ "id": membership(1), "endsOn": "2026-12-31" });
        let payload = run(&ada, "changeMembership", "ChangeMembershipInput", shown, change).await;
        assert_eq!(faults(&payload), fault("INVALID", "id"));
        ask(&ada, WHO).await;
    }
);

both!(
    async fn an_administrator_of_others_reaches_nothing(world: &World) {
        admins(world).await;
        let (other, ..) = signed_in(world, "other@casa.example", PASSWORD).await;
        let never = 9_999;
        let input = json!({ "idempotencyKey": "one", "email": "ines@casa.example", "name": "Inés", "role": "AUDITOR" });
        let invited = done(&world.member("admin", "own"), "inviteUser", "invitation", "id", &input).await;
        let own = world.member("coordinator", "own");
        assert_eq!(
            own.query("{ users(first: 1) { totalCount } }", Value::Null).await.code(),
            "NOT_PERMITTED"
        );
        for (document, known, unknown) in [
            ("{ node(id: ID) { __typename id } }", user(1), user(never)),
            (
                "mutation { disableUser(input: { id: ID }) { user { id } userErrors { code field message } } }",
                user(1),
                user(never),
            ),
            (
                "mutation { enableUser(input: { id: ID }) { user { id } userErrors { code field message } } }",
                user(1),
                user(never),
            ),
            (
                "mutation { endUserSessions(input: { id: ID }) { user { id } userErrors { code field message } } }",
                user(1),
                user(never),
            ),
            (
                "mutation { endMembership(input: { id: ID }) { user { id } userErrors { code field message } } }",
                membership(1),
                membership(never),
            ),
            (
                "mutation { changeMembership(input: { id: ID, role: AUDITOR }) { user { id } userErrors { code field message } } }",
                membership(1),
                membership(never),
            ),
            (
                "mutation { endInvitation(input: { id: ID }) { invitation { id } userErrors { code field message } } }",
                invited["id"].as_str().unwrap().to_owned(),
                api::id::text(Kind::Invitation, person_key(never)),
            ),
            (
                "mutation { createServiceKey(input: { idempotencyKey: \"k\", account: ID, name: \"n\", lastDay: \"2026-12-31\" }) { made { secret } userErrors { code field message } } }",
                api::id::text(Kind::User, crate::seed::account(5)),
                user(never),
            ),
        ] {
            let ask = async |id: &str| {
                other.query(&document.replace("ID", &json!(id).to_string()), Value::Null).await
            };
            let (here, nowhere) = (ask(&known).await, ask(&unknown).await);
            assert_eq!((here.status, &here.body), (nowhere.status, &nowhere.body), "{document}");
            let data = here.data().to_string();
            assert!(data.contains("NOT_FOUND") || data == "{\"node\":null}", "{document}: {data}");
        }
        let seen =
            ask(&other, "{ users(first: 9) { nodes { id } } invitations(first: 9) { totalCount } }").await;
        assert_eq!(
            seen,
            json!({ "users": { "nodes": [{ "id": user(3) }] }, "invitations": { "totalCount": 0 } })
        );
    }
);
