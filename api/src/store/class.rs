//! Which plane a delivery belongs to (DISCLOSURE section 5).
//!
//! A delivery can be about one woman: one postpartum kit to a facility says that there is a mother. So only
//! deliveries that are large and general in every line are operations rows, which partners see; all others are
//! records rows, which exist for staff of the owning organisation only.

use entity::value::{RowClass, Sensitivity};

/// The fewest women in anything that outsiders may see (DISCLOSURE section 3.1).
pub const THRESHOLD: i32 = 10;

/// What decides the class of a delivery.
pub struct ClassInput {
    pub people_reached: i32,
    pub program: Sensitivity,
    pub lines: Vec<LineClassInput>,
}

/// What a line contributes. A kit is as sensitive as the most sensitive of its items.
pub struct LineClassInput {
    pub quantity: i32,
    pub people_reached: i32,
    pub sensitivity: Sensitivity,
}

/// The class of a new delivery, and for each line whether outsiders see it.
pub fn classify(input: &ClassInput) -> (RowClass, Vec<bool>) {
    let operations = input.people_reached >= THRESHOLD
        && input.program == Sensitivity::General
        && input.lines.iter().all(|line| {
            line.sensitivity == Sensitivity::General && line_is_shown(line.quantity, line.people_reached)
        });
    let class = if operations { RowClass::Operations } else { RowClass::Records };
    (class, vec![operations; input.lines.len()])
}

/// Whether outsiders see a line of an operations row. A correction can take a line below the threshold; it is
/// then hidden, and the row stays what it is.
pub fn line_is_shown(quantity: i32, people_reached: i32) -> bool {
    quantity >= THRESHOLD && people_reached >= THRESHOLD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class_of(people: i32, program: Sensitivity, lines: &[(i32, i32, Sensitivity)]) -> RowClass {
        let lines = lines
            .iter()
            .map(|(quantity, people_reached, sensitivity)| LineClassInput {
                quantity: *quantity,
                people_reached: *people_reached,
                sensitivity: *sensitivity,
            })
            .collect();
        classify(&ClassInput { people_reached: people, program, lines }).0
    }

    #[test]
    fn only_large_and_general_deliveries_are_operations() {
        use RowClass::{Operations, Records};
        use Sensitivity::{General, Sensitive};
        assert_eq!(class_of(10, General, &[(10, 10, General)]), Operations);
        assert_eq!(class_of(9, General, &[(10, 9, General)]), Records);
        assert_eq!(class_of(40, General, &[(9, 40, General)]), Records);
        assert_eq!(class_of(40, General, &[(90, 9, General)]), Records);
        assert_eq!(class_of(40, Sensitive, &[(90, 40, General)]), Records);
        assert_eq!(class_of(40, General, &[(90, 40, General), (90, 40, Sensitive)]), Records);
    }
}
