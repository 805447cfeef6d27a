//! What was exported is imported again, elsewhere, and is the same.

use std::{path::Path, process::Command};

use serde_json::Value;
use tests::{Client, Fixture, Folder, TestApp, both, skipped};

use super::{file, import, text};
use crate::{seed, world::*};

/// Kinds of the registry, in the order in which they refer to each other.
const REGISTRY: [&str; 4] = ["facilities", "items", "kits", "programs"];

fn seeds() -> Vec<Seed> {
    let mut keyed = Seed::new(2, 2, SUPPLIES, "2026-01-31", 40)
        .line(Goods::Item(SOAP), 40)
        .line(Goods::Kit(HYGIENE, 1), 30)
        .line(Goods::Kit(HYGIENE, 2), 20);
    keyed.row.import_key = Some("=1+1;\"acta\"".to_owned());
    keyed.row.reach_method = entity::value::ReachMethod::EstimatedPerKit;
    keyed.lines[1].people_reached = 30;
    vec![
        Seed::new(1, 1, SUPPLIES, "2026-03-01", 20).line(Goods::Item(PADS), 20),
        keyed,
        Seed::new(5, 1, MATERNITY, "2026-03-01", 3).records().line(Goods::Kit(MATERNAL, 1), 3),
    ]
}

/// Deliveries without the moment at which each database learnt of them.
async fn deliveries(client: &Client) -> Vec<Value> {
    let lines = text(client, "distributions?format=jsonl").await;
    let mut rows: Vec<Value> = lines
        .lines()
        .map(|line| {
            let mut row: Value = serde_json::from_str(line).unwrap();
            row["recorded_at"].take();
            row
        })
        .collect();
    // All lines of a delivery stay in their order.
    rows.sort_by_key(|row| row["key"].to_string());
    rows
}

both!(
    async fn a_file_comes_back_as_it_went(world: &World) {
        world.add(&seeds()).await;
        let other = TestApp::start(world.database.backend).await;
        seed::organizations(&other).await;
        seed::members(&other).await;
        let folder = Folder::new();
        let (from, to) = (world.coordinator(), other.member("coordinator", "own"));
        for kind in REGISTRY {
            let bytes = file(&from, kind).await.body;
            import(&other.database, folder.path(), &[kind, "--publish"], "file.csv", &bytes).await;
            assert_eq!(text(&to, kind).await, text(&from, kind).await, "{kind}");
        }
        let bytes = file(&from, "distributions").await.body;
        let said = import(&other.database, folder.path(), &["distributions"], "file.csv", &bytes).await;
        assert!(said.contains("5 rows read; 3 created"), "{said}");
        let imported = deliveries(&to).await;
        assert_eq!(imported, deliveries(&from).await);
        assert_eq!(imported.len(), 5);
        // Also what was recorded without a key is known again, in either database.
        for database in [&other.database, &world.database] {
            let said = import(database, folder.path(), &["distributions"], "file.csv", &bytes).await;
            assert!(said.contains("0 created, 3 unchanged"), "{said}");
        }
        other.shut_down().await;
    }
);

both!(
    async fn a_workbook_comes_back_as_it_went(world: &World) {
        world.add(&seeds()).await;
        let other = World::start(world.database.backend).await;
        let folder = Folder::new();
        let (from, to) = (world.coordinator(), other.coordinator());
        for kind in REGISTRY {
            let book = file(&from, &format!("{kind}?format=xlsx")).await.body;
            let said = import(&other.database, folder.path(), &[kind], "file.xlsx", &book).await;
            assert!(said.contains(" 0 created"), "{kind}: {said}");
        }
        let book = file(&from, "distributions?format=xlsx").await.body;
        let said = import(&other.database, folder.path(), &["distributions"], "file.xlsx", &book).await;
        assert!(said.contains("5 rows read; 3 created"), "{said}");
        assert_eq!(deliveries(&to).await, deliveries(&from).await);
        other.stop().await;
    }
);

both!(
    /// Needs the validator that `scripts/test` puts into `target/hxl`.
    async fn hxl_tools_take_the_file(world: &World) {
        let validator = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/hxl/bin/hxlvalidate");
        if !validator.exists() {
            skipped(
                "target/hxl holds no hxlvalidate; scripts/test installs it where Python and pip are there",
            );
            return;
        }
        world.add(&seeds()).await;
        let folder = Folder::new();
        let validates = |path: &Path| {
            let output = Command::new(&validator).args(["-e", "error"]).arg(path).output().unwrap();
            (output.status.success(), format!("{output:?}"))
        };
        let wrong = folder.path().join("wrong.csv");
        std::fs::write(&wrong, "people\n#reached\nmany\n").unwrap();
        assert!(!validates(&wrong).0, "the validator takes everything");
        for (client, name) in [(world.coordinator(), "staff.csv"), (world.partner(), "partner.csv")] {
            let path = folder.path().join(name);
            std::fs::write(&path, file(&client, "distributions").await.body).unwrap();
            let (taken, said) = validates(&path);
            assert!(taken, "{name}: {said}");
        }
    }
);
