//! GraphiQL, the explorer and their examples: what a newcomer opens first.

use std::{path::PathBuf, process::Command};

use serde_json::{Value, json};
use tests::{Client, DemoApp, Folder, TODAY, both};

both!(
    /// Each example is sent as its role would send it, with what its look-up finds.
    async fn every_example_runs(app: &DemoApp) {
        let roles: Value = serde_json::from_str(include_str!("../../api/assets/examples.json")).unwrap();
        let mut run = 0;
        for role in roles["roles"].as_array().unwrap() {
            let name = role["role"].as_str().unwrap();
            let client = match name {
                "anonymous" => app.anonymous(),
                "partner" => app.member("partner", "demo-partner-network"),
                "donor" => app.member("donor", "demo-donor-hygiene"),
                staff => app.member(staff, "red-de-accion-carcelaria"),
            };
            for example in role["examples"].as_array().unwrap() {
                let variables = variables(&client, example).await;
                let answer = client.query(&lines(&example["query"]), variables).await;
                let data = answer.data();
                for (_, payload) in data.as_object().unwrap() {
                    let faults = payload.get("userErrors").cloned().unwrap_or(json!([]));
                    assert_eq!(faults, json!([]), "{name}: {}: {answer}", example["id"]);
                }
                run += 1;
            }
        }
        assert!(run >= 15, "{run} examples");
    }
);

both!(
    async fn pages_are_framed_by_nobody_and_load_nothing_from_elsewhere(app: &DemoApp) {
        for path in ["/graphiql", "/explorer"] {
            let page = app.anonymous().request("GET", path).send().await;
            page.expect_status(200);
            let policy = page.header("content-security-policy").unwrap_or_default().to_owned();
            assert!(
                policy.starts_with("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
                "{policy}"
            );
            assert!(!policy.contains("unsafe"), "{policy}");
            let text = String::from_utf8(page.body.to_vec()).unwrap();
            assert!(!text.contains("//cdn") && !text.contains("https://"), "{path} names another host");
        }
        app.anonymous().request("GET", "/assets/../Cargo.toml").send().await.expect_status(404);
        app.anonymous().request("GET", "/assets/nothing.js").send().await.expect_status(404);
    }
);

both!(
    /// The explorer in a real browser: the schema arrives, in both languages, at both widths.
    async fn the_explorer_shows_the_schema_in_a_browser(app: &DemoApp) {
        let Some(browser) = browser() else {
            println!("skipped: no Chromium on this machine (scripts/test installs it)");
            return;
        };
        for (language, width, heading) in [("es", 320, "Esquema"), ("en", 1280, "Schema")] {
            let profile = Folder::new();
            let url = format!("http://{}/explorer", app.address);
            let pictures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
            std::fs::create_dir_all(&pictures).unwrap();
            let picture = pictures.join(format!("explorer-{language}-{width}.png"));
            let output = tokio::process::Command::new(&browser)
                .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
                .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
                .arg(format!("--user-data-dir={}", profile.path().display()))
                .arg(format!("--accept-lang={language}"))
                .arg(format!("--window-size={width},900"))
                .arg("--virtual-time-budget=10000")
                .arg(format!("--screenshot={}", picture.display()))
                .args(["--dump-dom", &url])
                .env("LANGUAGE", language)
                .output()
                .await
                .unwrap();
            let page = String::from_utf8_lossy(&output.stdout);
            assert!(page.contains("Facility"), "the schema did not arrive: {page}");
            assert!(page.contains(heading), "{language}: no {heading}");
            assert!(!page.contains("could not be loaded"), "{page}");
            assert!(picture.exists(), "no picture at {}", picture.display());
        }
    }
);

fn browser() -> Option<PathBuf> {
    ["chromium", "chromium-browser"].into_iter().find_map(|name| {
        let found = Command::new("sh").args(["-c", &format!("command -v {name}")]).output().ok()?;
        let path = String::from_utf8(found.stdout).ok()?;
        (!path.trim().is_empty()).then(|| PathBuf::from(path.trim()))
    })
}

fn lines(text: &Value) -> String {
    text.as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The variables of an example, filled in as the pages fill them in.
async fn variables(client: &Client, example: &Value) -> Value {
    let Some(variables) = example.get("variables") else { return Value::Null };
    let found = match example.get("lookup") {
        Some(lookup) => client.query(&lines(lookup), Value::Null).await.data().clone(),
        None => Value::Null,
    };
    fill(variables, &found, example["id"].as_str().unwrap())
}

fn fill(value: &Value, found: &Value, id: &str) -> Value {
    match value {
        Value::Array(members) => members.iter().map(|member| fill(member, found, id)).collect(),
        Value::Object(fields) => {
            if let Some(path) = fields.get("$from") {
                let pointer = format!("/{}", path.as_str().unwrap().replace('.', "/"));
                return found
                    .pointer(&pointer)
                    .cloned()
                    .unwrap_or_else(|| panic!("{id}: nothing at {pointer}"));
            }
            if let Some(ago) = fields.get("$daysAgo") {
                let today: chrono::DateTime<chrono::Utc> = TODAY.parse().unwrap();
                let day = today.date_naive() - chrono::TimeDelta::days(ago.as_i64().unwrap());
                return json!(day.to_string());
            }
            if fields.contains_key("$random") {
                return json!(format!("example-{id}"));
            }
            fields.iter().map(|(name, field)| (name.clone(), fill(field, found, id))).collect()
        }
        plain => plain.clone(),
    }
}
