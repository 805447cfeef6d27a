//! The rows that an import makes, each with its trace.

use entity::{
    audit_event, distribution, distribution_line, facility, item, kit, kit_line, kit_version, program,
    program_site,
    value::{DistributionStatus, Names, OutboxKind, ProgramAreas, RowClass, Sensitivity},
};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};
use serde_json::json;
use uuid::Uuid;

use super::{Entries, New, NewKit, Plan, Stopped};
use crate::{
    import::{ItemRow, ResolvedDistribution, ResolvedFacility, ResolvedKit, ResolvedProgram},
    store::{
        Access, bulk,
        kit::new_face,
        outbox::Change,
        tied::{self, Hold},
        write::{Write, next_quarter},
    },
};

/// How many entries are written between two steps of the progress bar.
const AT_ONCE: usize = 1_000;

type Done = Result<(), Stopped>;

/// An import that is being written.
struct Import<'a> {
    access: &'a Access,
    own: Uuid,
    write: Write<'a>,
    /// SHA-256 of the file, which every trace names.
    file: &'a str,
    entries: Entries,
    traces: Vec<audit_event::Model>,
}

impl Access {
    /// Writes all of a plan in one transaction, or nothing. `progress` is told how many entries are done.
    ///
    /// # Errors
    /// When somebody else was faster, or the database is out of reach; nothing is written then.
    pub async fn import_write(
        &self,
        plan: Plan,
        file: &str,
        entries: Entries,
        mut progress: impl FnMut(usize),
    ) -> Done {
        let own = self.own()?;
        let write = self.store.bulk().await?.as_write(self);
        let mut import = Import { access: self, own, write, file, entries, traces: Vec::new() };
        let done = import.all(plan, &mut progress).await;
        let write = import.write;
        match done {
            Ok(()) => {
                write.commit().await?;
                Ok(self.store.announce().await?)
            }
            Err(stopped) => {
                write.discard().await?;
                Err(stopped)
            }
        }
    }
}

impl Import<'_> {
    async fn all(&mut self, plan: Plan, progress: &mut impl FnMut(usize)) -> Done {
        let hold = match &plan.new {
            New::Distributions(_) => Hold::Rely,
            _ => Hold::Change,
        };
        if tied::take(&self.write.tx, hold, self.own).await? != self.access.catalog.version {
            return Err(Stopped::Changed);
        }
        let mut done = 0;
        match plan.new {
            New::Distributions(rows) => {
                for chunk in rows.chunks(AT_ONCE) {
                    self.distributions(chunk).await?;
                    done += chunk.len();
                    progress(done);
                }
            }
            New::Facilities(rows) => {
                for chunk in rows.chunks(AT_ONCE) {
                    self.facilities(chunk).await?;
                    done += chunk.len();
                    progress(done);
                }
            }
            New::Programs(rows) => {
                for chunk in rows.chunks(AT_ONCE) {
                    self.programs(chunk).await?;
                    done += chunk.len();
                    progress(done);
                }
            }
            New::Items(rows) => {
                for chunk in rows.chunks(AT_ONCE) {
                    self.items(chunk).await?;
                    done += chunk.len();
                    progress(done);
                }
            }
            New::Forms(forms) => {
                for form in &forms {
                    self.access.write_form(&self.write, form, self.file).await?;
                    done += 1;
                    progress(done);
                }
            }
            New::Kits(kits) => {
                for chunk in kits.chunks(AT_ONCE) {
                    self.kits(chunk).await?;
                    done += chunk.iter().map(|kit| kit.versions.len()).sum::<usize>();
                    progress(done);
                }
            }
        }
        Ok(())
    }

    async fn distributions(&mut self, rows: &[ResolvedDistribution]) -> Done {
        let mut deliveries = Vec::with_capacity(rows.len());
        let mut lines = Vec::with_capacity(rows.len());
        for found in rows {
            let (class, shown) = found.classify();
            let id = self.trace("distribution", found.row.line);
            deliveries.push(distribution::Model {
                organization_id: self.own,
                id,
                class,
                facility_id: found.facility_id,
                program_id: found.program_id,
                occurred_on: found.row.occurred_on,
                recorded_at: self.access.now,
                status: DistributionStatus::Delivered,
                people_reached: found.row.people_reached,
                reach_method: found.row.reach_method,
                version: 1,
                recorded_by: None,
                import_key: Some(found.row.key.clone()),
                client_id: None,
                form_number: None,
                verified_at: None,
                voided_at: None,
                void_reason: None,
                void_note: None,
            });
            lines.extend(found.lines.iter().zip(shown).zip(1..).map(|((line, shown), position)| {
                distribution_line::Model {
                    organization_id: self.own,
                    distribution_id: id,
                    position,
                    class,
                    shown,
                    item_id: line.item_id,
                    kit_id: line.kit_id,
                    kit_version: line.kit_version,
                    quantity: line.quantity,
                    people_reached: line.people_reached,
                }
            }));
        }
        let told: Vec<_> = deliveries
            .iter()
            .map(|row| Change {
                kind: OutboxKind::Distribution,
                row_id: row.id,
                open: row.class == RowClass::Operations,
            })
            .collect();
        self.insert::<distribution::Entity>(deliveries).await?;
        self.insert::<distribution_line::Entity>(lines).await?;
        self.write.tell(told).await?;
        self.insert_traces().await
    }

    async fn facilities(&mut self, rows: &[ResolvedFacility]) -> Done {
        let mut entries = Vec::with_capacity(rows.len());
        for ResolvedFacility { row, country, region_iso } in rows {
            entries.push(facility::Model {
                id: self.trace("facility", row.line),
                organization_id: self.own,
                slug: row.slug.clone(),
                name: row.name.clone(),
                aliases: Names(row.aliases.clone()),
                country: country.clone(),
                region_iso: region_iso.clone(),
                municipality: row.municipality.clone(),
                kind: row.kind,
                version: 1,
                recorded_at: self.access.now,
                published_at: self.published_at(),
                archived_at: None,
                hidden_at: None,
                hidden_before: None,
            });
        }
        self.insert::<facility::Entity>(entries).await?;
        self.insert_traces().await
    }

    async fn programs(&mut self, rows: &[ResolvedProgram]) -> Done {
        let mut entries = Vec::with_capacity(rows.len());
        let mut sites = Vec::new();
        for ResolvedProgram { row, sites: at } in rows {
            let id = self.trace("program", row.line);
            // The parser refuses a program without areas.
            let Some(&area) = row.areas.first() else { continue };
            entries.push(program::Model {
                id,
                organization_id: self.own,
                slug: row.slug.clone(),
                name: row.name.clone(),
                description: row.description.clone(),
                area,
                areas: ProgramAreas(row.areas.clone()),
                techniques: Names(row.techniques.clone()),
                status: row.status,
                sensitivity: row.sensitivity,
                starts_on: row.starts_on,
                ends_on: row.ends_on,
                outside_from: self.outside_from(row.sensitivity),
                outside_face: None,
                version: 1,
                recorded_at: self.access.now,
                published_at: self.published_at(),
                archived_at: None,
            });
            sites.extend(at.iter().map(|&facility_id| program_site::Model { program_id: id, facility_id }));
        }
        self.insert::<program::Entity>(entries).await?;
        self.insert::<program_site::Entity>(sites).await?;
        self.insert_traces().await
    }

    async fn items(&mut self, rows: &[ItemRow]) -> Done {
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            entries.push(item::Model {
                id: self.trace("item", row.line),
                organization_id: self.own,
                code: row.code.clone(),
                name: row.name.clone(),
                unit: row.unit.clone(),
                sensitivity: row.sensitivity,
                outside_from: self.outside_from(row.sensitivity),
                outside_face: None,
                version: 1,
                recorded_at: self.access.now,
                published_at: self.published_at(),
                archived_at: None,
            });
        }
        self.insert::<item::Entity>(entries).await?;
        self.insert_traces().await
    }

    async fn kits(&mut self, kits: &[NewKit]) -> Done {
        let mut entries = Vec::new();
        let (mut versions, mut lines) = (Vec::new(), Vec::new());
        for NewKit { before, versions: new } in kits {
            let sensitivity = most_sensitive(new);
            let id = match before {
                Some(id) => {
                    self.add_versions(*id, new).await?;
                    *id
                }
                None => {
                    let id = self.access.new_id();
                    // What the API would have counted: the kit, and one change for each further version.
                    let version = self.trace_versions(id, 0, new);
                    entries.push(kit::Model {
                        id,
                        organization_id: self.own,
                        code: new[0].row.code.clone(),
                        name: new[0].row.name.clone(),
                        sensitivity,
                        outside_from: self.outside_from(sensitivity),
                        outside_face: None,
                        version,
                        recorded_at: self.access.now,
                        published_at: self.published_at(),
                        archived_at: None,
                    });
                    id
                }
            };
            for ResolvedKit { row, items, .. } in new {
                versions.push(kit_version::Model {
                    kit_id: id,
                    number: row.version,
                    valid_from: row.valid_from,
                });
                lines.extend(row.lines.iter().zip(items).zip(1..).map(|((line, &item_id), position)| {
                    kit_line::Model {
                        kit_id: id,
                        number: row.version,
                        position,
                        item_id,
                        quantity: line.quantity,
                    }
                }));
            }
        }
        self.insert::<kit::Entity>(entries).await?;
        self.insert::<kit_version::Entity>(versions).await?;
        self.insert::<kit_line::Entity>(lines).await?;
        self.insert_traces().await
    }

    /// New versions change what a kit is: its version and sensitivity and, when that is sensitive, what
    /// outsiders see until the next quarter.
    #[expect(clippy::disallowed_methods, reason = "the update repeats the scope in its WHERE")]
    async fn add_versions(&mut self, id: Uuid, new: &[ResolvedKit]) -> Done {
        let entry = self.access.catalog.kits.get(id).ok_or(Stopped::Changed)?;
        let before = entry.row.version;
        let sensitivity = most_sensitive(new).max(entry.row.sensitivity);
        let mut row = match sensitivity {
            Sensitivity::Sensitive => new_face(entry, self.access.today()),
            Sensitivity::General => <kit::ActiveModel as Default>::default(),
        };
        row.sensitivity = Set(sensitivity);
        row.version = Set(self.trace_versions(id, before, new));
        let changed = kit::Entity::update_many()
            .set(row)
            .filter(kit::Column::OrganizationId.eq(self.own))
            .filter(kit::Column::Id.eq(id))
            .filter(kit::Column::Version.eq(before))
            .exec(&self.write.tx)
            .await?;
        if changed.rows_affected == 1 { Ok(()) } else { Err(Stopped::Changed) }
    }

    fn trace_versions(&mut self, id: Uuid, before: i32, new: &[ResolvedKit]) -> i32 {
        let mut version = before;
        for kit in new {
            version += 1;
            self.trace_of("kit", id, version, kit.row.line);
        }
        version
    }

    /// The id of a new row, whose trace is written with it.
    fn trace(&mut self, entity: &str, line: u32) -> Uuid {
        let id = self.access.new_id();
        self.trace_of(entity, id, 1, line);
        id
    }

    fn trace_of(&mut self, entity: &str, id: Uuid, version: i32, line: u32) {
        self.traces.push(audit_event::Model {
            organization_id: self.own,
            id: self.access.new_id(),
            recorded_at: self.access.now,
            account_id: None,
            role: "SYSTEM".to_owned(),
            action: "IMPORT".to_owned(),
            entity: entity.to_owned(),
            entity_id: id,
            entity_version: Some(version),
            detail: json!({ "file": self.file, "line": line }),
            purpose: None,
            fields: None,
            rows: None,
            document_hash: None,
        });
    }

    async fn insert_traces(&mut self) -> Done {
        let traces = std::mem::take(&mut self.traces);
        self.insert::<audit_event::Entity>(traces).await
    }

    /// A key that is taken leaves its row out, and that ends the import.
    async fn insert<E>(&self, rows: Vec<E::Model>) -> Done
    where
        E: EntityTrait,
        E::Model: IntoActiveModel<E::ActiveModel>,
    {
        let wanted = rows.len() as u64;
        let inserted = bulk::insert::<E>(&self.write.tx, rows).await?;
        if inserted == wanted { Ok(()) } else { Err(Stopped::Taken) }
    }

    fn published_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        (self.entries == Entries::Published).then_some(self.access.now)
    }

    /// Sensitive entries become visible outside with the next quarter, whenever they are published.
    fn outside_from(&self, sensitivity: Sensitivity) -> Option<chrono::NaiveDate> {
        let waits = self.entries == Entries::Published && sensitivity == Sensitivity::Sensitive;
        waits.then(|| next_quarter(self.access.today()))
    }
}

/// A kit is as sensitive as the most sensitive of its versions.
fn most_sensitive(versions: &[ResolvedKit]) -> Sensitivity {
    versions.iter().map(|version| version.sensitivity).fold(Sensitivity::General, Ord::max)
}
