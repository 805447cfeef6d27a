//! How long what lies at a facility lasts, against a stored norm and a dated population.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use entity::{adequacy_norm, facility_population};
use uuid::Uuid;

use super::{Goods, read::Filter};
use crate::{error::Result, store::Access};

/// How long an item at a facility lasts.
#[derive(Clone, Debug)]
pub struct Cover {
    pub item_id: Uuid,
    /// Loose and inside kits, without what has expired.
    pub quantity: i64,
    pub norm: adequacy_norm::Model,
    pub population: facility_population::Model,
}

impl Cover {
    /// In days of months of thirty days, rounded down; none when nobody is there to use it.
    pub fn days(&self) -> Option<i64> {
        let need = i64::from(self.population.women) * i64::from(self.norm.quantity);
        (need > 0).then(|| self.quantity.saturating_mul(30 * i64::from(self.norm.months)) / need)
    }

    pub fn months(&self) -> Option<f64> {
        let need = f64::from(self.population.women) * f64::from(self.norm.quantity);
        (need > 0.0).then(|| {
            let months = self.quantity as f64 * f64::from(self.norm.months) / need;
            (months * 10.0).floor() / 10.0
        })
    }
}

impl Access {
    /// The stores of facilities that the viewer may see: the place and the facility.
    pub fn facility_stores(&self) -> impl Iterator<Item = (Uuid, Uuid)> {
        let places = self.catalog.stock_places.iter().filter(|place| self.sees_stock_place(place));
        places.filter_map(|place| Some((place.id, place.facility_id?)))
    }

    /// For each item with a norm, what the facility's store holds and how long it lasts; empty while the facility has
    /// no population on record by that day.
    pub async fn stock_cover(&self, facility: Uuid, day: Option<NaiveDate>) -> Result<Vec<Cover>> {
        let day = day.unwrap_or_else(|| self.today()).min(self.today());
        let filter = Filter { facility: Some(vec![facility]), ..Filter::default() };
        let levels = self.stock_on_hand(&filter, Some(day)).await?;
        let populations = self.catalog.facility_populations.iter().filter(|row| {
            row.facility_id == facility && row.counted_on <= day && self.facility_population(row.id).is_some()
        });
        let Some(population) = populations.max_by_key(|row| row.counted_on) else { return Ok(Vec::new()) };
        let mut norms: BTreeMap<Uuid, &adequacy_norm::Model> = BTreeMap::new();
        for norm in self.catalog.adequacy_norms.iter() {
            let newer = norms.get(&norm.item_id).is_none_or(|known| known.valid_from < norm.valid_from);
            if newer && norm.valid_from <= day && self.adequacy_norm(norm.id).is_some() {
                norms.insert(norm.item_id, norm);
            }
        }
        let mut quantities: BTreeMap<Uuid, i64> = BTreeMap::new();
        for level in levels.iter().filter(|level| level.lot.expires_on.is_none_or(|last| day <= last)) {
            for (item, inside) in self.catalog.contents(Goods::of(&level.lot)) {
                *quantities.entry(item).or_default() += level.quantity * inside;
            }
        }
        let covers = norms.into_iter().map(|(item_id, norm)| Cover {
            item_id,
            quantity: quantities.get(&item_id).copied().unwrap_or(0),
            norm: norm.clone(),
            population: population.clone(),
        });
        Ok(covers.collect())
    }
}
