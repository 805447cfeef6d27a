//! Products, and who has made how many of them.

use std::collections::HashSet;

use chrono::NaiveDate;
use entity::{product, production_batch, production_maker};
use sea_orm::{ColumnTrait, Condition, QueryFilter};
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    auth::Right,
    id,
    store::{
        Access, Scoped,
        distribution::When,
        input::{Faults, LocalizedInput, Message, Once, UserError, UserErrorCode, Written, or_default},
        write::{Seen, Trace, taken},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateProduct {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    pub code: String,
    pub name: LocalizedInput,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordProduction {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::PRODUCT}>")]
    pub product: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::PROGRAM}>")]
    pub program: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::FACILITY}>")]
    pub facility: Uuid,
    pub made_on: NaiveDate,
    pub quantity: i32,
    #[serde(default, deserialize_with = "or_default")]
    pub rejected: i32,
    pub makers: Vec<MakerInput>,
}

/// A woman and her part of the work.
#[derive(Clone, Debug, Deserialize)]
pub struct MakerInput {
    #[serde(deserialize_with = "id::single::<_, {id::PARTICIPANT}>")]
    pub participant: Uuid,
    #[serde(default)]
    pub parts: Option<i32>,
}

impl Scoped for product::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(product::Column::OrganizationId, Right::ProductionRead)
    }
}

impl Scoped for production_batch::Entity {
    fn visible_to(access: &Access) -> Condition {
        access
            .own_rows(production_batch::Column::OrganizationId, Right::ProductionRead)
            .add(access.within_cut(production_batch::Column::FacilityId))
    }
}

/// Of a batch that the viewer reaches, the makers whom the viewer may reach.
impl Scoped for production_maker::Entity {
    fn visible_to(access: &Access) -> Condition {
        access
            .own_rows(production_maker::Column::OrganizationId, Right::ProductionRead)
            .add(access.of_women(production_maker::Column::ParticipantId))
    }
}

impl Access {
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn create_product(&self, input: CreateProduct) -> Written<Option<Uuid>> {
        self.require(Right::ProductWrite)?;
        let write = self.write_relying().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        faults.text(&input.code, &["code"], 40);
        let name = faults.localized(&input.name, &["name"], 200);
        faults.refuse()?;
        let row = product::Model {
            organization_id: self.own()?,
            id,
            code: input.code.trim().to_owned(),
            name,
            version: 1,
            recorded_at: self.now,
        };
        write.put::<product::Entity>(vec![row]).await.map_err(taken("code"))?;
        write.finish_create("product", id, input.validate_only).await
    }

    /// # Errors
    /// `NotPermitted` without the right; `PurposeNeeded`; user errors for what a client can mend.
    pub async fn record_production(&self, input: RecordProduction) -> Written<Option<Uuid>> {
        self.require(Right::ProductionRecord)?;
        self.purpose()?;
        let write = self.write_relying().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        self.check_place(&mut faults, input.facility, input.program, input.made_on, When::TookPlace);
        faults.rename(&["occurredOn"], "madeOn");
        let fine = (1..=1_000_000).contains(&input.quantity);
        faults.check(fine, UserErrorCode::OutOfRange, &["quantity"], BAD_QUANTITY);
        let rejected = (0..=input.quantity).contains(&input.rejected);
        faults.check(rejected, UserErrorCode::OutOfRange, &["rejected"], BAD_QUANTITY);
        let some = (1..=100).contains(&input.makers.len());
        faults.check(some, UserErrorCode::Invalid, &["makers"], NO_MAKERS);
        let mut seen = HashSet::new();
        for (place, maker) in input.makers.iter().enumerate() {
            let place = place.to_string();
            let once = seen.insert(maker.participant);
            faults.check(once, UserErrorCode::Duplicate, &["makers", &place, "participant"], TWICE);
            let parts = (1..=10_000).contains(&maker.parts.unwrap_or(1));
            let field = ["makers", &place, "parts"];
            faults.check(parts, UserErrorCode::OutOfRange, &field, super::workshop::BAD_NUMBER);
        }
        let product = self.select::<product::Entity>().filter(product::Column::Id.eq(input.product));
        let known = product.one(&write.tx).await?.is_some();
        faults.check(known, UserErrorCode::NotFound, &["product"], NO_PRODUCT);
        faults.refuse()?;
        // In one order, so that two who name the same women do not wait for each other.
        let mut makers: Vec<(usize, &MakerInput)> = input.makers.iter().enumerate().collect();
        makers.sort_by_key(|(_, maker)| maker.participant);
        for (place, maker) in makers {
            let place = place.to_string();
            self.hold_woman(&write, maker.participant, &["makers", &place, "participant"]).await?;
        }
        let own = self.own()?;
        let row = production_batch::Model {
            organization_id: own,
            id,
            product_id: input.product,
            program_id: input.program,
            facility_id: input.facility,
            made_on: input.made_on,
            quantity: input.quantity,
            rejected: input.rejected,
            payout_run_id: None,
            recorded_at: self.now,
            recorded_by: self.viewer.account(),
        };
        write.put::<production_batch::Entity>(vec![row]).await?;
        let maker = |maker: &MakerInput| production_maker::Model {
            organization_id: own,
            batch_id: id,
            participant_id: maker.participant,
            parts: maker.parts.unwrap_or(1),
        };
        write.put::<production_maker::Entity>(input.makers.iter().map(maker).collect()).await?;
        let women = input.makers.iter().map(|maker| maker.participant).collect();
        let trace = Trace::of("CREATE", "production_batch");
        write.finish_about(women, trace, (id, 1), input.validate_only).await
    }

    pub(super) async fn check_product(
        &self,
        write: &crate::store::write::Write<'_>,
        product: Uuid,
    ) -> Written<()> {
        let rows = self.select::<product::Entity>().filter(product::Column::Id.eq(product));
        match rows.one(&write.tx).await? {
            Some(_) => Ok(()),
            None => Err(UserError::new(UserErrorCode::NotFound, &["product"], NO_PRODUCT).into()),
        }
    }
}

pub(in crate::store) const NO_PRODUCT: Message =
    Message { en: "There is no such product.", es: "No existe ese producto." };
pub(super) const BAD_QUANTITY: Message =
    Message { en: "The number of pieces is out of range.", es: "El número de piezas está fuera de rango." };
const NO_MAKERS: Message =
    Message { en: "Name 1 to 100 women who made it.", es: "Indique de 1 a 100 mujeres que lo hicieron." };
const TWICE: Message = Message { en: "She is named twice.", es: "Aparece dos veces." };
