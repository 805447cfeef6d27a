//! Where a gift went.

use serde_json::{Value, json};
use tests::both;

use super::{Books, Handed, gift, item, kit};
use crate::{talk::ask, world::*};

async fn trace(world: &World, who: (&str, &str), gift: &str) -> Value {
    let document = format!(
        "{{ giftTrace(gift: \"{gift}\") {{ gift {{ id }} until rows {{ quarter {{ start end }} facility {{ slug }} \
         item {{ code }} quantity inKits }} accountedFor {{ on }} }} }}"
    );
    ask(&world.member(who.0, who.1), &document).await["giftTrace"].clone()
}

fn row(start: &str, end: &str, facility: &str, item: &str, quantity: i64, in_kits: i64) -> Value {
    json!({ "quarter": { "start": start, "end": end }, "facility": { "slug": facility }, "item": { "code": item },
        "quantity": quantity, "inKits": in_kits })
}

both!(
    async fn a_gift_is_followed_to_what_outsiders_see(world: &World) {
        let books = Books::open(world, "2027-01-05").await;
        let gift = gift(world, GIVER, &[(item(SOAP), 300), (kit(HYGIENE), 60)]).await;
        let soap = books.gave("2027-01-05", GIVER, Some(&gift), item(SOAP), 300).await;
        let kits = books.gave("2027-01-05", GIVER, Some(&gift), kit(HYGIENE), 60).await;
        let bought = books.gave("2027-01-05", GIVER2, None, item(SOAP), 90).await;
        // Twenty kits of four soaps each, put together from the gift.
        let assembly = json!({ "place": books.places.warehouse, "kit": id(api::id::Kind::Kit, BATH), "quantity": 20, "lots": [soap] });
        let assembly = books.moved("assembleKits", "2027-01-06", assembly).await;
        let entries = assembly["entries"].as_array().unwrap();
        let made = entries.iter().find(|entry| entry["quantity"] == json!(20) && !entry["place"].is_null());
        let made = made.unwrap()["lot"]["id"].as_str().unwrap().to_owned();
        books.soap("2027-01-20", 1, 40, &soap, 40).await;
        books.soap("2027-02-20", 1, 10, &soap, 11).await;
        let lines = [(kit(BATH), Some(made.as_str()), 12), (kit(HYGIENE), Some(kits.as_str()), 15)];
        let both = Handed { facility: 2, program: SUPPLIES, women: 15, lines: &lines };
        books.delivered("2027-02-10", "2027-02-10", both).await;
        // Hidden, of somebody else, and undone.
        books.soap("2027-02-11", 1, 8, &soap, 8).await;
        books.soap("2027-02-12", 1, 30, &bought, 30).await;
        let undone = books.soap("2027-02-13", 2, 20, &soap, 20).await;
        let void = json!({ "id": undone["id"], "expectedVersion": 1, "reason": "DUPLICATE" });
        crate::talk::done(&world.coordinator(), "voidDistribution", "distribution", "id", &void).await;
        books.soap("2027-04-20", 1, 10, &soap, 10).await;
        world.set_now("2027-04-21T09:00:00Z");
        let (first, last) = ("2027-01-01", "2027-03-31");
        let expected = vec![
            row(first, last, "ecatepec", "BOOK", 15, 15),
            row(first, last, "ecatepec", "PADS", 15, 15),
            row(first, last, "ecatepec", "SOAP", 12 * 4 + 15 * 5, 12 * 4 + 15 * 5),
            row(first, last, "neza", "SOAP", 51, 0),
        ];
        let seen = trace(world, ("donor", "giver"), &gift).await;
        assert_eq!(
            seen,
            json!({ "gift": { "id": gift }, "until": last, "rows": expected, "accountedFor": null })
        );
        assert_eq!(trace(world, ("steward", "own"), &gift).await, seen);
        world.set_now("2027-07-02T09:00:00Z");
        let later = trace(world, ("donor", "giver"), &gift).await;
        let more = [&expected[..], &[row("2027-04-01", "2027-06-30", "neza", "SOAP", 10, 0)]].concat();
        assert_eq!(later["rows"], json!(more));
    }
);
