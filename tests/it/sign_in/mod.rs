//! People and programs that sign in.

mod keys;
mod limits;
mod mail;
mod members;
mod passwords;
mod sessions;

use api::{auth::password::Passwords, id::Kind};
use entity::{
    account, credential, identity, membership,
    value::{AccountKind, Role},
};
use sea_orm::prelude::Uuid;
use serde_json::{Value, json};
use tests::{Answer, Client, TestApp};

use crate::world::*;

pub const PASSWORD: &str = "una clave que nadie adivina";
pub const NEW: &str = "otra clave que nadie adivina";

/// The key of a person's account.
pub fn person_key(n: u128) -> Uuid {
    uuid(Kind::Claim, 2_000 + n)
}

/// A person who signs in by `EMAIL` and [`PASSWORD`], with a role in an organisation.
pub async fn person(world: &World, n: u128, email: &str, role: Role, organization: u128) {
    let hash = Passwords::default().hash(PASSWORD).await.unwrap();
    let id = person_key(n);
    let at = moment("2026-01-01T00:00:00Z");
    world
        .insert::<account::Entity>(vec![account::Model {
            id,
            kind: AccountKind::Person,
            name: format!("person {n}"),
            recorded_at: at,
            disabled_at: None,
            tokens_valid_from: None,
        }])
        .await;
    world
        .insert::<identity::Entity>(vec![identity::Model {
            issuer: "umbral-demo".to_owned(),
            subject: id.to_string(),
            account_id: id,
        }])
        .await;
    world
        .insert::<credential::Entity>(vec![credential::Model {
            account_id: id,
            email: email.to_owned(),
            password_hash: hash,
            language: "es".to_owned(),
            changed_at: at,
        }])
        .await;
    member(world, n, n, role, organization).await;
}

/// A further membership of a person.
pub async fn member(world: &World, key: u128, n: u128, role: Role, organization: u128) {
    world
        .insert::<membership::Entity>(vec![membership::Model {
            organization_id: uuid(Kind::Organization, organization),
            id: person_key(key),
            account_id: person_key(n),
            role,
            starts_on: day("2026-01-01"),
            ends_on: None,
            recorded_at: moment("2026-01-01T00:00:00Z"),
        }])
        .await;
}

pub const SIGN_IN: &str = "mutation($input: SignInInput!) { signIn(input: $input) { tokens { accessToken \
    refreshToken accessExpiresAt refreshExpiresAt } userErrors { code field message retryAfter } } }";

/// Tries to sign in.
pub async fn try_password(client: &Client, email: &str, password: &str) -> Answer {
    client.query(SIGN_IN, json!({ "input": { "email": email, "password": password } })).await
}

/// What signing in or refreshing gives: an access token and a refresh token.
pub fn tokens(payload: &Value) -> (String, String) {
    assert_eq!(payload["userErrors"], json!([]), "{payload}");
    let text =
        |name: &str| payload["tokens"][name].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned();
    (text("accessToken"), text("refreshToken"))
}

/// Signs in.
pub async fn signed_in(app: &TestApp, email: &str, password: &str) -> (Client, String, String) {
    let answer = try_password(&app.anonymous(), email, password).await;
    let (access, refresh) = tokens(&answer.data()["signIn"]);
    (app.with_token(&access), access, refresh)
}

/// Runs a mutation that takes nothing or answers nothing: its payload.
pub async fn plain(client: &Client, name: &str, input: Option<Value>) -> Value {
    let (variables, input, call) = match &input {
        Some(input) => {
            let ty = name[..1].to_uppercase() + &name[1..] + "Input";
            (format!("($input: {ty}!)"), input.clone(), "(input: $input)")
        }
        None => (String::new(), Value::Null, ""),
    };
    let shown = match name {
        "signIn" | "refreshSession" | "changePassword" => "tokens { accessToken refreshToken }",
        _ => "done",
    };
    let document = format!(
        "mutation{variables} {{ {name}{call} {{ {shown} userErrors {{ code field retryAfter }} }} }}"
    );
    let variables = if input.is_null() { Value::Null } else { json!({ "input": input }) };
    client.query(&document, variables).await.data()[name].clone()
}

/// Runs one that has to succeed.
pub async fn plainly_done(client: &Client, name: &str, input: Option<Value>) {
    let payload = plain(client, name, input).await;
    assert_eq!(payload, json!({ "done": true, "userErrors": [] }), "{name}");
}

/// The code of the one user error of a payload.
#[track_caller]
pub fn refused(payload: &Value) -> String {
    let errors = payload["userErrors"].as_array().unwrap_or_else(|| panic!("a payload expected: {payload}"));
    assert_eq!(errors.len(), 1, "{payload}");
    errors[0]["code"].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned()
}

pub const WHO: &str = "{ viewer { role rights account { id name } } }";

/// Fails unless the client is let in no more, for this reason.
pub async fn assert_out(client: &Client, code: &str) {
    let answer = client.query(WHO, Value::Null).await;
    assert_eq!(answer.code(), code, "{answer}");
}

/// The token in the last mail to somebody, and its id.
pub async fn token_in_mail(app: &TestApp, to: &str) -> String {
    let store = &app.running.store;
    let mails = store.waiting_mails().await.unwrap();
    let mail = mails.iter().rfind(|mail| mail.to == to).unwrap_or_else(|| panic!("no mail to {to}"));
    store.waiting_mail(mail.id).await.unwrap().unwrap().token
}

/// The tokens in all mails to somebody that wait.
pub async fn tokens_in_mails(world: &World, to: &str) -> Vec<String> {
    let store = &world.running.store;
    let mut tokens = Vec::new();
    for mail in store.waiting_mails().await.unwrap().iter().filter(|mail| mail.to == to) {
        tokens.push(store.waiting_mail(mail.id).await.unwrap().unwrap().token);
    }
    tokens
}
