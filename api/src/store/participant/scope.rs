//! Whose records a viewer may reach.

use entity::{break_glass, custody_stay, participant};
use sea_orm::{
    ColumnTrait, Condition,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};
use uuid::Uuid;

use crate::{
    auth::Right,
    store::{Access, distribution::among, nothing},
};

/// The women whose records the viewer reads: those whom it looks after, and those whose record was taken for a reason.
pub(in crate::store) fn in_scope(access: &Access) -> Condition {
    let id = Expr::col((participant::Entity, participant::Column::Id));
    let taken = id.in_subquery(taken(access));
    if access.viewer.has(Right::ParticipantRead) {
        Condition::any().add(reached(access)).add(Condition::all().add(own(access)).add(taken))
    } else {
        nothing()
    }
}

/// The women whose records the viewer changes: those of [`reached`] but for records that were merged into another, which
/// nothing changes.
pub(in crate::store) fn looked_after(access: &Access) -> Condition {
    reached(access).add(Expr::col((participant::Entity, participant::Column::MergedInto)).is_null())
}

/// The women of the own organisation, and for who is cut to facilities those who are there today.
pub(super) fn reached(access: &Access) -> Condition {
    if !access.viewer.has(Right::ParticipantRead) {
        return nothing();
    }
    let all = Condition::all().add(own(access));
    let Some(facilities) = access.viewer.facilities() else { return all };
    let id = Expr::col((participant::Entity, participant::Column::Id));
    all.add(id.in_subquery(at(access, facilities.iter().copied())))
}

fn own(access: &Access) -> Expr {
    let organization = Expr::col((participant::Entity, participant::Column::OrganizationId));
    // Nobody is of no organisation.
    organization.eq(access.viewer.organization().unwrap_or_default())
}

/// The women of the viewer's organisation who are today at one of these facilities.
pub(super) fn at(access: &Access, facilities: impl IntoIterator<Item = Uuid>) -> SelectStatement {
    use custody_stay::Column::{EndsOn, FacilityId, OrganizationId, ParticipantId, StartsOn};
    let today = access.today();
    Query::select()
        .column(ParticipantId)
        .from(custody_stay::Entity)
        .and_where(Expr::col(OrganizationId).eq(access.viewer.organization()))
        .cond_where(among(FacilityId, facilities))
        .and_where(Expr::col(StartsOn).lte(today))
        .cond_where(Condition::any().add(Expr::col(EndsOn).is_null()).add(Expr::col(EndsOn).gte(today)))
        .to_owned()
}

/// The women whose records the viewer has taken for a reason and a short time.
pub(in crate::store) fn taken(access: &Access) -> SelectStatement {
    use break_glass::Column::{AccountId, EndsAt, OrganizationId, ParticipantId};
    Query::select()
        .column(ParticipantId)
        .from(break_glass::Entity)
        .and_where(Expr::col(OrganizationId).eq(access.viewer.organization()))
        .and_where(Expr::col(AccountId).eq(access.viewer.account()))
        .and_where(Expr::col(EndsAt).gt(access.now))
        .to_owned()
}

/// The ids of women.
pub(in crate::store) fn ids(women: Condition) -> SelectStatement {
    Query::select()
        .column((participant::Entity, participant::Column::Id))
        .from(participant::Entity)
        .cond_where(women)
        .to_owned()
}

impl Access {
    /// Rows about women whose records the viewer reads, by the column that names her.
    pub(in crate::store) fn of_women(&self, woman: impl ColumnTrait) -> Condition {
        Condition::all().add(woman.in_subquery(ids(in_scope(self))))
    }

    /// Rows that count: not those which stayed with a record that was merged into another, because that has their like.
    pub(in crate::store) fn unmerged(&self, woman: impl ColumnTrait) -> Condition {
        let merged = Expr::col((participant::Entity, participant::Column::MergedInto)).is_not_null();
        Condition::all().add(woman.not_in_subquery(ids(Condition::all().add(own(self)).add(merged))))
    }
}
