//! Deliveries to women who are named: records rows, always.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use entity::{custody_stay, distribution, distribution_recipient, participant};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde_json::json;
use uuid::Uuid;

use super::{among, record::RecordDistribution};
use crate::{
    auth::Right,
    error::Result,
    store::{
        Access, Scoped,
        input::{Faults, Message, UserError, UserErrorCode, Written},
        participant::{
            Found, Wanted,
            scope::{ids, in_scope, looked_after},
        },
        write::{Trace, Write},
    },
};

/// The most women whom one delivery names.
const MOST: usize = 500;

/// Women are seen by who reads their records; the delivery itself is looked for before.
impl Scoped for distribution_recipient::Entity {
    fn visible_to(access: &Access) -> Condition {
        use distribution_recipient::Column;
        Condition::all()
            .add(Column::OrganizationId.eq(access.viewer.organization()))
            .add(Column::ParticipantId.in_subquery(ids(in_scope(access))))
    }
}

impl Access {
    /// Checks that as many women are named as were reached, each once.
    pub(super) fn check_named(&self, faults: &mut Faults, input: &RecordDistribution) -> Result<()> {
        if input.recipients.is_empty() {
            return Ok(());
        }
        self.require(Right::ParticipantRead)?;
        self.purpose()?;
        let different: HashSet<&Uuid> = input.recipients.iter().collect();
        let each_once = different.len() == input.recipients.len() && different.len() <= MOST;
        faults.check(each_once, UserErrorCode::Invalid, &["recipients"], EACH_ONCE);
        let all = usize::try_from(input.people_reached).is_ok_and(|people| people == input.recipients.len());
        faults.check(all, UserErrorCode::Invalid, &["peopleReached"], AS_MANY);
        Ok(())
    }

    /// Names the women of a delivery that has just been written. Each is at its facility on its day.
    #[expect(
        clippy::disallowed_methods,
        reason = "rows of the viewer's own organisation, of women found in scope"
    )]
    pub(super) async fn name(
        &self,
        write: &Write<'_>,
        of: &distribution::Model,
        women: &[Uuid],
    ) -> Written<()> {
        let there = self.there_on(write, of.facility_id, of.occurred_on, women).await?;
        let mut faults = Faults::default();
        for (place, woman) in women.iter().enumerate() {
            let known = there.contains(woman);
            faults.check(known, UserErrorCode::NotFound, &["recipients", &place.to_string()], NOT_THERE);
        }
        faults.refuse()?;
        let rows = women.iter().map(|woman| distribution_recipient::ActiveModel {
            organization_id: Set(of.organization_id),
            distribution_id: Set(of.id),
            participant_id: Set(*woman),
        });
        distribution_recipient::Entity::insert_many(rows).exec_without_returning(&write.tx).await?;
        let trace = Trace { action: "NAME", entity: "distribution", detail: json!({ "women": women.len() }) };
        Ok(write.audit_about(women.to_vec(), trace, of.id, Some(1)).await?)
    }

    /// Of these women those whom the viewer looks after and who were at a facility on a day.
    async fn there_on(
        &self,
        write: &Write<'_>,
        facility: Uuid,
        day: NaiveDate,
        women: &[Uuid],
    ) -> Result<HashSet<Uuid>> {
        use custody_stay::Column;
        let there: Vec<Uuid> = self
            .select::<custody_stay::Entity>()
            .select_only()
            .column(Column::ParticipantId)
            .filter(Column::ParticipantId.in_subquery(ids(looked_after(self))))
            .filter(among(Column::ParticipantId, women.iter().copied()))
            .filter(Column::FacilityId.eq(facility))
            .filter(Column::StartsOn.lte(day))
            .filter(Condition::any().add(Column::EndsOn.is_null()).add(Column::EndsOn.gte(day)))
            .into_tuple()
            .all(&write.tx)
            .await?;
        let known: Vec<Uuid> = self
            .select::<participant::Entity>()
            .select_only()
            .column(participant::Column::Id)
            .filter(among(participant::Column::Id, there))
            .filter(participant::Column::ErasedAt.is_null())
            // In one order, and held: none is merged into another meanwhile.
            .filter(participant::Column::MergedInto.is_null())
            .order_by_asc(participant::Column::Id)
            .lock_shared()
            .into_tuple()
            .all(&write.tx)
            .await?;
        Ok(known.into_iter().collect())
    }

    /// A delivery that names women is not corrected in what would make these others.
    #[expect(
        clippy::disallowed_methods,
        reason = "how many there are, of a delivery that was found in scope"
    )]
    pub(super) async fn check_unnamed(&self, write: &Write<'_>, of: &distribution::Model) -> Written<()> {
        use distribution_recipient::Column;
        let named = distribution_recipient::Entity::find()
            .filter(Column::OrganizationId.eq(of.organization_id))
            .filter(Column::DistributionId.eq(of.id))
            .count(&write.tx)
            .await?;
        if named == 0 {
            return Ok(());
        }
        Err(UserError::new(UserErrorCode::Invalid, &["id"], NAMES_ITS_WOMEN).into())
    }

    /// The women whom deliveries name, as far as the viewer reads their records; none of a delivery that names nobody.
    pub(in crate::store) async fn recipients(
        &self,
        deliveries: &[Uuid],
        wanted: &Wanted,
    ) -> Result<HashMap<Uuid, Found>> {
        use distribution_recipient::Column;
        let reading = self.reading().await?;
        let rows = self
            .select::<distribution_recipient::Entity>()
            .filter(among(Column::DistributionId, deliveries.iter().copied()))
            .all(reading.tx())
            .await?;
        let women: Vec<Uuid> = rows.iter().map(|row| row.participant_id).collect();
        let known = self.participants_in(reading.tx(), &women, wanted).await?;
        let mut found: HashMap<Uuid, Vec<_>> = deliveries.iter().map(|id| (*id, Vec::new())).collect();
        for row in &rows {
            // Whoever was named under both of her records is one woman.
            if let Some(woman) = known.get(&row.participant_id).filter(|woman| woman.merged_into.is_none()) {
                found.entry(row.distribution_id).or_default().push(woman.clone());
            }
        }
        for women in found.values_mut() {
            women.sort_by(|a, b| a.code.cmp(&b.code));
        }
        let found = found.into_iter().map(|(id, women)| (id, Found::Recipients(women))).collect();
        reading.end("distribution_recipient", &wanted.fields, women, found).await
    }
}

const EACH_ONCE: Message = Message {
    en: "Name each woman once, and at most 500.",
    es: "Nombre a cada mujer una vez, y como máximo a 500.",
};
const AS_MANY: Message = Message {
    en: "As many women were reached as are named.",
    es: "Las mujeres alcanzadas deben ser tantas como las nombradas.",
};
const NOT_THERE: Message = Message {
    en: "There is no such woman at the facility on that day.",
    es: "No hay tal mujer en el centro ese día.",
};
const NAMES_ITS_WOMEN: Message = Message {
    en: "This delivery names its women. Void it and record it anew.",
    es: "Esta entrega nombra a sus mujeres. Anúlela y regístrela de nuevo.",
};
