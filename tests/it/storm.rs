//! The server is killed in the middle of many writes, over and over: what it has acknowledged is there, what it has
//! not can be sent again, and nothing is there twice.

use std::{
    collections::BTreeSet,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use tests::{Client, DemoApp, both, catalogue, program};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::Notify,
    task::JoinSet,
};

const ROUNDS: usize = 20;
const CLIENTS: usize = 8;
/// How many rows a device sends at a time.
const ROWS: usize = 4;

const RECORD: &str = "mutation($input: RecordDistributionInput!) { recordDistribution(input: $input) { \
    distribution { id } userErrors { code field } } }";
const SYNC: &str = "mutation($rows: [SyncDistributionRow!]!) { syncDistributions(input: { rows: $rows }) { \
    results { outcome distribution { id } userErrors { code field } } } }";

/// The program, serving, and its coordinator.
async fn serve(app: &DemoApp) -> (Child, Client) {
    let mut server = Command::new(program())
        .env_clear()
        .env("DATABASE_URL", &app.database.url)
        .env("UMBRAL_MODE", "demo")
        .env("UMBRAL_DATA_DIR", app.data_dir.path())
        .env("UMBRAL_LISTEN", "127.0.0.1:0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut banner = BufReader::new(server.stdout.take().unwrap()).lines();
    let (mut base, mut token) = (None, None);
    while let Some(line) = banner.next_line().await.unwrap() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("GraphQL"), Some(url)) => base = Some(url.trim_end_matches("/graphql").to_owned()),
            (Some("coordinator"), Some(text)) => token = Some(text.to_owned()),
            (Some("Stop"), _) => break,
            _ => {}
        }
    }
    (server, Client::anonymous(base.unwrap()).token(&token.unwrap()))
}

/// What a client wants written, and the ids that it was told.
struct Wish {
    body: Value,
    told: Option<Vec<String>>,
}

/// The ids in an answer, each of which must be there.
fn told(answer: &Value) -> Vec<String> {
    let data = &answer["data"];
    let rows = match data.get("recordDistribution") {
        Some(payload) => vec![payload.clone()],
        None => data["syncDistributions"]["results"].as_array().cloned().unwrap_or_default(),
    };
    assert!(!rows.is_empty(), "{answer}");
    let id = |row: &Value| row["distribution"]["id"].as_str().map(str::to_owned);
    rows.iter().map(|row| id(row).unwrap_or_else(|| panic!("{answer}"))).collect()
}

/// One wish after the other until the server is gone.
async fn wish(
    client: Client,
    mine: Value,
    round: usize,
    n: usize,
    acknowledged: Arc<AtomicUsize>,
    enough: Arc<Notify>,
) -> Vec<Wish> {
    let mut wishes = Vec::new();
    for turn in 0_usize.. {
        let number = ((round * CLIENTS + n) * 100_000 + turn) * ROWS;
        let row = |key: &str, value: String| {
            let mut row = mine.clone();
            row[key] = json!(value);
            row
        };
        let body = if n.is_multiple_of(2) {
            json!({ "query": RECORD, "variables": { "input": row("idempotencyKey", format!("storm {number}")) } })
        } else {
            let rows =
                (number..number + ROWS).map(|n| row("clientId", format!("5b7b1f0e-1c7e-4a3c-9d5e-{n:012x}")));
            json!({ "query": SYNC, "variables": { "rows": rows.collect::<Vec<_>>() } })
        };
        let answer = client.question(&body).try_send().await.ok();
        let told = answer.map(|answer| told(answer.json()));
        let gone = told.is_none();
        wishes.push(Wish { body, told });
        if gone {
            break;
        }
        acknowledged.fetch_add(1, Ordering::Relaxed);
        enough.notify_one();
    }
    wishes
}

both!(
    async fn what_is_acknowledged_survives_a_kill(app: &DemoApp) {
        let db = app.database.connect().await;
        let count = async || {
            let rows = catalogue::query(&db, "SELECT count(*) FROM distribution").await;
            rows[0].try_get_by_index::<i64>(0).unwrap() as usize
        };
        let (mut server, mut client) = serve(app).await;
        // A delivery like one that is there.
        let newest = "{ viewer { organization { id } } distributions(first: 100, filter: { status: [DELIVERED] }) { \
                      nodes { organization { id } facility { id } program { id status } occurredOn \
                      lines { item { id } } } } }";
        let found = client.query(newest, Value::Null).await;
        let own = &found.data()["viewer"]["organization"]["id"];
        let nodes = found.data()["distributions"]["nodes"].as_array().unwrap();
        let fits = |row: &&Value| {
            row["organization"]["id"] == *own
                && row["program"]["status"] == json!("ACTIVE")
                && row["lines"][0]["item"]["id"].is_string()
        };
        let like = nodes.iter().find(fits).unwrap();
        let mine = json!({ "facility": like["facility"]["id"], "program": like["program"]["id"],
            "occurredOn": like["occurredOn"], "peopleReached": 20, "reachMethod": "COUNTED",
            "lines": [{ "supplied": { "item": like["lines"][0]["item"]["id"] }, "quantity": 20 }] });
        let mut expected = count().await;
        let mut unanswered = 0;
        for round in 0..ROUNDS {
            let acknowledged = Arc::new(AtomicUsize::new(0));
            let enough = Arc::new(Notify::new());
            let mut clients = JoinSet::new();
            for n in 0..CLIENTS {
                let (acknowledged, enough) = (acknowledged.clone(), enough.clone());
                clients.spawn(wish(client.clone(), mine.clone(), round, n, acknowledged, enough));
            }
            // Another moment in each round.
            while acknowledged.load(Ordering::Relaxed) < 10 + round {
                enough.notified().await;
            }
            server.kill().await.unwrap();
            let wishes: Vec<Wish> = clients.join_all().await.into_iter().flatten().collect();
            (server, client) = serve(app).await;
            let mut ids = BTreeSet::new();
            let mut rows = 0;
            for Wish { body, told: before } in wishes {
                unanswered += usize::from(before.is_none());
                let again = told(client.post(&body).await.json());
                if let Some(before) = before {
                    assert_eq!(again, before, "another answer than before the kill");
                }
                rows += again.len();
                ids.extend(again);
            }
            assert_eq!(ids.len(), rows, "two wishes became one row");
            expected += rows;
            assert_eq!(count().await, expected, "a row is missing, or there twice");
            let ids: Vec<&String> = ids.iter().collect();
            for some in ids.chunks(100) {
                let nodes = "query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Distribution { lines { quantity } } } }";
                let answer = client.query(nodes, json!({ "ids": some })).await;
                for (node, id) in answer.data()["nodes"].as_array().unwrap().iter().zip(some) {
                    assert_eq!(*node, json!({ "id": id, "lines": [{ "quantity": 20 }] }));
                }
            }
        }
        // Otherwise nothing was in flight when the server was killed.
        assert!(unanswered >= ROUNDS, "{unanswered}");
        server.kill().await.unwrap();
        db.close().await.unwrap();
    }
);
