//! Which women a viewer may reach.

use entity::{custody_stay, participant};
use sea_orm::{
    ColumnTrait, Condition, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, Query},
};

use crate::{
    auth::Right,
    store::{Access, Scoped, distribution::among, nothing},
};

/// Women of the viewer's organisation; for a member who is cut to facilities, those who are there today.
pub(in crate::store) fn in_scope(access: &Access) -> Condition {
    use participant::Column::{Id, OrganizationId};
    let own = access.viewer.organization().filter(|own| access.viewer.is_staff_of(*own));
    let Some(own) = own.filter(|_| access.viewer.has(Right::ParticipantRead)) else { return nothing() };
    let women = Condition::all().add(OrganizationId.eq(own));
    let Some(cut) = access.viewer.facilities() else { return women };
    let of = |column: custody_stay::Column| Expr::col((custody_stay::Entity, column));
    let today = access.today();
    let here = Query::select()
        .expr(Expr::cust("1"))
        .from(custody_stay::Entity)
        .and_where(of(custody_stay::Column::OrganizationId).equals((participant::Entity, OrganizationId)))
        .and_where(of(custody_stay::Column::ParticipantId).equals((participant::Entity, Id)))
        .and_where(of(custody_stay::Column::StartsOn).lte(today))
        .cond_where(among(custody_stay::Column::FacilityId, cut.iter().copied()))
        .cond_where(
            Condition::any()
                .add(of(custody_stay::Column::EndsOn).is_null())
                .add(of(custody_stay::Column::EndsOn).gte(today)),
        )
        .to_owned();
    women.add(Expr::exists(here))
}

impl Scoped for participant::Entity {
    fn visible_to(access: &Access) -> Condition {
        in_scope(access)
    }
}

impl Access {
    /// Rows about women whom the viewer may reach, by the column that names her.
    pub(in crate::store) fn of_women(&self, woman: impl ColumnTrait) -> Condition {
        let women = self.select::<participant::Entity>().select_only().column(participant::Column::Id);
        Condition::all().add(woman.in_subquery(women.into_query()))
    }
}
