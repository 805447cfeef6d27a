//! Sales, which are never changed, only reversed.

use chrono::NaiveDate;
use entity::{production_batch, sale, value::SaleChannel};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};
use serde::Deserialize;
use uuid::Uuid;

use super::production::BAD_QUANTITY;
use crate::{
    auth::Right,
    id,
    store::{
        Access, Scoped,
        input::{FUTURE, Faults, Message, MoneyInput, Once, UserError, UserErrorCode, Written, or_default},
        payout::currency,
        write::{Seen, Write, taken},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordSale {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::PROGRAM}>")]
    pub program: Uuid,
    #[serde(deserialize_with = "id::single::<_, {id::PRODUCT}>")]
    pub product: Uuid,
    #[serde(default, deserialize_with = "id::optional::<_, {id::PRODUCTION_BATCH}>")]
    pub batch: Option<Uuid>,
    pub channel: SaleChannel,
    pub sold_on: NaiveDate,
    pub quantity: i32,
    pub gross: MoneyInput,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReverseSale {
    #[serde(skip)]
    pub once: Once,
    #[serde(default, deserialize_with = "or_default")]
    pub validate_only: bool,
    #[serde(deserialize_with = "id::single::<_, {id::SALE}>")]
    pub sale: Uuid,
}

impl Scoped for sale::Entity {
    fn visible_to(access: &Access) -> Condition {
        access.own_rows(sale::Column::OrganizationId, Right::SaleRead)
    }
}

impl Access {
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn record_sale(&self, input: RecordSale) -> Written<Option<Uuid>> {
        self.require(Right::SaleRecord)?;
        let write = self.write_relying().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        let mut faults = Faults::default();
        self.check_program(&mut faults, input.program, (input.sold_on, "soldOn"));
        faults.check(input.sold_on <= self.today(), UserErrorCode::OutOfRange, &["soldOn"], FUTURE);
        let fine = (1..=1_000_000).contains(&input.quantity);
        faults.check(fine, UserErrorCode::OutOfRange, &["quantity"], BAD_QUANTITY);
        let gross = faults.money(&input.gross, &["gross"]);
        let known = currency::decimals(&input.gross.currency).is_some();
        faults.check(known, UserErrorCode::Invalid, &["gross", "currency"], currency::UNKNOWN);
        let most = gross <= MOST_OF_A_SALE;
        faults.check(most, UserErrorCode::OutOfRange, &["gross", "amount"], TOO_MUCH);
        faults.refuse()?;
        self.check_product(&write, input.product).await?;
        if let Some(batch) = input.batch {
            self.check_batch(&write, &input, batch).await?;
        }
        let row = sale::Model {
            organization_id: self.own()?,
            id,
            program_id: input.program,
            product_id: input.product,
            batch_id: input.batch,
            channel: input.channel,
            sold_on: input.sold_on,
            quantity: input.quantity,
            gross_minor: gross,
            currency: input.gross.currency,
            reverses_id: None,
            payout_run_id: None,
            recorded_at: self.now,
            recorded_by: self.viewer.account(),
        };
        write.put::<sale::Entity>(vec![row]).await?;
        write.finish_create("sale", id, input.validate_only).await
    }

    /// Undoes a sale by its opposite on the same day. What women were paid for it stays with them.
    ///
    /// # Errors
    /// `NotPermitted` without the right; user errors for what a client can mend.
    pub async fn reverse_sale(&self, input: ReverseSale) -> Written<Option<Uuid>> {
        self.require(Right::SaleRecord)?;
        let write = self.write_relying().await?;
        let id = match write.once(&input.once, self.new_id()).await? {
            Seen::Again(id) => return Ok(Some(id)),
            Seen::First(id) => id,
        };
        // Held, so that no run takes it meanwhile.
        let sales = self.select::<sale::Entity>().filter(sale::Column::Id.eq(input.sale));
        let before = sales.lock_exclusive().one(&write.tx).await?;
        let before = before.ok_or_else(|| UserError::not_found(&["sale"]))?;
        if before.reverses_id.is_some() {
            return Err(UserError::new(UserErrorCode::Invalid, &["sale"], IS_A_REVERSAL).into());
        }
        let row = sale::Model {
            id,
            quantity: -before.quantity,
            gross_minor: -before.gross_minor,
            reverses_id: Some(before.id),
            payout_run_id: None,
            recorded_at: self.now,
            recorded_by: self.viewer.account(),
            ..before
        };
        write.put::<sale::Entity>(vec![row]).await.map_err(taken("sale"))?;
        write.finish_create("sale", id, input.validate_only).await
    }

    /// A batch sells no more good pieces than it has.
    #[expect(clippy::disallowed_methods, reason = "a sum over sales of a batch that was reached in scope")]
    async fn check_batch(&self, write: &Write<'_>, input: &RecordSale, batch: Uuid) -> Written<()> {
        let rows = self.select::<production_batch::Entity>().filter(production_batch::Column::Id.eq(batch));
        let row = rows.lock_exclusive().one(&write.tx).await?;
        let Some(row) = row.filter(|row| row.product_id == input.product && row.program_id == input.program)
        else {
            return Err(UserError::new(UserErrorCode::NotFound, &["batch"], NO_BATCH).into());
        };
        let sold: Vec<i32> = sale::Entity::find()
            .filter(sale::Column::OrganizationId.eq(row.organization_id))
            .filter(sale::Column::BatchId.eq(batch))
            .select_only()
            .column(sale::Column::Quantity)
            .into_tuple()
            .all(&write.tx)
            .await?;
        let sold: i64 = sold.into_iter().map(i64::from).sum();
        let mut faults = Faults::default();
        let enough = sold + i64::from(input.quantity) <= i64::from(row.quantity - row.rejected);
        faults.check(enough, UserErrorCode::OutOfRange, &["quantity"], SOLD_OUT);
        let made = row.made_on <= input.sold_on;
        faults.check(made, UserErrorCode::OutOfRange, &["soldOn"], NOT_MADE_YET);
        faults.refuse()
    }
}

/// More is a typing error; and a run over many of these still fits its column.
const MOST_OF_A_SALE: i64 = 1_000_000_000_000;

const NO_BATCH: Message = Message {
    en: "There is no such batch of the product in the program.",
    es: "No existe ese lote del producto en el programa.",
};
const SOLD_OUT: Message = Message {
    en: "The batch does not have so many good pieces left.",
    es: "Al lote no le quedan tantas piezas buenas.",
};
const NOT_MADE_YET: Message =
    Message { en: "The batch was made after this day.", es: "El lote se hizo después de este día." };
const IS_A_REVERSAL: Message =
    Message { en: "A reversal is not reversed.", es: "Una reversión no se revierte." };
const TOO_MUCH: Message = Message { en: "The amount is too large.", es: "El monto es demasiado grande." };
