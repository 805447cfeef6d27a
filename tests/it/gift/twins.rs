//! The attack. A partner and a donor put together all that they can read, at each quarter of two years. For each
//! hidden row there is another history, without it, that gives them the same bytes: here one twin has none of them.

use api::id::Kind;
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use tests::{Backend, Client, Fixture, both};

use super::{Books, Handed, gift, item, kit, share_stock};
use crate::{stock::model::Dice, talk::done, world::*};

/// The quarters of two years by their last day, and the days on which somebody looks at each.
pub const QUARTERS: [(&str, &str, &str); 8] = [
    ("2027-01-01", "2027-03-31", "2027-04-02"),
    ("2027-04-01", "2027-06-30", "2027-07-02"),
    ("2027-07-01", "2027-09-30", "2027-10-02"),
    ("2027-10-01", "2027-12-31", "2028-01-02"),
    ("2028-01-01", "2028-03-31", "2028-04-02"),
    ("2028-04-01", "2028-06-30", "2028-07-02"),
    ("2028-07-01", "2028-09-30", "2028-10-02"),
    ("2028-10-01", "2028-12-31", "2029-01-02"),
];

/// The lots that are there from the first day: the donor's and the partner's general goods, and sensitive ones.
pub const SOAP_LOT: usize = 0;
pub const PADS_LOT: usize = 1;
pub const KIT_LOT: usize = 2;
pub const TINS: usize = 3;

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Deliver {
        facility: u128,
        program: u128,
        women: i64,
        lot: usize,
        quantity: i64,
    },
    Send {
        lot: usize,
        quantity: i64,
    },
    Lose {
        lot: usize,
        quantity: i64,
    },
    /// A delivery that turns out never to have taken place.
    Withdraw {
        facility: u128,
        women: i64,
        lot: usize,
        quantity: i64,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub day: NaiveDate,
    pub step: Step,
}

/// Where a hidden delivery goes.
struct To {
    quarter: usize,
    facility: u128,
    program: u128,
    women: i64,
}

/// So much of a lot comes into the balance with a quarter.
struct Merged {
    quarter: usize,
    lot: usize,
    units: i64,
}

/// A history: what outsiders see, and what is hidden.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub open: Vec<Entry>,
    pub hidden: Vec<Entry>,
}

impl History {
    /// What outsiders see of eight quarters, at random. No two deliveries share a day or a number of women, so that
    /// no list is in the order of random ids.
    pub fn random(dice: &mut Dice) -> Self {
        let mut history = Self::default();
        for quarter in 0..QUARTERS.len() {
            for _ in 0..2 + dice.below(2) {
                let women = 10 + (history.open.len() as i64 * 7) % 60;
                let step = Step::Deliver {
                    facility: 1 + dice.below(3) as u128,
                    program: [SUPPLIES, WORKSHOP][dice.below(2)],
                    women,
                    lot: dice.below(3),
                    quantity: women + dice.below(10) as i64,
                };
                let mut day = day_in(dice, quarter, 60);
                while history.open.iter().any(|entry| entry.day == day) {
                    day = day_in(dice, quarter, 60);
                }
                history.open.push(Entry { day, step });
            }
            if dice.below(2) == 0 {
                let step = Step::Send { lot: dice.below(3), quantity: 10 + dice.below(15) as i64 };
                history.open.push(Entry { day: day_in(dice, quarter, 60), step });
            }
        }
        history
    }

    /// The hidden half. Of each lot that outsiders are told of, so many units come into the balance with a quarter
    /// (DISCLOSURE merges these, so twins agree on the sums and on nothing else); what never stands for enough women
    /// is any, and so is all that is sensitive.
    fn hide(&mut self, dice: &mut Dice, merged: &[Merged]) {
        for batch in merged {
            let before = batch.quarter > 0
                && !merged.iter().any(|other| other.lot == batch.lot && other.quarter + 1 == batch.quarter);
            self.hide_batch(dice, batch, before);
        }
        for quarter in 0..QUARTERS.len() {
            for _ in 0..dice.below(3) {
                let (facility, women) = (1 + dice.below(3) as u128, 1 + dice.below(9) as i64);
                let quantity = 1 + dice.below(12) as i64;
                let to = To { quarter, facility, program: MATERNITY, women };
                self.deliver(dice, to, TINS, quantity);
            }
        }
        for lot in [SOAP_LOT, PADS_LOT, KIT_LOT] {
            let last = merged.iter().filter(|batch| batch.lot == lot).map(|batch| batch.quarter + 1).max();
            for quarter in last.unwrap_or(0)..QUARTERS.len() {
                self.hide_for_good(dice, quarter, lot);
            }
        }
    }

    /// Hidden movements that come into the balance together: at least ten women, the rest in any shape.
    fn hide_batch(&mut self, dice: &mut Dice, batch: &Merged, from_before: bool) {
        let Merged { quarter, lot, units } = *batch;
        let mut left = units;
        if dice.below(2) == 0 {
            // One delivery of a sensitive program.
            let (facility, women) = (1 + dice.below(3) as u128, 10 + dice.below(20) as i64);
            let quantity = units - dice.below(4) as i64;
            self.deliver(dice, To { quarter, facility, program: MATERNITY, women }, lot, quantity);
            left -= quantity;
        } else {
            for facility in [1, 2] {
                let women = 5 + dice.below(5) as i64;
                let quantity = 5 + dice.below(((units - 10) / 2 + 1) as usize) as i64;
                self.deliver(dice, To { quarter, facility, program: SUPPLIES, women }, lot, quantity);
                left -= quantity;
            }
        }
        while left > 0 {
            // Some of it may have waited since the quarter before.
            let quarter = if from_before { quarter - dice.below(2) } else { quarter };
            let quantity = 1 + dice.below(std::cmp::min(left, 9) as usize) as i64;
            let step = match dice.below(3) {
                0 => Step::Lose { lot, quantity },
                1 => Step::Send { lot, quantity },
                _ => {
                    let women = 1 + dice.below(9) as i64;
                    Step::Deliver { facility: 3, program: MATERNITY, women, lot, quantity }
                }
            };
            self.hidden.push(Entry { day: day_in(dice, quarter, 80), step });
            left -= quantity;
        }
    }

    /// What never stands for ten women.
    fn hide_for_good(&mut self, dice: &mut Dice, quarter: usize, lot: usize) {
        let quantity = 1 + dice.below(9) as i64;
        let step = match dice.below(4) {
            0 => Step::Lose { lot, quantity },
            1 => Step::Withdraw { facility: 2, women: 1 + dice.below(9) as i64, lot, quantity },
            // Again and again, perhaps to the same women: nine at most.
            2 => Step::Deliver {
                facility: 1,
                program: SUPPLIES,
                women: 1 + dice.below(4) as i64,
                lot,
                quantity,
            },
            _ => Step::Deliver {
                facility: 2,
                program: MATERNITY,
                women: 1 + dice.below(5) as i64,
                lot,
                quantity,
            },
        };
        self.hidden.push(Entry { day: day_in(dice, quarter, 60), step });
    }

    fn deliver(&mut self, dice: &mut Dice, to: To, lot: usize, quantity: i64) {
        let To { quarter, facility, program, women } = to;
        let step = Step::Deliver { facility, program, women, lot, quantity };
        self.hidden.push(Entry { day: day_in(dice, quarter, 60), step });
    }
}

pub fn day_in(dice: &mut Dice, quarter: usize, days: usize) -> NaiveDate {
    day(QUARTERS[quarter].0) + Days::new(dice.below(days) as u64)
}

/// Plays a history day by day, and gives all that partner and donor can read of it after each quarter.
async fn play(world: &World, history: &History) -> Vec<String> {
    let (books, given, lots) = furnish(world).await;
    let mut seen = Vec::new();
    for (start, end, asked) in QUARTERS {
        let now = |entry: &&Entry| (day(start)..=day(end)).contains(&entry.day);
        let mut entries: Vec<&Entry> =
            history.open.iter().filter(now).chain(history.hidden.iter().filter(now)).collect();
        entries.sort_by_key(|entry| entry.day);
        for entry in entries {
            record(&books, &lots, entry).await;
        }
        world.set_now(&format!("{asked}T09:00:00Z"));
        seen.push(everything(world, &given, asked).await);
    }
    seen
}

/// Records what happened, and gives the id of a delivery.
pub async fn record(books: &Books<'_>, lots: &[(Value, String); 4], entry: &Entry) -> Value {
    let on = entry.day.to_string();
    let handed = async |facility, program, women, lot: usize, quantity| {
        let lines = [(lots[lot].0.clone(), Some(lots[lot].1.as_str()), quantity)];
        books.delivered(&on, &on, Handed { facility, program, women, lines: &lines }).await
    };
    match entry.step {
        Step::Deliver { facility, program, women, lot, quantity } => {
            return handed(facility, program, women, lot, quantity).await["id"].clone();
        }
        Step::Send { lot, quantity } => drop(books.sent(&on, &lots[lot].1, quantity).await),
        Step::Lose { lot, quantity } => books.lost(&on, &lots[lot].1, quantity).await,
        Step::Withdraw { facility, women, lot, quantity } => {
            let made = handed(facility, SUPPLIES, women, lot, quantity).await;
            let void = json!({ "id": made["id"], "expectedVersion": 1, "reason": "NOT_DELIVERED" });
            done(&books.world.coordinator(), "voidDistribution", "distribution", "id", &void).await;
        }
    }
    Value::Null
}

/// What there is from the first day, with the donor's gift: see the lots above.
pub async fn furnish<'a>(world: &'a World) -> (Books<'a>, String, [(Value, String); 4]) {
    world.set_now("2026-12-01T09:00:00Z");
    world.sql("UPDATE program SET ends_on = NULL").await;
    share_stock(world, 2, None).await;
    let books = Books::open(world, "2026-12-01").await;
    let given = gift(world, GIVER, &[(item(SOAP), 4000), (item(FORMULA), 900)]).await;
    let lots = [
        (item(SOAP), books.gave("2026-12-02", GIVER, Some(&given), item(SOAP), 4000).await),
        (item(PADS), books.gave("2026-12-02", ALLY, None, item(PADS), 4000).await),
        (kit(BATH), books.gave("2026-12-02", GIVER, None, kit(BATH), 4000).await),
        (item(FORMULA), books.gave("2026-12-02", GIVER, Some(&given), item(FORMULA), 900).await),
    ];
    (books, given, lots)
}

/// All that a partner and a donor can read by a day, byte for byte. Ids are random in each history, so they are not
/// asked for.
async fn everything(world: &World, gift: &str, today: &str) -> String {
    let (partner, donor) = (world.partner(), world.member("donor", "giver"));
    let mut all = String::new();
    let mut add = async |client: &Client, document: &str| {
        let answer = client.query(document, Value::Null).await;
        answer.data();
        all += &format!("{answer}\n");
    };
    let rows = "totalCount pageInfo { hasNextPage } nodes { occurredOn recordedAt status peopleReached reachMethod voided { reason } \
                facility { slug } program { slug } lines { quantity kitVersion item { code } kit { code } } }";
    for order in ["OCCURRED_ON", "PEOPLE_REACHED"] {
        let list =
            format!("distributions(first: 100, orderBy: {{ field: {order}, direction: ASC }}) {{ {rows} }}");
        add(&partner, &format!("{{ {list} }}")).await;
    }
    add(
        &partner,
        &format!("{{ facilities(first: 9) {{ nodes {{ slug distributions(first: 50) {{ {rows} }} }} }} }}"),
    )
    .await;
    for by in ["FACILITY, ITEM, QUARTER", "PROGRAM, KIT, MONTH", "REGION, YEAR"] {
        let stats = format!(
            "{{ distributionStats(first: 900, groupBy: [{by}], filter: {{ occurredOn: {{ from: \"2026-12-01\", to: \"{today}\" }} }}) \
             {{ truncated rows {{ deliveries units kits contacts facility {{ slug }} item {{ code }} kit {{ code }} region {{ iso }} \
             program {{ slug }} period {{ start end }} }} }} }}"
        );
        add(&partner, &stats).await;
    }
    let goods = "quantity item { code sensitivity } kit { code } kitVersion organization { slug }";
    for (_, end, _) in QUARTERS.iter().filter(|(.., asked)| *asked <= today) {
        let stock = format!(
            "{{ warehouseBalances(quarterEnd: \"{end}\") {{ {goods} asOf }} giftReceipts(quarterEnd: \"{end}\") {{ {goods} occurredOn \
             undone facility {{ slug }} }} bulkDispatches(quarterEnd: \"{end}\") {{ {goods} occurredOn undone facility {{ slug }} }} }}"
        );
        for client in [&partner, &donor] {
            add(client, &stock).await;
        }
    }
    let trace = format!(
        "{{ giftTrace(gift: \"{gift}\") {{ until rows {{ quarter {{ start end }} facility {{ slug }} item {{ code }} quantity inKits }} \
         accountedFor {{ on }} }} awards(first: 9) {{ totalCount }} gifts(first: 9) {{ totalCount nodes {{ lines {{ quantity }} }} }} }}"
    );
    add(&donor, &trace).await;
    all
}

fn merged(dice: &mut Dice) -> Vec<Merged> {
    let mut all = Vec::new();
    for lot in [SOAP_LOT, PADS_LOT, KIT_LOT] {
        for quarter in 0..QUARTERS.len() - 2 {
            if dice.below(3) == 0 {
                all.push(Merged { quarter, lot, units: 14 + dice.below(40) as i64 });
            }
        }
    }
    all
}

/// How many pairs of twins there are: more when a person asks for it, as in `TWINS=50 cargo test -p tests twins`.
fn rounds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a person asks for it on the command line")]
    let asked = std::env::var("TWINS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// A place for two worlds at once.
struct Twins(Backend);

impl Fixture for Twins {
    async fn start(backend: Backend) -> Self {
        Self(backend)
    }

    async fn stop(self) {}
}

impl Twins {
    /// Does something in a world of its own.
    async fn in_a_world<T>(&self, doing: impl AsyncFnOnce(&World) -> T) -> T {
        let world = World::start(self.0).await;
        let done = doing(&world).await;
        world.stop().await;
        done
    }
}

both!(
    async fn no_hidden_row_can_be_told_from_another(twins: &Twins) {
        for seed in 1..=rounds() {
            let mut dice = Dice(seed);
            let open = History::random(&mut dice);
            let merged = merged(&mut dice);
            let mut one = open.clone();
            one.hide(&mut dice, &merged);
            let twin = loop {
                let mut twin = open.clone();
                twin.hide(&mut dice, &merged);
                if !twin.hidden.iter().any(|row| one.hidden.contains(row)) {
                    break twin;
                }
            };
            assert!(one.hidden.len() > 20, "{}", one.hidden.len());
            let (seen, seen_of_twin) = tokio::join!(
                twins.in_a_world(async |world| play(world, &one).await),
                twins.in_a_world(async |world| play(world, &twin).await),
            );
            for (quarter, (a, b)) in seen.iter().zip(&seen_of_twin).enumerate() {
                assert_eq!(a, b, "seed {seed}, quarter {quarter}\n{one:#?}\n{twin:#?}");
            }
            // They do see something, and it does change.
            assert!(seen.windows(2).all(|pair| pair[0] != pair[1]));
        }
    }
);

both!(
    async fn a_hidden_delivery_can_have_been_a_loss(twins: &Twins) {
        // What expires first goes first, so who gave what is handed over next depends on what is hidden: a small
        // delivery looks the same as a small loss, or as some that went to another place.
        let play = async |world: &World, hidden: usize| {
            world.set_now("2026-12-01T09:00:00Z");
            share_stock(world, 2, None).await;
            let books = Books::open(world, "2026-12-01").await;
            let given = gift(world, GIVER, &[(item(SOAP), 100)]).await;
            let mut lots = Vec::new();
            for (donor, gift, expires) in [(GIVER, Some(&given), "2028-06-30"), (ALLY, None, "2028-12-31")] {
                let receipt = json!({ "place": books.places.warehouse, "source": "DONATION", "gift": gift,
                    "donor": id(Kind::Organization, donor),
                    "lines": [{ "supplied": item(SOAP), "quantity": 100, "expiresOn": expires }] });
                let receipt = books.moved("receiveStock", "2026-12-02", receipt).await;
                lots.push(receipt["entries"][0]["lot"]["id"].as_str().unwrap().to_owned());
            }
            let handed = async |on: &str, women: i64, quantity: i64| {
                let lines = [(item(SOAP), None, quantity)];
                books
                    .delivered(on, on, Handed { facility: 1, program: SUPPLIES, women, lines: &lines })
                    .await;
            };
            handed("2027-01-10", 40, 60).await;
            match hidden {
                0 => handed("2027-01-20", 5, 5).await,
                1 => books.lost("2027-01-20", &lots[0], 5).await,
                _ => drop(books.sent("2027-01-20", &lots[0], 5).await),
            }
            handed("2027-02-10", 30, 60).await;
            let mut seen = Vec::new();
            for (_, _, asked) in &QUARTERS[..2] {
                world.set_now(&format!("{asked}T09:00:00Z"));
                seen.push(everything(world, &given, asked).await);
            }
            seen
        };
        let delivered = twins.in_a_world(async |world| play(world, 0).await).await;
        for other in [1, 2] {
            assert_eq!(twins.in_a_world(async |world| play(world, other).await).await, delivered);
        }
    }
);
