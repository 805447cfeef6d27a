//! What donors are told of their gifts: published once a quarter, and then left as it is.
//!
//! A hidden delivery would show as the gap between two balances (DISCLOSURE section 5). So outsiders never read the
//! ledger: [`publish`] writes down what they may know, from what had been recorded shortly before a quarter ended.
//! What comes later counts in a later quarter, so no answer ever changes, and no answer depends on when it is asked.

pub mod account;
mod publish;
pub mod read;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc};
use entity::{
    gift_account, gift_balance, gift_flow, gift_quarter, gift_trace,
    value::{AgreementShare, Sensitivity},
};
use sea_orm::{ColumnTrait, Condition, QueryOrder, sea_query::Expr};
use uuid::Uuid;

use super::{
    Access, Scoped,
    catalog::{Catalog, Face, Outside},
    distribution::among,
    nothing,
    stock::Goods,
    write::next_quarter,
};
use crate::{
    auth::Right,
    error::{Error, Result},
    graphql::audience::Audience,
};

/// A quarter by its last day.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Quarter(NaiveDate);

impl Quarter {
    /// The one that a day is in.
    fn of(day: NaiveDate) -> Self {
        Self(next_quarter(day).pred_opt().unwrap_or(day))
    }

    /// The last one that had ended when a day began.
    fn before(day: NaiveDate) -> Self {
        Self(Self::of(day).start().pred_opt().unwrap_or(day))
    }

    fn next(self) -> Self {
        Self::of(self.public_on())
    }

    fn start(self) -> NaiveDate {
        self.0.with_day(1).and_then(|month| month.checked_sub_months(Months::new(2))).unwrap_or(self.0)
    }

    /// The first day of the next one.
    fn public_on(self) -> NaiveDate {
        self.0.checked_add_days(Days::new(1)).unwrap_or(self.0)
    }

    /// What is recorded from this moment on counts in a later quarter. An hour before the end, so that a write that
    /// is under way when the quarter is published has long come to its end.
    fn closes_at(self) -> DateTime<Utc> {
        self.public_on().and_time(chrono::NaiveTime::MIN).and_utc() - TimeDelta::hours(1)
    }
}

/// Those who gave see what is theirs: donors by themselves, partners where an agreement in force shares stock.
fn of_donor(access: &Access, organization: impl ColumnTrait, donor: impl ColumnTrait) -> Condition {
    let Some(own) = access.viewer.organization().filter(|_| access.viewer.has(Right::GiftFollow)) else {
        return nothing();
    };
    let rows = Condition::all();
    match access.viewer.audience() {
        Audience::Staff => rows.add(organization.eq(own)),
        Audience::Donor => rows.add(donor.eq(own)),
        Audience::Partner => {
            let sharing = access
                .catalog
                .agreements_of(own, access.now)
                .filter(|agreement| agreement.row.shares.0.contains(&AgreementShare::Stock));
            let sharing = sharing.map(|agreement| agreement.row.organization_id);
            rows.add(donor.eq(own)).add(among(organization, sharing))
        }
        Audience::Public => nothing(),
    }
}

impl Scoped for gift_balance::Entity {
    fn visible_to(access: &Access) -> Condition {
        of_donor(access, gift_balance::Column::OrganizationId, gift_balance::Column::DonorId)
    }
}

impl Scoped for gift_flow::Entity {
    fn visible_to(access: &Access) -> Condition {
        of_donor(access, gift_flow::Column::OrganizationId, gift_flow::Column::DonorId)
            .add(access.at_shown_facilities(gift_flow::Column::FacilityId))
    }
}

/// Rows of one gift are asked for when the viewer has been shown the gift.
impl Scoped for gift_trace::Entity {
    fn visible_to(access: &Access) -> Condition {
        use gift_trace::Column::{FacilityId, GiftId, OrganizationId};
        of_gift(access, OrganizationId, GiftId).add(access.at_shown_facilities(FacilityId))
    }
}

impl Scoped for gift_account::Entity {
    fn visible_to(access: &Access) -> Condition {
        use gift_account::Column::{GiftId, OrganizationId};
        let rows = of_gift(access, OrganizationId, GiftId);
        if access.is_outside() {
            rows.add(Expr::cust("gift_account.accounted_on <= (SELECT max(quarter_end) FROM gift_quarter)"))
        } else {
            rows
        }
    }
}

fn of_gift(access: &Access, organization: impl ColumnTrait, gift: impl ColumnTrait) -> Condition {
    let Some(own) = access.viewer.organization().filter(|_| access.viewer.has(Right::GiftFollow)) else {
        return nothing();
    };
    match access.viewer.audience() {
        Audience::Staff => Condition::all().add(organization.eq(own)),
        Audience::Donor => {
            let given = access.catalog.gifts.iter().filter(|entry| access.gift(entry.row.id).is_some());
            among(gift, given.map(|entry| entry.row.id))
        }
        Audience::Partner | Audience::Public => nothing(),
    }
}

/// Which quarters are published is no secret.
impl Scoped for gift_quarter::Entity {
    fn visible_to(access: &Access) -> Condition {
        if access.viewer.has(Right::GiftFollow) { Condition::all() } else { nothing() }
    }
}

impl Access {
    /// The last quarter that is published. Those that have ended meanwhile are published first, by the program
    /// itself: what it writes down depends on nobody who asks.
    async fn published_quarter(&self) -> Result<Quarter> {
        let ended = Quarter::before(self.today());
        let last = self
            .select::<gift_quarter::Entity>()
            .order_by_desc(gift_quarter::Column::QuarterEnd)
            .one(self.reader())
            .await?;
        if last.is_none_or(|last| last.quarter_end < ended.0) {
            self.publish_quarters(ended).await?;
        }
        Ok(ended)
    }

    /// A quarter that can be asked for.
    ///
    /// # Errors
    /// `Invalid` for a day that ends no quarter, and for a quarter that has not ended.
    fn ended_quarter(&self, day: NaiveDate) -> Result<Quarter> {
        let last = Quarter::before(self.today());
        if Quarter::of(day).0 != day || last.0 < day {
            return Err(Error::invalid(format!(
                "Stock of gifts is shown at the ends of quarters that are over. The last one ended on {}.",
                last.0
            )));
        }
        Ok(Quarter(day))
    }

    /// Whether outsiders may read of goods today.
    fn is_shown(&self, goods: Goods) -> bool {
        self.catalog.is_shown(goods, self.today())
    }
}

impl Catalog {
    /// Whether outsiders know goods on a day, and know them to be general: a change of what is sensitive becomes
    /// public with the next quarter, and so do the figures that follow from it.
    fn is_shown(&self, goods: Goods, day: NaiveDate) -> bool {
        let item = |id: Uuid| {
            self.items.get(id).is_some_and(|item| {
                item.row.published_at.is_some() && is_general(&item.outside, item.row.sensitivity, day)
            })
        };
        match goods {
            Goods::Item(id) => item(id),
            Goods::Kit(id, version) => self.kits.get(id).is_some_and(|kit| {
                kit.row.published_at.is_some()
                    && is_general(&kit.outside, kit.row.sensitivity, day)
                    && version
                        .and_then(|number| kit.version(number))
                        .is_some_and(|version| version.lines.iter().all(|line| item(line.item_id)))
            }),
        }
    }
}

fn is_general(outside: &Outside, current: Sensitivity, day: NaiveDate) -> bool {
    match outside.on(day) {
        Face::Hidden => false,
        face => face.sensitivity(current) == Sensitivity::General,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn quarters_follow_one_another() {
        for (on, ended) in [
            ("2026-11-20", "2026-09-30"),
            ("2026-10-01", "2026-09-30"),
            ("2026-09-30", "2026-06-30"),
            ("2027-01-01", "2026-12-31"),
            ("2028-05-31", "2028-03-31"),
        ] {
            assert_eq!(Quarter::before(day(on)), Quarter(day(ended)), "{on}");
        }
        let quarter = Quarter(day("2026-12-31"));
        assert_eq!(quarter.start(), day("2026-10-01"));
        assert_eq!(quarter.next(), Quarter(day("2027-03-31")));
        assert_eq!(quarter.closes_at().to_rfc3339(), "2026-12-31T23:00:00+00:00");
    }
}
