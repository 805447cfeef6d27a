//! What a ledger does, as simply as it can be said: a list of entries, added up each time anew.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use sea_orm::prelude::Uuid;

/// A fault as the server names it: the code and the day.
pub type Fault = (&'static str, NaiveDate);

#[derive(Clone, Debug)]
pub struct Lot {
    pub id: String,
    pub key: Uuid,
    pub goods: &'static str,
    pub expires: Option<NaiveDate>,
    /// For kits put together here: a lot and how many of it are in each kit.
    pub part: Option<(usize, i64)>,
}

/// So much of a lot that comes to a place on a day, or leaves it.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub day: NaiveDate,
    pub place: usize,
    pub lot: usize,
    pub quantity: i64,
}

#[derive(Clone, Debug, Default)]
pub struct Model {
    pub lots: Vec<Lot>,
    pub entries: Vec<Entry>,
}

impl Model {
    /// Adds entries together, unless they break a day or use what has expired.
    pub fn post(&mut self, entries: &[Entry], uses: bool) -> Result<(), Vec<Fault>> {
        let mut faults: Vec<Fault> = Vec::new();
        let leaving = entries.iter().filter(|entry| uses && entry.quantity < 0);
        for entry in leaving {
            if let Some(last) = self.lots[entry.lot].expires.filter(|last| *last < entry.day) {
                faults.push(("EXPIRED", last));
            }
        }
        let mut after = self.clone();
        after.entries.extend(entries);
        let touched: BTreeSet<_> = entries.iter().map(|entry| (entry.place, entry.lot)).collect();
        for (place, lot) in touched {
            if let Some((day, _)) = after.closings(place, lot).into_iter().find(|(_, closing)| *closing < 0) {
                faults.push(("INSUFFICIENT_STOCK", day));
            }
        }
        if faults.is_empty() {
            *self = after;
            return Ok(());
        }
        faults.sort();
        Err(faults)
    }

    /// What is there at the end of each day with a change.
    pub fn closings(&self, place: usize, lot: usize) -> BTreeMap<NaiveDate, i64> {
        let mut days: BTreeMap<NaiveDate, i64> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.place == place && entry.lot == lot) {
            *days.entry(entry.day).or_default() += entry.quantity;
        }
        let mut closing = 0;
        for change in days.values_mut() {
            closing += *change;
            *change = closing;
        }
        days
    }

    pub fn on_hand(&self, place: usize, lot: usize, day: NaiveDate) -> i64 {
        self.closings(place, lot).range(..=day).next_back().map_or(0, |(_, closing)| *closing)
    }

    /// What could leave on a day: the least of that day and all later ones.
    fn available(&self, place: usize, lot: usize, day: NaiveDate, until: NaiveDate) -> i64 {
        let days = self.closings(place, lot);
        let later = days.range(day..=until).map(|(_, closing)| *closing).min();
        let then = self.on_hand(place, lot, day);
        later.map_or(then, |later| later.min(then)).max(0)
    }

    /// First expired, first out.
    pub fn pick(
        &self,
        place: usize,
        goods: &str,
        quantity: i64,
        day: NaiveDate,
    ) -> Result<Vec<(usize, i64)>, Vec<Fault>> {
        let mut fitting: Vec<usize> = (0..self.lots.len())
            .filter(|lot| self.lots[*lot].goods == goods && self.on_hand(place, *lot, NaiveDate::MAX) > 0)
            .collect();
        fitting.sort_by_key(|lot| {
            let lot = &self.lots[*lot];
            (lot.expires.is_none(), lot.expires, lot.key)
        });
        let (past, usable): (Vec<usize>, Vec<usize>) =
            fitting.into_iter().partition(|lot| self.lots[*lot].expires.is_some_and(|last| last < day));
        let mut picks = Vec::new();
        let mut missing = quantity;
        for lot in &usable {
            let some = self.available(place, *lot, day, NaiveDate::MAX).min(missing);
            if some > 0 {
                picks.push((*lot, some));
                missing -= some;
            }
        }
        if missing == 0 {
            return Ok(picks);
        }
        let expired: i64 = past.iter().map(|lot| self.available(place, *lot, day, NaiveDate::MAX)).sum();
        if let Some(last) =
            past.iter().filter_map(|lot| self.lots[*lot].expires).max().filter(|_| expired >= missing)
        {
            return Err(vec![("EXPIRED", last)]);
        }
        // The first day up to which not enough could have left.
        let days =
            usable.iter().flat_map(|lot| self.closings(place, *lot).into_keys()).filter(|other| *other > day);
        let days: BTreeSet<NaiveDate> = days.chain([day]).collect();
        let short = |until: &NaiveDate| {
            usable.iter().map(|lot| self.available(place, *lot, day, *until)).sum::<i64>() < quantity
        };
        Err(vec![("INSUFFICIENT_STOCK", days.into_iter().find(short).unwrap_or(day))])
    }
}

/// Numbers that are the same for the same seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % most.max(1) as u64) as usize
    }

    pub fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.below(all.len()))
    }
}
