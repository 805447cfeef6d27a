//! The statements about the ledger. Each is about what is recorded before `$1` and happened by `$2`.
//!
//! Those whose figures would tell of a facility while it is hidden are made from what gives the moment at which a
//! movement, of an alias, counts as recorded.

/// When a movement counts as recorded, which was recorded while a facility was hidden and is at it, on its way to it, for
/// a delivery there, or follows or undoes one that is: as soon as the facility is shown again. Takes the numbers of three
/// parameters: the facility, and from when until when it was hidden.
pub(super) fn shown_again(alias: &str, [facility, from, until]: [usize; 3]) -> String {
    format!(
        "WHEN {alias}.recorded_at >= ${from} AND {alias}.recorded_at < ${until} AND EXISTS (\
         SELECT 1 FROM stock_movement o \
         LEFT JOIN distribution od ON od.organization_id = o.organization_id AND od.id = o.distribution_id \
         LEFT JOIN stock_place ot ON ot.organization_id = o.organization_id AND ot.id = o.to_place_id \
         WHERE o.organization_id = {alias}.organization_id \
         AND (o.id = {alias}.id OR o.id = {alias}.follows_id OR o.id = {alias}.reverses_id) \
         AND (od.facility_id = ${facility} OR ot.facility_id = ${facility} OR EXISTS (SELECT 1 FROM stock_entry oe \
         JOIN stock_place op ON op.organization_id = oe.organization_id AND op.id = oe.place_id \
         WHERE oe.organization_id = o.organization_id AND oe.movement_id = o.id AND op.facility_id = ${facility}))) \
         THEN ${until} "
    )
}

/// Whether an entry is of goods that were sent for a delivery, and outsiders see how much of them it handed over.
fn seen(recorded: &dyn Fn(&str) -> String) -> String {
    format!(
        "m.kind IN ('TRANSFER', 'ARRIVAL') AND m.distribution_id IS NOT NULL AND (\
     SELECT COALESCE(sum(x.quantity), 0) FROM stock_movement n \
     JOIN stock_entry x ON x.organization_id = n.organization_id AND x.movement_id = n.id \
     JOIN stock_lot y ON y.organization_id = x.organization_id AND y.id = x.lot_id \
     WHERE n.organization_id = m.organization_id AND n.distribution_id = m.distribution_id \
     AND {} < $1 AND x.side = 'CONSUMED' AND x.open \
     AND COALESCE(y.item_id, y.kit_id) = COALESCE(l.item_id, l.kit_id) \
     AND COALESCE(y.kit_version, 0) = COALESCE(l.kit_version, 0)) > 0",
        recorded("n")
    )
}

pub(super) fn open_balances(recorded: &dyn Fn(&str) -> String) -> String {
    let (seen, recorded) = (seen(recorded), recorded("m"));
    format!(
        "SELECT l.organization_id, l.donor_id, l.item_id, l.kit_id, l.kit_version, \
         CAST(sum(e.quantity) AS bigint) AS quantity \
         FROM stock_entry e \
         JOIN stock_movement m ON m.organization_id = e.organization_id AND m.id = e.movement_id \
         JOIN stock_lot l ON l.organization_id = e.organization_id AND l.id = e.lot_id \
         JOIN stock_place p ON p.organization_id = e.organization_id AND p.id = e.place_id \
         WHERE p.kind = 'WAREHOUSE' AND l.donor_id IS NOT NULL AND (e.open OR {seen}) \
         AND {recorded} < $1 AND m.occurred_on <= $2 \
         GROUP BY l.organization_id, l.donor_id, l.item_id, l.kit_id, l.kit_version"
    )
}

/// The women of what was sent are those whom the delivery reached, once it has taken place.
pub(super) fn hidden_movements(recorded: &dyn Fn(&str) -> String) -> String {
    let (seen, handed_over, recorded) = (seen(recorded), recorded("n"), recorded("m"));
    format!(
        "SELECT l.organization_id, l.donor_id, l.item_id, l.kit_id, l.kit_version, \
         min({recorded}) AS recorded_at, m.occurred_on, m.distribution_id, d.facility_id, \
         CAST(sum(e.quantity) AS bigint) AS quantity, \
         COALESCE(min(e.people_reached), (\
             SELECT min(x.people_reached) FROM stock_movement n \
             JOIN stock_entry x ON x.organization_id = n.organization_id AND x.movement_id = n.id \
             WHERE n.organization_id = l.organization_id AND n.distribution_id = m.distribution_id \
             AND {handed_over} < $1)) AS people \
         FROM stock_entry e \
         JOIN stock_movement m ON m.organization_id = e.organization_id AND m.id = e.movement_id \
         JOIN stock_lot l ON l.organization_id = e.organization_id AND l.id = e.lot_id \
         JOIN stock_place p ON p.organization_id = e.organization_id AND p.id = e.place_id \
         LEFT JOIN distribution d ON d.organization_id = m.organization_id AND d.id = m.distribution_id \
         WHERE p.kind = 'WAREHOUSE' AND l.donor_id IS NOT NULL AND NOT e.open AND NOT ({seen}) \
         AND {recorded} < $1 AND m.occurred_on <= $2 \
         GROUP BY l.organization_id, l.donor_id, l.item_id, l.kit_id, l.kit_version, \
         m.id, m.occurred_on, m.distribution_id, d.facility_id"
    )
}

pub(super) fn flows(recorded: &dyn Fn(&str) -> String) -> String {
    let (undone, recorded) = (recorded("r"), recorded("m"));
    format!(
        "SELECT l.organization_id, l.donor_id, l.item_id, l.kit_id, l.kit_version, \
         e.movement_id, e.lot_id, m.kind, m.occurred_on, t.facility_id, \
         CAST(sum(abs(e.quantity)) AS bigint) AS quantity \
         FROM stock_entry e \
         JOIN stock_movement m ON m.organization_id = e.organization_id AND m.id = e.movement_id \
         JOIN stock_lot l ON l.organization_id = e.organization_id AND l.id = e.lot_id \
         JOIN stock_place p ON p.organization_id = e.organization_id AND p.id = e.place_id \
         LEFT JOIN stock_place t ON t.organization_id = m.organization_id AND t.id = m.to_place_id \
         WHERE l.donor_id IS NOT NULL AND e.open AND m.reverses_id IS NULL \
         AND (m.kind = 'RECEIPT' OR m.kind = 'TRANSFER' AND p.kind = 'WAREHOUSE' AND e.quantity < 0) \
         AND {recorded} < $1 AND m.occurred_on <= $2 \
         AND NOT EXISTS (SELECT 1 FROM stock_movement r WHERE r.organization_id = m.organization_id \
         AND r.reverses_id = m.id AND {undone} < $1) \
         AND NOT EXISTS (SELECT 1 FROM gift_flow f WHERE f.organization_id = e.organization_id \
         AND f.movement_id = e.movement_id AND f.lot_id = e.lot_id) \
         GROUP BY l.organization_id, l.donor_id, l.item_id, l.kit_id, l.kit_version, \
         e.movement_id, e.lot_id, m.kind, m.occurred_on, t.facility_id"
    )
}

pub(super) const HANDED_OVER: &str = "SELECT l.organization_id, l.gift_id, l.item_id, l.kit_id, l.kit_version, \
     d.facility_id, m.occurred_on, CAST(sum(e.quantity) AS bigint) AS quantity \
     FROM stock_entry e \
     JOIN stock_movement m ON m.organization_id = e.organization_id AND m.id = e.movement_id \
     JOIN stock_lot l ON l.organization_id = e.organization_id AND l.id = e.lot_id \
     JOIN distribution d ON d.organization_id = m.organization_id AND d.id = m.distribution_id \
     WHERE e.side = 'CONSUMED' AND e.open AND d.class = 'OPERATIONS' AND l.gift_id IS NOT NULL \
     AND m.recorded_at < $1 AND m.occurred_on <= $2 \
     GROUP BY l.organization_id, l.gift_id, l.item_id, l.kit_id, l.kit_version, d.facility_id, m.occurred_on";

pub(super) const HANDED_OVER_IN_KITS: &str = "SELECT l.organization_id, l.gift_id, l.item_id, l.kit_id, l.kit_version, \
     d.facility_id, m.occurred_on, CAST(sum(e.quantity * a.quantity) AS bigint) AS quantity \
     FROM stock_entry e \
     JOIN stock_movement m ON m.organization_id = e.organization_id AND m.id = e.movement_id \
     JOIN stock_lot_part a ON a.organization_id = e.organization_id AND a.lot_id = e.lot_id \
     JOIN stock_lot l ON l.organization_id = a.organization_id AND l.id = a.part_lot_id \
     JOIN distribution d ON d.organization_id = m.organization_id AND d.id = m.distribution_id \
     WHERE e.side = 'CONSUMED' AND e.open AND d.class = 'OPERATIONS' AND l.gift_id IS NOT NULL \
     AND m.recorded_at < $1 AND m.occurred_on <= $2 \
     GROUP BY l.organization_id, l.gift_id, l.item_id, l.kit_id, l.kit_version, d.facility_id, m.occurred_on";
