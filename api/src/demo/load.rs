//! Writing the demonstration data set into a database, once.

use std::sync::Arc;

use entity::{distribution, value::DistributionStatus};

use super::{Dataset, Delivery, Operations, registry};
use crate::{
    error::{Error, Result},
    store::{Store, bulk::Bulk, shipment::Shipment},
};

/// What to load.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub seed: u64,
    /// 1 is about 2,000 deliveries over five years, 100 about 200,000.
    pub scale: u32,
}

/// Loads the data set into a database that has none yet. `progress` is told how many deliveries are done, of
/// how many.
///
/// # Errors
/// When the database is out of reach, or holds another data set.
pub async fn load(store: &Arc<Store>, size: Size, mut progress: impl FnMut(u64, u64)) -> Result<u64> {
    if store.catalog().await?.organizations.iter().next().is_some() {
        let message = "the database is not empty; demonstration data need one of their own";
        return Err(Error::Internal(message.into()));
    }
    let now = store.clock.now();
    let facts = |fault: super::FactsError| Error::Internal(fault.to_string());
    let dataset = registry(now, size.scale).map_err(facts)?;
    let operations = Operations::new(&dataset, size.seed, size.scale, now.date_naive()).map_err(facts)?;
    let all = operations.len();
    let bulk = store.bulk().await?;
    insert_registry(&bulk, dataset).await?;
    let mut done = 0;
    progress(0, all);
    for chunk in operations {
        done += insert_deliveries(&bulk, chunk).await?;
        progress(done, all);
    }
    bulk.mark_demo().await?;
    bulk.commit().await?;
    Ok(done)
}

async fn insert_deliveries(bulk: &Bulk, chunk: Vec<Delivery>) -> Result<u64> {
    let (rows, lines): (Vec<_>, Vec<_>) = chunk.into_iter().unzip();
    let count = rows.len() as u64;
    let sent = rows.iter().zip(&lines).filter(|(row, _)| row.status == DistributionStatus::Dispatched);
    let shipment = |(row, lines): (&distribution::Model, &Vec<_>)| {
        Shipment::of(lines, row.occurred_on, (row.recorded_at, row.recorded_by))
    };
    let sent = sent.filter_map(shipment).map(|shipment| (shipment.row, shipment.lines));
    let (shipments, sent): (Vec<_>, Vec<_>) = sent.unzip();
    bulk.insert::<entity::distribution::Entity>(rows).await?;
    bulk.insert::<entity::distribution_line::Entity>(lines.into_iter().flatten().collect()).await?;
    bulk.insert::<entity::shipment::Entity>(shipments).await?;
    bulk.insert::<entity::shipment_line::Entity>(sent.into_iter().flatten().collect()).await?;
    Ok(count)
}

/// In the order of the foreign keys.
async fn insert_registry(bulk: &Bulk, data: Dataset) -> Result<()> {
    use entity as e;
    bulk.insert::<e::region::Entity>(data.regions).await?;
    bulk.insert::<e::technique::Entity>(data.techniques).await?;
    bulk.insert::<e::organization::Entity>(data.organizations).await?;
    bulk.insert::<e::statement::Entity>(data.statements).await?;
    bulk.insert::<e::claim::Entity>(data.claims).await?;
    bulk.insert::<e::facility::Entity>(data.facilities).await?;
    bulk.insert::<e::presence::Entity>(data.presences).await?;
    bulk.insert::<e::program::Entity>(data.programs).await?;
    bulk.insert::<e::program_site::Entity>(data.program_sites).await?;
    bulk.insert::<e::item::Entity>(data.items).await?;
    bulk.insert::<e::kit::Entity>(data.kits).await?;
    bulk.insert::<e::kit_version::Entity>(data.kit_versions).await?;
    bulk.insert::<e::kit_line::Entity>(data.kit_lines).await?;
    bulk.insert::<e::agreement::Entity>(data.agreements).await?;
    bulk.insert::<e::agreement_party::Entity>(data.agreement_parties).await?;
    bulk.insert::<e::agreement_facility::Entity>(data.agreement_facilities).await?;
    bulk.insert::<e::agreement_program::Entity>(data.agreement_programs).await?;
    bulk.insert::<e::award::Entity>(data.awards).await?;
    bulk.insert::<e::award_program::Entity>(data.award_programs).await?;
    bulk.insert::<e::gift::Entity>(data.gifts).await?;
    bulk.insert::<e::gift_program::Entity>(data.gift_programs).await?;
    bulk.insert::<e::gift_line::Entity>(data.gift_lines).await?;
    bulk.insert::<e::account::Entity>(data.accounts).await?;
    bulk.insert::<e::identity::Entity>(data.identities).await?;
    bulk.insert::<e::membership::Entity>(data.memberships).await?;
    bulk.insert::<e::membership_facility::Entity>(data.membership_facilities).await?;
    Ok(())
}
