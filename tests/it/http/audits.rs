//! The audits of graphql-http, which are those of the specification, against the running server.

use std::path::Path;

use serde_json::Value;
use tests::{TestApp, both, skipped};
use tokio::process::Command;

/// How many audits its version 1.23.1 has.
const AUDITS: usize = 61;

const PROGRAM: &str = "import('graphql-http').then(async (m) => { \
    const results = await m.auditServer({ url: process.argv[1] }); \
    console.log(JSON.stringify(results.map(({ status, id, name, reason }) => ({ status, id, name, reason })))); })";

both!(
    /// Needs node and the packages that `scripts/test` puts into `target/node`.
    async fn the_audits_of_graphql_http_pass(app: &TestApp) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/node");
        if !folder.join("node_modules/graphql-http").is_dir() {
            skipped("target/node holds no graphql-http; scripts/test installs it where npm is there");
            return;
        }
        let url = format!("http://{}/graphql", app.address);
        let run = Command::new("node").args(["-e", PROGRAM, &url]).current_dir(&folder).output().await;
        let output = match run {
            Ok(output) => output,
            Err(error) => {
                skipped(&format!("node does not start: {error}"));
                return;
            }
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let results: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(results.len(), AUDITS);
        let wrong: Vec<&Value> = results
            .iter()
            .filter(|result| !matches!(result["status"].as_str(), Some("ok" | "notice")))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        let notices = results.iter().filter(|result| result["status"] == "notice").count();
        println!("{} ok, {notices} notices", results.len() - notices);
    }
);
