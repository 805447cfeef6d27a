//! Numbers in place of women. They mean nothing, are given once, and the link to a woman goes when she is erased.

use std::collections::HashMap;

use disclosure::{Unit, UnitSet};
use entity::{release_unit, release_units};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, Set};
use uuid::Uuid;

use crate::{
    auth::Right,
    error::Result,
    store::{Access, Scoped, write::Write},
};

impl Scoped for release_unit::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(release_unit::Column::OrganizationId, Right::ReleasePrepare)
    }
}

impl Scoped for release_units::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(release_units::Column::OrganizationId, Right::ReleasePrepare)
    }
}

/// The numbers of women whose data may be counted.
pub(super) struct Units {
    of: HashMap<Uuid, Unit>,
    /// How many numbers were ever given out.
    given: u32,
}

impl Units {
    pub fn of(&self, woman: Uuid) -> Option<Unit> {
        self.of.get(&woman).copied()
    }

    pub fn all(&self) -> UnitSet {
        self.of.values().copied().collect()
    }

    /// Those who were counted once and may not be any more: they have withdrawn, or were erased.
    pub fn withdrawn(&self) -> UnitSet {
        let everybody: UnitSet = (0..self.given).map(Unit).collect();
        everybody.minus(&self.all())
    }

    /// Numbers of nobody, for those who could have been asked and have no record in a round.
    pub fn strangers(&self, count: usize) -> UnitSet {
        (self.given..).take(count).map(Unit).collect()
    }
}

impl Write<'_> {
    /// The numbers of these women. Those who have none get one, in an order that says nothing.
    pub(super) async fn units(&self, women: &[Uuid]) -> Result<Units> {
        let access = self.access;
        let own = access.own()?;
        let counter = access.select::<release_units::Entity>().lock_exclusive().one(&self.tx).await?;
        let mut known: HashMap<Uuid, Unit> = access
            .select::<release_unit::Entity>()
            .all(&self.tx)
            .await?
            .into_iter()
            .map(|row| (row.participant_id, Unit(row.unit.unsigned_abs())))
            .collect();
        let mut new: Vec<Uuid> = women.iter().copied().filter(|woman| !known.contains_key(woman)).collect();
        new.sort_unstable();
        new.dedup();
        new.shuffle(&mut StdRng::from_os_rng());
        let before = counter.as_ref().map_or(0, |row| row.given.unsigned_abs());
        let given = before + new.len() as u32;
        let rows: Vec<release_unit::Model> = (before..)
            .zip(&new)
            .map(|(unit, woman)| release_unit::Model {
                organization_id: own,
                participant_id: *woman,
                unit: unit.cast_signed(),
            })
            .collect();
        known.extend((before..).zip(&new).map(|(unit, woman)| (*woman, Unit(unit))));
        self.put::<release_unit::Entity>(rows).await?;
        self.count_units(counter.is_some(), given).await?;
        let of = women.iter().filter_map(|woman| Some((*woman, *known.get(woman)?))).collect();
        Ok(Units { of, given })
    }

    #[expect(clippy::disallowed_methods, reason = "the row of the viewer's own organisation")]
    async fn count_units(&self, is_there: bool, given: u32) -> Result<()> {
        let own = self.access.own()?;
        let given = given.cast_signed();
        if is_there {
            release_units::Entity::update_many()
                .set(release_units::ActiveModel { given: Set(given), ..Default::default() })
                .filter(release_units::Column::OrganizationId.eq(own))
                .exec(&self.tx)
                .await?;
        } else {
            release_units::ActiveModel { organization_id: Set(own), given: Set(given) }
                .insert(&self.tx)
                .await?;
        }
        Ok(())
    }
}
