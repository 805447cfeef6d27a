//! Whose records a viewer may reach.

use entity::{break_glass, custody_stay, participant};
use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};
use uuid::Uuid;

use crate::{
    auth::Right,
    store::{Access, distribution::among, nothing},
};

/// The women of the viewer's own organisation; for who is cut to facilities, those who are there today, and those whose
/// record was taken for a reason.
pub(in crate::store) fn in_scope(access: &Access) -> Condition {
    use participant::Column::{Id, OrganizationId};
    let Some(own) = access.viewer.organization() else { return nothing() };
    if !access.viewer.has(Right::ParticipantRead) {
        return nothing();
    }
    let id = || Expr::col((participant::Entity, Id));
    let mine = Condition::all().add(Expr::col((participant::Entity, OrganizationId)).eq(own));
    if access.viewer.facilities().is_none() {
        return mine;
    }
    let facilities = access.viewer.facilities().into_iter().flatten().copied();
    mine.add(
        Condition::any().add(id().in_subquery(at(access, facilities))).add(id().in_subquery(taken(access))),
    )
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

/// The ids of the women in scope.
pub(in crate::store) fn ids_in_scope(access: &Access) -> SelectStatement {
    Query::select()
        .column((participant::Entity, participant::Column::Id))
        .from(participant::Entity)
        .cond_where(in_scope(access))
        .to_owned()
}
