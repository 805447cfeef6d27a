//! Synthetic deliveries over the five years before a day, the same for the same seed, scale and day.
//!
//! They are invented from the first to the last number. Their shape is that of real operations: more in
//! some months than in others, recorded days later, mostly verified, some void, a few of them so small or so
//! sensitive that only staff may see them.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use entity::{
    distribution, distribution_line,
    value::{DistributionStatus, ReachMethod, Role, RowClass, Sensitivity, VoidReason},
};
use uuid::Uuid;

use super::{
    dataset::Dataset,
    facts::{FactsError, RecipeGood, synthetic},
    generator::Generator,
    registry::{item, kit, known, organization_id, program_id},
};
use crate::store::class::{ClassInput, LineClassInput, classify};

/// How many deliveries one step of the iterator gives.
pub const CHUNK: usize = 1000;

/// A delivery and its lines.
pub type Delivery = (distribution::Model, Vec<distribution_line::Model>);

const DELIVERIES_PER_SCALE: u64 = 2000;
const FIVE_YEARS: u64 = 1826;

/// Deliveries in chunks of at most [`CHUNK`]; `len` tells how many are left.
pub struct Operations {
    seed: u64,
    first_day: NaiveDate,
    today: NaiveDate,
    slots: Vec<Slot>,
    /// Sums of the weights of the slots, and of the days, before each place and after the last.
    slot_sums: Vec<u64>,
    day_sums: Vec<u64>,
    goods: Vec<Vec<Good>>,
    next_row: u64,
    rows: u64,
}

/// A program at one of its sites, with the days on which it can have delivered there.
struct Slot {
    organization_id: Uuid,
    program_id: Uuid,
    sensitivity: Sensitivity,
    facility_id: Uuid,
    recorded_by: Option<Uuid>,
    /// Places in the list of days, both included.
    first: usize,
    last: usize,
    weight: u64,
    /// The number of women that a delivery usually reaches there: invented, and not the number held there.
    usual_reach: i32,
    /// The place of the program's goods.
    recipe: usize,
}

/// Something that a program hands over.
struct Good {
    item_id: Option<Uuid>,
    kit_id: Option<Uuid>,
    /// From when on each version of the kit is valid.
    versions: BTreeMap<NaiveDate, i32>,
    sensitivity: Sensitivity,
    per_woman: i32,
    weight: u64,
}

impl Operations {
    /// Prepares `scale` times 2,000 deliveries at the facilities of the data set made with the same scale.
    pub fn new(data: &Dataset, seed: u64, scale: u32, today: NaiveDate) -> Result<Self, FactsError> {
        let first_day = today.checked_sub_days(Days::new(FIVE_YEARS)).unwrap_or(NaiveDate::MIN);
        let mut operations = Operations {
            seed,
            first_day,
            today,
            slots: Vec::new(),
            slot_sums: Vec::new(),
            day_sums: sums(first_day.iter_days().take(FIVE_YEARS as usize).enumerate().map(day_weight)),
            goods: Vec::new(),
            next_row: 0,
            rows: 0,
        };
        for recipe in synthetic()?.recipes {
            let organization = organization_id(data, &recipe.organization)?;
            let program = program_id(data, organization, &recipe.program)?;
            let goods = recipe.goods.iter().map(|good| Good::new(data, organization, good));
            operations.goods.push(goods.collect::<Result<_, _>>()?);
            operations.add_slots(data, program, recipe.weight)?;
        }
        operations.slot_sums = sums(operations.slots.iter().map(|slot| slot.weight));
        if !operations.slots.is_empty() {
            operations.rows = DELIVERIES_PER_SCALE * u64::from(scale);
        }
        Ok(operations)
    }

    /// How many deliveries are left.
    pub fn len(&self) -> u64 {
        self.rows - self.next_row
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A slot for each site of the program; larger sites get more of its weight.
    fn add_slots(&mut self, data: &Dataset, program: Uuid, weight: u64) -> Result<(), FactsError> {
        let found = data.programs.iter().find(|row| row.id == program);
        let program = known(found, "program", &program.to_string())?;
        let sites = data.program_sites.iter().filter(|site| site.program_id == program.id);
        let sites: Vec<Uuid> = sites.map(|site| site.facility_id).collect();
        let all: u64 = sites.iter().map(|&site| usual_reach(site) as u64).sum();
        for facility_id in sites {
            let presence = data
                .presences
                .iter()
                .find(|row| row.organization_id == program.organization_id && row.facility_id == facility_id);
            let presence = known(presence, "presence", &facility_id.to_string())?;
            let starts_on = program.starts_on.max(presence.starts_on);
            let ends = [program.ends_on, presence.ends_on, self.today.pred_opt()];
            let Some(ends_on) = ends.into_iter().flatten().min() else { continue };
            let (Some(last), first) = (self.place_of(ends_on), self.place_of(starts_on).unwrap_or(0)) else {
                continue;
            };
            if first > last {
                continue;
            }
            let usual_reach = usual_reach(facility_id);
            self.slots.push(Slot {
                organization_id: program.organization_id,
                program_id: program.id,
                sensitivity: program.sensitivity,
                facility_id,
                recorded_by: recorder(data, program.organization_id, facility_id),
                first,
                last,
                weight: weight * 1000 * usual_reach as u64 / all.max(1),
                usual_reach,
                recipe: self.goods.len() - 1,
            });
        }
        Ok(())
    }

    /// The place of a day in the list of days; none for a day before the list.
    fn place_of(&self, day: NaiveDate) -> Option<usize> {
        usize::try_from((day - self.first_day).num_days()).ok()
    }

    fn delivery(&self, row: u64) -> Delivery {
        let mut random = Generator::for_row(self.seed, row);
        let slot = &self.slots[pick(&mut random, &self.slot_sums, 0, self.slots.len() - 1)];
        let day = pick(&mut random, &self.day_sums, slot.first, slot.last);
        let occurred_on = self.first_day + Days::new(day as u64);
        let people_reached = people_reached(&mut random, slot);
        let id = random.uuid();
        let mut lines = Vec::new();
        let mut facts = Vec::new();
        for (good, version) in choose(&mut random, &self.goods[slot.recipe], occurred_on) {
            let of_line = line_reached(&mut random, people_reached, lines.is_empty());
            let quantity = of_line * good.per_woman;
            facts.push(LineClassInput { quantity, people_reached: of_line, sensitivity: good.sensitivity });
            lines.push(distribution_line::Model {
                organization_id: slot.organization_id,
                distribution_id: id,
                position: lines.len() as i32 + 1,
                class: RowClass::Records,
                shown: false,
                item_id: good.item_id,
                kit_id: good.kit_id,
                kit_version: version,
                quantity,
                people_reached: of_line,
            });
        }
        let (class, shown) =
            classify(&ClassInput { people_reached, program: slot.sensitivity, lines: facts });
        for (line, shown) in lines.iter_mut().zip(shown) {
            (line.class, line.shown) = (class, shown);
        }
        let mut delivery = distribution::Model {
            organization_id: slot.organization_id,
            id,
            class,
            facility_id: slot.facility_id,
            program_id: slot.program_id,
            occurred_on,
            recorded_at: self.recorded_at(&mut random, occurred_on),
            status: DistributionStatus::Delivered,
            people_reached,
            reach_method: reach_method(&mut random, &lines),
            version: 1,
            recorded_by: slot.recorded_by,
            import_key: None,
            client_id: None,
            form_number: None,
            verified_at: None,
            voided_at: None,
            void_reason: None,
            void_note: None,
        };
        self.settle(&mut random, &mut delivery);
        if delivery.status == DistributionStatus::Dispatched {
            // Its class is decided when it has taken place.
            delivery.class = RowClass::Records;
            for line in &mut lines {
                (line.class, line.shown) = (RowClass::Records, false);
            }
        }
        (delivery, lines)
    }

    /// Some days after the delivery, in working hours of the field, and before today.
    fn recorded_at(&self, random: &mut Generator, occurred_on: NaiveDate) -> DateTime<Utc> {
        const DELAYS: [u64; 12] = [30, 22, 14, 9, 7, 5, 4, 3, 2, 2, 1, 1];
        let delay = random.weighted(DELAYS.into_iter()).unwrap_or(0) as u64;
        let day = (occurred_on + Days::new(delay)).min(self.today - Days::new(1));
        at_work(random, day)
    }

    /// What became of the delivery since: most are verified, some are void.
    fn settle(&self, random: &mut Generator, delivery: &mut distribution::Model) {
        let fate = random.below(1000);
        let days = 1 + random.below(30);
        let day = delivery.recorded_at.date_naive() + Days::new(days);
        let at = at_work(random, day);
        if day >= self.today {
            // Nobody has come to it yet.
            if fate < 300 {
                delivery.status = DistributionStatus::Dispatched;
            }
        } else if fate < 35 {
            let (reason, note) = void(random);
            delivery.status = DistributionStatus::Voided;
            delivery.version = 2;
            delivery.voided_at = Some(at);
            delivery.void_reason = Some(reason);
            delivery.void_note = Some(note.to_owned());
        } else if fate < 800 {
            delivery.status = DistributionStatus::Verified;
            delivery.version = 2;
            delivery.verified_at = Some(at);
        }
    }
}

impl Iterator for Operations {
    type Item = Vec<Delivery>;

    fn next(&mut self) -> Option<Vec<Delivery>> {
        let first = self.next_row;
        self.next_row = self.rows.min(first + CHUNK as u64);
        let chunk: Vec<_> = (first..self.next_row).map(|row| self.delivery(row)).collect();
        (!chunk.is_empty()).then_some(chunk)
    }
}

impl Good {
    fn new(data: &Dataset, organization: Uuid, fact: &RecipeGood) -> Result<Self, FactsError> {
        let item = fact.item.as_deref().map(|code| item(data, organization, code)).transpose()?;
        let kit = fact.kit.as_deref().map(|code| kit(data, organization, code)).transpose()?;
        let sensitivity = item.map(|row| row.sensitivity).or(kit.map(|row| row.sensitivity));
        let versions = data.kit_versions.iter().filter(|row| kit.is_some_and(|kit| kit.id == row.kit_id));
        Ok(Good {
            item_id: item.map(|row| row.id),
            kit_id: kit.map(|row| row.id),
            versions: versions.map(|row| (row.valid_from, row.number)).collect(),
            sensitivity: known(sensitivity, "good", "neither item nor kit")?,
            per_woman: fact.per_woman,
            weight: fact.weight,
        })
    }

    /// The version of the kit on a day; `None` when there was none yet.
    fn on(&self, day: NaiveDate) -> Option<(&Good, Option<i32>)> {
        match self.kit_id {
            Some(_) => self.versions.range(..=day).next_back().map(|(_, &number)| (self, Some(number))),
            None => Some((self, None)),
        }
    }
}

/// The account that records at a facility: its field worker, or else the coordinator.
fn recorder(data: &Dataset, organization: Uuid, facility: Uuid) -> Option<Uuid> {
    let account =
        |role| data.memberships.iter().find(|row| row.organization_id == organization && row.role == role);
    let assigned = |membership: &entity::membership::Model| {
        let mut links = data.membership_facilities.iter();
        links.any(|row| row.membership_id == membership.id && row.facility_id == facility)
    };
    account(Role::Field)
        .filter(|row| assigned(row))
        .or_else(|| account(Role::Coordinator))
        .map(|row| row.account_id)
}

/// From 40 to 180, by nothing but the id.
fn usual_reach(facility: Uuid) -> i32 {
    40 + i32::from(facility.as_bytes()[0]) * 141 / 256
}

/// Few on weekends, more before the school year, the eighth of March and the end of the year, and growing.
fn day_weight((place, day): (usize, NaiveDate)) -> u64 {
    let of_week = if matches!(day.weekday(), Weekday::Sat | Weekday::Sun) { 1 } else { 10 };
    let of_year = [6, 7, 15, 10, 13, 10, 11, 10, 12, 10, 11, 16][day.month0() as usize];
    of_week * of_year * (FIVE_YEARS + place as u64)
}

fn sums(weights: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut sums = vec![0];
    let mut sum = 0;
    for weight in weights {
        sum += weight;
        sums.push(sum);
    }
    sums
}

/// A place from `first` to `last`, each as likely as it weighs.
fn pick(random: &mut Generator, sums: &[u64], first: usize, last: usize) -> usize {
    let found = sums[first] + random.below(sums[last + 1] - sums[first]);
    (sums.partition_point(|&sum| sum <= found) - 1).clamp(first, last)
}

fn people_reached(random: &mut Generator, slot: &Slot) -> i32 {
    if slot.sensitivity == Sensitivity::Sensitive {
        random.between(2, 24)
    } else if random.per_mille(20) {
        random.between(2, 9)
    } else {
        slot.usual_reach * random.between(45, 100) / 100
    }
}

/// From one to five different goods that existed on the day, three in the mean.
fn choose<'a>(random: &mut Generator, goods: &'a [Good], day: NaiveDate) -> Vec<(&'a Good, Option<i32>)> {
    let mut left: Vec<_> = goods.iter().filter_map(|good| good.on(day)).collect();
    let wanted = 1 + random.weighted([10, 22, 32, 24, 12].into_iter()).unwrap_or(0);
    let mut chosen = Vec::with_capacity(wanted);
    while chosen.len() < wanted {
        let Some(place) = random.weighted(left.iter().map(|(good, _)| good.weight)) else { break };
        chosen.push(left.remove(place));
    }
    chosen
}

/// The first line reaches everybody; the others may reach fewer.
fn line_reached(random: &mut Generator, people_reached: i32, first: bool) -> i32 {
    if first || random.per_mille(750) {
        people_reached
    } else if random.per_mille(8) {
        people_reached.min(random.between(1, 9))
    } else {
        (people_reached * random.between(60, 95) / 100).max(1)
    }
}

fn reach_method(random: &mut Generator, lines: &[distribution_line::Model]) -> ReachMethod {
    let with_kit = lines.iter().any(|line| line.kit_id.is_some());
    match random.below(100) {
        0..70 => ReachMethod::Counted,
        70..94 if with_kit => ReachMethod::EstimatedPerKit,
        70..90 => ReachMethod::Counted,
        _ => ReachMethod::EstimatedOther,
    }
}

fn void(random: &mut Generator) -> (VoidReason, &'static str) {
    match random.below(100) {
        0..45 => {
            (VoidReason::EntryError, "Error de captura: se volvió a registrar con las cantidades correctas.")
        }
        45..75 => (VoidReason::Duplicate, "La misma entrega ya estaba registrada."),
        75..90 => (VoidReason::NotDelivered, "No se autorizó el ingreso ese día."),
        _ => (VoidReason::Returned, "Los artículos regresaron al almacén."),
    }
}

/// A time of the day in UTC at which people in Chile and Mexico are at work, to the microsecond.
fn at_work(random: &mut Generator, day: NaiveDate) -> DateTime<Utc> {
    const OPENS_AT: i64 = 14 * 3600;
    const OPEN_MICROSECONDS: u64 = 9 * 3600 * 1_000_000;
    let microseconds = random.below(OPEN_MICROSECONDS) as i64;
    let at = TimeDelta::seconds(OPENS_AT) + TimeDelta::microseconds(microseconds);
    (day.and_time(NaiveTime::MIN) + at).and_utc()
}

#[cfg(test)]
#[path = "operations_tests.rs"]
mod tests;
