//! Places of stock, adequacy norms, populations of facilities, and what facilities let in.

use chrono::NaiveDate;
use entity::{adequacy_norm, facility_population, item_permission, stock_place, value::StockPlaceKind};
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde::Deserialize;
use uuid::Uuid;

use super::Goods;
use crate::{
    auth::Right,
    id,
    store::{
        Access,
        distribution::CheckedLine,
        facility::NO_FACILITY,
        input::{FUTURE, Faults, Message, Once, UserErrorCode, Written, or_default},
        kit::BAD_QUANTITY,
        write::{Seen, taken},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateStockPlace {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub kind: StockPlaceKind,
    pub name: String,
    #[serde(default, deserialize_with = "id::optional::<_, {id::FACILITY}>")]
    pub facility: Option<Uuid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetAdequacyNorm {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::ITEM}>")]
    pub item: Uuid,
    pub source: String,
    pub edition: String,
    pub quantity: i32,
    pub months: i32,
    pub valid_from: NaiveDate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordFacilityPopulation {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::FACILITY}>")]
    pub facility: Uuid,
    pub counted_on: NaiveDate,
    pub women: i32,
    pub source: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetItemPermission {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::FACILITY}>")]
    pub facility: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::ITEM}>")]
    pub item: Uuid,
    pub permitted: bool,
    pub since: NaiveDate,
    pub source: String,
}

impl Access {
    /// A norm of the viewer's organisation.
    pub fn adequacy_norm(&self, id: Uuid) -> Option<&adequacy_norm::Model> {
        self.catalog.adequacy_norms.get(id).filter(|row| self.reads_stock_of(row.organization_id))
    }

    /// A dated population, as the viewer's organisation has recorded it; for staff.
    pub fn facility_population(&self, id: Uuid) -> Option<&facility_population::Model> {
        let row = self.catalog.facility_populations.get(id)?;
        let inside = self.viewer.facilities().is_none_or(|cut| cut.contains(&row.facility_id));
        (inside && self.reads_stock_of(row.organization_id) && !self.hides(row.facility_id)).then_some(row)
    }

    /// What a facility lets in, as the viewer's organisation has recorded it; for staff.
    pub fn item_permission(&self, id: Uuid) -> Option<&item_permission::Model> {
        let row = self.catalog.item_permissions.get(id)?;
        (self.reads_stock_of(row.organization_id) && !self.hides(row.facility_id)).then_some(row)
    }

    /// Whether the viewer reads the stock of an organisation. The program itself does, of the one that it was told.
    pub(super) fn reads_stock_of(&self, organization: Uuid) -> bool {
        (self.viewer.role().is_none() || self.viewer.has(Right::StockRead))
            && self.viewer.is_staff_of(organization)
    }

    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_stock_place(&self, input: CreateStockPlace) -> Written<Option<Uuid>> {
        self.require(Right::StockSetUp)?;
        let own = self.own()?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        faults.short_text(&input.name, &["name"]);
        let needs = input.kind == StockPlaceKind::FacilityStore;
        faults.check(needs == input.facility.is_some(), UserErrorCode::Invalid, &["facility"], STORE_OF);
        if let Some(facility) = input.facility {
            faults.check(
                self.facility(facility).is_some(),
                UserErrorCode::NotFound,
                &["facility"],
                NO_FACILITY,
            );
        }
        faults.refuse()?;
        let row = stock_place::Model {
            organization_id: own,
            id,
            kind: input.kind,
            facility_id: input.facility,
            name: input.name.trim().to_owned(),
            version: 1,
            recorded_at: self.now,
            archived_at: None,
        };
        row.into_active_model().reset_all().insert(&write.tx).await.map_err(taken("name"))?;
        write.finish_create("stock_place", id, input.validate_only).await
    }

    /// What a woman needs of an item, from a day on. Norms that were in force stay.
    pub async fn set_adequacy_norm(&self, input: SetAdequacyNorm) -> Written<Option<Uuid>> {
        self.require(Right::StockSetUp)?;
        let own = self.own()?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        faults.check(self.item(input.item).is_some(), UserErrorCode::NotFound, &["item"], NO_ITEM);
        faults.short_text(&input.source, &["source"]);
        faults.short_text(&input.edition, &["edition"]);
        let fits = (1..=1_000_000).contains(&input.quantity);
        faults.check(fits, UserErrorCode::OutOfRange, &["quantity"], BAD_QUANTITY);
        faults.check((1..=120).contains(&input.months), UserErrorCode::OutOfRange, &["months"], BAD_QUANTITY);
        faults.refuse()?;
        let row = adequacy_norm::Model {
            organization_id: own,
            id,
            item_id: input.item,
            source: input.source,
            edition: input.edition,
            quantity: input.quantity,
            months: input.months,
            valid_from: input.valid_from,
            recorded_at: self.now,
        };
        row.into_active_model().reset_all().insert(&write.tx).await.map_err(taken("validFrom"))?;
        write.finish_create("adequacy_norm", id, input.validate_only).await
    }

    /// How many women a facility held on a day, and who says so.
    pub async fn record_facility_population(&self, input: RecordFacilityPopulation) -> Written<Option<Uuid>> {
        self.require(Right::StockSetUp)?;
        let own = self.own()?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        faults.check(
            self.facility(input.facility).is_some(),
            UserErrorCode::NotFound,
            &["facility"],
            NO_FACILITY,
        );
        faults.check(input.counted_on <= self.today(), UserErrorCode::OutOfRange, &["countedOn"], FUTURE);
        faults.check(
            (0..=100_000).contains(&input.women),
            UserErrorCode::OutOfRange,
            &["women"],
            BAD_QUANTITY,
        );
        faults.short_text(&input.source, &["source"]);
        faults.refuse()?;
        let row = facility_population::Model {
            organization_id: own,
            id,
            facility_id: input.facility,
            counted_on: input.counted_on,
            women: input.women,
            source: input.source,
            recorded_at: self.now,
        };
        row.into_active_model().reset_all().insert(&write.tx).await.map_err(taken("countedOn"))?;
        write.finish_create("facility_population", id, input.validate_only).await
    }

    /// Whether a facility lets an item in, from a day on; the newest word before a day decides on it.
    pub async fn set_item_permission(&self, input: SetItemPermission) -> Written<Option<Uuid>> {
        self.require(Right::StockSetUp)?;
        let own = self.own()?;
        let write = self.write().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        faults.check(
            self.facility(input.facility).is_some(),
            UserErrorCode::NotFound,
            &["facility"],
            NO_FACILITY,
        );
        faults.check(self.item(input.item).is_some(), UserErrorCode::NotFound, &["item"], NO_ITEM);
        faults.short_text(&input.source, &["source"]);
        faults.refuse()?;
        let row = item_permission::Model {
            organization_id: own,
            id,
            facility_id: input.facility,
            item_id: input.item,
            permitted: input.permitted,
            since: input.since,
            source: input.source,
            recorded_at: self.now,
        };
        row.into_active_model().reset_all().insert(&write.tx).await.map_err(taken("since"))?;
        write.finish_create("item_permission", id, input.validate_only).await
    }

    /// Refuses lines with what a facility does not let in on a day, inside kits as well.
    pub(in crate::store) fn check_permitted(
        &self,
        faults: &mut Faults,
        facility: Uuid,
        day: NaiveDate,
        lines: &[CheckedLine],
    ) {
        for (place, line) in lines.iter().enumerate() {
            let goods = Goods::new(line.item_id, line.kit_id, line.kit_version);
            let path = ["lines".to_owned(), place.to_string(), "supplied".to_owned()];
            self.check_let_in(faults, facility, day, goods, &path);
        }
    }

    pub(super) fn check_let_in(
        &self,
        faults: &mut Faults,
        facility: Uuid,
        day: NaiveDate,
        goods: Goods,
        path: &[String],
    ) {
        let own = self.viewer.organization();
        let word = |item: Uuid| {
            let words = self.catalog.item_permissions.iter().filter(move |row| {
                Some(row.organization_id) == own
                    && row.facility_id == facility
                    && row.item_id == item
                    && row.since <= day
            });
            words.max_by_key(|row| row.since).is_none_or(|row| row.permitted)
        };
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let let_in = self.catalog.contents(goods).into_iter().all(|(item, _)| word(item));
        faults.check(let_in, UserErrorCode::NotPermitted, &path, NOT_LET_IN);
    }
}

const STORE_OF: Message = Message {
    en: "A facility's store has a facility, and no other place has one.",
    es: "El depósito de un centro lleva su centro, y ningún otro lugar lo lleva.",
};
const NO_ITEM: Message = Message { en: "There is no such item.", es: "No existe ese artículo." };
const NOT_LET_IN: Message = Message {
    en: "The facility does not let this in, or something inside the kit.",
    es: "El centro no permite su ingreso, o el de algo dentro del kit.",
};
