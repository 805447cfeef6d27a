//! Who may take files away, what is asked wrongly, and what stays behind in the audit.

use api::{
    auth::Right,
    error::Error,
    store::distribution::{AT_ONCE, Filter},
};
use entity::value::{DistributionStatus, VoidReason};
use serde_json::{Value, json};
use tests::{Answer, both, catalogue};

use super::{file, text};
use crate::world::*;

const ADDRESSES: [&str; 5] = ["distributions", "facilities", "programs", "items", "kits"];

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    answer.expect_status(status);
    assert_eq!(answer.code(), code);
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
}

both!(
    async fn an_export_is_a_right_of_its_own(world: &World) {
        world.add(&[Seed::new(1, 1, SUPPLIES, "2026-03-01", 20).line(Goods::Item(SOAP), 20)]).await;
        let before = world.counts().await;
        for address in ADDRESSES {
            let ask = async |client: tests::Client| {
                client.request("GET", &format!("/export/{address}")).send().await
            };
            let answer = ask(world.anonymous()).await;
            refused(&answer, 401, "TOKEN_NEEDED");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            refused(&ask(world.with_token("x")).await, 401, "TOKEN_MALFORMED");
            for (role, organization) in [
                ("field", "own"),
                ("steward", "own"),
                ("admin", "own"),
                ("auditor", "own"),
                ("donor", "giver"),
            ] {
                refused(&ask(world.member(role, organization)).await, 403, "NOT_PERMITTED");
            }
            let partner = ask(world.partner()).await;
            if address == "distributions" {
                partner.expect_status(200);
            } else {
                refused(&partner, 403, "NOT_PERMITTED");
            }
        }
        let mut after = world.counts().await;
        *after.get_mut("audit_event").unwrap() -= 1;
        assert_eq!(after, before, "only the partner's export leaves a trace");
        assert!(Right::ALL.contains(&Right::DistributionExport));
    }
);

both!(
    async fn what_cannot_be_is_refused_in_the_language_of_who_asks(world: &World) {
        let client = world.coordinator();
        let cases = [
            ("distributions?format=pdf", "format es csv, jsonl o xlsx."),
            ("distributions?format=csv&format=csv", "format aparece dos veces."),
            ("distributions?facilty=x", "No existe el parámetro “facilty”."),
            ("distributions?facility=x", "facility no puede ser “x”."),
            ("distributions?status=delivered", "status no puede ser “delivered”."),
            ("distributions?occurredOnFrom=1.2.2026", "occurredOnFrom no puede ser “1.2.2026”."),
            (
                "distributions?occurredOnFrom=2026-01-01&occurredOnFrom=2026-01-01",
                "occurredOnFrom aparece dos veces.",
            ),
            ("distributions?recordedAtTo=2026-01-01", "recordedAtTo no puede ser “2026-01-01”."),
            ("distributions?first=5", "No existe el parámetro “first”."),
            ("facilities?facility=x", "No existe el parámetro “facility”."),
            ("kits?format=", "format es csv, jsonl o xlsx."),
        ];
        let before = world.counts().await;
        for (address, message) in cases {
            let request = client.request("GET", &format!("/export/{address}"));
            let answer = request.header("accept-language", "es-MX, en;q=0.5").send().await;
            refused(&answer, 400, "BAD_USER_INPUT");
            assert_eq!(answer.errors()[0]["message"], json!(message), "{address}");
        }
        let answer = client.request("GET", "/export/kits?x=1").send().await;
        assert_eq!(answer.errors()[0]["message"], json!("There is no parameter “x”."));
        let answer = client.request("POST", "/export/distributions").send().await;
        refused(&answer, 405, "METHOD_NOT_ALLOWED");
        assert_eq!(answer.header("allow"), Some("GET"));
        refused(&client.request("GET", "/export/women").send().await, 404, "NOT_FOUND");
        assert_eq!(world.counts().await, before);
    }
);

both!(
    async fn a_file_is_for_who_asked_and_nobody_else(world: &World) {
        world.add(&[Seed::new(1, 1, SUPPLIES, "2026-03-01", 20).line(Goods::Item(SOAP), 20)]).await;
        let client = world.coordinator();
        for (format, media) in [
            ("csv", "text/csv; charset=utf-8; header=present"),
            ("jsonl", "application/jsonl; charset=utf-8"),
            ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ] {
            for address in ADDRESSES {
                let answer = file(&client, &format!("{address}?format={format}")).await;
                assert_eq!(answer.header("content-type"), Some(media));
                let name = format!("attachment; filename=\"{address}.{format}\"");
                assert_eq!(answer.header("content-disposition"), Some(name.as_str()));
                assert_eq!(answer.header("cache-control"), Some("private, no-store"));
                assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
                assert!(answer.header("x-request-id").is_some());
            }
        }
        let left = std::fs::read_dir(world.data_dir.path()).unwrap();
        let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".tmp")), "{left:?}");
    }
);

both!(
    async fn the_audit_says_who_took_what(world: &World) {
        let seeds: Vec<Seed> = (1..=3)
            .map(|n| Seed::new(n, n, SUPPLIES, "2026-03-01", 20).line(Goods::Item(SOAP), 20))
            .collect();
        world.add(&seeds).await;
        let facility = id(api::id::Kind::Facility, 2);
        text(
            &world.partner(),
            &format!("distributions?format=jsonl&facility={facility}&occurredOnTo=2026-04-01"),
        )
        .await;
        text(&world.coordinator(), "items").await;
        let db = world.database.connect().await;
        let sql =
            "SELECT organization_id, account_id, role, action, entity, detail FROM audit_event ORDER BY role";
        let rows = catalogue::query(&db, sql).await;
        let told: Vec<(String, String, String, Value)> = rows
            .iter()
            .map(|row| {
                let text = |name| row.try_get::<String>("", name).unwrap();
                (text("role"), text("action"), text("entity"), row.try_get("", "detail").unwrap())
            })
            .collect();
        db.close().await.unwrap();
        let told = told.iter().map(|(role, action, entity, detail)| {
            (role.as_str(), action.as_str(), entity.as_str(), detail.clone())
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                (
                    "COORDINATOR",
                    "EXPORT",
                    "export",
                    json!({ "of": "items", "format": "csv", "filter": {}, "rows": 4 })
                ),
                (
                    "PARTNER",
                    "EXPORT",
                    "export",
                    json!({
                        "of": "distribution", "format": "jsonl", "rows": 1,
                        "filter": { "facility": [facility], "occurredOn": { "to": "2026-04-01" } },
                    })
                ),
            ]
        );
    }
);

both!(
    async fn an_export_ends_with_the_rights_of_who_began_it(world: &World) {
        let seeds: Vec<Seed> = (1..=AT_ONCE as u128 + 1)
            .map(|n| Seed::new(n, 1, SUPPLIES, "2026-03-01", 20).line(Goods::Item(SOAP), 20))
            .collect();
        world.add(&seeds).await;
        let begun = world
            .access("partner", "ally")
            .await
            .begin_export(Filter::default(), "csv", json!({}))
            .await
            .unwrap();
        // It is in the audit before anything is given out, whatever happens then.
        assert_eq!(world.audit().await.len(), 1);
        let (page, next) = world.access("partner", "ally").await.export_page(&begun, None).await.unwrap();
        assert_eq!(page.len(), AT_ONCE, "no more than this is in memory");
        let other = world.access("coordinator", "own").await;
        assert!(matches!(other.export_page(&begun, next.clone()).await, Err(Error::NotPermitted)));
        // The agreement ends: what comes after it is not there any more.
        world.sql("UPDATE agreement SET ends_on = '2025-12-31'").await;
        let (page, next) = world.access("partner", "ally").await.export_page(&begun, next).await.unwrap();
        assert!(page.is_empty() && next.is_none());
    }
);

both!(
    async fn an_account_has_only_so_many_exports_at_once(world: &World) {
        // A page is more than the sockets between us hold, so an export goes on for as long as nobody reads it.
        let seeds = (1..=AT_ONCE as u128 + 1).map(|n| {
            let mut seed = Seed::new(n, 1, SUPPLIES, "2026-03-01", 20)
                .status(DistributionStatus::Voided)
                .line(Goods::Item(SOAP), 20);
            seed.row.voided_at = Some(moment("2026-11-05T00:00:00Z"));
            seed.row.void_reason = Some(VoidReason::Duplicate);
            seed.row.void_note = Some("x".repeat(40_000));
            seed
        });
        world.add(&seeds.collect::<Vec<_>>()).await;
        let client = world.coordinator();
        let ask = |format: &str| client.request("GET", &format!("/export/distributions?format={format}"));
        let one = ask("csv").begin().await;
        let _two = ask("jsonl").begin().await;
        let before = world.counts().await;
        for address in ADDRESSES {
            let request = client.request("GET", &format!("/export/{address}?format=xlsx"));
            let answer = request.header("accept-language", "es").send().await;
            refused(&answer, 429, "TOO_MANY_EXPORTS");
            assert_eq!(answer.header("retry-after"), Some("10"));
            let message = "Tiene 2 exportaciones en curso. Intente de nuevo cuando termine una.";
            assert_eq!(answer.errors()[0]["message"], json!(message));
        }
        assert_eq!(world.counts().await, before, "what is refused is not in the audit");
        text(&world.partner(), "distributions").await;
        let file = one.rest().await.unwrap();
        assert_eq!(
            file.expect_status(200).body.iter().filter(|byte| **byte == b'\n').count(),
            2 + AT_ONCE + 1
        );
        text(&client, "items").await;
    }
);

both!(
    async fn a_template_is_put_together_once(world: &World) {
        let ask = async || world.anonymous().request("GET", "/templates/receipts.xlsx").send().await;
        let first = ask().await;
        // The day on which it was made stands in it.
        world.set_now("2026-12-24T00:00:00Z");
        assert_eq!(ask().await.body, first.expect_status(200).body);
    }
);

both!(
    async fn templates_are_for_everybody(world: &World) {
        use api::import::{Encoding, Kind, read, template};
        for kind in Kind::ALL {
            let name = kind.name();
            let csv = world.anonymous().request("GET", &format!("/templates/{name}.csv")).send().await;
            assert_eq!(std::str::from_utf8(&csv.expect_status(200).body).unwrap(), template(kind));
            let book = world.anonymous().request("GET", &format!("/templates/{name}.xlsx")).send().await;
            let disposition = format!("attachment; filename=\"{name}.xlsx\"");
            assert_eq!(book.header("content-disposition"), Some(disposition.as_str()));
            // It can be read, and there is nothing in it that would be imported.
            for bytes in [csv.body, book.expect_status(200).body.clone()] {
                let faults = read(&bytes, kind, Encoding::Utf8).unwrap_err();
                assert_eq!(
                    faults.iter().map(|fault| fault.code.name()).collect::<Vec<_>>(),
                    ["EMPTY"],
                    "{name}"
                );
            }
        }
        for path in ["/templates/women.csv", "/templates/items.pdf", "/templates/items.jsonl"] {
            refused(&world.anonymous().request("GET", path).send().await, 404, "NOT_FOUND");
        }
    }
);
