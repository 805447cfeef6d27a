//! Stock for the stores of some facilities: the demonstration data have none.

use std::net::SocketAddr;

use api::id::{Kind, text};
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Result,
    cases::Samples,
    load::{self, MARK},
};

/// Of each facility, so many receipts with so many lots; the first of them is used up.
const RECEIPTS: u64 = 4;
const LOTS: u64 = 20;

/// Makes a store at each of the sites, and fills it.
pub async fn fill(address: SocketAddr, samples: &Samples) -> Result<()> {
    for (number, site) in samples.sites.iter().enumerate() {
        let input = json!({ "kind": "FACILITY_STORE", "name": format!("Store {number}"),
            "facility": text(Kind::Facility, *site) });
        let place = act(address, samples, "createStockPlace", "stockPlace { id }", input).await?;
        let place = place["stockPlace"]["id"].clone();
        for receipt in 0..RECEIPTS {
            let lines: Vec<Value> = (0..LOTS).map(|lot| line(samples, receipt * LOTS + lot)).collect();
            let input =
                json!({ "place": place, "source": "PURCHASE", "occurredOn": samples.day, "lines": lines });
            let wanted = "stockMovement { entries { lot { id } side } }";
            let received = act(address, samples, "receiveStock", wanted, input).await?;
            if receipt == 0 {
                let entries =
                    received["stockMovement"]["entries"].as_array().ok_or("a receipt of nothing")?;
                let here = entries.iter().filter(|entry| entry["side"] == "PLACE");
                let lines: Vec<Value> =
                    here.map(|entry| json!({ "lot": entry["lot"]["id"], "quantity": 100 })).collect();
                let input = json!({ "place": place, "occurredOn": samples.day, "lines": lines });
                act(address, samples, "issueStock", "stockMovement { id }", input).await?;
            }
        }
    }
    Ok(())
}

/// One lot: every third is of kits, and no two expire on the same day.
fn line(samples: &Samples, number: u64) -> Value {
    let (kit, [soap, pads]) = samples.goods;
    let item = |id: Uuid| json!({ "item": text(Kind::Item, id) });
    let supplied = match number % 3 {
        0 => item(soap),
        1 => item(pads),
        _ => json!({ "kit": text(Kind::Kit, kit) }),
    };
    let expires_on: NaiveDate = samples.day + Days::new(100 + number);
    json!({ "supplied": supplied, "quantity": 100, "number": format!("L-{number}"), "expiresOn": expires_on })
}

/// A mutation by the coordinator, which has to succeed.
pub async fn act(
    address: SocketAddr,
    samples: &Samples,
    name: &str,
    wanted: &str,
    mut input: Value,
) -> Result<Value> {
    input["idempotencyKey"] = json!(MARK);
    let mut kind = name.to_owned();
    kind[..1].make_ascii_uppercase();
    let document = format!(
        "mutation($input: {kind}Input!) {{ {name}(input: $input) {{ {wanted} userErrors {{ code field message }} }} }}"
    );
    let request = samples.of_women(&document, &json!({ "input": input }));
    let mut data = load::data(address, &request).await?;
    if data[name]["userErrors"] != json!([]) {
        return Err(format!("{name}: {data}").into());
    }
    Ok(data[name].take())
}
