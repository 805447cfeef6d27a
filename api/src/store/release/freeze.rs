//! Freezing: one transaction reads who took part and what was said in a period, and keeps it under numbers.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::Days;
use disclosure::{History, Known, Parameters, Period, UnitSet, VariableCode};
use entity::{
    indicator, release, release_data,
    value::{IndicatorKind, OrganizationKeyKind, ReleaseStatus},
};
use sea_orm::{ActiveModelTrait, Set};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    data::{Frozen, Part},
    gather::Gathered,
    measure::{Measuring, variable_code},
    period::{Quarter, span},
    units::Units,
};
use crate::{
    auth::Right,
    id,
    store::{
        Access,
        audit::heads::hex,
        input::{Faults, LocalizedInput, Message, Once, UserErrorCode, Written, or_default},
        record::KeyHold,
        write::{Seen, Trace, Write},
    },
    vault::DataKey,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FreezeRelease {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub title: LocalizedInput,
    pub period: Quarter,
    /// A published release of the same period, whose errors this one corrects.
    #[serde(default, deserialize_with = "id::optional::<_, {id::RELEASE}>")]
    pub corrects: Option<Uuid>,
    #[serde(default, deserialize_with = "or_default")]
    pub partners_know: Vec<PartnerKnows>,
}

/// That a partner holds the records of the women in some programs (DISCLOSURE 3.7, ruling 8).
#[derive(Deserialize)]
pub struct PartnerKnows {
    #[serde(deserialize_with = "id::single::<_, {id::ORGANIZATION}>")]
    pub partner: Uuid,
    #[serde(deserialize_with = "id::many")]
    pub programs: Vec<Uuid>,
}

impl Access {
    /// Freezes the data of a period for a release.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend: the period and its delay are not over,
    /// another release is being worked on, or nothing of the period is left to release.
    pub async fn freeze_release(&self, input: FreezeRelease) -> Written<Option<Uuid>> {
        self.require(Right::ReleasePrepare)?;
        let own = self.own()?;
        let mut faults = Faults::default();
        let title = faults.localized(&input.title, &["title"], 200);
        let period = input.period.period();
        faults.check(period.is_some(), UserErrorCode::Invalid, &["period"], NO_PERIOD);
        let period = period.unwrap_or(Period::Year { year: input.period.year });
        let days = span(period);
        let delay = Days::new(Parameters::default().delay_days.into());
        let is_over = days.end.checked_add_days(delay).is_some_and(|day| day <= self.today());
        faults.check(is_over, UserErrorCode::PeriodLocked, &["period"], TOO_EARLY);
        let corrected = input.corrects.map(|id| self.release(id).filter(|of| of.row.organization_id == own));
        let fits = corrected.is_none_or(|of| {
            of.is_some_and(|of| {
                of.row.status == ReleaseStatus::Published
                    && of.superseded_by.is_none()
                    && (of.row.starts_on, of.row.ends_on) == (days.start, days.end)
            })
        });
        faults.check(fits, UserErrorCode::Invalid, &["corrects"], NOT_CORRECTED);
        faults.refuse()?;
        let corrects = corrected.flatten().and_then(|of| of.row.number).map(i32::unsigned_abs);
        let key = self.needed_key(OrganizationKeyKind::Release).await?;

        // It can take a while, so it is read before anything is held that others wait for.
        let is_year = matches!(period, Period::Year { .. });
        let moment = self.one_moment().await?;
        let mut gathered = self.gather(&moment.tx, days, is_year).await?;
        moment.discard().await?;

        let write = self.write().await?;
        write.hold_keys(KeyHold::Stay).await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let is_open = |of: &&crate::store::outcome::Release| {
            of.row.organization_id == own && of.published.is_none() && of.row.discarded_at.is_none()
        };
        let mut faults = Faults::default();
        faults.check(!self.releases().any(|of| is_open(&of)), UserErrorCode::Conflict, &["period"], ANOTHER);
        faults.refuse()?;
        let history = self.history(&write.tx, &key).await?;
        // Who has withdrawn since is not counted.
        let agree: HashSet<Uuid> = self.who_agree(&write.tx).await?.into_iter().collect();
        gathered.women.retain(|woman| agree.contains(woman));
        let ready = |ends_on: chrono::NaiveDate| {
            ends_on.checked_add_days(delay).is_some_and(|day| day <= self.today())
        };
        gathered.rounds.retain(|round| ready(round.row.ends_on));
        let units = write.units(&gathered.women).await?;
        let indicators = self.to_measure(period, corrects, &history, &gathered);
        let known = self.known(&input.partners_know, &gathered, &units, &indicators, days)?;
        let measuring = Measuring {
            catalog: &self.catalog,
            organization: own,
            period,
            indicators: &indicators,
            gathered: &gathered,
            units: &units,
            known,
        };
        let snapshot = measuring.snapshot();
        let mut faults = Faults::default();
        faults.check(!snapshot.rounds.is_empty(), UserErrorCode::Invalid, &["period"], NOTHING);
        faults.refuse()?;
        let file = self.skeleton(&measuring, &snapshot, id, &title, corrects)?;
        let frozen = Frozen { registry: measuring.registry(), snapshot, file, corrects };
        let women = gathered.women.clone();
        let row = release::ActiveModel {
            organization_id: Set(own),
            id: Set(id),
            title: Set(title),
            starts_on: Set(days.start),
            ends_on: Set(days.end),
            status: Set(ReleaseStatus::Draft),
            corrects_id: Set(input.corrects),
            version: Set(1),
            frozen_at: Set(self.now),
            frozen_by: Set(self.viewer.account()),
            prepared: Set(0),
            to_prepare: Set(0),
            ..Default::default()
        };
        row.insert(&write.tx).await?;
        self.keep_frozen(&write, &key, id, frozen).await?;
        write.finish_about(women, Trace::of("FREEZE", "release"), (id, 1), input.validate_only).await
    }

    /// Approved indicators that can be measured: all that were not released of this period yet, and for a correction all
    /// that the wrong release measured.
    fn to_measure(
        &self,
        period: Period,
        corrects: Option<u32>,
        history: &History,
        gathered: &Gathered,
    ) -> Vec<&indicator::Model> {
        let is_year = matches!(period, Period::Year { .. });
        let wrong = corrects.and_then(|number| history.records.iter().find(|record| record.number == number));
        let mut rows: Vec<_> = self
            .own_indicators()
            .filter(|row| row.approved_at.is_some())
            .filter(|row| is_year || row.kind == IndicatorKind::Count)
            .filter(|row| {
                let code = variable_code(row);
                match wrong {
                    Some(record) => record.measurements.iter().any(|of| of.variable == code),
                    None => row.archived_at.is_none() && !is_released(history, period, row, gathered),
                }
            })
            .collect();
        rows.sort_by_key(|row| (row.section.map_or(99, |of| of as u8), row.position, row.code.clone()));
        rows
    }

    /// Whose values partners know. What published testimonies reveal is added to it.
    fn known(
        &self,
        partners: &[PartnerKnows],
        gathered: &Gathered,
        units: &Units,
        indicators: &[&indicator::Model],
        days: crate::sealed::Span,
    ) -> Written<BTreeMap<VariableCode, Known>> {
        let mut faults = Faults::default();
        let mut sets: BTreeMap<Uuid, UnitSet> = BTreeMap::new();
        for (place, knows) in partners.iter().enumerate() {
            let place = place.to_string();
            let is_there = self.catalog.organizations.get(knows.partner).is_some();
            faults.check(is_there, UserErrorCode::NotFound, &["partnersKnow", &place, "partner"], NO_PARTNER);
            let own = self.viewer.organization();
            let is_own = |id: &Uuid| {
                self.catalog.programs.get(*id).is_some_and(|of| Some(of.row.organization_id) == own)
            };
            // What a partner knows must not be left out because its name was mistaken.
            let all = !knows.programs.is_empty() && knows.programs.iter().all(is_own);
            faults.check(all, UserErrorCode::NotFound, &["partnersKnow", &place, "programs"], NO_PROGRAM);
            let programs: BTreeSet<Uuid> = knows.programs.iter().copied().collect();
            let hers = |woman: &&Uuid| {
                !gathered.programs(**woman, Some(days)).is_disjoint(&programs.iter().copied().collect())
            };
            let women = gathered.women.iter().filter(hers).filter_map(|woman| units.of(*woman));
            let set: UnitSet = women.collect();
            let before = sets.entry(knows.partner).or_default();
            *before = before.or(&set);
        }
        faults.refuse()?;
        let partners: Vec<UnitSet> = sets.into_values().collect();
        let known = Known { published: UnitSet::new(), partners };
        Ok(indicators.iter().map(|row| (variable_code(row), known.clone())).collect())
    }

    async fn keep_frozen(&self, write: &Write<'_>, key: &DataKey, id: Uuid, frozen: Frozen) -> Written<()> {
        let own = self.own()?;
        let digest = serde_json::to_vec(&frozen.snapshot)
            .map(|bytes| hex(&Sha256::digest(bytes)))
            .map_err(|fault| crate::error::Error::Internal(fault.to_string()))?;
        let row = release_data::Model {
            organization_id: own,
            release_id: id,
            snapshot: Some(Part::Snapshot.seal(key, own, id, &frozen)?),
            snapshot_digest: digest,
            record: None,
            report: None,
            draft: None,
        };
        Ok(write.put::<release_data::Entity>(vec![row]).await?)
    }
}

/// Whether an indicator was released of this period before, or its round was.
fn is_released(history: &History, period: Period, row: &indicator::Model, gathered: &Gathered) -> bool {
    let code = variable_code(row);
    history.records.iter().any(|record| {
        record.measurements.iter().any(|of| {
            let is_survey = gathered.rounds.iter().any(|round| round.row.code == of.round.0);
            of.variable == code && (record.period == period || is_survey)
        })
    })
}

const NO_PERIOD: Message = Message { en: "There is no such quarter.", es: "No existe ese trimestre." };
const TOO_EARLY: Message = Message {
    en: "A period is released 60 days after its end at the earliest, so that nobody can match what happened.",
    es: "Un periodo se publica a partir de 60 días después de su fin, para que nadie pueda reconocer lo que pasó.",
};
const NOT_CORRECTED: Message = Message {
    en: "This is no published release of the same period, or it was corrected already.",
    es: "No es una publicación vigente del mismo periodo, o ya fue corregida.",
};
const ANOTHER: Message = Message {
    en: "Another release is being worked on. Publish or discard it first.",
    es: "Hay otra publicación en curso. Publíquela o descártela primero.",
};
const NOTHING: Message = Message {
    en: "Nothing of this period is left to release: no approved indicator can be measured that was not released before.",
    es: "No queda nada por publicar de este periodo: ningún indicador aprobado se puede medir que no se haya publicado antes.",
};
const NO_PROGRAM: Message = Message {
    en: "Name programs of your organisation, at least one.",
    es: "Indique programas de su organización, al menos uno.",
};
const NO_PARTNER: Message =
    Message { en: "There is no such organisation.", es: "No existe esa organización." };
