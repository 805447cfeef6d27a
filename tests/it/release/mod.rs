//! Indicators, releases, and what everybody reads of them.

mod impact;
mod indicator;
mod retract;
mod steps;
mod twins;

use serde_json::{Value, json};
use tests::Client;

use crate::talk::data;

/// Runs a mutation of a release or an indicator and gives its payload.
pub async fn tell(client: &Client, name: &str, input: Value) -> Value {
    let ty = match name {
        "publishRelease" | "discardRelease" | "approveIndicator" | "archiveIndicator" => {
            "EntryInput".to_owned()
        }
        _ => name[..1].to_uppercase() + &name[1..] + "Input",
    };
    let subject = if name.ends_with("Indicator") { "indicator" } else { "release" };
    let shown = if subject == "indicator" { "" } else { "status draftDigest number digest" };
    let document = format!(
        "mutation($input: {ty}!) {{ {name}(input: $input) {{ {subject} {{ id version {shown} }} \
         userErrors {{ code field message }} }} }}"
    );
    data(&client.query(&document, json!({ "input": input })).await)[name].clone()
}

/// As [`tell`], for what has to succeed: its object.
pub async fn told(client: &Client, name: &str, input: Value) -> Value {
    let payload = tell(client, name, input).await;
    assert_eq!(payload["userErrors"], json!([]), "{name}: {payload}");
    let subject = if name.ends_with("Indicator") { "indicator" } else { "release" };
    payload[subject].clone()
}

/// An id at a version, and what else is to be said.
pub fn at(object: &Value, more: Value) -> Value {
    crate::lifecycle::with(&json!({ "id": object["id"], "expectedVersion": object["version"] }), more)
}
