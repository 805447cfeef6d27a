//! The attack by subtraction. A partner and a donor put together all that they can read at each quarter of two random
//! years, and solve for what is hidden. For each hidden delivery there is a history with nothing of those goods at that
//! facility in that quarter, and one with another quantity, that leave exactly what they have read.
//!
//! One history is played each time; `SEED=20 cargo test -p tests subtraction` plays another.
//!
//! The end of the test shows that it can fail: it puts a hidden delivery into a figure, and merges one too early. In the
//! server the same was tried once: with one woman as the threshold of `merge` in `store/gift/publish.rs` the real history
//! does not leave what is read.

mod system;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use serde_json::Value;
use tests::{Client, both};

use super::twins::{
    Entry, History, KIT_LOT, PADS_LOT, QUARTERS, SOAP_LOT, Step, TINS, day_in, furnish, record,
};
use crate::{live, stock::model::Dice, talk::ask, world::*};
use system::{Cell, Hidden, Readings, THRESHOLD};

/// By lot: how the goods are called, and whether the donor is told of the balance, or the partner.
const GOODS: [(&str, bool); 3] = [("SOAP", true), ("PADS", false), ("BATH", true)];

/// A day on which something hidden is recorded, and then something that they see.
const WATCHED: usize = 80;

/// Hidden rows of all kinds.
fn hide(history: &mut History, dice: &mut Dice) {
    let lots = [SOAP_LOT, SOAP_LOT, PADS_LOT, PADS_LOT, KIT_LOT, TINS];
    for (quarter, (start, ..)) in QUARTERS.iter().enumerate() {
        for _ in 0..3 + dice.below(2) {
            let lot = lots[dice.below(lots.len())];
            let facility = 1 + dice.below(3) as u128;
            let small = 1 + dice.below(9) as i64;
            let step = match dice.below(8) {
                0 => Step::Lose { lot, quantity: small },
                1 => Step::Send { lot, quantity: small },
                2 => Step::Withdraw { facility, women: small, lot, quantity: 3 },
                3 | 4 => {
                    let (women, quantity) = (1 + dice.below(25) as i64, 1 + dice.below(25) as i64);
                    Step::Deliver { facility, program: MATERNITY, women, lot, quantity }
                }
                _ => {
                    let quantity = 1 + dice.below(12) as i64;
                    Step::Deliver { facility, program: SUPPLIES, women: small, lot, quantity }
                }
            };
            history.hidden.push(Entry { day: day_in(dice, quarter, WATCHED - 1), step });
        }
        let day = day(start) + chrono::Days::new(WATCHED as u64);
        let (program, facility) = (SUPPLIES, 1 + dice.below(3) as u128);
        let step = Step::Deliver { facility, program, women: 4, lot: dice.below(3), quantity: 5 };
        history.hidden.push(Entry { day, step });
        let step = Step::Deliver { facility, program, women: 80, lot: dice.below(3), quantity: 80 };
        history.open.push(Entry { day, step });
    }
}

fn quarter_of(day: NaiveDate) -> usize {
    ((day.year() - 2027) * 4 + day.month0() as i32 / 3) as usize
}

/// What is hidden, as the system knows it. A withdrawn delivery has handed nothing over.
fn truth(history: &History, quarters: usize) -> Hidden {
    let mut hidden = Hidden::default();
    for entry in &history.hidden {
        let quarter = quarter_of(entry.day);
        match entry.step {
            _ if quarter >= quarters => {}
            Step::Deliver { facility, lot, quantity, women, .. } if lot != TINS => {
                let cell = (lot, quarter, facility as usize - 1);
                hidden.handed.entry(cell).or_default().push((quantity, women));
            }
            Step::Lose { lot, quantity } | Step::Send { lot, quantity } if lot != TINS => {
                *hidden.other.entry((lot, quarter)).or_default() += quantity;
            }
            _ => {}
        }
    }
    hidden
}

/// A visible line: its day, facility, goods and quantity.
type Row = (NaiveDate, usize, usize, i64);

fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("a number: {value}"))
}

fn facility_of(value: &Value) -> usize {
    let found = FACILITIES.iter().position(|(slug, ..)| *value == *slug);
    found.unwrap_or_else(|| panic!("a facility: {value}"))
}

/// The number of goods by code; sensitive ones must never be read.
fn goods_of(item: &Value, kit: &Value) -> usize {
    let found = GOODS.iter().position(|(code, _)| *item == *code || *kit == *code);
    found.unwrap_or_else(|| panic!("goods that nobody may read of: {item} {kit}"))
}

fn day_of(value: &Value) -> NaiveDate {
    day(value.as_str().unwrap_or_else(|| panic!("a day: {value}")))
}

/// The rows of the partner's list, with their ids.
async fn listed(partner: &Client) -> (Vec<Row>, BTreeSet<String>) {
    let list = "{ distributions(first: 100) { totalCount nodes { id occurredOn facility { slug } \
                lines { quantity item { code } kit { code } } } } }";
    let data = ask(partner, list).await;
    let nodes = data["distributions"]["nodes"].as_array().unwrap();
    assert_eq!(number(&data["distributions"]["totalCount"]), nodes.len() as i64);
    let mut rows = Vec::new();
    for node in nodes {
        for line in node["lines"].as_array().unwrap() {
            let goods = goods_of(&line["item"]["code"], &line["kit"]["code"]);
            let facility = facility_of(&node["facility"]["slug"]);
            rows.push((day_of(&node["occurredOn"]), facility, goods, number(&line["quantity"])));
        }
    }
    rows.sort();
    (rows, nodes.iter().map(|node| node["id"].to_string()).collect())
}

/// The same from the file that the partner may take away.
async fn exported(partner: &Client) -> Vec<Row> {
    let answer = partner.request("GET", "/export/distributions?format=jsonl").send().await;
    let text = String::from_utf8(answer.expect_status(200).body.to_vec()).unwrap();
    let mut rows: Vec<Row> = Vec::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let goods = goods_of(&line["item"], &line["kit"]);
        let facility = facility_of(&line["facility"]);
        rows.push((day_of(&line["occurred_on"]), facility, goods, number(&line["quantity"])));
    }
    rows.sort();
    rows
}

/// All that they read by a quarter, and what follows from it by subtraction.
async fn read(world: &World, gift: &str, told: &BTreeSet<String>, quarters: usize) -> Readings {
    let (partner, donor) = (world.partner(), world.member("donor", "giver"));
    let (rows, ids) = listed(&partner).await;
    let mut readings = Readings { quarters, ..Readings::default() };
    let mut beyond = |cell: Cell, units: i64| *readings.beyond.entry(cell).or_default() += units;

    // An event of a row that is in no list, or a row of the file, is there beyond the rows.
    assert!(told.is_subset(&ids), "an event tells of what is not there");
    for (rows, sign) in [(exported(&partner).await, 1), (rows.clone(), -1)] {
        for (day, facility, goods, quantity) in rows {
            beyond((goods, quarter_of(day), facility), sign * quantity);
        }
    }
    // Statistics by facility, quarter and item count what the rows hand over, four pieces of soap in each kit.
    let today = QUARTERS[quarters - 1].2;
    let stats = format!(
        "{{ distributionStats(first: 900, groupBy: [FACILITY, ITEM, QUARTER], filter: {{ occurredOn: {{ \
         from: \"2026-12-01\", to: \"{today}\" }} }}) {{ rows {{ units facility {{ slug }} item {{ code }} \
         period {{ start }} }} }} }}"
    );
    let stats = ask(&partner, &stats).await;
    let mut counted: BTreeMap<Cell, i64> = BTreeMap::new();
    for row in stats["distributionStats"]["rows"].as_array().unwrap() {
        let goods = goods_of(&row["item"]["code"], &Value::Null);
        let cell =
            (goods, quarter_of(day_of(&row["period"]["start"])), facility_of(&row["facility"]["slug"]));
        *counted.entry(cell).or_default() += number(&row["units"]);
    }
    // What became of the gift, whose soap is all the soap that is handed over in pieces.
    let trace = format!(
        "{{ giftTrace(gift: \"{gift}\") {{ rows {{ quarter {{ start }} facility {{ slug }} item {{ code }} quantity }} }} }}"
    );
    let trace = ask(&donor, &trace).await;
    for row in trace["giftTrace"]["rows"].as_array().unwrap() {
        let goods = goods_of(&row["item"]["code"], &Value::Null);
        let cell =
            (goods, quarter_of(day_of(&row["quarter"]["start"])), facility_of(&row["facility"]["slug"]));
        *counted.entry(cell).or_default() += number(&row["quantity"]);
    }
    for (day, facility, goods, quantity) in &rows {
        let cell = |goods| (goods, quarter_of(*day), *facility);
        // Kits are of no gift, and their soap is counted as soap.
        let (goods, times) = [(SOAP_LOT, 2), (PADS_LOT, 1), (SOAP_LOT, 4)][*goods];
        *counted.entry(cell(goods)).or_default() -= times * quantity;
    }
    for (cell, units) in counted {
        beyond(cell, units);
    }
    readings.beyond.retain(|_, units| *units != 0);

    // Balances, beside what they would be by the open movements alone.
    let mut open = [0; GOODS.len()];
    for (quarter, (_, end, _)) in QUARTERS.iter().enumerate().take(quarters) {
        for ((goods, (_, donors)), open) in GOODS.iter().enumerate().zip(&mut open) {
            let client = if *donors { &donor } else { &partner };
            let of = "quantity item { code } kit { code }";
            let stock = format!(
                "{{ warehouseBalances(quarterEnd: \"{end}\") {{ {of} }} giftReceipts(quarterEnd: \"{end}\") {{ {of} }} \
                 bulkDispatches(quarterEnd: \"{end}\") {{ {of} occurredOn }} }}"
            );
            let data = ask(client, &stock).await;
            let sum = |list: &str| -> i64 {
                let rows = data[list].as_array().unwrap().iter();
                let here = rows.filter(|row| goods_of(&row["item"]["code"], &row["kit"]["code"]) == goods);
                here.map(|row| number(&row["quantity"])).sum()
            };
            let handed = rows.iter().filter(|row| quarter_of(row.0) == quarter && row.2 == goods);
            *open += sum("giftReceipts") - sum("bulkDispatches") - handed.map(|row| row.3).sum::<i64>();
            if quarter == 0 {
                // What came in December was published with the quarter before.
                *open += received_before(client, goods).await;
            }
            readings.balances.insert((goods, quarter), (sum("warehouseBalances"), *open));
        }
    }
    readings
}

async fn received_before(client: &Client, goods: usize) -> i64 {
    let data =
        ask(client, "{ giftReceipts(quarterEnd: \"2026-12-31\") { quantity item { code } kit { code } } }")
            .await;
    let rows = data["giftReceipts"].as_array().unwrap().iter();
    let here = rows.filter(|row| goods_of(&row["item"]["code"], &row["kit"]["code"]) == goods);
    here.map(|row| number(&row["quantity"])).sum()
}

/// Plays a history and reads after each quarter.
async fn play(world: &World, history: &History) -> Vec<Readings> {
    let (books, gift, lots) = furnish(world).await;
    let mut told = BTreeSet::new();
    let mut all = Vec::new();
    for (quarter, (start, _, asked)) in QUARTERS.iter().enumerate() {
        let watched = day(start) + chrono::Days::new(WATCHED as u64);
        let of_quarter = |entry: &&Entry| quarter_of(entry.day) == quarter;
        // On one day what is hidden comes first.
        let mut entries: Vec<&Entry> =
            history.hidden.iter().chain(&history.open).filter(of_quarter).collect();
        entries.sort_by_key(|entry| entry.day);
        let mut socket = None;
        for entry in entries {
            if entry.day == watched && socket.is_none() {
                world.set_now(&format!("{watched}T09:00:00Z"));
                let mut partner = live::socket(world, "partner", "ally").await;
                partner.subscribe("s", live::IDS, Value::Null).await;
                socket = Some(partner);
            }
            record(&books, &lots, entry).await;
        }
        let (delivery, _) = live::told(&mut socket.unwrap(), "s").await;
        told.insert(Value::String(delivery).to_string());
        world.set_now(&format!("{asked}T09:00:00Z"));
        all.push(read(world, &gift, &told, quarter + 1).await);
    }
    all
}

/// How many hidden deliveries the readings say nothing certain of.
///
/// # Panics
/// When one of them can be told.
fn solve(readings: &Readings, hidden: &Hidden, context: &str) -> usize {
    assert!(readings.could_be(hidden), "{context}: the rule is another\n{readings:#?}\n{hidden:#?}");
    let cells = hidden.handed.keys().filter(|cell| !readings.is_settled(**cell));
    let mut solved = 0;
    for cell in cells {
        solved += 1;
        for none in [true, false] {
            let other = readings.other(hidden, *cell, none);
            assert!(
                other.is_some(),
                "{context}: {cell:?} (none: {none}) is certain\n{readings:#?}\n{hidden:#?}"
            );
        }
    }
    solved
}

fn seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a person asks for it on the command line")]
    let asked = std::env::var("SEED").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(1)
}

both!(
    async fn subtraction_makes_no_hidden_delivery_certain(world: &World) {
        let mut dice = Dice(seed());
        let mut history = History::random(&mut dice);
        hide(&mut history, &mut dice);
        let all = play(world, &history).await;
        let mut solved = 0;
        for (quarter, readings) in all.iter().enumerate() {
            let hidden = truth(&history, quarter + 1);
            solved += solve(readings, &hidden, &format!("quarter {quarter}"));
            // What was read before is read again.
            let before = quarter.checked_sub(1).map(|before| &all[before]);
            let same =
                |before: &Readings| before.balances.iter().all(|(at, said)| readings.balances[at] == *said);
            assert!(before.is_none_or(same));
        }
        let readings = all.last().unwrap();
        let hidden = truth(&history, QUARTERS.len());
        // Where the balance changes by more than open movements.
        let gone = |goods, quarter| {
            let (said, open) = readings.balances[&(goods, quarter)];
            open - said
        };
        let merges = |goods, quarter: usize| quarter > 0 && gone(goods, quarter) != gone(goods, quarter - 1);
        let seen =
            (0..GOODS.len() * QUARTERS.len()).filter(|n| merges(n / QUARTERS.len(), n % QUARTERS.len()));
        let seen = seen.count();
        assert!(solved > 30 && seen > 2, "nothing to solve: {solved} {seen}");

        // A hidden delivery in a figure would be certain.
        let (cell, units) = hidden.handed.iter().map(|(cell, of)| (*cell, of[0].0)).next().unwrap();
        let mut open = readings.clone();
        open.beyond.insert(cell, units);
        assert!(open.other(&hidden, cell, true).is_none());
        // And so would be one that comes into the balance by itself.
        let few = hidden.handed.iter().find(|((goods, quarter, _), of)| {
            of.len() == 1 && of[0].0 < THRESHOLD && *quarter > 0 && !merges(*goods, *quarter)
        });
        let ((goods, at, facility), of) = few.unwrap();
        let mut early = readings.clone();
        for quarter in *at..QUARTERS.len() {
            early.balances.get_mut(&(*goods, quarter)).unwrap().0 -= of[0].0;
        }
        assert!(early.other(&hidden, (*goods, *at, *facility), true).is_none());
    }
);
