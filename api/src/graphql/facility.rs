//! Facilities, presences and regions.

use uuid::Uuid;

use super::{
    connection::{Names, from_memory, order},
    distribution,
    mutation::{Done, Input, Subject},
    node::Node,
    organization::Organization,
    program,
    render::{Object, Writer, Written},
};
use crate::{
    id::Kind,
    store::{
        Access, catalog,
        distribution::Parent,
        facility::{CreateFacility, Filter, HideFacility, OrderField, UpdateFacility},
        keyset::Direction,
    },
};

pub struct Facility<'a>(pub &'a catalog::Facility);
pub struct Region<'a>(pub &'a entity::region::Model);
struct Presence<'a>(&'a entity::presence::Model);

const NAMES: Names = Names { connection: "FacilityConnection", edge: "FacilityEdge" };

/// `Query.facilities`.
pub fn list(node: &Node<'_>, w: &mut Writer<'_>) -> Written {
    let (field, direction) = match order(node, OrderField::Name, Direction::Ascending) {
        Ok(asked) => asked,
        Err(error) => return w.fail(node, error),
    };
    let filter = node.argument::<Filter>("filter");
    from_memory(
        w,
        node,
        NAMES,
        "",
        |access, window| Ok(access.facilities(&filter?.unwrap_or_default(), field, direction, window)),
        |row| Access::facility_place(row, field),
        |w, node, row| w.object(node, &Facility(row)),
    )
}

/// `Organization.facilities`: where it works today.
pub fn of_organization(node: &Node<'_>, w: &mut Writer<'_>, organization: Uuid) -> Written {
    let filter = Filter { organization: Some(vec![organization]), ..Filter::default() };
    from_memory(
        w,
        node,
        NAMES,
        &organization.to_string(),
        |access, window| Ok(access.facilities(&filter, OrderField::Name, Direction::Ascending, window)),
        |row| Access::facility_place(row, OrderField::Name),
        |w, node, row| w.object(node, &Facility(row)),
    )
}

impl Object for Facility<'_> {
    fn type_name(&self) -> &str {
        "Facility"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let row = &self.0.row;
        let access = w.access;
        match node.name {
            "id" => w.id(Kind::Facility, row.id),
            "slug" => w.str(&row.slug),
            "name" => w.str(&row.name),
            "aliases" => w.list(node, &row.aliases.0, |w, alias| w.str(alias)),
            "country" => w.str(&row.country),
            "region" => w.object(node, &Region(&self.0.region)),
            "municipality" => w.optional_str(row.municipality.as_deref()),
            "kind" => w.word(&row.kind),
            "presences" => {
                w.list(node, access.presences(self.0), |w, presence| w.object(node, &Presence(presence)))
            }
            "organization" => match access.catalog.organizations.get(row.organization_id) {
                Some(entry) => w.object(node, &Organization(entry)),
                None => w.absent(node),
            },
            "version" => w.version(row.organization_id, row.version),
            "published" => w.bool(row.published_at.is_some()),
            "archived" => w.bool(row.archived_at.is_some()),
            "hiddenAt" => w.optional_moment(row.hidden_at),
            "programs" => program::of_facility(node, w, row.id),
            "distributions" => distribution::list(node, w, Some((Parent::Facility, row.id))),
            _ => w.absent(node),
        }
    }
}

impl Object for Region<'_> {
    fn type_name(&self) -> &str {
        "Region"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        match node.name {
            "iso" => w.str(&self.0.iso),
            "pcode" => w.optional_str(self.0.pcode.as_deref()),
            "name" => w.str(&self.0.name),
            _ => w.absent(node),
        }
    }
}

impl Object for Presence<'_> {
    fn type_name(&self) -> &str {
        "Presence"
    }

    fn field(&self, node: &Node<'_>, w: &mut Writer<'_>) -> Written {
        let access = w.access;
        match node.name {
            "organization" => {
                let entry = access.organization(self.0.organization_id).map(Organization);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            "facility" => {
                let entry = access.facility(self.0.facility_id).map(Facility);
                w.optional(node, entry.as_ref().map(|entry| entry as &dyn Object))
            }
            "startsOn" => w.date(self.0.starts_on),
            "endsOn" => w.optional_date(self.0.ends_on),
            _ => w.absent(node),
        }
    }
}

/// The mutations of facilities.
pub async fn mutate(access: &Access, name: &str, input: &Input) -> Done {
    match name {
        "createFacility" => {
            let mut facility: CreateFacility = input.read()?;
            facility.once = input.once(name)?;
            Ok(access.create_facility(facility).await?.map(Subject::Facility))
        }
        "updateFacility" => {
            let mut facility: UpdateFacility = input.read()?;
            facility.at = input.at("id")?;
            access.update_facility(facility).await?;
            Ok(input.subject())
        }
        "hideFacility" => {
            let mut hiding: HideFacility = input.read()?;
            hiding.at = input.at("id")?;
            access.hide_facility(hiding).await?;
            Ok(input.subject())
        }
        "showFacility" => {
            access.show_facility(input.at("id")?, input.validate_only()).await?;
            Ok(input.subject())
        }
        _ => input.publish_or_archive(access, name, Kind::Facility).await,
    }
}
