//! Forms for paper.

use api::id::Kind;
use serde_json::json;
use tests::{Answer, Client, both};

use crate::world::*;

const FORMS: [(&str, &str, &str, &str); 3] = [
    ("delivery-act", "AE-261120-", "Acta de entrega", "Delivery act"),
    ("attendance-sheet", "AS-261120-", "Lista de asistencia", "Attendance sheet"),
    ("goods-list", "LA-261120-", "Lista de artículos para el ingreso", "List of goods for the gate"),
];

async fn ask(client: &Client, address: &str) -> Answer {
    client.request("GET", &format!("/print/{address}")).header("accept-language", "es").send().await
}

async fn page(client: &Client, address: &str) -> String {
    let answer = ask(client, address).await;
    answer.expect_status(200);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let page = String::from_utf8(answer.body.to_vec()).unwrap();
    for outside in ["http:", "https:", "src=", "url(", "<script", "@import"] {
        assert!(!page.contains(outside), "{outside}: {page}");
    }
    page
}

/// The number of a sheet, with the letters of its kind and the day.
fn number<'p>(page: &'p str, begins: &str) -> &'p str {
    let from = page.find(begins).unwrap_or_else(|| panic!("{begins}: {page}"));
    &page[from..from + "AE-261120-0000-0000".len()]
}

both!(
    async fn blank_forms_have_a_number_of_their_own(world: &World) {
        let client = world.member("field", "own");
        for (form, begins, es, en) in FORMS {
            let first = page(&client, form).await;
            let second = page(&client, &format!("{form}?lang=es")).await;
            assert!(
                first.contains(es) && first.contains("lang=\"es\"") && first.contains("Organización own")
            );
            assert_ne!(number(&first, begins), number(&second, begins));
            let english = page(&client, &format!("{form}?lang=en")).await;
            assert!(english.contains(en) && english.contains("lang=\"en\""), "{english}");
        }
        assert_eq!(world.audit().await.len(), 0, "a number is kept nowhere until somebody enters the sheet");
    }
);

both!(
    async fn a_form_is_filled_from_a_delivery(world: &World) {
        let seed = Seed::new(1, 1, SUPPLIES, "2026-03-01", 20)
            .line(Goods::Item(SOAP), 41)
            .line(Goods::Kit(HYGIENE, 2), 17);
        world.add(std::slice::from_ref(&seed)).await;
        world.sql("UPDATE item SET unit = '<b>\"pieza\"'").await;
        for form in ["delivery-act", "goods-list"] {
            let text = page(&world.coordinator(), &format!("{form}?distribution={}", seed.id())).await;
            for held in [
                "Centro Nezahualcóyotl Sur",
                "Artículos básicos",
                "2026-03-01",
                "Jabón (SOAP)",
                "&lt;b&gt;&quot;pieza&quot;",
                ">41<",
                "Kit HYGIENE (HYGIENE 2)",
                ">17<",
                &seed.id(),
            ] {
                assert!(text.contains(held), "{held}: {text}");
            }
        }
    }
);

both!(
    async fn a_delivery_that_is_not_yours_is_not_there(world: &World) {
        let seed = Seed::new(1, 2, SUPPLIES, "2026-03-01", 20).line(Goods::Item(SOAP), 20);
        world.add(std::slice::from_ref(&seed)).await;
        let missing = id(Kind::Distribution, 99);
        // The field worker is at another facility, the other organisation has no part in it.
        for client in [world.member("field", "own"), world.member("coordinator", "other")] {
            let none = ask(&client, &format!("delivery-act?distribution={missing}")).await;
            none.expect_status(404);
            let theirs = ask(&client, &format!("delivery-act?distribution={}", seed.id())).await;
            assert_eq!((theirs.status, theirs.body), (404, none.body));
        }
        for (form, ..) in FORMS {
            assert_eq!(ask(&world.anonymous(), form).await.expect_status(401).code(), "TOKEN_NEEDED");
            for (role, organization) in
                [("partner", "ally"), ("steward", "own"), ("auditor", "own"), ("donor", "giver")]
            {
                let answer = ask(&world.member(role, organization), form).await;
                assert_eq!(answer.expect_status(403).code(), "NOT_PERMITTED");
            }
        }
        let client = world.coordinator();
        for (address, message) in [
            ("goods-list?lang=fr", "lang es es o en."),
            ("goods-list?lang=es&lang=es", "“lang” aparece dos veces."),
            ("goods-list?woman=x", "No existe el parámetro “woman”."),
        ] {
            let answer = ask(&client, address).await;
            assert_eq!(answer.expect_status(400).errors()[0]["message"], json!(message));
        }
        assert_eq!(ask(&client, "goods-list?distribution=x").await.status, 404);
        assert_eq!(ask(&client, "women").await.status, 404);
    }
);
