//! One binary for all that is held against whole releases. Bands are tested beside their code.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should fail")]

mod attack;
mod attacker;
mod corrections;
mod known_answers;
mod oracle;
mod properties;
mod rules;
mod scenario;
mod support;
mod years;
